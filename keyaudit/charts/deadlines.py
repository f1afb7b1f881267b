"""Draw what is overdue, and what falls due in the next 90 days, week by week."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from keyaudit.charts import canvas
from keyaudit.charts.empty import nothing, why_empty
from keyaudit.charts.facts.deadlines import HORIZON, WEEK, Deadlines, alt, axis_text, claim, deadlines, remarks
from keyaudit.charts.facts.population import days, population
from keyaudit.texts import say

if TYPE_CHECKING:
    from keyaudit.policy import Policy

#: where the bar of overdue keys stands, in days: apart from the weeks
OVERDUE, OVERDUE_WIDTH = -10.0, 8.0
LEFT = -16.0
HEADROOM = 0.1


def plot_deadlines(
    keys: pd.DataFrame, policy: Policy, as_of: datetime | None = None, ax: Axes | None = None
) -> Axes:
    """Deadlines of active keys over the next 90 days; see the package for what the charts share."""
    people = population(keys, policy, as_of)
    if reason := why_empty(people) or (None if people.limit else "no_period"):
        return nothing(ax, people, reason)
    dues = deadlines(people)
    ax = canvas.axes(ax)
    _draw_window(ax, dues)
    _draw_bars(ax, dues)
    _week_axis(ax, dues)
    return canvas.head(
        ax, claim(people, dues), remarks(people, dues), alt(people, dues), int(bool(dues.warn_before))
    )


def _draw_bars(ax: Axes, dues: Deadlines) -> None:
    starts, counts = (np.array(column) for column in zip(*dues.weeks, strict=True))
    spans = np.minimum(starts + WEEK, HORIZON) - starts
    ax.set_xlim(LEFT, HORIZON + 1)
    ax.bar(starts + spans / 2, counts, spans * 0.88, linewidth=0, gid="weeks", **canvas.WITHIN)
    ax.bar([OVERDUE], [dues.overdue], OVERDUE_WIDTH, linewidth=0, gid="overdue", **canvas.OVER)
    canvas.foot(ax, [OVERDUE], [dues.overdue], [OVERDUE_WIDTH], canvas.OVER["facecolor"])
    canvas.count_axis(ax, max(dues.overdue, counts.max()), HEADROOM)
    xs, widths = [OVERDUE, *starts + spans / 2], [OVERDUE_WIDTH, *spans]
    canvas.count_labels(ax, xs, [dues.overdue, *counts], widths, marked=(0,))


def _draw_window(ax: Axes, dues: Deadlines) -> None:
    """The days within which the policy wants keys listed as due soon: shaded, ended by a line, and named above."""
    if not dues.warn_before:
        return
    end = min(dues.warn_before, HORIZON)
    ax.axvspan(0, end, color=canvas.SHADE, linewidth=0, zorder=0, gid="warn-window")
    ax.axvline(end, color=canvas.MUTED, linewidth=1.2, linestyle=":", zorder=1)
    text = say("charts.deadlines.soon", n=dues.soon, days=days(dues.warn_before))
    canvas.above(ax, 0, text, "left")


def _week_axis(ax: Axes, dues: Deadlines) -> None:
    """Ticks at the first instant of each week, at the end, and at the bar of overdue keys."""
    edges = [*(start for start, _ in dues.weeks), HORIZON]
    # the end is named by the label of the axis: it is less than a week from the tick before it
    labels = [*canvas.thinned(ax, [dues.date(edge) for edge in edges[:-1]], edges[-2], HORIZON - LEFT, keep=0), ""]
    ax.axvline(0, color=canvas.INK, linewidth=1, zorder=2, gid="as-of")
    ax.xaxis.set_major_locator(FixedLocator([OVERDUE, *edges]))
    overdue = say("charts.deadlines.overdue_bar")
    ax.set_xticklabels([f"\n{overdue}" if canvas.points(ax) < 400 else overdue, *labels])
    ax.xaxis.get_major_ticks()[0].label1.set_fontweight("bold")
    canvas.x_label(ax, axis_text(dues))
