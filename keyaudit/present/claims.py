"""What the headline claims, as facts. Each says about one control no more than was concluded for it; the sentences
are made from these facts alone (``headline``)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from keyaudit import resources
from keyaudit.model import Audit, Provenance
from keyaudit.policy import Policy
from keyaudit.schema import (
    ACCOUNT_VERDICTS,
    COMPLIANT,
    CONTROLS,
    EXEMPT,
    INSUFFICIENT_DATA,
    NON_COMPLIANT,
    RECEIVED_TIME,
    ROTATION,
    UNREAD,
)
from keyaudit.texts import say


class Claim(StrEnum):
    """What was concluded of rotation."""

    NO_PERIOD = "no_period"  # no period is defined, whatever the ages
    OVERDUE = "overdue"  # some keys are over their limits, and not exempt
    UNDECIDED = "undecided"  # nothing seen fails, and something was not seen
    NO_KEYS = "no_keys"  # all was seen, and no key is active
    IN_TIME = "in_time"  # every active key
    EXCUSED = "excused"  # every active key that is not exempt
    ALL_EXEMPT = "all_exempt"  # no active key is within its limit


class Setter(StrEnum):
    """Who sets the limits: what a preset sets is never called the policy's."""

    POLICY = "policy"
    PRESET = "preset"  # a preset that was asked for by its name
    STAND_IN = "stand_in"  # the preset for a policy that nobody gave


@dataclass(frozen=True)
class Keys:
    """Active access keys by their rotation findings: ``active`` is the sum of the others. ``unjudged`` are those
    for which no period is defined."""

    active: int
    overdue: int
    exempt: int
    in_time: int
    unknown: int
    unjudged: int


@dataclass(frozen=True)
class Accounts:
    """``total`` accounts, of which ``read`` were read, ``incomplete`` of these with evidence that is missing or
    cannot be relied on, ``overdue`` of these with overdue keys. ``all_known``: the list of accounts itself could be
    had."""

    total: int
    read: int
    incomplete: int = 0
    all_known: bool = True
    overdue: int = 0


@dataclass(frozen=True)
class Headline:
    """``rotation`` is claimed of ``keys`` in ``accounts``, and ``rotation_counts`` towards the conclusion or not.
    Of the other controls that count: those that fail, those that the evidence does not decide, those that are met
    (none of them was left unassessed). ``exempt`` counts the exempt findings of all controls."""

    conclusion: str
    rotation: Claim
    rotation_counts: bool
    keys: Keys
    accounts: Accounts
    limit: int | None
    limit_by: Setter
    preset: str
    failing: tuple[str, ...]
    undecided: tuple[str, ...]
    met: tuple[str, ...]
    exempt: int


def headline_of(a: Audit) -> Headline:
    """The facts of the headline."""
    counted = {c: a.conclusions[c] for c in CONTROLS if c in a.policy.controls and c in a.conclusions}
    others = {control: kind for control, kind in counted.items() if control != ROTATION}
    return Headline(
        conclusion=a.conclusion,
        rotation=_claim(a),
        rotation_counts=ROTATION in counted,
        keys=keys_of(a),
        accounts=accounts_of(a),
        limit=a.policy.max_access_key_age,
        limit_by=setter_of(a.policy),
        preset=preset_of(a.policy),
        failing=tuple(c for c, kind in others.items() if kind == NON_COMPLIANT),
        undecided=tuple(c for c, kind in others.items() if kind == INSUFFICIENT_DATA),
        met=tuple(c for c, kind in others.items() if kind == COMPLIANT),
        exempt=sum(tally.get(EXEMPT, 0) for tally in a.tallies.values()),
    )


def _claim(a: Audit) -> Claim:
    keys, concluded = keys_of(a), a.conclusions[ROTATION]
    if a.policy.max_access_key_age is None:
        return Claim.NO_PERIOD
    if concluded == NON_COMPLIANT:
        return Claim.OVERDUE
    if concluded == INSUFFICIENT_DATA:
        return Claim.UNDECIDED
    if not keys.active:
        return Claim.NO_KEYS
    if not keys.exempt:
        return Claim.IN_TIME
    return Claim.EXCUSED if keys.in_time else Claim.ALL_EXEMPT


def keys_of(a: Audit) -> Keys:
    """The active keys by rotation finding, from the tallies, which are complete also where findings were cut."""
    tally = a.counts
    failing, missing = tally.get(NON_COMPLIANT, 0), tally.get(INSUFFICIENT_DATA, 0)
    exempt, in_time = tally.get(EXEMPT, 0), tally.get(COMPLIANT, 0)
    # rows that speak of an account and not of a key
    unknown = missing - len({one.account_id for one in a.problems if ROTATION in one.controls})
    is_defined = a.policy.max_access_key_age is not None
    overdue, unjudged = (failing, 0) if is_defined else (0, failing - len(a.provenance))
    return Keys(overdue + unjudged + exempt + in_time + unknown, overdue, exempt, in_time, unknown, unjudged)


def accounts_of(a: Audit) -> Accounts:
    """How many accounts there are, were read, were read with gaps, and have overdue keys."""
    found = [one for one in a.provenance if one.is_account]
    read, overdue = sum(bool(one.form) for one in found), sum(bool(one.overdue) for one in found)
    return Accounts(len(found), read, len(incomplete(a)), len(found) == len(a.provenance), overdue)


def incomplete(a: Audit) -> list[str]:
    """Accounts that were read, but whose evidence lacks what evidence of its kind has, or cannot be relied on; in
    their order."""
    gaps = {problem.account_id for problem in a.problems if not (problem.of_policy or problem.is_usual)}
    return [one.account_id for one in a.provenance if one.form and one.account_id in gaps]


def verdict_of(one: Provenance) -> str:
    """What is said about an account: its conclusion, or that it was not read."""
    return str(one.conclusion) if one.form else UNREAD


def worst_first(a: Audit) -> list[Provenance]:
    """The accounts by what fails: most overdue keys first, then by verdict, then by the age of the oldest key."""

    def badness(one: Provenance) -> tuple[int, int, int, str]:
        oldest = -1 if one.oldest_days is None else one.oldest_days
        return -one.overdue, ACCOUNT_VERDICTS.index(verdict_of(one)), -oldest, one.account_id

    return sorted(a.provenance, key=badness)


def setter_of(policy: Policy) -> Setter:
    """Who sets what a policy sets."""
    if not policy.given:
        return Setter.STAND_IN
    return Setter.PRESET if preset_of(policy) else Setter.POLICY


def moment_of(a: Audit) -> str:
    """Where the instant of judgement comes from, in words."""
    read = [one for one in a.provenance if one.form]
    if a.as_of_source != RECEIVED_TIME or any(one.generated_time is None for one in read):
        return say(f"as_of.{a.as_of_source}")
    return say("as_of.received_other" if read else "as_of.received_nothing")


def preset_of(policy: Policy) -> str:
    """The name of the preset with which a policy is identical byte for byte, whatever its file is called; otherwise
    empty."""
    return _presets().get(policy.sha256, "")


@cache
def _presets() -> dict[str, str]:
    names = resources.names("policies", ".toml")
    return {
        hashlib.sha256(resources.data("policies", f"{name}.toml").read_bytes()).hexdigest(): name for name in names
    }
