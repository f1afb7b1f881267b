"""The evidence of a subject + how often it was due -> each period with its state (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from keyaudit.dues.calendar import Every
from keyaudit.model.folders import Entry, Failure
from keyaudit.model.over_period import BROKEN, FAILED, INCONCLUSIVE, MISSING, OPEN, PRESENT
from keyaudit.schema import INSUFFICIENT_DATA, NON_COMPLIANT
from keyaudit.texts import say


@dataclass(frozen=True)
class Due:
    """A period of one subject (notebook and account), from ``start`` up to but not including ``end``: its state,
    the evidence that counts, if there is any (the last of the worst), its conclusion, and remarks."""

    subject: str
    period: str
    start: datetime
    end: datetime
    state: str
    evidence: Path | None
    conclusion: str | None
    remarks: tuple[str, ...]


def dues_of(
    subject: str,
    runs: list[Entry],
    failed: list[Failure],
    faults: dict[Path, list[str]],
    refused: dict[Path, str],
    every: Every,
    now: datetime,
    since: datetime | None,
) -> list[Due]:
    """The periods of one subject up to ``now``: ``runs`` and ``failed`` are its own, ``faults`` and ``refused`` are
    by folder."""
    start, dues = every.start(since or min(one.started for one in runs)), []
    while start <= now:
        end = every.end(start)
        begun = [one for one in runs if start <= one.started < end]
        inside = [one for one in begun if one.path not in refused]
        remarks = [failure_of(one) for one in failed if start <= one.instant < end]
        has_failed = bool(remarks)
        remarks += [say("series.foreign", folder=one.path.name) for one in inside if not one.is_ours]
        broken = [say("series.fault", folder=one.path.name, fault=f) for one in inside for f in faults[one.path]]
        sound = [one for one in inside if not faults[one.path]]
        conclusive = [one for one in sound if one.conclusion != INSUFFICIENT_DATA]
        # what was judged differently, by hand or by another policy, does not hide a failure
        last = max(conclusive or sound or inside, key=_worse, default=None)
        others = [
            say("series.not_counted", folder=one.path.name, why=refused[one.path])
            for one in begun
            if one.path in refused
        ]
        if len({one.conclusion for one in conclusive}) > 1:
            told = "; ".join(f"{one.path.name}: {one.conclusion} ({one.policy})" for one in conclusive)
            remarks.append(say("series.differ", conclusions=told))
        if broken:
            state = BROKEN
        elif sound:
            state = PRESENT if conclusive else INCONCLUSIVE
        elif has_failed:
            state = FAILED
        else:
            state = OPEN if now < end else MISSING
        dues.append(
            Due(
                subject,
                every.name(start),
                start,
                end,
                state,
                last.path if last else None,
                last.conclusion if last else None,
                (*broken, *remarks, *others),
            )
        )
        start = end
    return dues


def _worse(one: Entry) -> tuple[bool, datetime]:
    return one.conclusion == NON_COMPLIANT, one.sealed


def is_of(failure: Failure, subject: str) -> bool:
    """Whether a failed run belongs to a subject. One that failed before its account was known belongs to every
    account of its notebook."""
    return f"{subject}-".startswith(f"{failure.subject}-") or f"{failure.subject}-".startswith(f"{subject}-")


def failure_of(one: Failure) -> str:
    return say("series.failure", folder=one.path.name, reason=one.reason or say("series.no_reason"))
