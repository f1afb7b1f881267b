"""Is a secret's key rotated within the policy? Told by IAM's dates: Secrets Manager takes a value that a person put
there by hand for a rotation. And: which second active key is in the grace of a rotation that is proved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from keyaudit.assess.limits import NO_LIMIT, is_over, limits
from keyaudit.policy import Policy
from keyaudit.remedy.evidence import CURRENT, PENDING, PREVIOUS, RotatedKey, RotatedSecret
from keyaudit.schema import COMPLIANT, INSUFFICIENT_DATA, NON_COMPLIANT, NOT_APPLICABLE, ROTATION
from keyaudit.texts import say, utc

#: a rotation's version is made in the same call as its key; the clocks of two services may differ
NEAR = timedelta(minutes=10)
#: the rotation window, and a daily rule that may come a day late
SLACK = timedelta(days=2)
STORED, IN_GRACE = "key stored", ("in its grace", "still in use")


@dataclass(frozen=True)
class Verdict:
    """Of one secret: whether its user's keys are rotated within the policy, and why. ``made``: when IAM made the
    newest active key; ``age_days`` of that, None where it was made after the instant; ``remarks``: what is odd
    besides."""

    secret: RotatedSecret
    limit: int | None
    made: datetime | None
    age_days: int | None
    compliance_type: str
    annotation: str
    remarks: tuple[str, ...]


def verdict(secret: RotatedSecret, policy: Policy, as_of: datetime) -> Verdict:
    """The worst that holds comes first."""
    limit = int(limits([secret.user], secret.account_id, policy, ROTATION)[0])
    active = secret.active
    ages = [np.timedelta64(as_of - one.created, "us") for one in active]
    made = active[0].created if active else None
    days = (as_of - made).days if made and made <= as_of else None
    facts = {"user": secret.user, "made": utc(made) or "", "n": days or 0, "limit": limit}
    facts |= {"every": secret.every or 0, "grace": secret.grace or 0}
    case, kind = _case(secret, limit, ages, policy, as_of)
    return Verdict(
        secret=secret,
        limit=None if limit == NO_LIMIT else limit,
        made=made,
        age_days=days,
        compliance_type=kind,
        annotation=say(f"rotated.{case}", **facts),
        remarks=tuple(_remarks(secret, as_of)),
    )


def _case(
    secret: RotatedSecret, limit: int, ages: Sequence[np.timedelta64], policy: Policy, as_of: datetime
) -> tuple[str, str]:
    if limit == NO_LIMIT:
        return "no_period", NON_COMPLIANT
    if any(age < np.timedelta64(0, "us") for age in ages):
        return "future", INSUFFICIENT_DATA
    over = [bool(is_over(age, limit, policy.age_comparison)) for age in ages]
    if over and over[0]:
        return "not_rotated", NON_COMPLIANT
    if any(over):
        return "replaced_over", NON_COMPLIANT
    if not secret.is_enabled or not secret.has_function:
        return ("off" if secret.has_function else "no_function"), NON_COMPLIANT
    if secret.every is not None and secret.every + int(secret.grace or 0) > limit:
        return "too_slow", NON_COMPLIANT
    if not ages:
        return ("gone" if secret.keys is None else "no_key"), NOT_APPLICABLE
    if secret.next_rotation is not None and secret.next_rotation + SLACK < as_of:
        return "missed", NON_COMPLIANT
    return ("rotated" if _stored(secret, secret.active[0]) else "by_others"), COMPLIANT


def _remarks(secret: RotatedSecret, as_of: datetime) -> Iterable[str]:
    newest = secret.active[0] if secret.active else None
    if newest and secret.last_rotated and secret.last_rotated - newest.created > NEAR:
        yield say("rotated.by_hand", told=utc(secret.last_rotated), made=utc(newest.created))
    if secret.staged(PENDING) and secret.staged(PENDING) is not secret.staged(CURRENT):
        yield say("rotated.pending")
    stopped = [one for one in secret.lines if one.outcome in ("stopped", "failed") and one.at <= as_of]
    if stopped:
        yield say("rotated.stopped", n=len(stopped), at=utc(stopped[-1].at), said=stopped[-1].said)
    if not secret.lines and secret.has_function:
        yield say("rotated.no_lines")
    if secret.other_lines and not secret.lines:
        yield say("rotated.other_lines", n=secret.other_lines)
    for policy_name in secret.leftovers:
        yield say("rotated.leftover", user=secret.user, policy=policy_name)


def graces(
    secrets: Iterable[RotatedSecret], active: dict[str, list[datetime]], as_of: datetime
) -> dict[str, RotatedSecret]:
    """Users whose second active key is in the grace of a rotation that this evidence proves, with their secrets.

    ``active``: creation times of each user's active keys, as the credential report gives them.
    """
    secrets = list(secrets)
    number = Counter(one.user for one in secrets)
    return {
        one.user: one
        for one in secrets
        if number[one.user] == 1 and _is_grace(one, active.get(one.user, []), as_of)
    }


def _is_grace(secret: RotatedSecret, reported: list[datetime], as_of: datetime) -> bool:
    """Two keys, the very ones of the report; the newer was stored by the function as AWSCURRENT, the older is what
    it replaced; and the grace is not over."""
    keys = secret.active
    if len(keys) != 2 or sorted(reported) != sorted(one.created for one in keys):
        return False
    new, old = keys
    current = secret.staged(CURRENT)
    if not secret.is_enabled or secret.grace is None or current is None or new.created > as_of:
        return False
    if not _stored(secret, new) or not _replaced(secret, old):
        return False
    return current.created <= as_of <= current.created + timedelta(days=secret.grace) + SLACK


def _stored(secret: RotatedSecret, key: RotatedKey, stage: str = CURRENT) -> bool:
    """Whether the function logged that it stored this key as the version that the stage is on, when both were
    made."""
    version = secret.staged(stage)
    if version is None or abs(version.created - key.created) > NEAR:
        return False
    return any(
        line.outcome == STORED and line.key == key.last4 and line.token == version.version_id
        for line in secret.lines
    )


def _replaced(secret: RotatedSecret, key: RotatedKey) -> bool:
    """Whether it is the secret's former key: adopted at deployment, stored by the function, or found in its grace
    by it."""
    return (
        key.key_id in secret.adopted
        or _stored(secret, key, PREVIOUS)
        or any(
            line.step == "retire" and line.outcome in IN_GRACE and line.key == key.last4 for line in secret.lines
        )
    )
