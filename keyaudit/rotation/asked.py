"""What an operator asks for, and what is deployed -> the settings of a stack (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keyaudit.rotation.deployment import Deployment
from keyaudit.rotation.naming import BUCKET, EMAIL, KMS_ARN, SECRET_ARN, check
from keyaudit.rotation.periods import EVERY, GRACE, MAX_AGE, Periods
from keyaudit.schema import InputError


@dataclass(frozen=True)
class Asked:
    """The options. None: not given, so what was deployed stays, or the default is deployed."""

    every: int | None = None
    grace: int | None = None
    max_age: int | None = None
    retention: int | None = None
    quiet: int | None = None
    notify: str | None = None
    deactivates_in_use: bool | None = None
    fields: dict[str, str] | None = None
    master: str | None = None
    kms_key: str | None = None
    secret: str = ""
    bucket: str = ""

    def __post_init__(self) -> None:
        """InputError for mistakes that can be seen before AWS is asked."""
        check("--secret-arn", self.secret, f"({SECRET_ARN})?", _WHOLE)
        check("--template-bucket", self.bucket, f"({BUCKET})?", "the name of a bucket")
        check("--notify", self.notify or "", f"({EMAIL})?", "a mail address")
        check("--kms-key-arn", self.kms_key or "", f"({KMS_ARN})?", "the ARN of a key in KMS")

    def periods(self, before: Periods | None = None) -> Periods:
        """The periods that were asked for, or else those deployed; a deployed retention or quiet time only if it
        still holds."""
        every = _first(self.every, before.every if before else None, EVERY)
        grace = _first(self.grace, before.grace if before else None, GRACE)
        max_age = _first(self.max_age, before.max_age if before else None, MAX_AGE)
        if before:
            try:
                retention = _first(self.retention, before.retention, 0)
                return Periods.of(every, grace, max_age, retention, _first(self.quiet, before.quiet, 0))
            except InputError:
                pass  # they are chosen anew; otherwise the mistake is in what was asked for
        return Periods.of(every, grace, max_age, self.retention, self.quiet)

    def settings(self, before: Deployment | None = None) -> dict[str, Any]:
        """What holds for the whole stack, as ``Deployment`` takes it, except for the periods."""
        names = ("master", "kms_key", "notify", "deactivates_in_use", "fields")
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return ({name: getattr(before, name) for name in names} if before else {}) | given


_WHOLE = "the whole ARN of a secret, with the six characters that Secrets Manager puts at its end"


def _first(given: int | None, before: int | None, usual: int) -> int:
    return given if given is not None else before if before is not None else usual
