"""Evidence that verified just now, from which other files are made, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyaudit.model.audit import Audit


@dataclass(frozen=True)
class Advice:
    """What is to be done with a key of a user, or with both, as a task of the plan says it. ``keys``: which, by
    slot and id (one of the two may be unknown); ``key``: the same in words, ``told``: and with the dates of each;
    ``age_days``, ``days_over`` and
    ``last_used``: of two keys the worse, and the later use; ``purpose``: what they are said
    to be for, if that is known."""

    account_id: str
    account_name: str | None
    user: str
    is_root: bool
    owner: str | None
    keys: tuple[tuple[int | None, str | None], ...]
    key: str
    told: str
    status: str
    made: datetime | None
    age_days: int | None
    limit: int | None
    days_over: int | None
    last_used: datetime | None
    action: str
    by_when: str
    purpose: str | None = None


@dataclass(frozen=True)
class SealedFile:
    """A file of the evidence: its path in the folder, its size in bytes, its SHA-256 in hexadecimal."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Call:
    """A call of a capture, by the capture's own word; what it does not tell is empty or None."""

    account_id: str
    api: str
    at: datetime | None
    user: str
    result: str
    request_id: str
    retries: int | None


@dataclass(frozen=True)
class Proved:
    """An evidence folder that verified. ``name``: under which it was sealed; ``sha256``: of its SHA256SUMS;
    ``language``: of its sentences; ``audit``: judged again, as ``verify`` does it; ``advice``: worst first;
    ``files``: all that is sealed; ``calls``: of its captures; ``versions``: of the programs that made it, by
    name; ``contents``: the bytes of its files by their paths, those that are raw only where it ``is_whole``;
    ``remarks``: what ``verify`` says besides."""

    name: str
    sha256: str
    language: str
    audit: Audit
    advice: tuple[Advice, ...]
    files: tuple[SealedFile, ...]
    calls: tuple[Call, ...]
    versions: tuple[tuple[str, str], ...]
    contents: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    is_whole: bool = False
    remarks: tuple[str, ...] = ()
