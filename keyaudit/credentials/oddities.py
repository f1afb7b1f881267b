"""What a report cannot tell of its keys, and what is odd about them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from keyaudit.credentials.columns import shown
from keyaudit.credentials.principals import Remarks
from keyaudit.credentials.times import NONE_VALUES
from keyaudit.schema import ACTIVE, EXTRA_COLUMN, LIMITED_CONTROLS, ROOT_KEY, SLOTS, UNUSED


def remark_keys(remarks: Remarks, keys: pd.DataFrame, is_root: np.ndarray) -> None:
    """Gaps, warnings and notes on the ``keys`` of a report; ``is_root`` has one entry for each row."""
    for number in SLOTS:
        if f"access_key_{number}_last_used_date" not in remarks.columns:
            message = f"{remarks.source} has no column access_key_{number}_last_used_date"
            remarks.gaps.append(((UNUSED,), message))
    if remarks.further_keys:
        remarks.gaps.append(
            (LIMITED_CONTROLS, f"{remarks.source} has columns of a third key, {remarks.further_keys[0]}")
        )
    extra = remarks.columns.get(EXTRA_COLUMN, [])
    more = [row for row, cell in enumerate(extra) if cell.strip() not in NONE_VALUES]
    if more:
        place = remarks.place(more[0], EXTRA_COLUMN)
        controls = (*LIMITED_CONTROLS, ROOT_KEY) if is_root[more].any() else LIMITED_CONTROLS
        message = f"{place}: principals with more keys than the report shows (rows: {len(more)})"
        remarks.gaps.append((controls, message))
        remarks.warnings.append(message)
    undated = keys[(keys["status"] == ACTIVE) & keys["last_rotated"].isna()]
    if len(undated):
        first = undated.iloc[0]
        remarks.warnings.append(
            f"{remarks.source}: access key {first['key_slot']} of {shown(first['user'])} is active "
            f"without a date: its age is unknown (keys: {len(undated)})"
        )
    early = keys[keys["last_used_date"] < keys["last_rotated"]]
    if len(early):
        first = early.iloc[0]
        remarks.notes.append(
            f"{remarks.source}: access key {first['key_slot']} of {shown(first['user'])} was last used "
            f"before it was last rotated (keys: {len(early)})"
        )
