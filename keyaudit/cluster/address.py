"""Where a scheduler is, and whether anybody but this machine can reach it."""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keyaudit.files import why
from keyaudit.schema import InputError

_ADDRESS = re.compile(r"(?:(?P<scheme>[a-z]+)://)?(?P<host>\[[0-9a-fA-F:.%]+\]|[^\s:/@\[\]]+):(?P<port>[0-9]{1,5})")
#: what keyaudit speaks with a scheduler
TCP, TLS = "tcp", "tls"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Place:
    """The address of a scheduler, the files for TLS (empty: as Dask's own configuration says), and whether the
    caller accepts that others can reach it."""

    address: str
    ca_file: str = ""
    cert: str = ""
    key: str = ""
    may_be_open: bool = False

    @property
    def is_open(self) -> bool:
        """Whether others than this machine can reach it, and so run code in it."""
        return is_open(self.address)


def find(named: str, ca_file: str = "", cert: str = "", key: str = "", may_be_open: bool = False) -> Place:
    """The scheduler at an address, or of a scheduler file. InputError if there is no such file, if that is no
    address, or if others can reach it and that was not accepted."""
    place = Place(_address(named), ca_file, cert, key, may_be_open)
    if (ca_file or cert or key) and not place.address.startswith(f"{TLS}://"):
        raise InputError(f"--cluster {named}: the TLS options are for an address that begins with {TLS}://")
    refuse_open(place, place.address, "the scheduler")
    return place


def refuse_open(place: Place, address: str, what: str) -> None:
    """InputError if others can reach an address, and that was not accepted."""
    if is_open(address) and not place.may_be_open:
        raise InputError(
            f"--cluster {place.address}: {what} listens at {address} without TLS, so whoever can reach it can run "
            f"code in it; start it with TLS ({TLS}://), or accept that with --insecure-cluster"
        )


def is_open(address: str) -> bool:
    """Whether an address is beyond this machine and without TLS."""
    found = _ADDRESS.fullmatch(address)
    if not found or found["scheme"] != TCP:
        return not found or found["scheme"] != TLS
    host = found["host"].strip("[]")
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def _address(named: str) -> str:
    path = Path(named)
    try:
        told = json.loads(path.read_bytes()) if path.is_file() else None
    except OSError as error:
        raise InputError(f"--cluster {why(error)}") from None
    except ValueError:
        raise InputError(f"--cluster {named}: is no scheduler file, which has an address as JSON") from None
    return _checked(named, _told(named, told) if told is not None else named)


def _told(named: str, told: Any) -> str:
    if isinstance(told, dict) and isinstance(told.get("address"), str):
        return str(told["address"])
    raise InputError(f"--cluster {named}: is no scheduler file, which has an address as JSON")


def _checked(named: str, address: str) -> str:
    found = _ADDRESS.fullmatch(address)
    if not found:
        raise InputError(
            f"--cluster {named}: neither a scheduler file that exists nor an address such as {TCP}://127.0.0.1:8786"
        )
    if found["scheme"] not in (None, TCP, TLS):
        raise InputError(f"--cluster {named}: an address begins with {TCP}:// or {TLS}://")
    return address if found["scheme"] else f"{TCP}://{address}"
