"""A key, its account and the terms -> how long it was beyond its limit: what is proved, and what is possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from keyaudit.model.over_period import KeyOverPeriod, Span, Spans, length
from keyaudit.period.eras import Terms, deadline
from keyaudit.period.lineages import Lineage
from keyaudit.period.snapshots import Snapshot, Window
from keyaudit.period.spans import common, joined, within
from keyaudit.period.timeline import Activity, Timeline


@dataclass(frozen=True)
class Beyond:
    """When a key, if it is active, is beyond its limit: not exempt, or exempt."""

    failing: Spans
    exempt: Spans


def over_period(
    key: Lineage, line: Timeline, was: Activity, terms: Terms, snapshots: Sequence[Snapshot], window: Window
) -> KeyOverPeriod:
    """What became of a key in a window.

    One snapshot of the window that shows it active, beyond its limit and not exempt proves a breach, and so does
    time beyond its limit between two snapshots that show it active; the spans measure it. Nothing is measured of a
    key without a date, which the coverage names.
    """
    told = _told(key, was, terms, snapshots, window)
    if key.created is None:
        return told
    beyond = _beyond(key, key.created, terms)
    proofs = _proofs(key, key.created, terms, window)
    proved, possible = common(was.certain, beyond.failing), common(was.possible, beyond.failing)
    exempt = common(was.possible, beyond.exempt)
    if not (proofs or possible or exempt):
        return told
    told = replace(
        told,
        proved=within(proved, window.start, window.end),
        possible=within(possible, window.start, window.end),
        exempt=within(exempt, window.start, window.end),
        proofs=tuple(snapshots[number].folder for number in proofs),
    )
    if not (proofs or told.possible):
        return told
    shown = [terms.instants[number] for number in proofs]
    begun = min([*shown, *(start for start, _ in possible[:1])])
    earliest = max([begun, *shown, *(end for _, end in proved[-1:])])
    latest = max([*shown, *(end for _, end in possible[-1:])])
    is_open = was.ended is None and latest >= line.closes
    least, most = (end - begun - length(within(exempt, begun, end)) for end in (earliest, latest))
    ended = None if is_open else (earliest, latest)
    return replace(told, begun=begun, remedied=ended, remedy=(least, None if is_open else most))


def _told(
    key: Lineage, was: Activity, terms: Terms, snapshots: Sequence[Snapshot], window: Window
) -> KeyOverPeriod:
    """What is known of a key before it is judged."""
    last = terms.of_snapshot[-1], key.users[-1]
    due = deadline(key.created, terms.allowed(key, last)) if key.created else None
    return KeyOverPeriod(
        account=key.account,
        users=key.users,
        is_root=key.is_root,
        key_id=key.key_id,
        created=key.created,
        owner=key.owner,
        limit=terms.limit(key, last),
        due=due,
        first_seen=snapshots[key.seen[0]].as_of,
        last_seen=snapshots[key.seen[-1]].as_of,
        ended=was.ended,
        active=(
            within(was.certain, window.start, window.end),
            within(was.possible, window.start, window.end),
        ),
    )


def _beyond(key: Lineage, created: datetime, terms: Terms) -> Beyond:
    """When a key is beyond the stricter of two limits, era by era; what an exemption of the evidence before covers
    is apart. Where one of the two sets no limit, any age is beyond it, and nothing is exempt."""
    failing: list[Span] = []
    exempt: list[Span] = []
    for era in terms.eras(key):
        start, end = era.span
        allowed = [terms.allowed(key, term) for term in (era.after, era.before) if term is not None]
        days = None if None in allowed else min(one for one in allowed if one is not None)
        begin = max(start, deadline(created, days))
        if begin >= end:
            continue
        until = terms.exempt_until(key, era.before, created) if era.before and days is not None else None
        parted = min(max(begin, until), end) if until else begin
        exempt.append((begin, parted))
        failing.append((parted, end))
    return Beyond(joined(failing), joined(exempt))


def _proofs(key: Lineage, created: datetime, terms: Terms, window: Window) -> list[int]:
    """The snapshots of a window that show a key active, beyond its limit and not exempt."""
    if deadline(created, terms.tightest(key.account)) > terms.instants[key.seen[-1]]:
        return []  # most keys
    return [
        number
        for number, is_active in zip(key.seen, key.active, strict=True)
        if is_active and window.has(terms.instants[number]) and terms.fails(key, created, number)
    ]
