"""Draw the keys that were late the longest: one row for each, over the days of the period."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from keyaudit.charts import canvas
from keyaudit.charts.dates import blank, day_axis, fit, name_rows, shade_unseen, with_room
from keyaudit.charts.facts.gantt import MOST_ROWS, Late, Row, alt, claim, late_of, remarks
from keyaudit.charts.standing import POSSIBLY
from keyaudit.model.operated import Operated
from keyaudit.model.over_period import Spans
from keyaudit.texts import say

#: height of a row in points
ROW = 17.0
#: share of a row
HEIGHT = 0.66
TICK: dict[str, Any] = {"color": canvas.INK, "marker": "|", "markersize": 11, "markeredgewidth": 2, "linestyle": ""}
ARROW: dict[str, Any] = {"color": canvas.INK, "marker": ">", "markersize": 5, "linestyle": ""}


def plot_breaches(o: Operated, ax: Axes | None = None) -> Axes:
    """The 30 keys with most days in breach, in Axes of the caller's as many as have room: active, possibly and
    provably beyond their limits, exempt, rotated."""
    found = late_of(o, MOST_ROWS if ax is None else with_room(ax, ROW, MOST_ROWS))
    if found is None:
        return blank(ax, say("charts.gantt.nothing"))
    given, ax = ax, canvas.axes(ax)
    for y, row in enumerate(found.rows):
        _draw(ax, y, row, found)
    width = name_rows(ax, [row.label for row in found.rows])
    day_axis(ax, found.start, found.end, width)
    is_shaded = shade_unseen(ax, found.start, found.end, found.seen)
    strips = canvas.keys_above(ax, _handles(found, is_shaded), width, 0)
    canvas.head(ax, claim(found), remarks(found), alt(found), strips, width)
    if given is None:
        fit(ax, strips, ROW * len(found.rows))
    return ax


def _draw(ax: Axes, y: int, row: Row, found: Late) -> None:
    key = row.key
    _bars(ax, y, key.active[1], HEIGHT * 0.45, gid="active", **canvas.WITHIN)
    _bars(ax, y, key.exempt, HEIGHT, gid="exempt", **canvas.EXCUSED)
    _bars(ax, y, key.possible, HEIGHT, gid="possible", **POSSIBLY)
    _bars(ax, y, key.proved, HEIGHT, gid="proved", **canvas.OVER)
    if row.rotated and found.start <= row.rotated < found.end:
        ax.plot([date2num(row.rotated)], [y], zorder=5, gid="rotated", **TICK)
    if key.remedied is None and key.possible:
        ax.plot([date2num(key.possible[-1][1])], [y], zorder=5, clip_on=False, gid="open", **ARROW)


def _bars(ax: Axes, y: int, spans: Spans, height: float, **style: Any) -> None:
    for start, end in spans:
        left = float(date2num(start))
        ax.barh(y, float(date2num(end)) - left, height, left=left, linewidth=0, zorder=2, **style)


def _handles(found: Late, is_shaded: bool) -> list[Patch | Line2D]:
    keys = [row.key for row in found.rows]
    told: list[tuple[bool, Patch | Line2D]] = [
        (any(key.proved for key in keys), Patch(label=say("charts.gantt.proved"), **canvas.OVER)),
        (any(key.possible for key in keys), Patch(label=say("charts.gantt.maybe"), **POSSIBLY)),
        (any(key.exempt for key in keys), Patch(label=say("charts.standing.exempt"), **canvas.EXCUSED)),
        (any(key.active[1] for key in keys), Patch(label=say("charts.gantt.active"), **canvas.WITHIN)),
        (any(row.rotated for row in found.rows), Line2D([], [], label=say("charts.gantt.rotated"), **TICK)),
        (any(key.remedied is None for key in keys), Line2D([], [], label=say("charts.gantt.no_end"), **ARROW)),
        (is_shaded, Patch(label=say("charts.times.unseen"), facecolor=canvas.SHADE, edgecolor=canvas.MUTED)),
    ]
    return [handle for is_there, handle in told if is_there]
