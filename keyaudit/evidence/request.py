"""What is asked of ``keyaudit report``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyaudit.texts import ENGLISH

if TYPE_CHECKING:
    from keyaudit.evidence.notebook import Notebook

#: runs a notebook with its parameters in the folder of its output, where it is saved even if it fails; gives the
#: executed notebook. The last argument: whether to show the progress
Runner = Callable[["Notebook", dict[str, Any], Path, bool], Any]


@dataclass(frozen=True)
class Request:
    """What the user asked for. ``parameters`` are further ones of the notebook, by name; ``before``: earlier
    evidence, or a source, that a notebook compares with; ``language``: of all sentences; ``schedule``: what the
    manifest says of the scheduled run that this is; ``captured``: the accounts that this command has just read from
    AWS into the source; ``started``: when the command began, before that; ``insecure_cluster``: whether it uses a
    cluster that others can reach."""

    sources: Sequence[str]
    policy: str = ""
    as_of: str = ""
    notebook: str = "key_rotation"
    parameters: dict[str, Any] | None = None
    before: str = ""
    language: str = ENGLISH
    schedule: Mapping[str, str] | None = None
    reports: Path = Path("reports")
    progress: bool = False
    captured: frozenset[str] = frozenset()
    started: datetime = field(default_factory=partial(datetime.now, UTC))
    insecure_cluster: bool = False


@dataclass(frozen=True)
class PeriodAsked:
    """What is asked of a period, as the user gave it: the first and the last day, how often evidence was due where
    it does not say so itself, the file of anchors; each may be empty. ``by_reference``: leave the raw evidence
    where it is."""

    first: str = ""
    last: str = ""
    every: str = ""
    anchors: str = ""
    by_reference: bool = False
