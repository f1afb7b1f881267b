"""One account: what was read, how it compares with the account itself, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from keyaudit.model.population import Origin
from keyaudit.texts import say

#: stands for the list of accounts itself, if the list could not be had
ORGANIZATION = "organization"
#: differences explained by a date of IAM's, or by AWS's own word that there is no such user
EXPLAINED = ("user_made", "user_remade", "user_deleted", "key_made")


@dataclass(frozen=True)
class Difference:
    """Something on which the report and the live account differ. ``kind`` names its sentence."""

    user: str | None
    access_key_id: str | None
    kind: str
    reported: str | None = None
    listed: str | None = None

    @property
    def is_explained(self) -> bool:
        return self.kind in EXPLAINED


@dataclass(frozen=True)
class Completeness:
    """What was compared. ``mode``: ``keys``, ``totals``, ``off``, or empty if nothing of the live account is known;
    ``is_whole``: all that the mode needs was there; ``users`` and ``keys``: how many the account has (None: not
    asked); then the differences, by whether they are explained. ``root_has_key``: the account's own word (None: not
    asked)."""

    mode: str = ""
    is_whole: bool = True
    users: int | None = None
    keys: int | None = None
    explained: int = 0
    unproved: int = 0
    reported_users: int | None = None
    reported_keys: int | None = None
    root_has_key: bool | None = None

    @property
    def outcome(self) -> str:
        """``proved``, ``unproved``, or ``unknown`` if users or keys were not compared one by one."""
        if self.unproved or not self.is_whole:
            return "unproved"
        return "proved" if self.mode == "keys" else "unknown"


@dataclass(frozen=True)
class Provenance:
    """What was read for one account: where from, when, how much, and what came of it. If the report could not be
    read, ``form`` is empty and ``error`` says why. ``users`` and ``keys`` count rows and existing keys;
    ``completeness`` describes the comparison with the live account; ``rotations`` counts secrets under rotation
    (None: nobody asked). ``assurance`` is one of schema.GRADES, or NOTHING_READ; ``newest_date`` is the newest date
    in a file of unknown age. Of the active keys, ``overdue`` fail rotation (0 without a period), ``due_soon`` are
    due within ``warn_before``; ``oldest_days`` is the age of the oldest one, if known. ``conclusion`` is drawn over
    the controls that count; ``rotation`` is that of rotation, whether it counts or not."""

    account_id: str
    source: str
    form: str
    sha256: str
    bytes: int
    generated_time: datetime | None
    received_time: datetime | None
    caller: str | None
    users: int
    keys: int
    overdue: int
    due_soon: int
    oldest_days: int | None
    conclusion: str
    rotation: str
    problems: tuple[str, ...]
    error: str | None
    completeness: Completeness
    rotations: int | None
    assurance: str
    newest_date: datetime | None
    origin: Origin | None = field(repr=False, compare=False)

    @property
    def is_account(self) -> bool:
        """Whether this is an account, and does not stand for an organization's list of accounts that could not be
        had."""
        return self.account_id != ORGANIZATION


def names_of(accounts: Iterable[Provenance]) -> dict[str, str]:
    """The names of accounts by their ids, as far as a captured list of an organization tells them."""
    return {one.account_id: one.origin.account_name for one in accounts if one.origin and one.origin.account_name}


def called(account_id: str, name: str | None) -> str:
    """How an account is called wherever it is told of: ``prod-billing (123456789012)``, by its id alone where the
    organization gives it no name."""
    return say("account.named", name=name, id=account_id) if name else account_id
