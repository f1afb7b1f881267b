"""The evidence that a period is concluded from: what each folder says, and which of it counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from keyaudit.dues.calendar import Every
from keyaudit.dues.chain import with_links
from keyaudit.dues.counting import counting
from keyaudit.evidence.history import Looked
from keyaudit.evidence.undated import digests_of
from keyaudit.model.folders import Entry, Failure
from keyaudit.period import Snapshot


@dataclass(frozen=True)
class Inputs:
    """Evidence folders in the order in which they were sealed: ``found``; ``looked``: what each of them says, or
    what is wrong with it; ``unreadable``: folders without a manifest that can be read, by name, and why;
    ``failed``: runs that left no evidence."""

    found: tuple[Entry, ...]
    looked: Mapping[Path, Looked]
    unreadable: Mapping[str, str]
    failed: tuple[Failure, ...]

    @cached_property
    def runs(self) -> list[Entry]:
        """Those that judged their own moment."""
        return [one for one in self.found if one.is_present]

    @cached_property
    def others(self) -> list[Entry]:
        """Samples, and those that were given an instant."""
        return [one for one in self.found if not one.is_present]

    @cached_property
    def faults(self) -> dict[Path, list[str]]:
        """Of each folder, also of its place in the chain."""
        return with_links([*self.found], {path: one.faults for path, one in self.looked.items()})

    @cached_property
    def snapshots(self) -> dict[Path, Snapshot]:
        """Of the folders without any fault."""
        told = {path: one.snapshot for path, one in self.looked.items() if not self.faults[path]}
        return {path: snapshot for path, snapshot in told.items() if snapshot}

    def refused(self, every: Every) -> dict[Path, str]:
        """Which runs do not count for their periods, of all subjects together: a file without a time that one of
        them judged is not evidence of a later period for any of them."""
        return counting([one for one in self.runs if not self.faults[one.path]], every, digests_of)
