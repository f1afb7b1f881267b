"""At which age keys were replaced or switched off: the estimate of Kaplan and Meier, and what it says.

A key counts from the age at which it was first seen active (delayed entry) to the age at which it was certainly no
longer active, or else to the age at which it was last seen (censored). Source: E. L. Kaplan, P. Meier,
"Nonparametric estimation from incomplete observations", JASA 53 (1958).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keyaudit.model.operated import Operated
from keyaudit.model.over_period import KeyOverPeriod
from keyaudit.texts import listed, say

DAY = 86_400.0


@dataclass(frozen=True)
class Replaced:
    """``ages`` in days, at which ``share`` of all keys had been replaced or switched off; ``ends`` keys of ``keys``
    were; ``limit``: the one of most keys, in days, None if there is none. Beyond the age ``known`` nothing is
    known; and the share is of the keys that were older than ``reached`` (0: of all)."""

    ages: NDArray[np.float64]
    share: NDArray[np.float64]
    keys: int
    ends: int
    limit: int | None
    known: float
    reached: float

    @property
    def is_limit_known(self) -> bool:
        """Whether the evidence tells the share at the limit."""
        return self.limit is not None and self.reached < self.limit <= self.known

    def share_at(self, age: float) -> float:
        place = int(np.searchsorted(self.ages, age, side="right")) - 1
        return float(self.share[place]) if place >= 0 else 0.0


def replaced_of(o: Operated) -> Replaced | None:
    """The estimate over all subjects; None if no key with a date was seen active."""
    keys = [key for one in o.subjects for key in one.verdict.keys if key.active[1]]
    told = np.array([row for key in keys for row in _observed(key)]).reshape(-1, 3)
    if not len(told):
        return None
    entered, left, is_end = told[:, 0], told[:, 1], told[:, 2].astype(bool)
    ages, ends = np.unique(left[is_end], return_counts=True)
    # at risk at an age: entered before it, and not gone before it
    before = np.searchsorted(np.sort(entered), ages, side="left")
    at_risk = before - np.searchsorted(np.sort(left), ages, side="left")
    known = float(left.max())
    # where all that were seen of an age ended then, and others are older, nothing is known of those in between
    bare = np.flatnonzero((ends >= at_risk) & (ages < known))
    begin = int(bare[-1]) + 1 if len(bare) else 0
    reached = float(ages[begin - 1]) if begin else 0.0
    share = (1.0 - np.cumprod(1.0 - ends[begin:] / at_risk[begin:])).astype(np.float64)
    limits = Counter(key.limit for key in keys if key.limit is not None)
    limit = limits.most_common(1)[0][0] if limits else None
    return Replaced(ages[begin:], share, len(told), int(is_end.sum()), limit, known, reached)


def _observed(key: KeyOverPeriod) -> Iterator[tuple[float, float, bool]]:
    """The ages in days at which a key entered and left, and whether it ended then."""
    if key.created is None or (key.ended and key.ended <= key.first_seen):
        return  # of one that had ended before it was seen, nothing shows that those of its age did not
    end = key.ended or key.last_seen
    entered, left = ((moment - key.created).total_seconds() / DAY for moment in (key.first_seen, end))
    # a key that was seen once, and never again, is known at that age alone
    yield max(entered, 0.0), max(left, entered + 1e-6, 1e-6), key.ended is not None


def claim(found: Replaced) -> str:
    """The share by the limit."""
    if not found.ends:
        return say("charts.replaced.none", n=found.keys)
    if found.limit is None or not found.is_limit_known:
        return say("charts.replaced.some", n=found.ends, keys=found.keys)
    return say("charts.replaced.by_limit", share=f"{found.share_at(found.limit):.0%}", n=found.limit)


def remarks(found: Replaced) -> list[str]:
    reached = [say("charts.replaced.reached", n=int(found.reached))] if found.reached else []
    return [say("charts.replaced.population", n=found.keys, ends=found.ends), *reached]


def alt(found: Replaced) -> str:
    """All that the picture tells, in words."""
    steps = [
        say("charts.replaced.step", share=f"{share:.0%}", n=int(_at(found, share)))
        for share in (0.25, 0.5, 0.75)
        if len(found.share) and found.share[-1] >= share
    ]
    return say("charts.times.alt", told=listed("lines", [claim(found), *remarks(found), *steps]))


def _at(found: Replaced, share: float) -> float:
    """The age by which so many were replaced, in whole days, rounded up."""
    return float(np.ceil(found.ages[int(np.argmax(found.share >= share))]))
