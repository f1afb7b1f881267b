"""Manifest, SHA256SUMS and the one rename by which a finished evidence folder appears.

Only a finished folder holds SHA256SUMS. Nothing is ever overwritten: a further run for the same instant gets
``-2``, ``-3``. The lock of the reports folder is held from the choice of name and ``previous`` until the rename, so
that two runs at the same time neither disturb each other nor fork the chain.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from keyaudit.credentials import parse_instant
from keyaudit.evidence import released
from keyaudit.evidence.contents import (
    BESIDE,
    LOG,
    MANIFEST,
    ORDER,
    SUMS,
    File,
    Former,
    Manifest,
    RunFacts,
    former_of,
)
from keyaudit.evidence.identity import identity_of
from keyaudit.files import is_plain, json_bytes, read_plain, walk, why, write_file
from keyaudit.schema import FORMAT, RULES, EvidenceError, NewerError

LOCK = ".lock"
LOCK_TIMEOUT = 60  # seconds; the lock is held only while a folder is sealed, for well under one second
#: what reading a manifest may raise if keyaudit did not write it, or it was damaged
NOT_OURS = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)


@dataclass(frozen=True)
class Sealed:
    """A finished folder and the hash of its SHA256SUMS, by which the next folder points to it; what the evidence
    says to which it points, if there is any; and the folders that could not be read."""

    path: Path
    sha256: str
    former: Former | None = None
    unread: tuple[str, ...] = ()


def finish(staging: Path, name: str, facts: RunFacts) -> Sealed:
    """Write the manifest and SHA256SUMS of a staged run, and give the folder its name by one rename."""
    from filelock import FileLock, Timeout

    reports = staging.parent
    try:
        with FileLock(reports / LOCK, timeout=LOCK_TIMEOUT, mode=0o600):
            path = _free(reports, name)
            newest, former, unread = _newest(reports, facts)
            whole: Manifest = {
                "format": FORMAT,
                "name": path.name,
                **facts,
                "previous": newest,
                "files": list_files(staging),
            }
            manifest = manifest_bytes(whole)
            write_file(staging, MANIFEST, manifest)
            sums = sums_bytes(manifest)
            write_file(staging, SUMS, sums)
            _sync(staging)
            staging.rename(path)
            _sync(reports)
    except Timeout:
        raise EvidenceError(f"{reports / LOCK} is held by another run for more than {LOCK_TIMEOUT} s") from None
    return Sealed(path, hashlib.sha256(sums).hexdigest(), former, unread)


def tidy(staging: Path, before: list[File]) -> None:
    """Undo or refuse what a notebook may have done to its folder: the evidence that it read must be unchanged
    (EvidenceError), links are refused, empty folders are removed, and what it wrote becomes private like the
    rest."""
    after = {entry["path"]: entry for entry in list_files(staging)}
    changed = [entry["path"] for entry in before if entry["path"] != LOG and after.get(entry["path"]) != entry]
    if changed:
        raise EvidenceError(f"the notebook changed the evidence that it reads: {changed[0]}")
    _refuse_added({entry["path"] for entry in before}, after)
    for path in sorted(staging.rglob("*"), key=lambda one: len(one.parts), reverse=True):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise EvidenceError(f"the notebook left a link or special file in the evidence: {path.name}")
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
        else:
            path.chmod(0o700 if path.is_dir() else 0o600)


def _refuse_added(known: set[str], found: Iterable[str]) -> None:
    """EvidenceError if a folder from which evidence is read holds more than was put there."""
    places = {name.partition("/")[0] for name in known if "/" in name}
    added = [name for name in found if name not in known and name.partition("/")[0] in places]
    if added:
        raise EvidenceError(f"the notebook added to the evidence that it reads: {added[0]}")


def list_files(folder: Path) -> list[File]:
    """Every file of a folder, except the two that list the files: path, bytes, SHA-256; sorted by path."""
    entries: list[File] = []
    for path in walk(folder):
        name = path.relative_to(folder).as_posix()
        if name not in (MANIFEST, SUMS):
            content = path.read_bytes()
            entries.append({"path": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()})
    return entries


def manifest_bytes(manifest: Manifest) -> bytes:
    """The manifest as it is written, with its fields in their order."""
    told: Mapping[str, object] = manifest
    return json_bytes({field: told[field] for field in ORDER if field in told})


def refuse_newer(manifest: Mapping[str, Any], place: object) -> None:
    """NewerError if the manifest's format, rules or version are later than this keyaudit. A value that is not a
    number is left for whoever reads the manifest to find."""
    for name, known in (("format", FORMAT), ("rules", RULES)):
        number = manifest.get(name, 1)
        if type(number) is int and number > known:
            raise NewerError(
                f"{place}: made by a later version of keyaudit ({name} {number}; this one knows {known}): upgrade "
                "keyaudit"
            )
    made_by = manifest["tool"]["keyaudit"] if isinstance(manifest.get("tool"), dict) else ""
    if isinstance(made_by, str) and released.is_later(made_by):
        raise NewerError(f"{place}: made by keyaudit {made_by}, which is later than this one: upgrade keyaudit")


def sums_bytes(manifest: bytes) -> bytes:
    """SHA256SUMS as a manifest implies it: the manifest's files, and the manifest itself; ``sha256sum -c`` reads
    it."""
    files = {entry["path"]: entry["sha256"] for entry in json.loads(manifest)["files"]}
    files[MANIFEST] = hashlib.sha256(manifest).hexdigest()
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(files.items())).encode()


def finished(reports: Path) -> list[Path]:
    """The finished evidence folders of a reports folder, sorted by name, and those that cannot be looked into:
    whoever reads their manifest gets an OSError that says why."""
    if not reports.is_dir():
        return []
    return sorted(path for path in reports.iterdir() if not path.name.startswith(".") and _is_finished(path))


def _is_finished(folder: Path) -> bool:
    try:
        return is_plain(folder / SUMS)
    except OSError:
        return folder.name not in BESIDE


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder, which anybody may have put there; raises one of NOT_OURS if it cannot be used."""
    told: Manifest = json.loads(read_plain(folder / MANIFEST))
    if not isinstance(told, dict) or not isinstance(told["previous"], str | None):
        raise TypeError(MANIFEST)
    return told


