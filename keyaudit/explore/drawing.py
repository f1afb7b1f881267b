"""Charts that are drawn again at each step of a slider: laid out once, and painted by the browser."""

from __future__ import annotations

import io
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.text import Annotation

from keyaudit.charts.html import as_html

#: letters stay text, which the browser draws, and the same chart gives the same text
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "keyaudit"}


class Drawing:
    """Draws one chart after another, in less than half the time of a bitmap. Matplotlib's layout takes as long as
    drawing; so the layout of one chart is used for all that have as many lines of text around them."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], list[Any]] = {}

    def html(self, ax: Axes) -> str:
        """The chart as SVG, with its alternative text."""
        figure, key, content = ax.figure.figure, _around(ax), io.StringIO()
        if key in self._known:
            figure.set_layout_engine("none")
            for one, place in zip(figure.axes, self._known[key], strict=True):
                one.set_position(place)
        with mpl.rc_context(STYLE):
            FigureCanvasSVG(figure).print_svg(content, metadata={"Date": None})
        self._known.setdefault(key, [one.get_position() for one in figure.axes])
        return as_html(figure, str(ax.get_label()), "image/svg+xml", content.getvalue().encode())


def _around(ax: Axes) -> tuple[Any, ...]:
    """What decides how much room there is for the Axes."""
    title, ticks = ax.get_title(loc="left"), [label.get_text() for label in ax.get_xticklabels()]
    return (
        len(ax.figure.figure.axes),
        title.count("\n"),
        # below the title: the subtitle, the key of marks, the names of limits
        *(
            note.get_text().count("\n")
            for note in ax.texts
            if isinstance(note, Annotation) and note.xycoords == "axes fraction"
        ),
        ax.get_legend() is None,
        ax.get_xlabel().count("\n"),
        max((tick.count("\n") for tick in ticks), default=0),
        len(f"{ax.get_ylim()[1]:,.0f}"),
    )
