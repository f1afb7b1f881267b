"""An Audit -> who must do what with which key, by when, in which order (pure): worst first.

One task per user, however many keys and controls fail; if a key is deactivated, deleting it is a task of its own,
30 days later. Everything follows from the evidence and ``as_of`` alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from weakref import ref

import pandas as pd

from keyaudit.model import Audit, called
from keyaudit.present.table import MOST_TASKS, Prose, Table, table
from keyaudit.rotation import cases
from keyaudit.rotation.cases import Case, Key, User, case_of
from keyaudit.rotation.keys import Owned, users_of
from keyaudit.rotation.moments import after
from keyaudit.rotation.planned import DELETIONS, Task
from keyaudit.schema import COMPLIANT, NON_COMPLIANT, ROTATION
from keyaudit.texts import listed, say, utc

#: a case of more weight comes first; within a case, the longest overdue
_FIRST, _FAILS, _UNSEEN, _SOON, _LATER = range(5)
_WEIGHT = {
    cases.ROOT: _FIRST,
    cases.ROOT_IN_USE: _FIRST,
    cases.UNKNOWN: _UNSEEN,
    cases.WAIT: _UNSEEN,
    cases.LOOK_UP: _UNSEEN,
    cases.INACTIVE: _LATER,
}


#: what kind of work a case is; what is in none of these begins with a question
_WORK = {
    "rotate": (cases.IN_USE, cases.DUE_SOON, cases.IN_PROGRESS, cases.STALLED),
    "rotate_soon": (),  # those of "rotate" that have time
    "deactivate": (cases.NEVER_USED, cases.NOT_USED, cases.SPARE, cases.ROOT),
    "replace": (cases.A_PERSON_S, cases.NOT_ALLOWED),
    "find_out": (),
    "delete": DELETIONS,
}
_KIND = {case: kind for kind, names in _WORK.items() for case in names}
#: the Audit that was planned last, and its plan: a page asks for it twice
_last: list[tuple[ref[Audit], tuple[Task, ...]]] = []


def plan(audit: Audit) -> tuple[Task, ...]:
    """The tasks of a whole Audit (one that has all its findings). Keys that are exempt need no task; inactive ones
    are deleted in the end."""
    if not (_last and _last[0][0]() is audit):
        tasks = sorted((task for one in users_of(audit) for task in _tasks(one, audit.as_of)), key=_order)
        _last[:] = [(ref(audit), tuple(tasks))]
    return _last[0][1]


def asked(audit: Audit) -> Prose:
    """What is asked, in a sentence: how many tasks of which kind, and when; then since when the longest overdue key
    is so."""
    tasks = plan(audit)
    numbers = Counter(map(_kind, tasks))
    first = min((one.by for one in tasks if one.by and _kind(one) == "rotate_soon"), default=None)
    what = [say(f"asked.{kind}", n=numbers[kind], date=utc(first)[:10]) for kind in _WORK if numbers[kind]]
    lines = [say("asked.whole", what=listed("words", what)) if what else _nothing(audit)]
    findings = audit.findings
    late = findings[(findings["control"] == ROTATION) & (findings["compliance_type"] == NON_COMPLIANT)]
    if not pd.isna(due := late["due"].min()):
        lines.append(
            say("asked.since", n=(audit.as_of - due).days, date=utc(due)[:10], as_of=utc(audit.as_of)[:10])
        )
    return Prose((" ".join(lines),), "asked")


def _kind(task: Task) -> str:
    kind = _KIND.get(task.case, "find_out")
    return "rotate_soon" if kind == "rotate" and task.by else kind


def _nothing(audit: Audit) -> str:
    """That nothing is asked, as far as that was concluded: of what was not seen, nobody knows."""
    if audit.policy.max_access_key_age is None:
        return say("plan.no_period")
    return say("plan.none" if audit.conclusion == COMPLIANT else "asked.seen")


def crowds(tasks: tuple[Task, ...]) -> dict[str, tuple[int, int | None]]:
    """Accounts in which several users are to be put under rotation: how many users, and the smallest limit of their
    keys."""
    found: dict[str, tuple[int, int | None]] = {}
    for account in dict.fromkeys(one.account_id for one in tasks):
        advised = (cases.IN_USE, cases.DUE_SOON)
        mine = [one for one in tasks if one.account_id == account and one.case in advised]
        users = {one.user for one in mine}
        if len(users) > 1:
            found[account] = len(users), min((one.limit for one in mine if one.limit), default=None)
    return found


def to_do(audit: Audit, most: int | None = MOST_TASKS) -> Table:
    """The plan as a table: what remains to be done."""
    tasks = plan(audit)
    made = table("to_do", [_row(one) for one in tasks[:most]], most=most, total=len(tasks), is_list=True)
    return made if tasks else replace(made, caption=say("table.to_do.empty"))


def _row(one: Task) -> list[str | int | None]:
    return [
        one.user, one.owner, called(one.account_id, one.account_name), one.described, one.age_days, one.limit,
        one.days_over, _used(one), one.by_when, one.action,
    ]  # fmt: skip


def _used(one: Task) -> str | None:
    """When a task's keys were last used, and by which service."""
    date, service = utc(one.last_used)[:10], one.service
    return say("table.to_do.used", date=date, service=service) if service else date or None


