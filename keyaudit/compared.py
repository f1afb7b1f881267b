"""Earlier evidence, by its data files, and an Audit -> what became of the keys since (pure, but for reading files).

Compared is what was concluded of rotation: the earlier conclusions are those that were sealed, not judged again.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from keyaudit.credentials import parse_instant
from keyaudit.model import Audit
from keyaudit.schema import ACTIVE, EXEMPT, NON_COMPLIANT, ROTATION, InputError

#: the files that are read
FINDINGS, SUMMARY = "findings.csv", "summary.json"
#: in the place of a folder: earlier evidence was looked for, and there is none, or none that verifies
FIRST, UNPROVED = NOWHERE = ("none", "none that verifies")
#: what becomes of keys, in the order in which it is told
BECAME = ("rotated", "newly_overdue", "still_overdue", "gone")
#: an account, a user, when its key was made, or else the key's slot and id, and which of several of that second
Named = tuple[str, str, str]
Which = tuple[str, str, str, int]


@dataclass(frozen=True)
class EarlierKey:
    """What was concluded of a key: ``kind`` is its compliance type under rotation."""

    is_active: bool
    kind: str
    made: datetime | None
    limit: int | None


@dataclass(frozen=True)
class Earlier:
    """Earlier evidence: its instant, its policy's digest, the accounts that were expected and whether each was
    read, and its keys. ``as_of`` is None where there is none to compare with; ``why``: which of NOWHERE."""

    as_of: datetime | None = None
    policy: str = ""
    accounts: dict[str, bool] = field(default_factory=dict)
    keys: dict[Which, EarlierKey] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True)
class Since:
    """What became of keys in the accounts that both read, by BECAME. ``more`` and ``fewer`` are overdue, or no
    longer, because another limit applies or an exemption began or ended, and are in none of these. ``joined``
    accounts were not expected before, with ``joined_overdue`` keys; ``left`` are no longer; ``unread`` were not
    read this time or the time before."""

    became: dict[str, int]
    more: int
    fewer: int
    joined: int
    joined_overdue: int
    left: int
    unread: int
    is_same_policy: bool


def earlier(folder: str) -> Earlier | None:
    """The earlier evidence in a folder; None for an empty name. InputError if its files cannot be read."""
    if folder in ("", *NOWHERE):
        return Earlier(why=folder) if folder else None
    try:
        found = [Path(folder, name).read_bytes() for name in (FINDINGS, SUMMARY)]
    except OSError as error:
        raise InputError(
            f"{folder}: no evidence to compare with ({error.strerror}): name an evidence folder"
        ) from None
    return read_earlier(*found)


def read_earlier(findings: bytes, summary: bytes) -> Earlier:
    """Earlier evidence by the bytes of its files; InputError if keyaudit did not write them."""
    try:
        told = json.loads(summary)
        as_of = parse_instant(str(told["as_of"]))
        if as_of is None:
            raise ValueError("as_of")
        rows = csv.DictReader(io.StringIO(findings.decode(), newline=""))
        keys = _numbered(_key(row) for row in rows if row["control"] == ROTATION and row["user"])
        accounts = {str(one["account_id"]): _was_read(one) for one in told["accounts"]}
        return Earlier(as_of, str(told["policy"]["sha256"]), accounts, keys)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(
            f"{FINDINGS}, {SUMMARY}: not the files of evidence ({type(error).__name__}): name an evidence folder"
        ) from None


def _was_read(account: dict[str, Any]) -> bool:
    """Whether an account was read: of one that was not, no row was counted, not even the root user's."""
    return int(account["users"]) > 0


def _numbered(keys: Iterable[tuple[Named, EarlierKey]]) -> dict[Which, EarlierKey]:
    """The keys, each by a name of its own: a user can have two that were made in the same second."""
    found: dict[Which, EarlierKey] = {}
    for name, key in keys:
        found[(*name, 1 + ((*name, 1) in found))] = key
    return found


