"""Room for the texts around the one Axes of a figure of our own.

The constrained layout of matplotlib does the same for any number of Axes, and therefore measures all twice, which
is half of what a chart takes to draw. It remains the layout of figures that callers bring.
"""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.layout_engine import LayoutEngine

#: inches of white around a chart
PAD = 0.1


class OneAxes(LayoutEngine):
    """Makes the Axes as large as the figure allows with all that stands around them in it.

    ``rounds``: how often it measures; twice where texts stand at a share of the width of the Axes.
    """

    _adjust_compatible = False
    _colorbar_gridspec = False

    def __init__(self, rounds: int = 1) -> None:
        super().__init__()
        self._rounds = rounds

    def execute(self, fig: Figure) -> None:
        """Place the Axes, as matplotlib does before it draws."""
        for _ in range(self._rounds):
            _place(fig)


def _place(fig: Figure) -> None:
    (ax,) = fig.axes
    outer, inner = ax.get_tightbbox(for_layout_only=True), ax.get_window_extent()
    assert outer is not None  # as of Axes that are shown
    pad, width, height = PAD * fig.dpi, fig.bbox.width, fig.bbox.height
    left, right = inner.x0 - outer.x0 + pad, outer.x1 - inner.x1 + pad
    below, above = inner.y0 - outer.y0 + pad, outer.y1 - inner.y1 + pad
    ax.set_position((left / width, below / height, 1 - (left + right) / width, 1 - (below + above) / height))
    ax.set_in_layout(True)  # which whoever places Axes by hand takes away
