"""An axis of days: linear up to a knee, and logarithmic beyond it if some keys are many times older."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from keyaudit.charts.facts.bins import YEAR, edges_to, edges_without_limit
from keyaudit.texts import say

ROUND = (30, 60, 90, 180, *(YEAR * n for n in (1, 2, 5, 10, 20, 50)))
#: share of a bent axis that belongs to its linear part
LINEAR = 0.45


@dataclass(frozen=True)
class DayScale:
    """An axis from ``bottom`` (0 or less) to ``top`` days; ``knee`` is where it turns logarithmic, if it does."""

    knee: int
    top: float
    whole_days: bool = False
    bottom: float = 0

    @classmethod
    def over(cls, ages: np.ndarray, limits: Sequence[int | None], whole_days: bool) -> DayScale:
        """An axis that holds all ages and shows all limits well inside it. The first limit that there is makes the
        knee; without any, it is where nine ages in ten are below."""
        known = [limit for limit in limits if limit] or [edges_without_limit(ages)[-1]]
        return cls(known[0], max(float(ages.max()) * 1.08, max(known) * 1.45), whole_days)

    @classmethod
    def around(cls, days: np.ndarray, limit: int, whole_days: bool) -> DayScale:
        """An axis that holds all days before and after a deadline, and as many before it as the limit has."""
        return cls(limit, max(float(days.max()) * 1.08, limit * 0.5), whole_days, min(float(days.min()), -limit))

    @property
    def bent(self) -> bool:
        return self.top > 4 * self.knee

    @property
    def ticks(self) -> list[int]:
        edges = edges_to(self.knee)
        step = (edges[-1] - edges[-2]) * (2 if self.top > 2 * self.knee and len(edges) > 5 else 1)
        beyond = [tick for tick in ROUND if 1.5 * self.knee < tick <= self.top]
        linear = list(range(self.knee + step, int(self.top) + 1, step))
        first = [0] if self.knee % step > step / 3 else []
        if self.bottom < 0:
            low = -int(self.bottom)
            before = [-tick for tick in (*range(step, self.knee, step), self.knee) if tick <= low]
            after = [tick for tick in range(0, self.knee + 1, step) if tick <= self.top]
            return sorted(
                [*before, *after, *(_spaced(beyond) if self.bent else [t for t in linear if t > self.knee])]
            )
        return [*first, *range(self.knee % step, self.knee + 1, step), *(beyond if self.bent else linear)]

    def apply(self, ax: Axes, axis: str) -> None:
        """Scale and ticks of the ``x`` or ``y`` axis."""
        if self.bent:
            weight = log10(self.top / self.knee) * LINEAR / (1 - LINEAR)
            getattr(ax, f"set_{axis}scale")("symlog", linthresh=self.knee, linscale=weight * 0.9, base=10)
        target = getattr(ax, f"{axis}axis")
        target.set_major_locator(FixedLocator(self.ticks))
        target.set_minor_locator(NullLocator())
        target.set_major_formatter(lambda value, _: self._text(round(value)))

    def label(self) -> str:
        """The label of an axis of ages: what it measures, in which unit, on which scale."""
        kind = "logarithmic" if self.bent else "linear"
        whole = "_whole" if self.whole_days else ""
        return say(f"charts.{kind}{whole}", knee=say("charts.days", n=self.knee))

    def _text(self, value: int) -> str:
        years = self.bent and value > self.knee and value % YEAR == 0
        return say("charts.years", n=value // YEAR) if years else f"{value:,}"


def _spaced(ticks: list[int]) -> list[int]:
    """Ticks of a logarithmic axis that must fit into half of the room: each more than twice the one before it."""
    kept: list[int] = []
    for tick in reversed(ticks):
        if not kept or 2 * tick < kept[-1]:
            kept.append(tick)
    return kept
