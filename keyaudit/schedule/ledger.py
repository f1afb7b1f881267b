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
from keyaudit.auditing import parse_as_of
from keyaudit.periods import Every
from keyaudit.policy import parse_policy
from keyaudit.schema import InputError, PolicyError
from keyaudit.texts import say, utc

#: AWS makes a new report every four hours, and a run may judge the one of the day before
LONGEST_BEFORE = timedelta(hours=24)

#: ``.failed-<instant>-<notebook>`` with the account, where it was known, and what tells two of them apart
_FAILED = re.compile(r"\.failed-(\d{4}-\d{2}-\d{2}T\d{6}Z)-(.+)-[0-9a-f]{12}")


@dataclass(frozen=True)
class Entry:
    """A finished evidence folder. ``subject`` is what follows the instant in its name: notebook and account.
    ``started`` is when its run began; ``is_present`` tells that it judges the moment of its run, not one that was
    given; ``accounts`` are those expected, ``failed`` the number of those not read; ``overdue`` the keys over their
    limit, None where that is not known; ``policy`` its name, and what its hash begins with; ``oldest_allowed`` is
    by how much its instant may come before the period that it is for; ``sha256`` is of its SHA256SUMS, ``previous``
    that of another folder."""

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
    oldest_allowed: timedelta
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


def entry(folder: Path) -> Entry:
    """The evidence in one folder; InputError where its manifest cannot be read."""
    try:
        return _entry(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(f"{folder}: its {seal.MANIFEST} is not one of keyaudit") from None


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
        oldest_allowed=_oldest_allowed(folder, str(manifest["policy"]["sha256"])),
        is_present=manifest["as_of_source"] != "given" and manifest["sample"] is False,
        is_sample=manifest["sample"] is True,
        sha256=hashlib.sha256((folder / seal.SUMS).read_bytes()).hexdigest(),
        previous=None if previous is None else str(previous),
    )


def _oldest_allowed(folder: Path, sha256: str) -> timedelta:
    """The smaller of what the policy allows a report and LONGEST_BEFORE; the latter where the policy is not the one
    of the manifest, which verify says."""
    content = (folder / "policy.toml").read_bytes()
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
            told = json.loads(path.read_bytes())
            name = told.get("file")
            is_report = isinstance(name, str) and name == Path(name).name and (path.parent / name).is_file()
            if is_report and not told.get("generated_time"):
                found.add(hashlib.sha256((path.parent / name).read_bytes()).hexdigest())
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
