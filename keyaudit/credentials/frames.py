"""Columns of strings -> the typed frames ``users`` and ``keys``.

What a control judges is read strictly: a cell that is neither what AWS writes nor what a re-save is known to
make of it is refused with its line, never coerced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, repeat
from typing import Any

import numpy as np
import pandas as pd

from keyaudit.credentials.activity import latest_activity
from keyaudit.credentials.arrays import Columns, framed, typed
from keyaudit.credentials.columns import KNOWN, Table, read_table, shown
from keyaudit.credentials.gaps import Gap
from keyaudit.credentials.oddities import remark_keys
from keyaudit.credentials.principals import (
    Remarks,
    is_rootless,
    principals,
    refuse_duplicates,
    refuse_other_account,
    remark_names,
    unescape_root,
)
from keyaudit.credentials.refusals import refused
from keyaudit.credentials.times import NONE_VALUES, UNKNOWN_VALUES, Instants, lenient_instants, read_instants
from keyaudit.schema import (
    ACTIVE,
    CONTROLS,
    INACTIVE,
    ROOT_KEY,
    RULES,
    SLOTS,
    TIME,
    UNJUDGED_BOOLEANS,
    UNJUDGED_TIMES,
)
from keyaudit.texts import say

_STATUSES = np.array([INACTIVE, ACTIVE], dtype=object)
_UNTOLD = -1
_BOOLEANS = {word: value == "true" for value in ("true", "false") for word in (value, value.title(), value.upper())}


@dataclass
class Parsed:
    """One report, read. ``account_id`` is None where it has no ARNs; ``warnings`` say what was odd, with file
    and line, ``notes`` what is merely worth knowing; ``gaps`` which controls cannot rely on the report, and
    why; ``latest_activity`` is the last moment that the report knows of: it was generated no earlier. ``created``
    (NaT if unknown) and ``is_root`` have one entry per row."""

    account_id: str | None
    keys: Columns
    table: Table
    created: np.ndarray
    is_root: np.ndarray
    latest_activity: datetime | None
    warnings: list[str]
    notes: list[str]
    gaps: list[Gap]

    @property
    def rows(self) -> int:
        return len(self.table)

    @property
    def names(self) -> list[str]:
        """The user of each row."""
        return self.table.columns["user"]

    @property
    def is_rootless(self) -> bool:
        """Whether reports of its partition have no row for root."""
        return is_rootless(self.table.columns.get("arn", []))


@dataclass
class _Slot:
    """One key slot over all rows of the report; ``used`` is None where the report has no such column, and in
    ``untold`` rows it does not say whether the key is active."""

    number: int
    active: np.ndarray
    untold: np.ndarray
    rotated: Instants
    used: Instants | None

    def exists(self, rotated_cells: list[str]) -> np.ndarray:
        """Active, or inactive with a date (also one that cannot be known): N/A and inactive is no key. The
        word not_supported was seen for a root user that has none."""
        unsupported = np.zeros(len(self.untold), bool)
        if self.rotated.unknown.any() and "not_supported" in rotated_cells:
            unsupported = np.array(rotated_cells, dtype=object) == "not_supported"
        return ~self.untold & (self.active | ~(self.rotated.none | unsupported))


def parse(
    text: str, source: str, label: str = "", generated_time: datetime | None = None, rules: int = RULES
) -> Parsed:
    """Read the CSV text of one report into its ``keys``, under its account id or else the label given. By rules 2 a
    name that was escaped for HTML was not known for that of the root user.

    InputError names file, line, column, what was found, and the remedy.
    """
    table = read_table(text, source)
    remarks = Remarks(table, source)
    if rules >= 3:
        unescape_root(remarks)
    account_id, is_root = principals(remarks)
    if rules >= 3:
        refuse_other_account(remarks, account_id)
    refuse_duplicates(remarks, is_root)
    remark_names(remarks, is_root)
    created = remarks.instants("user_creation_time")
    slots = [_read_slot(remarks, number, is_root) for number in SLOTS]
    keys, rows = _keys(remarks, slots)
    nowhere = np.full(len(table), np.datetime64("NaT", "us"))
    keys |= {
        "account_id": np.full(len(rows), account_id or label, dtype=object),
        "is_root": is_root[rows],
        "user_creation_time": (created.values if created else nowhere)[rows],
        "generated_time": np.full(len(rows), _naive(generated_time)),
    }
    remark_keys(remarks, keys, is_root)
    times = [created, *(slot.rotated for slot in slots), *(slot.used for slot in slots)]
    return Parsed(
        account_id=account_id,
        keys=keys,
        table=table,
        created=created.values if created else nowhere,
        is_root=is_root,
        latest_activity=latest_activity(table, times),
        warnings=remarks.warnings,
        notes=remarks.notes,
        gaps=remarks.gaps,
    )


@dataclass(frozen=True)
class Principals:
    """The rows of one report under its account and its time, as they were read: the ``users`` frame is made of them
    where somebody asks for it, since it costs as much as reading."""

    table: Table
    account_id: str
    generated_time: datetime | None


def users_frame(reports: Sequence[Principals]) -> pd.DataFrame:
    """The ``users`` frame of parsed reports: (principals x AWS's columns that any of them has), see ``schema``."""
    full = [one for one in reports if len(one.table)] or list(reports[:1])
    there = {name for one in full for name in one.table.columns}
    names = [name for name in KNOWN if name in there]
    sizes = [len(one.table) for one in full]
    accounts = np.array([one.account_id for one in full], dtype=object)
    columns = {"account_id": typed(np.repeat(accounts, sizes), "str")}
    for name in names:
        parts = [one.table.columns.get(name, [None] * len(one.table)) for one in full]
        columns[name] = _column(name, list(chain.from_iterable(parts)))
    times = np.array([_naive(one.generated_time) for one in full], dtype="datetime64[us]")
    columns["generated_time"] = typed(np.repeat(times, sizes), TIME)
    return framed(columns, sum(sizes))


def _column(name: str, cells: list[str | None]) -> Any:
    """A column of ``users``; None where a report does not have it."""
    if name in UNJUDGED_BOOLEANS or name.endswith("_active"):
        return typed(np.array([_BOOLEANS.get(cell or "") for cell in cells], dtype=object), "boolean")
    if name in UNJUDGED_TIMES:
        return lenient_instants([cell or "" for cell in cells]).array
    if name.endswith(("_time", "_date", "_last_rotated")):
        return typed(read_instants([cell or "" for cell in cells]).values, TIME)
    return typed(np.array(cells, dtype=object), "str")


def _naive(instant: datetime | None) -> np.datetime64:
    return np.datetime64(instant.astimezone(UTC).replace(tzinfo=None) if instant else "NaT", "us")


def _read_slot(remarks: Remarks, number: int, is_root: np.ndarray) -> _Slot:
    column = f"access_key_{number}_active"
    cells = remarks.columns[column]
    values = np.fromiter(map(_BOOLEANS.get, cells, repeat(_UNTOLD)), np.int8, len(cells))
    for row in np.flatnonzero(values == _UNTOLD).tolist():
        if not (is_root[row] and cells[row] in UNKNOWN_VALUES):
            raise refused(remarks.place(row, column), "no_boolean", cell=shown(cells[row]))
        remarks.warn(row, column, "root_unknown", cell=cells[row])
        # with a date beside it there is a key, about which nothing more is known
        dated = remarks.columns[f"access_key_{number}_last_rotated"][row] not in NONE_VALUES | UNKNOWN_VALUES
        controls = CONTROLS if dated else (ROOT_KEY,)
        remarks.gaps.append(Gap(controls, say("read.root_untold", number=number)))
    rotated = remarks.instants(f"access_key_{number}_last_rotated")
    assert rotated is not None  # a required column
    return _Slot(
        number, values == 1, values == _UNTOLD, rotated, remarks.instants(f"access_key_{number}_last_used_date")
    )


def _keys(remarks: Remarks, slots: list[_Slot]) -> tuple[Columns, np.ndarray]:
    """One entry per existing key, in the order of the report, and the row of each."""
    length = len(remarks.columns["user"])
    parts: list[dict[str, np.ndarray]] = []
    for slot in slots:
        prefix = f"access_key_{slot.number}_last_"
        rows = np.flatnonzero(slot.exists(remarks.columns[f"{prefix}rotated"]))
        used = slot.used or Instants(
            np.full(length, np.datetime64("NaT", "us")), np.zeros(length, bool), np.ones(length, bool)
        )
        parts.append(
            {
                "row": rows,
                "user": _pick(remarks, "user", rows),
                "arn": _pick(remarks, "arn", rows),
                "key_slot": np.full(len(rows), slot.number),
                "status": _STATUSES[slot.active[rows].astype(int)],
                "last_rotated": slot.rotated.values[rows],
                "last_used_date": used.values[rows],
                "last_used_region": _pick(remarks, f"{prefix}used_region", rows),
                "last_used_service": _pick(remarks, f"{prefix}used_service", rows),
                "access_key_id": np.full(len(rows), None, dtype=object),
                "last_used_unknown": used.unknown[rows],
                "owner": np.full(len(rows), None, dtype=object),
                "administrator": np.full(len(rows), None, dtype=object),
                "purpose": np.full(len(rows), None, dtype=object),
            }
        )
    both = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((both["key_slot"], both["row"]))
    ordered = {name: values[order] for name, values in both.items()}
    return ordered, ordered.pop("row")


def _pick(remarks: Remarks, column: str, rows: np.ndarray) -> np.ndarray:
    """The cells of these rows, None where the report has no such column or says N/A (but for names)."""
    if column not in remarks.columns:
        return np.full(len(rows), None, dtype=object)
    found = np.array(remarks.columns[column], dtype=object)[rows]
    if column not in ("user", "arn"):
        for nothing in NONE_VALUES:
            found[found == nothing] = None
    return found
