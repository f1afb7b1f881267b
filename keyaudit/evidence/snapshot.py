"""A judgement of an evidence folder -> its snapshot: what it says of the keys at its instant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from keyaudit.model import Audit, Provenance
from keyaudit.model.folders import Entry
from keyaudit.period.snapshots import SeenAccount, SeenKey, Snapshot
from keyaudit.policy import Policy
from keyaudit.schema import ACTIVE, INSUFFICIENT_DATA, ROTATION, TIME

#: those of ``SeenKey``, in its order
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
        keys=_keys(judged, {each.account_id for each in judged.provenance if each.form}),
    )


def _account(one: Provenance, doubtful: set[str]) -> SeenAccount:
    is_read = bool(one.form)
    return SeenAccount(one.account_id, is_read, is_read and one.account_id not in doubtful, one.generated_time)


class _Keys(Iterable[SeenKey]):
    """The keys of accounts that were read, as columns; tuples are made where somebody looks at them. A process that
    judged them hands them on, and to write down thousands of times takes a tenth as long as to judge them all."""

    def __init__(self, columns: Sequence[np.ndarray]) -> None:
        self._columns = columns

    def __reduce__(self) -> tuple[type[_Keys], tuple[Sequence[np.ndarray]]]:
        return _Keys, (self._columns,)

    @cached_property
    def _tuples(self) -> tuple[SeenKey, ...]:
        return tuple(map(SeenKey._make, zip(*map(_plain, self._columns), strict=True)))  # no key is ever dropped

    def __iter__(self) -> Iterator[SeenKey]:
        return iter(self._tuples)


def _keys(judged: Audit, read: set[str]) -> _Keys:
    keys = judged.keys[judged.keys["account_id"].isin(read)]
    columns = {name: _known(keys[name]) for name in _KEY_COLUMNS}
    return _Keys([*(columns | {"status": columns["status"] == ACTIVE}).values()])


def _known(column: pd.Series) -> np.ndarray:
    """The cells of a column, what is missing as None, or as NaT among times."""
    if column.dtype == TIME:
        return column.to_numpy("datetime64[us]")
    cells = column.to_numpy(object, copy=True)
    cells[column.isna().to_numpy()] = None
    return cells


def _plain(cells: np.ndarray) -> list[Any]:
    """As values of Python, times in UTC, what is missing as None."""
    if cells.dtype == object or cells.dtype == bool:
        return cells.tolist()
    times = pd.DatetimeIndex(cells, tz=UTC).to_pydatetime()
    times[np.isnat(cells)] = None
    return times.tolist()
