"""Draw in which periods evidence was made: one cell for each, by its state."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.patches import Patch

from keyaudit.charts import canvas
from keyaudit.charts.dates import blank, day_axis
from keyaudit.charts.facts.strip import Strip, alt, claim, remarks, strip_of
from keyaudit.model.operated import Operated
from keyaudit.model.over_period import BROKEN, FAILED, INCONCLUSIVE, MISSING, OPEN, PRESENT
from keyaudit.texts import say

STYLES: dict[str, dict[str, Any]] = {
    PRESENT: canvas.WITHIN,
    INCONCLUSIVE: canvas.EXCUSED,
    FAILED: {"facecolor": canvas.AMBER, "edgecolor": "white", "hatch": "\\\\\\"},
    MISSING: canvas.UNKNOWN,
    BROKEN: canvas.OVER,
    OPEN: {"facecolor": "white", "edgecolor": canvas.GRID},
}
#: inches: a row, and all that stands around them
ROW, AROUND = 0.3, 1.5
#: share of a row
HEIGHT = 0.72


def plot_calendar(o: Operated, ax: Axes | None = None) -> Axes:
    """Periods in which evidence was due, a row for each organization or account."""
    found = strip_of(o)
    if not found.rows:
        return blank(ax, say("charts.strip.nothing"))
    given, ax = ax, canvas.axes(ax)
    if given is None:
        ax.figure.figure.set_size_inches(8, AROUND + ROW * len(found.rows))
    for y, (_, periods) in enumerate(found.rows):
        for one in periods:
            start, end = _number(one.start), _number(one.end)
            ax.barh(y, end - start, HEIGHT, left=start, gid=one.state, linewidth=0.6, **_style(one.state))
    _rows(ax, found)
    first = min(periods[0].start for _, periods in found.rows)
    last = max(periods[-1].end for _, periods in found.rows)
    day_axis(ax, first, last)
    states = [state for state in STYLES if found.counts[state]]
    handles = [Patch(label=say(f"series.{state}"), **_style(state)) for state in states]
    strips = canvas.keys_above(ax, handles, canvas.points(ax), 0)
    return canvas.head(ax, claim(found), remarks(found), alt(found), strips)


def _style(state: str) -> dict[str, Any]:
    return {**STYLES[state], "edgecolor": "white" if state in (PRESENT, BROKEN, FAILED) else canvas.MUTED}


def _rows(ax: Axes, found: Strip) -> None:
    ax.set_ylim(len(found.rows) - 0.5, -0.5)
    ax.set_yticks(range(len(found.rows)), [subject for subject, _ in found.rows])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _number(moment: datetime) -> float:
    return float(date2num(moment))
