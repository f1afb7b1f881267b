"""Every key of an Audit as a row: what is known of it, what each control says of it, what to do by when (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from keyaudit.export.cells import Cell, Lines, Sheet, Verdict, flag, moment, number, sheet, text
from keyaudit.model import Advice, Audit, names_of
from keyaudit.schema import COMPLIANCE_TYPES, CONTROLS, ROTATION
from keyaudit.texts import say

#: a user: account, name, ARN; a key of one: its slot, its id
_User = tuple[str, str, str | None]
_Key = tuple[int | None, str | None]


@dataclass
class _Judged:
    """What the findings say: by control, of users and of single keys, the compliance type; of keys, days over."""

    users: dict[tuple[str, _User], str] = field(default_factory=dict)
    keys: dict[tuple[str, _User, _Key], str] = field(default_factory=dict)
    over: dict[tuple[_User, _Key], int] = field(default_factory=dict)

    def of(self, control: str, user: _User, key: _Key) -> Verdict | None:
        kind = self.keys.get((control, user, key)) or self.users.get((control, user))
        return Verdict(kind) if kind else None


def keys_sheet(audit: Audit, advice: Iterable[Advice]) -> Sheet:
    """One row per existing key: those that fail rotation first, the longest overdue first among them."""
    assessed = [control for control in CONTROLS if control in audit.conclusions]
    judged, tasks, names = _judged(audit.findings), _tasks(advice), names_of(audit.provenance)
    records = sorted(audit.keys.to_dict("records"), key=_order)
    rows = [_row(one, [judged.of(c, *_which(one)) for c in assessed], judged, tasks, names) for one in records]
    return sheet("keys", rows, 3, *(say(f"control.{control}") for control in assessed))


def _order(row: Mapping[str, Any]) -> tuple[int, int, str, str, int]:
    kinds = (*COMPLIANCE_TYPES, None)
    days = number(row["age_days"])
    over = -1 if days is None else days - (number(row["limit"]) or 0)
    return (
        kinds.index(text(row["compliance_type"])),
        -over,
        row["account_id"],
        row["user"],
        number(row["key_slot"]) or 0,
    )


def _row(
    row: Mapping[str, Any],
    verdicts: list[Verdict | None],
    judged: _Judged,
    tasks: Mapping[tuple[Any, ...], list[Advice]],
    names: Mapping[str, str],
) -> list[Cell]:
    user, key = _which(row)
    todo = tasks.get((row["account_id"], row["user"], bool(row["is_root"]), *key), [])
    return [
        row["account_id"], names.get(row["account_id"]), row["user"], key[0], key[1], text(row["purpose"]),
        text(row["status"]), text(row["owner"]), flag(row["administrator"]), *verdicts,
        moment(row["last_rotated"]), number(row["age_days"]), number(row["limit"]), judged.over.get((user, key)),
        moment(row["due"]), moment(row["last_used_date"]), text(row["last_used_service"]),
        text(row["last_used_region"]), _numbered([one.action for one in todo]),
        _numbered([one.by_when for one in todo]), text(row["arn"]),
    ]  # fmt: skip


def _numbered(lines: list[str]) -> Lines | None:
    """What is to be done, and by when: of several things, each by its number."""
    if len(lines) < 2:
        return tuple(lines) or None
    return tuple(say("workbook.keys.numbered", number=number, text=one) for number, one in enumerate(lines, 1))


def _which(row: Mapping[str, Any]) -> tuple[_User, _Key]:
    user = row["account_id"], row["user"], text(row["arn"])
    return user, (number(row["key_slot"]), text(row["access_key_id"]))


def _judged(findings: pd.DataFrame) -> _Judged:
    judged = _Judged()
    columns = ("control", "account_id", "user", "arn", "key_slot", "access_key_id", "compliance_type", "days_over")
    named = findings[findings["user"].notna()]
    cells = (named[name].astype(object).tolist() for name in columns)
    for control, account, name, arn, slot, key_id, kind, over in zip(*cells, strict=True):
        user, key = (account, name, text(arn)), (number(slot), text(key_id))
        if key == (None, None):
            judged.users[control, user] = kind
            continue
        judged.keys[control, user, key] = kind
        if control == ROTATION and (days := number(over)) is not None:
            judged.over[user, key] = days
    return judged


def _tasks(advice: Iterable[Advice]) -> dict[tuple[Any, ...], list[Advice]]:
    """By key: the tasks that speak of it, in their order."""
    found: dict[tuple[Any, ...], list[Advice]] = {}
    for one in advice:
        for key in one.keys:
            found.setdefault((one.account_id, one.user, one.is_root, *key), []).append(one)
    return found
