"""What is judged: where each report comes from, and which accounts were expected."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from keyaudit.files import printable


@dataclass(frozen=True)
class Origin:
    """Where one report comes from. ``received_time``: when AWS sent it, by the word of a capture. ``read_time``:
    when keyaudit read it; this decides whether it was stale then, and how old keys are if nothing else tells.
    ``named``: the user named exactly this file, so it must be readable. ``captured_now``: this run read it from
    AWS. ``is_piped``: it came through a pipe, from whoever was writing into the pipe just then. ``told``: the bytes
    of the ``capture.json`` from which ``capture`` was read, in which ``calls`` is only named."""

    name: str
    path: Path | None
    received_time: datetime
    read_time: datetime
    named: bool = False
    account_name: str = ""  # the organization's name for it, if the organization's list was captured
    content: bytes | None = None
    capture: dict[str, Any] | None = None
    folder: Path | None = None  # the account's own folder in a capture
    captured_now: bool = False
    is_piped: bool = False
    told: bytes | None = field(default=None, repr=False)

    @property
    def place(self) -> str:
        """Where it is, for an error message; reports show only ``name``."""
        return printable(str(self.path)) if self.path else self.name


@dataclass(frozen=True)
class Skipped:
    """An account of the organization that is not active, and the state that it is in instead."""

    account_id: str
    name: str
    reason: str


@dataclass(frozen=True)
class Population:
    """The reports to judge as one, the accounts that were expected, and whether this is the sample. ``facts`` are
    those of the capture; ``problems`` say why its list of accounts is not complete. ``listed`` are the accounts
    that AWS lists and does not call closed, suspended or not yet active; ``doubts`` are what else speaks against
    the list of expected accounts. Under rules 3, ``listed`` accounts are expected too, and ``doubts`` are
    problems."""

    origins: tuple[Origin, ...]
    received_time: datetime
    expected: tuple[str, ...] = ()
    is_sample: bool = False
    policy: Path | None = None  # the sample's own policy
    skipped: tuple[Skipped, ...] = ()
    problems: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    listed: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
