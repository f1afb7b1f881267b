"""Lengths of time in days, and what is known of them: a least and a most. A least is never said to be more than it
is, nor a most to be less."""

from __future__ import annotations

from datetime import timedelta
from math import ceil, floor

from keyaudit.texts import say

TENTH = timedelta(days=1) / 10


def in_days(length: timedelta) -> str:
    """Days with at most one decimal."""
    return _tenths(round(length / TENTH))


def between(least: timedelta, most: timedelta | None) -> str:
    """Such as "3 to 10", equal ones once, "at least 3" without an upper bound."""
    if most is None:
        return say("operating.at_least", least=_tenths(floor(least / TENTH)))
    if least == most:
        return in_days(least)
    return say("operating.between", least=_tenths(floor(least / TENTH)), most=_tenths(ceil(most / TENTH)))


def _tenths(number: int) -> str:
    return f"{number / 10:,.1f}".removesuffix(".0")
