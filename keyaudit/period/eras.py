"""By which policy, and within which limit, a key is judged at each instant of a period.

Each instant is judged by the policy sealed with the latest evidence before it; the time between two snapshots by
the stricter limit of the two, since nobody knows when between them the policy changed; the time before the first
snapshot by the limits of its policy. An exemption counts from the first evidence that carries it, up to the first
that does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TypeVar

import numpy as np

from keyaudit.assess.limits import (
    NO_LIMIT,
    allowed_days,
    exempt_until,
    first_in_force,
    instant,
    is_over,
    limits,
    naming,
    tightest,
)
from keyaudit.model.over_period import Span
from keyaudit.period.lineages import Lineage
from keyaudit.period.snapshots import Snapshot
from keyaudit.period.timeline import BEGINNING
from keyaudit.policy import Exemption, Policy
from keyaudit.schema import ROTATION

T = TypeVar("T")
#: the number of a policy, and the name of a user
Term = tuple[int, str]


@dataclass(frozen=True)
class Era:
    """A time in which a key is judged by the stricter limit of two terms; ``before``, of the evidence before it,
    has the exemptions (None: there is no evidence before it)."""

    span: Span
    before: Term | None
    after: Term


@dataclass
class Terms:
    """The policies of some snapshots, each once, and which of them each snapshot has; limits by policy, account,
    user and whether it is the root user."""

    policies: list[Policy]
    of_snapshot: list[int]
    instants: list[datetime]
    is_as_if: bool
    _limits: dict[tuple[int, str, str, bool], int]
    _exemptions: dict[tuple[int, str, str, bool], list[Exemption]] = field(default_factory=dict)
    _tightest: dict[str, int] = field(default_factory=dict)
    _eras: list[tuple[Span, int | None, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._eras = list(_eras(self.instants, self.of_snapshot, self.is_as_if))

    def eras(self, key: Lineage) -> list[Era]:
        """The times in which a key is judged by the same terms, in their order, up to the last snapshot."""
        if len(key.names) == 1:
            user = key.names[0][1]
            return [Era(span, None if b is None else (b, user), (a, user)) for span, b, a in self._eras]
        terms = [(policy, key.user_at(number)) for number, policy in enumerate(self.of_snapshot)]
        return [Era(*one) for one in _eras(self.instants, terms, self.is_as_if)]

    def limit(self, key: Lineage, term: Term) -> int | None:
        """The limit of a key in days; None if the policy sets none."""
        found = self._limits[term[0], key.account, term[1], key.is_root]
        return None if found == NO_LIMIT else found

    def allowed(self, key: Lineage, term: Term) -> int | None:
        """The days from the creation of a key to its deadline; None if the policy sets no limit."""
        limit = self.limit(key, term)
        return None if limit is None else allowed_days(limit, self.policies[term[0]].age_comparison)

    def exemptions(self, key: Lineage, term: Term) -> list[Exemption]:
        """Those that name a key, in force or not."""
        which = term[0], key.account, term[1], key.is_root
        if which not in self._exemptions:
            policy = self.policies[term[0]]
            self._exemptions[which] = naming(policy, ROTATION, term[1], key.account, key.is_root)
        return self._exemptions[which]

    def exempt_until(self, key: Lineage, term: Term, created: datetime) -> datetime | None:
        """Until when a key is exempt, if it is so at all; without a limit there is nothing to be exempt from."""
        if self.limit(key, term) is None:
            return None
        return exempt_until(self.exemptions(key, term), self.policies[term[0]], created)

    def fails(self, key: Lineage, created: datetime, number: int) -> bool:
        """Whether a key that a snapshot shows active is beyond its limit and not exempt at that instant, as a
        report of that instant says."""
        term, as_of = (self.of_snapshot[number], key.user_at(number)), self.instants[number]
        limit, policy = self.limit(key, term), self.policies[term[0]]
        if limit is None:
            return True
        if not is_over(np.timedelta64(as_of - created), limit, policy.age_comparison):
            return False
        named = self.exemptions(key, term)
        return not (named and first_in_force(named, policy, ROTATION, instant(created), as_of))

    def tightest(self, account: str) -> int:
        """The fewest days after which any key of an account can be beyond its limit."""
        if account not in self._tightest:
            found = []
            for policy in self.policies:
                limit = tightest(policy, ROTATION, account)
                found.append(0 if limit is None else allowed_days(limit, policy.age_comparison))
            self._tightest[account] = min(found)
        return self._tightest[account]


def terms_of(snapshots: Sequence[Snapshot], keys: Iterable[Lineage], given: Policy | None = None) -> Terms:
    """The terms of some snapshots, in the order of their instants, and of all the keys in them; with ``given``,
    that policy judges everything, as if it had been in force all the time."""
    policies: list[Policy] = []
    numbers = [_number(policies, given or one.policy) for one in snapshots]
    names = sorted({(key.account, user, key.is_root) for key in keys for user in key.users})
    accounts, users, roots = (list(column) for column in zip(*names, strict=True)) if names else ([], [], [])
    found: dict[tuple[int, str, str, bool], int] = {}
    for number, policy in enumerate(policies):
        each = limits(users, accounts, policy, ROTATION, np.array(roots, dtype=bool)).tolist()
        found |= {(number, *name): limit for name, limit in zip(names, each, strict=True)}
    return Terms(policies, numbers, [one.as_of for one in snapshots], given is not None, found)


def _number(policies: list[Policy], policy: Policy) -> int:
    """The place of a policy among those that are known; it is added if it is new."""
    for number, one in enumerate(policies):
        if one is policy or one == policy:
            return number
    policies.append(policy)
    return len(policies) - 1


def _eras(instants: Sequence[datetime], terms: Sequence[T], is_as_if: bool) -> list[tuple[Span, T | None, T]]:
    """The time up to the last of some instants, in parts with the same terms before and after."""
    if not instants:
        return []
    found: list[tuple[Span, T | None, T]] = [((BEGINNING, instants[0]), terms[0] if is_as_if else None, terms[0])]
    for (start, before), (end, after) in pairwise(zip(instants, terms, strict=True)):
        (begun, _), was, then = found[-1]
        if was == then == before == after:
            found[-1] = (begun, end), was, then
        else:
            found.append(((start, end), before, after))
    return found


def deadline(created: datetime, days: int | None) -> datetime:
    """When a key passes its limit; at once, where there is no limit that it could keep."""
    return created + timedelta(days=days or 0)
