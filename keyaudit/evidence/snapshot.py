"""A judgement of an evidence folder -> its snapshot: what it says of the keys at its instant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from keyaudit.model import Audit, Provenance
from keyaudit.model.folders import Entry
from keyaudit.period.snapshots import SeenAccount, SeenKey, Snapshot
from keyaudit.policy import Policy
from keyaudit.schema import ACTIVE, INSUFFICIENT_DATA, ROTATION, TIME

_KEY_COLUMNS = (
    "account_id", "user", "user_creation_time", "access_key_id", "last_rotated", "status", "key_slot", "is_root",
    "owner",
)  # fmt: skip


def snapshot_of(one: Entry, judged: Audit, policy: Policy) -> Snapshot:
    """The snapshot of a folder by its judgement, whose conclusion may be by another policy than its own, which is
    ``policy``."""
    doubtful = {
        problem.account_id for problem in judged.problems if ROTATION in problem.controls and not problem.of_policy
    }
    return Snapshot(
        subject=one.identity.whose,
        folder=one.path.name,
        as_of=one.as_of,
        started=one.started,
        sealed=one.sealed,
        policy=policy,
        conclusion=judged.conclusions.get(ROTATION, INSUFFICIENT_DATA),
        accounts=tuple(_account(each, doubtful) for each in judged.provenance),
        keys=tuple(_keys(judged, {each.account_id for each in judged.provenance if each.form})),
    )


def _account(one: Provenance, doubtful: set[str]) -> SeenAccount:
    is_read = bool(one.form)
    return SeenAccount(one.account_id, is_read, is_read and one.account_id not in doubtful, one.generated_time)


def _keys(judged: Audit, read: set[str]) -> Iterator[SeenKey]:
    """The keys of accounts that were read, from their columns: a year may have a million of them."""
    cells = (_known(judged.keys[name]) for name in _KEY_COLUMNS)
    for account, user, user_created, key_id, created, status, slot, is_root, owner in zip(*cells, strict=True):
        if account in read:
            is_active = status == ACTIVE
            yield SeenKey(account, user, user_created, key_id, created, is_active, slot, is_root, owner)


def _known(column: pd.Series) -> list[Any]:
    """The cells of a column; times as Python's own, what is missing as None."""
    is_time = column.dtype == TIME
    cells = pd.DatetimeIndex(column).to_pydatetime() if is_time else column.to_numpy(object, copy=True)
    cells[column.isna().to_numpy()] = None
    return cells.tolist()
