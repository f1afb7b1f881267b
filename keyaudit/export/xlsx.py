"""The sheets of a workbook -> an XLSX file: text is text, times are times, and there is no formula and no link. The
only module that imports xlsxwriter, which the extra xlsx brings."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import xlsxwriter

from keyaudit.export.cells import Cell, Sheet, Verdict
from keyaudit.export.formats import Made
from keyaudit.export.workbook import sheets
from keyaudit.model import Proved
from keyaudit.schema import COMPLIANT, EXEMPT, INSUFFICIENT_DATA, NON_COMPLIANT, NOT_APPLICABLE, UNREAD, InputError
from keyaudit.texts import say, utc, visible

#: what Excel takes: rows of a sheet with its headings, and UTF-16 units of a cell, a header or a footer
MOST_ROWS, MOST_UNITS, MOST_MARGIN = 1_048_576, 32_767, 255
#: what is text stays text, whatever it looks like
TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
#: rows are written one by one, so that hundreds of thousands fit into memory
OPTIONS: dict[str, Any] = {**TEXT, "constant_memory": True}
#: widths in characters; and what the arrow of a filter takes
NARROWEST, WIDEST, ARROW = 6, 60, 3
LABELS = 26
A4 = 9
#: paper and ink, as on the page of a report: colours say it again, the words say it first
COLOURS = {
    NON_COMPLIANT: ("#F9D8DC", "#A40E26"),
    INSUFFICIENT_DATA: ("#FCE8C5", "#7A4D05"),
    UNREAD: ("#FCE8C5", "#7A4D05"),
    EXEMPT: ("#DCE6F5", "#1F3F77"),
    COMPLIANT: ("#D6EEDD", "#1A6334"),
    NOT_APPLICABLE: ("#ECEFF2", "#424A53"),
}
#: before this a spreadsheet knows no date
FIRST = datetime(1900, 3, 1, tzinfo=UTC)


def made(proved: Proved) -> Made:
    """A workbook, the same bytes from the same evidence. InputError if it has more rows than a sheet can hold."""
    found = sheets(proved)
    for one in found:
        if len(one.rows) >= MOST_ROWS:
            raise InputError(
                f"xlsx: {len(one.rows):,} rows ({one.name}), and a sheet holds {MOST_ROWS:,}: use findings.csv in "
                "the evidence folder"
            )
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, OPTIONS) as book:
        # the instant of judgement, not the clock: so the bytes are the same whenever it is made
        created = proved.audit.as_of.replace(tzinfo=None, microsecond=0)
        title = say("workbook.title", name=proved.name)
        book.set_properties({"title": _cut(visible(title), MOST_MARGIN), "created": created})
        styles = _Styles(book)
        for one in found:
            _write(book.add_worksheet(one.name), one, styles)
            _margins(book.worksheets()[-1], proved)
    return Made(file.getvalue())


class _Styles:
    """The formats of cells, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book

    def _made(self, **more: Any) -> Any:
        return self._book.add_format({"valign": "top", "text_wrap": True, **more})

    @cached_property
    def plain(self) -> Any:
        return self._made()

    @cached_property
    def heading(self) -> Any:
        return self._made(bold=True, bg_color="#ECEFF2", bottom=1)

    @cached_property
    def label(self) -> Any:
        return self._made(bold=True)

    @cached_property
    def time(self) -> Any:
        return self._made(num_format="yyyy-mm-dd hh:mm:ss", align="left")

    @cached_property
    def verdicts(self) -> Mapping[str, Any]:
        return {
            kind: self._made(bg_color=paper, font_color=ink, bold=True) for kind, (paper, ink) in COLOURS.items()
        }


def _write(page: Any, one: Sheet, styles: _Styles) -> None:
    rows = list(_shown(one))
    for place, width in enumerate(_widths(one, rows)):
        page.set_column(place, place, width)
    for place, heading in enumerate(one.columns):
        page.write_string(0, place, heading, styles.heading)
    for number, row in enumerate(rows, len(one.columns) and 1):
        for place, cell in enumerate(row):
            style = styles.label if not one.columns and place == 0 else styles.plain
            _write_cell(page, number, place, cell, style, styles)
    if one.columns:
        page.freeze_panes(1, one.frozen)
        page.autofilter(0, 0, len(rows), len(one.columns) - 1)
        page.repeat_rows(0)
    # ids of accounts are digits and no numbers
    page.ignore_errors({"number_stored_as_text": f"A1:XFD{MOST_ROWS}"})


def _shown(one: Sheet) -> Iterator[list[Cell]]:
    for row in one.rows:
        yield [_seen(cell) for cell in row]


def _seen(cell: Cell) -> Cell:
    """A cell as it is written: what is text fits, and can be seen."""
    if isinstance(cell, tuple):
        return _cut("\n".join(map(visible, cell)), MOST_UNITS)
    if isinstance(cell, str):
        return _cut(visible(cell), MOST_UNITS)
    if isinstance(cell, datetime) and (cell < FIRST or cell.year > 9999):
        return utc(cell)
    return cell


def _write_cell(page: Any, row: int, column: int, cell: Cell, style: Any, styles: _Styles) -> None:
    if isinstance(cell, Verdict):
        page.write_string(row, column, cell.text or cell.kind, styles.verdicts[cell.kind])
    elif isinstance(cell, str):
        page.write_string(row, column, cell, style)
    elif isinstance(cell, datetime):
        page.write_datetime(row, column, cell.replace(tzinfo=None), styles.time)
    elif isinstance(cell, int):
        page.write_number(row, column, cell, style)


def _widths(one: Sheet, rows: Sequence[Sequence[Cell]]) -> list[int]:
    """The width of each column: of its longest line, and of the longest word of its heading."""
    if not one.columns:
        return [LABELS, WIDEST]
    found = [max(map(_width, heading.split()), default=0) + ARROW for heading in one.columns]
    for row in rows:
        for place, cell in enumerate(row):
            found[place] = max(found[place], *(_width(line) + 1 for line in _lines(cell)))
    return [min(max(width, NARROWEST), WIDEST) for width in found]


def _lines(cell: Cell) -> list[str]:
    if isinstance(cell, datetime):
        return ["yyyy-mm-dd hh:mm:ss"]
    if isinstance(cell, Verdict):
        return [cell.text or cell.kind]
    return ["" if cell is None else line for line in str(cell).split("\n")]


def _width(line: str) -> int:
    """Letters of East Asia take the room of two."""
    return len(line) + (0 if line.isascii() else sum(unicodedata.east_asian_width(c) in "WF" for c in line))


def _margins(page: Any, proved: Proved) -> None:
    """How it is printed: the folder's name and the seal on each sheet of paper."""
    page.set_landscape()
    page.set_paper(A4)
    page.fit_to_pages(1, 0)
    page.set_margins(left=0.4, right=0.4, top=0.8, bottom=0.7)
    name = visible(proved.name).replace("&", "&&")
    page.set_header(f"&L{_cut(name, MOST_MARGIN - 8)}&R&A")
    page.set_footer(f"&L{say('workbook.footer', sha256=proved.sha256)}&R&P / &N")


def _cut(text: str, most: int) -> str:
    """The text if it has no more UTF-16 units than that; else its beginning, and how long it is."""
    if len(text) <= most // 2 or _units(text) <= most:
        return text
    end = say("workbook.cut", n=len(text))
    kept = text[: most - len(end)]
    while _units(kept) > most - len(end):
        kept = kept[: len(kept) - max(1, (_units(kept) - most + len(end)) // 2)]
    return kept + end


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
