"""The sheets of a workbook -> an XLSX file: text is text, times are times, and there is no formula and no link. The
only module that imports xlsxwriter, which the extra xlsx brings."""

from __future__ import annotations

import io
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, cached_property
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
#: in a sheet of more than so many columns, none is wider than that; so many characters are legible across one sheet
#: of paper
FEW, WIDEST_OF_MANY, OF_PAPER = 12, 50, 200
#: heights in points, of a line and of the highest row that Excel takes
LINE, HIGHEST = 15, 409
A4 = 9
TIMES = "yyyy-mm-dd HH:MM:SS"
_DIGEST = re.compile("[0-9a-f]{64}", re.ASCII)
#: paper and ink, as on the page of a report: colours say it again, the words say it first
COLOURS = {
    NON_COMPLIANT: ("#F9D8DC", "#A40E26"),
    INSUFFICIENT_DATA: ("#FCE8C5", "#7A4D05"),
    UNREAD: ("#FCE8C5", "#7A4D05"),
    EXEMPT: ("#DCE6F5", "#1F3F77"),
    COMPLIANT: ("#D6EEDD", "#1A6334"),
    NOT_APPLICABLE: ("#ECEFF2", "#424A53"),
}
#: the widths of the lines of a cell
Size = tuple[int, ...]
#: before this a spreadsheet knows no date
FIRST = datetime(1900, 3, 1, tzinfo=UTC)


def made(proved: Proved) -> Made:
    """A workbook, the same bytes from the same evidence. InputError if it has more rows than a sheet can hold."""
    return Made(written(sheets(proved), proved.name, proved.sha256, proved.audit.as_of))


def written(found: Sequence[Sheet], name: str, sha256: str, as_of: datetime) -> bytes:
    """Sheets as a workbook, made of evidence of this name, seal and instant."""
    refuse_long(found)
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, OPTIONS) as book:
        # the instant of judgement, not the clock: so the bytes are the same whenever it is made
        created = as_of.replace(tzinfo=None, microsecond=0)
        title = say("workbook.title", name=name)
        book.set_properties({"title": _cut(visible(title), MOST_MARGIN), "created": created})
        styles = _Styles(book)
        for one in found:
            _write(book.add_worksheet(one.name), one, styles)
            _margins(book.worksheets()[-1], name, sha256)
    return file.getvalue()


def refuse_long(found: Iterable[Sheet]) -> None:
    """InputError for a sheet with more rows than Excel takes."""
    for one in found:
        if len(one.rows) >= MOST_ROWS:
            raise InputError(
                f"xlsx: {len(one.rows):,} rows ({one.name}), and a sheet holds {MOST_ROWS:,} with its headings: "
                "use findings.csv in the evidence folder"
            )


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
        return self._made(num_format=TIMES, align="left", indent=1)

    @cached_property
    def number(self) -> Any:
        return self._made(align="right", indent=1)

    @cached_property
    def digest(self) -> Any:
        return self._made(font_size=9)

    @cached_property
    def verdicts(self) -> Mapping[str, Any]:
        return {
            kind: self._made(bg_color=paper, font_color=ink, bold=True, indent=1)
            for kind, (paper, ink) in COLOURS.items()
        }


def _write(page: Any, one: Sheet, styles: _Styles) -> None:
    rows = [[_seen(cell) for cell in row] for row in one.rows]
    sizes = [[_size(cell) for cell in row] for row in rows]
    widths = _widths(one, sizes)
    for place, width in enumerate(widths):
        page.set_column(place, place, width)
    rooms = [width - ARROW for width in widths]  # beside the arrow of a filter
    page.set_row(0, _height([_size(heading) for heading in one.columns], rooms))
    for place, heading in enumerate(one.columns):
        page.write_string(0, place, heading, styles.heading)
    for number, (row, size) in enumerate(zip(rows, sizes, strict=True), 1 if one.columns else 0):
        page.set_row(number, _height(size, widths))
        for place, cell in enumerate(row):
            if cell is not None:
                _write_cell(page, number, place, cell, styles, styles.label if not (one.columns or place) else None)
    if one.columns:
        page.freeze_panes(1, one.frozen)
        page.autofilter(0, 0, len(rows), len(one.columns) - 1)
        page.repeat_rows(0)
        page.repeat_columns(0, one.frozen - 1)
    for heading, words in one.choices:
        place = one.columns.index(heading)
        page.data_validation(1, place, len(rows), place, {"validate": "list", "source": list(words)})
    # ids of accounts are digits and no numbers
    page.ignore_errors({"number_stored_as_text": f"A1:XFD{MOST_ROWS}"})
    # a summary is one sheet of paper, and a list is as long as it is
    page.fit_to_pages(max(1, round(sum(widths) / OF_PAPER)), 0 if one.columns else 1)


