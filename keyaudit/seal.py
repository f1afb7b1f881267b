"""Staging, manifest, SHA256SUMS and the one rename by which a finished evidence folder appears.

Only a finished folder holds SHA256SUMS. Nothing is ever overwritten: a further run for the same instant gets
``-2``, ``-3``. The lock of the reports folder is held from the choice of name and ``previous`` to the rename, so
that two runs at once neither disturb each other nor fork the chain.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keyaudit.schema import FORMAT, RULES, EvidenceError, InputError, NewerError

MANIFEST = "manifest.json"
RAW = "raw"  # the folder of what was judged
SUMS = "SHA256SUMS"
LOCK = ".lock"
LOG_FILE = "kernel.log"  # of the kernel, while it runs
LOCK_TIMEOUT = 60  # seconds; held only for the sealing of a folder, well under one


@dataclass(frozen=True)
class Sealed:
    """A finished folder and the hash of its SHA256SUMS, by which the next one points to it."""

    path: Path
    sha256: str


def make_staging(reports: Path) -> Path:
    """A new ``.staging-*`` folder for one run, private where the system has modes."""
    path = reports / f".staging-{secrets.token_hex(6)}"
    try:
        reports.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700)
    except OSError as error:
        raise InputError(f"{reports}: cannot write evidence there ({error.strerror})") from None
    return path


def write_file(folder: Path, name: str, content: bytes) -> None:
    """A file of evidence: new, private, on disk when this returns."""
    path = folder / name
    for parent in reversed(path.relative_to(folder).parents[:-1]):
        (folder / parent).mkdir(mode=0o700, exist_ok=True)
    with open(path, "xb", opener=_private) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def fail(staging: Path, name: str, reason: str) -> Path:
    """Keep a failed run as ``.failed-*`` for diagnosis; it holds no SHA256SUMS."""
    failed = staging.with_name(f".failed-{name}-{staging.name.rpartition('-')[2]}")
    (staging / SUMS).unlink(missing_ok=True)
    with suppress(OSError):  # the disk may be what failed
        write_file(staging, "failure.txt", (reason + "\n").encode())
    return staging.rename(failed)


def finish(staging: Path, name: str, facts: dict[str, Any]) -> Sealed:
    """Write the manifest and SHA256SUMS of a staged run and give the folder its name, at one stroke.

    ``facts`` are the manifest's but ``previous`` and ``files``.
    """
    from filelock import FileLock, Timeout

    reports = staging.parent
    try:
        with FileLock(reports / LOCK, timeout=LOCK_TIMEOUT):
            facts = {**facts, "previous": _newest(reports, name, facts)}
            manifest = manifest_bytes({**facts, "files": list_files(staging)})
            write_file(staging, MANIFEST, manifest)
            sums = sums_bytes(manifest)
            write_file(staging, SUMS, sums)
            path = _rename(staging, name)
    except Timeout:
        raise EvidenceError(f"{reports / LOCK} is held by another run for more than {LOCK_TIMEOUT} s") from None
    return Sealed(path, hashlib.sha256(sums).hexdigest())


def tidy(staging: Path, before: list[dict[str, Any]]) -> None:
    """What a notebook may have done to its folder, undone or refused: the evidence that it read must be what it
    was (EvidenceError), links are refused, empty folders removed, and what it wrote is private like the rest."""
    after = {entry["path"]: entry for entry in list_files(staging)}
    changed = [entry["path"] for entry in before if entry["path"] != LOG_FILE and after.get(entry["path"]) != entry]
    if changed:
        raise EvidenceError(f"the notebook changed the evidence that it reads: {changed[0]}")
    for path in sorted(staging.rglob("*"), key=lambda one: len(one.parts), reverse=True):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise EvidenceError(f"the notebook left a link or special file in the evidence: {path.name}")
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
        else:
            path.chmod(0o700 if path.is_dir() else 0o600)


def list_files(folder: Path) -> list[dict[str, Any]]:
    """Every file of a folder but the two that list them: path, bytes, SHA-256; sorted by path."""
    entries = []
    for path in walk(folder):
        name = path.relative_to(folder).as_posix()
        if name not in (MANIFEST, SUMS):
            content = path.read_bytes()
            entries.append({"path": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()})
    return entries


def walk(folder: Path) -> Iterator[Path]:
    """All files under a folder, links and other oddities included, sorted by their path."""
    yield from sorted(
        (
            Path(base) / name
            for base, folders, names in os.walk(folder)
            for name in (*names, *_links(base, folders))
        ),
        key=lambda path: path.relative_to(folder).as_posix(),
    )


def _links(base: str, folders: list[str]) -> list[str]:
    return [name for name in folders if (Path(base) / name).is_symlink()]


def manifest_bytes(manifest: dict[str, Any]) -> bytes:
    return (json.dumps(manifest, ensure_ascii=False, indent=1) + "\n").encode()


def refuse_newer(manifest: dict[str, Any], place: object) -> None:
    """NewerError where the manifest is of a format, or its evidence was judged by rules, that came after this
    version; what is no number is for whoever reads the manifest to find."""
    for name, known in (("format", FORMAT), ("rules", RULES)):
        number = manifest.get(name, 1)
        if type(number) is int and number > known:
            raise NewerError(
                f"{place}: made by a later version of keyaudit ({name} {number}; this one knows {known}): upgrade "
                "keyaudit"
            )


def sums_bytes(manifest: bytes) -> bytes:
    """SHA256SUMS as a manifest implies it: its files, and itself; ``sha256sum -c`` reads it."""
    files = {entry["path"]: entry["sha256"] for entry in json.loads(manifest)["files"]}
    files[MANIFEST] = hashlib.sha256(manifest).hexdigest()
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(files.items())).encode()


def finished(reports: Path) -> list[Path]:
    """The finished evidence folders of a reports folder, sorted by name."""
    if not reports.is_dir():
        return []
    return sorted(path for path in reports.iterdir() if not path.name.startswith(".") and (path / SUMS).is_file())


def _newest(reports: Path, name: str, facts: dict[str, Any]) -> str | None:
    """The hash of the SHA256SUMS of the newest finished folder of the same notebook and accounts: the one that
    no other points to (the latest sealed, should folders have been removed)."""
    chain: dict[str, tuple[str, str | None]] = {}
    _, _, whose = name.partition("Z-")  # what follows the instant: the notebook, and the account
    for folder in finished(reports):
        if not folder.name.partition("Z-")[2].startswith(whose):
            continue  # there may be thousands of other accounts' folders
        try:
            manifest = json.loads((folder / MANIFEST).read_bytes())
            same = manifest["notebook"]["name"] == facts["notebook"]["name"] and (
                manifest["accounts"]["expected"] == facts["accounts"]["expected"]
            )
            digest = hashlib.sha256((folder / SUMS).read_bytes()).hexdigest()
            if same:
                chain[digest] = (str(manifest["sealed_at"]), manifest["previous"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not ours, or damaged: verify says so
    pointed_to = {previous for _, previous in chain.values()}
    heads = [digest for digest in chain if digest not in pointed_to]
    return max(heads, key=lambda digest: chain[digest][0], default=None)


def _rename(staging: Path, name: str) -> Path:
    """Rename under the lock to the first free name."""
    number = 1
    while True:
        path = staging.with_name(name if number == 1 else f"{name}-{number}")
        if not path.exists():
            _sync(staging)
            staging.rename(path)
            _sync(staging.parent)
            return path
        number += 1


def _sync(folder: Path) -> None:
    """Put a folder's entries on disk, where the system can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
