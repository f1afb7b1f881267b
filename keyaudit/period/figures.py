"""Keys over a period -> its numbers, and which key took the place of which."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from statistics import median_low

from keyaudit.model.over_period import Bounds, KeyOverPeriod, PeriodFigures, Replacement, Spans, length
from keyaudit.period.lineages import Lineage, of_users
from keyaudit.period.snapshots import Window
from keyaudit.period.spans import common

#: of the keys in breach, those that were remedied first
HALF, MOST = Fraction(1, 2), Fraction(9, 10)
Remedy = tuple[timedelta, timedelta | None]


def figures(keys: Sequence[KeyOverPeriod], replaced: Sequence[Replacement]) -> PeriodFigures:
    """The numbers of a period."""
    active = [one for one in keys if one.active[1] or one.proofs]
    breaches = [one for one in keys if one.is_breach]
    remedies = [one.remedy for one in breaches if one.remedy]
    return PeriodFigures(
        keys=len(active),
        inactive=len(keys) - len(active),
        breaches=len(breaches),
        possible=sum(one.is_possible for one in keys),
        exempt=sum(bool(one.exempt) and not one.possible and not one.is_breach for one in keys),
        open=sum(one.is_open for one in breaches),
        breach_days=_total(keys, lambda one: (one.proved, one.possible)),
        active_days=_total(keys, lambda one: one.active),
        exempt_days=_total(keys, lambda one: (common(one.exempt, one.active[0]), one.exempt)),
        median=quantile(remedies, HALF),
        slowest=quantile(remedies, MOST),
        replacements=len(replaced),
        age=median_low([one.age for one in replaced]) if replaced else None,
    )


def _total(keys: Iterable[KeyOverPeriod], spans: Callable[[KeyOverPeriod], tuple[Spans, Spans]]) -> Bounds:
    least, most = timedelta(0), timedelta(0)
    for one in keys:
        some, all_of_them = spans(one)
        least, most = least + length(some), most + length(all_of_them)
    return least, most


def quantile(remedies: Iterable[Remedy], share: Fraction) -> Remedy | None:
    """The time within which this share of the breaches was remedied, at the least and at the most; None without
    any.

    Each time to remedy is known as an interval, and one that is still open has no upper end. The quantile is the
    smallest time that at least this share of the times do not exceed. It grows with each of the times, so that the
    quantile of the lower ends and that of the upper ends (None: of too many it is not known that they ever ended)
    bound that of the true times, with nothing assumed of how they lie in their intervals or how long an open breach
    will last: an estimate, such as that of Kaplan and Meier, would assume that open ones go on as others did.
    """
    known = list(remedies)
    if not known:
        return None
    place = -(-share.numerator * len(known) // share.denominator) - 1
    least = sorted(one for one, _ in known)[place]
    most = sorted(one for _, one in known if one is not None)
    return least, most[place] if place < len(most) else None


def replacements(pairs: Sequence[tuple[Lineage, KeyOverPeriod]], window: Window) -> tuple[Replacement, ...]:
    """The keys that were replaced in a window, in the order of time: a user has a new active key, and had one
    before. Of several that it had, it replaces the one that is gone at its first sighting, else one that is
    inactive, else one that is still active; the oldest first, and each but once."""
    told = {id(key): one for key, one in pairs}
    found = []
    for (account, user, _), keys in of_users(key for key, _ in pairs).items():
        if len(keys) > 1:
            for former, key in _replaced(keys):
                made, before = key.created, former.created
                if made and before and window.has(made):
                    found.append(Replacement(account, user, told[id(former)], made, made - before))
    return tuple(sorted(found, key=lambda one: (one.at, one.account, one.user)))


def _replaced(keys: Sequence[Lineage]) -> list[tuple[Lineage, Lineage]]:
    """(the former key, the new one) of a user."""
    dated = sorted((one for one in keys if one.created), key=_made)
    pairs, taken = [], set()
    for key in dated:
        first = key.seen[0]
        had = [one for one in dated if _made(one) < _made(key) and id(one) not in taken and _was_active(one, first)]
        if had and True in key.active:
            former = min(had, key=lambda one: (_state(one, first), _made(one)))
            taken.add(id(former))
            pairs.append((former, key))
    return pairs


def _made(key: Lineage) -> datetime:
    assert key.created is not None
    return key.created


def _was_active(key: Lineage, number: int) -> bool:
    """Whether the last snapshot before this one that shows a key shows it active."""
    states = [is_active for seen, is_active in zip(key.seen, key.active, strict=True) if seen < number]
    return bool(states) and states[-1]


def _state(key: Lineage, number: int) -> int:
    """In a snapshot: 0 gone, 1 inactive, 2 active."""
    return 1 + key.active[key.seen.index(number)] if number in key.seen else 0
