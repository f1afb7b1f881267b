"""The keys that were late the longest: the rows of their chart, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from keyaudit.model.operated import Operated
from keyaudit.model.over_period import KeyOverPeriod, Span
from keyaudit.texts import listed, say, short_id, visible

#: rows; in the alternative text fewer are told one by one
MOST_ROWS, MOST_TOLD = 30, 10
#: letters of a name that are shown
LONGEST = 24


@dataclass(frozen=True)
class Row:
    """A key, and when it was rotated (None: no rotation was seen)."""

    key: KeyOverPeriod
    rotated: datetime | None
    label: str


@dataclass(frozen=True)
class Late:
    """``rows`` from the top, most days first; ``total``: of how many keys; the period, and what evidence bounds."""

    rows: tuple[Row, ...]
    total: int
    start: datetime
    end: datetime
    seen: Span | None


def late_of(o: Operated, most: int = MOST_ROWS) -> Late | None:
    """At most so many rows; None if no key was in breach, or may have been."""
    verdicts = [one.verdict for one in o.subjects]
    late = [key for v in verdicts for key in v.keys if key.is_breach or key.is_possible]
    if not late:
        return None
    late.sort(key=lambda key: (not key.is_breach, *(-days for days in reversed(key.breach_days))))
    rotated = {id(one.former): one.at for v in verdicts for one in v.replacements}
    are_many = len({key.account for key in late}) > 1
    rows = [Row(key, rotated.get(id(key)), _label(key, are_many)) for key in late[:most]]
    seen = [v.concluded for v in verdicts if v.concluded]
    bounds = (min(one[0] for one in seen), max(one[1] for one in seen)) if seen else None
    return Late(tuple(rows), len(late), verdicts[0].start, verdicts[0].end, bounds)


def _label(key: KeyOverPeriod, with_account: bool) -> str:
    user = visible(key.user)
    user = user if len(user) <= LONGEST else f"{user[: LONGEST - 1]}…"
    told = [short_id(key.key_id)] if key.key_id else []
    told += [visible(key.account)] if with_account else []
    return listed("words", [user, *told])


def claim(found: Late) -> str:
    proved = sum(row.key.is_breach for row in found.rows)
    if found.total > len(found.rows):
        return say("charts.gantt.worst", n=len(found.rows), total=found.total)
    return say("charts.gantt.all" if proved else "charts.gantt.possible", n=found.total)


def remarks(found: Late) -> list[str]:
    still_open = sum(row.key.is_open for row in found.rows)
    return [say("charts.gantt.open", n=still_open)] if still_open else []


def alt(found: Late) -> str:
    """All that the picture tells, in words."""
    told = [_row(row) for row in found.rows[:MOST_TOLD]]
    more = [say("charts.gantt.more", n=len(found.rows) - MOST_TOLD)] if len(found.rows) > MOST_TOLD else []
    return say("charts.times.alt", told=listed("lines", [claim(found), *remarks(found), *told, *more]))


def _row(row: Row) -> str:
    least, most = (days.total_seconds() / 86_400 for days in row.key.breach_days)
    return say("charts.gantt.row", which=row.label, least=f"{least:,.1f}", most=f"{most:,.1f}")
