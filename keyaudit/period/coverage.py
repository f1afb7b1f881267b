"""How complete the evidence of a period is: what was due, what was read, and which keys must have been there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from keyaudit.model.over_period import (
    BROKEN,
    DOUBTFUL,
    INCONCLUSIVE,
    LATE,
    MISSING,
    PRESENT,
    UNREAD,
    VANISHED,
    AccountOverPeriod,
    AccountUnread,
    Coverage,
    DuePeriod,
    HiddenKey,
    Span,
    Spans,
    length,
)
from keyaudit.period.eras import Terms
from keyaudit.period.lineages import Lineage
from keyaudit.period.snapshots import Snapshot, Window
from keyaudit.period.spans import joined
from keyaudit.period.timeline import Activity, Timeline
from keyaudit.schema import INSUFFICIENT_DATA


def periods_of(
    due: Iterable[DuePeriod], snapshots: Sequence[Snapshot], window: Window, end: datetime
) -> tuple[DuePeriod, ...]:
    """The periods of a window, with those that no calendar names up to ``end``, which are missing.

    One is present if, of all the snapshots whose runs began in it, one is conclusive; what is said to be present
    without any is missing. What is broken, failed or missing stays so. Broken ones beside the window stay as well:
    what they would have shown of it is not known.
    """
    found = []
    for one in sorted(due, key=lambda each: each.start):
        is_inside = one.start < window.end and one.end > window.start
        if not is_inside and one.state != BROKEN:
            continue
        inside = [each.conclusion for each in snapshots if one.start <= each.started < one.end]
        state = one.state
        if state in (PRESENT, INCONCLUSIVE):
            is_conclusive = any(each != INSUFFICIENT_DATA for each in inside)
            state = PRESENT if is_conclusive else INCONCLUSIVE if inside else MISSING
        found.append(replace(one, state=state))
    covered = joined((one.start, one.end) for one in found)
    gaps = [DuePeriod(_named(span), *span, MISSING) for span in _between(covered, window.start, end)]
    return tuple(sorted([*found, *gaps], key=lambda one: one.start))


def _named(span: Span) -> str:
    return f"{span[0]:%Y-%m-%d}..{span[1]:%Y-%m-%d}"


def _between(spans: Spans, start: datetime, end: datetime) -> Iterator[Span]:
    """What some spans leave out between two instants."""
    for begin, after in spans:
        if start < min(begin, end):
            yield start, min(begin, end)
        start = max(start, after)
    if start < end:
        yield start, end


def coverage(
    periods: tuple[DuePeriod, ...],
    snapshots: Sequence[Snapshot],
    window: Window,
    keys: Sequence[tuple[Lineage, Activity]],
    lines: Mapping[str, Timeline],
    terms: Terms | None,
) -> Coverage:
    """How complete the evidence is. ``snapshots``: those that are asked about the window."""
    return Coverage(
        periods,
        hidden=tuple(hidden_keys(keys, snapshots)),
        unread=tuple(unread_accounts(periods, snapshots, window)),
        accounts=tuple(_account(one, snapshots, window, terms) for one in lines.values() if terms),
        undated=tuple(undated_keys(snapshots, window)),
    )


def hidden_keys(keys: Sequence[tuple[Lineage, Activity]], snapshots: Sequence[Snapshot]) -> Iterator[HiddenKey]:
    """The keys that snapshots do not show although they must have been there, and whose account was read."""
    ended: dict[tuple[str, datetime | None, datetime | None], list[Lineage]] = {}
    for key, _ in keys:
        ended.setdefault((key.account, key.user_created, key.created), []).append(key)
    for key, was in keys:
        for kind, absent in ((LATE, was.late), (VANISHED, was.vanished)):
            if absent:
                names = tuple(snapshots[number].folder for number in absent)
                again = next(number for number in key.seen if kind == LATE or number > absent[-1])
                once = _once(key, ended[key.account, key.user_created, key.created]) if kind == LATE else ""
                seen = snapshots[again].folder
                yield HiddenKey(kind, key.account, key.users[-1], key.key_id, key.created, names, seen, once)


def _once(key: Lineage, others: Sequence[Lineage]) -> str:
    """The user of a key that was made in the same second and was last shown before this one: perhaps the same user
    under a former name, which only the id of a key would prove."""
    former = [one for one in others if one is not key and one.seen[-1] < key.seen[0]]
    return former[-1].users[-1] if former and key.created else ""


def unread_accounts(
    periods: Sequence[DuePeriod], snapshots: Sequence[Snapshot], window: Window
) -> Iterator[AccountUnread]:
    """The accounts that the snapshots of a period expected, and that none of them read whole. A snapshot in no
    period of the calendar is a period of its own."""
    groups: dict[str, list[Snapshot]] = {}
    for one in snapshots:
        if window.has(one.as_of):
            period = next((each.name for each in periods if each.start <= one.started < each.end), one.folder)
            groups.setdefault(period, []).append(one)
    for period, inside in groups.items():
        told = [account for one in inside for account in one.accounts]
        whole = {one.account for one in told if one.is_read and one.is_whole}
        read = {one.account for one in told if one.is_read}
        for account in sorted({one.account for one in told} - whole):
            yield AccountUnread(period, account, DOUBTFUL if account in read else UNREAD)


def undated_keys(snapshots: Sequence[Snapshot], window: Window) -> Iterator[tuple[str, str, str]]:
    """The active keys without a date, or with a later one than the instant of their evidence."""
    for one in snapshots:
        for key in one.keys:
            if key.is_active and (key.created is None or key.created > one.as_of) and window.has(one.as_of):
                yield key.account, key.user, one.folder


def _account(line: Timeline, snapshots: Sequence[Snapshot], window: Window, terms: Terms) -> AccountOverPeriod:
    gap = _longest(line, window)
    allowed = terms.tightest(line.account)
    return AccountOverPeriod(
        line.account,
        snapshots=sum(window.has(snapshots[number].as_of) for number in line.reads),
        joined=line.joined,
        left=line.left,
        away=line.away,
        gap=gap,
        allowed=allowed,
        hides=gap is not None and length((gap,)) > timedelta(days=allowed),
    )


def _longest(line: Timeline, window: Window) -> Span | None:
    """The longest span of a window in which no snapshot read an account, between its first sighting and its last:
    also where snapshots did not expect it for a while, since a key that was made and gone meanwhile is not seen."""
    start = max(window.start, line.opens or window.start)
    marks = sorted([start, *line.times, line.closes])
    found = [(max(before, start), min(after, window.end)) for before, after in pairwise(marks)]
    return max((one for one in found if one[0] < one[1]), key=lambda span: span[1] - span[0], default=None)
