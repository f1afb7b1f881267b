"""Files, folders, standard input, captures and the sample -> credential reports, one at a time.

A population is found first and read later, so that memory does not grow with the number of reports. A folder
is a capture folder if it holds ``accounts.json`` or folders with a ``capture.json`` (the sample, and ``raw/`` of
an evidence folder, are captures too); any other folder is a set of report files.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from keyaudit import resources
from keyaudit.credentials import parse_instant, peek_account, unwrap
from keyaudit.schema import CredentialReport, InputError

ACCOUNTS_FILE = "accounts.json"
CAPTURE_FILE = "capture.json"
REPORT_FILE = "credential-report.csv"
STANDARD_INPUT = "standard input"
#: far above the largest report that AWS makes (5,000 users are 1.3 MB); guards against reading a disk image
MAX_BYTES = 2**30


@dataclass(frozen=True)
class Origin:
    """Where one report comes from. ``named``: the user named this very file, so it must be readable."""

    name: str
    path: Path | None
    received_time: datetime
    named: bool = False
    content: bytes | None = None
    capture: dict[str, Any] | None = None

    @property
    def place(self) -> str:
        """Where it is, for an error; reports show ``name`` alone."""
        return str(self.path) if self.path else self.name


@dataclass(frozen=True)
class Population:
    """The reports to judge as one, the accounts that were expected, and whether this is the sample."""

    origins: tuple[Origin, ...]
    expected: tuple[str, ...] = ()
    is_sample: bool = False
    policy: Path | None = None  # the sample's own


def sample() -> Path:
    """The bundled account: a capture folder with a policy of its own."""
    return resources.data("sample")


def find(sources: Any = ()) -> Population:
    """The population of some sources: paths, ``-`` for standard input, none for the sample.

    InputError: no such file, nothing in a folder, or a source that is no text.
    """
    if isinstance(sources, str | Path):
        sources = [sources] if str(sources) else []
    if not isinstance(sources, Sequence) or not all(isinstance(one, str | Path) for one in sources):
        kind = type(sources).__name__
        raise InputError(f"source: expected the path of a report or folder, found {kind}; empty means the sample")
    now = datetime.now(UTC)
    parts = [_find_one(str(one), now) for one in sources] or [_capture(sample(), now)]
    origins = [origin for part in parts for origin in part.origins]
    names = [origin.name for origin in origins]
    distinct = (
        tuple(
            origin if names.count(origin.name) == 1 or not origin.path else _renamed(origin, number)
            for number, origin in enumerate(origins, 1)
        )
        if len(set(names)) < len(names)
        else tuple(origins)
    )
    return Population(
        origins=distinct,
        expected=tuple(sorted({account for part in parts for account in part.expected})),
        is_sample=any(part.is_sample for part in parts),
        policy=parts[0].policy,
    )


def read(origin: Origin) -> CredentialReport:
    """The report of an origin; InputError where it cannot be had or is no credential report at all."""
    capture = origin.capture or {}
    content = origin.content
    if content is None:
        if origin.path is None:
            raise InputError("; ".join(_texts(capture.get("problems"))) or f"{origin.name}: was not read")
        content = _read_bytes(origin.path, origin.name)
    found = unwrap(content, origin.name)
    generated = parse_instant(str(capture.get("generated_time"))) if origin.capture else None
    return CredentialReport(
        account_id=peek_account(found.text),
        generated_time=found.generated_time or generated,
        received_time=origin.received_time,
        content=content,
        source=origin.name,
        problems=tuple(_texts(capture.get("problems"))),
    )


def _find_one(source: str, now: datetime) -> Population:
    if source == "-":
        content = sys.stdin.buffer.read()
        return Population((Origin(STANDARD_INPUT, None, now, named=True, content=content),))
    path = Path(source)
    try:
        if path.is_dir():
            return _capture(path, now) if _is_capture(path) else _folder(path, now)
        if path.is_file():
            return Population((Origin(path.name, path, now, named=True),))
        if path.exists():
            # a pipe, as in <(aws ... | base64 -d): it can be read only once
            return Population((Origin(path.name, None, now, named=True, content=path.read_bytes()),))
    except OSError as error:
        raise InputError(f"{source}: cannot be read ({error.strerror})") from None
    raise InputError(f"{source}: no such file or folder")


def _folder(folder: Path, now: datetime) -> Population:
    """All files of a folder and the folders in it but hidden ones: each should be a report."""
    paths = sorted(
        Path(base) / name
        for base, folders, names in os.walk(folder, onerror=_refuse)
        for name in names
        if not name.startswith(".") and not _is_hidden(Path(base), folder)
    )
    if not paths:
        raise InputError(f"{folder}: no files in this folder; it should hold credential reports")
    return Population(tuple(Origin(path.relative_to(folder).as_posix(), path, now) for path in paths))


def _refuse(error: OSError) -> None:
    raise error


def _is_hidden(base: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in base.relative_to(folder).parts)


def _is_capture(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (ACCOUNTS_FILE, CAPTURE_FILE)) or any(
        (inside / CAPTURE_FILE).is_file() for inside in folder.iterdir()
    )


def _capture(folder: Path, now: datetime) -> Population:
    """The accounts of a capture folder, those included that were expected and are not there."""
    facts = _read_json(folder / ACCOUNTS_FILE) if (folder / ACCOUNTS_FILE).is_file() else {}
    if (folder / CAPTURE_FILE).is_file():
        inside = [folder]
    else:
        inside = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    origins = [_captured(account, now) for account in inside]
    policy = folder / "policy.toml"
    return Population(
        origins=tuple(origins),
        expected=tuple(_texts(facts.get("expected"))),
        is_sample=facts.get("sample") is True,
        policy=policy if facts.get("sample") is True and policy.is_file() else None,
    )


def _captured(folder: Path, now: datetime) -> Origin:
    facts: dict[str, Any] = _read_json(folder / CAPTURE_FILE) if (folder / CAPTURE_FILE).is_file() else {}
    problems = _texts(facts.get("problems"))
    if not facts:
        problems = [f"{folder.name}: has no {CAPTURE_FILE}: it is not known where its report comes from"]
    file = facts.get("file", REPORT_FILE)
    # a name from JSON is never followed out of the account's own folder
    path = folder / file if isinstance(file, str) and file == Path(file).name and file not in (".", "..") else None
    if path is not None and not path.is_file():
        problems, path = [*problems, f"{folder.name}: the report is missing"], None
    received = parse_instant(str(facts.get("received_time")))
    return Origin(
        name=str(facts.get("source") or f"{folder.name}/{file}"),
        path=path,
        received_time=received or now,
        capture={**facts, "problems": problems, "folder": folder.name},
    )


def is_complete_capture(origin: Origin, account_id: str) -> bool:
    """Whether the account's capture folder can be copied as it stands and will be read the same: it tells when
    it was received, and its name or its own word gives the report the name that it has now."""
    facts = origin.capture or {}
    named = "source" in facts or facts.get("folder") == account_id
    return named and "file" in facts and parse_instant(str(facts.get("received_time"))) is not None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise InputError(f"{path}: not valid JSON; capture or seal the folder again") from None
    if not isinstance(facts, dict):
        raise InputError(f"{path}: not a JSON object; capture or seal the folder again")
    return facts


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


def _read_bytes(path: Path, name: str) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{name}: larger than 1 GiB: this is no credential report")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror})") from None


def _renamed(origin: Origin, number: int) -> Origin:
    """The same origin under a name that no other has."""
    assert origin.path is not None
    parent = origin.path.parent.name
    name = f"{parent}/{origin.name}" if parent else f"{number}/{origin.name}"
    return Origin(name, origin.path, origin.received_time, origin.named, origin.content, origin.capture)


def fingerprint(origin: Origin) -> tuple[str, int]:
    """SHA-256 and size of what could not be read as a report: of its bytes, else as its capture recorded them,
    else of its name."""
    capture = origin.capture or {}
    try:
        content = (
            origin.content if origin.content is not None else origin.path.read_bytes() if origin.path else None
        )
    except OSError:
        content = None
    if content is not None:
        return hashlib.sha256(content).hexdigest(), len(content)
    recorded, size = capture.get("sha256"), capture.get("bytes")
    if isinstance(recorded, str) and isinstance(size, int):
        return recorded, size
    return hashlib.sha256(origin.name.encode()).hexdigest(), 0


def labels(reads: list[tuple[str | None, str, str]]) -> list[str]:
    """A label for each (account id, digest, name of the source): the id, else ``unknown-1``, ... in the order of
    digest and name, so that the order of files never matters."""
    unknown = sorted((digest, name) for account_id, digest, name in reads if account_id is None)
    return [account_id or f"unknown-{unknown.index((digest, name)) + 1}" for account_id, digest, name in reads]
