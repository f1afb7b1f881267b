"""Access keys over a period: what was due, what became of each key, and what is concluded. Spans of time are pairs
of tz-aware instants in UTC, in order and apart; pairs of numbers are bounds, the least and the most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

#: the states of a period in which evidence was due, worst first
BROKEN, MISSING, FAILED, INCONCLUSIVE, PRESENT, OPEN = STATES = (
    "broken", "missing", "failed", "inconclusive", "present", "open",
)  # fmt: skip

#: why a period does not conclude COMPLIANT. Each of these makes it NON_COMPLIANT:
BREACH, NO_LIMIT_SET = "breach", "no_limit"
#: and each of these INSUFFICIENT_DATA, if none of those does
NOTHING, NO_POLICY, INCOMPLETE, UNSEEN_KEY, UNREAD_ACCOUNT, LONG_GAP, POSSIBLE, UNDATED = (
    "nothing", "no_policy", "period", "unseen_key", "unread_account", "long_gap", "possible_breach", "undated_key",
)  # fmt: skip

#: the ways in which a key that must have been there was not shown: in no evidence before its first; or between two
LATE, VANISHED = "late", "vanished"
#: what was wrong with an account that evidence expected
UNREAD, DOUBTFUL = "unread", "doubtful"

#: UTC days after the day of its sealing within which somebody else should hold a seal
ANCHORED_WITHIN = 2

Span = tuple[datetime, datetime]
Spans = tuple[Span, ...]
#: the least and the most
Bounds = tuple[timedelta, timedelta]


@dataclass(frozen=True)
class DuePeriod:
    """A period in which evidence was due, from ``start`` up to but not including ``end``. ``state``: one of
    STATES."""

    name: str
    start: datetime
    end: datetime
    state: str


@dataclass(frozen=True)
class KeyOverPeriod:
    """What became of a key. ``users``: the names that its user had, in their order; ``limit``: in days, the last
    that applied (None: the policy set none); ``due``: the deadline by it; ``first_seen`` and ``last_seen``: in
    evidence; ``ended``: from when on it was certainly no longer active, None if nothing shows that.

    Within the period: ``active``, for certain and possibly; ``proved`` and ``possible``: the spans beyond its limit
    without exemption, the former parts of the latter; ``exempt``: possibly active beyond its limit, but exempt.
    ``proofs``: the names of the evidence that shows it so. ``begun``: when it was first beyond its limit, the
    period aside; ``remedied``: when that ended, at the earliest and at the latest, None if nothing shows an end;
    ``remedy``: the time between the two, exempt time taken out, whose upper bound is None if nothing shows an end.
    """

    account: str
    users: tuple[str, ...]
    is_root: bool
    key_id: str | None
    created: datetime | None
    owner: str | None
    limit: int | None
    due: datetime | None
    first_seen: datetime
    last_seen: datetime
    ended: datetime | None
    active: tuple[Spans, Spans]
    proved: Spans = ()
    possible: Spans = ()
    exempt: Spans = ()
    proofs: tuple[str, ...] = ()
    begun: datetime | None = None
    remedied: Span | None = None
    remedy: tuple[timedelta, timedelta | None] | None = None

    @property
    def user(self) -> str:
        return self.users[-1]

    @property
    def is_breach(self) -> bool:
        """Whether a breach is proved: by one snapshot, or by two that it lies between."""
        return bool(self.proofs or self.proved)

    @property
    def is_possible(self) -> bool:
        """Whether a breach is possible, and not proved."""
        return bool(self.possible) and not self.is_breach

    @property
    def is_open(self) -> bool:
        """Whether a breach was proved, and nothing shows that it ended."""
        return self.is_breach and self.remedied is None

    @property
    def breach_days(self) -> Bounds:
        return length(self.proved), length(self.possible)


@dataclass(frozen=True)
class Replacement:
    """A key of a user that another took the place of. ``age``: of the former key when the new one was made, which
    was ``at``."""

    account: str
    user: str
    former: KeyOverPeriod
    at: datetime
    age: timedelta


@dataclass(frozen=True)
class HiddenKey:
    """A key that must have been there, and that evidence does not show. ``kind``: LATE or VANISHED; ``absent``: the
    names of that evidence, ``seen``: of the evidence that then shows it; ``once``: the name of a user that may be
    the same one, renamed (empty: none)."""

    kind: str
    account: str
    user: str
    key_id: str | None
    created: datetime | None
    absent: tuple[str, ...]
    seen: str
    once: str = ""


@dataclass(frozen=True)
class AccountUnread:
    """An account that was expected in a period, and that none of its evidence read (UNREAD), or none without a gap
    (DOUBTFUL)."""

    period: str
    account: str
    kind: str


@dataclass(frozen=True)
class AccountOverPeriod:
    """An account in the evidence: how many snapshots of the period read it, ``joined`` and ``left``: the spans
    within which it became expected and stopped being so (None: it was throughout), ``away``: spans in between in
    which it was not. ``gap``: the longest span without a snapshot that read it; ``allowed``: the days of the
    tightest limit; ``hides``: whether the gap is longer, and can hide a whole breach."""

    account: str
    snapshots: int
    joined: Span | None
    left: Span | None
    away: Spans
    gap: Span | None
    allowed: int
    hides: bool


@dataclass(frozen=True)
class Coverage:
    """How complete the evidence is. ``undated``: active keys that evidence shows without a date, or with a later
    one than its own: (account, user, name of the evidence)."""

    periods: tuple[DuePeriod, ...]
    hidden: tuple[HiddenKey, ...]
    unread: tuple[AccountUnread, ...]
    accounts: tuple[AccountOverPeriod, ...]
    undated: tuple[tuple[str, str, str], ...]

    @property
    def longest(self) -> AccountOverPeriod | None:
        """The account with the longest gap."""
        gaps = [one for one in self.accounts if one.gap]
        return max(gaps, key=lambda one: length([one.gap] if one.gap else []), default=None)


@dataclass(frozen=True)
class PeriodFigures:
    """The numbers of a period. ``keys``: that may have been active in it; ``inactive``: others; ``breaches``: of
    these keys with a proved breach, ``possible``: with one that is possible and not proved; ``exempt``: beyond
    their limit, but exempt all the time; ``open``: whose breach nothing shows to have ended. ``breach_days``,
    ``active_days``, ``exempt_days``: over all keys, each with its bounds. ``median`` and ``slowest``: of the time
    to remedy, and its 90th percentile, each the least and the most (None: not reached); ``replacements``: seen;
    ``age``: the median age at replacement."""

    keys: int
    inactive: int
    breaches: int
    possible: int
    exempt: int
    open: int
    breach_days: Bounds
    active_days: Bounds
    exempt_days: Bounds
    median: tuple[timedelta, timedelta | None] | None
    slowest: tuple[timedelta, timedelta | None] | None
    replacements: int
    age: timedelta | None

    @property
    def deviation_rate(self) -> float | None:
        """The share of the keys that were in breach; None without keys."""
        return self.breaches / self.keys if self.keys else None


@dataclass(frozen=True)
class Anchoring:
    """When others saw the seals of the evidence, as a file says that was given: ``name`` is the file's. Each group
    has the names of folders: seen by others within two days, later, or never; ``early``: those of the first group
    that were seen on an earlier day than they say that they were sealed; ``strangers``: the seals of the file that
    are of no folder."""

    name: str
    within: tuple[str, ...]
    late: tuple[str, ...]
    never: tuple[str, ...]
    early: tuple[str, ...]
    strangers: int

    @property
    def folders(self) -> int:
        return len(self.within) + len(self.late) + len(self.never)


@dataclass(frozen=True)
class PeriodVerdict:
    """What is concluded of a subject over a period. ``start`` and ``end`` (exclusive): as asked for; ``concluded``:
    the part of it that evidence bounds, None without evidence; outside of it nothing is concluded. ``reasons``: why
    the conclusion is not COMPLIANT, worst first. ``policies``: the number of snapshots judged by each, by name and
    hash; ``is_as_if``: whether a policy was given instead of those that were sealed. ``keys``: those with breaches
    first, most days first."""

    subject: str
    start: datetime
    end: datetime
    concluded: Span | None
    conclusion: str
    reasons: tuple[str, ...]
    figures: PeriodFigures
    coverage: Coverage
    keys: tuple[KeyOverPeriod, ...]
    replacements: tuple[Replacement, ...]
    snapshots: tuple[str, ...]
    policies: Mapping[str, int]
    is_as_if: bool


def length(spans: Spans | list[Span]) -> timedelta:
    """The time in all of them together."""
    return sum((end - start for start, end in spans), timedelta(0))
