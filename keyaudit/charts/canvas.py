"""What all charts share: the figure, titles, limit lines, colours and marks. Nothing here knows of keys.

Colours differ in lightness as well as hue (Okabe and Ito's blue and vermilion), and never stand alone: what is over
a limit is dark and hatched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from math import ceil, nan
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.textpath import text_to_path
from matplotlib.ticker import FixedLocator, MaxNLocator
from matplotlib.transforms import ScaledTranslation

from keyaudit.charts.placing import PAD, OneAxes
from keyaudit.texts import say

INK, MUTED, GRID, BLUE = "#222222", "#555555", "#dddddd", "#1f5a85"
SHADE, AMBER = "#f1eee4", "#c77700"
WITHIN: dict[str, Any] = {"facecolor": "#b4cfe4", "edgecolor": "#b4cfe4"}
OVER: dict[str, Any] = {"facecolor": "#9e3d00", "edgecolor": "white", "hatch": "///"}
EXCUSED: dict[str, Any] = {"facecolor": "#e3dcc5", "edgecolor": "#555555", "hatch": "..."}
PLAIN: dict[str, Any] = {"facecolor": "#8a9aa8", "edgecolor": "#8a9aa8"}
DUE_SOON: dict[str, Any] = {"facecolor": "#b4cfe4", "edgecolor": "#1f5a85", "hatch": "-----"}
UNKNOWN: dict[str, Any] = {"facecolor": "white", "edgecolor": "#999999", "hatch": "xxx"}
#: the background of a text that lines would cross
BLANK: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "pad": 1}
LINE: dict[str, Any] = {"color": INK, "linewidth": 1.5, "linestyle": (0, (5, 3))}
TITLE, TEXT, SMALL = 12.0, 9.5, 9.0
LEADING = 1.35
#: height of one line above the Axes, in points
STRIP = 15.0
INCH = 72.0
#: points of height that titles, keys of marks and labels may take beside rows
HEAD = 150.0


def axes(ax: Axes | None, rounds: int = 1) -> Axes:
    """The caller's Axes, or those of a new figure (``rounds``: see ``OneAxes``); plain, on white, and in a figure
    that leaves room for text."""
    if ax is None:
        ax = Figure(figsize=(8, 4.5), facecolor="white", layout=OneAxes(rounds)).subplots()
    figure = ax.figure.figure  # of a subfigure, the figure that it is part of
    if figure.get_layout_engine() is None:
        figure.set_layout_engine("constrained", w_pad=PAD, h_pad=PAD)
    ax.set_facecolor("white")
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(MUTED)
    ax.tick_params(labelsize=SMALL, colors=INK, which="both")
    ax.set_axisbelow(True)
    return ax


def head(ax: Axes, title: str, lines: list[str], alt: str, strips: int = 0, width: float | None = None) -> Axes:
    """Title, subtitle and alternative text; flush left, broken to the width of the Axes (in points, where labels
    beside them make it another than usual), with ``strips`` lines left free for the names of limits and the key
    of marks."""
    width = width or points(ax)
    below = [part for line in lines for part in broken(line, width, TEXT)]
    base = 7 + strips * STRIP
    note(ax, "\n".join(below), (0, 1), (0, base), "axes fraction", va="bottom", color=MUTED, linespacing=LEADING)
    ax.set_title(
        "\n".join(broken(title, width, TITLE, "bold")),
        loc="left",
        fontsize=TITLE,
        fontweight="bold",
        color=INK,
        pad=base + len(below) * TEXT * LEADING + 5,
        y=1,  # known, so that it is not looked for among the ticks
    )
    ax.set_label(alt)
    return ax


def limit_line(ax: Axes, limit: float, text: str, gid: str = "limit") -> None:
    """A dashed line at a limit, with its name above the Axes, where there are no data."""
    ax.axvline(limit, zorder=3, gid=gid, **LINE)
    above(ax, limit, text)


def above(ax: Axes, x: float, text: str, align: str = "center") -> None:
    """A label on the strip above the Axes, at ``x`` in data."""
    note(
        ax, text, (x, 1), (0, 3), ax.get_xaxis_transform(), ha=align, va="bottom", fontsize=SMALL, fontweight="bold"
    )


def key_above(ax: Axes, handles: Sequence[Artist], strip: int = 1, handlelength: float = 2.2) -> None:
    """A key of marks in one row above the Axes, over so many ``strip``s of other labels."""
    lifted = ax.transAxes + ScaledTranslation(0, (STRIP * strip + 3) / INCH, ax.figure.dpi_scale_trans)
    ax.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        bbox_transform=lifted,
        ncols=len(handles),
        fontsize=SMALL,
        frameon=False,
        borderaxespad=0,
        borderpad=0,
        columnspacing=1.6,
        handlelength=handlelength,
        handleheight=1.1,
    )


def keys_above(ax: Axes, handles: Sequence[Artist], width: float, strip: int) -> int:
    """A key of marks above the Axes, in as many rows as it needs where it is wider than ``width`` points; their
    number."""
    rows = next(rows for number in range(1, len(handles) + 2) if _fit(rows := _split(handles, number), width))
    for number, row in enumerate(reversed(rows)):
        if earlier := ax.get_legend():
            ax.add_artist(earlier)
        key_above(ax, row, strip + number)
    return len(rows)


def _split(handles: Sequence[Artist], number: int) -> list[Sequence[Artist]]:
    each = max(ceil(len(handles) / number), 1)
    return [handles[place : place + each] for place in range(0, len(handles), each)]


def _fit(rows: list[Sequence[Artist]], width: float) -> bool:
    """Whether no row is wider, or has only one mark that could be moved to another."""
    widths = [sum(text_width(str(one.get_label()), SMALL) + 5 * SMALL for one in row) for row in rows]
    return all(one <= width or len(row) < 2 for one, row in zip(widths, rows, strict=True))


def x_label(ax: Axes, text: str) -> None:
    """The label of the x axis, broken to the width of the Axes."""
    ax.set_xlabel("\n".join(broken(text, points(ax), TEXT)), fontsize=TEXT, color=INK)


def count_axis(ax: Axes, highest: float, headroom: float) -> None:
    """An axis of counts: whole numbers, from 0, with ``headroom`` (share of the Axes) left above the data."""
    top = max(highest, 1)
    ticks = MaxNLocator(5, integer=True).tick_values(0, top)
    ax.set_ylim(0, top / (1 - headroom))
    ax.yaxis.set_major_locator(FixedLocator([tick for tick in ticks if 0 <= tick <= top * 1.05]))
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.grid(axis="y", color=GRID, linewidth=0.6)
    ax.tick_params(axis="y", length=0)
    ax.set_ylabel(say("charts.active_keys"), fontsize=TEXT, color=INK)


def foot(ax: Axes, xs: Any, counts: Any, widths: Any, color: str) -> None:
    """A thick base under bars that have a count: one key among thousands is still seen. Heights stay to scale."""
    ends = [(x - width / 2, x + width / 2, nan) for x, n, width in zip(xs, counts, widths, strict=True) if n]
    if ends:
        # one line, with a gap after each bar
        flat = [end for bar in ends for end in bar]
        ax.plot(flat, [0] * len(flat), color=color, linewidth=3, solid_capstyle="butt", gid="foot")


def count_labels(ax: Axes, xs: Any, counts: Any, widths: Any, marked: Any = ()) -> None:
    """The count above each bar that has one, if all fit side by side; those ``marked`` are shown in any case."""
    left, right = ax.get_xlim()
    point = points(ax) / (right - left)
    fits = all(text_width(f"{n:,}", SMALL) < width * point * 1.1 for n, width in zip(counts, widths, strict=True))
    for place, (x, number) in enumerate(zip(xs, counts, strict=True)):
        if number and (fits or place in marked):
            note(ax, f"{number:,}", (x, number), (0, 2), ha="center", va="bottom", fontsize=SMALL)


def note(ax: Axes, text: str, at: Any, offset: tuple[float, float], where: Any = "data", **style: Any) -> None:
    """A text at a point (in ``where``, as ``xycoords``), moved by points, and never clipped."""
    # names may have dollar signs in them, which are no mathematics
    style = {"fontsize": TEXT, "color": INK, "parse_math": False, **style}
    ax.annotate(text, at, xytext=offset, xycoords=where, textcoords="offset points", annotation_clip=False, **style)


def thinned(ax: Axes, labels: Sequence[str], span: float, whole: float, keep: int) -> list[str]:
    """Labels of evenly spaced ticks over ``span`` of the ``whole`` axis; where they would touch, only every second,
    third, ... is left, counted so that the one at ``keep`` stays."""
    room = points(ax) * span / whole / max(len(labels) - 1, 1)
    step = ceil((max(text_width(label, SMALL) for label in labels) + 5) / room)
    return [label if (place - keep) % step == 0 else "" for place, label in enumerate(labels)]


def axis_break(ax: Axes, x: float) -> None:
    """The mark of a broken axis, on the lower edge at ``x``."""
    note(ax, "//", (x, 0), (0, 0), ax.get_xaxis_transform(), ha="center", va="center", bbox=BLANK, zorder=5)


def points(ax: Axes) -> float:
    """Width of the Axes; the layout engine of its figure will make it about a tenth wider than it is."""
    return float(ax.get_window_extent().width / ax.figure.dpi * INCH * 1.1)


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, weight: str = "normal") -> float:
    """The width of a line of text in points, as wide as any renderer makes it."""
    font = FontProperties(size=size, weight=weight)
    return 1.03 * float(text_to_path.get_text_width_height_descent(text, font, False)[0])


def room_for_rows(ax: Axes) -> float:
    """The height in points that a caller's Axes have for rows, beside titles, keys of marks and labels."""
    return float(ax.get_window_extent().height / ax.figure.dpi * INCH) - HEAD


def has_letters(text: str) -> bool:
    """Whether the font of charts has all letters of a text."""
    font = get_font(findfont(FontProperties()))
    return all(font.get_char_index(ord(letter)) for letter in text)


def broken(text: str, width: float, size: float, weight: str = "normal") -> list[str]:
    """A sentence as lines no wider than ``width`` points: broken between clauses if these fit, else between words
    (a single word may be wider)."""
    parts: list[str] = []
    for separator in (r"(?<=;) ", r"(?<=[,;]) ", " "):
        parts = re.split(separator, text)
        if all(text_width(part, size, weight) <= width for part in parts):
            break
    lines = parts[:1]
    for part in parts[1:]:
        longer = f"{lines[-1]} {part}"
        if text_width(longer, size, weight) <= width:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines
