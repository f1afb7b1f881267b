"""``inventory.json``, read strictly: what no capture of this account could hold proves nothing about it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from keyaudit.captured import strict
from keyaudit.captured.purposes import MOST_LETTERS, purpose_of

MODES = ("keys", "totals", "off")
#: the patterns that the IAM API documents
_KEY_ID = re.compile(r"\w{16,128}", re.ASCII)
_STATUSES = ("Active", "Inactive", "Expired")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_EARLIEST = np.datetime64("2000-01-01", "s")
#: far more than the listing takes, and more than the clocks may differ if AWS is to answer at all
_LATEST = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Listed:
    """A key as ListAccessKeys describes it."""

    key_id: str
    made: np.datetime64
    status: str


@dataclass(frozen=True)
class LiveUser:
    """A user as ListUsers describes it; ``made`` in whole seconds, UTC."""

    arn: str
    made: np.datetime64


@dataclass(frozen=True)
class Inventory:
    """What the account said about itself; None for what was not asked or not had. ``gone``: users of whom AWS said
    that there is no such user; ``owners``: ``owner`` and ``administrator`` by user; ``purposes``: by the id of the
    key, what it is said to be for."""

    mode: str
    users_total: int | None
    root_has_key: bool | None
    users: dict[str, LiveUser] | None
    keys: dict[str, list[Listed]] | None
    gone: frozenset[str]
    owners: dict[str, dict[str, Any]] | None
    purposes: dict[str, str] | None

    @property
    def is_whole(self) -> bool:
        """Whether the inventory has all that its mode promises."""
        if self.mode == "off":
            return True
        if self.mode == "totals":
            return self.users_total is not None
        return (
            self.users_total is not None
            and self.users is not None
            and self.keys is not None
            and self.users.keys() <= self.keys.keys() | self.gone
        )


def read_inventory(raw: Any, account_id: str | None, reported: Iterable[str]) -> Inventory:
    """The inventory of this account, whose report has the users ``reported``.

    ValueError, KeyError, TypeError or AttributeError if it is not as a capture of the account writes it.
    """
    strict.must(raw["mode"] in MODES)
    summary, listed, keys = raw.get("summary", {}), raw.get("users"), raw.get("access_keys")
    latest = _time(raw["taken_time"], None) + _LATEST if listed is not None or keys is not None else None
    users = None if listed is None else _users(listed, account_id, latest)
    known = {*(users or ()), *reported}
    gone = [strict.text(name) for name in strict.a_list(raw["gone"])] if keys is not None else []
    strict.must(known.issuperset(gone) and len(set(gone)) == len(gone))
    owners, listings = raw.get("owners"), None if keys is None else _keys(keys, known - set(gone), latest)
    purposes = raw.get("purposes")
    return Inventory(
        mode=raw["mode"],
        users_total=strict.count(summary["Users"]) if "summary" in raw else None,
        root_has_key=strict.count(summary["AccountAccessKeysPresent"]) > 0 if "summary" in raw else None,
        users=users,
        keys=listings,
        gone=frozenset(gone),
        owners=None if owners is None else {strict.text(user): _owner(one) for user, one in owners.items()},
        purposes=None if purposes is None else _purposes(purposes, listings or {}),
    )


def _users(listed: Any, account_id: str | None, latest: np.datetime64 | None) -> dict[str, LiveUser]:
    users = {}
    for one in strict.a_list(listed):
        arn = strict.text(one["Arn"])
        strict.must(account_id is None or arn.split(":")[4:5] == [account_id])
        users[strict.text(one["UserName"])] = LiveUser(arn, _time(one["CreateDate"], latest))
    strict.must(len(users) == len(listed))
    return users


def _keys(raw: Any, known: set[str], latest: np.datetime64 | None) -> dict[str, list[Listed]]:
    keys: dict[str, list[Listed]] = {}
    for user, listed in raw.items():
        strict.must(user in known)
        keys[user] = []
        for one in strict.a_list(listed):
            strict.must(one["UserName"] == user and one["Status"] in _STATUSES)
            strict.must(_KEY_ID.fullmatch(one["AccessKeyId"]) is not None)
            keys[user].append(Listed(one["AccessKeyId"], _time(one["CreateDate"], latest), one["Status"]))
    ids = [one.key_id for listed in keys.values() for one in listed]
    strict.must(len(set(ids)) == len(ids))
    return keys


def _owner(one: Any) -> dict[str, Any]:
    strict.must(one["owner"] is None or bool(strict.text(one["owner"])))
    strict.must(one["administrator"] is True or one["administrator"] is False)
    return {"owner": one["owner"], "administrator": one["administrator"]}


def _purposes(raw: Any, keys: dict[str, list[Listed]]) -> dict[str, str]:
    """Those of a user's own keys, and of nobody else's."""
    found = {}
    for user, told in raw.items():
        for key_id, text in told.items():
            strict.must(key_id in {one.key_id for one in keys.get(user, ())})
            strict.must(len(strict.text(text)) <= MOST_LETTERS)
            found[key_id] = purpose_of(text)
    strict.must(all(found.values()))
    return found


def _time(text: Any, latest: np.datetime64 | None) -> np.datetime64:
    strict.must(_TIME.fullmatch(text) is not None)
    moment = np.datetime64(text[:-1], "s")
    strict.must(bool(moment >= _EARLIEST) and (latest is None or bool(moment <= latest)))
    return moment
