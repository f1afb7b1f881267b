"""A table that an auditor filled in -> its cells as text; CSV by the standard library, XLSX by openpyxl, which the
extra xlsx brings. Nothing in it is computed: a formula is the text that it is."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from keyaudit.export.sample_table import COLUMNS
from keyaudit.files import read_plain, unreadable
from keyaudit.schema import InputError

CSV, XLSX = ".csv", ".xlsx"
#: bytes of a file as it is, and unpacked; rows that are read at the most
MOST_BYTES, MOST_UNPACKED, MOST_ROWS = 50_000_000, 500_000_000, 200_000

#: a row: its number in the file, and its cells by their columns
Row = tuple[int, dict[str, str]]


def read_filled(path: Path) -> list[Row]:
    """The rows of a table with the columns of a sample, in their order; rows without any cell are left out.
    InputError if it cannot be read as one."""
    if path.suffix.lower() not in (CSV, XLSX):
        raise InputError(f"{path}: is neither {CSV} nor {XLSX}; give the table of the sample as it was filled in")
    try:
        content = read_plain(path)
    except OSError as error:
        raise InputError(unreadable(path, error)) from None
    if len(content) > MOST_BYTES:
        raise InputError(f"{path}: is larger than {MOST_BYTES:,} bytes, which no sample is")
    lines = _of_csv(path, content) if path.suffix.lower() == CSV else _of_xlsx(path, content)
    return list(_rows(path, lines))


def _rows(path: Path, lines: Iterable[list[str]]) -> Iterator[Row]:
    numbered = enumerate(lines, 1)
    _, header = next(numbered, (0, []))
    if tuple(_without_end(header)) != COLUMNS:
        raise InputError(
            f"{path}, row 1: has not the columns of a sample ({', '.join(COLUMNS)}); keep them as they are, and "
            "save CSV with commas, or use XLSX"
        )
    for number, cells in numbered:
        if number > MOST_ROWS:
            raise InputError(f"{path}: has more than {MOST_ROWS:,} rows, which no sample has")
        kept = _without_end(cells)
        if len(kept) > len(COLUMNS):
            raise InputError(f"{path}, row {number}: has cells beyond the column {COLUMNS[-1]}; remove them")
        if kept:
            yield number, dict(zip(COLUMNS, kept + [""] * (len(COLUMNS) - len(kept)), strict=True))


def _without_end(cells: list[str]) -> list[str]:
    """The cells without those at the end that are empty."""
    end = next((place for place in range(len(cells), 0, -1) if cells[place - 1]), 0)
    return cells[:end]


def _of_csv(path: Path, content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8; save it as CSV UTF-8, or use XLSX") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            yield [cell.strip() for cell in cells]
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: cannot be read as CSV ({error})") from None


def _of_xlsx(path: Path, content: bytes) -> Iterator[list[str]]:
    """The cells of the first sheet."""
    try:
        import openpyxl
    except ImportError:
        raise InputError(
            f'{path}: to read it needs openpyxl, which is not installed: pip install "keyaudit[xlsx]"'
        ) from None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(one.file_size for one in archive.infolist()) > MOST_UNPACKED:
                raise InputError(f"{path}: unpacks to more than {MOST_UNPACKED:,} bytes, which no sample does")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it cannot keep it needs not keep: nothing is written
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
            lines = [[_text(cell) for cell in cells] for cells in _first(book, path)]
            book.close()
    except InputError:
        raise
    except Exception as error:  # whatever a damaged file makes of a library
        raise InputError(f"{path}: cannot be read as XLSX ({type(error).__name__}); save it as .xlsx") from None
    yield from lines


def _first(book: Any, path: Path) -> Iterator[tuple[Any, ...]]:
    sheet = book.worksheets[0]
    sheet.reset_dimensions()  # what it says of its own size is not always so
    for number, cells in enumerate(sheet.iter_rows(values_only=True)):
        if number > MOST_ROWS:
            raise InputError(f"{path}: has more than {MOST_ROWS:,} rows, which no sample has")
        yield cells


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():  # as some programs keep any number
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, datetime) else str(cell).strip()
