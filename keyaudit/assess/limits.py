"""Which limit, and which exemption, applies to which key. Overrides only tighten; only exemptions loosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import overload

import numpy as np

from keyaudit.model import ExemptionUse
from keyaudit.policy import Exemption, Override, Policy
from keyaudit.schema import LIMIT_OF, LIMITED_CONTROLS, ROOT_USER, ROTATION, RULES

NO_LIMIT = -1
_NONE_MATCHES = np.iinfo(np.int64).max
DAY = np.timedelta64(86_400_000_000, "us")


def instant(moment: datetime) -> np.datetime64:
    """A tz-aware moment as numpy knows it: UTC, microseconds."""
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


def is_known(account_id: str) -> bool:
    """Whether this is an AWS account id, and not a label for a report that does not tell its account."""
    return len(account_id) == 12 and account_id.isdecimal() and account_id.isascii()


def limits(
    users: Sequence[str] | np.ndarray,
    accounts: Sequence[str] | np.ndarray,
    policy: Policy,
    control: str,
    is_root: np.ndarray | None = None,
    rules: int = RULES,
) -> np.ndarray:
    """The limit of a control for each user, given with the account of each (int64, NO_LIMIT if the policy sets
    none): the strictest of all overrides that match. Under rules 2 only the first override that matched applied,
    and could shadow a stricter one."""
    base = policy.limit(control)
    if base is None:
        return np.full(len(users), NO_LIMIT, dtype=np.int64)
    tightest = np.full(len(users), _NONE_MATCHES, dtype=np.int64)
    for override in policy.override:
        limit = getattr(override, LIMIT_OF[control])
        meant = _meant_by(override, users, accounts, is_root if rules >= 3 else None)
        if rules < 3:
            # the first that matches applies, even if it has no such limit
            meant &= tightest == _NONE_MATCHES
            tightest[meant] = base if limit is None else limit
        elif limit is not None:
            tightest[meant] = np.minimum(tightest[meant], limit)
    return np.where(tightest == _NONE_MATCHES, base, tightest)


def tightest(policy: Policy, control: str, account_id: str) -> int | None:
    """The tightest limit of a control that anybody in an account may have; None if the policy sets none."""
    base = policy.limit(control)
    tighter = (getattr(one, LIMIT_OF[control]) for one in policy.override if one.has_account(account_id))
    return base if base is None else min([base, *(limit for limit in tighter if limit is not None)])


def _meant_by(
    override: Override,
    users: Sequence[str] | np.ndarray,
    accounts: Sequence[str] | np.ndarray,
    is_root: np.ndarray | None,
) -> np.ndarray:
    """Which of the users an override names (bool); root by its own name, or as any user is."""
    meant = _each(override.has_account, accounts)
    if override.users is not None and meant.any():
        named = _each(override.has_user, users)
        if is_root is not None and override.has_user(ROOT_USER):
            named |= is_root
        meant &= named
    return meant


def _each(test: Callable[[str], bool], names: Sequence[str] | np.ndarray) -> np.ndarray:
    """A test of each name (bool); each different name is tried once."""
    found = {name: test(name) for name in dict.fromkeys(names)}
    return np.fromiter(map(found.__getitem__, names), bool, len(names))


def unclear_overrides(users: Sequence[str] | np.ndarray, policy: Policy) -> list[tuple[tuple[str, ...], int]]:
    """Overrides that name accounts, for a report that does not tell its account: (controls, number)."""
    return [
        (tuple(c for c in LIMITED_CONTROLS if getattr(override, LIMIT_OF[c]) is not None), number)
        for number, override in enumerate(policy.override, 1)
        if override.accounts is not None and any(override.has_user(user) for user in set(users))
    ]


def void_from(exemption: Exemption) -> datetime:
    """The instant from which an exemption is void: the start of its expiry day (UTC)."""
    return datetime.combine(exemption.expires, time(), UTC)


def is_expired(exemption: Exemption, as_of: datetime) -> bool:
    """Whether an exemption is void at an instant."""
    return as_of >= void_from(exemption)


@overload
def allowed_days(limit: int, comparison: str) -> int: ...
@overload
def allowed_days(limit: np.ndarray, comparison: str) -> np.ndarray: ...
def allowed_days(limit: int | np.ndarray, comparison: str) -> int | np.ndarray:
    """The days from the creation of a key to its deadline: counted in whole days, a key fails from the moment at
    which its age is one day more than the limit."""
    return limit + (comparison == "whole_days")


def is_over(
    elapsed: np.timedelta64 | np.ndarray, limit: int | np.ndarray, comparison: str
) -> np.bool_ | np.ndarray:
    """Whether an age (timedelta64) is over a limit in days. By ``elapsed`` it is if more than the limit has
    elapsed, to the microsecond; by ``whole_days``, if its whole days are more than the limit. Scalars or arrays."""
    allowed = allowed_days(limit, comparison) * DAY
    return elapsed >= allowed if comparison == "whole_days" else elapsed > allowed


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
    named = naming(policy, control, user, account_id, is_root, rules)
    return first_in_force(named, policy, control, last_rotated, as_of)


def naming(
    policy: Policy, control: str, user: str, account_id: str, is_root: bool = False, rules: int = RULES
) -> list[Exemption]:
    """The exemptions that name a control, a user and an account, in force or not, in the policy's order."""
    return [
        one
        for one in policy.exemption
        if control in one.controls and is_meant(one, user, is_root, rules) and one.has_account(account_id)
    ]


def first_in_force(
    exemptions: Sequence[Exemption], policy: Policy, control: str, last_rotated: np.datetime64, as_of: datetime
) -> Exemption | None:
    """The first of the exemptions that has not expired, and whose upper limit the key has not passed."""
    for one in exemptions:
        if not is_expired(one, as_of) and not is_past_cap(one, policy, control, last_rotated, as_of):
            return one
    return None


def exempt_until(exemptions: Sequence[Exemption], policy: Policy, last_rotated: datetime) -> datetime | None:
    """Until when one of these exemptions from rotation covers a key, if it covers the key at all: until it expires
    or until the key reaches its upper limit, whichever comes first. None without exemptions."""
    ends = []
    for one in exemptions:
        cap = one.max_access_key_age
        end = void_from(one)
        if cap is not None:
            end = min(end, last_rotated + timedelta(days=allowed_days(cap, policy.age_comparison)))
        ends.append(end)
    return max(ends, default=None)


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
