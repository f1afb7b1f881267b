"""Draw which share of the active keys is in time, by the days before and after each key's own deadline."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from keyaudit.charts import canvas
from keyaudit.charts.empty import nothing, why_empty
from keyaudit.charts.facts.population import Population, days, population
from keyaudit.charts.facts.share import Share, alt, claim, deadline_text, remarks, share
from keyaudit.charts.scale import DayScale
from keyaudit.texts import say

if TYPE_CHECKING:
    from keyaudit.policy import Policy


def plot_share(keys: pd.DataFrame, policy: Policy, as_of: datetime | None = None, ax: Axes | None = None) -> Axes:
    """Share of active keys at most so many days past their own deadlines (without a period: no older than so many
    days); see the package for what the charts share."""
    people = population(keys, policy, as_of)
    if reason := why_empty(people):
        return nothing(ax, people, reason)
    shares = share(people)
    ax = canvas.axes(ax)
    scale = _scale(people, shares)
    _axes(ax, scale, axis_text(people, scale))
    _draw_curve(ax, shares, scale)
    if people.unknown:
        _draw_unknown(ax, people, scale)
    if people.limit:
        canvas.limit_line(ax, 0, say("charts.share.limit"), "deadline")
        _draw_share_in_time(ax, people, shares)
    return canvas.head(ax, claim(people, shares), remarks(people), alt(people, shares), int(bool(people.limit)))


def _scale(people: Population, shares: Share) -> DayScale:
    if people.limit is None:
        return DayScale.over(shares.days, [None], people.whole_days)
    return DayScale.around(shares.days, people.limit, people.whole_days)


def axis_text(people: Population, scale: DayScale) -> str:
    """The name of the axis of days."""
    if people.limit is None:
        return scale.label()
    kind = f"x{'_logarithmic' if scale.bent else ''}{'_whole' if scale.whole_days else ''}"
    return say(f"charts.share.{kind}", knee=days(scale.knee))


def _axes(ax: Axes, scale: DayScale, label: str) -> None:
    scale.apply(ax, "x")
    ax.set_xlim(scale.bottom, scale.top)
    canvas.x_label(ax, label)
    ax.set_ylim(0, 1.03)
    ax.yaxis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1]))
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.grid(axis="y", color=canvas.GRID, linewidth=0.6)
    ax.tick_params(axis="y", length=0)
    ax.set_ylabel(say("charts.share.y"), fontsize=canvas.TEXT, color=canvas.INK)


def _draw_curve(ax: Axes, shares: Share, scale: DayScale) -> None:
    found, heights = shares.steps
    found = np.concatenate([[scale.bottom], found, [scale.top]])
    heights = np.concatenate([[0.0], heights, heights[-1:]])
    ax.step(found, heights, where="post", color=canvas.BLUE, linewidth=2, gid="share", zorder=2.5)
    ax.fill_between(found, heights, step="post", color=canvas.WITHIN["facecolor"], alpha=0.35, linewidth=0)


def _draw_share_in_time(ax: Axes, people: Population, shares: Share) -> None:
    """The point of the curve at the deadline, named where a rising curve cannot be: below it to the right, else
    above it to the left."""
    height = shares.upto(0) / shares.total
    ax.plot([0], [height], marker="o", markersize=7, color=canvas.INK, zorder=4, clip_on=False, gid="share-in-time")
    below = height >= 0.35
    canvas.note(
        ax,
        deadline_text(people, shares),
        (0, height),
        (9, -6) if below else (-9, 6),
        ha="left" if below else "right",
        va="top" if below else "bottom",
        linespacing=1.3,
        bbox=None if below else canvas.BLANK,
    )


def _draw_unknown(ax: Axes, people: Population, scale: DayScale) -> None:
    """The share of keys whose age is unknown: the curve ends below it."""
    known = people.known.mean()
    ax.fill_between([scale.bottom, scale.top], known, 1, linewidth=0, gid="unknown", zorder=1, **canvas.UNKNOWN)
