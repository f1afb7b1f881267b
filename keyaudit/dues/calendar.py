"""How often evidence is due -> the periods of a calendar, in UTC (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from keyaudit.schema import InputError

DAY, WEEK, MONTH, QUARTER = "day", "week", "month", "quarter"
LONGEST = 3_660  # days
#: periods of a number of days are counted from here
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Every:
    """A period that comes again and again: ``day``, ``week`` (from Monday, ISO 8601), ``month``, ``quarter``, or a
    number of days (``30d``, counted from 1970-01-01). ``text`` is what was asked for."""

    text: str
    days: int = 0  # if the period is a number of days

    def start(self, moment: datetime) -> datetime:
        """Midnight at the beginning of the period that contains ``moment``."""
        moment = moment.astimezone(UTC)
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.text == DAY:
            return midnight
        if self.text == WEEK:
            return midnight - timedelta(days=midnight.weekday())
        if self.text == MONTH:
            return midnight.replace(day=1)
        if self.text == QUARTER:
            return midnight.replace(month=(midnight.month - 1) // 3 * 3 + 1, day=1)
        return midnight - timedelta(days=(midnight - _EPOCH).days % self.days)

    def end(self, moment: datetime) -> datetime:
        """Midnight at which the next period begins."""
        start = self.start(moment)
        if self.text == MONTH:
            return self.start(start + timedelta(days=31))
        if self.text == QUARTER:
            return self.start(start + timedelta(days=92))
        return start + timedelta(days={DAY: 1, WEEK: 7}.get(self.text, self.days))

    def name(self, moment: datetime) -> str:
        """What people call the period that contains ``moment``: 2026-11-24, 2026-W48, 2026-11, 2026-Q4, or its
        first day and the number of days (2026-11-10+30d)."""
        start = self.start(moment)
        if self.text == WEEK:
            year, week, _ = start.isocalendar()
            return f"{year}-W{week:02}"
        if self.text == MONTH:
            return f"{start:%Y-%m}"
        if self.text == QUARTER:
            return f"{start.year}-Q{(start.month + 2) // 3}"
        return f"{start:%Y-%m-%d}" + (f"+{self.days}d" if self.days else "")


def parse_every(text: str) -> Every:
    """``day``, ``week``, ``month``, ``quarter`` or a number of days (``30d``); InputError for anything else."""
    if text in (DAY, WEEK, MONTH, QUARTER):
        return Every(text)
    if re.fullmatch(r"[0-9]{1,4}d", text) and 1 <= int(text[:-1]) <= LONGEST:
        return Every(text, int(text[:-1]))
    found = text if len(text) <= 40 else text[:40] + "..."
    raise InputError(f"--every {found}: give day, week, month, quarter, or 1d to {LONGEST}d, a number of days")
