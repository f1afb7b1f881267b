"""Cells of a time column -> UTC instants, strictly: what is not an ISO 8601 time is never coerced."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import repeat

import numpy as np
import pandas as pd

#: AWS's word for "no such thing", and the empty cell that pandas and spreadsheets make of it; "not known"
NONE_VALUES = frozenset({"N/A", ""})
UNKNOWN_VALUES = frozenset({"no_information", "not_supported"})
_NONE, _UNKNOWN = 1, 2
_KINDS = {**dict.fromkeys(NONE_VALUES, _NONE), **dict.fromkeys(UNKNOWN_VALUES, _UNKNOWN)}
#: the two forms in which AWS writes a time; 0 stands for any digit
_FORMS = tuple(np.frombuffer(form, np.uint8) for form in (b"0000-00-00T00:00:00Z", b"0000-00-00T00:00:00+00:00"))
#: days in each month of a year that is no leap year
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
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
    kinds = np.fromiter(map(_KINDS.get, cells, repeat(0)), np.int8, count)
    none, unknown = kinds == _NONE, kinds == _UNKNOWN
    rows = np.flatnonzero(kinds == 0)
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
    dates = cells if len(rows) == len(cells) else [cell for cell in cells if cell not in _KINDS]
    # what is written as AWS writes it is read all at once; anything else cell by cell
    written = _as_aws_writes(dates)
    if written is not None:
        result.values[rows] = written
        return
    for row, text in zip(rows, dates, strict=True):
        instant, has_zone = _read(text)
        if instant is None:
            result.bad = int(row)
            return
        if not has_zone and result.naive is None:
            result.naive = int(row)
        result.values[row] = np.datetime64(instant.replace(tzinfo=None), "us")


def _as_aws_writes(dates: list[str]) -> np.ndarray | None:
    """The instants (datetime64[us]) of times that are all written in one of AWS's two forms, digit for digit; None
    if one is not, or is no time that there is."""
    if len(set(map(len, dates))) > 1 and all(date[19:] in ("Z", "+00:00") for date in dates):
        dates = [f"{date[:19]}Z" for date in dates]  # both forms in one column
    lengths = set(map(len, dates))
    joined = "".join(dates)
    if len(lengths) != 1 or not joined.isascii():
        return None
    form = next((form for form in _FORMS if {len(form)} == lengths), None)
    if form is None:
        return None
    letters = np.frombuffer(joined.encode(), np.uint8).reshape(-1, len(form))
    digit = form == ord("0")
    digit[19:] = False  # the zone is written out
    if not ((letters == form) | digit).all() or not ((letters - ord("0") <= 9) | ~digit).all():
        return None
    tens = letters.astype(np.int64) - ord("0")
    year = tens[:, 0] * 1000 + tens[:, 1] * 100 + tens[:, 2] * 10 + tens[:, 3]
    month, day, hour, minute, second = (tens[:, at] * 10 + tens[:, at + 1] for at in (5, 8, 11, 14, 17))
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    in_year = (month >= 1) & (month <= 12)
    last = _DAYS[np.where(in_year, month, 0)] + (leap & (month == 2))
    if not (in_year & (day >= 1) & (day <= last) & (hour <= 23) & (minute <= 59) & (second <= 59)).all():
        return None
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    seconds = (day - 1) * 86_400 + hour * 3_600 + minute * 60 + second
    return months.astype("datetime64[us]") + (seconds * 1_000_000).astype("timedelta64[us]")


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
