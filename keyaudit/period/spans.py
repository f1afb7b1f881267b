"""Spans of time: pairs of instants, in order and apart."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from keyaudit.model.over_period import Span, Spans


def joined(spans: Iterable[Span]) -> Spans:
    """Spans in the order of their starts, those that touch or overlap as one, and without empty ones."""
    found: list[Span] = []
    for start, end in spans:
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return tuple(found)


def common(some: Spans, others: Spans) -> Spans:
    """What both have."""
    if not some or not others:
        return ()
    found, place = [], 0
    for start, end in some:
        while place < len(others) and others[place][1] <= start:
            place += 1
        for other in others[place:]:
            if other[0] >= end:
                break
            found.append((max(start, other[0]), min(end, other[1])))
    return tuple(found)


def within(spans: Spans, start: datetime, end: datetime) -> Spans:
    """What lies between two instants."""
    return common(spans, ((start, end),)) if start < end else ()
