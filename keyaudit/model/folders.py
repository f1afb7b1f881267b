"""Evidence folders as their manifests describe them, and runs that left none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path


@dataclass(frozen=True)
class Identity:
    """The ``notebook``, and whose accounts it judged: ``whose`` is an organization's id, an account, or the sample;
    ``label`` is what a folder's name has in the place of ``whose``. ``accounts``: those that were expected."""

    notebook: str
    whose: str
    label: str
    accounts: tuple[str, ...]
    is_named: bool  # whether the manifest itself names the organization

    @property
    def subject(self) -> str:
        return f"{self.notebook}-{self.whose}"


@dataclass(frozen=True)
class Entry:
    """A finished evidence folder, as its manifest describes it. ``subject``: its notebook, and whose accounts it
    judged; ``sealed_as``: the name under which it was sealed, if it has another name now; ``is_ours``: whether a
    notebook of keyaudit's made it; ``started``: when its run began; ``is_present``: whether it judges the moment of
    its run, and not one that was given; ``accounts``: those expected, ``failed``: the number of those not read;
    ``assurance``: its grade, empty if the manifest is too old to tell; ``overdue``: the number of keys over their
    limit, ``incomplete``: that of accounts that are INSUFFICIENT_DATA, each None if it is not known; ``policy``:
    its name, and the beginning of its hash; ``oldest_allowed``: by how much its instant may precede the period that
    it is for; ``sha256``: of its SHA256SUMS, ``previous``: of another folder's; ``every``: how often evidence was
    due by the schedule that made it, ``asked``: which tells that schedule from others (empty: no schedule)."""

    path: Path
    identity: Identity
    sealed_as: str
    is_ours: bool
    failed: int
    conclusion: str
    assurance: str
    overdue: int | None
    incomplete: int | None
    policy: str
    as_of: datetime
    started: datetime
    sealed: datetime
    oldest_allowed: timedelta
    is_present: bool
    is_sample: bool
    sha256: str
    previous: str | None
    every: str = ""
    asked: str = ""

    @property
    def subject(self) -> str:
        return self.identity.subject

    @property
    def notebook(self) -> str:
        return self.identity.notebook

    @property
    def policy_name(self) -> str:
        """Of its policy, without the hash, which changes with every word in it."""
        return self.policy.rpartition(" ")[0]

    @property
    def accounts(self) -> tuple[str, ...]:
        return self.identity.accounts


@dataclass(frozen=True)
class Failure:
    """A run that left no evidence, and its reason."""

    path: Path
    subject: str
    instant: datetime
    reason: str
