"""Which keys are looked at, and by which limit, as the explorer's controls and parameters say."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass

from keyaudit.policy import Policy
from keyaudit.schema import CONTROLS, LIMIT_OF, ROTATION, THE_CONTROLS, InputError

AS_SET = -1  # the policy's own limit
STATUSES = ("active", "all")
SPANS = {one.id: (one.least, one.most) for one in THE_CONTROLS if one.limit}


@dataclass(frozen=True)
class Selection:
    """``limit``: in days (for active-keys, a number of keys); AS_SET: the policy's. ``status``: "active" or "all"
    (root keys fail either way). ``accounts`` and ``users``: parts of names, or patterns with ``*`` and ``?``,
    separated by commas; case does not matter; empty: all.

    InputError names the part that cannot be used.
    """

    control: str = ROTATION
    limit: int = AS_SET
    status: str = "active"
    accounts: str = ""
    users: str = ""

    def __post_init__(self) -> None:
        _one_of("control", self.control, CONTROLS)
        _one_of("status", self.status, STATUSES)
        # a single account id arrives as a number
        object.__setattr__(self, "accounts", _text("accounts", self.accounts, 12))
        object.__setattr__(self, "users", _text("users", self.users))
        lowest, highest = span(self.control)
        fits = type(self.limit) is int and lowest <= self.limit <= highest
        if self.limit != AS_SET and self.control not in LIMIT_OF:
            raise InputError("limit: root keys have none; leave it at -1")
        if self.limit != AS_SET and not fits:
            raise InputError(f"limit {self.limit!r}: give a whole number from {lowest} to {highest}, or -1")

    def matches(self, accounts: list[str], users: list[str]) -> tuple[set[str], set[str]]:
        """Which of these accounts and users are meant."""
        return _matching(self.accounts, accounts), _matching(self.users, users)


def span(control: str) -> tuple[int, int]:
    """The lowest and the highest limit that a control may have."""
    return SPANS.get(control, SPANS[ROTATION])


def with_limit(policy: Policy, control: str, limit: int) -> Policy:
    """The policy as if it set this limit: its overrides still only tighten, and its exemptions still hold."""
    if limit in (AS_SET, policy.limit(control)):
        return policy
    name = LIMIT_OF[control]
    overrides = [
        one if (own := getattr(one, name)) is None else one.model_copy(update={name: min(own, limit)})
        for one in policy.override
    ]
    return policy.model_copy(update={name: limit, "override": overrides})


def _one_of(name: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"{name} {value!r}: give one of {', '.join(known)}")


def _text(name: str, value: object, digits: int = 0) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InputError(f"{name} {value!r}: give a text: names or patterns with commas between them")
    return str(value).zfill(digits) if isinstance(value, int) else value


def _matching(words: str, names: list[str]) -> set[str]:
    wanted = [word.strip().casefold() for word in words.split(",") if word.strip()]
    # brackets stand for themselves, as in a policy
    patterns = [(w if {"*", "?"} & set(w) else f"*{w}*").replace("[", "[[]") for w in wanted]
    return {n for n in names if not patterns or any(fnmatch.fnmatchcase(n.casefold(), one) for one in patterns)}
