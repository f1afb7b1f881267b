"""The controls: each a small pure function of one account's keys; REGISTRY is the only list of them.

A control returns ``Rows``: arrays of one length, entry i speaking of key ``row[i]`` of the account's keys
(ACCOUNT where it speaks of the account). Numbers are whole days, MISSING where there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd

from keyaudit.assess.limits import DAY, NO_LIMIT, instant, is_over, limits
from keyaudit.policy import Policy
from keyaudit.schema import (
    ACTIVE,
    ACTIVE_KEYS,
    COMPLIANT,
    INSUFFICIENT_DATA,
    NON_COMPLIANT,
    NOT_APPLICABLE,
    ROOT_KEY,
    ROTATION,
    UNUSED,
)

ACCOUNT = -1
MISSING = -1
NAT = np.datetime64("NaT", "us")


@dataclass
class Rows:
    """Findings of one control; ``reason`` is the id of the annotation's text under the control's name."""

    row: np.ndarray
    compliance_type: np.ndarray
    reason: np.ndarray
    age_days: np.ndarray
    due: np.ndarray
    days_over: np.ndarray
    limit: np.ndarray
    whole_user: bool = False  # speaks of the user, not of one key


@dataclass
class Account:
    """One account's keys as arrays, the policy, the instant of judgement."""

    account_id: str
    keys: pd.DataFrame
    policy: Policy
    as_of: datetime
    root_gap: bool = False  # the report does not tell of a root key
    now: np.datetime64 = field(init=False)
    active: np.ndarray = field(init=False)
    rotated: np.ndarray = field(init=False)
    used: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.now = instant(self.as_of)
        self.active = (self.keys["status"] == ACTIVE).to_numpy(bool)
        self.rotated = self.keys["last_rotated"].to_numpy("datetime64[us]")
        self.used = self.keys["last_used_date"].to_numpy("datetime64[us]")

    def limits(self, control: str) -> np.ndarray:
        return limits(self.keys["user"].to_numpy(object), self.account_id, self.policy, control)


