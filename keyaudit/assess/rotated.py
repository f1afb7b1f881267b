"""Is a secret's key rotated within the policy? Judged by IAM's dates, because Secrets Manager takes a value that a
person put there by hand for a rotation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np

from keyaudit import retiring
from keyaudit.assess.limits import is_over
from keyaudit.assess.rotated_grace import SLACK, limit_of, unheld
from keyaudit.assess.rotated_proof import NEAR, is_stored, known_at
from keyaudit.captured.rotations import CURRENT, PENDING
from keyaudit.model import RotatedSecret, RotationVerdict
from keyaudit.policy import Policy
from keyaudit.schema import COMPLIANT, FUNCTION_VERSION, INSUFFICIENT_DATA, NON_COMPLIANT, NOT_APPLICABLE, RULES
from keyaudit.texts import say, utc


def verdict(secret: RotatedSecret, policy: Policy, as_of: datetime, rules: int = RULES) -> RotationVerdict:
    """The verdict: the worst that holds."""
    secret, limit = known_at(secret, as_of), limit_of(secret, policy, rules)
    active = secret.active
    ages = [np.timedelta64(as_of - one.created, "us") for one in active]
    made = active[0].created if active else None
    days = (as_of - made).days if made and made <= as_of else None
    facts = {"user": secret.user, "made": utc(made) or "", "n": days or 0, "limit": _days(limit)}
    facts |= {"every": _days(secret.every), "grace": _days(secret.grace)}
    case, kind = _case(secret, limit, ages, policy, as_of)
    return RotationVerdict(
        secret=secret,
        limit=limit,
        made=made,
        age_days=days,
        compliance_type=kind,
        annotation=say(f"rotated.{case}", **facts),
        remarks=tuple(_remarks(secret, limit, as_of)),
    )


def _case(
    secret: RotatedSecret, limit: int | None, ages: Sequence[np.timedelta64], policy: Policy, as_of: datetime
) -> tuple[str, str]:
    if limit is None:
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
    return ("rotated" if is_stored(secret, secret.active[0]) else "by_others"), COMPLIANT


def _days(number: float | None) -> str:
    """A number of days in words; the number may have a fraction."""
    return say("charts.days", n=number if number and number % 1 else int(number or 0))


def _remarks(secret: RotatedSecret, limit: int | None, as_of: datetime) -> Iterable[str]:
    if secret.is_older:
        yield say("rotated.older", function=secret.function, version=secret.version, today=FUNCTION_VERSION)
    newest = secret.active[0] if secret.active else None
    if newest and secret.last_rotated and newest.created + NEAR < secret.last_rotated <= as_of:
        yield say("rotated.by_hand", told=utc(secret.last_rotated), made=utc(newest.created))
    if secret.staged(PENDING) and secret.staged(PENDING) is not secret.staged(CURRENT):
        yield say("rotated.pending")
    if len(secret.active) > 1 and secret.has_function and limit and (case := unheld(secret, limit)):
        periods = {name: _days(getattr(secret, name)) for name in ("every", "grace", "retention")}
        yield say(f"rotated.unheld_{case}", **periods, slack=_days(retiring.SLACK), limit=_days(limit))
    stopped = [one for one in secret.lines if one.outcome in ("stopped", "failed")]
    if stopped:
        yield say("rotated.stopped", n=len(stopped), at=utc(stopped[-1].at), said=stopped[-1].said)
    if not secret.lines and secret.has_function:
        yield say("rotated.no_lines")
    if secret.other_lines and not secret.lines:
        yield say("rotated.other_lines", n=secret.other_lines)
    for policy_name in secret.leftovers:
        yield say("rotated.leftover", user=secret.user, policy=policy_name)
