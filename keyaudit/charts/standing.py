"""Draw how the keys stood against their limits over a period: stepped areas, what is late at the bottom."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.patches import Patch

from keyaudit.charts import canvas
from keyaudit.charts.dates import blank, day_axis, shade_unseen
from keyaudit.charts.facts.standing import (
    BREACH,
    EXEMPT,
    KINDS,
    POSSIBLE,
    SOON_DUE,
    WITHIN,
    alt,
    claim,
    remarks,
    standing_of,
)
from keyaudit.model.operated import Operated
from keyaudit.texts import say

#: what may have been late: lighter than what was
POSSIBLY: dict[str, Any] = {"facecolor": "#e9b08a", "edgecolor": "#9e3d00"}
STYLES: dict[str, dict[str, Any]] = {
    BREACH: canvas.OVER,
    POSSIBLE: POSSIBLY,
    EXEMPT: canvas.EXCUSED,
    SOON_DUE: canvas.DUE_SOON,
    WITHIN: canvas.WITHIN,
}


def plot_over_time(o: Operated, ax: Axes | None = None) -> Axes:
    """Active keys over the period: in breach, possibly in breach, exempt, due soon, in time."""
    found = standing_of(o)
    if found is None:
        return blank(ax, say("charts.standing.nothing"))
    ax = canvas.axes(ax)
    days = date2num([datetime.fromtimestamp(moment, UTC) for moment in found.moments])
    floor = np.zeros(len(days), dtype=np.int64)
    shown = [kind for kind in KINDS if found.counts[kind].any()]
    for kind in shown:
        top = floor + found.counts[kind]
        ax.fill_between(days, floor, top, step="post", linewidth=0, gid=kind, **STYLES[kind])
        floor = top
    canvas.count_axis(ax, found.most, 0.05)
    day_axis(ax, found.start, found.end, canvas.points(ax))
    is_shaded = shade_unseen(ax, found.start, found.end, found.seen)
    handles = [Patch(label=say(f"charts.standing.{kind}"), **STYLES[kind]) for kind in shown]
    if is_shaded:
        handles.append(Patch(label=say("charts.times.unseen"), facecolor=canvas.SHADE, edgecolor=canvas.MUTED))
    strips = canvas.keys_above(ax, handles, canvas.points(ax), 0)
    return canvas.head(ax, claim(found), remarks(found), alt(found), strips)
