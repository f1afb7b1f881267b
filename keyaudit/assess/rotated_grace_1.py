"""The grace of a proved rotation under rules 1, unchanged: evidence that was judged by these rules verifies by
them.

What rules 2 correct: rules 1 did not look at the deployed periods, counted lines of the log after the instant of
judgement, and let the grace run from the creation of the version.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from keyaudit.captured.rotations import CURRENT, PREVIOUS
from keyaudit.model import RotatedKey, RotatedSecret

NEAR = timedelta(minutes=10)
SLACK = timedelta(days=2)
STORED, IN_GRACE = "key stored", ("in its grace", "still in use")


def is_grace(secret: RotatedSecret, reported: list[datetime], as_of: datetime) -> bool:
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
    return current.created <= as_of <= current.created + timedelta(days=int(secret.grace)) + SLACK


def _stored(secret: RotatedSecret, key: RotatedKey, stage: str = CURRENT) -> bool:
    version = secret.staged(stage)
    if version is None or abs(version.created - key.created) > NEAR:
        return False
    return any(
        line.outcome == STORED and line.key == key.last4 and line.token == version.version_id
        for line in secret.lines
    )


def _replaced(secret: RotatedSecret, key: RotatedKey) -> bool:
    return (
        key.key_id in secret.adopted
        or _stored(secret, key, PREVIOUS)
        or any(
            line.step == "retire" and line.outcome in IN_GRACE and line.key == key.last4 for line in secret.lines
        )
    )
