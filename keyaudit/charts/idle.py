"""Draw age against days without use: who is idle, who is old, and who is both."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from keyaudit.charts import canvas
from keyaudit.charts.empty import nothing, why_empty
from keyaudit.charts.facts.idle import Idle, alt, claim, idle, mark_text, remarks, zones
from keyaudit.charts.facts.population import days, population
from keyaudit.charts.scale import DayScale
from keyaudit.texts import say

if TYPE_CHECKING:
    from keyaudit.policy import Policy

MARKS: dict[bool, dict[str, Any]] = {
    False: {"marker": "o", "color": canvas.BLUE},
    True: {"marker": "^", "color": canvas.AMBER},
}
#: more keys than this are drawn small and translucent
MANY = 500
#: share of the height that is kept free for words, above the data and below them
STRIP = 0.13


def plot_idle(
    keys: pd.DataFrame, policy: Policy, as_of: datetime | None = None, ax: Axes | None = None, what_if: bool = False
) -> Axes:
    """Active keys by age and days without use; ``what_if``: by an idle limit that is not the policy's but asked
    about. See the package for what the charts share."""
    people = population(keys, policy, as_of, what_if)
    reason = why_empty(people)
    known = None if reason else idle(people)
    if known is None or not len(known.ages):
        return nothing(ax, people, reason or "unknown_use")
    ax = canvas.axes(ax)
    _axes(ax, DayScale.over(known.ages, [known.age_limit, known.idle_limit], people.whole_days))
    _draw_keys(ax, known)
    _draw_limits(ax, known, what_if)
    _name_zones(ax, known)
    strips = 2 if known.age_limit else 1
    return canvas.head(ax, claim(people, known), remarks(people, known), alt(people, known), strips)


def _axes(ax: Axes, scale: DayScale) -> None:
    """The same scale on both axes: a key that was never used then lies on the diagonal, and none above it."""
    for axis in ("x", "y"):
        scale.apply(ax, axis)
        target = getattr(ax, f"{axis}axis").get_transform()
        low, high = target.transform(np.array([0.0, scale.top]))
        before, after = (STRIP, STRIP) if axis == "y" else (0.015, 0)
        span = high - low
        ends = target.inverted().transform(np.array([low - before * span, high + after * span]))
        getattr(ax, f"set_{axis}lim")(*ends)
    canvas.x_label(ax, scale.label())
    ax.set_ylabel(say("charts.idle.y"), fontsize=canvas.TEXT, color=canvas.INK)
    ax.grid(color=canvas.GRID, linewidth=0.6)
    ax.tick_params(length=0)


def _draw_keys(ax: Axes, keys: Idle) -> None:
    """Circles were used, triangles never; many keys are drawn small and translucent, so that dense is dark, and
    under the limits instead of over them."""
    many = len(keys.ages) > MANY
    few = {"markersize": 6.5, "alpha": 0.85, "zorder": 3.5}
    size = {"markersize": 3.2, "alpha": 0.35, "markeredgewidth": 0} if many else few
    handles = []
    for never, mark in MARKS.items():
        chosen = keys.never == never
        style = {**mark, "linestyle": "none", "markeredgecolor": "white", "markeredgewidth": 0.5}
        ax.plot(keys.ages[chosen], keys.idle[chosen], gid="never-used" if never else "used", **{**style, **size})
        if chosen.any():
            handles.append(Line2D([], [], markersize=7, label=mark_text(keys, never), **style))
    canvas.key_above(ax, handles, 1 if keys.age_limit else 0, handlelength=1)


def _draw_limits(ax: Axes, keys: Idle, what_if: bool) -> None:
    if keys.age_limit:
        canvas.limit_line(ax, keys.age_limit, say("charts.idle.age_limit", days=days(keys.age_limit)), "age-limit")
    if keys.idle_limit:
        ax.axhline(keys.idle_limit, zorder=3, gid="idle-limit", **canvas.LINE)
        text = say(f"charts.idle.idle_limit{'_asked' if what_if else ''}", days=days(keys.idle_limit))
        style = {"va": "center", "fontsize": canvas.SMALL, "fontweight": "bold"}
        canvas.note(ax, text, (1, keys.idle_limit), (4, 0), ax.get_yaxis_transform(), **style)


def _name_zones(ax: Axes, keys: Idle) -> None:
    """The number of keys on each side of the limits, in the strips above and below the data."""
    for (old, over), text in zones(keys).items():
        x, offset = (keys.age_limit, 6) if old else (0, 2)
        y, align = (0.985, "top") if over or not keys.idle_limit else (0.015, "bottom")
        canvas.note(ax, text, (x, y), (offset, 0), ax.get_xaxis_transform(), va=align, bbox=canvas.BLANK)
