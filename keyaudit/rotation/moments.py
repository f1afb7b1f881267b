"""Moments, as far as there are any: dates in a report may be the last ones that there are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

#: nothing is later
LAST = datetime.max.replace(microsecond=0, tzinfo=UTC)


def after(moment: datetime, by: timedelta) -> datetime:
    """So much later; at the end of all dates, the last moment."""
    try:
        return moment + by
    except OverflowError:
        return LAST


def moment_of(value: Any) -> datetime | None:
    """A cell of a frame; None if it is missing."""
    if pd.isna(value):
        return None
    return LAST if value.year > LAST.year else value.to_pydatetime()
