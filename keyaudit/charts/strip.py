"""Draw in which periods evidence was made: one cell for each, by its state."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.dates import date2num
from matplotlib.patches import Patch

from keyaudit.charts import canvas
from keyaudit.charts.dates import blank, day_axis, fit, name_rows, with_room
from keyaudit.charts.facts.strip import MOST_ROWS, alt, claim, remarks, strip_of
from keyaudit.model.operated import Operated
from keyaudit.model.over_period import BROKEN, FAILED, INCONCLUSIVE, MISSING, OPEN, PRESENT, DuePeriod
from keyaudit.texts import say, visible

#: the corners of a cell, in days and rows
Cell = list[tuple[float, float]]
STYLES: dict[str, dict[str, Any]] = {
    PRESENT: canvas.WITHIN,
    INCONCLUSIVE: canvas.EXCUSED,
    FAILED: {"facecolor": canvas.AMBER, "edgecolor": "white", "hatch": "\\\\\\"},
    MISSING: canvas.UNKNOWN,
    BROKEN: canvas.OVER,
    OPEN: {"facecolor": "white", "edgecolor": canvas.GRID},
}
#: of cells too narrow for hatches: lightness and height tell states apart
NARROW: dict[str, dict[str, Any]] = {
    PRESENT: canvas.WITHIN,
    INCONCLUSIVE: {"facecolor": "#b5a96f", "edgecolor": "none"},
    FAILED: {"facecolor": canvas.AMBER, "edgecolor": "none"},
    MISSING: {"facecolor": canvas.INK, "edgecolor": "none"},
    BROKEN: {"facecolor": "#9e3d00", "edgecolor": "none"},
    OPEN: {"facecolor": "white", "edgecolor": canvas.MUTED},
}
#: points that a cell needs for its hatch and its edge
HATCHED = 4.0
#: height of a row in points
ROW = 22.0
#: shares of a row: a cell, and narrow ones of these states
HEIGHT = 0.72
HEIGHTS = {MISSING: 0.24, INCONCLUSIVE: 0.48, BROKEN: 0.94}


def plot_calendar(o: Operated, ax: Axes | None = None) -> Axes:
    """Periods in which evidence was due, a row for each organization or account: for 25, or as many as
    have room in Axes of the caller's."""
    found = strip_of(o, MOST_ROWS if ax is None else with_room(ax, ROW, MOST_ROWS))
    if not found.rows:
        return blank(ax, say("charts.strip.nothing"))
    given, ax = ax, canvas.axes(ax)
    width = name_rows(ax, [visible(subject) for subject, _ in found.rows])
    ax.spines["left"].set_visible(False)
    first = min(periods[0].start for _, periods in found.rows)
    last = max(periods[-1].end for _, periods in found.rows)
    day_axis(ax, first, last, width)
    is_narrow = width / max(len(periods) for _, periods in found.rows) < HATCHED
    cells: dict[str, list[Cell]] = {}
    for y, (_, periods) in enumerate(found.rows):
        for state, cell in (_runs if is_narrow else _apart)(y, periods):
            cells.setdefault(state, []).append(cell)
    for state, some in cells.items():
        # all of a state at once: a thousand single bars take seconds
        style = NARROW[state] if is_narrow else _style(state)
        edge = 0.0 if is_narrow and state != OPEN else 0.6
        ax.add_collection(PolyCollection(some, gid=state, linewidth=edge, **style), autolim=False)
    states = [state for state in STYLES if found.counts[state]]
    handles = [
        Patch(label=say(f"series.{state}"), **(NARROW[state] if is_narrow else _style(state))) for state in states
    ]
    strips = canvas.keys_above(ax, handles, width, 0)
    canvas.head(ax, claim(found), remarks(found), alt(found), strips, width)
    if given is None:
        fit(ax, strips, ROW * len(found.rows))
    return ax


def _apart(y: int, periods: tuple[DuePeriod, ...]) -> Iterator[tuple[str, Cell]]:
    """A cell for each period; its edge sets it apart from the next one."""
    for one in periods:
        yield one.state, _cell(y, one.start, one.end, HEIGHT)


def _runs(y: int, periods: tuple[DuePeriod, ...]) -> Iterator[tuple[str, Cell]]:
    """A cell for each run of periods of the same state, without edges: these would cover the cells."""
    for state, run in groupby(periods, key=lambda one: one.state):
        ones = [*run]
        yield state, _cell(y, ones[0].start, ones[-1].end, HEIGHTS.get(state, HEIGHT))


def _cell(y: int, start: datetime, end: datetime, height: float) -> Cell:
    left, right, half = _number(start), _number(end), height / 2
    return [(left, y - half), (right, y - half), (right, y + half), (left, y + half)]


def _style(state: str) -> dict[str, Any]:
    return {**STYLES[state], "edgecolor": "white" if state in (PRESENT, BROKEN, FAILED) else canvas.MUTED}


def _number(moment: datetime) -> float:
    return float(date2num(moment))
