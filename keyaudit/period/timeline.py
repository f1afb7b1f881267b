"""An account over the snapshots: which of them read it, and from when to when a key of it was active."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from keyaudit.model.over_period import Span, Spans
from keyaudit.period.lineages import Lineage
from keyaudit.period.snapshots import SeenAccount, Snapshot
from keyaudit.period.spans import joined

#: AWS serves a report for so long: a key made since is not in it
CACHE = timedelta(hours=4)
BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Timeline:
    """An account. ``reads``: the numbers of the snapshots that read it, ordered by ``times``: when each report was
    made or, where it does not tell, the instant that the snapshot judges; ``whole``: whether nothing speaks against
    it. ``opens``: the last snapshot before that did not expect the account (None: there is none); ``closes``: the
    first one after, or else the last snapshot of all, after which nothing is concluded. ``away``: spans in between
    in which snapshots did not expect it; ``joined``, ``left``: between which snapshots it became expected, and
    stopped being so (None: it was from the first, or to the last)."""

    account: str
    reads: tuple[int, ...]
    times: tuple[datetime, ...]
    whole: tuple[bool, ...]
    opens: datetime | None
    closes: datetime
    away: Spans
    joined: Span | None
    left: Span | None


@dataclass(frozen=True)
class Activity:
    """When a key was active: ``certain``, if it was not switched off between two snapshots that show it active;
    ``possible``: the most that the snapshots allow. ``ended``: when it first was shown inactive or gone for good,
    or None. ``late``, ``vanished``: the numbers of snapshots that do not show it although it must have been there,
    before its first sighting, or between two."""

    certain: Spans
    possible: Spans
    ended: datetime | None
    late: tuple[int, ...] = ()
    vanished: tuple[int, ...] = ()


def timelines(snapshots: Sequence[Snapshot]) -> dict[str, Timeline]:
    """Each account that any of the snapshots, in the order of their instants, expected."""
    expected = [{one.account: one for one in snapshot.accounts} for snapshot in snapshots]
    accounts = sorted({account for each in expected for account in each})
    return {one: _timeline(one, snapshots, [each.get(one) for each in expected]) for one in accounts}


def _timeline(account: str, snapshots: Sequence[Snapshot], told: Sequence[SeenAccount | None]) -> Timeline:
    reads = sorted(
        (min(one.generated or snapshots[number].as_of, snapshots[number].as_of), number, one.is_whole)
        for number, one in enumerate(told)
        if one is not None and one.is_read
    )
    known = [number for number, one in enumerate(told) if one is not None]
    first, last = (min(n for _, n, _ in reads), max(n for _, n, _ in reads)) if reads else (known[0], known[-1])
    out = [number for number, one in enumerate(told) if one is None]
    before, after = [n for n in out if n < first], [n for n in out if n > last]
    start, end = known[0], known[-1] + 1
    return Timeline(
        account,
        reads=tuple(number for _, number, _ in reads),
        times=tuple(moment for moment, _, _ in reads),
        whole=tuple(is_whole for _, _, is_whole in reads),
        opens=snapshots[before[-1]].as_of if before else None,
        closes=snapshots[after[0] if after else -1].as_of,
        away=tuple(_runs([n for n in out if first < n < last], snapshots)),
        joined=(snapshots[start - 1].as_of, snapshots[start].as_of) if start else None,
        left=(snapshots[end - 1].as_of, snapshots[end].as_of) if end < len(snapshots) else None,
    )


def _runs(numbers: Sequence[int], snapshots: Sequence[Snapshot]) -> list[Span]:
    """Numbers that follow each other, as spans between their instants."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = found[-1][0], number
        else:
            found.append((number, number))
    return [(snapshots[start].as_of, snapshots[end].as_of) for start, end in found]


def activity(key: Lineage, line: Timeline) -> Activity:
    """When a key was active, by the snapshots that read its account.

    Between two of them: for certain if it is active in both, possibly if in one. Before the first: possibly, if it
    is active in the first, from its creation on; a key that was made between two was active then. After the last:
    possibly, if it is active in the last. Where it must have been and is not shown, or where its absence is told by
    a report with a gap, it may be active.
    """
    created = key.created or BEGINNING
    start = max(created, line.opens or BEGINNING)
    if len(key.seen) == len(line.reads) and all(key.active):  # most keys: as below, at once
        times = line.times
        return Activity(joined([(times[0], times[-1])]), joined([(min(start, times[0]), line.closes)]), None)
    states, late, vanished = _states(key, line)
    certain, possible, ended = [], [], None
    before, was, may = start, False, states[0][1]
    for moment, (is_on, may_be_on) in zip(line.times, states, strict=True):
        if was and is_on:
            certain.append((before, moment))
        is_new = before < created < moment  # AWS makes every key active
        if may or may_be_on or is_new:
            possible.append((max(before, start), moment))
        ended = None if may_be_on else ended or moment
        before, was, may = moment, is_on, may_be_on
    if may:
        possible.append((max(before, start), line.closes))
    return Activity(joined(certain), joined(possible), ended, tuple(late), tuple(vanished))


def _states(key: Lineage, line: Timeline) -> tuple[list[tuple[bool, bool]], list[int], list[int]]:
    """For each snapshot that read the account: whether the key is active, and whether it may be; then the numbers
    of those that should show it and do not."""
    shown = dict(zip(key.seen, key.active, strict=True))
    places = [place for place, number in enumerate(line.reads) if number in shown]
    first, last = places[0], places[-1]
    states: list[tuple[bool, bool]] = []
    late, vanished = [], []
    for place, (number, moment) in enumerate(zip(line.reads, line.times, strict=True)):
        if number in shown:
            states.append((shown[number], shown[number]))
        elif place > last:
            states.append((False, not line.whole[place]))
        elif place > first:
            states.append((False, True))
            vanished.append(number)
        else:
            is_made = key.created is not None and key.created < moment
            states.append((False, is_made))
            if key.created is not None and moment - key.created >= CACHE:
                late.append(number)
    return states, late, vanished
