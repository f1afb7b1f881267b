"""The credential report of one account: generate, wait, get."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from keyaudit.capture.calls import CallFailedError, Calls
from keyaudit.texts import say

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0  # seconds
#: AWS's answers that mean: not yet, ask again
_GENERATE_AGAIN = ("ReportNotPresent", "ReportExpired")
_WAIT = ("ReportInProgress", "LimitExceeded")


@dataclass(frozen=True)
class Report:
    """A report as AWS sent it. It may be up to 4 hours old: its age is judged, a younger one is not waited for."""

    content: bytes
    generated_time: datetime | None
    received_time: datetime
    remarks: tuple[str, ...]


def fetch_report(calls: Calls, iam: Any) -> Report:
    """CallFailedError where there is none to be had before the deadline.

    Where generating is denied, one that somebody else had made is taken, if AWS still serves it.
    """
    pause = FIRST_PAUSE
    refusal: CallFailedError | None = None
    while True:
        refusal, is_made = _generate(calls, iam) if refusal is None else (refusal, True)
        if is_made:
            try:
                got = calls.call(iam, "get_credential_report", ("Content",))
                break
            except CallFailedError as error:
                if refusal is not None and error.code in _GENERATE_AGAIN:
                    raise refusal from None
                if error.code not in _GENERATE_AGAIN + _WAIT:
                    raise
        _pause(calls, pause)
        pause = min(pause * 2, LONGEST_PAUSE)
    remarks = (say("capture.not_generated", why=refusal.why),) if refusal else ()
    content, generated = got["Content"], got.get("GeneratedTime")
    if not isinstance(content, bytes):
        raise CallFailedError("iam:GetCredentialReport", "unreadable")
    return Report(content, generated if isinstance(generated, datetime) else None, datetime.now(UTC), remarks)


def _generate(calls: Calls, iam: Any) -> tuple[CallFailedError | None, bool]:
    """Ask for a report: why that failed, if so, and whether one may be there."""
    try:
        state = calls.call(iam, "generate_credential_report", ("State",))["State"]
    except CallFailedError as error:
        if error.code in _WAIT:
            return None, False
        if error.is_final:
            raise
        return error, True
    return None, state == "COMPLETE"


def _pause(calls: Calls, seconds: float) -> None:
    if time.monotonic() + seconds >= calls.until:
        raise CallFailedError("iam:GenerateCredentialReport", "incomplete")
    time.sleep(seconds)
