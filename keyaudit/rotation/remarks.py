"""What an operator is told before anything is deployed: which keys are in the way, what consumers read (pure)."""

from __future__ import annotations

from typing import Any

from keyaudit.rotation.deployment import FIELDS, Deployment
from keyaudit.rotation.periods import Periods
from keyaudit.texts import say, shell_word


def inactive_lines(user: str, keys: list[dict[str, Any]], periods: Periods) -> list[str]:
    """The user's inactive keys, each with the command that deletes it: until then, a rotation may have no room."""
    return [
        say(
            "operate.inactive",
            user=user,
            id=key["AccessKeyId"][-4:],
            n=periods.retention,
            command=f"aws iam delete-access-key {option('--user-name', user)} --access-key-id {key['AccessKeyId']}",
        )
        for key in keys
        if key["Status"] != "Active"
    ]


def fields_line(one: Deployment) -> list[str]:
    """What must be confirmed, and where consumers will find the key."""
    _, key_id, secret = (one.fields.get(name, name) for name in FIELDS)
    return [say("operate.consumers", key_id=key_id, secret=secret)]


def option(name: str, value: str) -> str:
    """An option for a shell; a value that looks like another option must not stand alone."""
    return f"{name}={shell_word(value)}" if value.startswith("-") else f"{name} {shell_word(value)}"
