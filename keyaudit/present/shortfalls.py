"""Why a period is not COMPLIANT: a sentence for each fact."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from keyaudit.model.over_period import (
    BREACH,
    INCOMPLETE,
    LONG_GAP,
    NO_LIMIT_SET,
    NO_POLICY,
    NOTHING,
    OPEN,
    POSSIBLE,
    PRESENT,
    UNDATED,
    UNREAD_ACCOUNT,
    UNSEEN_KEY,
    AccountOverPeriod,
    AccountUnread,
    DuePeriod,
    HiddenKey,
    PeriodVerdict,
)
from keyaudit.present.durations import in_days
from keyaudit.texts import listed, say, short_id, utc, visible

#: facts of one kind that are said; the others are counted
MOST_FACTS = 10
T = TypeVar("T")


def shortfalls(v: PeriodVerdict) -> list[str]:
    """What speaks against the control, or is missing; worst first, none for COMPLIANT."""
    return [line for reason in v.reasons for line in _FACTS[reason](v)]


def not_present(v: PeriodVerdict) -> list[DuePeriod]:
    """The periods that are over and have no conclusive evidence."""
    return [one for one in v.coverage.periods if one.state not in (PRESENT, OPEN)]


def _first(facts: Sequence[T], told: Callable[[T], str]) -> Iterator[str]:
    yield from map(told, facts[:MOST_FACTS])
    more = len(facts) - MOST_FACTS
    if more > 0:
        yield say("operating.more", n=more)


def _plain(reason: str) -> Callable[[PeriodVerdict], Iterator[str]]:
    def told(v: PeriodVerdict) -> Iterator[str]:
        yield say(f"operating.reason.{reason}", n=v.figures.possible)

    return told


def _breach(v: PeriodVerdict) -> Iterator[str]:
    yield say("operating.reason.breach", n=v.figures.breaches)


def _incomplete(v: PeriodVerdict) -> Iterator[str]:
    yield say("operating.reason.period", n=len(not_present(v)), all=len(v.coverage.periods))


def _unread(v: PeriodVerdict) -> Iterator[str]:
    yield from _first(v.coverage.unread, _account)


def _account(one: AccountUnread) -> str:
    return say(f"operating.reason.{one.kind}", period=one.period, account=visible(one.account))


def _hidden(v: PeriodVerdict) -> Iterator[str]:
    yield from _first(v.coverage.hidden, _unseen)


def _unseen(one: HiddenKey) -> str:
    facts = {
        "which": short_id(one.key_id) if one.key_id else say("operating.a_key"),
        "user": visible(one.user),
        "account": visible(one.account),
        "created": utc(one.created) or say("operating.unknown"),
        "absent": listed("words", map(visible, one.absent[:3])),
        "seen": visible(one.seen),
        "n": len(one.absent),
    }
    once = [say("operating.once", once=visible(one.once))] if one.once else []
    return listed("sentences", [say(f"operating.reason.{one.kind}", **facts), *once])


def _gaps(v: PeriodVerdict) -> Iterator[str]:
    yield from _first([one for one in v.coverage.accounts if one.hides], _gap)


def _gap(one: AccountOverPeriod) -> str:
    start, end = one.gap or (None, None)
    days = in_days(end - start) if start and end else ""
    facts = {"account": visible(one.account), "start": utc(start), "end": utc(end), "days": days}
    return say("operating.reason.long_gap", limit=one.allowed, **facts)


def _undated(v: PeriodVerdict) -> Iterator[str]:
    yield from _first(v.coverage.undated, _without_date)


def _without_date(one: tuple[str, str, str]) -> str:
    account, user, folder = map(visible, one)
    return say("operating.reason.undated_key", account=account, user=user, folder=folder)


_FACTS: dict[str, Callable[[PeriodVerdict], Iterator[str]]] = {
    BREACH: _breach,
    NO_LIMIT_SET: _plain("no_limit"),
    NOTHING: _plain("nothing"),
    NO_POLICY: _plain("no_policy"),
    INCOMPLETE: _incomplete,
    UNREAD_ACCOUNT: _unread,
    UNSEEN_KEY: _hidden,
    LONG_GAP: _gaps,
    UNDATED: _undated,
    POSSIBLE: _plain("possible_breach"),
}
