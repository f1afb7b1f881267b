"""A day where an instant is asked for: it is refused with the two instants that it may mean, ready to be copied."""

from __future__ import annotations

from datetime import date

from keyaudit.schema import InputError


def refuse_day(name: str, text: str) -> None:
    """InputError if the text is a day: its keys would be judged by one of its ends, and nobody said by which.
    ``name``: of the option or parameter."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return
    raise InputError(
        f"{name} {text}: say which instant: {day}T00:00:00Z (the day's beginning) or {day}T23:59:59Z (its end)"
    )
