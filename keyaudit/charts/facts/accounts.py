"""Accounts by verdict and by overdue keys: which have their own row, worst first, and what the others add up to
(what is said of them: ``accounts_said``)."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from keyaudit.charts.facts.population import Population, population
from keyaudit.model import called
from keyaudit.schema import ACCOUNT_VERDICTS, INSUFFICIENT_DATA, NON_COMPLIANT, UNREAD, InputError
from keyaudit.texts import say, visible

if TYPE_CHECKING:
    from keyaudit.policy import Policy

COLUMNS = (
    "account_id",
    "account_name",
    "conclusion",
    "rotation",
    "read",
    "users",
    "keys",
    "active",
    "failing",
    "exempt",
    "unknown",
    "due_soon",
    "oldest_days",
)
NUMBERS = ("active", "failing", "exempt", "unknown", "due_soon")
#: rows for single accounts; at most a third of them are for accounts that were not read
MOST = 15


@dataclass(frozen=True)
class Row:
    """One row: an account (its id, and its name if it has one), or (``summed``) so many others. ``failing`` are
    overdue keys, ``exempt`` those over their limits and exempt, ``unknown`` those of unknown age, ``due_soon`` a
    part of those in time; ``oldest`` is the age in whole days of the oldest, None if unknown; ``verdict`` is that
    of an account, and UNREAD or empty of several; ``rotation`` is what was concluded of that control for an
    account."""

    label: str
    verdict: str
    rotation: str
    active: int
    failing: int
    exempt: int
    unknown: int
    due_soon: int
    oldest: int | None
    account_id: str = ""
    name: str = ""
    summed: bool = False

    @property
    def in_time(self) -> int:
        return self.active - self.failing - self.exempt - self.unknown

    @property
    def read(self) -> bool:
        return self.verdict != UNREAD


@dataclass(frozen=True)
class Accounts:
    """All accounts, worst first by what fails; no key is judged if the policy sets no period."""

    table: pd.DataFrame
    people: Population
    most: int = MOST

    @property
    def limit(self) -> int | None:
        return self.people.limit

    @property
    def unread(self) -> pd.DataFrame:
        return self.table[~self.table["read"]]

    @property
    def judged(self) -> pd.DataFrame:
        return self.table[self.table["read"]]

    @cached_property
    def verdicts(self) -> dict[str, int]:
        """The number of accounts for each verdict that occurs."""
        counts = self.judged["conclusion"].value_counts().to_dict() | {UNREAD: len(self.unread)}
        return {verdict: int(counts[verdict]) for verdict in ACCOUNT_VERDICTS if counts.get(verdict)}

    @property
    def overdue(self) -> int:
        """Accounts with a key that is over its limit and not exempt."""
        return int((self.judged["failing"] > 0).sum())

    @property
    def failing_otherwise(self) -> int:
        """Accounts that do not comply, although none of their keys is overdue."""
        failing = self.judged["conclusion"] == NON_COMPLIANT
        return int((failing & (self.judged["failing"] == 0)).sum()) if self.limit else 0

    @property
    def undecided(self) -> int:
        """Accounts that were read, but for which it is not known whether keys are overdue: none is seen to be."""
        return int((self.judged["rotation"] == INSUFFICIENT_DATA).sum())

    @property
    def undecided_otherwise(self) -> int:
        """Accounts without a conclusion, although rotation is decided and none of their keys is overdue."""
        undecided = self.judged["conclusion"] == INSUFFICIENT_DATA
        decided = self.judged["rotation"] != INSUFFICIENT_DATA
        return int((undecided & decided & (self.judged["failing"] == 0)).sum()) if self.limit else 0

    @cached_property
    def total(self) -> Row:
        return _sum(self.judged, "", "")

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The worst accounts, then those that were not read, then the others; each kind cut to what fits."""
        unread, judged = self.unread, self.judged
        some = min(len(unread), max(self.most // 3, 1))
        shown, rest = judged.head(self.most - some), judged.iloc[self.most - some :]
        fails = (shown["failing"] > 0) | (shown["conclusion"] == NON_COMPLIANT)
        rows = [*_rows(shown[fails]), *_rows(unread.head(some))]
        if number := len(unread) - some:
            rows.append(_sum(unread.tail(number), say("charts.by_account.more", n=number), UNREAD))
        rows += _rows(shown[~fails])
        if len(rest):
            rows.append(_sum(rest, say("charts.by_account.others", n=len(rest)), ""))
        return tuple(rows)


def accounts_of(accounts: pd.DataFrame, policy: Policy, as_of: datetime | None, most: int = MOST) -> Accounts:
    """The accounts of an Audit in their order; InputError if this is the frame of something else."""
    missing = [name for name in COLUMNS if name not in accounts.columns]
    if missing and len(accounts):
        raise InputError(f"accounts: no column {missing[0]}; give the accounts of an Audit (audit(...).accounts)")
    people = population(pd.DataFrame(), policy, as_of)
    if missing:
        return Accounts(pd.DataFrame(columns=list(COLUMNS)).astype({"read": bool}), people, most)
    accounts = accounts.reset_index(drop=True)
    if people.limit is None:
        accounts = accounts.assign(failing=0, exempt=0, due_soon=0)
    verdicts = accounts["conclusion"].where(accounts["read"].astype(bool), UNREAD)
    keys = {
        "failing": -accounts["failing"],
        "verdict": verdicts.map(ACCOUNT_VERDICTS.index),
        "age": -accounts["oldest_days"].astype("Int64"),
        "account": accounts["account_id"],
    }
    order = pd.DataFrame(keys).sort_values(list(keys), na_position="last").index
    return Accounts(accounts.loc[order].reset_index(drop=True), people, most)


def _rows(accounts: pd.DataFrame) -> list[Row]:
    return [_row(one) for one in accounts.to_dict("records")]


def _row(account: dict[Hashable, Any]) -> Row:
    verdict = account["conclusion"] if account["read"] else UNREAD
    numbers: dict[str, Any] = {name: int(account[name]) for name in NUMBERS}
    oldest, rotation = _whole(account["oldest_days"]), str(account["rotation"])
    name = "" if pd.isna(account["account_name"]) else visible(account["account_name"])
    account_id = str(account["account_id"])
    label = called(account_id, name)
    return Row(label, verdict, rotation, oldest=oldest, account_id=account_id, name=name, **numbers)


def _sum(accounts: pd.DataFrame, label: str, verdict: str) -> Row:
    numbers: dict[str, Any] = {name: int(accounts[name].sum()) for name in NUMBERS}
    return Row(label, verdict, "", oldest=_whole(accounts["oldest_days"].max()), summed=True, **numbers)


def _whole(age: Any) -> int | None:
    return None if pd.isna(age) else int(age)
