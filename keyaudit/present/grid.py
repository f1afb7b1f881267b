"""A table, and lines, as wide as a terminal is: no word is broken, and what is needed least goes first.

Without a width, where a program or a file takes the text, a row is one line, however long.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from keyaudit.present.table import Table
from keyaudit.schema import COMPLIANT, INSUFFICIENT_DATA, NON_COMPLIANT
from keyaudit.texts import listed, say

INDENT, GAP = "  ", "  "
#: columns that a cell of a few words, and one of a sentence, has at the least
SHORT, SENTENCE, LONG = 20, 24, 40
_COLOURS = {NON_COMPLIANT: "31", INSUFFICIENT_DATA: "33", COMPLIANT: "32"}


@dataclass(frozen=True)
class _Column:
    name: str
    cells: tuple[str, ...]
    is_numeric: bool

    @property
    def natural(self) -> int:
        return max(map(width_of, (self.name, *self.cells)))

    @property
    def word(self) -> int:
        """The longest word."""
        return max(width_of(word) for text in (self.name, *self.cells) for word in text.split(" "))

    @property
    def least(self) -> int:
        """What is read with ease: the longest word, and room for a few where there are several."""
        cell = max(map(width_of, self.cells), default=0)
        return max(self.word, SENTENCE if cell > LONG else min(cell, SHORT))


def grid(table: Table, colour: bool = False, width: int | None = None) -> str:
    """The table in columns of even width; numbers end at the same place. If it is wider than ``width``, sentences
    and headings are broken between words; then columns go, in the order in which the text ``terminal.leaving`` of
    the table names them, and a line says which."""
    columns, gone = _kept(table, width)
    widths = _widths(columns, width)
    lines = [*wrapped(table.caption, width), *_row([one.name for one in columns], columns, widths)]
    for number, cells in enumerate(table.rows):
        kind = next((kind for kind in _COLOURS if kind in cells), "")
        row = _row([one.cells[number] for one in columns], columns, widths)
        lines += [INDENT + coloured(line.removeprefix(INDENT), kind, colour) for line in row]
    if table.total > len(table.rows):
        lines += _note(say("terminal.more", shown=len(table.rows), total=table.total), width)
    if gone:
        lines += _note(say("terminal.left_out", n=len(gone), columns=listed("words", gone)), width)
    return "\n".join(lines)


def _kept(table: Table, width: int | None) -> tuple[list[_Column], list[str]]:
    """The columns that are shown, and the names of those that are not."""
    columns = [
        _Column(name, tuple(row[place] for row in table.rows), name in table.numeric)
        for place, name in enumerate(table.columns)
    ]
    gone: list[str] = []
    for name in table.leaving:
        if width is None or _total([one.least for one in columns]) <= width:
            break
        gone += [one.name for one in columns if one.name == name]
        columns = [one for one in columns if one.name != name]
    return columns, gone


def _total(widths: Sequence[int]) -> int:
    return len(INDENT) + sum(widths) + len(GAP) * (len(widths) - 1)


def _widths(columns: list[_Column], width: int | None) -> list[int]:
    """The width of each column: room for its longest word, then to be read with ease, then for whole cells; each
    time what is missing least is given first, so that sentences have what is left."""
    natural = [one.natural for one in columns]
    if width is None or _total(natural) <= width:
        return natural
    found = [one.word for one in columns]
    for wanted in ([one.least for one in columns], natural):
        for place in sorted(range(len(found)), key=lambda at: wanted[at] - found[at]):
            found[place] += max(0, min(wanted[place] - found[place], width - _total(found)))
    return found


def _row(cells: list[str], columns: list[_Column], widths: list[int]) -> Iterator[str]:
    """The lines of a row: as many as its longest cell has."""
    parts = [wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for line in zip_longest(*parts, fillvalue=""):
        padded = (
            " " * (width - width_of(part)) + part if one.is_numeric else part + " " * (width - width_of(part))
            for part, one, width in zip(line, columns, widths, strict=True)
        )
        yield (INDENT + GAP.join(padded)).rstrip()


def _note(told: str, width: int | None) -> list[str]:
    return [INDENT + line for line in wrapped(told, width and width - len(INDENT))]


def wrapped(line: str, width: int | None, hanging: str = "") -> list[str]:
    """A line as lines of at most this width, broken between words; a word that is longer stays whole. Those after
    the first begin where the line does, and with ``hanging``."""
    if width is None or width_of(line) <= width:
        return [line]
    indent = line[: len(line) - len(line.lstrip(" "))]
    first, *words = line.lstrip(" ").split(" ")
    lines = [indent + first]
    for word in words:
        if width_of(lines[-1]) + 1 + width_of(word) <= width:
            lines[-1] += f" {word}"
        elif word:
            lines.append(indent + hanging + word)
    return lines


def width_of(text: str) -> int:
    """Columns on a terminal: East Asian wide characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def coloured(text: str, kind: str, colour: bool) -> str:
    """The text in the colour of a conclusion, if it is one and colours are wanted."""
    return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if colour and kind in _COLOURS else text
