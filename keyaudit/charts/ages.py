"""Draw how old active keys are, against the limit; what is over it is dark and hatched."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator

from keyaudit.charts import canvas
from keyaudit.charts.empty import nothing, why_empty
from keyaudit.charts.facts.ages import AgeBars, age_bars, alt, claim, group_text, part_text, remarks
from keyaudit.charts.facts.bins import Bins
from keyaudit.charts.facts.population import Population, days, population
from keyaudit.texts import say

if TYPE_CHECKING:
    from keyaudit.policy import Policy

STYLES: dict[str, dict[str, Any]] = {
    "within": canvas.WITHIN,
    "exempt": canvas.EXCUSED,
    "over": canvas.OVER,
    "unjudged": canvas.PLAIN,
}
#: share of the Axes above the bars: for their counts, and for what the two sides of the limit hold
HEADROOM = 0.2
#: the gap before the wider groups, in bars; the width of a group's name, in points
GAP, GROUP_NAME = 0.8, 50.0


def plot_ages(
    keys: pd.DataFrame, policy: Policy, as_of: datetime | None = None, ax: Axes | None = None, what_if: bool = False
) -> Axes:
    """Active keys by age, the limit, and what is over it; ``what_if``: by a limit that is not set but asked
    about. See the package for what the charts share."""
    people = population(keys, policy, as_of, what_if)
    if reason := why_empty(people):
        return nothing(ax, people, reason)
    bars = age_bars(people)
    ax = canvas.axes(ax)
    spans = _spans(bars.bins, canvas.points(ax))
    _draw_bars(ax, bars, spans)
    _age_axis(ax, people, bars.bins, spans)
    strips = _draw_limit(ax, people, bars) if people.limit else 0
    return canvas.head(ax, claim(people), remarks(people), alt(people, bars), strips)


def _spans(bins: Bins, points: float) -> np.ndarray:
    """Left and right end of each bar on the axis: days; the wider groups stand behind a gap, side by side, each as
    wide as its name."""
    linear = np.array(list(pairwise(bins.edges)), dtype=float)
    if not bins.groups:
        return linear
    unit, end = float(linear[-1, 1] - linear[-1, 0]), bins.edges[-1]
    number = len(bins.groups)
    named = GROUP_NAME * (end + GAP * unit) / max(points - GROUP_NAME * number, points / 3)
    width = max(1.3 * unit, named)
    lefts = end + GAP * unit + width * np.arange(number)
    return np.vstack([linear, np.column_stack([lefts, lefts + width])])


def _draw_bars(ax: Axes, bars: AgeBars, spans: np.ndarray) -> None:
    middles, widths = spans.mean(axis=1), np.diff(spans, axis=1)[:, 0] * 0.9
    bottom = np.zeros(len(spans))
    for name, counts in bars.parts.items():
        ax.bar(middles, counts, widths, bottom, linewidth=0, label=part_text(bars, name), gid=name, **STYLES[name])
        canvas.foot(ax, middles, counts * (bottom == 0), widths, STYLES[name]["facecolor"])
        bottom = bottom + counts
    canvas.count_axis(ax, bottom.max(), HEADROOM)
    ax.set_xlim(0, spans[-1, 1] + (spans[0, 1] - spans[0, 0]) * 0.1)
    canvas.count_labels(ax, middles, bars.totals, widths)


def _age_axis(ax: Axes, people: Population, bins: Bins, spans: np.ndarray) -> None:
    """Edges of the equal bars as ticks; each wider group named under its bar, behind a break in the axis."""
    ax.xaxis.set_major_locator(FixedLocator([*bins.edges, *spans[len(bins.edges) - 1 :].mean(axis=1)]))
    lows = [bins.edges[-1], *bins.groups[:-1]]
    groups = [group_text(low, high) for low, high in zip(lows, bins.groups, strict=bool(bins.groups))]
    keep = bins.edges.index(people.limit) if people.limit else 0
    edges = canvas.thinned(ax, [f"{edge:,}" for edge in bins.edges], bins.edges[-1], spans[-1, 1], keep)
    ax.set_xticklabels([*edges, *groups])
    label = say("charts.ages.x_whole" if people.whole_days else "charts.ages.x")
    if bins.groups:
        label = say("charts.ages.x_groups", x=label)
        canvas.axis_break(ax, (bins.edges[-1] + spans[len(bins.edges) - 1, 0]) / 2)
    canvas.x_label(ax, label)


def _draw_limit(ax: Axes, people: Population, bars: AgeBars) -> int:
    """The limit, and what is on either side of it; the number of lines that this takes above the Axes. Where one
    side holds several kinds of bars, a key of marks has a line of its own."""
    assert people.limit is not None
    label = say(f"charts.{'limit_asked' if people.what_if else 'limit'}", days=days(people.limit))
    canvas.limit_line(ax, people.limit, label)
    room = canvas.points(ax) * people.limit / ax.get_xlim()[1]
    narrow = canvas.text_width(part_text(bars, "within"), canvas.TEXT) + 8 > room
    if people.own_limits or "exempt" in bars.parts or narrow:
        handles = [Patch(linewidth=0, label=part_text(bars, name), **STYLES[name]) for name in bars.parts]
        canvas.key_above(ax, handles)
        return 2
    for part, offset, align in (("within", -6, "right"), ("over", 6, "left")):
        at = (people.limit, 0.985)
        canvas.note(ax, part_text(bars, part), at, (offset, 0), ax.get_xaxis_transform(), ha=align, va="top")
    return 1
