"""What the chart of accounts says: its title and subtitle, each row in words, the alternative text."""

from __future__ import annotations

from keyaudit.charts.facts.accounts import Accounts, Row
from keyaudit.charts.facts.overdue import part
from keyaudit.charts.facts.population import days, when
from keyaudit.schema import INSUFFICIENT_DATA, NON_COMPLIANT
from keyaudit.texts import listed, say


def claim(a: Accounts) -> str:
    """The finding in a sentence: how many accounts have overdue keys, which fail otherwise, and who is missing."""
    number, unread = len(a.table), len(a.unread)
    accounts = say("charts.accounts", n=number)
    if number == unread:
        return say("charts.by_account.none_read", n=number, accounts=accounts)
    missing = [say("charts.by_account.and_unread", n=unread)] if unread else []
    if a.limit is None:
        kind = "no_period" if a.total.oldest is None else "no_period_oldest"
        age = "" if a.total.oldest is None else days(a.total.oldest)
        return listed(
            "clauses", [say(f"charts.by_account.{kind}", n=number, accounts=accounts, days=age), *missing]
        )
    if number == 1:
        return _only_otherwise(a, say(f"charts.by_account.only_{_kind(a)}", n=a.total.failing))
    first = say(f"charts.by_account.{_kind(a)}", n=a.overdue, accounts=accounts)
    return listed("clauses", [first, *_others(a), *missing, *_undecided(a)])


def _kind(a: Accounts) -> str:
    if a.overdue:
        return "all_over" if a.overdue == len(a.table) else "over"
    if len(a.unread) or a.undecided:
        return "none_known_over"
    return "none_over" if a.total.active else "none_active"


def _only_otherwise(a: Accounts, first: str) -> str:
    if a.failing_otherwise:
        return say("charts.by_account.only_fails", first=first)
    return say("charts.by_account.only_undecided", first=first) if a.undecided_otherwise else first


def _others(a: Accounts) -> list[str]:
    kind = "more_fail" if a.overdue else "fail"
    return [say(f"charts.by_account.{kind}", n=a.failing_otherwise)] if a.failing_otherwise else []


def _undecided(a: Accounts) -> list[str]:
    """If no key is overdue: for how many accounts that is not known, and for how many something else is open."""
    numbers = {} if a.overdue else {"and_insufficient": a.undecided, "and_undecided": a.undecided_otherwise}
    return [say(f"charts.by_account.{kind}", n=number) for kind, number in numbers.items() if number]


def remarks(a: Accounts) -> list[str]:
    """The subtitle: population and date; then all keys together, the oldest, and which accounts have a row of their
    own."""
    facts = {"accounts": say("charts.accounts", n=len(a.table)), "when": when(a.people)}
    facts |= {"active": say("charts.active", n=a.total.active), "read": f"{len(a.judged):,}"}
    kind = "none_read" if a.judged.empty else "some_read" if len(a.unread) else "all_read"
    lines = [say(f"charts.by_account.population_{kind}", **facts)]
    second = [key_text(a, a.total)] if a.limit and a.total.active else []
    if a.total.oldest is not None and a.limit:
        second.append(say("charts.oldest", days=days(a.total.oldest)))
    if any(row.summed for row in a.rows):
        second.append(say("charts.by_account.summed", n=sum(not row.summed for row in a.rows)))
    said = listed("remarks", second)
    return [*lines, said[0].upper() + said[1:]] if said else lines


def total_text(a: Accounts) -> str:
    return say("charts.accounts", n=len(a.table))


def verdict_text(a: Accounts, verdict: str) -> str:
    return say(f"charts.by_account.{verdict.lower()}", n=a.verdicts[verdict])


def words(a: Accounts, row: Row) -> str:
    """What is said beside a row: its overdue keys, the oldest, and why its verdict is what it is if these do not
    tell."""
    if not row.read:
        return say("charts.by_account.not_read")
    oldest = [] if row.oldest is None else [say("charts.by_account.oldest", days=days(row.oldest))]
    reasons = [say(f"charts.by_account.{one}") for one in _reasons(a, row)]
    return listed("remarks", [key_text(a, row), *oldest, *reasons])


def _reasons(a: Accounts, row: Row) -> list[str]:
    """What the keys of a row do not tell: that rotation is not decided, that another control fails or is open."""
    is_open = row.rotation == INSUFFICIENT_DATA
    reasons = ["no_evidence"] if is_open and not row.unknown else []
    if a.limit and row.verdict == NON_COMPLIANT and not row.failing:
        reasons.append("other_control")
    if row.verdict == INSUFFICIENT_DATA and not is_open:
        reasons.append("other_undecided")
    return reasons


def key_text(a: Accounts, row: Row) -> str:
    """The active keys of a row: overdue, exempt, of unknown age, due soon."""
    active = say("charts.active", n=row.active)
    if not row.active:
        return say("charts.by_account.no_active")
    kind = "overdue_own" if is_early(a, row) and row.failing else "overdue"
    first = say(f"charts.by_account.{kind}", n=row.failing, active=active) if a.limit else active
    told = {"exempt": row.exempt, "unknown": row.unknown, "due_soon": row.due_soon}
    more = [say(f"charts.by_account.{name}", n=number) for name, number in told.items() if number]
    return listed("clauses", [first, *more])


def parts(a: Accounts) -> dict[str, str]:
    """The parts of the bars that there are, with the number of keys in each, for the key of marks."""
    if not a.limit:
        return {}
    found = {
        "over": a.total.failing,
        "exempt": a.total.exempt,
        "unknown": a.total.unknown,
        "within": a.total.in_time,
        "due_soon": a.total.due_soon,
    }
    return {name: part(name, number) for name, number in found.items() if number}


def is_early(a: Accounts, row: Row) -> bool:
    """Whether all keys are younger than the policy's limit: a key that is over a limit then has one of its own."""
    return bool(a.limit and row.oldest is not None and row.oldest < a.limit)


def alt(a: Accounts) -> str:
    """What the chart shows, with its numbers: every row."""
    kinds = listed("words", (say(f"charts.by_account.drawn_{name}") for name in parts(a)))
    facts = {
        "kinds": kinds,
        "title": claim(a),
        "subtitle": listed("lines", remarks(a)),
        "verdicts": listed("clauses", (verdict_text(a, verdict) for verdict in a.verdicts)),
        "rows": listed("remarks", (_row_text(a, row) for row in a.rows)),
    }
    return say("charts.by_account.alt" if kinds else "charts.by_account.alt_plain", **facts)


def _row_text(a: Accounts, row: Row) -> str:
    return say("charts.by_account.row", label=row.label, words=words(a, row))
