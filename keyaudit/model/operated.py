"""What a reports folder says of a period: the verdict on each subject, and what was left out of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from keyaudit.model.over_period import Anchoring, PeriodVerdict
from keyaudit.schema import INSUFFICIENT_DATA, worst


@dataclass(frozen=True)
class Cadence:
    """How often evidence was due: ``every`` as ``--every`` takes it, from ``start`` on (None: from the beginning)
    until the next cadence."""

    every: str
    start: datetime | None


@dataclass(frozen=True)
class SubjectOperated:
    """An organization or account: its verdict; ``cadences``: how often its evidence was due, one after the other;
    ``is_by_hand``: whether that was given with the command, because no evidence has it; ``remarks``: on its
    periods, as (name of the period, sentence); ``anchored``: when others saw the seals of its evidence, None if
    nothing shows that."""

    verdict: PeriodVerdict
    cadences: tuple[Cadence, ...]
    is_by_hand: bool
    remarks: tuple[tuple[str, str], ...]
    anchored: Anchoring | None = None

    @property
    def subject(self) -> str:
        return self.verdict.subject


@dataclass(frozen=True)
class Operated:
    """``subjects``: those that the folder has evidence of. ``left_out``: the folders that count for no period, each
    with the reason, in the order in which they were sealed; ``faults``: of folders that belong to no subject."""

    subjects: tuple[SubjectOperated, ...]
    left_out: tuple[tuple[str, str], ...]
    faults: tuple[str, ...]

    @property
    def conclusion(self) -> str:
        """The worst of all subjects. A fault of no subject may be of any: then nothing is COMPLIANT."""
        found = {one.verdict.conclusion for one in self.subjects}
        return worst(found | {INSUFFICIENT_DATA} if self.faults else found)
