"""Which second active keys are in the grace of a proved rotation, by the rules that are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from keyaudit import retiring
from keyaudit.assess import rotated_grace_1
from keyaudit.assess.limits import NO_LIMIT, limits
from keyaudit.assess.rotated_proof import is_replaced, is_stored, known_at, replaced_at
from keyaudit.captured.rotations import CURRENT
from keyaudit.model import RotatedSecret
from keyaudit.policy import Policy
from keyaudit.schema import ROTATION, RULES

SLACK = timedelta(days=retiring.SLACK)


def graces(
    secrets: Iterable[RotatedSecret],
    active: Mapping[str, list[datetime]],
    policy: Policy,
    as_of: datetime,
    rules: int = RULES,
) -> dict[str, RotatedSecret]:
    """Users whose second active key is in the grace of a rotation that this evidence proves, with their secrets.

    ``active``: creation times of each user's active keys, as the credential report gives them.
    """
    secrets = list(secrets)
    number = Counter(one.user for one in secrets)
    return {
        one.user: one
        for one in secrets
        if number[one.user] == 1 and _is_grace(one, active.get(one.user, []), policy, as_of, rules)
    }


def limit_of(secret: RotatedSecret, policy: Policy, rules: int = RULES) -> int | None:
    """The policy's limit for the keys of the secret's user, in days."""
    limit = int(limits([secret.user], [secret.account_id], policy, ROTATION, rules=rules)[0])
    return None if limit == NO_LIMIT else limit


def unheld(secret: RotatedSecret, limit: int | None) -> str:
    """Which inequality the deployed periods break: ``unknown``, ``limit`` or ``room``; empty if they hold and the
    function retires the replaced key in time."""
    every, grace, retention = secret.steady, secret.grace, secret.retention
    if every is None or grace is None or retention is None or limit is None:
        return "unknown"
    if not retiring.keeps_limit(every, grace, limit):
        return "limit"
    return "" if retiring.leaves_room(every, grace, retention) else "room"


def _is_grace(secret: RotatedSecret, reported: list[datetime], policy: Policy, as_of: datetime, rules: int) -> bool:
    if rules == 1:
        return rotated_grace_1.is_grace(secret, reported, as_of)
    return not unheld(secret, limit_of(secret, policy, rules)) and _lasts(known_at(secret, as_of), reported, as_of)


def _lasts(secret: RotatedSecret, reported: list[datetime], as_of: datetime) -> bool:
    """Two keys, the very ones of the report; the newer was stored by the function as AWSCURRENT, the older is what
    it replaced; and the grace is not over."""
    keys = secret.active
    if len(keys) != 2 or sorted(reported) != sorted(one.created for one in keys):
        return False
    new, old = keys
    current, since = secret.staged(CURRENT), replaced_at(secret)
    if not secret.is_enabled or secret.grace is None or current is None or since is None:
        return False
    if max(new.created, current.created) > as_of or not is_stored(secret, new) or not is_replaced(secret, old):
        return False
    return as_of <= since + timedelta(days=secret.grace) + SLACK
