"""An Audit + a Selection -> the keys that are meant, judged again by the limit that is asked about (pure).

The verdicts come from ``assess``, the same functions on which the audit itself rests; evidence that was missing
stays missing, whatever the limit. Nothing here is a conclusion.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from keyaudit.assess import Accounts, control_rows
from keyaudit.auditing.partition import graces_of
from keyaudit.credentials.arrays import columns_of, take
from keyaudit.explore.selection import Selection, with_limit
from keyaudit.model import Audit
from keyaudit.policy import Policy
from keyaudit.schema import (
    ACTIVE,
    COMPLIANCE_TYPES,
    INSUFFICIENT_DATA,
    ROOT_KEY,
    ROOT_USER,
    ROTATION,
    TIME,
    UNUSED,
)

#: worst first; a key about which the control says nothing comes last
RANK = {name: number for number, name in enumerate(COMPLIANCE_TYPES)}


@dataclass(frozen=True)
class View:
    """What a Selection shows of an Audit. ``keys``: the selected rows of ``Audit.keys``, judged by ``policy``,
    worst first, with what the selected control says about each in ``verdict`` (empty if it says nothing) and
    ``days_over``. ``now`` and ``then``: how many verdicts of each type there are by the policy of the audit, and by
    ``policy``. ``missing``: accounts that lack evidence which the control needs."""

    selection: Selection
    audit: Audit
    policy: Policy
    keys: pd.DataFrame
    now: Counter[str]
    then: Counter[str]
    missing: tuple[str, ...]

    @property
    def limit(self) -> int | None:
        return self.policy.limit(self.selection.control)

    @property
    def is_what_if(self) -> bool:
        return self.policy is not self.audit.policy


class Explorer:
    """Answers Selections of one Audit that has all its keys; what does not change between two Selections is
    kept."""

    def __init__(self, audit: Audit) -> None:
        self.audit = audit
        self.keys = audit.keys.reset_index(drop=True)
        labels = [one.account_id for one in audit.provenance]
        keys = columns_of(self.keys)
        place_of = {label: place for place, label in enumerate(labels)}
        gaps = {p.account_id for p in audit.problems if ROOT_KEY in p.controls}
        self.accounts = Accounts(
            labels=labels,
            keys=keys,
            place=np.array([place_of[label] for label in keys["account_id"]], dtype=np.int64),
            policy=audit.policy,
            as_of=audit.as_of,
            root_gaps=np.array([label in gaps for label in labels], dtype=bool),
        )
        self.graces: dict[tuple[str, str], str] = {}
        for label in {one.secret.account_id for one in audit.rotations}:
            secrets = tuple(one.secret for one in audit.rotations if one.secret.account_id == label)
            own = take(keys, keys["account_id"] == label)
            found = graces_of(secrets, own, audit.policy, audit.as_of)
            self.graces |= {(label, user): reason for user, reason in found.items()}
        self.ages = self.keys["age_days"].fillna(-1).to_numpy(np.int64)
        self.is_active = (self.keys["status"] == ACTIVE).to_numpy(bool) if len(self.keys) else np.zeros(0, bool)
        self._judged = lru_cache(maxsize=8)(self._judge)
        self._meant = lru_cache(maxsize=8)(self._choose)

    def view(self, selection: Selection) -> View:
        """The selection as a View."""
        policy = with_limit(self.audit.policy, selection.control, selection.limit)
        meant, accounts = self._meant(replace(selection, limit=-1))
        now = self._judged(selection.control, -1)
        then = now if policy is self.audit.policy else self._judged(selection.control, selection.limit)
        rank = np.array([RANK.get(kind, len(RANK)) for kind in then["type"][meant].tolist()], dtype=np.int64)
        order = meant[np.lexsort((-self.ages[meant], -then["days_over"][meant], rank))]
        keys = self.keys.take(order)
        columns: dict[str, Any] = {name: column[order] for name, column in then.items()}
        keys["verdict"], keys["days_over"] = columns["type"], _whole(columns["days_over"])
        if selection.control == ROTATION:
            keys["compliance_type"] = columns["type"]
            keys["limit"] = _whole(columns["limit"])
            keys["due"] = pd.Series(columns["due"], index=keys.index).dt.tz_localize("UTC").astype(TIME)
        if selection.control == UNUSED:
            keys["unused_type"], keys["idle_limit"] = columns["type"], _whole(columns["limit"])
        return View(
            selection=selection,
            audit=self.audit,
            policy=policy,
            keys=keys,
            now=_tally(now["type"][meant]),
            then=_tally(columns["type"]),
            missing=self._missing(selection.control, accounts),
        )

    def _choose(self, selection: Selection) -> tuple[np.ndarray, frozenset[str]]:
        """Places of the keys that are meant, and the accounts."""
        names = self.keys["user"].to_numpy(object) if len(self.keys) else np.array([], object)
        accounts, users = selection.matches(list(self.accounts.labels), list(dict.fromkeys(names)))
        meant = np.array([name in users for name in names], bool)
        in_account = np.array([label in accounts for label in self.accounts.keys["account_id"]], bool)
        if selection.control == ROOT_KEY:  # this control speaks of no other key, and an inactive one fails too
            meant &= names == ROOT_USER
        elif selection.status == "active":
            meant &= self.is_active
        return np.flatnonzero(meant & in_account), frozenset(accounts)

    def _judge(self, control: str, limit: int) -> dict[str, np.ndarray]:
        """What a control says about every key by this limit: type ("" if nothing), days over, limit, deadline."""
        number = len(self.keys)
        found = {
            "type": np.full(number, "", dtype=object),
            "days_over": np.full(number, -1, dtype=np.int64),
            "limit": np.full(number, -1, dtype=np.int64),
            "due": np.full(number, np.datetime64("NaT", "us")),
        }
        policy = with_limit(self.audit.policy, control, limit)
        if not policy.assessed(control):
            return found
        rows = control_rows(control, replace(self.accounts, policy=policy), self.graces)
        types = rows.case.names()[0].copy() if len(rows.row) else np.array([], object)
        types[list(rows.exempt)] = "EXEMPT"
        of_keys = rows.row >= 0
        at = rows.row[of_keys]
        found["type"][at] = types[of_keys]
        for name in ("days_over", "limit"):
            found[name][at] = rows.numbers(name)[of_keys]
        found["due"][at] = rows.deadlines()[of_keys]
        return found

    def _missing(self, control: str, accounts: frozenset[str]) -> tuple[str, ...]:
        found = self.audit.findings
        at = (found["control"] == control) & (found["compliance_type"] == INSUFFICIENT_DATA) & found["user"].isna()
        return tuple(sorted(set(found["account_id"][at]) & accounts))


def _whole(numbers: np.ndarray) -> pd.array:
    return pd.arrays.IntegerArray(numbers.astype(np.int64), numbers < 0)


def _tally(types: np.ndarray) -> Counter[str]:
    return Counter(kind for kind in types.tolist() if kind)
