"""Draw accounts by verdict, and by the age of their oldest active key: worst first, the rest summed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from keyaudit.charts import canvas
from keyaudit.charts.empty import nothing
from keyaudit.charts.facts import accounts_said as said
from keyaudit.charts.facts.accounts import MOST, UNREAD, Accounts, Row, accounts_of
from keyaudit.charts.facts.population import days
from keyaudit.charts.scale import DayScale
from keyaudit.charts.verdicts import draw_verdicts
from keyaudit.texts import say

if TYPE_CHECKING:
    from keyaudit.policy import Policy

#: points: the height of a row; what a further line of words adds to it; a line of titles; margins
PITCH, FURTHER, LINE, MARGIN = 16.0, 10.0, 14.0, 30.0
#: of a row: the height of its bar; the gap before a row that sums up
BAR, GAP = 0.62, 0.3
#: the most that words may have of the width; points between columns
WORDS, GUTTER = 0.4, 8.0
#: what is over a limit is seen, however little it is: width in points
LEAST = 4.0


@dataclass(frozen=True)
class Table:
    """Where things stand. ``width`` in points, of which ``left`` and ``right`` are the shares where the age axis
    starts and ends, and ``words`` where the words beside the bars do; ``ys``: middles of rows, from the top."""

    width: float
    left: float
    right: float
    words: float
    lines: tuple[str, ...]
    ys: tuple[float, ...]
    height: float


def plot_accounts(
    accounts: pd.DataFrame, policy: Policy, as_of: datetime | None = None, ax: Axes | None = None
) -> Axes:
    """Accounts by verdict and age, from ``Audit.accounts``; a new figure is as high as its rows need."""
    found = accounts_of(accounts, policy, as_of)
    if found.table.empty:
        return nothing(ax, found.people, "no_keys")
    given, ax = ax, canvas.axes(ax)
    if given is not None:
        found = replace(found, most=_room(ax))
    table = _table(found, canvas.points(ax) if given is not None else _own_width(ax))
    _age_axis(ax, found, table)
    for row, y in zip(found.rows, table.ys, strict=True):
        _draw_row(ax, found, table, row, y)
    _name_rows(ax, found, table)
    judges = bool(found.limit and found.has_ages)
    if found.limit and judges:
        canvas.limit_line(ax, found.limit, say("charts.limit", days=days(found.limit)))
    strips = draw_verdicts(ax, found, table.width, table.left, int(judges))
    canvas.head(ax, said.claim(found), said.remarks(found), said.alt(found), strips)
    if given is None:
        _fit(ax, table, strips)
    return ax


# --- places ---------------------------------------------------------------------------------------------------


def _room(ax: Axes) -> int:
    """How many accounts can have a row in a given Axes, of which titles will take a part."""
    height = ax.get_window_extent().height / ax.figure.dpi * canvas.INCH
    return int(np.clip(0.65 * height // PITCH - 2, 3, MOST))


def _own_width(ax: Axes) -> float:
    """Width in points of the Axes of a new figure: all of it, for nothing stands beside them."""
    return float(ax.figure.figure.get_size_inches()[0] * canvas.INCH - 2 * GUTTER)


def _fit(ax: Axes, table: Table, strips: int) -> None:
    """Make a new figure as high as its rows, titles and labels."""
    texts = [ax.get_title(loc="left"), ax.texts[-1].get_text(), ax.get_xlabel()]  # the subtitle was written last
    lines = sum(text.count("\n") + 1 for text in texts if text)
    height = MARGIN + lines * LINE + strips * canvas.STRIP + table.height * PITCH
    ax.figure.figure.set_size_inches(ax.figure.figure.get_size_inches()[0], height / canvas.INCH)


def _table(found: Accounts, width: float) -> Table:
    """Columns as wide as their texts; the bars have what is left."""
    broken = [canvas.broken(said.words(found, row), width * WORDS, canvas.SMALL) for row in found.rows]
    gaps = [GAP * row.summed for row in found.rows]
    heights = [gap + 1 + (len(lines) - 1) * FURTHER / PITCH for gap, lines in zip(gaps, broken, strict=True)]
    ends = [*accumulate(heights)]
    names = [row.label for row in found.rows]
    total = _widest([said.total_text(found)], "bold")
    words = 1 - _widest([line for lines in broken for line in lines]) / width
    return Table(
        width=width,
        left=(max(_widest(names), total) + GUTTER) / width,
        right=words - (_widest([f"{found.total.oldest or 0:,}"]) + GUTTER) / width,
        words=words,
        lines=tuple("\n".join(lines) for lines in broken),
        ys=tuple(end - (height - gap) / 2 for end, height, gap in zip(ends, heights, gaps, strict=True)),
        height=ends[-1],
    )


def _widest(texts: list[str], weight: str = "normal") -> float:
    return max(canvas.text_width(text, canvas.SMALL, weight) for text in texts)


def _share(ax: Axes, day: float) -> float:
    """Where a day is, as a share of the width of the Axes."""
    left, right, at = ax.xaxis.get_transform().transform(np.array([*ax.get_xlim(), day]))
    return float((at - left) / (right - left))


# --- ages -----------------------------------------------------------------------------------------------------


def _age_axis(ax: Axes, found: Accounts, table: Table) -> None:
    """Ages, between the names of accounts and the words beside the bars; none where no age is known."""
    ages = np.array([row.oldest for row in found.rows if row.oldest is not None] or [0], dtype=float)
    scale = DayScale.over(ages, [found.limit], whole_days=True)
    scale.apply(ax, "x")
    target = ax.xaxis.get_transform()
    low, high = target.transform(np.array([0.0, scale.top]))
    whole = (high - low) / (table.right - table.left)
    ends = np.array([low - table.left * whole, high + (1 - table.right) * whole])
    ax.set_xlim(*target.inverted().transform(ends))
    ax.set_ylim(table.height, 0)
    ax.set_yticks([])
    ax.spines.left.set_position(("data", 0))
    ax.spines.bottom.set_bounds(0, scale.top)
    ax.spines.bottom.set_visible(found.has_ages)
    ax.tick_params(length=0)
    ax.xaxis.set_major_locator(FixedLocator(_ticks(ax, found, table) if found.has_ages else []))
    if found.has_ages:
        room = table.width * (1 - table.left)
        label = canvas.broken(scale.label(say("charts.by_account.x")), room, canvas.TEXT)
        ax.set_xlabel("\n".join(label), x=table.left, ha="left", fontsize=canvas.TEXT, color=canvas.INK)


def _ticks(ax: Axes, found: Accounts, table: Table) -> list[float]:
    """Ticks whose labels do not touch: that of the limit, then those below it and those beyond."""
    limit, text = found.limit or 0, ax.xaxis.get_major_formatter()
    kept: dict[float, tuple[float, float]] = {}
    for tick in sorted(ax.get_xticks(), key=lambda tick: (tick > limit, abs(tick - limit))):
        half = canvas.text_width(text(tick, None), canvas.SMALL) / 2 + 2
        middle = _share(ax, tick) * table.width
        if all(middle - half >= high or middle + half <= low for low, high in kept.values()):
            kept[tick] = (middle - half, middle + half)
    return sorted(kept)


def _name_rows(ax: Axes, found: Accounts, table: Table) -> None:
    style = {"va": "center_baseline", "fontsize": canvas.SMALL, "linespacing": 1.1}
    for row, y, line in zip(found.rows, table.ys, table.lines, strict=True):
        canvas.note(ax, row.label, (0, y), (0, 0), ax.get_yaxis_transform(), **style)
        canvas.note(ax, line, (table.words, y), (0, 0), ax.get_yaxis_transform(), **style)


def _draw_row(ax: Axes, found: Accounts, table: Table, row: Row, y: float) -> None:
    """The bar of a row and its age; a band that has none where an account was not read."""
    style: dict[str, Any] = {"height": BAR, "linewidth": 0, "alpha": 0.5 if row.summed else None}
    if not row.read:
        ax.barh(y, ax.spines.bottom.get_bounds()[1], gid=UNREAD, zorder=3.5, **style, **canvas.UNKNOWN)
    if row.oldest is None:
        return
    parts = _parts(ax, found, table, row)
    for name, low, high, look in parts:
        ax.barh(y, high - low, left=low, gid=name, **style, **look)
    text, end = f"{row.oldest:,}", parts[-1][2]
    reach = _share(ax, end) + (canvas.text_width(text, canvas.SMALL) + GUTTER) / table.width
    # beside the bar, unless it would stand on the line of the limit: then in what is within it
    inside = found.limit is not None and end <= found.limit and reach > _share(ax, found.limit)
    at, side = (parts[0][2], "right") if inside else (end, "left")
    style = {"ha": side, "va": "center_baseline", "fontsize": canvas.SMALL, "zorder": 4}
    canvas.note(ax, text, (at, y), (-4 if inside else 4, 0), bbox=None if inside else canvas.BLANK, **style)


def _parts(ax: Axes, found: Accounts, table: Table, row: Row) -> list[tuple[str, float, float, dict[str, Any]]]:
    """The parts of a bar: within the limit, and over it, which is seen also where it is less than a day, or where
    keys have limits of their own."""
    assert row.oldest is not None
    if not found.limit:
        return [("unjudged", 0, row.oldest, canvas.PLAIN)]
    if row.oldest <= found.limit and not (row.failing or row.exempt):
        return [("within", 0, row.oldest, canvas.WITHIN)]
    name, look = ("exempt", canvas.EXCUSED) if row.exempt and not row.failing else ("over", canvas.OVER)
    least = LEAST / table.width * found.limit / (_share(ax, found.limit) - _share(ax, 0))
    early = row.oldest < found.limit
    start = max(row.oldest - least, 0) if early else found.limit
    end = row.oldest if early else max(row.oldest, found.limit + least)
    return [("within", 0, start, canvas.WITHIN), (name, start, end, look)]
