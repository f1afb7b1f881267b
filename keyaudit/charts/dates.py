"""What charts over time share: the axis of days, what evidence does not reach, and a chart of nothing."""

from __future__ import annotations

from datetime import datetime

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DateFormatter, date2num

from keyaudit.charts import canvas
from keyaudit.texts import say


def day_axis(ax: Axes, start: datetime, end: datetime) -> None:
    """The x axis from one instant to another, with as many days written as have room."""
    ax.set_xlim(date2num(start), date2num(end))
    locator = AutoDateLocator(minticks=3, maxticks=7 if canvas.points(ax) > 400 else 4, interval_multiples=True)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(DateFormatter("%Y-%m-%d"))
    canvas.x_label(ax, say("charts.times.x"))


def shade_unseen(ax: Axes, start: datetime, end: datetime, seen: tuple[datetime, datetime] | None) -> bool:
    """Shade what lies before the first evidence and after the last one; whether there is such a time."""
    spans = [(start, end)] if seen is None else [(start, seen[0]), (seen[1], end)]
    spans = [one for one in spans if one[0] < one[1]]
    for one in spans:
        ax.axvspan(date2num(one[0]), date2num(one[1]), color=canvas.SHADE, linewidth=0, zorder=0, gid="unseen")
    return bool(spans)


def blank(ax: Axes | None, text: str) -> Axes:
    """An Axes that says in words why there is nothing to draw."""
    given, ax = ax, canvas.axes(ax)
    if given is None:
        ax.figure.figure.set_size_inches(8, 1.6)
    ax.set_axis_off()
    return canvas.head(ax, text, [], text)
