"""What the name of a file tells: when AWS generated the report, and for which account (pure)."""

from __future__ import annotations

import re
from datetime import datetime

from keyaudit.credentials import parse_instant

#: how AWS's console names its download; a browser, a file manager or keyaudit adds a number if that name is taken,
#: and some systems write other signs
_CONSOLE = re.compile(
    r"status_reports_([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2})[-_:]([0-9]{2})[-_:]([0-9]{2})"
    r"([+-][0-9]{2})[-_:]([0-9]{2})"
    r"( - Copy)?( ?\([0-9]{1,3}\))?\.csv( \([0-9]{1,6}\))?",
    re.IGNORECASE | re.ASCII,
)
_TWELVE_DIGITS = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
#: twelve digits that are year, month, day, hour and minute
_MOMENT = re.compile(r"20[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])([01][0-9]|2[0-3])[0-5][0-9]")


def time_in_name(name: str) -> datetime | None:
    """The generated time in the name of a report that was downloaded from AWS's console; None for any other
    name."""
    told = _CONSOLE.fullmatch(name.rpartition("/")[2])
    return parse_instant(f"{told[1]}:{told[2]}:{told[3]}{told[4]}:{told[5]}") if told else None


def other_account(name: str, account_id: str | None) -> str | None:
    """The id of another account in the name of a report of ``account_id``; None if there is none."""
    told = [one for one in _TWELVE_DIGITS.findall(name) if not _MOMENT.fullmatch(one)]
    return told[0] if account_id and told and account_id not in told else None