def whole_days(elapsed: np.ndarray) -> np.ndarray:
    """Whole days elapsed; MISSING where unknown or negative."""
    unknown = np.isnat(elapsed) | (elapsed < np.timedelta64(0, "us"))
    return np.where(unknown, MISSING, np.where(unknown, np.timedelta64(0, "us"), elapsed) // DAY).astype(np.int64)


def rotation(account: Account) -> Rows:
    """Active keys older than the limit fail: ``as_of - last_rotated > limit`` (CIS: "every 90 days or less"),
    or whole days > limit where the policy asks for it. Inactive keys are not judged by age."""
    limit = account.limits(ROTATION)
    elapsed = account.now - account.rotated
    age = whole_days(elapsed)
    no_limit = limit == NO_LIMIT
    comparison = account.policy.age_comparison
    over = is_over(elapsed, limit, comparison) & ~no_limit
    # in whole days a key fails from the moment on that its age is one day more than the limit
    allowed = (limit + (comparison == "whole_days")) * DAY
    cases = [
        (~account.active, NOT_APPLICABLE, "inactive"),
        (no_limit, NON_COMPLIANT, "no_period"),
        (np.isnat(account.rotated), INSUFFICIENT_DATA, "undated"),
        (elapsed < np.timedelta64(0, "us"), INSUFFICIENT_DATA, "future"),
        (over & (age == limit), NON_COMPLIANT, "just_over"),
        (over, NON_COMPLIANT, "over"),
    ]
    types, reasons = _choose(cases, (COMPLIANT, "within"), len(limit))
    judged = account.active & ~no_limit
    return Rows(
        row=np.arange(len(limit)),
        compliance_type=types,
        reason=reasons,
        age_days=age,
        due=np.where(judged, account.rotated + allowed, NAT),
        days_over=np.where(judged & over, age - limit, MISSING),
        limit=np.where(account.active, limit, MISSING),
    )


def unused(account: Account) -> Rows:
    """Active keys idle for the limit or longer fail (CIS: "45 days or more"). Never used: idle since rotated;
    a use before the last rotation is no use of this key."""
    rows = np.flatnonzero(account.active)
    limit = account.limits(UNUSED)[rows]
    rotated, used = account.rotated[rows], account.used[rows]
    no_answer = account.keys["last_used_unknown"].to_numpy(bool)[rows]
    since = np.fmax(used, rotated)  # fmax ignores NaT
    idle = account.now - since
    future = idle < np.timedelta64(0, "us")
    over = idle >= limit * DAY
    never = np.isnat(used)
    cases = [
        (np.isnat(since), INSUFFICIENT_DATA, "undated"),
        (future, INSUFFICIENT_DATA, "future"),
        (no_answer & over, INSUFFICIENT_DATA, "no_answer"),
        (never & over, NON_COMPLIANT, "never"),
        (over, NON_COMPLIANT, "over"),
        (never, COMPLIANT, "young"),
    ]
    types, reasons = _choose(cases, (COMPLIANT, "within"), len(rows))
    idle_days = whole_days(idle)
    return Rows(
        row=rows,
        compliance_type=types,
        reason=reasons,
        age_days=idle_days,
        due=np.where(future, NAT, since + limit * DAY),
        days_over=np.where(types == NON_COMPLIANT, idle_days - limit, MISSING),
        limit=limit,
    )


def active_keys(account: Account) -> Rows:
    """Users with more active keys than the limit fail; one row a user with any active key."""
    keys = account.keys
    numbers: dict[tuple[str, bool], int] = {}
    codes = np.array(
        [
            numbers.setdefault(who, len(numbers))
            for who in zip(keys["user"].to_numpy(object), keys["is_root"].to_numpy(bool), strict=True)
        ],
        dtype=np.int64,
    )
    counts = np.bincount(codes[account.active], minlength=len(numbers))
    active_rows = np.flatnonzero(account.active)
    rows = active_rows[np.unique(codes[active_rows], return_index=True)[1]] if len(active_rows) else active_rows
    limit, count = account.limits(ACTIVE_KEYS)[rows], counts[codes[rows]] if len(rows) else rows
    types, reasons = _choose([(count > limit, NON_COMPLIANT, "over")], (COMPLIANT, "within"), len(rows))
    reasons = np.array([f"{reason}_{number}" for reason, number in zip(reasons, count, strict=True)], dtype=object)
    return Rows(rows, types, reasons, _missing(rows), _never(rows), _missing(rows), limit, whole_user=True)


def root_key(account: Account) -> Rows:
    """The root user has no access key, active or not; one row a root key, else one for the account."""
    rows = np.flatnonzero(account.keys["is_root"].to_numpy(bool))
    if len(rows):
        types, reasons = _choose(
            [(account.active[rows], NON_COMPLIANT, "active")], (NON_COMPLIANT, "inactive"), len(rows)
        )
    else:
        rows = np.array([] if account.root_gap else [ACCOUNT], dtype=np.int64)
        types, reasons = _choose([], (COMPLIANT, "none"), len(rows))
    return Rows(rows, types, reasons, _missing(rows), _never(rows), _missing(rows), _missing(rows))


REGISTRY: dict[str, Callable[[Account], Rows]] = {
    ROTATION: rotation,
    UNUSED: unused,
    ACTIVE_KEYS: active_keys,
    ROOT_KEY: root_key,
}


def _choose(
    cases: list[tuple[np.ndarray, str, str]], otherwise: tuple[str, str], length: int
) -> tuple[np.ndarray, np.ndarray]:
    """Compliance type and reason of the first case that holds, entry by entry."""
    types = np.full(length, otherwise[0], dtype=object)
    reasons = np.full(length, otherwise[1], dtype=object)
    for mask, compliance_type, reason in reversed(cases):
        types[mask], reasons[mask] = compliance_type, reason
    return types, reasons


def _missing(rows: np.ndarray) -> np.ndarray:
    return np.full(len(rows), MISSING, dtype=np.int64)


def _never(rows: np.ndarray) -> np.ndarray:
    return np.full(len(rows), NAT)
