"""What each evidence folder says of the keys, and which of the folders are asked about a period."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from keyaudit.policy import Policy


class SeenKey(NamedTuple):
    """A key as one snapshot shows it. ``created``: ``last_rotated`` of its report; what is not known is None. A
    tuple, since a year may have a million of them."""

    account: str
    user: str
    user_created: datetime | None
    key_id: str | None
    created: datetime | None
    is_active: bool
    slot: int = 1
    is_root: bool = False
    owner: str | None = None


@dataclass(frozen=True)
class SeenAccount:
    """An account that evidence expected. ``generated``: when its report was made, if the report tells;
    ``is_whole``: whether it was read, and nothing speaks against its report for the control ``rotation``."""

    account: str
    is_read: bool = True
    is_whole: bool = True
    generated: datetime | None = None


@dataclass(frozen=True)
class Snapshot:
    """What an evidence folder says, judged again. ``subject``: whose evidence it is (``Identity.whose``);
    ``as_of``: the instant that it judges; ``started``: when its run began, which decides for which period it
    counts; ``sealed``: when its seal was made, which decides nothing here; ``conclusion``: on ``rotation``, by the
    policy by which the period is judged. ``accounts``: all that were expected, the list of accounts itself among
    them (``model.ORGANIZATION``) if it could not be had; ``keys``: only of accounts that were read; they can
    be gone through more than once."""

    subject: str
    folder: str
    as_of: datetime
    started: datetime
    sealed: datetime
    policy: Policy
    conclusion: str
    accounts: tuple[SeenAccount, ...]
    keys: Iterable[SeenKey] = field(repr=False)


@dataclass(frozen=True)
class Window:
    """A period that is asked about, from ``start`` up to but not including ``end``; tz-aware instants in UTC."""

    start: datetime
    end: datetime

    @classmethod
    def of_days(cls, first: date, last: date) -> Window:
        """From the first UTC day to the last one, both inclusive."""
        start, end = (datetime.combine(day, time(), UTC) for day in (first, last))
        return cls(start, end + timedelta(days=1))

    def has(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


def asked(snapshots: Iterable[Snapshot], window: Window) -> tuple[Snapshot, ...]:
    """The snapshots of a window in the order of their instants, with the last one before it and the first one after
    it, which bound what lies between."""
    ordered = sorted(snapshots, key=lambda one: (one.as_of, one.sealed, one.folder))
    before = [one for one in ordered if one.as_of < window.start]
    after = [one for one in ordered if one.as_of >= window.end]
    return (*before[-1:], *(one for one in ordered if window.has(one.as_of)), *after[:1])
