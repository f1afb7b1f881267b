"""Evidence folders + a period -> did the control operate throughout? Each subject concludes for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path

from keyaudit.dues.cadences import Stretch, cadences_of, held_at, refuse_split, stretches
from keyaudit.dues.calendar import Every
from keyaudit.dues.each import Due, dues_of, is_of
from keyaudit.evidence.inputs import Inputs
from keyaudit.evidence.ledger import unreadable_of
from keyaudit.model.folders import Entry
from keyaudit.model.operated import Cadence, Operated, SubjectOperated
from keyaudit.model.over_period import BROKEN, INCONCLUSIVE, PRESENT, Anchoring, DuePeriod, PeriodVerdict
from keyaudit.period import Window, conclude
from keyaudit.period.anchors import Anchor, anchoring
from keyaudit.policy import Policy
from keyaudit.schema import InputError
from keyaudit.texts import say, visible

#: which folders do not count if evidence is due so often, and why
_Refused = Callable[[Every], dict[Path, str]]


@dataclass(frozen=True)
class Question:
    """What is asked of evidence: of which ``window``, as it was ``now``; ``every``: how often it was due, for
    subjects whose evidence does not say so; ``policy``: which judges everything in place of the policies that were
    sealed; ``anchors``: when others saw seals, from the file of that name, None if there is no such file."""

    window: Window
    now: datetime
    every: Every | None = None
    policy: Policy | None = None
    anchors: Sequence[Anchor] | None = field(default=None, repr=False)
    anchors_name: str = ""


def operating(found: Inputs, asked: Question) -> Operated:
    """The verdict on each organization or account with evidence, over a window.

    Of a subject, the runs that hold and count for their periods become its snapshots, whatever their notebook.
    Evidence was due as its own schedule says.

    InputError if it is not known how often evidence was due, if ``every`` is given and all evidence has it, or if
    only ``policy`` can tell by which of two schedules to judge.
    """
    window = asked.window
    subjects = sorted({one.identity.whose for one in found.runs})
    runs_of = {whose: [one for one in found.runs if one.identity.whose == whose] for whose in subjects}
    sealed = {whose: cadences_of(runs, window.end) for whose, runs in runs_of.items()}
    _refuse_every(asked.every, sealed)
    if asked.policy is None:
        for whose, runs in runs_of.items():
            refuse_split(whose, runs, window)
    refused = cache(found.refused)
    judged = [_judged(_Subject(whose, runs_of[whose], sealed[whose], asked), found, refused) for whose in subjects]
    return Operated(tuple(judged), tuple(_left_out(found)), tuple(_loose(found)))


@dataclass(frozen=True)
class _Subject:
    """A subject, its runs, how often its evidence was due as it says itself, and what is asked of it."""

    whose: str
    runs: list[Entry]
    sealed: tuple[Cadence, ...]
    asked: Question

    @property
    def cadences(self) -> tuple[Cadence, ...]:
        given = (Cadence(self.asked.every.text, None),) if self.asked.every else ()
        return self.sealed or given


def _refuse_every(every: Every | None, sealed: dict[str, tuple[Cadence, ...]]) -> None:
    """InputError unless it is known exactly once how often the evidence of each subject was due."""
    lacking = [whose for whose, cadences in sealed.items() if not cadences]
    if every is None and lacking:
        raise InputError(
            f"{visible(lacking[0])}: no schedule is sealed in its evidence, so that it is not known how often "
            "evidence was due; say it with --every day, week, month, quarter or a number of days (30d)"
        )
    if every is not None and sealed and not lacking:
        whose, cadences = next(iter(sealed.items()))
        told = ", then ".join(one.every for one in cadences)
        raise InputError(
            f"--every {every.text}: the evidence of {visible(whose)} has a schedule of its own ({told}), "
            "by which it is judged; leave --every out"
        )


def _judged(one: _Subject, found: Inputs, refused: _Refused) -> SubjectOperated:
    dues = [*_dues(one, found, refused)]
    snapshots = [
        found.snapshots[run.path]
        for run in one.runs
        if run.path in found.snapshots and run.path not in refused(held_at(one.cadences, run.started))
    ]
    due = [DuePeriod(each.period, each.start, each.end, each.state) for each in dues]
    verdict = conclude(one.whose, snapshots, due, one.asked.window, one.asked.policy)
    remarks = tuple((each.period, remark) for each in dues for remark in each.remarks)
    return SubjectOperated(verdict, one.cadences, not one.sealed, remarks, _anchored(one, found, verdict))


def _anchored(one: _Subject, found: Inputs, verdict: PeriodVerdict) -> Anchoring | None:
    """When others saw the seals of the evidence by which the period was judged."""
    if one.asked.anchors is None:
        return None
    used = [each for each in found.snapshots.values() if each.folder in verdict.snapshots]
    seals = {each.path.name: each.sha256 for each in found.found}
    return anchoring(used, seals, one.asked.anchors, one.asked.anchors_name)


def _dues(one: _Subject, found: Inputs, refused: _Refused) -> Iterator[Due]:
    """The periods of a subject that reach into the window, and those beside it in which its evidence has faults: up
    to the last evidence before the window that holds, and from the window on to the first. What they would have
    shown of it is not known."""
    named = {f"{run.notebook}-{run.identity.label}" for run in one.runs}
    failed = [each for each in found.failed if any(is_of(each, name) for name in named)]
    window, now = one.asked.window, one.asked.now

    def dues(part: Stretch, since: datetime | None) -> list[Due]:
        by = refused(part.every)
        return dues_of(one.whose, one.runs, failed, found.faults, by, part.every, now, since)

    parts = [*stretches(one.cadences, window)]
    if parts:
        yield from _broken_until(each for each in reversed(dues(parts[0], None)) if each.end <= window.start)
    for part in parts:
        yield from (each for each in dues(part, part.start) if _is_inside(each, window, part))
    if parts:
        yield from _broken_until(each for each in dues(parts[-1], None) if each.start >= window.end)


def _is_inside(due: Due, window: Window, part: Stretch) -> bool:
    return due.start < window.end and part.holds(due.start, due.end)


def _broken_until(dues: Iterable[Due]) -> Iterator[Due]:
    """Those with faults, up to the first that has evidence."""
    for one in dues:
        if one.state in (PRESENT, INCONCLUSIVE):
            return
        if one.state == BROKEN:
            yield one


def _left_out(found: Inputs) -> Iterator[tuple[str, str]]:
    for one in found.others:
        yield one.path.name, say("period.sample" if one.is_sample else "period.given")


def _loose(found: Inputs) -> Iterator[str]:
    """Faults that belong to no subject."""
    yield from (unreadable_of(name, why) for name, why in found.unreadable.items())
    for one in found.others:
        yield from (say("series.fault", folder=one.path.name, fault=fault) for fault in found.faults[one.path])
