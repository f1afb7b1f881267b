"""An Audit -> who must do what with which key, by when, in which order (pure): worst first.

One task per user, however many keys and controls fail; if a key is deactivated, deleting it is a task of its own,
30 days later. Everything follows from the evidence and ``as_of`` alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from keyaudit.model import Audit
from keyaudit.present.table import MOST_TASKS, Table, table
from keyaudit.rotation import cases
from keyaudit.rotation.cases import Case, Key, User, case_of
from keyaudit.rotation.keys import Owned, users_of
from keyaudit.rotation.moments import after
from keyaudit.rotation.steps import Step, deletion, fits, steps_of
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
#: the case of what cannot be undone, and comes 30 days after what can
_DELETIONS = (cases.DELETE, cases.ROOT_DELETE, cases.INACTIVE)


@dataclass(frozen=True)
class Told:
    """A key in a task. ``name``: its name in the task; ``use``: used, never or unknown; ``used_by``: the service
    and region of its last use."""

    name: str
    key_id: str | None
    status: str
    made: datetime | None
    use: str
    last_used: datetime | None
    used_by: str


@dataclass(frozen=True)
class Task:
    """Something that must be done with a key, or with both keys of a user. ``key``: what is known of it, the last
    characters of its id or its slot in the report; for two keys, ``made``, ``age_days``, ``limit``, ``due`` and
    ``days_over`` are those of the worse one, and ``last_used`` is the later. ``due``: when it was, or is, to be
    rotated; ``by``: until when to act (None: now); ``not_before``: the start of what is to be done later."""

    account_id: str
    account_name: str | None
    user: str
    key: str
    status: str
    case: str
    action: str
    owner: str | None
    administrator: bool | None
    made: datetime | None
    age_days: int | None
    limit: int | None
    due: datetime | None
    days_over: int | None
    last_used: datetime | None
    by: datetime | None
    not_before: datetime | None
    keys: tuple[Told, ...]
    steps: tuple[Step, ...]

    @property
    def by_when(self) -> str:
        """The deadline if it lies ahead; otherwise that it is to be done at once, or from when on."""
        if self.not_before:
            return say("plan.from", at=utc(self.not_before))
        if self.case == cases.INACTIVE:
            return say("plan.kept")
        return utc(self.by) if self.by else say("plan.now")


def plan(audit: Audit) -> tuple[Task, ...]:
    """The tasks of a whole Audit (one that has all its findings). Keys that are exempt need no task; inactive ones
    are deleted in the end."""
    return tuple(sorted((task for one in users_of(audit) for task in _tasks(one, audit.as_of)), key=_order))


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
    return table("to_do", [_row(one) for one in tasks[:most]], most=most, total=len(tasks))


def _row(one: Task) -> list[str | int | None]:
    return [
        one.user, one.account_id, one.account_name, one.owner, one.key, one.age_days, one.days_over,
        utc(one.last_used)[:10] or None, one.by_when, one.action,
    ]  # fmt: skip


def _tasks(one: Owned, as_of: datetime) -> Iterator[Task]:
    if case := case_of(one.user):
        yield from _of(one, case, as_of)
    if keys := one.user.inactive:
        known = [moment for key in keys for moment in (key.made, key.last_used) if moment]
        # a report does not tell when a key was deactivated: not before its last use
        start = after(max(known, default=as_of), cases.KEPT_FOR)
        case = Case(cases.INACTIVE, keys)
        yield _task(
            one, case, case.name, keys, deletion(keys, one.user), not_before=start if start > as_of else None
        )


def _of(one: Owned, case: Case, as_of: datetime) -> Iterator[Task]:
    """What is to be done with active keys; with the root user's keys in any case, because no policy allows them."""
    user = one.user
    if case.name != cases.ROOT_DELETE:
        yield _task(one, case, case.name, case.keys, steps_of(case, user), by=_by(case, user, as_of))
    gone = _deleted(case, user)
    if gone:
        start = max(key.ripe(as_of) for key in gone if key.is_active) if any(k.is_active for k in gone) else None
        later = after(start, cases.KEPT_FOR) if start else None
        name = cases.ROOT_DELETE if user.is_root else cases.DELETE
        yield _task(one, case, name, gone, deletion(gone, user), not_before=later)


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


def _task(
    one: Owned,
    case: Case,
    name: str,
    keys: tuple[Key, ...],
    steps: tuple[Step, ...],
    by: datetime | None = None,
    not_before: datetime | None = None,
) -> Task:
    user, keys = one.user, tuple(sorted(keys, key=lambda key: key.name))
    ids = [key.key_id or key.name for key in keys]
    limits = [key.limit for key in keys if key.limit is not None]
    return Task(
        account_id=user.account_id,
        account_name=one.account_name,
        user=user.name,
        key=", ".join(ids),
        status=", ".join(dict.fromkeys(_status(key) for key in keys)),
        case=name,
        action=_action(name, case, user, keys),
        owner=one.owner,
        administrator=one.administrator,
        made=min((key.made for key in keys if key.made), default=None),
        age_days=max((key.age_days for key in keys if key.age_days is not None), default=None),
        limit=min(limits, default=None),
        due=min((key.due for key in keys if key.due), default=None),
        days_over=None
        if name in _DELETIONS
        else max((key.days_over for key in keys if key.days_over is not None), default=None),
        last_used=max((key.last_used for key in keys if key.last_used), default=None),
        by=by,
        not_before=not_before,
        keys=tuple(map(_told, keys)),
        steps=steps,
    )


def _told(key: Key) -> Told:
    # a use from before it was made is that of the key that had its slot
    use = cases.NEVER if key.use == cases.USED and not key.was_used else key.use
    return Told(key.name, key.key_id, _status(key), key.made, use, key.last_used, key.used_by)


def _action(name: str, case: Case, user: User, keys: tuple[Key, ...]) -> str:
    """What to do, in one line, in the words that fit these keys and their user."""
    others = [key for key in case.keys if key not in case.gone]
    words = {"old": case.keys[0].name, "new": case.keys[-1].name}
    words |= {"gone": (case.gone or case.keys)[0].name, "other": (others or case.keys)[-1].name}
    words |= {"which": listed("pair", (key.name for key in keys))}
    return say(f"plan.action.{name}{_manner(name, user, keys)}", **words)


def _manner(name: str, user: User, keys: tuple[Key, ...]) -> str:
    if name == cases.IN_PROGRESS:
        return "_both" if all(key.is_in_use for key in keys) else ""
    if name == cases.SPARE:
        return "_role" if user.is_barred else {cases.PERSON: "_person", cases.MAYBE: "_ask"}.get(user.kind, "")
    if name == cases.NOT_USED:
        return "" if all(key.was_used for key in keys) else "_some"
    if name in (cases.IN_USE, cases.DUE_SOON):
        return "" if fits(keys[0]) else "_by_hand"
    is_many = name in (*_DELETIONS, cases.ROOT_IN_USE, cases.A_PERSON_S, cases.NOT_ALLOWED, cases.LOOK_UP)
    return "_many" if is_many and len(keys) > 1 else ""


def _status(key: Key) -> str:
    return "Active" if key.is_active else "Inactive"


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
