"""The keys of reports as columns: an array for each of ``schema.KEY_COLUMNS``.

Arrays are cut and put together at no cost to speak of; a frame is made of them once, for many accounts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from keyaudit.schema import KEY_COLUMNS, TIME

#: datetime64[us] in UTC for times, bool, int64 with MISSING for slots, and objects with None for everything else
Columns = dict[str, np.ndarray]
#: no number
MISSING = -1
_DTYPES: dict[str, Any] = {TIME: "datetime64[us]", "bool": bool, "Int64": np.int64}


def count(columns: Columns) -> int:
    """How many keys there are."""
    return len(columns["user"])


def no_keys() -> Columns:
    """The columns of no key at all."""
    return {name: np.array([], dtype=_DTYPES.get(dtype, object)) for name, dtype in KEY_COLUMNS.items()}


def together(parts: Sequence[Columns]) -> Columns:
    """The keys of several accounts, one after the other."""
    if not parts:
        return no_keys()
    return {name: np.concatenate([one[name] for one in parts]) for name in KEY_COLUMNS}


def take(columns: Columns, rows: np.ndarray) -> Columns:
    """Some of the keys, by their places or by a mask."""
    return {name: values[rows] for name, values in columns.items()}


def frame_of(columns: Columns) -> pd.DataFrame:
    """The ``keys`` frame: (keys x ``schema.KEY_COLUMNS``)."""
    return framed({name: typed(columns[name], dtype) for name, dtype in KEY_COLUMNS.items()}, count(columns))


def columns_of(keys: pd.DataFrame) -> Columns:
    """The columns of a ``keys`` frame."""
    found: Columns = {}
    for name, dtype in KEY_COLUMNS.items():
        values = keys[name] if name in keys else pd.Series(dtype=dtype)
        if dtype == TIME:
            found[name] = values.to_numpy("datetime64[us]")
        elif dtype == "Int64":
            found[name] = values.fillna(MISSING).to_numpy(np.int64)
        elif dtype == "bool":
            found[name] = values.to_numpy(bool)
        else:
            found[name] = values.astype(object).where(values.notna(), None).to_numpy(object)
    return found


def typed(values: np.ndarray, dtype: str) -> Any:
    """An array of these columns as what a frame has of this type."""
    if dtype == "Int64":
        return pd.arrays.IntegerArray(values.astype(np.int64), values < 0)
    return pd.array(values, dtype=_type(dtype))


def framed(columns: dict[str, Any], length: int) -> pd.DataFrame:
    """A frame of arrays of this length, which it keeps: nobody may change them afterwards."""
    return pd.DataFrame(columns, index=pd.RangeIndex(length), copy=False)


@cache
def _type(name: str) -> Any:
    """A type by its name, which pandas looks up among many."""
    return pd.api.types.pandas_dtype(name)
