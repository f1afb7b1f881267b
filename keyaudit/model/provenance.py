"""Of one account: what was read, how it compares with the account itself, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from keyaudit.model.population import Origin

#: stands for the list of accounts itself, where it could not be had
ORGANIZATION = "organization"
#: differences explained by a date of IAM's, or by AWS's own word that there is no such user
EXPLAINED = ("user_made", "user_remade", "user_deleted", "key_made")


@dataclass(frozen=True)
class Difference:
    """Something that the report and the live account do not say alike. ``kind`` names its sentence."""

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
    """What was compared: ``mode`` is ``keys``, ``totals``, ``off``, or empty where nothing of the live account is
    known; ``is_whole`` says that all of that was there; ``users`` and ``keys`` that the account has (None: not
    asked); and the differences, by whether they are explained. ``root_has_key``: the account's own word (None: not
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
        """``proved``, ``unproved``, or ``unknown`` where users or keys were not compared one by one."""
        if self.unproved or not self.is_whole:
            return "unproved"
        return "proved" if self.mode == "keys" else "unknown"


@dataclass(frozen=True)
class Provenance:
    """What was read for one account: where from, when, how much, and what came of it. ``form`` is empty and
    ``error`` says why where the report could not be read; ``users`` and ``keys`` count rows and existing keys;
    ``completeness`` tells of the comparison with the live account, ``rotations`` counts secrets under rotation
    (None: nobody asked); ``assurance`` is one of schema.GRADES, or NOTHING_READ, and ``newest_date`` the newest
    date in a file of unknown age. Of the active keys, ``overdue`` fail rotation (0 without a period), ``due_soon``
    are due within ``warn_before``; ``oldest_days`` is the age of the oldest, if known. ``conclusion`` is that over
    the controls that count, ``rotation`` that of rotation, whether it counts or not."""

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
        """Not so where it stands for the list of accounts of an organization, which could not be had."""
        return self.account_id != ORGANIZATION
