"""Snapshots -> each key over time: by its id where that is known, else by account, user and the second in which it
was made. The two join: a key whose id is known only once is one key throughout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from keyaudit.period.snapshots import SeenKey, Snapshot

#: account, user, and the second in which the key was made; without one, its slot
Made = tuple[str, str, datetime | int]


@dataclass
class Lineage:
    """A key over time. ``seen``: the numbers of the snapshots that show it, ascending; ``active``: whether it was
    so in each; ``names``: the number of the first snapshot with each name of its user; ``created``: the earliest
    date that evidence gives. It is filled while snapshots are read, and not changed after that."""

    account: str
    user_created: datetime | None
    key_id: str | None
    created: datetime | None
    is_root: bool
    slot: int
    owner: str | None = None
    names: list[tuple[int, str]] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    active: list[bool] = field(default_factory=list)

    @property
    def users(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(user for _, user in self.names))

    def user_at(self, number: int) -> str:
        """The name of its user in a snapshot, or by the last one before that shows it; the first name before."""
        if len(self.names) == 1:
            return self.names[0][1]
        return next((user for first, user in reversed(self.names) if first <= number), self.names[0][1])


@dataclass
class _Known:
    """The keys found so far."""

    by_id: dict[tuple[str, str], Lineage] = field(default_factory=dict)
    by_made: dict[Made, list[Lineage]] = field(default_factory=dict)
    found: list[Lineage] = field(default_factory=list)


def lineages(snapshots: Sequence[Snapshot]) -> list[Lineage]:
    """The keys over the snapshots, which come in the order of their instants; in the order of their first sighting.

    A user that was deleted and made again is another user, with other keys. A user that was renamed is followed
    where the ids of its keys are known; where not, its keys are other keys.
    """
    known = _Known()
    for number, snapshot in enumerate(snapshots):
        later = []
        for key in snapshot.keys:
            # an id decides; what has none takes what is left
            if key.key_id and (one := known.by_id.get((key.account, key.key_id))):
                _add(known, one, key, number)
            else:
                later.append(key)
        for key in later:
            _add(known, _same(known, key, number) or _new(known, key), key, number)
    return known.found


def _made(key: SeenKey) -> Made:
    made = key.created
    return (
        key.account,
        key.user,
        key.slot if made is None else made.replace(microsecond=0) if made.microsecond else made,
    )


def _same(known: _Known, key: SeenKey, number: int) -> Lineage | None:
    """The key of earlier snapshots that this is, if there is one; of several that were made in one second, that
    of the same slot first."""
    filed = known.by_made.get(_made(key), ())
    if len(filed) == 1:  # as nearly always
        return filed[0] if _fits(filed[0], key, number) else None
    fits = [one for one in filed if _fits(one, key, number)]
    return fits[0] if len(fits) == 1 else min(fits, key=lambda one: one.slot != key.slot, default=None)


def _fits(one: Lineage, key: SeenKey, number: int) -> bool:
    is_taken = bool(one.seen) and one.seen[-1] == number
    is_other = bool(one.key_id and key.key_id and one.key_id != key.key_id)
    is_remade = bool(one.user_created and key.user_created and one.user_created != key.user_created)
    return not (is_taken or is_other or is_remade)


def _new(known: _Known, key: SeenKey) -> Lineage:
    one = Lineage(key.account, key.user_created, key.key_id, key.created, key.is_root, key.slot)
    known.found.append(one)
    return one


def _add(known: _Known, one: Lineage, key: SeenKey, number: int) -> None:
    if one.seen and one.seen[-1] == number:  # evidence with one id twice: an active key is never lost
        one.active[-1] = one.active[-1] or key.is_active
        return
    if not one.names or one.names[-1][1] != key.user or key.created != one.created:
        _rename(known, one, key, number)
    if key.key_id and not (one.key_id and one.seen):
        one.key_id = key.key_id
        known.by_id[key.account, key.key_id] = one
    one.user_created = one.user_created or key.user_created
    one.owner = key.owner or one.owner
    one.slot = key.slot
    one.seen.append(number)
    one.active.append(key.is_active)


def _rename(known: _Known, one: Lineage, key: SeenKey, number: int) -> None:
    """Let the key be found by another name of its user, or another date; of several dates the earliest counts."""
    if not one.names or one.names[-1][1] != key.user:
        one.names.append((number, key.user))
    one.created = min(filter(None, (one.created, key.created)), default=None)
    filed = known.by_made.setdefault(_made(key), [])
    if not any(other is one for other in filed):
        filed.append(one)


def of_users(found: Iterable[Lineage]) -> dict[tuple[str, str, datetime | None], list[Lineage]]:
    """The keys of each user: account, latest name, when the user was made."""
    users: dict[tuple[str, str, datetime | None], list[Lineage]] = {}
    for one in found:
        users.setdefault((one.account, one.names[-1][1], one.user_created), []).append(one)
    return users