def digest_of(folder: Path) -> str:
    """The hash of a folder's SHA256SUMS, by which the next folder points to it."""
    return digest(read_plain(folder / SUMS))


def digest(sums: bytes) -> str:
    """The hash of a SHA256SUMS: the seal, in one number."""
    return hashlib.sha256(sums).hexdigest()


#: whose evidence folders are that this process has read. Finished ones do not change, and a process that seals
#: thousands would read each of them again for each of the others
_subjects: dict[Path, object] = {}


def of_subject(reports: Path, facts: RunFacts) -> tuple[dict[Path, Manifest], tuple[str, ...]]:
    """(the finished folders of the same kind, notebook and organization or account, with their manifests; why
    others could not be read). A folder that is damaged, or somebody else's, is in neither: ``verify`` says so."""
    found: dict[Path, Manifest] = {}
    unread = []
    wanted = identity_of(reports, facts).subject
    for folder in sorted(path for path in reports.iterdir() if not path.name.startswith(".")):
        try:
            if _subjects.get(folder, wanted) != wanted or not is_plain(folder / SUMS):
                continue
            manifest = read_manifest(folder)
            _subjects[folder] = identity_of(folder, manifest).subject
            if _subjects[folder] == wanted and ("period" in manifest) == ("period" in facts):
                found[folder] = manifest
        except PermissionError as error:
            unread += [why(error)] if folder.name not in BESIDE else []
        except NOT_OURS:
            continue
    return found, tuple(unread)


def _newest(reports: Path, facts: RunFacts) -> tuple[str | None, Former | None, tuple[str, ...]]:
    """The hash of the SHA256SUMS of the newest finished folder of the same notebook and organization or account:
    the folder to which no other points (or the latest sealed, if folders were removed); and what it says. Also the
    folders that could not be read, which the chain may therefore leave out."""
    chain: dict[str, tuple[datetime, str | None, Former]] = {}
    found, unread = of_subject(reports, facts)
    for folder, manifest in found.items():
        with suppress(*NOT_OURS):
            sealed_at = parse_instant(str(manifest["sealed_at"])) if is_sealed(folder) else None
            if sealed_at:
                chain[digest_of(folder)] = (sealed_at, manifest["previous"], former_of(manifest))
    pointed_to = {previous for _, previous, _ in chain.values()}
    heads = [digest for digest in chain if digest not in pointed_to]
    newest = max(heads, key=lambda digest: chain[digest][0], default=None)
    return newest, chain[newest][2] if newest else None, unread


def is_sealed(folder: Path) -> bool:
    """Whether a folder's SHA256SUMS is what its manifest implies: a folder in which one of the two was changed has
    no successor."""
    return read_plain(folder / SUMS) == sums_bytes(read_plain(folder / MANIFEST))


def _free(reports: Path, name: str) -> Path:
    """The first free name; call this under the lock."""
    number, path = 1, reports / name
    while os.path.lexists(path):
        number += 1
        path = reports / f"{name}-{number}"
    return path


def _sync(folder: Path) -> None:
    """Put a folder's entries on disk, if the system can do that."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
