"""Draw accounts by verdict, and the active keys of each: overdue, exempt, in time; worst first, the rest summed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, MaxNLocator

from keyaudit.charts import canvas
from keyaudit.charts.empty import nothing
from keyaudit.charts.facts import accounts_said as said
from keyaudit.charts.facts.accounts import Accounts, Row, accounts_of
from keyaudit.charts.verdicts import draw_verdicts
from keyaudit.schema import UNREAD
from keyaudit.texts import say

if TYPE_CHECKING:
    from keyaudit.policy import Policy

#: in points: the height of a row; what a further line of words adds to it; a line of titles; margins
PITCH, FURTHER, LINE, MARGIN = 16.0, 10.0, 14.0, 30.0
#: as shares of a row: the height of its bar; the gap before a row that sums up
BAR, GAP = 0.62, 0.3
#: the largest shares of the width for words and for the names of accounts; the points between columns
WORDS, NAMES, GUTTER = 0.4, 0.3, 8.0
#: width in points at which a part of a bar is visible, however few keys it has
LEAST = 4.0
#: from the left: what fails first, so that it has a common start
STYLES: dict[str, dict[str, Any]] = {
    "over": canvas.OVER,
    "exempt": canvas.EXCUSED,
    "unknown": canvas.UNKNOWN,
    "due_soon": canvas.DUE_SOON,
    "within": canvas.WITHIN,
    "unjudged": canvas.PLAIN,
}


@dataclass(frozen=True)
class Table:
    """The layout. ``width`` in points, of which ``left`` and ``right`` are the shares where the axis of
    keys starts and ends, and ``words`` where the words beside the bars do; ``names`` are what rows are called;
    ``most`` keys are as long as the axis; ``ys``: middles of rows, from the top."""

    width: float
    left: float
    right: float
    words: float
    names: tuple[str, ...]
    most: int
    lines: tuple[str, ...]
    ys: tuple[float, ...]
    height: float


def plot_accounts(
    accounts: pd.DataFrame, policy: Policy, as_of: datetime | None = None, ax: Axes | None = None
) -> Axes:
    """Accounts by verdict, and the active keys of each; a new figure is as high as its rows need."""
    found = accounts_of(accounts, policy, as_of)
    if found.table.empty:
        return nothing(ax, found.people, "no_keys")
    given, ax = ax, canvas.axes(ax, rounds=2)  # words stand at a share of the width
    table = _table(found, _own_width(ax))
    if given is not None:
        found, table = _fitting(ax, found)
    _key_axis(ax, table)
    for row, y in zip(found.rows, table.ys, strict=True):
        _draw_row(ax, found, table, row, y)
    _name_rows(ax, table)
    strips = _draw_parts(ax, found, table)
    strips = draw_verdicts(ax, found, table.width, table.left, strips)
    canvas.head(ax, said.claim(found), said.remarks(found), said.alt(found), strips)
    if given is None:
        _fit(ax, table, strips)
    return ax


# --- places ---------------------------------------------------------------------------------------------------


def _fitting(ax: Axes, found: Accounts) -> tuple[Accounts, Table]:
    """As many accounts as have room in a given Axes, of which titles and keys of marks will take a part; one at
    least."""
    room = canvas.room_for_rows(ax) / PITCH
    for most in range(found.most, 0, -1):
        fewer = replace(found, most=most)
        table = _table(fewer, canvas.points(ax))
        if table.height <= room:
            break
    return fewer, table


def _own_width(ax: Axes) -> float:
    """The width in points of the Axes of a new figure: the whole figure, because nothing stands beside them."""
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
    names = [_label(row, width * NAMES) for row in found.rows]
    total = _widest([said.total_text(found)], "bold")
    words = 1 - _widest([line for lines in broken for line in lines]) / width
    return Table(
        width=width,
        left=(max(_widest(names), total) + GUTTER) / width,
        right=words - GUTTER / width,
        words=words,
        names=tuple(names),
        most=max((row.active for row in found.rows if not row.summed), default=0),
        lines=tuple("\n".join(lines) for lines in broken),
        ys=tuple(end - (height - gap) / 2 for end, height, gap in zip(ends, heights, gaps, strict=True)),
        height=ends[-1],
    )


def _label(row: Row, width: float) -> str:
    """What the row is called; of a name for which there is no room, the beginning, and none of its letters if the
    font lacks one."""
    if row.name and not canvas.has_letters(row.name):
        return row.account_id
    label = row.label
    for length in range(len(row.name) - 1, 0, -1):
        if canvas.text_width(label, canvas.SMALL) <= width:
            break
        label = row.label.replace(row.name, f"{row.name[:length]}…", 1)
    return label


def _widest(texts: list[str], weight: str = "normal") -> float:
    return max(canvas.text_width(text, canvas.SMALL, weight) for text in texts)


# --- keys -----------------------------------------------------------------------------------------------------


def _key_axis(ax: Axes, table: Table) -> None:
    """The numbers of keys, between the names of accounts and the words beside the bars; none if no key is
    active."""
    top = max(table.most, 1)
    whole = top / (table.right - table.left)
    ax.set_xlim(-table.left * whole, top + (1 - table.right) * whole)
    ax.set_ylim(table.height, 0)
    ax.set_yticks([])
    ax.spines.left.set_position(("data", 0))
    ax.spines.bottom.set_bounds(0, top)
    ax.spines.bottom.set_visible(bool(table.most))
    ax.tick_params(length=0)
    ticks = [tick for tick in MaxNLocator(4, integer=True).tick_values(0, top) if 0 <= tick <= top]
    ax.xaxis.set_major_locator(FixedLocator(ticks if table.most else []))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    if table.most:
        ax.set_xlabel(say("charts.by_account.x"), x=table.left, ha="left", fontsize=canvas.TEXT, color=canvas.INK)


def _name_rows(ax: Axes, table: Table) -> None:
    style = {"va": "center_baseline", "fontsize": canvas.SMALL, "linespacing": 1.1}
    for name, y, line in zip(table.names, table.ys, table.lines, strict=True):
        canvas.note(ax, name, (0, y), (0, 0), ax.get_yaxis_transform(), **style)
        canvas.note(ax, line, (table.words, y), (0, 0), ax.get_yaxis_transform(), **style)


def _draw_row(ax: Axes, found: Accounts, table: Table, row: Row, y: float) -> None:
    """The bar of a row; a band where an account was not read, and none for several accounts in one row, which would
    dwarf the others."""
    if not row.read:
        style: dict[str, Any] = {"height": BAR, "linewidth": 0, "alpha": 0.5 if row.summed else None}
        ax.barh(y, ax.spines.bottom.get_bounds()[1], gid=UNREAD, zorder=3.5, **style, **canvas.UNKNOWN)
    elif not row.summed:
        start = 0.0
        for name, length in _lengths(found, table, row).items():
            ax.barh(y, length, BAR, left=start, gid=name, linewidth=0, **STYLES[name])
            start += length


def _lengths(found: Accounts, table: Table, row: Row) -> dict[str, float]:
    """How long each part of a bar is, in keys: to scale, except for parts that would not be visible."""
    numbers = {"unjudged": row.active}
    if found.limit:
        in_time = row.in_time - row.due_soon
        numbers = {"over": row.failing, "exempt": row.exempt, "unknown": row.unknown}
        numbers |= {"due_soon": row.due_soon, "within": in_time}
    least = LEAST / (table.width * (table.right - table.left)) * table.most
    return {name: max(number, least) for name, number in numbers.items() if number}


def _draw_parts(ax: Axes, found: Accounts, table: Table) -> int:
    """The key of marks for the bars; returns how many strips it takes above the Axes."""
    texts = said.parts(found)
    if not texts:
        return 0
    handles = [Patch(linewidth=0, label=text, **STYLES[name]) for name, text in texts.items()]
    return canvas.keys_above(ax, handles, table.width, 0)
