"""A user and its keys -> which case this is: what may be switched off, and what must not be (pure).

Two active keys are one case of their user. If a key's use is not known, the key never counts as "not used".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from keyaudit.rotation.moments import after
from keyaudit.rotation.periods import QUIET, RETENTION
from keyaudit.schema import ACTIVE_KEYS, COMPLIANT, EXEMPT, INSUFFICIENT_DATA, NON_COMPLIANT, ROTATION, UNUSED

ROOT, ROOT_IN_USE, ROOT_DELETE, DELETE = "root", "root_in_use", "root_delete", "delete"
INACTIVE, LOOK_UP = "delete_inactive", "look_up"
UNKNOWN, UNKNOWN_USE, WAIT, NOT_ALLOWED = "unknown", "unknown_use", "wait", "not_allowed"
NEVER_USED, NOT_USED, SPARE = "never_used", "unused", "spare"
IN_PROGRESS, BOTH_IN_USE, TWO_KEYS = "in_progress", "both_in_use", "two_keys"
IN_USE, DUE_SOON, A_PERSON_S, ASK = "in_use", "due_soon", "person", "ask"
REPLACED, STALLED, UNREAD, UNTOLD = "replaced", "stalled", "unread", "untold"

#: days: a key that was used within these is not deactivated; a key younger than these is not called unused
QUIET_FOR, SETTLED_AFTER = timedelta(days=QUIET), timedelta(days=14)
#: days: a deactivated key is kept so long before it is deleted; a console password used within these shows a person
KEPT_FOR, SIGN_FOR = timedelta(days=RETENTION), timedelta(days=90)
#: days without use after which a key is not needed, if the policy sets no number (CIS)
IDLE_DAYS = 45

USED, NEVER, UNSEEN = "used", "never", "unknown"
#: who uses a key, by what the report says about the user's console password and MFA
PERSON, MAYBE, PROGRAM, NOT_TOLD = "person", "maybe", "program", "not_told"


@dataclass(frozen=True)
class Key:
    """A key, with what was judged of it. ``name``: for a sentence; ``key_id``: the end of its id, and
    ``slot``: in the report, if known; ``use``: whether it was ever used, as far as the report tells; ``seen``: the
    latest moment of which the report can tell that; ``purpose``: what it is said to be for, if that is known."""

    name: str
    key_id: str | None
    is_active: bool
    made: datetime | None
    last_used: datetime | None
    use: str
    used_by: str
    service: str
    seen: datetime
    idle_limit: int
    age_days: int | None = None
    limit: int | None = None
    due: datetime | None = None
    days_over: int | None = None
    types: dict[str, str] = field(default_factory=dict)
    slot: int | None = None
    purpose: str | None = None

    @property
    def fails(self) -> set[str]:
        return {control for control, kind in self.types.items() if kind == NON_COMPLIANT}

    @property
    def is_overdue(self) -> bool:
        return self.types.get(ROTATION) == NON_COMPLIANT

    @property
    def is_undated(self) -> bool:
        return self.types.get(ROTATION) == INSUFFICIENT_DATA

    @property
    def is_unseen(self) -> bool:
        """Whether it is not known for how long nobody has used the key."""
        return self.types.get(UNUSED) == INSUFFICIENT_DATA

    @property
    def was_used(self) -> bool:
        """Whether a use of this key is known: a use from before it was made is that of another key."""
        return self.last_used is not None and (self.made is None or self.last_used >= self.made)

    @property
    def is_young(self) -> bool:
        return self.made is not None and self.seen - self.made < SETTLED_AFTER

    @property
    def may_go(self) -> bool:
        """Whether the key may be deactivated, whatever else is wrong with it. A key that is approved to be idle may
        not."""
        if self.use == UNSEEN or self.types.get(UNUSED) == EXEMPT:
            return False
        if self.last_used is not None and self.seen - self.last_used < QUIET_FOR:
            return False
        return self.was_used or (self.made is not None and not self.is_young)

    @property
    def is_idle(self) -> bool:
        """Whether the key may go, and nobody has used it for as long as the policy allows."""
        known = [moment for moment in (self.last_used, self.made) if moment]
        return self.may_go and self.seen - max(known) >= timedelta(days=self.idle_limit)

    @property
    def is_in_use(self) -> bool:
        return self.use == USED and self.was_used and not self.is_idle

    def ripe(self, as_of: datetime) -> datetime:
        """The earliest moment at which the key may be deactivated, if nobody uses it any more."""
        moments = [as_of]
        if self.last_used is not None:
            moments.append(after(self.last_used, QUIET_FOR))
        if self.use == UNSEEN:
            moments.append(after(as_of, QUIET_FOR))
        if not self.was_used and self.made is not None:
            moments.append(after(self.made, SETTLED_AFTER))
        return max(moments)


@dataclass(frozen=True)
class User:
    """A user and all its keys, oldest first. ``too_many``: the user has more active keys than the policy allows;
    ``is_barred``: the policy allows the user none; ``soon``: a deadline before this moment is soon; ``rotated``:
    when the newest key was made, if a function of keyaudit's rotates the user's keys; ``is_proved``: whether that
    key is the one that the function stored as current."""

    account_id: str
    name: str
    is_root: bool
    keys: tuple[Key, ...]
    kind: str
    too_many: bool
    soon: datetime
    is_barred: bool = False
    rotated: datetime | None = None
    is_proved: bool = False

    @property
    def active(self) -> tuple[Key, ...]:
        return tuple(key for key in self.keys if key.is_active)

    @property
    def inactive(self) -> tuple[Key, ...]:
        """Keys that somebody has deactivated and nobody has deleted; a function deletes what it deactivated."""
        return () if self.is_root or self.rotated else tuple(key for key in self.keys if not key.is_active)

    def is_soon(self, key: Key) -> bool:
        return key.types.get(ROTATION) == COMPLIANT and key.due is not None and key.due <= self.soon


@dataclass(frozen=True)
class Case:
    """Which case it is, which keys it is about (of two, the one that is to go comes first), and which of them may
    be deactivated now."""

    name: str
    keys: tuple[Key, ...]
    gone: tuple[Key, ...] = ()


def oldest_first(keys: Sequence[Key]) -> tuple[Key, ...]:
    """The keys by creation; those without a date come first."""
    return tuple(sorted(keys, key=lambda one: (one.made or datetime.min.replace(tzinfo=UTC), one.name)))


def case_of(user: User) -> Case | None:
    """The case of a user; None if there is nothing to do."""
    if user.is_root:
        return _root(user)
    active = user.active
    if not active:
        return None
    if not any(key.fails or key.is_undated or user.is_soon(key) for key in active) and not user.too_many:
        unseen = tuple(key for key in active if key.is_unseen)
        return Case(LOOK_UP, unseen) if unseen else None
    if user.rotated is not None:
        return _rotated(user, user.rotated)
    return _one(user, active[0]) if len(active) == 1 else _two(user)


def _root(user: User) -> Case | None:
    failing = tuple(key for key in user.keys if key.fails)
    active = tuple(key for key in failing if key.is_active)
    if not active:
        return Case(ROOT_DELETE, failing, failing) if failing else None
    gone = tuple(key for key in active if key.may_go)
    return Case(ROOT if gone == active else ROOT_IN_USE, active, gone)


def _one(user: User, key: Key) -> Case:
    fails = key.fails | ({ACTIVE_KEYS} if user.too_many else set())
    if fails and key.is_idle:
        return Case(NOT_USED if key.was_used else NEVER_USED, (key,), (key,))
    if key.is_undated:
        return Case(UNKNOWN, (key,))
    if fails == {UNUSED}:
        return Case(WAIT, (key,))
    if user.kind == PERSON:
        return Case(A_PERSON_S, (key,))
    if ACTIVE_KEYS in fails:
        return Case(NOT_ALLOWED, (key,))
    if key.use == UNSEEN:
        return Case(UNKNOWN_USE, (key,))
    if user.kind == MAYBE:
        return Case(ASK, (key,))
    return Case(IN_USE if key.is_overdue else DUE_SOON, (key,))


def _two(user: User) -> Case:
    keys = user.active
    old, new, undated = keys[0], keys[-1], any(key.is_undated for key in keys)
    if new.is_young and not undated and not user.is_barred:
        # a key with an approved exception is not switched off in passing
        return Case(IN_PROGRESS, keys, (old,) if old.may_go and old.types.get(ROTATION) != EXEMPT else ())
    idle = tuple(key for key in keys if key.is_idle)
    if idle == keys:
        return Case(NOT_USED if any(key.was_used for key in keys) else NEVER_USED, keys, keys)
    if idle:
        return Case(SPARE, (*idle, *(key for key in keys if key not in idle)), idle)
    if undated:
        return Case(UNKNOWN, keys)
    if user.is_barred:
        return Case(NOT_ALLOWED, keys)
    if user.kind == PERSON:
        return Case(A_PERSON_S, keys)
    # nothing shows that what uses one of them has moved; whoever has made sure of that may switch it off
    return Case(BOTH_IN_USE if all(key.is_in_use for key in keys) else TWO_KEYS, keys)


def _rotated(user: User, newest: datetime) -> Case | None:
    """The case of a user whose keys a function rotates: what the secret holds must never be deactivated."""
    active = user.active
    old = tuple(key for key in active if key.made is not None and key.made < newest)
    if old and (user.too_many or any(key.fails or user.is_soon(key) for key in old)):
        if not user.is_proved:
            return Case(UNTOLD, active)
        return Case(REPLACED, active, tuple(key for key in old if key.may_go))
    new = tuple(key for key in active if key not in old)
    if any(key.is_undated for key in active):
        return Case(UNKNOWN, active)
    if any(key.is_overdue for key in new):
        return Case(STALLED, new)
    if any(UNUSED in key.fails for key in new):
        return Case(UNREAD, new)
    return Case(UNTOLD, active) if user.too_many else None
