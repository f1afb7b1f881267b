"""Why a file is refused, by the id of the text that says so: of a file in a folder it reaches the report."""

from __future__ import annotations

from typing import Any

from keyaudit.schema import InputError
from keyaudit.texts import say


def refused(place: str, key: str, **facts: Any) -> InputError:
    """The error that names the place and says what is wrong there, and the remedy."""
    return InputError(at(place, say(f"refused.{key}", **facts)))


def at(place: str, what: str) -> str:
    return say("refused.at", place=place, what=what)


def in_line(source: str, line: int) -> str:
    """The place of a line."""
    return say("read.line", source=source, line=line)
