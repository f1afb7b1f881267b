"""What a report cannot tell about its keys, and what is odd about them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from keyaudit.credentials.columns import shown
from keyaudit.credentials.gaps import Gap
from keyaudit.credentials.principals import Remarks
from keyaudit.credentials.times import NONE_VALUES
from keyaudit.schema import ACTIVE, EXTRA_COLUMN, LIMITED_CONTROLS, ROOT_KEY, SLOTS, UNUSED
from keyaudit.texts import say


def remark_keys(remarks: Remarks, keys: pd.DataFrame, is_root: np.ndarray) -> None:
    """Add gaps, warnings and notes about the ``keys`` of a report; ``is_root`` has one entry per row."""
    for number in SLOTS:
        if f"access_key_{number}_last_used_date" not in remarks.columns:
            column = f"access_key_{number}_last_used_date"
            remarks.gaps.append(Gap((UNUSED,), say("read.no_column", source=remarks.source, column=column)))
    if remarks.further_keys:
        facts = {"source": remarks.source, "column": remarks.further_keys[0]}
        remarks.gaps.append(Gap(LIMITED_CONTROLS, say("read.third_key", **facts)))
    extra = remarks.columns.get(EXTRA_COLUMN, [])
    more = [row for row, cell in enumerate(extra) if cell.strip() not in NONE_VALUES]
    if more:
        place = remarks.place(more[0], EXTRA_COLUMN)
        controls = (*LIMITED_CONTROLS, ROOT_KEY) if is_root[more].any() else LIMITED_CONTROLS
        message = say("read.more_keys", place=place, n=len(more))
        remarks.gaps.append(Gap(controls, message))
        remarks.warnings.append(message)
    undated = keys[(keys["status"] == ACTIVE) & keys["last_rotated"].isna()]
    if len(undated):
        first = undated.iloc[0]
        facts = {"source": remarks.source, "slot": first["key_slot"], "user": shown(first["user"])}
        remarks.warnings.append(say("read.undated", **facts, n=len(undated)))
    early = keys[keys["last_used_date"] < keys["last_rotated"]]
    if len(early):
        first = early.iloc[0]
        facts = {"source": remarks.source, "slot": first["key_slot"], "user": shown(first["user"])}
        remarks.notes.append(say("read.used_before", **facts, n=len(early)))
