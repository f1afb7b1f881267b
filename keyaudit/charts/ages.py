"""Draw how old active keys are, against the limit; what is over it is dark and hatched. Once, or then and now."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator

from keyaudit.charts import canvas
from keyaudit.charts.empty import nothing, why_empty
from keyaudit.charts.facts.ages import (
    AgeBars,
    age_bars,
    age_bars_of,
    alt,
    claim,
    group_text,
    part_text,
    remarks,
    titles,
)
from keyaudit.charts.facts.bins import Bins
from keyaudit.charts.facts.population import Population, days, population
from keyaudit.texts import say

if TYPE_CHECKING:
    from keyaudit.model import Audit
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
    return _plot(ax, people, bars, claim(people), bars.highest)


def plot_two(before: Audit, after: Audit) -> Axes:
    """The ages of the active keys then and now, one below the other, on the same axes: bars of the same ages, which
    are as high for as many keys. Each title says when. Returns the Axes of now, whose label describes both."""
    people = [population(one.keys, one.policy, one.as_of) for one in (before, after)]
    drawn = [one for one in people if not why_empty(one)]
    bars = dict(zip(map(id, drawn), age_bars_of(drawn), strict=True))
    highest = max((one.highest for one in bars.values()), default=0)
    axes = Figure(figsize=(8, 8.6), facecolor="white").subplots(2, 1)
    for titled, one, ax in zip(titles(before.as_of, after.as_of), people, axes, strict=True):
        if reason := why_empty(one):
            nothing(ax, one, reason, titled)
        else:
            _plot(ax, one, bars[id(one)], titled(claim(one)), highest)
    axes[1].set_label(say("charts.two.alt", then=axes[0].get_label(), now=axes[1].get_label()))
    return axes[1]


def _plot(ax: Axes | None, people: Population, bars: AgeBars, title: str, highest: int) -> Axes:
    """The chart of people that are not empty; the axis of counts reaches to ``highest``."""
    ax = canvas.axes(ax)
    spans = _spans(bars.bins, canvas.points(ax))
    _draw_bars(ax, bars, spans, highest)
    _age_axis(ax, people, bars.bins, spans)
    strips = _draw_limit(ax, people, bars) if people.limit else 0
    return canvas.head(ax, title, remarks(people), alt(people, bars, title), strips)


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


def _draw_bars(ax: Axes, bars: AgeBars, spans: np.ndarray, highest: int) -> None:
    middles, widths = spans.mean(axis=1), np.diff(spans, axis=1)[:, 0] * 0.9
    bottom = np.zeros(len(spans))
    for name, counts in bars.parts.items():
        some, style = counts > 0, {"label": part_text(bars, name), "gid": name, "linewidth": 0, **STYLES[name]}
        ax.bar(middles[some], counts[some], widths[some], bottom[some], **style)
        canvas.foot(ax, middles, counts * (bottom == 0), widths, STYLES[name]["facecolor"])
        bottom = bottom + counts
    canvas.count_axis(ax, highest, HEADROOM)
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
