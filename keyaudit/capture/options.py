"""What is asked of a capture: how each account is read, which accounts, and into which folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Options:
    """How each account is read. ``rate``: calls per second for an account; ``workers``: threads for an account;
    ``purpose``: what each key is for is read too."""

    reconcile: str
    owner_tag: str
    deadline: float
    rate: float
    workers: int = 16
    beside: tuple[str, ...] = ()  # documents that are asked for, by their names
    purpose: bool = False
    regions: tuple[str, ...] = ()  # the regions for these documents; none: the session's

    def asked(self) -> dict[str, Any]:
        """The options that decide what a capture holds."""
        asked: dict[str, Any] = {"reconcile": self.reconcile, "owner_tag": self.owner_tag or None}
        asked |= {"purpose": True} if self.purpose else {}
        return asked | {name: list(self.regions) or True for name in self.beside}


@dataclass(frozen=True)
class Request:
    """What is to be captured, and into which folder. If ``folder`` is None: a dated one under ``parent``, or the
    newest one there that the same command left unfinished."""

    options: Options
    folder: Path | None = None
    parent: Path = Path("reports/captures")
    profile: str = ""
    region: str = ""
    role_arn: str = ""
    external_id: str = ""
    organization: bool = False
    accounts: Path | None = None
    role_name: str = ""
    jobs: int = 8
    fresh: bool = False
    insecure_cluster: bool = False  # whether others can reach the cluster that reads the accounts

    def asked(self) -> dict[str, Any]:
        """What makes two commands the same command, for resuming."""
        what = "organization" if self.organization else "accounts" if self.accounts else "account"
        names = {"role_arn": self.role_arn, "role_name": self.role_name, "profile": self.profile}
        return {"what": what, **{name: value or None for name, value in names.items()}, **self.options.asked()}
