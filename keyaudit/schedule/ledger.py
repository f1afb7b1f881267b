"""A reports folder -> what its manifests say of the evidence in it, and of the runs that failed."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from keyaudit import seal
from keyaudit.auditing import parse_as_of

#: ``.failed-<instant>-<notebook>`` with the account, where it was known, and what tells two of them apart
_FAILED = re.compile(r"\.failed-(\d{4}-\d{2}-\d{2}T\d{6}Z)-(.+)-[0-9a-f]{12}")


@dataclass(frozen=True)
class Entry:
    """A finished evidence folder. ``subject`` is what follows the instant in its name: notebook and account.
    ``started`` is when its run began; ``is_present`` tells that it judges the moment of its run, not one that was
    given; ``accounts`` are those expected, ``failed`` the number of those not read; ``overdue`` the keys over their
    limit, None where that is not known; ``policy`` its name, and what its hash begins with; ``sha256`` is of its
    SHA256SUMS, ``previous`` that of another folder."""

    path: Path
    subject: str
    notebook: str
    accounts: tuple[str, ...]
    failed: int
    conclusion: str
    overdue: int | None
    policy: str
    as_of: datetime
    started: datetime
    sealed: datetime
    is_present: bool
    is_sample: bool
    sha256: str
    previous: str | None


@dataclass(frozen=True)
class Failure:
    """A run that left no evidence, and its reason."""

    path: Path
    subject: str
    instant: datetime
    reason: str


def entries(reports: Path) -> tuple[list[Entry], list[Path]]:
    """(the evidence of a reports folder in the order in which it was sealed, folders whose manifest cannot be
    read)."""
    found, unreadable = [], []
    for folder in seal.finished(reports):
        try:
            found.append(_entry(folder))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            unreadable.append(folder)
    return sorted(found, key=lambda one: (one.sealed, one.path.name)), unreadable


def _entry(folder: Path) -> Entry:
    manifest = json.loads((folder / seal.MANIFEST).read_bytes())
    previous = manifest["previous"]
    name = re.sub(r"-[0-9]{1,6}$", "", folder.name) if _is_numbered(folder.name) else folder.name
    return Entry(
        path=folder,
        subject=name.partition("Z-")[2],
        notebook=str(manifest["notebook"]["name"]),
        accounts=tuple(map(str, manifest["accounts"]["expected"])),
        failed=len(manifest["accounts"]["failed"]),
        conclusion=str(manifest["conclusion"]),
        overdue=None if manifest.get("overdue") is None else int(manifest["overdue"]),
        policy=f"{manifest['policy']['name']} ({str(manifest['policy']['sha256'])[:8]})",
        as_of=_instant(manifest["as_of"]),
        started=_instant(manifest["started_at"]),
        sealed=_instant(manifest["sealed_at"]),
        is_present=manifest["as_of_source"] != "given" and manifest["sample"] is False,
        is_sample=manifest["sample"] is True,
        sha256=hashlib.sha256((folder / seal.SUMS).read_bytes()).hexdigest(),
        previous=None if previous is None else str(previous),
    )


def _is_numbered(name: str) -> bool:
    """Whether a further folder of the same instant: ``-2`` behind an account, and not the account itself, nor the
    number of one that is not known (unknown-1)."""
    return bool(re.search(r"-(?:[0-9]{12}|unknown-[0-9]+|organization|sample)-[0-9]{1,6}$", name))


def _instant(text: object) -> datetime:
    found = parse_as_of(str(text))
    if found is None:
        raise ValueError(text)
    return found


def failures(reports: Path) -> list[Failure]:
    """The runs that left a ``.failed-*`` folder, in the order of their instants."""
    found = []
    for folder in reports.iterdir():
        if told := _FAILED.fullmatch(folder.name):
            instant = datetime.strptime(told[1], "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC)
            try:
                reason = (folder / "failure.txt").read_text(encoding="utf-8", errors="replace").strip()
            except OSError:
                reason = ""
            found.append(Failure(folder, told[2], instant, " ".join(reason.split())))
    return sorted(found, key=lambda one: (one.instant, one.path.name))
