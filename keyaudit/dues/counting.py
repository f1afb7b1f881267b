"""Which evidence counts for which period: that of a run counts for the period in which the run began, if it judges
that period."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from keyaudit.dues.calendar import Every
from keyaudit.model.folders import Entry
from keyaudit.texts import say, utc


def not_of(one: Entry, start: datetime, end: datetime) -> str:
    """Why evidence does not count for the period from ``start`` to ``end``, in a sentence; empty if it does. The
    time of a command says nothing about what it judged, and evidence from before a period says nothing about the
    period."""
    if not start <= one.started < end:
        return say("period.other_run", started=utc(one.started))
    if not one.is_present:
        return say("period.sample" if one.is_sample else "period.given")
    if one.as_of > one.sealed:
        return say("period.later", as_of=utc(one.as_of), sealed=utc(one.sealed))
    if one.as_of < start - one.oldest_allowed:
        return say("period.earlier", as_of=utc(one.as_of), start=utc(start))
    return ""


def counting(runs: Iterable[Entry], every: Every, digests_of: Callable[[Path], frozenset[str]]) -> dict[Path, str]:
    """Which evidence (given in the order in which it was sealed) does not count for the period in which its run
    began, and why: another folder is the same evidence, or a file without a time of its own was evidence of an
    earlier period, and nothing shows that it is not still the same old file. ``digests_of``: of those reports in a
    folder that do not tell their time."""
    refused: dict[Path, str] = {}
    seen: dict[str, Path] = {}
    periods: dict[str, str] = {}
    for one in runs:
        start, end = every.start(one.started), every.end(one.started)
        files = digests_of(one.path)
        former = next(
            (periods[file] for file in files if periods.get(file, start.isoformat()) != start.isoformat()), ""
        )
        reason = not_of(one, start, end)
        if one.sha256 in seen:
            reason = say("period.copy", folder=seen[one.sha256].name)
        elif former and not reason:
            reason = say("period.same_file", period=every.name(datetime.fromisoformat(former)))
        seen.setdefault(one.sha256, one.path)
        if reason:
            refused[one.path] = reason
            continue
        periods |= {file: start.isoformat() for file in files if file not in periods}
    return refused
