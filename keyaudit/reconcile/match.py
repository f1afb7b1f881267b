"""One user's keys, reported and listed: which is which (pure).

A report has no key ids, so keys are told apart by their creation time, to the second, and their status. IAM dates
creations only, so nothing but a creation after the report was generated explains a difference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keyaudit.captured.inventory import Listed
from keyaudit.schema import ACTIVE

NAT = np.datetime64("NaT", "s")


@dataclass(frozen=True)
class Reported:
    """A key of the report: its row among the account's keys, its creation in seconds (NaT if unknown), its
    status."""

    row: int
    made: np.datetime64
    status: str


@dataclass(frozen=True)
class Pair:
    """What belongs together: a reported and a listed key, or one of them alone. ``is_told_apart``: whether the id
    is this key's own, and not that of a twin made in the same second."""

    reported: Reported | None
    listed: Listed | None
    is_told_apart: bool = True

    @property
    def difference(self) -> str:
        """``key_gone``, ``key_missing``, ``key_status``, ``key_date``, or empty."""
        if self.listed is None:
            return "key_gone"
        if self.reported is None:
            return "key_missing"
        if self.listed.made != self.reported.made:
            return "key_date"
        return "key_status" if self.listed.status != self.reported.status else ""

    @property
    def status(self) -> str:
        """The worse of the two: a key that may be active is judged as active."""
        return ACTIVE if ACTIVE in (one.status for one in (self.reported, self.listed) if one) else "Inactive"

    @property
    def made(self) -> np.datetime64:
        """The older of the two creation times."""
        times = [one.made for one in (self.reported, self.listed) if one and not np.isnat(one.made)]
        return min(times, default=NAT)


def match(
    reported: list[Reported], listed: list[Listed], generated: np.datetime64
) -> tuple[list[Pair], list[Listed]]:
    """(pairs, keys made after the report). Each reported key is in one pair, each listed key in a pair or made
    later."""
    pairs = []
    everything = (tuple(reported), tuple(listed))
    reported, listed = list(reported), list(listed)
    # first keys that agree in everything, then those made in the same second, then what is left over
    for in_status_too in (True, False):
        for one in list(reported):
            same = [other for other in listed if other.made == one.made]
            other = next((other for other in same if other.status == one.status or not in_status_too), None)
            if other:
                pairs.append(Pair(one, other, _is_told_apart(one, other, *everything)))
                reported.remove(one)
                listed.remove(other)
    later = [one for one in listed if one.made > generated]
    earlier = sorted((one for one in listed if not one.made > generated), key=lambda one: one.made)
    reported.sort(key=lambda one: one.made)
    pairs += [Pair(one, other) for one, other in zip(reported, earlier, strict=False)]
    pairs += [Pair(one, None) for one in reported[len(earlier) :]]
    pairs += [Pair(None, other) for other in earlier[len(reported) :]]
    return pairs, later


def _is_told_apart(
    one: Reported, other: Listed, reported: tuple[Reported, ...], listed: tuple[Listed, ...]
) -> bool:
    """Among keys made in the same second, a key can be told apart only if no other has its status, on both
    sides."""
    sides = [[key.status for key in keys if key.made == one.made] for keys in (reported, listed)]
    if max(map(len, sides)) == 1:
        return True
    return one.status == other.status and all(side.count(one.status) == 1 for side in sides)
