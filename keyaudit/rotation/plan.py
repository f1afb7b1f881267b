"""An Audit -> who must do what with which key, by when, in which order (pure): the worst first.

One task a key. Where a key fails several controls, the action that leaves the fewest keys is taken: one that nobody
needs is deleted, not rotated. Deletion is always preceded by deactivation, which can be undone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from keyaudit.auditing import Audit
from keyaudit.present.table import Table, table
from keyaudit.rotation.steps import (
    DUE_SOON,
    IN_USE,
    NEVER_USED,
    REPLACED,
    ROOT,
    SPARE,
    STALLED,
    UNKNOWN,
    UNUSED,
    Step,
    steps_of,
)  # fmt: skip
from keyaudit.schema import ACTIVE, ACTIVE_KEYS, COMPLIANT, INSUFFICIENT_DATA, NON_COMPLIANT, ROTATION
from keyaudit.schema import UNUSED as UNUSED_CONTROL
from keyaudit.texts import say, utc

#: a case of more weight comes first; within one, the longest overdue
_WEIGHT = {ROOT: 0, IN_USE: 1, NEVER_USED: 1, UNUSED: 1, SPARE: 1, REPLACED: 1, STALLED: 1, UNKNOWN: 2, DUE_SOON: 3}


@dataclass(frozen=True)
class Task:
    """A key that something must be done with. ``due``: when it was, or is, to be rotated; ``days_over`` that (None:
    not over); ``key``: what is known of it, an id's last characters or its slot in the report; ``made``: its
    creation, by which it is told from the user's others."""

    account_id: str
    user: str
    key: str
    status: str
    case: str
    owner: str | None
    administrator: bool | None
    made: datetime | None
    age_days: int | None
    limit: int | None
    due: datetime | None
    days_over: int | None
    last_used: datetime | None
    steps: tuple[Step, ...]

    @property
    def action(self) -> str:
        return say(f"plan.action.{self.case}")

    @property
    def by_when(self) -> str:
        """The deadline where it lies ahead; else at once."""
        return f"{utc(self.due)}" if self.case == DUE_SOON else say("plan.now")


def plan(audit: Audit) -> tuple[Task, ...]:
    """The tasks of a whole Audit (one with all its findings). Keys that are exempt, and inactive ones but root's,
    need none."""
    types: dict[tuple[Any, ...], dict[str, str]] = {}
    findings = audit.findings
    named = findings[findings["user"].notna()]
    columns = ("account_id", "user", "key_slot", "access_key_id", "control", "compliance_type", "days_over")
    over: dict[tuple[Any, ...], int] = {}
    crowded: set[tuple[str, str]] = set()  # users with too many keys: such a finding is of no single key
    for account, user, slot, key_id, control, kind, days in zip(*(named[name] for name in columns), strict=True):
        which = _which(account, user, slot, key_id)
        types.setdefault(which, {})[control] = kind
        if control == ROTATION and kind == NON_COMPLIANT and not pd.isna(days):
            over[which] = int(days)
        if control == ACTIVE_KEYS and kind == NON_COMPLIANT:
            crowded.add((account, user))
    active = audit.keys[audit.keys["status"] == ACTIVE]
    users = dict(iter(active.groupby(["account_id", "user"])))
    # when IAM made the newest key of each user whose keys are under rotation
    made = {(one.secret.account_id, one.secret.user): one.made for one in audit.rotations if one.secret.is_enabled}
    tasks = []
    for key in audit.keys.to_dict("records"):
        which = _which(key["account_id"], key["user"], key["key_slot"], key["access_key_id"])
        whose = (key["account_id"], key["user"])
        others, judged = users.get(whose), types.get(which, {})
        if whose in crowded and not key["is_root"]:
            judged = {**judged, ACTIVE_KEYS: NON_COMPLIANT}
        case = _case(key, judged, others, audit.as_of + timedelta(days=audit.policy.warn_before))
        if case in (IN_USE, SPARE, DUE_SOON):
            case = _under_rotation(key, made.get(whose), case)
        if case:
            tasks.append(_task(key, case, over.get(which), others))
    return tuple(sorted(tasks, key=_order))