def _key(row: dict[str, str]) -> tuple[Named, EarlierKey]:
    made = parse_instant(row["last_rotated"]) if row["last_rotated"] else None
    limit = int(row["limit"]) if row["limit"] else None
    return (
        _named(row["account_id"], _plain(row["user"]), made, row["key_slot"], row["access_key_id"]),
        EarlierKey(row["status"] == ACTIVE, row["compliance_type"], made, limit),
    )


def _named(account: str, user: str, made: datetime | None, slot: str, key_id: str) -> Named:
    # slots are used again, and the time at which a key was made stays
    return account, user, made.isoformat() if made else f"{slot} {key_id}"


def _plain(cell: str) -> str:
    """A name as AWS has it: in CSV, one that a spreadsheet would run has an apostrophe in front."""
    return cell.removeprefix("'")


def since(before: Earlier, a: Audit) -> Since:
    """What became of keys since earlier evidence with an instant; ``a`` has all its keys."""
    read = {one.account_id for one in a.provenance if one.form}
    both = {account for account in read if before.accounts.get(account)}
    now = _keys_now(a)
    newest = _newest(now)
    became: Counter[str] = Counter(dict.fromkeys(BECAME, 0))
    more = fewer = joined_overdue = 0
    for which, key in now.items():
        if key.kind != NON_COMPLIANT:
            continue
        former = before.keys.get(which)
        if which[0] not in both:
            joined_overdue += which[0] not in before.accounts
        elif former and former.kind == NON_COMPLIANT:
            became["still_overdue"] += 1
        elif former and _is_by_terms(former, a):
            more += 1
        else:
            became["newly_overdue"] += 1
    for which, former in before.keys.items():
        present = now.get(which)
        if former.kind != NON_COMPLIANT or which[0] not in both or (present and present.kind == NON_COMPLIANT):
            continue
        if present and present.is_active:
            fewer += 1  # it has not become younger
        else:
            later = newest.get(which[:2])
            is_replaced = later is not None and (former.made is None or later > former.made)
            became["rotated" if is_replaced else "gone"] += 1
    expected = {one.account_id for one in a.provenance if one.is_account}
    return Since(
        dict(became),
        more,
        fewer,
        joined=len(expected - before.accounts.keys()),
        joined_overdue=joined_overdue,
        left=len(before.accounts.keys() - expected),
        unread=len((expected & before.accounts.keys()) - both),
        is_same_policy=before.policy == a.policy.sha256,
    )


def _keys_now(a: Audit) -> dict[Which, EarlierKey]:
    names = (
        "account_id", "user", "last_rotated", "key_slot", "access_key_id", "status", "compliance_type", "limit",
    )  # fmt: skip
    rows = zip(*(a.keys[name].tolist() for name in names), strict=True)
    found = []
    for account, user, at, slot, key_id, status, kind, limit in rows:
        made = None if pd.isna(at) else at.to_pydatetime()
        name = _named(account, user, made, _text(slot), _text(key_id))
        key = EarlierKey(status == ACTIVE, str(kind), made, None if pd.isna(limit) else int(limit))
        found.append((name, key))
    return _numbered(found)


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def _newest(keys: dict[Which, EarlierKey]) -> dict[tuple[str, str], datetime]:
    """When the newest active key of each user was made."""
    found: dict[tuple[str, str], datetime] = {}
    for (account, user, _, _), key in keys.items():
        if key.is_active and key.made:
            found[account, user] = max(key.made, found.get((account, user), key.made))
    return found


def _is_by_terms(former: EarlierKey, a: Audit) -> bool:
    """Whether a key would not be overdue, had its limit stayed and its exemption gone on."""
    if former.kind == EXEMPT:
        return True
    if former.made is None or former.limit is None:
        return False
    elapsed = a.as_of - former.made
    if a.policy.age_comparison == "whole_days":
        return elapsed < timedelta(days=former.limit + 1)
    return elapsed <= timedelta(days=former.limit)