def _tasks(one: Owned, as_of: datetime) -> Iterator[Task]:
    if case := case_of(one.user):
        yield from _of(one, case, as_of)
    if keys := one.user.inactive:
        known = [moment for key in keys for moment in (key.made, key.last_used) if moment]
        # a report does not tell when a key was deactivated: not before its last use
        start = after(max(known, default=as_of), cases.KEPT_FOR)
        case = Case(cases.INACTIVE, keys)
        yield Task(one, case, case.name, keys, not_before=start if start > as_of else None)


def _of(one: Owned, case: Case, as_of: datetime) -> Iterator[Task]:
    """What is to be done with active keys; with the root user's keys in any case, because no policy allows them."""
    user = one.user
    if case.name != cases.ROOT_DELETE:
        yield Task(one, case, case.name, case.keys, by=_by(case, user, as_of))
    gone = _deleted(case, user)
    if gone:
        start = max(key.ripe(as_of) for key in gone if key.is_active) if any(k.is_active for k in gone) else None
        later = after(start, cases.KEPT_FOR) if start else None
        name = cases.ROOT_DELETE if user.is_root else cases.DELETE
        yield Task(one, case, name, gone, not_before=later)


def _deleted(case: Case, user: User) -> tuple[Key, ...]:
    """The keys that are to be deleted once they have been deactivated, as this plan advises. A function of
    keyaudit's deletes what it replaced."""
    if user.is_root:
        return tuple(key for key in user.keys if key.fails)
    if case.name == cases.IN_PROGRESS:
        return case.keys[:1]
    return () if case.name == cases.REPLACED else case.gone


def _by(case: Case, user: User, as_of: datetime) -> datetime | None:
    """Until when to act; None: now. A rotation by hand has time until the older key's deadline."""
    keys = case.keys
    if case.name == cases.IN_PROGRESS:
        due = keys[0].due
        return due if due and due > as_of else None
    if user.is_root or user.too_many or any(key.fails for key in keys) or case.name == cases.UNKNOWN:
        return None
    return min((key.due for key in keys if key.due and user.is_soon(key)), default=None)


def _order(task: Task) -> tuple[int, bool, int, float, str, str, str]:
    weight = _WEIGHT.get(task.case, _SOON if task.by else _FAILS)
    if weight == _UNSEEN and task.days_over:
        weight = _FAILS
    if task.case in (cases.DELETE, cases.ROOT_DELETE):
        weight = _LATER if task.not_before else _FIRST
    due = task.not_before or task.by or task.due
    return (
        weight,
        not task.administrator,
        -(task.days_over or 0),
        due.timestamp() if due else 0.0,
        task.account_id,
        task.user,
        task.key,
    )
