"""JSON that a capture wrote, read strictly (pure): what is not exactly as it was written is a ValueError."""

from __future__ import annotations

from typing import Any


def must(holds: bool) -> None:
    if not holds:
        raise ValueError("not as a capture of this account writes it")


def a_list(value: Any) -> list[Any]:
    must(isinstance(value, list))
    return list(value)


def text(value: Any) -> str:
    """A text that is not empty and can be written."""
    must(isinstance(value, str) and bool(value) and bool(value.encode()))
    return str(value)


def flag(value: Any) -> bool:
    must(value is True or value is False)
    return bool(value)


def count(value: Any) -> int:
    # a huge number cannot be written: Python refuses to
    must(type(value) is int and 0 <= value < 10**9)
    return int(value)