def _seen(cell: Cell) -> Cell:
    """A cell as it is written: what is text fits, and can be seen."""
    if isinstance(cell, tuple):
        return _cut("\n".join(map(visible, cell)), MOST_UNITS)
    if isinstance(cell, str):
        return _cut(visible(cell), MOST_UNITS)
    if isinstance(cell, datetime) and (cell < FIRST or cell.year > 9999):
        return utc(cell)
    return cell


def _write_cell(page: Any, row: int, column: int, cell: Cell, styles: _Styles, style: Any = None) -> None:
    if isinstance(cell, Verdict):
        page.write_string(row, column, cell.text or cell.kind, styles.verdicts[cell.kind])
    elif isinstance(cell, str):
        style = style or (styles.digest if _DIGEST.fullmatch(cell) else styles.plain)
        page.write_string(row, column, cell, style)
    elif isinstance(cell, datetime):
        page.write_datetime(row, column, cell.replace(tzinfo=None), styles.time)
    elif isinstance(cell, int):
        page.write_number(row, column, cell, styles.number)


def _widths(one: Sheet, sizes: Iterable[Iterable[Size]]) -> list[int]:
    """The width of each column: of its longest line, and of the longest word of its heading; less in a sheet of
    many columns, so that more of them are in sight."""
    if not one.columns:
        return [LABELS, WIDEST]
    widest = WIDEST if len(one.columns) <= FEW else WIDEST_OF_MANY
    found = [max(map(_width, heading.split()), default=0) + ARROW for heading in one.columns]
    for size in sizes:
        found = [max(width, *lines) if lines else width for width, lines in zip(found, size, strict=True)]
    return [min(max(width + 2, NARROWEST), widest) for width in found]


def _height(size: Iterable[Size], widths: Iterable[int]) -> int:
    """The height of a row in points, by the cell that takes most lines: not every program works it out."""
    most = 1
    for lines, width in zip(size, widths, strict=False):
        if len(lines) > 1 or (lines and lines[0] >= width):
            most = max(most, sum(max(1, math.ceil(line / (width - 1))) for line in lines))
    return min(LINE * most, HIGHEST)


def _size(cell: Cell) -> Size:
    if isinstance(cell, str):
        return tuple(map(_width, cell.split("\n"))) if "\n" in cell else _line(_width(cell))
    if isinstance(cell, datetime):
        return _line(len(TIMES))
    if isinstance(cell, Verdict):
        return _line(len(cell.text or cell.kind) + 1)
    return () if cell is None else _line(len(str(cell)))


@cache
def _line(width: int) -> Size:
    """One line; cells are many, and their sizes few."""
    return (width,)


def _width(line: str) -> int:
    """In letters of the usual size. Those of East Asia take the room of two, and a digest is written smaller."""
    if line.isascii():
        return WIDEST - 3 if len(line) == 64 and _DIGEST.fullmatch(line) else len(line)
    return len(line) + sum(unicodedata.east_asian_width(c) in "WF" for c in line)


def _margins(page: Any, name: str, sha256: str) -> None:
    """How it is printed: the folder's name and the seal on each sheet of paper."""
    page.set_landscape()
    page.set_paper(A4)
    page.set_margins(left=0.4, right=0.4, top=0.8, bottom=0.7)
    name = visible(name).replace("&", "&&")
    page.set_header(say("workbook.header", name=_cut(name, MOST_MARGIN - 8)))
    page.set_footer(say("workbook.footer", sha256=sha256))


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
