"""Ages -> bars (pure). Every edge is the upper end of its bar, and the limit is an edge: no bar holds both sides.

Up to some age, bars are equally wide and the axis is one of days. Where a few keys are so old that the others
would be squeezed into one bar, the rest of the range is a few wider groups, set apart and labelled.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf

import numpy as np

#: bars up to the limit, best first
PARTS = (6, 5, 7, 8, 9, 4, 10, 12, 3, 11)
#: widths if there is no limit to divide
WIDTHS = (1, 2, 5, 10, 15, 30, 60, 90, 180, 365, 730, 1825)
YEAR = 365
#: ends of the wider groups
GROUPS = (30, 90, YEAR, 2 * YEAR, 5 * YEAR)


@dataclass(frozen=True)
class Bins:
    """``edges`` of the equally wide bars, from 0; then ``groups``, the upper ends of the wider ones."""

    edges: tuple[int, ...]
    groups: tuple[float, ...] = ()

    @property
    def uppers(self) -> tuple[float, ...]:
        return (*self.edges[1:], *self.groups)

    def counts(self, ages: np.ndarray) -> np.ndarray:
        """How many ages are in each bar: above the end of the previous bar, and up to its own."""
        places = np.searchsorted(self.uppers, ages, side="left")
        return np.bincount(places, minlength=len(self.uppers))


def make_bins(ages: np.ndarray, limit: int | None) -> Bins:
    """Bars for ages (days, none unknown, at least one) and a limit."""
    edges = edges_to(limit) if limit else edges_without_limit(ages)
    width, base, oldest = edges[-1] - edges[-2], edges[-1], float(ages.max())
    far, near = (3, 2) if limit else (1.5, 1)
    reach = base * (far if oldest <= far * base else near)
    end = max(float(ages[ages <= reach].max(initial=0)), base + 2 * width if limit else 0)
    edges += range(base + width, ceil(end) + width, width)
    return Bins(tuple(edges), _groups(edges[-1], oldest) if oldest > edges[-1] else ())


def edges_to(limit: int) -> list[int]:
    """Edges from 0 to the limit: equal parts in round numbers, else equal parts, else a narrower first one."""
    parts = [n for n in PARTS if limit % n == 0 and limit // n % 5 == 0] or [n for n in PARTS if limit % n == 0]
    width = limit // parts[0] if parts else ceil(limit / PARTS[0])
    return [0, *range((limit - 1) % width + 1, limit + 1, width)]


def edges_without_limit(ages: np.ndarray) -> list[int]:
    """Round widths, so that nine ages in ten are in at most twelve bars."""
    most = max(float(np.quantile(ages, 0.9)), 1)
    width = next((one for one in WIDTHS if one * 12 >= most), WIDTHS[-1])
    return [width * n for n in range(max(ceil(most / width), 3) + 1)]


def _groups(start: int, oldest: float) -> tuple[float, ...]:
    """Ends of the wider groups after ``start``, as few as hold the oldest; the last may be open."""
    ends = [float(end) for end in GROUPS if end > 1.2 * start]
    needed = next((n for n, end in enumerate(ends, 1) if end >= oldest), None)
    return tuple(ends[:needed]) if needed else (*ends, inf)
