"""The evidence of a subject -> how often evidence was due, and when that changed (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, groupby, pairwise

from keyaudit.dues.calendar import Every, parse_every
from keyaudit.model.folders import Entry
from keyaudit.model.operated import Cadence
from keyaudit.period import Window
from keyaudit.schema import InputError
from keyaudit.texts import visible


def is_scheduled(one: Entry) -> bool:
    """Whether the evidence has a schedule that keyaudit knows."""
    try:
        return bool(one.every and parse_every(one.every))
    except InputError:
        return False


def cadences_of(runs: Sequence[Entry], end: datetime) -> tuple[Cadence, ...]:
    """How often evidence was due before ``end``, by the schedules that are sealed in these runs; none if there are
    none.

    What is sealed holds until evidence has another. From its first run to its last one a cadence goes on, also
    where some of its runs are missing: of several that go on at the same time, the most frequent one holds.
    """
    known = sorted((one for one in runs if is_scheduled(one)), key=lambda one: one.started)
    # evidence from after the period alone still tells how often it is made
    found = [one for one in known if one.started < end] or known[:1]
    spans: dict[str, tuple[datetime, datetime]] = {}
    for one in found:
        first, _ = spans.get(one.every, (one.started, one.started))
        spans[one.every] = first, one.started
    held = [(_most_frequent(spans, one.started), one.started) for one in found]
    changes = [next(same) for _, same in groupby(held, key=lambda each: each[0])]
    return tuple(Cadence(every, start if place else None) for place, (every, start) in enumerate(changes))


def _most_frequent(spans: dict[str, tuple[datetime, datetime]], moment: datetime) -> str:
    going_on = [every for every, (first, last) in spans.items() if first <= moment <= last]
    return min(going_on, key=lambda every: _length(every, moment))


def _length(every: str, moment: datetime) -> tuple[float, str]:
    period = parse_every(every)
    return (period.end(moment) - period.start(moment)).total_seconds(), every


@dataclass(frozen=True)
class Stretch:
    """A cadence from ``start`` on, until another took its place (None: none did), whose first period began at
    ``replaced``."""

    every: Every
    start: datetime
    until: datetime | None = None
    replaced: datetime | None = None

    def holds(self, start: datetime, end: datetime) -> bool:
        """Whether one of its periods was due: it was over before another cadence took the place of this one, or
        that one's first period leaves its beginning out."""
        if self.until is None or self.replaced is None:
            return True
        return end <= self.until or start < self.replaced


def stretches(cadences: Sequence[Cadence], window: Window) -> Iterator[Stretch]:
    """Those cadences that reach into a window, one after the other."""
    for one, after in zip(cadences, [*cadences[1:], None], strict=True):
        every, start = parse_every(one.every), max(one.start or window.start, window.start)
        if after is None or after.start is None:
            yield Stretch(every, start)
        elif after.start > window.start:
            yield Stretch(every, start, after.start, parse_every(after.every).start(after.start))


def held_at(cadences: Sequence[Cadence], moment: datetime) -> Every:
    """The cadence that held at a moment; before the first, the first."""
    held = [one for one in cadences if one.start is None or one.start <= moment]
    return parse_every(held[-1].every)


def refuse_split(subject: str, runs: Sequence[Entry], window: Window) -> None:
    """InputError if two schedules went on at the same time in a window and judged by different policies: nobody but
    the auditor can say which of them was the organization's.

    A schedule is told by what it asks for, and so by its policy. One run beside a schedule is none, and a policy
    that follows another is not beside it.
    """
    schedules: dict[str, list[Entry]] = {}
    for one in runs:
        if is_scheduled(one) and window.has(one.started):
            schedules.setdefault(one.asked, []).append(one)
    for some, others in combinations(schedules.values(), 2):
        policies = [{_hash(one) for one in each} for each in (some, others)]
        if policies[0].isdisjoint(policies[1]) and _are_parallel(some, others):
            told = " and ".join(sorted(visible(each[-1].policy) for each in (some, others)))
            raise InputError(
                f"{visible(subject)}: schedules went on side by side by different policies: {told}; "
                "choose one with --policy"
            )


def _hash(one: Entry) -> str:
    """Of its policy, whose name may be another where the text is the same."""
    return one.policy.rpartition(" ")[2]


def _are_parallel(some: Sequence[Entry], others: Sequence[Entry]) -> bool:
    """Whether two schedules took turns: one ran after the other, which then ran again, and so did the first."""
    both = sorted([(one.started, 0) for one in some] + [(one.started, 1) for one in others])
    return sum(former != later for (_, former), (_, later) in pairwise(both)) > 2
