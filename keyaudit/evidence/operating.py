"""A reports folder + a period -> did the control operate throughout? Each subject concludes for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path

from keyaudit.dues.cadences import cadences_of, held_at, refuse_split, stretches
from keyaudit.dues.calendar import Every
from keyaudit.dues.chain import with_links
from keyaudit.dues.counting import counting
from keyaudit.dues.each import Due, dues_of, is_of
from keyaudit.engine import spread
from keyaudit.evidence.failed import failures
from keyaudit.evidence.history import Looked, look
from keyaudit.evidence.ledger import entries, unreadable_of
from keyaudit.evidence.undated import digests_of
from keyaudit.files import unreadable as cannot_read
from keyaudit.model import Progress
from keyaudit.model.folders import Entry, Failure
from keyaudit.model.operated import Cadence, Operated, SubjectOperated
from keyaudit.model.over_period import DuePeriod
from keyaudit.period import Snapshot, Window, conclude
from keyaudit.policy import Policy
from keyaudit.schema import InputError
from keyaudit.texts import say, visible

#: which folders do not count if evidence is due so often, and why
_Refused = Callable[[Every], dict[Path, str]]


@dataclass(frozen=True)
class _Folders:
    """What a reports folder holds: ``runs`` that judged their own moment, and ``others``; faults and snapshots are
    by folder, and a folder with faults has no snapshot."""

    runs: list[Entry]
    others: list[Entry]
    faults: dict[Path, list[str]]
    snapshots: dict[Path, Snapshot]
    unreadable: dict[Path, str]
    failed: list[Failure]

    def refused(self, every: Every) -> dict[Path, str]:
        """Which runs do not count for their periods, of all subjects together: a file without a time that one of
        them judged is not evidence of a later period for any of them."""
        return counting([one for one in self.runs if not self.faults[one.path]], every, digests_of)


def operating(
    reports: Path,
    window: Window,
    now: datetime,
    every: Every | None = None,
    policy: Policy | None = None,
    progress: Progress | None = None,
) -> Operated:
    """The verdict on each organization or account with evidence in a reports folder, over a window.

    Every folder is verified and judged again. Of a subject, the runs that hold and count for their periods become
    its snapshots, whatever their notebook. Evidence was due as its own schedule says; ``every`` says it for
    subjects whose evidence has none. ``policy`` judges everything instead of the policies that were sealed.

    InputError if there is no such folder, if it is not known how often evidence was due, if ``every`` is given and
    all evidence has it, or if only ``policy`` can tell by which of two schedules to judge.
    """
    found = _folders(reports, policy, progress)
    subjects = sorted({one.identity.whose for one in found.runs})
    runs_of = {whose: [one for one in found.runs if one.identity.whose == whose] for whose in subjects}
    sealed = {whose: cadences_of(runs, window.end) for whose, runs in runs_of.items()}
    _refuse_every(every, sealed)
    if policy is None:
        for whose, runs in runs_of.items():
            refuse_split(whose, runs, window)
    refused = cache(found.refused)
    judged = [
        _judged(_Asked(whose, runs_of[whose], sealed[whose], every), found, refused, window, now, policy)
        for whose in subjects
    ]
    return Operated(tuple(judged), tuple(_left_out(found)), tuple(_loose(found)))


def _folders(reports: Path, policy: Policy | None, progress: Progress | None) -> _Folders:
    try:
        if not reports.is_dir():
            raise InputError(f"{reports}: no such reports folder")
        found, unreadable = entries(reports)
        failed = failures(reports)
    except OSError as error:
        raise InputError(cannot_read(reports, error)) from None
    looks: Iterator[Looked] = spread(partial(look, given=policy), found)
    looked = [*(progress(looks, len(found)) if progress else looks)]
    told = {one.path: each.faults for one, each in zip(found, looked, strict=True)}
    faults = with_links(found, told)
    snapshots = {
        one.path: each.snapshot
        for one, each in zip(found, looked, strict=True)
        if each.snapshot and not faults[one.path]
    }
    runs = [one for one in found if one.is_present]
    others = [one for one in found if not one.is_present]
    return _Folders(runs, others, faults, snapshots, unreadable, failed)


@dataclass(frozen=True)
class _Asked:
    """A subject, its runs, how often its evidence was due as it says itself, and as was given."""

    whose: str
    runs: list[Entry]
    sealed: tuple[Cadence, ...]
    every: Every | None

    @property
    def cadences(self) -> tuple[Cadence, ...]:
        given = (Cadence(self.every.text, None),) if self.every else ()
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


def _judged(
    asked: _Asked,
    found: _Folders,
    refused: _Refused,
    window: Window,
    now: datetime,
    policy: Policy | None,
) -> SubjectOperated:
    dues = [*_dues(asked, found, refused, window, now)]
    snapshots = [
        found.snapshots[one.path]
        for one in asked.runs
        if one.path in found.snapshots and one.path not in refused(held_at(asked.cadences, one.started))
    ]
    due = [DuePeriod(one.period, one.start, one.end, one.state) for one in dues]
    verdict = conclude(asked.whose, snapshots, due, window, policy)
    remarks = tuple((one.period, remark) for one in dues for remark in one.remarks)
    return SubjectOperated(verdict, asked.cadences, not asked.sealed, remarks)


def _dues(asked: _Asked, found: _Folders, refused: _Refused, window: Window, now: datetime) -> Iterator[Due]:
    """The periods of a subject that reach into the window."""
    named = {f"{one.notebook}-{one.identity.label}" for one in asked.runs}
    failed = [one for one in found.failed if any(is_of(one, name) for name in named)]
    for part in stretches(asked.cadences, window):
        by = refused(part.every)
        dues = dues_of(asked.whose, asked.runs, failed, found.faults, by, part.every, now, part.start)
        yield from (one for one in dues if one.start < window.end and part.holds(one.start, one.end))


def _left_out(found: _Folders) -> Iterator[tuple[str, str]]:
    for one in found.others:
        yield one.path.name, say("period.sample" if one.is_sample else "period.given")


def _loose(found: _Folders) -> Iterator[str]:
    """Faults that belong to no subject."""
    yield from (unreadable_of(path, why) for path, why in found.unreadable.items())
    for one in found.others:
        yield from (say("series.fault", folder=one.path.name, fault=fault) for fault in found.faults[one.path])
