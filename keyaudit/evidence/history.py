"""An evidence folder -> what it says of the keys at its instant: verified, and judged again from what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from keyaudit.auditing import audit
from keyaudit.evidence.verify import proved
from keyaudit.evidence.verify.judged import unsealed
from keyaudit.model import Audit, Provenance
from keyaudit.model.folders import Entry
from keyaudit.period.snapshots import SeenAccount, SeenKey, Snapshot
from keyaudit.policy import Policy
from keyaudit.schema import ACTIVE, INSUFFICIENT_DATA, ROTATION, InputError

_KEY_COLUMNS = (
    "account_id", "user", "user_creation_time", "access_key_id", "last_rotated", "status", "key_slot", "is_root",
    "owner",
)  # fmt: skip


@dataclass(frozen=True)
class Looked:
    """What verify found wrong in a folder, and without any fault what the folder says."""

    faults: tuple[str, ...]
    snapshot: Snapshot | None = None


def look(one: Entry, given: Policy | None = None) -> Looked:
    """Verify a folder, and judge it again by its own policy; its conclusion is by the policy ``given``, if any. A
    folder of a later version, or one that is gone by now, is a fault: nothing in it can be relied on."""
    try:
        found = proved(one.path)
        judged, manifest = found.audit, found.manifest
        if found.faults or judged is None or manifest is None or found.population is None:
            return Looked(tuple(found.faults))
        own = judged.policy
        if given is not None:
            rules = manifest.get("rules", 1)
            judged = audit(found.population, given, manifest["parameters"]["as_of"], rules=rules)
            if changed := unsealed(judged, one.path, manifest):
                return Looked(tuple(changed))
    except InputError as error:
        return Looked((str(error),))
    return Looked((), _snapshot(one, judged, own))


def _snapshot(one: Entry, judged: Audit, policy: Policy) -> Snapshot:
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
    missing = column.isna().tolist()
    cells = column.astype(object).tolist()
    return [None if gone else _plain(cell) for cell, gone in zip(cells, missing, strict=True)]


def _plain(cell: object) -> object:
    return cell.to_pydatetime() if isinstance(cell, pd.Timestamp) else cell
