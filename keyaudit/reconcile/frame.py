"""The keys to be judged: changed, dropped and added as the comparison found, with ids and owners."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from keyaudit.reconcile.match import NAT, Pair
from keyaudit.schema import KEY_COLUMNS, TIME


def mask(key_id: str) -> str:
    """The last four characters, by which a person knows a key; the whole id stays in the inventory."""
    return f"****{key_id[-4:]}"


def judged_keys(
    keys: pd.DataFrame,
    ids: np.ndarray,
    changed: list[Pair],
    dropped: list[int],
    added: list[dict[str, Any]],
    label: str,
) -> pd.DataFrame:
    """``keys`` of the report with their ids: with the worse status and date for the ``changed`` ones, without those
    of users who no longer exist, and with those that only the live account lists."""
    judged = keys.copy()
    judged["access_key_id"] = pd.Series(ids, index=keys.index, dtype="str")
    for pair in changed:
        assert pair.reported
        judged.loc[pair.reported.row, "status"] = pair.status
        judged.loc[pair.reported.row, "last_rotated"] = _stamp(pair.made)
    if dropped:
        judged = judged.drop(index=dropped)
    if added:
        judged = pd.concat([judged, _added_frame(added, label)])
    return judged.reset_index(drop=True)


def _added_frame(added: list[dict[str, Any]], label: str) -> pd.DataFrame:
    """Keys that are not in the report; their last use is not known."""
    default = {"account_id": label, "is_root": False, "last_used_unknown": True}
    frame: dict[str, pd.Series] = {}
    for name, dtype in KEY_COLUMNS.items():
        values = [one.get(name, default.get(name)) for one in added]
        frame[name] = pd.Series([_stamp(value) for value in values] if dtype == TIME else values, dtype=dtype)
    return pd.DataFrame(frame)


def with_owners(keys: pd.DataFrame, owners: dict[str, dict[str, Any]] | None) -> pd.DataFrame:
    """``keys`` with the owner of each, and whether its user is an administrator, as the root user always is.
    ``owners`` None: nobody asked."""
    if owners is None:
        return keys
    found = [owners.get(user, {}) for user in keys["user"]]
    told = [True if root else one.get("administrator") for one, root in zip(found, keys["is_root"], strict=True)]
    return keys.assign(
        owner=pd.Series([one.get("owner") for one in found], index=keys.index, dtype="str"),
        administrator=pd.Series(told, index=keys.index, dtype="boolean"),
    )


def second(moment: datetime | None) -> np.datetime64:
    """A moment as numpy knows it, in whole seconds; NaT for none."""
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "s") if moment else NAT


def _stamp(moment: Any) -> Any:
    return pd.NaT if moment is None or np.isnat(moment) else pd.Timestamp(moment, tz="UTC")
