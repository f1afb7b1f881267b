"""What charts over time share: the axis of days, what evidence does not reach, and a chart of nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter, date2num
from matplotlib.ticker import FixedLocator

from keyaudit.charts import canvas
from keyaudit.texts import say

#: points beside the Axes that labels of rows may take before these become narrower than usual
USUAL = 40.0
#: the largest share of the width for labels of rows
LABELS = 0.5
#: how a day is written, and the points between two of them
DAY, APART = "%Y-%m-%d", 14.0
#: points: of a line of titles, and around all
LINE, MARGIN = 15.0, 44.0
#: months from one day that is written to the next one
MONTHS = (1, 2, 3, 4, 6, *range(12, 12_000, 12))


def name_rows(ax: Axes, labels: Sequence[str]) -> float:
    """Write what rows are called, from the top; of a label for which there is no room, the beginning. The width in
    points that is left to the Axes."""
    room = canvas.points(ax)
    shown = [_fitting(label, room * LABELS) for label in labels]
    ax.set_ylim(len(shown) - 0.5, -0.5)
    # names may have dollar signs in them, which are no mathematics
    ax.set_yticks(range(len(shown)), shown, parse_math=False)
    ax.tick_params(axis="y", length=0)
    return room - max(max(canvas.text_width(label, canvas.SMALL) for label in shown) - USUAL, 0)


def fit(ax: Axes, strips: int, rows: float) -> None:
    """Make a new figure as high as its titles, so many rows of keys of marks, and ``rows``, in points."""
    texts = [ax.get_title(loc="left"), ax.texts[-1].get_text(), ax.get_xlabel()]  # the subtitle was written last
    lines = sum(text.count("\n") + 1 for text in texts if text)
    height = MARGIN + lines * LINE + strips * canvas.STRIP + rows
    ax.figure.figure.set_size_inches(ax.figure.figure.get_size_inches()[0], height / canvas.INCH)


def with_room(ax: Axes, row: float, most: int) -> int:
    """How many rows of so many points have room in a caller's Axes, one at least."""
    return max(min(int(canvas.room_for_rows(ax) / row), most), 1)


def _fitting(label: str, width: float) -> str:
    if canvas.text_width(label, canvas.SMALL) <= width:
        return label
    least, most = 0, len(label)
    while most - least > 1:
        middle = (least + most) // 2
        fits = canvas.text_width(f"{label[:middle]}…", canvas.SMALL) <= width
        least, most = (middle, most) if fits else (least, middle)
    return f"{label[:least]}…"


def day_axis(ax: Axes, start: datetime, end: datetime, width: float) -> None:
    """The x axis from one instant to another, of so many points, with as many days written as have room."""
    ax.set_xlim(date2num(start), date2num(end))
    most = int(width / (canvas.text_width(f"{start:{DAY}}", canvas.SMALL) + APART))
    ax.xaxis.set_major_locator(FixedLocator([float(date2num(one)) for one in _ticks(start, end, max(most, 2))]))
    ax.xaxis.set_major_formatter(DateFormatter(DAY))
    canvas.x_label(ax, say("charts.times.x"))


def _ticks(start: datetime, end: datetime, most: int) -> list[datetime]:
    """At most so many days: the first of months, a number of months apart that divides the year or is years; in a
    short time every so many days."""
    months = range(start.year * 12 + start.month - 1, end.year * 12 + end.month)
    step = next(one for one in MONTHS if len(months) <= one * most)
    firsts = [datetime(one // 12, one % 12 + 1, 1, tzinfo=start.tzinfo) for one in months if one % step == 0]
    firsts = [one for one in firsts if start <= one <= end]
    if len(firsts) > 1:
        return firsts
    step = ceil(((end - start).days + 1) / most)
    return [start + timedelta(days=number) for number in range(0, (end - start).days + 1, step)]


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
