"""What is asked of a capture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keyaudit.capture.account import Options


@dataclass(frozen=True)
class Request:
    """What is to be captured, and where to. ``folder`` None: a dated one under ``parent``, or there the newest that
    the same command left unfinished."""

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

    def asked(self) -> dict[str, Any]:
        """What makes two commands the same one, for resuming."""
        what = "organization" if self.organization else "accounts" if self.accounts else "account"
        names = {"role_arn": self.role_arn, "role_name": self.role_name, "profile": self.profile}
        return {"what": what, **{name: value or None for name, value in names.items()}, **self.options.asked()}
