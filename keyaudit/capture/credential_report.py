"""The credential report of one account: generate, wait, get; or what AWS still has, if it makes no new one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from keyaudit import credentials
from keyaudit.aws.calls import CallFailedError, Calls
from keyaudit.captured.layout import REPORT_FILE
from keyaudit.credentials.columns import read_table
from keyaudit.schema import ROOT_USER, InputError
from keyaudit.texts import say

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0  # seconds
GENERATE = "iam:GenerateCredentialReport"
#: AWS's answers that mean: there is no report, generate one
_NONE = ("ReportNotPresent", "ReportExpired")
IN_PROGRESS, LIMITED = "ReportInProgress", "LimitExceeded"


@dataclass(frozen=True)
class Report:
    """A report as AWS sent it. It may be up to 4 hours old: its age is judged, and nobody waits for a younger
    one."""

    content: bytes
    generated_time: datetime | None
    received_time: datetime
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class _Asked:
    """What came of asking AWS to make a report: whether there may be one, and in ``refusal`` why AWS makes none:
    for good or, if that is LimitExceeded, for now, which may be hours."""

    may_be_there: bool
    refusal: CallFailedError | None = None

    @property
    def is_limited(self) -> bool:
        return self.refusal is not None and self.refusal.code == LIMITED

    @property
    def remarks(self) -> tuple[str, ...]:
        """Why the report was not made just now."""
        if self.refusal is None:
            return ()
        return (say("capture.limited" if self.is_limited else "capture.not_generated", why=self.refusal.why),)


def fetch_report(calls: Calls, iam: Any) -> Report:
    """CallFailedError if no report can be had before the deadline.

    If AWS makes no new report, one that somebody else had made is taken, if AWS still serves it. If there is none,
    a refusal for good is the reason at once, and LimitExceeded is the reason once it has lasted until the deadline.
    """
    pause, asked = FIRST_PAUSE, _Asked(may_be_there=False)
    while True:
        if asked.refusal is None or asked.is_limited:
            asked = _generate(calls, iam)
        if asked.may_be_there and (got := _get(calls, iam, asked)) is not None:
            break
        _pause(calls, pause, asked)
        pause = min(pause * 2, LONGEST_PAUSE)
    content, generated = got["Content"], got.get("GeneratedTime")
    if not isinstance(content, bytes):
        raise CallFailedError("iam:GetCredentialReport", "unreadable")
    generated_time = generated if isinstance(generated, datetime) else None
    return Report(content, generated_time, datetime.now(UTC), asked.remarks)


def _generate(calls: Calls, iam: Any) -> _Asked:
    try:
        state = calls.call(iam, "generate_credential_report", ("State",))["State"]
    except CallFailedError as error:
        if error.code == IN_PROGRESS:
            return _Asked(may_be_there=False)
        if error.is_final:
            raise
        return _Asked(may_be_there=True, refusal=error)
    return _Asked(may_be_there=state == "COMPLETE")


def _get(calls: Calls, iam: Any, asked: _Asked) -> dict[str, Any] | None:
    """The report; None if there is none yet."""
    try:
        return calls.call(iam, "get_credential_report", ("Content",))
    except CallFailedError as error:
        if error.code in _NONE and asked.refusal is not None and not asked.is_limited:
            raise asked.refusal from None
        if error.kind == "deadline" and asked.is_limited:
            raise _still_limited() from None
        if error.code not in (*_NONE, IN_PROGRESS, LIMITED):
            raise
    return None


def _pause(calls: Calls, seconds: float, asked: _Asked) -> None:
    if time.monotonic() + seconds >= calls.until:
        raise _still_limited() if asked.is_limited else CallFailedError(GENERATE, "incomplete")
    time.sleep(seconds)


def _still_limited() -> CallFailedError:
    """LimitExceeded has lasted until the deadline, whichever call that met."""
    return CallFailedError(GENERATE, "limited", LIMITED)


def users_of(report: Report) -> list[str]:
    """The IAM users of a report; none if it cannot be read, and judging it will say why."""
    try:
        table = read_table(credentials.unwrap(report.content, REPORT_FILE).text, REPORT_FILE)
    except InputError:
        return []
    return [user for user in table.columns["user"] if user != ROOT_USER]
