"""A reports folder -> what its manifests say about the evidence in it, and about the runs that failed."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from keyaudit.credentials import parse_instant
from keyaudit.evidence import seal
from keyaudit.evidence.contents import MANIFEST, NAMED, POLICY, Manifest
from keyaudit.evidence.identity import identity_of, is_renamed
from keyaudit.export.formats import FORMATS
from keyaudit.files import read_plain, unreadable, why
from keyaudit.model.folders import Entry
from keyaudit.policy import parse_policy
from keyaudit.schema import INSUFFICIENT_DATA, InputError, PolicyError
from keyaudit.texts import say

#: AWS makes a new report every four hours, and a run may judge the report of the day before
LONGEST_BEFORE = timedelta(hours=24)
#: more keys or accounts than any organization has: a manifest that tells of more is damaged
MOST = 10**9


def entries(reports: Path) -> tuple[list[Entry], dict[Path, str]]:
    """(the evidence of a reports folder in the order in which it was sealed, the folders whose manifest cannot be
    read, each with the reason of the system, which is empty if it is the manifest that is wrong)."""
    found, closed = [], {}
    for folder in seal.finished(reports):
        try:
            manifest = seal.read_manifest(folder)
            # what was concluded of other evidence is none of a moment
            if "period" not in manifest:
                found.append(_entry(folder, manifest))
        except OSError as error:
            closed[folder] = why(error)
        except seal.NOT_OURS:
            closed[folder] = ""
    return sorted(found, key=lambda one: (one.sealed, one.path.name)), closed


def entries_of(reports: Path) -> tuple[list[Entry], dict[Path, str]]:
    """The ``entries`` of a reports folder that was named; InputError if there is none, or it cannot be read."""
    try:
        if not reports.is_dir():
            raise InputError(f"{reports}: no such reports folder; name one that keyaudit report made")
        return entries(reports)
    except OSError as error:
        raise InputError(unreadable(reports, error)) from None


def unreadable_of(folder: str, why: str) -> str:
    """The sentence about a folder whose manifest cannot be read, and why."""
    return say("series.no_access" if why else "series.unreadable", folder=folder, why=why)


def over_time(reports: Path) -> dict[Path, Manifest]:
    """The evidence of periods in a reports folder, as far as its manifests can be read."""
    found = {}
    for folder in seal.finished(reports):
        with suppress(*seal.NOT_OURS):
            manifest = seal.read_manifest(folder)
            if "period" in manifest:
                found[folder] = manifest
    return found


def unfinished(reports: Path) -> list[Path]:
    """The folders that are named as evidence is, and have no SHA256SUMS: copied in part, or their seal was taken
    out; sorted by name."""
    whole = seal.finished(reports)
    # what is exported has the name of its evidence, and an ending
    made = {f"{path.name}{one.ending}" for path in whole for one in FORMATS}
    named = {path for path in reports.iterdir() if NAMED.fullmatch(path.name) and path.is_dir()}
    return sorted(path for path in named.difference(whole) if path.name not in made)


def entry(folder: Path) -> Entry:
    """The evidence in one folder; InputError if its manifest cannot be read."""
    try:
        return _entry(folder, seal.read_manifest(folder))
    except OSError as error:
        raise InputError(why(error)) from None
    except seal.NOT_OURS:
        raise InputError(f"{folder}: its {MANIFEST} is not one of keyaudit") from None


def _entry(folder: Path, manifest: Manifest) -> Entry:
    return Entry(
        path=folder,
        identity=identity_of(folder, manifest),
        sealed_as=is_renamed(folder, manifest),
        is_ours=manifest["notebook"].get("ours") is not False,
        failed=len(manifest["accounts"]["failed"]),
        conclusion=str(manifest["conclusion"]),
        assurance=str(manifest.get("assurance", "")),
        overdue=_number(manifest.get("overdue")),
        incomplete=_incomplete(manifest),
        policy=f"{manifest['policy']['name']} ({str(manifest['policy']['sha256'])[:8]})",
        as_of=_instant(manifest["as_of"]),
        started=_instant(manifest["started_at"]),
        sealed=_instant(manifest["sealed_at"]),
        oldest_allowed=_oldest_allowed(folder, str(manifest["policy"]["sha256"])),
        is_present=manifest["as_of_source"] != "given" and manifest["sample"] is False,
        is_sample=manifest["sample"] is True,
        sha256=seal.digest_of(folder),
        previous=manifest["previous"],
        every=str(manifest.get("schedule", {}).get("every", "")),
        asked=str(manifest.get("schedule", {}).get("asked", "")),
    )


def _oldest_allowed(folder: Path, sha256: str) -> timedelta:
    """The smaller of the age that the policy allows a report and LONGEST_BEFORE; the latter if the policy is not
    the manifest's, which verify will say."""
    content = read_plain(folder / POLICY)
    return _age_allowed(content) if hashlib.sha256(content).hexdigest() == sha256 else LONGEST_BEFORE


@cache
def _age_allowed(content: bytes) -> timedelta:
    """A year of evidence has few policies, and reading one takes longer than all else of its folder."""
    try:
        return min(timedelta(hours=parse_policy(content, POLICY).max_report_age_hours), LONGEST_BEFORE)
    except PolicyError:
        return LONGEST_BEFORE


def _incomplete(manifest: Manifest) -> int | None:
    """As the manifest says; before 0.4.0 it follows where there was one account."""
    if "incomplete" in manifest:
        return _number(manifest["incomplete"])
    is_one = len(manifest["accounts"]["expected"]) == 1
    return int(manifest["conclusion"] == INSUFFICIENT_DATA) if is_one else None


def _number(told: object) -> int | None:
    """A number of keys or accounts; ValueError if it cannot be one."""
    if told is not None and not (type(told) is int and 0 <= told < MOST):
        raise ValueError(told)
    return told


def _instant(text: object) -> datetime:
    found = parse_instant(str(text))
    if found is None or not 2000 <= found.year < 3000:  # periods are counted around it
        raise ValueError(text)
    return found
