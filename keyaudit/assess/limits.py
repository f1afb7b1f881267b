"""Which limit, and which exemption, applies to which key. Overrides only tighten; only exemptions loosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time

import numpy as np

from keyaudit.model import ExemptionUse
from keyaudit.policy import Exemption, Policy
from keyaudit.schema import LIMIT_OF, LIMITED_CONTROLS, ROOT_USER, ROTATION, RULES

NO_LIMIT = -1
DAY = np.timedelta64(86_400_000_000, "us")


def instant(moment: datetime) -> np.datetime64:
    """A tz-aware moment as numpy knows it: UTC, microseconds."""
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


def is_known(account_id: str) -> bool:
    """Whether this is an AWS account id, and not a label for a report that does not tell its account."""
    return len(account_id) == 12 and account_id.isdecimal() and account_id.isascii()


def limits(
    users: Sequence[str] | np.ndarray,
    account_id: str,
    policy: Policy,
    control: str,
    is_root: np.ndarray | None = None,
    rules: int = RULES,
) -> np.ndarray:
    """The limit of a control for each user (int64, NO_LIMIT if the policy sets none): the strictest of all
    overrides that match. Under rules 2 only the first override that matched applied, and could shadow a stricter
    one."""
    base = policy.limit(control)
    values = np.full(len(users), NO_LIMIT if base is None else base, dtype=np.int64)
    overrides = [override for override in policy.override if override.has_account(account_id)]
    if not overrides or base is None:
        return values
    roots = [False] * len(users) if is_root is None else is_root
    for row, (user, root) in enumerate(zip(users, roots, strict=True)):
        matching = [one for one in overrides if one.has_user(user) or (root and one.has_user(ROOT_USER))]
        if rules < 3:
            matching = [one for one in overrides if one.has_user(user)][:1]
        tighter = [limit for one in matching if (limit := getattr(one, LIMIT_OF[control])) is not None]
        values[row] = min(tighter, default=base)
    return values


def unclear_overrides(
    users: Sequence[str] | np.ndarray, account_id: str, policy: Policy
) -> list[tuple[tuple[str, ...], int]]:
    """Overrides that name accounts, if the report does not tell its account: (controls, number)."""
    if is_known(account_id):
        return []
    return [
        (tuple(c for c in LIMITED_CONTROLS if getattr(override, LIMIT_OF[c]) is not None), number)
        for number, override in enumerate(policy.override, 1)
        if override.accounts is not None and any(override.has_user(user) for user in set(users))
    ]


def is_expired(exemption: Exemption, as_of: datetime) -> bool:
    """Whether an exemption is void: it is from the start of its expiry day (UTC) on."""
    return as_of >= datetime.combine(exemption.expires, time(), UTC)


def is_over(
    elapsed: np.timedelta64 | np.ndarray, limit: int | np.ndarray, comparison: str
) -> np.bool_ | np.ndarray:
    """Whether an age (timedelta64) is over a limit in days. By ``elapsed`` it is if more than the limit has
    elapsed, to the microsecond; by ``whole_days``, if its whole days are more than the limit. Scalars or arrays."""
    return elapsed >= (limit + 1) * DAY if comparison == "whole_days" else elapsed > limit * DAY


def find_exemption(
    policy: Policy,
    control: str,
    user: str,
    account_id: str,
    last_rotated: np.datetime64,
    as_of: datetime,
    is_root: bool = False,
    rules: int = RULES,
) -> Exemption | None:
    """The first exemption in force that covers this finding. One with an upper limit covers rotation findings up to
    that age, compared as the policy compares ages. Under rules 2 a pattern could match the root user."""
    for exemption in policy.exemption:
        covers = control in exemption.controls and is_meant(exemption, user, is_root, rules)
        if not covers or not exemption.has_account(account_id) or is_expired(exemption, as_of):
            continue
        if not is_past_cap(exemption, policy, control, last_rotated, as_of):
            return exemption
    return None


def is_meant(exemption: Exemption, user: str, is_root: bool, rules: int = RULES) -> bool:
    """Whether an exemption names this user; under rules 2 a pattern could match the root user."""
    return exemption.covers(user, is_root) if rules >= 3 else exemption.has_user(user)


def is_past_cap(
    exemption: Exemption, policy: Policy, control: str, last_rotated: np.datetime64, as_of: datetime
) -> bool:
    """Whether a key is older than its exemption from rotation allows."""
    cap = exemption.max_access_key_age if control == ROTATION else None
    return cap is not None and bool(is_over(instant(as_of) - last_rotated, cap, policy.age_comparison))


def exemption_status(
    policy: Policy, exempted: Mapping[str, int], missed: Mapping[tuple[str, str], int], as_of: datetime
) -> list[ExemptionUse]:
    """The use of every exemption of the policy, in the policy's order."""
    rows = []
    for one in policy.exemption:
        number, past = exempted.get(one.id, 0), missed.get((one.id, "past_cap"), 0)
        reasons = [reason for reason in ("past_cap", "covered", "no_period") if missed.get((one.id, reason))]
        used = "some_past_cap" if past else "in_use"
        state = "expired" if is_expired(one, as_of) else used if number else (*reasons, "unused")[0]
        rows.append(ExemptionUse(one, state, number, past))
    return rows
