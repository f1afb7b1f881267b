"""A table and a paragraph as values: what is shown is decided before how it is drawn."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from keyaudit.texts import language, say, template, visible

#: rows of a table in a report, and of one of accounts; what is left out stands where the text of the table says
MOST_ROWS = 20
MOST_ACCOUNTS = 200
#: and of the list that is worked through
MOST_TASKS = 500
#: characters: of one word that stays whole, of several that do, and of a sentence, which needs room
LONGEST_WHOLE, LONGEST_SHORT, WORDS = 24, 12, 30
SHORT = 9
#: a day or an instant, which browsers would break after a hyphen
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:]{8}Z)?")


@dataclass(frozen=True)
class Table:
    """A captioned table of text cells; ``numeric`` columns are aligned right. ``total`` is the number of rows
    there are, where only the first are shown; ``where`` says where the others are; ``none`` what is said in place
    of rows where there are none. ``is_list``: each row is read by itself, and on a narrow screen becomes a card;
    ``leaving``: the columns that a narrow terminal may do without, in the order in which they go."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[str] = frozenset()
    total: int = 0
    note: str = ""
    where: str = ""
    is_list: bool = False
    none: str = field(default_factory=lambda: say("table.none"))
    leaving: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        refuse_uneven(self.caption, self.columns, self.rows)

    def _repr_html_(self) -> str:
        if not self.rows:
            return f'<p class="none"><b>{_html(self.caption)}:</b> {_html(self.none)}</p>'
        head = "".join(f'<th scope="col"{self._align(name)}>{escape(name)}</th>' for name in self.columns)
        body = "\n".join(f"<tr>{self._cells(row)}</tr>" for row in self.rows)
        notes = [text for text in (self._more(), self.note) if text]
        after = "".join(f'<p class="note">{_html(text)}</p>' for text in notes)
        return (
            f"<table{self._length()}><caption>{_html(self.caption)}</caption>\n<thead><tr>{head}</tr></thead>\n"
            f"<tbody>\n{body}\n</tbody></table>{after}"
        )

    def _cells(self, row: tuple[str, ...]) -> str:
        first, *others = zip(self.columns, row, strict=True)
        cells = [f'<th scope="row"{self._align(*first)}>{_html(first[1])}</th>']
        cells += [f"<td{self._align(name, cell)}{self._label(name)}>{_html(cell)}</td>" for name, cell in others]
        return "".join(cells)

    def _label(self, name: str) -> str:
        return f' data-label="{escape(name)}"' if self.is_list else ""

    def _align(self, name: str, cell: str = "") -> str:
        if name in self.numeric:
            return ' class="number"'
        if not cell:
            return ""
        if " " in cell and len(cell) > LONGEST_SHORT:
            return ' class="words"' if len(cell) >= WORDS else ' class="few"'
        # a name, an id or a date stays whole; a hash, an ARN or a very long name may be broken anywhere
        return ' class="whole"' if len(cell) <= LONGEST_WHOLE else ' class="long"'

    def _length(self) -> str:
        """A short table is not broken over two pages."""
        kinds = ["cards"] * self.is_list + ["short"] * (len(self.rows) <= SHORT)
        return f' class="{" ".join(kinds)}"' if kinds else ""

    def _more(self) -> str:
        left = self.total - len(self.rows)
        return (
            say("table.more", n=left, shown=len(self.rows), total=self.total, where=self.where) if left > 0 else ""
        )

    def __repr__(self) -> str:
        if not self.rows:
            return f"{self.caption}: {self.none}"
        lines = [
            self.caption,
            "\t".join(self.columns),
            *("\t".join(row) for row in self.rows),
            self._more(),
            self.note,
        ]
        return "\n".join(line for line in lines if line)


@dataclass(frozen=True)
class Figure:
    """A number (None: not known), what it counts, and in which ``style`` it is shown."""

    number: int | None
    what: str
    style: str = ""


