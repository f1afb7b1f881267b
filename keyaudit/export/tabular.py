"""An Audit as ``findings.csv``, for spreadsheets; also ``check -f csv``, and other tables as CSV."""

from __future__ import annotations

import csv
import io
import string
import unicodedata
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from keyaudit.model import Audit
from keyaudit.schema import FINDING_COLUMNS, TIME

#: a spreadsheet runs a cell that begins with one of these as a formula, whatever its width or size
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_MINUS = "\u2212"
_PLAIN = frozenset(string.ascii_letters + string.digits)
#: by this a spreadsheet knows that a file is UTF-8, and does not show it in another encoding
BOM = "\ufeff".encode()


def columns(findings: pd.DataFrame) -> dict[str, list[Any]]:
    """The columns of findings for JSON and CSV: integers stay integers, times are ISO 8601 in UTC, and what is
    missing is None."""
    found: dict[str, list[Any]] = {}
    for name, dtype in FINDING_COLUMNS.items():
        cells = findings[name]
        if dtype == TIME:
            moments = np.datetime_as_string(cells.to_numpy("datetime64[us]").astype("datetime64[s]")).tolist()
            found[name] = [None if moment == "NaT" else f"{moment}Z" for moment in moments]
        else:
            found[name] = cells.astype(object).where(cells.notna(), None).tolist()
    return found


def findings_csv(audit: Audit) -> bytes:
    """Every finding as UTF-8 CSV with a header and LF line ends; text that a spreadsheet would run as a
    formula gets an apostrophe in front (names in the other outputs are as AWS gave them)."""
    return table_csv(FINDING_COLUMNS, zip(*columns(audit.findings).values(), strict=True))


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
