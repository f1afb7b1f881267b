"""A reports folder + how often evidence is due -> each period with its evidence, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from keyaudit.dues.calendar import Every
from keyaudit.dues.chain import with_links
from keyaudit.dues.counting import counting
from keyaudit.dues.each import Due, dues_of, failure_of, is_of
from keyaudit.engine import spread
from keyaudit.evidence.failed import failures
from keyaudit.evidence.ledger import entries_of, unreadable_of
from keyaudit.evidence.undated import digests_of
from keyaudit.evidence.verify import verify
from keyaudit.model import Progress
from keyaudit.model.over_period import BROKEN, FAILED, INCONCLUSIVE, MISSING
from keyaudit.schema import InputError
from keyaudit.texts import say

#: states that a monitor must hear about
WRONG = (BROKEN, MISSING, FAILED)


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
    found, unreadable = entries_of(reports)
    found = [one for one in found if notebook in ("", one.notebook)]
    wrong = spread(_faults, [one.path for one in found])
    every_fault = progress(wrong, len(found)) if progress else wrong
    faults = {one.path: some for one, some in zip(found, every_fault, strict=True)}
    faults = with_links(found, faults)
    loose = [unreadable_of(path.name, why) for path, why in unreadable.items()]
    present = [one for one in found if one.is_present]
    for one in found:
        if not one.is_present:
            loose += [say("series.fault", folder=one.path.name, fault=fault) for fault in faults[one.path]]
    failed = [one for one in failures(reports) if not notebook or is_of(one, notebook)]
    # over all subjects: a file without a time that one of them judged is not evidence of a later period for any of
    # them
    refused = counting([one for one in present if not faults[one.path]], every, digests_of)
    dues: list[Due] = []
    for subject in sorted({one.subject for one in present}):
        runs = [one for one in present if one.subject == subject]
        named = f"{runs[0].notebook}-{runs[0].identity.label}"
        mine = [one for one in failed if is_of(one, named)]
        dues += dues_of(subject, runs, mine, faults, refused, every, now, since)
    if not present:
        loose.append(say("series.nothing"))
        loose += [failure_of(one) for one in failed]
    return Series(tuple(dues), tuple(loose))


def _faults(folder: Path) -> list[str]:
    """What verify finds. Evidence of a later version cannot be relied on until keyaudit is upgraded."""
    try:
        return verify(folder)[0]
    except InputError as error:  # made by a later version, or gone by now
        return [str(error)]
