"""Cells of a time column -> UTC instants, strictly: what is no ISO 8601 time is never coerced."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

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
    if _as_aws_writes(dates):
        try:
            # the two forms that AWS writes, in one call; whatever else there is goes cell by cell
            read = pd.to_datetime(pd.Index(dates, dtype=object), format="ISO8601", utc=True)
            result.values[rows] = read.as_unit("us").tz_localize(None).to_numpy()
            return
        except (ValueError, OverflowError):
            pass
    for row, text in zip(rows, dates, strict=True):
        instant, has_zone = _read(text)
        if instant is None:
            result.bad = int(row)
            return
        if not has_zone and result.naive is None:
            result.naive = int(row)
        result.values[row] = np.datetime64(instant.replace(tzinfo=None), "us")


def _as_aws_writes(dates: list[str]) -> bool:
    """Whether all have the length and the zone of ``2026-11-23T17:00:00Z``, or all of ``...+00:00``."""
    lengths = set(map(len, dates))
    return (lengths == {20} and {d[19] for d in dates} == {"Z"}) or (
        lengths == {25} and {d[19] for d in dates} <= {"+", "-"}
    )


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


def lenient_instants(cells: list[str]) -> Any:
    """A column that no control judges, as tz-aware times: what cannot be read is NaT."""
    read = [_read(cell)[0] for cell in cells]
    return pd.Series(pd.to_datetime(pd.Series(read, dtype="datetime64[us, UTC]")))
