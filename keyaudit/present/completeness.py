"""For evidence that was captured from AWS itself: when, by whom, and how it compares with the live accounts."""

from __future__ import annotations

from datetime import datetime, timedelta

from keyaudit.model import Audit, Provenance, called
from keyaudit.present.account_names import account_of, named
from keyaudit.present.table import MOST_ACCOUNTS, Prose, Table, table
from keyaudit.texts import say, utc

MOST_CALLERS = 2


def captured(a: Audit) -> list[str]:
    """When AWS was read and by whom, how far apart, and how many accounts are not active; empty for files."""
    read = [one for one in a.provenance if one.completeness.mode]
    said = []
    if read:
        callers = list(dict.fromkeys(one.caller or say("scope.unknown_caller") for one in read))
        by = ", ".join(callers[:MOST_CALLERS])
        if len(callers) > MOST_CALLERS:
            by = say("scope.and_more", callers=by, n=len(callers) - MOST_CALLERS)
        said.append(_span("scope.captured", [one.received_time for one in read if one.received_time], callers=by))
        generated = [one.generated_time for one in read if one.generated_time]
        if len(generated) > 1:
            said.append(_span("scope.generated", generated))
    if a.skipped:
        said.append(say("scope.skipped", n=len(a.skipped)))
    return said


def _span(key: str, times: list[datetime], **facts: str) -> str:
    first, last = min(times), max(times)
    if len(times) == 1:
        key = f"{key}_at"
    return say(key, first=utc(first), last=utc(last), spread=_duration(last - first), **facts)


def _duration(spread: timedelta) -> str:
    minutes, seconds = divmod(int(spread.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return say("scope.duration", hours=hours, minutes=minutes, seconds=seconds)


def completeness(a: Audit) -> Table:
    """Account by account: what its report was compared with, and what came of it; worst first."""
    rows = [
        [
            account_of(one),
            say(f"completeness.{one.completeness.mode or 'none'}"),
            one.completeness.reported_users,
            one.completeness.users,
            one.completeness.reported_keys,
            one.completeness.keys,
            one.completeness.explained,
            one.completeness.unproved,
            say(f"completeness.{one.completeness.outcome}"),
        ]
        for one in sorted(a.provenance, key=_least_proved)
        if one.is_account
    ]
    return table("completeness", rows)


def _least_proved(one: Provenance) -> tuple[bool, int, bool, str]:
    found = one.completeness
    return found.outcome != "unproved", -found.unproved, bool(one.form), one.account_id


def differences(a: Audit) -> Table:
    """The differences between a report and its account: unproved differences first."""
    names = named(a)
    found = sorted(a.differences, key=lambda pair: (pair[1].is_explained, pair[0]))
    rows = [
        [
            names.get(account, account),
            one.user,
            one.access_key_id,
            say(f"reconcile.{one.kind}"),
            one.reported,
            one.listed,
            say("table.yes" if one.is_explained else "table.no"),
        ]
        for account, one in found
    ]
    return table("differences", rows)


def skipped(a: Audit) -> Table | Prose:
    """Accounts of the organization that are not active, with the state that AWS gives as the reason; nothing at all
    if there are none."""
    if not a.skipped:
        return Prose(())
    return table(
        "skipped", [[called(one.account_id, one.name), one.reason] for one in a.skipped], most=MOST_ACCOUNTS
    )
