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
    has a new active key, and had one before that is now gone, inactive or older. InputError if the instant of
    ``after`` is earlier than that of ``before``.
    """
    if after.as_of < before.as_of:
        raise InputError("the earlier evidence must come first, but its instant of judgement is the later one")
    both = _read(before) & _read(after)
    old, new = _keys(before, both), _keys(after, both)
    had_active = {key[:2] for key, (status, _) in old.items() if status == ACTIVE}
    found = []
    for key in sorted(old.keys() | new.keys(), key=str):
        was, now = old.get(key), new.get(key)
        account, user, made = key
        overdue = (bool(was and was[1]), bool(now and now[1]))
        if was is None and now is not None:
            former = [one for one in old if one[:2] == key[:2] and old[one][0] == ACTIVE]
            rotates = now[0] == ACTIVE and key[:2] in had_active
            replaced = min(former, key=lambda one: str(one[2]))[2] if rotates else None
            was_overdue = any(old[one][1] for one in former)
            kind = "rotated" if rotates else "new"
            found.append(Change(kind, account, user, replaced, made, was_overdue, overdue[1]))
        elif was is not None and now is None:
            found.append(Change("gone", account, user, made, None, *overdue))
        elif was is not None and now is not None and was[0] != now[0]:
            kind = "deactivated" if was[0] == ACTIVE else "activated"
            found.append(Change(kind, account, user, made, made, *overdue))
        elif overdue == (False, True):
            found.append(Change("became_overdue", account, user, made, made, *overdue))
    return tuple(sorted(found, key=lambda one: (KINDS.index(one.kind), one.account_id, one.user, str(one.after))))


def _read(judged: Audit) -> set[str]:
    return {one.account_id for one in judged.provenance if one.form}


def _keys(judged: Audit, accounts: set[str]) -> dict[tuple[str, str, datetime | None], tuple[str, bool]]:
    """(account, user, made) -> (status, whether overdue)."""
    names = ("account_id", "user", "last_rotated", "status", "compliance_type")
    return {
        (account, user, None if pd.isna(made) else made.to_pydatetime()): (status, kind == NON_COMPLIANT)
        for account, user, made, status, kind in zip(*(judged.keys[name] for name in names), strict=True)
        if account in accounts
    }
