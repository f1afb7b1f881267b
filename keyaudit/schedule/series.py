"""A reports folder + how often evidence is due -> each period with its evidence, and what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from keyaudit.engine import spread
from keyaudit.evidence.failed import Failure, failures
from keyaudit.evidence.ledger import Entry, entries
from keyaudit.evidence.verify import verify
from keyaudit.files import unreadable as cannot_read
from keyaudit.model import Progress
from keyaudit.model.over_period import BROKEN, FAILED, INCONCLUSIVE, MISSING, OPEN, PRESENT
from keyaudit.schedule.calendar import Every
from keyaudit.schedule.counting import counting
from keyaudit.schema import INSUFFICIENT_DATA, NON_COMPLIANT, InputError
from keyaudit.texts import say

#: states that a monitor must hear about
WRONG = (BROKEN, MISSING, FAILED)


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


@dataclass(frozen=True)
class Series:
    """All periods of all subjects, and faults of folders that belong to no subject."""

    dues: tuple[Due, ...]
    faults: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether each period that is over has evidence that holds."""
        return bool(self.dues) and not self.faults and not any(one.state in WRONG for one in self.dues)

    @property
    def is_conclusive(self) -> bool:
        return not any(one.state == INCONCLUSIVE for one in self.dues)


def series(
    reports: Path,
    every: Every,
    now: datetime,
    since: datetime | None = None,
    notebook: str = "",
    progress: Progress | None = None,
) -> Series:
    """The periods from ``since`` (or else the first run of each subject) to ``now``; the last one may still be
    open.

    A run counts for the period in which it began, if what it judges is of that period (``counting``). A run that
    was given an instant judges the past and counts for no period; neither does a sample. Every folder is verified,
    and each must follow the one before it. InputError if there is no such folder.
    """
    try:
        if not reports.is_dir():
            raise InputError(f"{reports}: no such reports folder")
        found, unreadable = entries(reports)
    except OSError as error:
        raise InputError(cannot_read(reports, error)) from None
    found = [one for one in found if notebook in ("", one.notebook)]
    wrong = spread(_faults, [one.path for one in found])
    every_fault = progress(wrong, len(found)) if progress else wrong
    faults = {one.path: some for one, some in zip(found, every_fault, strict=True)}
    faults = with_links(found, faults)
    loose = [unreadable_of(path, why) for path, why in unreadable.items()]
    present = [one for one in found if one.is_present]
    for one in found:
        if not one.is_present:
            loose += [say("series.fault", folder=one.path.name, fault=fault) for fault in faults[one.path]]
    failed = [one for one in failures(reports) if not notebook or is_of(one, notebook)]
    # over all subjects: a file without a time that one of them judged is not evidence of a later period for any of
    # them
    refused = counting([one for one in present if not faults[one.path]], every)
    dues: list[Due] = []
    for subject in sorted({one.subject for one in present}):
        runs = [one for one in present if one.subject == subject]
        named = f"{runs[0].notebook}-{runs[0].identity.label}"
        mine = [one for one in failed if is_of(one, named)]
        dues += dues_of(subject, runs, mine, faults, refused, every, now, since)
    if not present:
        loose.append(say("series.nothing"))
        loose += [_failure(one) for one in failed]
    return Series(tuple(dues), tuple(loose))


def with_links(found: list[Entry], faults: Mapping[Path, Sequence[str]]) -> dict[Path, list[str]]:
    """The faults of each folder, with those of its place in the chain and of its name."""
    breaks = _breaks(found)
    renamed = {one.path: [say("series.renamed", name=one.sealed_as)] for one in found if one.sealed_as}
    return {one.path: [*faults[one.path], *breaks.get(one.path, ()), *renamed.get(one.path, ())] for one in found}


def unreadable_of(folder: Path, why: str) -> str:
    return say("series.no_access" if why else "series.unreadable", folder=folder.name, why=why)


def _faults(folder: Path) -> list[str]:
    """What verify finds. Evidence of a later version cannot be relied on until keyaudit is upgraded."""
    try:
        return verify(folder)[0]
    except InputError as error:  # made by a later version, or gone by now
        return [str(error)]


def is_of(failure: Failure, subject: str) -> bool:
    """Whether a failed run belongs to a subject. One that failed before its account was known belongs to every
    account of its notebook."""
    return f"{subject}-".startswith(f"{failure.subject}-") or f"{failure.subject}-".startswith(f"{subject}-")


def _breaks(found: list[Entry]) -> dict[Path, list[str]]:
    """Where the chain of ``previous`` is broken: evidence whose predecessor is missing or was sealed anew; two
    folders that follow the same one; one that follows nothing, although there was earlier evidence."""
    known = {one.sha256 for one in found}
    followed = Counter(one.previous for one in found if one.previous)
    breaks: dict[Path, list[str]] = {}
    for one in found:
        if one.previous and one.previous not in known:
            breaks[one.path] = [say("series.predecessor", sha256=one.previous[:16])]
        elif one.previous and followed[one.previous] > 1:
            breaks[one.path] = [say("series.fork", sha256=one.previous[:16])]
        elif not one.previous and any(_is_before(other, one) for other in found):
            breaks[one.path] = [say("series.begins_anew")]
    return breaks


def _is_before(other: Entry, one: Entry) -> bool:
    """Whether evidence that follows nothing should have followed what began the chain before it. The order is told
    by links, and not by clocks, which may be set back; only which of two beginnings came first is told by the time.
    Before manifests named the organization, a chain was that of the accounts that were expected."""
    if one.identity.is_named:
        is_same = other.subject == one.subject
    else:
        former = (other.notebook, other.accounts) == (one.notebook, one.accounts)
        is_same = former and not other.identity.is_named
    is_earlier = (other.sealed, other.path.name) < (one.sealed, one.path.name)
    return is_same and is_earlier and other.previous is None


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
        remarks = [_failure(one) for one in failed if start <= one.instant < end]
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


def _failure(one: Failure) -> str:
    return say("series.failure", folder=one.path.name, reason=one.reason or say("series.no_reason"))
