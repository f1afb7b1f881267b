"""An account that is read by a worker of a cluster: with the worker's own credentials, from which the role in the
account is assumed. What comes back is read strictly; what does not come back is an account that was not read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from keyaudit.aws.calls import CallFailedError, Calls
from keyaudit.aws.session import Session, connect
from keyaudit.capture.options import Options, Request
from keyaudit.capture.organization import entered
from keyaudit.capture.target import UNKNOWN, Captured, Target, capture_account, not_read, place, read_account
from keyaudit.captured.documents import DOCUMENTS
from keyaudit.captured.layout import CAPTURE_FILE, REPORT_FILE
from keyaudit.cluster.client import Cluster
from keyaudit.cluster.order import LostError, TaskError
from keyaudit.parcel import ParcelError, pack, unpack
from keyaudit.schema import InputError
from keyaudit.texts import language, say, spoken

Reader = Callable[[Target], Captured]
WARM = f"{__name__}:warm_up"
#: libraries that a worker must have as they are here
LIBRARIES = ("boto3", "botocore")


def reader(request: Request, folder: Path, session: Session, cluster: Cluster | None) -> Reader:
    """Reads an account into the folder: here, or by a worker if a role leads there."""

    def read(target: Target) -> Captured:
        if cluster is None or not target.role:
            return capture_account(target, request.options, folder)
        return place(folder, *_by_worker(target, request, session.region, cluster))

    return read


def _by_worker(
    target: Target, request: Request, region: str, cluster: Cluster
) -> tuple[Captured, dict[str, bytes]]:
    asked = {
        "account_id": target.account_id,
        "role": target.role,
        "external_id": request.external_id,
        "region": region,
        "options": asdict(request.options),
        "language": language(),
    }
    try:
        told, files = unpack(cluster.call(read_packed, pack(asked)))
        return _checked(target, request.options, told, files), files
    except (TaskError, LostError) as error:
        why = say("capture.why.worker", why=str(error))
    except ParcelError as error:
        why = say("capture.why.strange", why=str(error))
    return not_read(target, request.options, why)


def _checked(target: Target, options: Options, told: Mapping[str, Any], files: Mapping[str, bytes]) -> Captured:
    """What came of the account. ParcelError unless the files are those of a capture of this account, each as its
    digest says, and say of it what the worker says."""
    try:
        facts = json.loads(files[CAPTURE_FILE])
        captured = Captured(
            str(told["account_id"]), told["is_read"] is True, tuple(told["problems"]), tuple(told["remarks"])
        )
        known = {REPORT_FILE: facts["sha256"]} | {one.file: facts.get(one.digest) for one in DOCUMENTS}
        if facts["account_id"] != target.account_id or captured.account_id != target.account_id:
            raise ParcelError("account_id")
        if facts["asked"] != options.asked():
            raise ParcelError("asked")
        if list(captured.problems) != facts["problems"] or not all(map(_is_text, told["remarks"])):
            raise ParcelError("problems")
        if captured.is_read is not (REPORT_FILE in files):
            raise ParcelError(REPORT_FILE)
        if facts["complete"] is not (captured.is_read and not captured.problems):
            raise ParcelError("complete")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ParcelError(type(error).__name__) from None
    for name, content in files.items():
        if name != CAPTURE_FILE and hashlib.sha256(content).hexdigest() != known.get(name):
            raise ParcelError(name)
    for name, digest in known.items():
        if digest and name not in files:
            raise ParcelError(name)
    return captured


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def read_packed(content: bytes) -> bytes:
    """The worker's side."""
    asked, _ = unpack(content)
    told = asked["options"]
    options = Options(**{**told, "beside": tuple(told["beside"]), "regions": tuple(told["regions"])})
    with spoken(asked["language"]):
        captured, files = _read(asked, options)
    return pack(asdict(replace(captured, account_id=captured.account_id or UNKNOWN)), files)


def _read(asked: Mapping[str, Any], options: Options) -> tuple[Captured, dict[str, bytes]]:
    account_id, role = asked["account_id"], asked["role"]
    try:
        session = connect(region=asked["region"])
    except InputError:
        why = CallFailedError("sts:AssumeRole", "credentials").why
        return not_read(Target(account_id, _nowhere, role), options, why)
    return read_account(entered(account_id, session, role, asked["external_id"]), options)


def _nowhere(_: Calls) -> tuple[Session, str | None]:
    raise CallFailedError("sts:AssumeRole", "credentials")


def warm_up() -> None:
    """Import what reading an account needs."""
    for name in ("keyaudit.aws.calls", "boto3.session", *(one.taker.partition(":")[0] for one in DOCUMENTS)):
        import_module(name)
