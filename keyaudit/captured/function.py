"""What a capture keeps of a deployed function, read strictly (pure): its settings, and the lines that it logged."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from keyaudit.captured import strict

#: the fields of a line that the function logs; version 1 did not log its version
LINE_FIELDS = frozenset(
    ("at", "user", "key", "step", "token", "outcome", "version", "reason", "text", "last_used", "compliance_type")
)
#: the setting of a function of version 2 that binds secrets and users
USERS = "KEYAUDIT_USERS"
_MOST_DAYS = 10_000


def users_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """Which user's key a function of version 2 keeps in which secret, by the exact names of both. ValueError if
    that cannot be read."""
    users = json.loads(settings[USERS])
    strict.must(isinstance(users, dict))
    return {name: strict.text(user) for name, user in users.items()}


def user_of(settings: Mapping[str, Any], secret: str) -> str | None:
    """The user whose key a function keeps in the secret of exactly this name; version 1 serves one secret, and
    names only the user. None: not a function of keyaudit's, or not for this secret."""
    if USERS not in settings:
        return settings.get("KEYAUDIT_USER")
    try:
        return users_of(settings).get(secret)
    except (ValueError, TypeError, RecursionError):
        return None


def own_line(text: str, user: str | None = None) -> dict[str, Any] | None:
    """A line of the function's own, about this user if one is named; None for any other line, which may say
    anything."""
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    is_own = (
        isinstance(line, dict)
        and set(line) <= LINE_FIELDS
        and isinstance(line.get("user"), str)
        and user in (None, line["user"])
        and isinstance(line.get("outcome"), str)
        and isinstance(line.get("step"), str)
        and all(value is None or isinstance(value, str) for value in line.values())
    )
    return line if is_own else None


def version_of(settings: Mapping[str, Any]) -> int:
    told = settings.get("KEYAUDIT_VERSION", "1")
    strict.must(isinstance(told, str) and re.fullmatch(r"[1-9][0-9]{0,5}", told) is not None)
    return int(told)


def retention_of(settings: Mapping[str, Any]) -> float | None:
    """None if it is not a number of days: then no key is exempt. Rules 1 did not look at it."""
    try:
        return days_in(settings["KEYAUDIT_RETENTION"])
    except (KeyError, TypeError, ValueError):
        return None


def days_in(value: Any) -> float:
    """A number of days, as an int if it is whole. ValueError or TypeError if it is not a number."""
    days = float(value)
    strict.must(0 < days <= _MOST_DAYS)
    return int(days) if days == int(days) else days
