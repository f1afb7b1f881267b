"""What is overdue, and what falls due in the next 90 days, week by week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from keyaudit.charts.facts.ages import unknown_ages
from keyaudit.charts.facts.overdue import overdue, part
from keyaudit.charts.facts.population import DAY, Population, days, subtitle
from keyaudit.texts import listed, say

HORIZON = 90
WEEK = 7


@dataclass(frozen=True)
class Deadlines:
    """Active keys by deadline. ``weeks``: starts in days from ``as_of``, and how many fall due from there on to
    the next start (the last one ends at the horizon); ``soon``: due within ``warn_before``; ``later``: after the
    horizon; ``exempt``: past the deadline, by an approved exception."""

    as_of: pd.Timestamp
    overdue: int
    weeks: tuple[tuple[int, int], ...]
    soon: int
    later: int
    exempt: int
    warn_before: int

    def date(self, day: float) -> str:
        """Month and day, as in ISO 8601, of a day counted from ``as_of``."""
        return f"{self.as_of + timedelta(days=day):%m-%d}"


def deadlines(people: Population) -> Deadlines:
    """The deadlines of a population with a limit, an ``as_of`` and at least one known age."""
    assert people.as_of is not None  # known where any age is
    to_come = people.active["due"][people.known & ~people.over & ~people.exempt]
    ahead = (to_come.to_numpy("datetime64[us]") - people.as_of.to_datetime64()) / DAY
    ahead = ahead[~np.isnan(ahead)]
    starts = np.arange(0, HORIZON, WEEK)
    inside = ahead[ahead <= HORIZON]
    counts = np.bincount(np.clip(inside // WEEK, 0, len(starts) - 1).astype(int), minlength=len(starts))
    return Deadlines(
        as_of=people.as_of,
        overdue=int(people.over.sum()),
        weeks=tuple(zip(starts.tolist(), counts.tolist(), strict=True)),
        soon=int((ahead <= people.policy.warn_before).sum()),
        later=int((ahead > HORIZON).sum()),
        exempt=int(people.exempt.sum()),
        warn_before=people.policy.warn_before,
    )


def claim(people: Population, dues: Deadlines) -> str:
    """The finding in a sentence: what is overdue, and what falls due within the policy's warning."""
    first, total = overdue(people), len(people.active)
    if total == 1:
        return _only_due(people) or first
    if dues.overdue == total:
        return first
    days_ahead = dues.warn_before or HORIZON
    number = dues.soon if dues.warn_before else sum(number for _, number in dues.weeks)
    due = say(f"charts.deadlines.{'due' if number else 'none_due'}", n=number, days=days(days_ahead))
    return listed("clauses", [first, due])


def _only_due(people: Population) -> str:
    """When the only active key falls due, if it is in time."""
    due = people.active["due"].iloc[0]
    if people.over[0] or people.exempt[0] or pd.isna(due):
        return ""
    return say("charts.deadlines.only_due", date=f"{due:%Y-%m-%d}")


def remarks(people: Population, dues: Deadlines) -> list[str]:
    """The subtitle, with every active key that is in no bar."""
    later = [say("charts.deadlines.later", n=dues.later, date=_end(dues))] if dues.later else []
    exempt = [part("exempt", dues.exempt)] if dues.exempt else []
    return subtitle(people, left_out=[*later, *exempt, *unknown_ages(people)])


def alt(people: Population, dues: Deadlines) -> str:
    """What the chart shows, with its numbers."""
    weeks = [
        say("charts.deadlines.week", date=f"{dues.as_of + timedelta(days=start):%Y-%m-%d}", number=f"{number:,}")
        for start, number in dues.weeks
        if number
    ]
    facts = {"subtitle": listed("lines", remarks(people, dues)), "overdue": f"{dues.overdue:,}"}
    said = listed("clauses", weeks) or say("charts.deadlines.no_week")
    return say("charts.deadlines.alt", title=claim(people, dues), weeks=said, **facts)


def axis_text(dues: Deadlines) -> str:
    return say("charts.deadlines.x", start=f"{dues.as_of:%Y-%m-%d}", time=f"{dues.as_of:%H:%M}", end=_end(dues))


def _end(dues: Deadlines) -> str:
    return f"{dues.as_of + timedelta(days=HORIZON):%Y-%m-%d}"
