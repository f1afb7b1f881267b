"""Which periods have evidence: the rows of the calendar, and what it says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from keyaudit.model.operated import Operated
from keyaudit.model.over_period import OPEN, PRESENT, STATES, DuePeriod, PeriodVerdict
from keyaudit.texts import listed, say, visible

#: subjects that have a row; those with most gaps first
MOST_ROWS = 25
#: periods that are named one by one in the alternative text
MOST_NAMED = 10


@dataclass(frozen=True)
class Strip:
    """``rows``: (subject, its periods) from the top; ``left_out``: how many subjects have no row; ``counts``: of
    all periods that are over, by state."""

    rows: tuple[tuple[str, tuple[DuePeriod, ...]], ...]
    left_out: int
    counts: Counter[str]

    @property
    def over(self) -> int:
        return sum(number for state, number in self.counts.items() if state != OPEN)


def strip_of(o: Operated, most: int = MOST_ROWS) -> Strip:
    """The rows of subjects that have periods, at most so many."""
    found = sorted((one.verdict for one in o.subjects), key=lambda v: (-_amiss(v), v.subject))
    rows = [(v.subject, v.coverage.periods) for v in found if v.coverage.periods]
    counts = Counter(one.state for _, periods in rows for one in periods)
    return Strip(tuple(rows[:most]), max(len(rows) - most, 0), counts)


def _amiss(v: PeriodVerdict) -> int:
    return sum(one.state not in (PRESENT, OPEN) for one in v.coverage.periods)


def claim(found: Strip) -> str:
    """How many periods have conclusive evidence."""
    if not found.over:
        return say("charts.strip.not_yet")
    if found.counts[PRESENT] == found.over:
        return say("charts.strip.all", n=found.over)
    return say("charts.strip.some", n=found.over, present=found.counts[PRESENT])


def remarks(found: Strip) -> list[str]:
    """The others, by state; and how many subjects have no row."""
    states = [
        say("charts.strip.state", n=found.counts[state], state=say(f"series.{state}"))
        for state in STATES
        if found.counts[state] and state != PRESENT
    ]
    lines = [listed("words", states)] if states else []
    return lines + ([say("charts.strip.left_out", n=found.left_out)] if found.left_out else [])


def alt(found: Strip) -> str:
    """All that the picture tells, in words."""
    amiss = [
        say("charts.strip.amiss", subject=visible(subject), period=one.name, state=say(f"series.{one.state}"))
        for subject, periods in found.rows
        for one in periods
        if one.state not in (PRESENT, OPEN)
    ]
    more = [say("charts.strip.more", n=len(amiss) - MOST_NAMED)] if len(amiss) > MOST_NAMED else []
    return say(
        "charts.times.alt", told=listed("lines", [claim(found), *remarks(found), *amiss[:MOST_NAMED], *more])
    )
