"""The frames of an Audit -> the users for whom there is something to do, each with their keys (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from keyaudit.assess.rotated_proof import is_stored
from keyaudit.model import Audit, names_of
from keyaudit.rotation import cases
from keyaudit.rotation.cases import Key, User, oldest_first
from keyaudit.rotation.moments import after, moment_of
from keyaudit.schema import (
    ACTIVE,
    ACTIVE_KEYS,
    COMPLIANT,
    INSUFFICIENT_DATA,
    NON_COMPLIANT,
    ROOT_USER,
    ROTATION,
    UNUSED,
)
from keyaudit.texts import say

#: a key in a frame: account, user, whether that is root, slot, id
Which = tuple[Any, ...]


@dataclass(frozen=True)
class Owned:
    """A user, and what is known about its owner."""

    user: User
    account_name: str | None
    owner: str | None
    administrator: bool | None


#: the columns that tell whose a key is, and all that a plan needs of it
WHOSE = ("account_id", "user", "is_root")
KNOWN = (
    *WHOSE, "key_slot", "access_key_id", "status", "last_rotated", "last_used_date", "last_used_service",
    "last_used_region", "last_used_unknown", "age_days", "limit", "due", "generated_time", "owner", "administrator",
    "purpose",
)  # fmt: skip


@dataclass(frozen=True)
class _Judged:
    """What the findings say: for each key, control -> compliance type, days over and limits; which users have too
    many keys, and which of them may have none."""

    types: dict[Which, dict[str, str]]
    over: dict[Which, int]
    idle_limits: dict[Which, int]
    too_many: set[Which]
    barred: set[Which]


def users_of(audit: Audit) -> Iterator[Owned]:
    """Users with a key that fails, is due soon, could not be judged, or is inactive."""
    keys, soon = audit.keys, after(audit.as_of, timedelta(days=audit.policy.warn_before))
    if not len(keys):
        return
    roots = keys[keys["is_root"]]
    roots_known = {(row["account_id"], _text(row["arn"])) for row in roots.to_dict("records")}
    judged = _judged(audit.findings, roots_known, audit.policy.max_access_key_age is not None)
    near = (keys["compliance_type"] == COMPLIANT) & (keys["due"] <= soon)
    wanted = {
        which[:3] for which, types in judged.types.items() if {NON_COMPLIANT, INSUFFICIENT_DATA} & {*types.values()}
    }
    some = near | ((keys["status"] != ACTIVE) & ~keys["is_root"])
    everybody = list(zip(*(keys[name].tolist() for name in WHOSE), strict=True))
    wanted |= judged.too_many | {whose for whose, is_one in zip(everybody, some.tolist(), strict=True) if is_one}
    found: dict[Which, list[dict[str, Any]]] = {}
    for row in keys.loc[[whose in wanted for whose in everybody], list(KNOWN)].to_dict("records"):
        found.setdefault(_whose(row), []).append(row)
    signs = _signs(audit.users, found)
    rotated = {(one.secret.account_id, one.secret.user): one for one in audit.rotations if one.secret.is_enabled}
    accounts = names_of(audit.provenance)
    for whose, rows in found.items():
        account, name, is_root = whose
        idle = audit.policy.limit(UNUSED) or cases.IDLE_DAYS
        rotation = None if is_root else rotated.get((account, name))
        newest = rotation.made if rotation else None
        told = [_seen(row, audit.as_of) for row in rows]
        user = User(
            account_id=account,
            name=name,
            is_root=is_root,
            keys=oldest_first([_key(row, judged, at, idle) for row, at in zip(rows, told, strict=True)]),
            kind=cases.PROGRAM if is_root else _kind(signs.get((account, name), {}), min(told)),
            too_many=whose in judged.too_many and not is_root,
            soon=soon,
            is_barred=whose in judged.barred and not is_root,
            rotated=newest,
            is_proved=bool(rotation and newest and is_stored(rotation.secret, rotation.secret.active[0])),
        )
        yield Owned(user, accounts.get(account), _text(rows[0]["owner"]), _flag(rows[0]["administrator"]))


def _seen(row: dict[str, Any], as_of: datetime) -> datetime:
    """The latest moment about which the report can tell: a use after it was generated is not known, however late
    the report is judged."""
    generated = moment_of(row["generated_time"])
    return min(as_of, generated) if generated else as_of


def _judged(findings: pd.DataFrame, roots: set[tuple[str, str | None]], has_period: bool) -> _Judged:
    """What the findings say. If no period is defined, the policy fails rotation, and no key is overdue."""
    judged = _Judged({}, {}, {}, set(), set())
    named = findings[findings["user"].notna()]
    columns = (
        "account_id", "user", "arn", "key_slot", "access_key_id",
        "control", "compliance_type", "days_over", "limit",
    )  # fmt: skip
    for account, user, arn, slot, key_id, control, kind, days, limit in zip(
        *(named[name].tolist() for name in columns), strict=True
    ):
        is_root = (account, _text(arn)) in roots and (not pd.isna(arn) or user == ROOT_USER)
        if control == ACTIVE_KEYS:  # such a finding is not about a single key
            if kind == NON_COMPLIANT:
                judged.too_many.add((account, user, is_root))
                if limit == 0:
                    judged.barred.add((account, user, is_root))
            continue
        if control == ROTATION and not has_period:
            continue
        which = (account, user, is_root, _number(slot), _text(key_id))
        judged.types.setdefault(which, {})[control] = kind
        if control == ROTATION and kind == NON_COMPLIANT and not pd.isna(days):
            judged.over[which] = int(days)
        if control == UNUSED and not pd.isna(limit):
            judged.idle_limits[which] = int(limit)
    return judged


def _key(row: dict[str, Any], judged: _Judged, seen: datetime, idle_limit: int) -> Key:
    which = (*_whose(row), _number(row["key_slot"]), _text(row["access_key_id"]))
    last_used = moment_of(row["last_used_date"])
    service = _text(row["last_used_service"]) or ""
    told = (service, _text(row["last_used_region"]))
    use = cases.USED if last_used else cases.UNSEEN if row["last_used_unknown"] else cases.NEVER
    return Key(
        name=_name(which),
        key_id=which[4],
        is_active=row["status"] == ACTIVE,
        made=moment_of(row["last_rotated"]),
        last_used=last_used,
        use=use,
        used_by=", ".join(one for one in told if one),
        service=service,
        seen=seen,
        idle_limit=judged.idle_limits.get(which, idle_limit),
        age_days=_number(row["age_days"]),
        limit=_number(row["limit"]),
        due=moment_of(row["due"]),
        days_over=judged.over.get(which),
        types=judged.types.get(which, {}),
        slot=which[3],
        purpose=_text(row["purpose"]),
    )


def _name(which: Which) -> str:
    return say("plan.slot", slot=which[3]) if which[3] is not None else str(which[4])


def _whose(row: dict[str, Any]) -> Which:
    return row["account_id"], row["user"], bool(row["is_root"])


def _signs(users: pd.DataFrame, wanted: dict[Which, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """What the report says about the console password and MFA of these users."""
    names = [name for name in ("password_enabled", "password_last_used", "mfa_active") if name in users]
    if not names or not wanted:
        return {}
    some = users[users["user"].isin({user for _, user, _ in wanted}) & (users["user"] != ROOT_USER)]
    return {
        (row["account_id"], row["user"]): row for row in some[["account_id", "user", *names]].to_dict("records")
    }


def _kind(signs: dict[str, Any], seen: datetime) -> str:
    """Whether a person or a program uses the keys, as far as the report tells."""
    enabled, has_mfa = _flag(signs.get("password_enabled")), _flag(signs.get("mfa_active"))
    used = moment_of(signs.get("password_last_used"))
    is_recent = used is not None and seen - used <= cases.SIGN_FOR
    if has_mfa or (is_recent and enabled is not False):
        return cases.PERSON
    if enabled or is_recent:
        return cases.MAYBE
    return cases.NOT_TOLD if enabled is None else cases.PROGRAM


def _number(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)


def _flag(value: Any) -> bool | None:
    return None if pd.isna(value) else bool(value)
