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
    were; ``limit``: the one of most keys, in days, None if there is none."""

    ages: NDArray[np.float64]
    share: NDArray[np.float64]
    keys: int
    ends: int
    limit: int | None

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
    share = 1.0 - np.cumprod(1.0 - ends / np.maximum(at_risk, 1))
    limits = Counter(key.limit for key in keys if key.limit is not None)
    limit = limits.most_common(1)[0][0] if limits else None
    return Replaced(ages, share, len(told), int(is_end.sum()), limit)


def _observed(key: KeyOverPeriod) -> Iterator[tuple[float, float, bool]]:
    """The ages in days at which a key entered and left, and whether it ended then."""
    if key.created is None:
        return
    end = key.ended or key.last_seen
    entered, left = ((moment - key.created).total_seconds() / DAY for moment in (key.first_seen, end))
    # a key that was seen once, and never again, is known at that age alone
    yield max(entered, 0.0), max(left, entered + 1e-6, 1e-6), key.ended is not None


def claim(found: Replaced) -> str:
    """The share by the limit."""
    if not found.ends:
        return say("charts.replaced.none", n=found.keys)
    if found.limit is None:
        return say("charts.replaced.some", n=found.ends, keys=found.keys)
    return say("charts.replaced.by_limit", share=f"{found.share_at(found.limit):.0%}", n=found.limit)


def remarks(found: Replaced) -> list[str]:
    return [say("charts.replaced.population", n=found.keys, ends=found.ends)]


def alt(found: Replaced) -> str:
    """All that the picture tells, in words."""
    steps = [
        say("charts.replaced.step", share=f"{share:.0%}", n=int(_at(found, share)))
        for share in (0.25, 0.5, 0.75)
        if found.ends and found.share[-1] >= share
    ]
    return listed("sentences", [claim(found), *remarks(found), *steps])


def _at(found: Replaced, share: float) -> float:
    """The age by which so many were replaced, in whole days, rounded up."""
    return float(np.ceil(found.ages[int(np.argmax(found.share >= share))]))
