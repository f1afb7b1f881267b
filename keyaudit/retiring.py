"""How long a key that a rotation replaced stays, in days, and what must hold between those periods (pure).

Stated here once: ``rotation`` deploys no periods that break this, and ``assess`` exempts no key by periods that do.
"""

from __future__ import annotations

#: days: the rotation window, and a daily rule that may come a day late
SLACK = 2


def oldest(every: float, grace: float) -> float:
    """How old the replaced key may be when it is deactivated."""
    return every + grace + SLACK


def kept(grace: float, retention: float) -> float:
    """How long after its replacement the replaced key may still be there."""
    return grace + retention + SLACK


def keeps_limit(every: float, grace: float, limit: float) -> bool:
    """Whether the replaced key is deactivated before it breaches the policy."""
    return oldest(every, grace) <= limit


def leaves_room(every: float, grace: float, retention: float) -> bool:
    """Whether the replaced key is gone before the next rotation, which would otherwise meet two keys."""
    return kept(grace, retention) < every
