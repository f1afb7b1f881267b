"""Cells of a time column -> UTC instants, strictly: what is not an ISO 8601 time is never coerced."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd

#: AWS's word for "no such thing", and the empty cell that pandas and spreadsheets make of it; "not known"
NONE_VALUES = frozenset({"N/A", ""})
UNKNOWN_VALUES = frozenset({"no_information", "not_supported"})
_NONE, _UNKNOWN = 1, 2
_KINDS = {**dict.fromkeys(NONE_VALUES, _NONE), **dict.fromkeys(UNKNOWN_VALUES, _UNKNOWN)}
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(?P<zone>[Zz]|[+-]\d\d:?\d\d)?")
#: IAM did not exist then: such a date is another program's "zero time"
_EARLIEST = np.datetime64("2000-01-01", "us")


@dataclass
class Instants:
    """``values`` (datetime64[us], UTC, NaT where none), and masks of the same length: ``none`` (N/A),
    ``unknown`` (no answer, or a zero time); rows of the first cell that is blank, has no zone, is a zero
    time; ``bad``: the first row that cannot be read at all."""

    values: np.ndarray
    none: np.ndarray
    unknown: np.ndarray
    blank: int | None = None
    naive: int | None = None
    zero: int | None = None
    bad: int | None = None


def read_instants(cells: list[str]) -> Instants:
    """All cells of one column; see ``Instants``."""
    count = len(cells)
    kinds = np.array(list(map(_KINDS.get, cells)), dtype=object)
    none, unknown = kinds == _NONE, kinds == _UNKNOWN
    rows = np.flatnonzero(~(none | unknown))
    values = np.full(count, np.datetime64("NaT", "us"))
    result = Instants(values, none, unknown)
    result.blank = cells.index("") if none.any() and "" in cells else None
    if len(rows):
        _fill(result, cells, rows)
    early = values < _EARLIEST
    if early.any():
        result.zero = int(np.flatnonzero(early)[0])
        values[early] = np.datetime64("NaT", "us")
        unknown |= early
    return result


def _fill(result: Instants, cells: list[str], rows: np.ndarray) -> None:
    dates = [cells[row] for row in rows]
    heads = [date[:19] for date in dates]
    if {date[19:] for date in dates} <= {"Z", "+00:00"} and _as_aws_writes(heads):
        # the two forms that AWS writes are read all at once; anything else is read cell by cell
        with suppress(ValueError):
            result.values[rows] = np.array(heads, dtype="datetime64[us]")
            return
    for row, text in zip(rows, dates, strict=True):
        instant, has_zone = _read(text)
        if instant is None:
            result.bad = int(row)
            return
        if not has_zone and result.naive is None:
            result.naive = int(row)
        result.values[row] = np.datetime64(instant.replace(tzinfo=None), "us")


def _as_aws_writes(heads: list[str]) -> bool:
    """Whether all are written ``2026-11-23T17:00:00``, digit for digit."""
    if set(map(len, heads)) != {19} or not "".join(heads).isascii():
        return False
    letters = np.array(heads, dtype="S19").view(np.uint8).reshape(-1, 19)
    marks = np.frombuffer(b"0000-00-00T00:00:00", np.uint8)
    digit = marks == ord("0")
    return bool(((letters - ord("0") <= 9) | ~digit).all() and ((letters == marks) | digit).all())


def _read(text: str) -> tuple[datetime | None, bool]:
    match = _ISO.fullmatch(text)
    if not match:
        return None, False
    try:
        instant = datetime.fromisoformat(text.upper())
        has_zone = instant.tzinfo is not None
        return (instant.astimezone(UTC) if has_zone else instant.replace(tzinfo=UTC)), has_zone
    except (ValueError, OverflowError):
        return None, False


def ends_with_zone(cell: str) -> bool:
    """Whether this is a whole time, with its zone."""
    match = _ISO.fullmatch(cell)
    return match is not None and match["zone"] is not None


def read_leniently(cell: str) -> datetime | None:
    """The instant in a cell of a column that no control judges; None for anything else."""
    return None if cell in _KINDS else _read(cell)[0]


def lenient_instants(cells: list[str]) -> pd.Series:
    """A column that no control judges, as tz-aware times: what cannot be read is NaT."""
    return pd.Series([read_leniently(cell) for cell in cells], dtype="datetime64[us, UTC]")


def parse_instant(text: str) -> datetime | None:
    """An ISO 8601 time with a zone as UTC; None if it is not one."""
    try:
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo else None
    except (ValueError, OverflowError):
        return None