@dataclass(frozen=True)
class Figures:
    """Numbers side by side, and of how many they are."""

    numbers: tuple[Figure, ...]
    of: str

    def _repr_html_(self) -> str:
        shown = "".join(
            f"<li{_style(one.style)}><b>{_cell(one.number)}</b> {_html(one.what)}</li>" for one in self.numbers
        )
        return f'<ul class="figures">{shown}</ul><p class="note">{_html(self.of)}</p>'

    def __repr__(self) -> str:
        return "\n".join([*(f"{_cell(one.number)} {one.what}" for one in self.numbers), self.of])


def _html(text: str) -> str:
    """A text as HTML, with its dates whole."""
    return _DATE.sub(r'<span class="whole">\g<0></span>', escape(text)) if "-" in text else escape(text)


def _style(name: str) -> str:
    return f' class="{name}"' if name else ""


@dataclass(frozen=True)
class Prose:
    """Paragraphs, one of which may be the ``lead`` (its place), in a style that ``kind`` names; then a list."""

    paragraphs: tuple[str, ...]
    kind: str = "prose"
    items: tuple[str, ...] = ()
    lead: int | None = None
    metadata: dict[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        """Through the door: whatever of a paragraph came from outside can be seen, and stays in its line."""
        object.__setattr__(self, "paragraphs", tuple(map(visible, self.paragraphs)))
        object.__setattr__(self, "items", tuple(map(visible, self.items)))

    def _repr_html_(self) -> str:
        if not self.paragraphs and not self.items:
            return ""
        marks = (' class="lead"' if place == self.lead else "" for place in range(len(self.paragraphs)))
        paragraphs = "".join(f"<p{m}>{_html(p)}</p>" for m, p in zip(marks, self.paragraphs, strict=True))
        items = "".join(f"<li>{_html(item)}</li>" for item in self.items)
        return f'<div class="{self.kind}">{paragraphs}{f"<ul>{items}</ul>" if items else ""}</div>'

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        return {"text/html": self._repr_html_(), "text/plain": repr(self)}, self.metadata

    def __repr__(self) -> str:
        return "\n".join([*self.paragraphs, *(f"- {item}" for item in self.items)])


def table(
    name: str,
    rows: Sequence[Sequence[Any]],
    most: int | None = MOST_ROWS,
    total: int | None = None,
    is_list: bool = False,
    **facts: Any,
) -> Table:
    """The table whose caption, headings and note are the texts under ``table.<name>``. A heading with # is of
    numbers; a column whose heading has ? is left out where it is empty. ValueError for a row with more cells, or
    fewer, than there are headings: none is dropped unseen."""
    headings = say(f"table.{name}.columns").split("|")
    refuse_uneven(name, headings, rows)
    kept = [i for i, h in enumerate(headings) if "?" not in h or any(row[i] is not None for row in rows)]
    columns = tuple(headings[i].replace("?", "") for i in kept)
    rows = [[row[i] for i in kept] for row in rows]
    numeric = frozenset(column.strip("#") for column in columns if column.startswith("#"))
    shown = rows if most is None else rows[:most]
    total = len(rows) if total is None else total
    return Table(
        caption=say(f"table.{name}.caption", n=total, **facts),
        columns=tuple(column.strip("#") for column in columns),
        rows=tuple(tuple(_cell(cell) for cell in row) for row in shown),
        numeric=numeric,
        total=total,
        note=say(f"table.{name}.note", **facts),
        where="" if most is None else say(f"table.{name}.where"),
        is_list=is_list,
        leaving=leaving_of(name),
    )


def leaving_of(name: str) -> tuple[str, ...]:
    """The headings that a narrow terminal does without, in their order: for tables that terminals show."""
    told = template("terminal.leaving", language()).get(name, "")
    return tuple(told.split("|")) if told else ()


def refuse_uneven(name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """ValueError if a row is not as long as the headings."""
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"table {name!r}: {len(row)} cells under {len(columns)} headings")


def _cell(value: Any) -> str:
    if value is None or value != value:
        return "–"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else visible(str(value))
