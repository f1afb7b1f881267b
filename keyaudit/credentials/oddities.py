"""What a report cannot tell about its keys, and what is odd about them."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyaudit.credentials.arrays import Columns
from keyaudit.credentials.columns import shown
from keyaudit.credentials.gaps import Gap
from keyaudit.credentials.principals import Remarks
from keyaudit.credentials.times import NONE_VALUES
from keyaudit.schema import ACTIVE, EXTRA_COLUMN, LIMITED_CONTROLS, ROOT_KEY, SLOTS, UNUSED
from keyaudit.texts import say


def remark_keys(remarks: Remarks, keys: Columns, is_root: np.ndarray) -> None:
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
    undated = (keys["status"] == ACTIVE) & np.isnat(keys["last_rotated"])
    if undated.any():
        remarks.warnings.append(say("read.undated", **_first(remarks, keys, undated)))
    early = keys["last_used_date"] < keys["last_rotated"]
    if early.any():
        remarks.notes.append(say("read.used_before", **_first(remarks, keys, early)))


def _first(remarks: Remarks, keys: Columns, which: np.ndarray) -> dict[str, Any]:
    """The first of these keys, and how many they are, for a sentence."""
    first = int(np.argmax(which))
    facts = {"source": remarks.source, "slot": int(keys["key_slot"][first]), "user": shown(keys["user"][first])}
    return {**facts, "n": int(which.sum())}
