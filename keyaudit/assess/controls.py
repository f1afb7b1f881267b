"""The controls of ``schema.THE_CONTROLS``: each a small pure function of one account's keys and users.

A control returns ``Rows``: which key each finding speaks of, which of the control's cases it is, and the days.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd

from keyaudit.assess.limits import DAY, NO_LIMIT, instant, is_over, limits
from keyaudit.assess.rows import ACCOUNT, MISSING, NAT, Rows, choose
from keyaudit.policy import Policy
from keyaudit.schema import (
    ACTIVE,
    ACTIVE_KEYS,
    COMPLIANT,
    CONTROLS,
    INSUFFICIENT_DATA,
    NON_COMPLIANT,
    NOT_APPLICABLE,
    ROTATION,
    RULES,
    UNUSED,
)


@dataclass
class Account:
    """One account's keys as arrays, the policy and the instant of judgement. ``users`` makes the frame of the
    account's users for a control that looks at them; it costs as much as the keys."""

    account_id: str
    keys: pd.DataFrame
    policy: Policy
    as_of: datetime
    root_gap: bool = False  # the report does not tell whether there is a root key
    rules: int = RULES
    users: Callable[[], pd.DataFrame] = pd.DataFrame
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
        users, is_root = self.keys["user"].to_numpy(object), self.keys["is_root"].to_numpy(bool)
        return limits(users, self.account_id, self.policy, control, is_root, self.rules)


def whole_days(elapsed: np.ndarray) -> np.ndarray:
    """Whole days elapsed; MISSING if unknown or negative."""
    unknown = np.isnat(elapsed) | (elapsed < np.timedelta64(0, "us"))
    return np.where(unknown, MISSING, np.where(unknown, np.timedelta64(0, "us"), elapsed) // DAY).astype(np.int64)


def rotation(account: Account) -> Rows:
    """Active keys older than the limit fail: ``as_of - last_rotated > limit`` (CIS: "every 90 days or less"),
    or whole days > limit if the policy asks for that. Inactive keys are not judged by age."""
    limit = account.limits(ROTATION)
    elapsed = account.now - account.rotated
    age = whole_days(elapsed)
    no_limit = limit == NO_LIMIT
    comparison = account.policy.age_comparison
    over = is_over(elapsed, limit, comparison) & ~no_limit
    # counted in whole days, a key fails from the moment at which its age is one day more than the limit
    allowed = (limit + (comparison == "whole_days")) * DAY
    cases = [
        (~account.active, NOT_APPLICABLE, "inactive"),
        (no_limit & (age == MISSING), NON_COMPLIANT, "no_period_no_age"),
        (no_limit, NON_COMPLIANT, "no_period"),
        (np.isnat(account.rotated), INSUFFICIENT_DATA, "undated"),
        (elapsed < np.timedelta64(0, "us"), INSUFFICIENT_DATA, "future"),
        (over & (age == limit), NON_COMPLIANT, "just_over"),
        (over, NON_COMPLIANT, "over"),
    ]
    case = choose(cases, (COMPLIANT, "within"), len(limit))
    judged = account.active & ~no_limit
    return Rows(
        row=np.arange(len(limit)),
        case=case,
        age_days=age,
        due=np.where(judged, account.rotated + allowed, NAT),
        days_over=np.where(judged & over, age - limit, MISSING),
        limit=np.where(account.active, limit, MISSING),
    )


def unused(account: Account) -> Rows:
    """Active keys idle for the limit or longer fail (CIS: "45 days or more"). A key that was never used is idle
    since it was rotated; a use before the last rotation is not a use of this key."""
    rows = np.flatnonzero(account.active)
    limit = account.limits(UNUSED)[rows]
    rotated, used = account.rotated[rows], account.used[rows]
    no_answer = account.keys["last_used_unknown"].to_numpy(bool)[rows]
    since = np.fmax(used, rotated)  # fmax ignores NaT
    idle = account.now - since
    future = idle < np.timedelta64(0, "us")
    over = idle >= limit * DAY
    never = np.isnat(used)
    earlier = used < rotated
    cases = [
        (np.isnat(since), INSUFFICIENT_DATA, "undated"),
        (future, INSUFFICIENT_DATA, "future"),
        (no_answer & over, INSUFFICIENT_DATA, "no_answer"),
        (no_answer, COMPLIANT, "no_answer_young"),
        (never & over, NON_COMPLIANT, "never"),
        (earlier & over, NON_COMPLIANT, "since_rotation"),
        (over, NON_COMPLIANT, "over"),
        (never, COMPLIANT, "young"),
        (earlier, COMPLIANT, "within_since_rotation"),
    ]
    case = choose(cases, (COMPLIANT, "within"), len(rows))
    idle_days = whole_days(idle)
    return Rows(
        row=rows,
        case=case,
        age_days=idle_days,
        due=np.where(future, NAT, since + limit * DAY),
        days_over=np.where(case.is_a(NON_COMPLIANT), idle_days - limit, MISSING),
        limit=limit,
    )


def active_keys(account: Account) -> Rows:
    """Users with more active keys than the limit fail; one row per user with any active key."""
    keys = account.keys
    # an IAM user may have any name, even the one that AWS gives to root
    codes = pd.factorize(keys["user"].to_numpy(object))[0] * 2 + keys["is_root"].to_numpy(np.int64)
    counts = np.bincount(codes[account.active], minlength=1)
    active_rows = np.flatnonzero(account.active)
    rows = active_rows[np.unique(codes[active_rows], return_index=True)[1]] if len(active_rows) else active_rows
    limit, count = account.limits(ACTIVE_KEYS)[rows], counts[codes[rows]] if len(rows) else rows
    case = choose([(count > limit, NON_COMPLIANT, "over")], (COMPLIANT, "within"), len(rows))
    return Rows(rows, case, limit=limit, count=count)


def root_key(account: Account) -> Rows:
    """The root user has no access key, active or not; one row per root key, or else one for the account."""
    rows = np.flatnonzero(account.keys["is_root"].to_numpy(bool))
    if len(rows):
        active = account.active[rows]
        return Rows(rows, choose([(active, NON_COMPLIANT, "active")], (NON_COMPLIANT, "inactive"), len(rows)))
    none = np.array([] if account.root_gap else [ACCOUNT], dtype=np.int64)
    return Rows(none, choose([], (COMPLIANT, "none"), len(none)))


#: the function of each control: it has the control's name
REGISTRY: dict[str, Callable[[Account], Rows]] = {one: globals()[one.replace("-", "_")] for one in CONTROLS}
