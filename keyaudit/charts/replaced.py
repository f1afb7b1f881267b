"""Draw at which age keys were replaced or switched off, against the limit."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from keyaudit.charts import canvas
from keyaudit.charts.dates import blank
from keyaudit.charts.facts.replaced import alt, claim, remarks, replaced_of
from keyaudit.model.operated import Operated
from keyaudit.texts import say


def plot_replacements(o: Operated, ax: Axes | None = None) -> Axes:
    """The share of keys that had been replaced or switched off by each age."""
    found = replaced_of(o)
    if found is None or not found.ends:
        return blank(ax, claim(found) if found else say("charts.replaced.nothing"))
    ax = canvas.axes(ax)
    top = max(found.known, float(found.limit or 0)) * 1.08
    # the line ends where nothing is known any more
    xs = np.concatenate([[found.reached], found.ages, [found.known]])
    ys = np.concatenate([[0.0], found.share, found.share[-1:] if len(found.share) else [0.0]])
    ax.step(xs, ys, where="post", color=canvas.BLUE, linewidth=2, gid="replaced")
    ax.fill_between(xs, ys, step="post", color=canvas.WITHIN["facecolor"], alpha=0.5, linewidth=0)
    ax.set_xlim(0, top)
    ax.set_ylim(0, 1.02)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.grid(axis="y", color=canvas.GRID, linewidth=0.6)
    ax.tick_params(axis="y", length=0)
    canvas.x_label(ax, say("charts.replaced.x"))
    if found.limit is not None:
        canvas.limit_line(ax, found.limit, say("charts.replaced.limit", n=found.limit))
    return canvas.head(ax, claim(found), remarks(found), alt(found), int(found.limit is not None))