def crowds(tasks: tuple[Task, ...]) -> dict[str, tuple[int, int | None]]:
    """Accounts in which several users are to be put under rotation: how many, and the least limit of their keys."""
    found: dict[str, tuple[int, int | None]] = {}
    for account in dict.fromkeys(one.account_id for one in tasks):
        mine = [one for one in tasks if one.account_id == account and one.case in (IN_USE, DUE_SOON)]
        users = {one.user for one in mine}
        if len(users) > 1:
            found[account] = len(users), min((one.limit for one in mine if one.limit), default=None)
    return found


def to_do(audit: Audit) -> Table:
    """The plan as a table for a report: what remains to be done."""
    rows = [
        [
            one.user, one.account_id, one.key, utc(one.made) or None, one.age_days, one.days_over,
            utc(one.last_used) or None, one.by_when, one.action,
        ]
        for one in plan(audit)
    ]  # fmt: skip
    return table("to_do", rows)


def _which(account: str, user: str, slot: Any, key_id: Any) -> tuple[Any, ...]:
    return account, user, None if pd.isna(slot) else int(slot), None if pd.isna(key_id) else key_id


def _case(key: dict[str, Any], types: dict[str, str], others: pd.DataFrame | None, warn: datetime) -> str:
    failing = {control for control, kind in types.items() if kind == NON_COMPLIANT}
    if key["is_root"]:
        return ROOT if failing else ""
    if key["status"] != ACTIVE:
        return ""
    soon = types.get(ROTATION) == COMPLIANT and not pd.isna(key["due"]) and key["due"] <= warn
    if failing or soon:
        if pd.isna(key["last_used_date"]) and not key["last_used_unknown"] and failing:
            return NEVER_USED
        if UNUSED_CONTROL in failing:
            return UNUSED
        if others is not None and len(others) > 1 and ACTIVE_KEYS in failing and _is_quietest(key, others):
            return SPARE
        if ROTATION in failing:
            return IN_USE
        if soon:
            return DUE_SOON
    return UNKNOWN if types.get(ROTATION) == INSUFFICIENT_DATA else ""


def _under_rotation(key: dict[str, Any], newest: datetime | None, case: str) -> str:
    """What it is of a user whose keys are under rotation: one that was replaced, or one that was to be by now, or
    will be in time, so that there is nothing to do."""
    if newest is None or pd.isna(key["last_rotated"]):
        return case
    if key["last_rotated"] < newest:
        return REPLACED
    return {IN_USE: STALLED, DUE_SOON: ""}.get(case, case)


def _is_quietest(key: dict[str, Any], others: pd.DataFrame) -> bool:
    """Whether of the user's active keys this one was used least recently; of two unused since the same time, the
    older."""
    rest = others[(others["key_slot"] != key["key_slot"]) | (others["access_key_id"] != key["access_key_id"])]
    mine = _recency(key)
    return all(mine <= _recency(other) for other in rest.to_dict("records"))


def _recency(key: dict[str, Any]) -> tuple[pd.Timestamp, pd.Timestamp]:
    first = pd.Timestamp(0, tz="UTC")
    return tuple(first if pd.isna(key[name]) else key[name] for name in ("last_used_date", "last_rotated"))


def _task(key: dict[str, Any], case: str, days_over: int | None, others: pd.DataFrame | None) -> Task:
    key_id = None if pd.isna(key["access_key_id"]) else str(key["access_key_id"])
    slot = None if pd.isna(key["key_slot"]) else int(key["key_slot"])
    return Task(
        account_id=key["account_id"],
        user=key["user"],
        key=key_id or say("plan.slot", slot=slot),
        status=key["status"],
        case=case,
        owner=None if pd.isna(key["owner"]) else key["owner"],
        administrator=None if pd.isna(key["administrator"]) else bool(key["administrator"]),
        made=None if pd.isna(key["last_rotated"]) else key["last_rotated"].to_pydatetime(),
        age_days=None if pd.isna(key["age_days"]) else int(key["age_days"]),
        limit=None if pd.isna(key["limit"]) else int(key["limit"]),
        due=None if pd.isna(key["due"]) else key["due"].to_pydatetime(),
        days_over=days_over,
        last_used=None if pd.isna(key["last_used_date"]) else key["last_used_date"].to_pydatetime(),
        steps=tuple(steps_of(case, key, others is not None and len(others) > 1)),
    )


def _order(task: Task) -> tuple[Any, ...]:
    due = task.due.timestamp() if task.due else 0.0
    return (
        _WEIGHT[task.case],
        not task.administrator,
        -(task.days_over or 0),
        due,
        task.account_id,
        task.user,
        task.key,
    )
