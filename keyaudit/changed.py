"""Two judgements -> what changed between them (pure): keys that were rotated, are new, are gone, were deactivated,
became overdue or no longer are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from keyaudit.model import Audit
from keyaudit.schema import ACTIVE, NON_COMPLIANT, InputError

#: in the order in which they are shown
KINDS = ("became_overdue", "new", "rotated", "deactivated", "activated", "gone")

#: account, user, when it was made
Key = tuple[str, str, datetime | None]
#: their status, and whether they are overdue
Keys = dict[Key, tuple[str, bool]]


@dataclass(frozen=True)
class Change:
    """What happened to a key of a user. ``before`` and ``after`` tell when the earlier key and the present key were
    made: two times for a rotation; otherwise the same time twice, or only one of them."""

    kind: str
    account_id: str
    user: str
    before: datetime | None
    after: datetime | None
    was_overdue: bool
    is_overdue: bool


def changes(before: Audit, after: Audit) -> tuple[Change, ...]:
    """The changes between two Audits, both with all their keys; accounts that only one of them read are left out.

    A key is recognised by account, user and time of creation, because slots are used again. A user was rotated who
    has a new active key, and had one before: one that is now gone, else one that is now inactive, else an older
    one. A key that was replaced is not said to be gone as well. InputError if the instant of ``after`` is earlier
    than that of ``before``.
    """
    if after.as_of < before.as_of:
        raise InputError("the earlier evidence must come first, but its instant of judgement is the later one")
    both = _read(before) & _read(after)
    old, new = _keys(before, both), _keys(after, both)
    replaced = _replaced(old, new)
    found = []
    for key in sorted(old.keys() | new.keys(), key=str):
        was, now = old.get(key), new.get(key)
        account, user, made = key
        overdue = (bool(was and was[1]), bool(now and now[1]))
        if was is None and now is not None:
            kind, former = ("rotated", replaced[key][2]) if key in replaced else ("new", None)
            was_overdue = any(one[1] for other, one in old.items() if other[:2] == key[:2] and one[0] == ACTIVE)
            found.append(Change(kind, account, user, former, made, was_overdue, overdue[1]))
        elif was is not None and now is None:
            if key not in replaced.values():
                found.append(Change("gone", account, user, made, None, *overdue))
        elif was is not None and now is not None and was[0] != now[0]:
            kind = "deactivated" if was[0] == ACTIVE else "activated"
            found.append(Change(kind, account, user, made, made, *overdue))
        elif overdue == (False, True):
            found.append(Change("became_overdue", account, user, made, made, *overdue))
    return tuple(sorted(found, key=lambda one: (KINDS.index(one.kind), one.account_id, one.user, str(one.after))))


def _replaced(old: Keys, new: Keys) -> dict[Key, Key]:
    """Each new active key of a user who had one before -> the key that it replaced: first those that are gone, then
    those that were deactivated, then those that are still active; the oldest first."""
    found: dict[Key, Key] = {}
    made: dict[tuple[str, str], list[Key]] = {}
    for key in sorted(new.keys() - old.keys(), key=str):
        if new[key][0] == ACTIVE:
            made.setdefault(key[:2], []).append(key)
    for user, keys in made.items():
        former = [key for key, (status, _) in old.items() if key[:2] == user and status == ACTIVE]
        former.sort(key=lambda key: (key in new, key in new and new[key][0] == ACTIVE, str(key[2])))
        found |= {key: former[min(place, len(former) - 1)] for place, key in enumerate(keys) if former}
    return found


def _read(judged: Audit) -> set[str]:
    return {one.account_id for one in judged.provenance if one.form}


def _keys(judged: Audit, accounts: set[str]) -> Keys:
    names = ("account_id", "user", "last_rotated", "status", "compliance_type")
    return {
        (account, user, None if pd.isna(made) else made.to_pydatetime()): (status, kind == NON_COMPLIANT)
        for account, user, made, status, kind in zip(*(judged.keys[name] for name in names), strict=True)
        if account in accounts
    }
