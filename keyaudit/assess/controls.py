"""The controls of ``schema.THE_CONTROLS``: each a small pure function of the keys and users of some accounts.

A control returns ``Rows``: which key each finding speaks of, which of the control's cases it is, and the days.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd

from keyaudit.assess.limits import DAY, NO_LIMIT, allowed_days, instant, is_over, limits
from keyaudit.assess.rows import ACCOUNT, NAT, Rows, choose
from keyaudit.credentials.arrays import MISSING, Columns
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
class Accounts:
    """The keys of some accounts as arrays, the policy and the instant of judgement. ``labels`` are the accounts,
    ``place`` says of each key to which of them it belongs; ``root_gaps`` has one entry per account: its report does
    not tell whether there is a root key. ``users`` makes the frame of the accounts' users for a control that looks
    at them; it costs as much as the keys."""

    labels: Sequence[str]
    keys: Columns
    place: np.ndarray
    policy: Policy
    as_of: datetime
    root_gaps: np.ndarray
    rules: int = RULES
    users: Callable[[], pd.DataFrame] = pd.DataFrame
    now: np.datetime64 = field(init=False)
    active: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.now = instant(self.as_of)
        self.active = self.keys["status"] == ACTIVE

    def limits(self, control: str) -> np.ndarray:
        keys = self.keys
        return limits(keys["user"], keys["account_id"], self.policy, control, keys["is_root"], self.rules)

    def places(self, rows: Rows) -> np.ndarray:
        """The account of which each finding speaks."""
        found = np.full(len(rows.row), ACCOUNT) if rows.account is None else rows.account.copy()
        of_key = rows.row != ACCOUNT
        found[of_key] = self.place[rows.row[of_key]]
        return found


def whole_days(elapsed: np.ndarray) -> np.ndarray:
    """Whole days elapsed; MISSING if unknown or negative."""
    unknown = np.isnat(elapsed) | (elapsed < np.timedelta64(0, "us"))
    return np.where(unknown, MISSING, np.where(unknown, np.timedelta64(0, "us"), elapsed) // DAY).astype(np.int64)


def rotation(accounts: Accounts) -> Rows:
    """Active keys older than the limit fail: ``as_of - last_rotated > limit`` (CIS: "every 90 days or less"),
    or whole days > limit if the policy asks for that. Inactive keys are not judged by age."""
    limit = accounts.limits(ROTATION)
    elapsed = accounts.now - accounts.keys["last_rotated"]
    age = whole_days(elapsed)
    no_limit = limit == NO_LIMIT
    comparison = accounts.policy.age_comparison
    over = is_over(elapsed, limit, comparison) & ~no_limit
    allowed = allowed_days(limit, comparison) * DAY
    cases = [
        (~accounts.active, NOT_APPLICABLE, "inactive"),
        (no_limit & (age == MISSING), NON_COMPLIANT, "no_period_no_age"),
        (no_limit, NON_COMPLIANT, "no_period"),
        (np.isnat(accounts.keys["last_rotated"]), INSUFFICIENT_DATA, "undated"),
        (elapsed < np.timedelta64(0, "us"), INSUFFICIENT_DATA, "future"),
        (over & (age == limit), NON_COMPLIANT, "just_over"),
        (over, NON_COMPLIANT, "over"),
    ]
    case = choose(cases, (COMPLIANT, "within"), len(limit))
    judged = accounts.active & ~no_limit
    return Rows(
        row=np.arange(len(limit)),
        case=case,
        age_days=age,
        due=np.where(judged, accounts.keys["last_rotated"] + allowed, NAT),
        days_over=np.where(judged & over, age - limit, MISSING),
        limit=np.where(accounts.active, limit, MISSING),
    )


def unused(accounts: Accounts) -> Rows:
    """Active keys idle for the limit or longer fail (CIS: "45 days or more"). A key that was never used is idle
    since it was rotated; a use before the last rotation is not a use of this key."""
    rows = np.flatnonzero(accounts.active)
    limit = accounts.limits(UNUSED)[rows]
    rotated, used = accounts.keys["last_rotated"][rows], accounts.keys["last_used_date"][rows]
    no_answer = accounts.keys["last_used_unknown"][rows]
    since = np.fmax(used, rotated)  # fmax ignores NaT
    idle: np.ndarray = accounts.now - since
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


def active_keys(accounts: Accounts) -> Rows:
    """Users with more active keys than the limit fail; one row per user with any active key."""
    keys = accounts.keys
    # users of one name in two accounts are two; and an IAM user may have any name, even the one that root has
    names, different = pd.factorize(keys["user"])
    codes = np.unique((accounts.place * len(different) + names) * 2 + keys["is_root"], return_inverse=True)[1]
    counts = np.bincount(codes[accounts.active], minlength=1)
    active_rows = np.flatnonzero(accounts.active)
    rows = active_rows[np.unique(codes[active_rows], return_index=True)[1]] if len(active_rows) else active_rows
    limit, count = accounts.limits(ACTIVE_KEYS)[rows], counts[codes[rows]] if len(rows) else rows
    case = choose([(count > limit, NON_COMPLIANT, "over")], (COMPLIANT, "within"), len(rows))
    return Rows(rows, case, limit=limit, count=count)


def root_key(accounts: Accounts) -> Rows:
    """The root user has no access key, active or not; one row per root key, or else one for the account."""
    keys = np.flatnonzero(accounts.keys["is_root"])
    has_none = ~accounts.root_gaps
    has_none[accounts.place[keys]] = False
    none = np.flatnonzero(has_none)
    rows = np.concatenate([keys, np.full(len(none), ACCOUNT)])
    active = np.concatenate([accounts.active[keys], np.zeros(len(none), bool)])
    cases = [(active, NON_COMPLIANT, "active"), (rows != ACCOUNT, NON_COMPLIANT, "inactive")]
    of_account = np.concatenate([accounts.place[keys], none])
    return Rows(rows, choose(cases, (COMPLIANT, "none"), len(rows)), account=of_account)


#: the function of each control: it has the control's name
REGISTRY: dict[str, Callable[[Accounts], Rows]] = {one: globals()[one.replace("-", "_")] for one in CONTROLS}
