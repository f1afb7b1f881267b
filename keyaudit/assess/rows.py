"""What a control says of some accounts, as arrays: one entry per finding, cheap to make, to count and to cut."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np

from keyaudit.credentials.arrays import MISSING

ACCOUNT = -1  # speaks of the account, not of one of its keys
NAT = np.datetime64("NaT", "us")


@dataclass(frozen=True)
class Cases:
    """For each finding, which of a control's few cases it is; a case is a compliance type and the id of its
    annotation's text under the control's name."""

    number: np.ndarray
    kinds: tuple[tuple[str, str], ...]

    def is_a(self, *compliance_types: str) -> np.ndarray:
        """Which findings are of one of these types (bool)."""
        wanted = np.array([kind in compliance_types for kind, _ in self.kinds])
        return wanted[self.number]

    def names(self) -> tuple[np.ndarray, np.ndarray]:
        """Compliance types and reasons, as text."""
        kinds = np.array(self.kinds, dtype=object)[self.number]
        return kinds[:, 0], kinds[:, 1]

    def tallies(self, places: np.ndarray, number: int) -> list[Counter[str]]:
        """How many findings there are of each type, for each of so many accounts; ``places`` says of which account
        each finding speaks."""
        kinds = len(self.kinds)
        counts = np.bincount(places * kinds + self.number, minlength=number * kinds).reshape(number, kinds)
        found: list[Counter[str]] = [Counter() for _ in range(number)]
        for place, case in zip(*(one.tolist() for one in np.nonzero(counts)), strict=True):
            found[place][self.kinds[case][0]] += int(counts[place, case])
        return found


def choose(cases: list[tuple[np.ndarray, str, str]], otherwise: tuple[str, str], length: int) -> Cases:
    """The first case whose mask holds, entry by entry."""
    number = np.full(length, len(cases), dtype=np.int8)
    for position, (mask, _, _) in reversed(list(enumerate(cases))):
        number[mask] = position
    return Cases(number, (*((kind, reason) for _, kind, reason in cases), otherwise))


@dataclass(frozen=True)
class Rows:
    """Findings of one control. ``row`` is the key's place among the keys, or ACCOUNT: then ``account`` says of
    which account the finding speaks. Numbers are whole days, or MISSING. ``count`` is given if a finding speaks of
    the user and not of one key. ``exempt`` has exemption ids by position."""

    row: np.ndarray
    case: Cases
    age_days: np.ndarray = field(default_factory=lambda: np.array([]))
    due: np.ndarray = field(default_factory=lambda: np.array([], dtype="datetime64[us]"))
    days_over: np.ndarray = field(default_factory=lambda: np.array([]))
    limit: np.ndarray = field(default_factory=lambda: np.array([]))
    count: np.ndarray | None = None
    account: np.ndarray | None = None
    exempt: dict[int, str] = field(default_factory=dict)

    def numbers(self, name: str) -> np.ndarray:
        """One of the columns of days, all MISSING if the control has none."""
        values = getattr(self, name)
        return values if values is not None and len(values) else np.full(len(self.row), MISSING, dtype=np.int64)

    def deadlines(self) -> np.ndarray:
        return self.due if len(self.due) else np.full(len(self.row), NAT)

    def take(self, positions: np.ndarray) -> Rows:
        """The findings at these positions."""
        names = [name for name in ("age_days", "due", "days_over", "limit") if len(getattr(self, name))]
        return replace(
            self,
            row=self.row[positions],
            case=replace(self.case, number=self.case.number[positions]),
            count=None if self.count is None else self.count[positions],
            account=None if self.account is None else self.account[positions],
            exempt={new: self.exempt[old] for new, old in enumerate(positions.tolist()) if old in self.exempt},
            **{name: getattr(self, name)[positions] for name in names},
        )
