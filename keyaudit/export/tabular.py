"""An Audit as ``findings.csv``, for spreadsheets; also ``check -f csv``, and other tables as CSV."""

from __future__ import annotations

import csv
import io
import re
import string
import unicodedata
from collections.abc import Iterable
from typing import Any
from weakref import ref

import numpy as np
import pandas as pd

from keyaudit.model import Audit
from keyaudit.schema import FINDING_COLUMNS, TIME

#: a spreadsheet runs a cell that begins with one of these as a formula, whatever its width or size
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_MINUS = "\u2212"
_PLAIN = frozenset(string.ascii_letters + string.digits)
#: of texts behind NULs, one that does not begin with a letter or a digit
_ODD = re.compile(r"\0[^A-Za-z0-9\0]")
#: what the csv module writes in quotes, and the quote
_SPECIAL, _QUOTE = re.compile(r'[,"\r\n]'), '"'
#: by this a spreadsheet knows that a file is UTF-8, and does not show it in another encoding
BOM = "\ufeff".encode()


#: the findings whose columns were made last, and these: a report writes them twice
_last: list[tuple[ref[pd.DataFrame], dict[str, list[Any]]]] = []


def columns(findings: pd.DataFrame) -> dict[str, list[Any]]:
    """The columns of findings for JSON and CSV: integers stay integers, times are ISO 8601 in UTC, and what is
    missing is None. They are not to be changed."""
    if not (_last and _last[0][0]() is findings):
        _last[:] = [(ref(findings), {name: cells_of(findings[name]) for name in FINDING_COLUMNS})]
    return _last[0][1]


def cells_of(column: pd.Series) -> list[Any]:
    """The cells of a column as Python values; times are ISO 8601 in UTC, and what is missing is None."""
    if column.dtype == TIME:
        moments = np.datetime_as_string(column.to_numpy("datetime64[us]").astype("datetime64[s]")).tolist()
        return [None if moment == "NaT" else f"{moment}Z" for moment in moments]
    found, missing = column.to_numpy(object, copy=True), column.isna().to_numpy()
    found[missing] = None
    return found.tolist()


def findings_csv(audit: Audit) -> bytes:
    """Every finding as UTF-8 CSV with a header and LF line ends; text that a spreadsheet would run as a
    formula gets an apostrophe in front (names in the other outputs are as AWS gave them)."""
    # column by column, as there are many rows and few columns
    cells = [_written(column, FINDING_COLUMNS[name]) for name, column in columns(audit.findings).items()]
    lines = [",".join(FINDING_COLUMNS), *map(",".join, zip(*cells, strict=True)), ""]
    return "\n".join(lines).encode()


def _written(column: list[Any], dtype: str) -> list[str]:
    """The cells of a column as the csv module writes them; a spreadsheet would run none of them."""
    different = set(column)
    if 2 * len(different) > len(column):
        return _each_written(column, dtype)
    # of cells that repeat, each is written once
    known = dict(zip(different, _each_written([*different], dtype), strict=True))
    return [*map(known.__getitem__, column)]


def _each_written(column: list[Any], dtype: str) -> list[str]:
    if dtype not in ("str", TIME):  # numbers and truth values
        return ["" if cell is None else str(cell) for cell in column]
    texts = [cell or "" for cell in column]
    if dtype == TIME:
        return texts
    whole = "\0" + "\0".join(texts)
    if _ODD.search(whole):
        texts = [_neutral(cell) for cell in texts]
    if _SPECIAL.search(whole):
        texts = [f'"{text.replace(_QUOTE, _QUOTE * 2)}"' if _SPECIAL.search(text) else text for text in texts]
    return texts


def table_csv(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> bytes:
    """Rows as UTF-8 CSV with LF line ends; a spreadsheet would run none of their cells."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_neutral(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _neutral(value: Any) -> Any:
    # nearly every cell begins with a letter or a digit that every keyboard has
    if not isinstance(value, str) or value[:1] in _PLAIN:
        return value
    return "'" + value if may_run(value) else value


def may_run(cell: str) -> bool:
    """Whether a spreadsheet would run a cell as a formula."""
    if cell.startswith(FORMULA):
        return True
    # a spreadsheet may skip what it does not show
    shown = next((c for c in cell if c.isprintable() and not c.isspace()), "")
    return bool(shown) and (shown == _MINUS or unicodedata.normalize("NFKC", shown).startswith(FORMULA))
