"""A reports folder -> what its manifests say of the evidence in it, and of the runs that failed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from keyaudit import seal
from keyaudit.credentials import parse_instant
from keyaudit.files import read_plain
from keyaudit.identity import Identity, identity_of, is_renamed
from keyaudit.periods import Every
from keyaudit.policy import parse_policy
from keyaudit.schema import InputError, PolicyError
from keyaudit.texts import say, utc

#: AWS makes a new report every four hours, and a run may judge the one of the day before
LONGEST_BEFORE = timedelta(hours=24)

LONGEST_REASON = 2000  # bytes
#: ``.failed-<instant>-<notebook>`` with the account, where it was known, and what tells two of them apart
_FAILED = re.compile(r"\.failed-(\d{4}-\d{2}-\d{2}T\d{6}Z)-(.+)-[0-9a-f]{12}")


@dataclass(frozen=True)
class Entry:
    """A finished evidence folder, as its manifest tells. ``subject`` is its notebook, and whose accounts it judged;
    ``sealed_as`` the name it was sealed under, where it has another now; ``is_ours``: by a notebook of keyaudit's.
    ``started`` is when its run began; ``is_present`` tells that it judges the moment of its run, not one that was
    given; ``accounts`` are those expected, ``failed`` the number of those not read; ``overdue`` the keys over their
    limit, None where that is not known; ``policy`` its name, and what its hash begins with; ``oldest_allowed`` is
    by how much its instant may come before the period that it is for; ``sha256`` is of its SHA256SUMS, ``previous``
    that of another folder."""

    path: Path
    identity: Identity
    sealed_as: str
    is_ours: bool
    failed: int
    conclusion: str
    overdue: int | None
    policy: str
    as_of: datetime
    started: datetime
    sealed: datetime
    oldest_allowed: timedelta
    is_present: bool
    is_sample: bool
    sha256: str
    previous: str | None

    @property
    def subject(self) -> str:
        return self.identity.subject

    @property
    def notebook(self) -> str:
        return self.identity.notebook

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


def entries(reports: Path) -> tuple[list[Entry], list[Path]]:
    """(the evidence of a reports folder in the order in which it was sealed, folders whose manifest cannot be
    read)."""
    found, unreadable = [], []
    for folder in seal.finished(reports):
        try:
            found.append(_entry(folder))
        except seal.NOT_OURS:
            unreadable.append(folder)
    return sorted(found, key=lambda one: (one.sealed, one.path.name)), unreadable


def entry(folder: Path) -> Entry:
    """The evidence in one folder; InputError where its manifest cannot be read."""
    try:
        return _entry(folder)
    except seal.NOT_OURS:
        raise InputError(f"{folder}: its {seal.MANIFEST} is not one of keyaudit") from None


def _entry(folder: Path) -> Entry:
    manifest = seal.read_manifest(folder)
    return Entry(
        path=folder,
        identity=identity_of(folder, manifest),
        sealed_as=is_renamed(folder, manifest),
        is_ours=manifest["notebook"].get("ours") is not False,
        failed=len(manifest["accounts"]["failed"]),
        conclusion=str(manifest["conclusion"]),
        overdue=None if manifest.get("overdue") is None else int(manifest["overdue"]),
        policy=f"{manifest['policy']['name']} ({str(manifest['policy']['sha256'])[:8]})",
        as_of=_instant(manifest["as_of"]),
        started=_instant(manifest["started_at"]),
        sealed=_instant(manifest["sealed_at"]),
        oldest_allowed=_oldest_allowed(folder, str(manifest["policy"]["sha256"])),
        is_present=manifest["as_of_source"] != "given" and manifest["sample"] is False,
        is_sample=manifest["sample"] is True,
        sha256=seal.digest_of(folder),
        previous=manifest["previous"],
    )


def _oldest_allowed(folder: Path, sha256: str) -> timedelta:
    """The smaller of what the policy allows a report and LONGEST_BEFORE; the latter where the policy is not the one
    of the manifest, which verify says."""
    content = read_plain(folder / "policy.toml")
    if hashlib.sha256(content).hexdigest() != sha256:
        return LONGEST_BEFORE
    try:
        return min(timedelta(hours=parse_policy(content, "policy.toml").max_report_age_hours), LONGEST_BEFORE)
    except PolicyError:
        return LONGEST_BEFORE


def not_of(one: Entry, start: datetime, end: datetime) -> str:
    """Why evidence does not count for the period from ``start`` to ``end``, in a sentence; empty where it does.
    When a command was given says nothing of what it judged, and evidence of before says nothing of a period."""
    if not start <= one.started < end:
        return say("period.other_run", started=utc(one.started))
    if one.as_of > one.sealed:
        return say("period.later", as_of=utc(one.as_of), sealed=utc(one.sealed))
    if one.as_of < start - one.oldest_allowed:
        return say("period.earlier", as_of=utc(one.as_of), start=utc(start))
    return ""


def undated(folder: Path) -> frozenset[str]:
    """The digests of the reports in a folder of evidence that do not tell when they were generated, by its
    captures."""
    found = set()
    for path in sorted((folder / seal.RAW).glob("*/capture.json")):
        try:
            told = json.loads(read_plain(path))
            name = told.get("file")
            if isinstance(name, str) and name == Path(name).name and not told.get("generated_time"):
                found.add(hashlib.sha256(read_plain(path.parent / name)).hexdigest())
        except (OSError, ValueError, AttributeError, RecursionError):
            continue  # verify says so
    return frozenset(found)


def counting(runs: Iterable[Entry], every: Every) -> dict[Path, str]:
    """Of evidence, in the order in which it was sealed, what does not count for the period in which its run began,
    and why: another folder is the same evidence, or a file without a time of its own was evidence of an earlier
    period, and nothing shows that it is not still the same old file."""
    refused: dict[Path, str] = {}
    seen: dict[str, Path] = {}
    periods: dict[str, str] = {}
    for one in runs:
        start, end = every.start(one.started), every.end(one.started)
        files = undated(one.path)
        former = next(
            (periods[file] for file in files if periods.get(file, start.isoformat()) != start.isoformat()), ""
        )
        reason = not_of(one, start, end)
        if one.sha256 in seen:
            reason = say("period.copy", folder=seen[one.sha256].name)
        elif former and not reason:
            reason = say("period.same_file", period=every.name(datetime.fromisoformat(former)))
        seen.setdefault(one.sha256, one.path)
        if reason:
            refused[one.path] = reason
            continue
        periods |= {file: start.isoformat() for file in files if file not in periods}
    return refused


def _instant(text: object) -> datetime:
    found = parse_instant(str(text))
    if found is None or not 2000 <= found.year < 3000:  # periods are counted around it
        raise ValueError(text)
    return found


def failures(reports: Path) -> list[Failure]:
    """The runs that left a ``.failed-*`` folder, in the order of their instants."""
    found = []
    for folder in reports.iterdir():
        told = _FAILED.fullmatch(folder.name)
        try:
            instant = datetime.strptime(told[1], "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC) if told else None
        except ValueError:  # no day of any year
            continue
        if told and instant:
            found.append(Failure(folder, told[2], instant, _reason(folder)))
    return sorted(found, key=lambda one: (one.instant, one.path.name))


def _reason(folder: Path) -> str:
    try:
        return " ".join(read_plain(folder / "failure.txt")[:LONGEST_REASON].decode("utf-8", "replace").split())
    except OSError:
        return ""
