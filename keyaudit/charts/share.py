"""Draw which share of the active keys is no older than x days, and the share at the limit."""

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
from keyaudit.charts.facts.share import Share, alt, claim, limit_text, remarks, share
from keyaudit.charts.scale import DayScale
from keyaudit.texts import say

if TYPE_CHECKING:
    from keyaudit.policy import Policy


def plot_share(keys: pd.DataFrame, policy: Policy, as_of: datetime | None = None, ax: Axes | None = None) -> Axes:
    """Share of active keys no older than x days; see the package for what the charts share."""
    people = population(keys, policy, as_of)
    if reason := why_empty(people):
        return nothing(ax, people, reason)
    shares = share(people)
    ax = canvas.axes(ax)
    scale = DayScale.over(shares.ages, [people.limit], people.whole_days)
    _axes(ax, scale)
    _draw_curve(ax, shares, scale.top)
    if people.unknown:
        _draw_unknown(ax, people, scale.top)
    if people.limit:
        canvas.limit_line(ax, people.limit, say("charts.limit", days=days(people.limit)))
        _draw_share_at(ax, people, shares, people.limit)
    return canvas.head(ax, claim(people, shares), remarks(people), alt(people, shares), int(bool(people.limit)))


def _axes(ax: Axes, scale: DayScale) -> None:
    scale.apply(ax, "x")
    ax.set_xlim(0, scale.top)
    canvas.x_label(ax, scale.label(say("charts.age")))
    ax.set_ylim(0, 1.03)
    ax.yaxis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1]))
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.grid(axis="y", color=canvas.GRID, linewidth=0.6)
    ax.tick_params(axis="y", length=0)
    ax.set_ylabel(say("charts.share.y"), fontsize=canvas.TEXT, color=canvas.INK)


def _draw_curve(ax: Axes, shares: Share, top: float) -> None:
    ages, heights = shares.steps
    ages, heights = np.append(ages, top), np.append(heights, heights[-1])
    ax.step(ages, heights, where="post", color=canvas.BLUE, linewidth=2, gid="share", zorder=2.5)
    ax.fill_between(ages, heights, step="post", color=canvas.WITHIN["facecolor"], alpha=0.35, linewidth=0)


def _draw_share_at(ax: Axes, people: Population, shares: Share, limit: int) -> None:
    """The point of the curve at the limit, named where a rising curve cannot be: below it to the right, else above
    it to the left."""
    height = shares.upto(limit) / shares.total
    ax.plot(
        [limit], [height], marker="o", markersize=7, color=canvas.INK, zorder=4, clip_on=False, gid="share-at-limit"
    )
    below = height >= 0.25
    canvas.note(
        ax,
        limit_text(people, shares, limit),
        (limit, height),
        (9, -6) if below else (-9, 6),
        ha="left" if below else "right",
        va="top" if below else "bottom",
        linespacing=1.3,
        bbox=None if below else canvas.BLANK,
    )


def _draw_unknown(ax: Axes, people: Population, top: float) -> None:
    """The share that no age can be told of: the curve ends below it."""
    known = people.known.mean()
    ax.fill_between([0, top], known, 1, linewidth=0, gid="unknown", zorder=1, **canvas.UNKNOWN)
