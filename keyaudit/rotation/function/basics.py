"""Words, periods and times of the function, and why it stops."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

VERSION = "2"
CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"
TAG = "keyaudit:"
#: the function's timeout; a call that began so long ago, and a little, has ended
FUNCTION_SECONDS = 300
ENDED = timedelta(seconds=FUNCTION_SECONDS + 30)
#: a daily rule may come a day late, and IAM tells of uses with a delay
MARGIN = timedelta(days=2)
#: so long apart two looks of daily runs still are a look each day: one came late, or not at all
UNSEEN = MARGIN + timedelta(hours=6)
#: a rotation stores a key so soon after it made it
NEAR = timedelta(minutes=10)
#: a rotation that is pending for so long, and not with Secrets Manager, is stuck
STUCK = timedelta(hours=1)
#: after so long without use a lost key is deleted
LOST_FOR = timedelta(hours=24)
LEFT = 15_000  # milliseconds of the function's time that are kept for answering
CONNECT, READ = 5, 10  # seconds
#: clocks of two services differ by so much, and a record is written within as much
SKEW = timedelta(seconds=2)
KEY_ID = re.compile(r"\bA[KS]IA[A-Z0-9]{12,124}\b")
Key = dict[str, Any]


class RotationError(Exception):
    """Why it stops, and what a person must do."""


class NotYetError(RotationError):
    """It stops for now; the next call goes on, and nobody has to do anything."""


def deployed(name: str) -> dict[str, str]:
    """What the function was deployed with."""
    return dict(json.loads(os.environ.get(f"KEYAUDIT_{name}", "{}")))


def parsed(text: str | None) -> dict[str, Any] | None:
    """A value of a secret; None where it is no JSON object."""
    with suppress(ValueError, RecursionError):
        value = json.loads(text or "")
        return value if isinstance(value, dict) else None
    return None


def days(name: str) -> timedelta:
    return timedelta(days=float(os.environ[f"KEYAUDIT_{name}"]))


def instant() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def moment_of(text: str) -> datetime:
    """ValueError unless it is a time with a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def last4(key_id: str) -> str:
    return f"****{key_id[-4:]}" if key_id else ""
