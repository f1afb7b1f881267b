"""One account: the users and keys of its report against its inventory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from keyaudit.captured.inventory import Inventory, Listed, LiveUser, read_inventory
from keyaudit.credentials import Parsed
from keyaudit.credentials.arrays import Columns, count
from keyaudit.credentials.gaps import Gap
from keyaudit.model import Completeness, Difference
from keyaudit.reconcile.frame import judged_keys, second, with_owners
from keyaudit.reconcile.match import Pair, Reported, match
from keyaudit.schema import ACTIVE, CONTROLS, ROOT_USER
from keyaudit.texts import say, short_id

#: differences explained by a date in IAM, or by AWS's own word that there is no such user
EXPLAINED = ("user_made", "user_remade", "user_deleted", "key_made")


@dataclass
class Reconciled:
    """``keys`` are the keys to be judged: the worse of report and live account."""

    keys: Columns
    completeness: Completeness
    differences: tuple[Difference, ...] = ()
    gaps: list[Gap] = field(default_factory=list)


def reconcile(
    parsed: Parsed, inventory: dict[str, Any], generated_time: datetime | None, label: str, source: str
) -> Reconciled:
    """Compare the users and keys of a report with the inventory of the same account, called ``label``.

    ValueError, KeyError, TypeError or AttributeError if the inventory is not as a capture writes it.
    """
    live = read_inventory(inventory, parsed.account_id, parsed.names)
    work = _Comparison(parsed, live, _generated(generated_time, parsed.latest_activity))
    reported = dict(work.rows)
    work.compare_totals()
    if live.users is not None:
        work.compare_users(live.users, live.keys or {})
    unproved = [one for one in work.differences if not one.is_explained]
    gaps: list[Gap] = []
    if unproved:
        first = unproved[0]
        who = first.user or say("reconcile.account")
        gaps = [
            Gap(
                CONTROLS, say("reconcile.unproved", n=len(unproved), first=_sentence(first), who=who, source=source)
            )
        ]
    completeness = Completeness(
        mode=live.mode,
        is_whole=live.is_whole,
        users=live.users_total,
        keys=None if live.keys is None else sum(map(len, live.keys.values())),
        explained=len(work.differences) - len(unproved),
        unproved=len(unproved),
        reported_users=len(work.reported),
        reported_keys=sum(len(rows) for user, rows in reported.items() if user),
        root_has_key=live.root_has_key,
    )
    told = {"access_key_id": work.ids, "purpose": work.purposes}
    keys = judged_keys(parsed.keys, told, work.changed, work.dropped, work.added, label)
    return Reconciled(with_owners(keys, live.owners), completeness, tuple(work.differences), gaps)


def _generated(told: datetime | None, latest: datetime | None) -> np.datetime64:
    """When the report was generated: not before the latest thing that it mentions. NaT: not known."""
    return second(max(told, latest) if told and latest else told)


def _sentence(one: Difference) -> str:
    return say(f"reconcile.{one.kind}")


def _said(value: Any) -> str:
    """A number, a time, or a key by its status and time, for people."""
    if isinstance(value, Listed | Reported):
        return f"{value.status}, {_said(value.made)}"
    return f"{value}Z" if isinstance(value, np.datetime64) else str(value)


class _Comparison:
    def __init__(self, parsed: Parsed, live: Inventory, generated: np.datetime64) -> None:
        keys = parsed.keys
        self.live, self.generated = live, generated
        rows = zip(parsed.names, parsed.created.astype("datetime64[s]"), parsed.is_root, strict=True)
        self.reported = {user: made for user, made, root in rows if not root}
        self.differences: list[Difference] = []
        self.dropped: list[int] = []
        self.changed: list[Pair] = []
        self.ids = np.full(count(keys), None, dtype=object)
        self.purposes = self.ids.copy()
        self.added: list[dict[str, Any]] = []
        self.rows: dict[str, list[Reported]] = {}
        columns = (keys["user"], keys["last_rotated"].astype("datetime64[s]"), keys["status"], keys["is_root"])
        for row, (user, made, status, root) in enumerate(zip(*columns, strict=True)):
            self.rows.setdefault("" if root else user, []).append(Reported(row, made, status))

    def differ(
        self, kind: str, user: str | None, key_id: str = "", reported: Any = None, listed: Any = None
    ) -> None:
        texts = (None if one is None else _said(one) for one in (reported, listed))
        self.differences.append(Difference(user, short_id(key_id) if key_id else None, kind, *texts))

    def compare_totals(self) -> None:
        """The number of users, if no list of users tells more, and whether the root user has keys."""
        live = self.live
        if live.users_total is None:
            return
        listed = len(self.reported) if live.users is None else len(live.users)
        if live.users_total != listed:
            self.differ("users_total", None, reported=listed, listed=live.users_total)
        has_key, root_keys = live.root_has_key, self.rows.get("", [])
        if has_key and not root_keys:
            self.differ("root_key_missing", ROOT_USER)
            self.added.append({"user": ROOT_USER, "is_root": True, "status": ACTIVE})
        elif root_keys and not has_key:
            self.differ("root_key_gone", ROOT_USER)

    def compare_users(self, listed: dict[str, LiveUser], keys_of: dict[str, list[Listed]]) -> None:
        gone = self.live.gone
        for name in self.reported.keys() & gone:
            self.differ("user_deleted", name)
            self.drop(name)
        for name in self.reported.keys() - listed.keys() - gone:
            self.differ("user_unlisted", name)
            if name in keys_of:
                self.compare_keys(name, None, keys_of[name])
        for name, user in listed.items():
            if name in gone:
                continue
            made = user.made
            if name not in self.reported:
                self.differ("user_made" if made > self.generated else "user_missing", name, listed=made)
            elif not np.isnat(self.reported[name]) and made != self.reported[name]:
                remade = made > self.generated
                kind = "user_remade" if remade else "user_other"
                self.differ(kind, name, reported=self.reported[name], listed=made)
                if remade:
                    self.drop(name)
            if name in keys_of:
                self.compare_keys(name, user, keys_of[name])
        self.differences.sort(key=lambda one: (one.is_explained, one.user or "", one.access_key_id or "", one.kind))

    def drop(self, user: str) -> None:
        """A user who no longer exists has no keys to be judged; that the user existed is listed."""
        self.dropped += [one.row for one in self.rows.pop(user, [])]

    def compare_keys(self, name: str, user: LiveUser | None, listed: list[Listed]) -> None:
        pairs, later = match(self.rows.get(name, []), listed, self.generated)
        for one in later:
            self.differ("key_made", name, one.key_id, listed=one)
        for pair in pairs:
            key_id = pair.listed.key_id if pair.listed else ""
            if pair.reported and pair.is_told_apart and key_id:
                self.ids[pair.reported.row] = short_id(key_id)
                self.purposes[pair.reported.row] = self.purpose(key_id)
            if pair.difference:
                self.differ(pair.difference, name, key_id, pair.reported, pair.listed)
                self.take_worse(pair, name, user)

    def purpose(self, key_id: str) -> str | None:
        return (self.live.purposes or {}).get(key_id)

    def take_worse(self, pair: Pair, name: str, user: LiveUser | None) -> None:
        if pair.reported:
            self.changed.append(pair)
        elif pair.listed:
            self.added.append(
                {
                    "user": name,
                    "arn": user.arn if user else None,
                    "user_creation_time": user.made if user else None,
                    "status": pair.status,
                    "last_rotated": pair.made,
                    "access_key_id": short_id(pair.listed.key_id),
                    "purpose": self.purpose(pair.listed.key_id),
                }
            )
