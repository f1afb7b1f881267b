"""A task of a plan: something that must be done with a key, or with both keys of a user, by when (pure)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from keyaudit.rotation import cases
from keyaudit.rotation.cases import Case, Key, User
from keyaudit.rotation.keys import Owned
from keyaudit.rotation.steps import Step, deletion, fits, steps_of
from keyaudit.texts import listed, say, utc

#: the cases of what cannot be undone, and comes 30 days after what can
DELETIONS = (cases.DELETE, cases.ROOT_DELETE, cases.INACTIVE)


@dataclass(frozen=True)
class Told:
    """A key in a task. ``name``: its name in the task; ``use``: used, never or unknown; ``used_by``: the service
    and region of its last use; ``purpose``: what it is said to be for, if that is known."""

    name: str
    key_id: str | None
    status: str
    made: datetime | None
    use: str
    last_used: datetime | None
    used_by: str
    purpose: str | None = None


@dataclass(frozen=True)
class Task:
    """What is to be done. ``case``: which; ``reason``: the case of the user's active keys, from which it follows;
    ``by``: until when to act (None: now); ``not_before``: the start of what is to be done later; ``is_harmless``:
    whether it has no command that changes anything, because the evidence is too old for that.

    All else follows from these where it is read: a page shows the first of thousands of tasks, and no steps.
    """

    owned: Owned
    reason: Case
    case: str
    about: tuple[Key, ...]
    by: datetime | None = None
    not_before: datetime | None = None
    is_harmless: bool = False

    @property
    def account_id(self) -> str:
        return self.owned.user.account_id

    @property
    def account_name(self) -> str | None:
        return self.owned.account_name

    @property
    def user(self) -> str:
        return self.owned.user.name

    @property
    def owner(self) -> str | None:
        return self.owned.owner

    @property
    def administrator(self) -> bool | None:
        return self.owned.administrator

    @cached_property
    def _keys(self) -> tuple[Key, ...]:
        return tuple(sorted(self.about, key=lambda key: key.name))

    @property
    def key(self) -> str:
        """What is known of the keys: the last characters of their ids, or their slots in the report."""
        return ", ".join(key.key_id or key.name for key in self._keys)

    @property
    def purpose(self) -> str | None:
        """What the keys are said to be for: of several, with the name of each."""
        if len(self._keys) == 1:
            return self._keys[0].purpose
        return self.described if any(key.purpose for key in self._keys) else None

    @property
    def described(self) -> str:
        """Which keys, each with what it is said to be for; as ``key`` where nothing is said of any."""
        if not any(key.purpose for key in self._keys):
            return self.key
        return listed("remarks", map(_described, self._keys))

    @property
    def status(self) -> str:
        return ", ".join(dict.fromkeys(_status(key) for key in self._keys))

    @property
    def made(self) -> datetime | None:
        """When the older of the keys was made."""
        return min((key.made for key in self.about if key.made), default=None)

    @property
    def age_days(self) -> int | None:
        return max((key.age_days for key in self.about if key.age_days is not None), default=None)

    @property
    def limit(self) -> int | None:
        return min((key.limit for key in self.about if key.limit is not None), default=None)

    @cached_property
    def due(self) -> datetime | None:
        """When the first of the keys was, or is, to be rotated."""
        return min((key.due for key in self.about if key.due), default=None)

    @cached_property
    def days_over(self) -> int | None:
        """The days of the worse of the keys; none where keys are deleted: those are switched off by then."""
        if self.case in DELETIONS:
            return None
        return max((key.days_over for key in self.about if key.days_over is not None), default=None)

    @property
    def last_used(self) -> datetime | None:
        return max((key.last_used for key in self.about if key.last_used), default=None)

    @property
    def service(self) -> str:
        """The service of the latest use; empty where it is not known."""
        used = [(key.last_used, key.service) for key in self.about if key.last_used]
        return max(used, default=(None, ""))[1]

    @property
    def by_when(self) -> str:
        """The deadline if it lies ahead; otherwise that it is to be done at once, or from when on."""
        if self.not_before:
            return say("plan.from", at=utc(self.not_before))
        if self.case == cases.INACTIVE:
            return say("plan.kept")
        return utc(self.by) if self.by else say("plan.now")

    @property
    def action(self) -> str:
        """What to do, in one line, in the words that fit these keys and their user."""
        keys, gone = self.reason.keys, self.reason.gone
        others = [key for key in keys if key not in gone]
        words = {"old": keys[0].name, "new": keys[-1].name}
        words |= {"gone": (gone or keys)[0].name, "other": (others or keys)[-1].name}
        words |= {"which": listed("pair", (key.name for key in self._keys))}
        return say(f"plan.action.{self.case}{_manner(self.case, self.owned.user, self._keys)}", **words)

    @cached_property
    def keys(self) -> tuple[Told, ...]:
        return tuple(map(_told, self._keys))

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """How it is done, in the safe order."""
        user = self.owned.user
        found = deletion(self.about, user) if self.case in DELETIONS else steps_of(self.reason, user)
        return tuple(map(harmless, found)) if self.is_harmless else found


def harmless(step: Step) -> Step:
    """The step without its command, if that changes anything."""
    return replace(step, command="") if step.changes else step


def _told(key: Key) -> Told:
    # a use from before it was made is that of the key that had its slot
    use = cases.NEVER if key.use == cases.USED and not key.was_used else key.use
    return Told(key.name, key.key_id, _status(key), key.made, use, key.last_used, key.used_by, key.purpose)


def _described(key: Key) -> str:
    name = key.key_id or key.name
    return say("plan.described", name=name, purpose=key.purpose) if key.purpose else name


def _manner(name: str, user: User, keys: tuple[Key, ...]) -> str:
    if name == cases.IN_PROGRESS:
        return "_both" if all(key.is_in_use for key in keys) else ""
    if name == cases.SPARE:
        return "_role" if user.is_barred else {cases.PERSON: "_person", cases.MAYBE: "_ask"}.get(user.kind, "")
    if name == cases.NOT_USED:
        return "" if all(key.was_used for key in keys) else "_some"
    if name in (cases.IN_USE, cases.DUE_SOON):
        return "" if fits(keys[0]) else "_by_hand"
    is_many = name in (*DELETIONS, cases.ROOT_IN_USE, cases.A_PERSON_S, cases.NOT_ALLOWED, cases.LOOK_UP)
    return "_many" if is_many and len(keys) > 1 else ""


def _status(key: Key) -> str:
    return "Active" if key.is_active else "Inactive"
