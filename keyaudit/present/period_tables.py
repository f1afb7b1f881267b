"""Tables of a period: its keys, gaps and accounts; a column names the subject where there are several."""

from __future__ import annotations

from collections.abc import Sequence

from keyaudit.model.over_period import OPEN, AccountOverPeriod, KeyOverPeriod, PeriodVerdict, Span, length
from keyaudit.present.durations import between, in_days
from keyaudit.present.shortfalls import not_present
from keyaudit.present.table import MOST_ACCOUNTS, MOST_ROWS, Table, table
from keyaudit.texts import listed, say, short_id, utc


def keys_table(found: Sequence[PeriodVerdict], most: int = MOST_ROWS) -> Table:
    """The keys in breach, and those that may have been; most days first."""
    keys = [(v.subject, one) for v in found for one in v.keys if one.is_breach or one.is_possible]
    keys.sort(key=lambda each: (not each[1].is_breach, *(-days for days in reversed(each[1].breach_days))))
    rows = [[_subject(whose, found), *_key(one)] for whose, one in keys]
    return table("period_keys", rows, most=most, is_list=True)


def _key(one: KeyOverPeriod) -> list[str | None]:
    exempt = length(one.exempt)
    return [
        one.user,
        one.owner,
        one.account,
        short_id(one.key_id) if one.key_id else None,
        say("operating.proved" if one.is_breach else "operating.possible"),
        utc(one.due) or None,
        between(*one.breach_days),
        utc(one.begun) or None,
        _ended(one),
        in_days(exempt) if exempt else None,
    ]


def _ended(one: KeyOverPeriod) -> str | None:
    if one.remedied is None:
        return say("operating.open")
    start, end = map(utc, one.remedied)
    return start if start == end else say("operating.ended", start=start, end=end)


def gaps_table(found: Sequence[PeriodVerdict]) -> Table:
    """The periods that are over and have no conclusive evidence, in their order."""
    rows = [
        [_subject(v.subject, found), one.name, utc(one.start), utc(one.end), say(f"series.{one.state}")]
        for v in found
        for one in not_present(v)
    ]
    over = [one for v in found for one in v.coverage.periods if one.state != OPEN]
    return table("period_gaps", rows, is_list=True, all=len(over))


def accounts_table(found: Sequence[PeriodVerdict]) -> Table:
    """The accounts that the evidence expected, those with the longest gap first."""
    told = [(v.subject, one) for v in found for one in v.coverage.accounts]
    told.sort(key=lambda each: (not each[1].hides, -length([each[1].gap] if each[1].gap else []).total_seconds()))
    rows = [[_subject(whose, found), *_account(one)] for whose, one in told]
    return table("period_accounts", rows, most=MOST_ACCOUNTS)


def _account(one: AccountOverPeriod) -> list[str | int | None]:
    gap = in_days(length([one.gap])) if one.gap else None
    return [
        one.account,
        one.snapshots,
        gap,
        utc(one.gap[0]) if one.gap else None,
        one.allowed,
        _when(one.joined),
        listed("words", [_between(span) for span in one.away]) or None,
        _when(one.left),
    ]


def _when(span: Span | None) -> str | None:
    return _between(span) if span else None


def _between(span: Span) -> str:
    """A span in words; of a single snapshot, its instant."""
    start, end = map(utc, span)
    return start if start == end else say("operating.ended", start=start, end=end)


def _subject(whose: str, found: Sequence[PeriodVerdict]) -> str | None:
    """Whose it is, where the table is of several subjects that are not accounts themselves."""
    return whose if len(found) > 1 and any(len(v.coverage.accounts) > 1 for v in found) else None
