"""What a function's log proves about a key, as of an instant (rules 2).

The log names a key only by its last four characters; such a line is tied to one key in IAM by the time at which
that key was made.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from keyaudit.captured.rotations import CURRENT, PREVIOUS
from keyaudit.model import RotatedKey, RotatedSecret

#: a key is stored by the call that made it, but the clocks of several services may differ
NEAR = timedelta(minutes=10)
#: the version that is the line's token holds the key. The key was made for it; or by an earlier rotation that never
#: finished; or it was put beside fields that a person had changed meanwhile. In the last two cases the version is
#: younger than its key
STORED = ("key stored", "key stored again", "fields carried over")
#: logged by the call that made the key
MADE = ("key made", "key stored")
#: the version that is the line's token became AWSCURRENT
BECAME_CURRENT = ("key is current", "fields carried over")
IN_GRACE = ("in its grace", "still in use")


def known_at(secret: RotatedSecret, as_of: datetime) -> RotatedSecret:
    """The secret with what its function had logged by that instant: later lines prove nothing about it."""
    return replace(secret, lines=tuple(line for line in secret.lines if line.at <= as_of))


def is_stored(secret: RotatedSecret, key: RotatedKey, stage: str = CURRENT) -> bool:
    """Whether the function logged that it stored this key as the version that the stage is on.

    Neither the version nor the key can be younger than that line, and the key, or the version, was made when the
    function made a key that ends in the same characters.
    """
    version = secret.staged(stage)
    if version is None:
        return False
    earliest = max(version.created, key.created) - NEAR
    is_tied = abs(version.created - key.created) <= NEAR or _is_made(secret, key)
    return is_tied and any(
        line.outcome in STORED
        and line.key == key.last4
        and line.token == version.version_id
        and line.at >= earliest
        for line in secret.lines
    )


def _is_made(secret: RotatedSecret, key: RotatedKey) -> bool:
    return any(
        line.outcome in MADE and line.key == key.last4 and abs(line.at - key.created) <= NEAR
        for line in secret.lines
    )


def is_replaced(secret: RotatedSecret, key: RotatedKey) -> bool:
    """Whether this is the secret's former key: adopted at deployment, stored by the function, or found by the
    function in its grace."""
    return (
        key.key_id in secret.adopted
        or is_stored(secret, key, PREVIOUS)
        or any(
            line.step == "retire" and line.outcome in IN_GRACE and line.key == key.last4 for line in secret.lines
        )
    )


def replaced_at(secret: RotatedSecret) -> datetime | None:
    """When the former key stopped being AWSCURRENT: the first time that the log tells, or else the time at which
    the version that took its place was made, which may be long before. None if there is no current version."""
    current = secret.staged(CURRENT)
    if current is None:
        return None
    told = (line.at for line in secret.lines if line.outcome in BECAME_CURRENT and line.token == current.version_id)
    return min(told, default=current.created)
