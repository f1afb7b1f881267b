"""The keys to be judged: changed, dropped and added as the comparison found, with ids, purposes and owners."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from keyaudit.credentials.arrays import MISSING, Columns, count, no_keys, take, together
from keyaudit.reconcile.match import NAT, Pair


def judged_keys(
    keys: Columns,
    told: Columns,
    changed: list[Pair],
    dropped: list[int],
    added: list[dict[str, Any]],
    label: str,
) -> Columns:
    """``keys`` of the report with what is ``told`` of them, their ids and purposes: with the worse status and date
    for the ``changed`` ones, without those of users who no longer exist, and with those that only the live account
    lists."""
    judged = {**keys, **told}
    if changed:
        judged |= {name: keys[name].copy() for name in ("status", "last_rotated")}
    for pair in changed:
        assert pair.reported
        judged["status"][pair.reported.row] = pair.status
        judged["last_rotated"][pair.reported.row] = pair.made
    if dropped:
        judged = take(judged, np.delete(np.arange(count(judged)), dropped))
    return together([judged, _added(added, label)]) if added else judged


def _added(added: list[dict[str, Any]], label: str) -> Columns:
    """Keys that are not in the report; their last use is not known."""
    default = {"account_id": label, "is_root": False, "last_used_unknown": True, "key_slot": MISSING}
    nowhere = no_keys()
    found: Columns = {}
    for name, values in nowhere.items():
        cells = [one.get(name, default.get(name)) for one in added]
        if values.dtype.kind == "M":
            cells = [NAT if cell is None else cell for cell in cells]
        found[name] = np.array(cells, dtype=values.dtype)
    return found


def with_owners(keys: Columns, owners: dict[str, dict[str, Any]] | None) -> Columns:
    """``keys`` with the owner of each, and whether its user is an administrator, as the root user always is.
    ``owners`` None: nobody asked."""
    if owners is None:
        return keys
    found = [owners.get(user, {}) for user in keys["user"]]
    told = [True if root else one.get("administrator") for one, root in zip(found, keys["is_root"], strict=True)]
    return {
        **keys,
        "owner": np.array([one.get("owner") for one in found], dtype=object),
        "administrator": np.array(told, dtype=object),
    }


def second(moment: datetime | None) -> np.datetime64:
    """A moment as numpy knows it, in whole seconds; NaT for none."""
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "s") if moment else NAT
