"""The digest of what is read for a source, by which two runs of a schedule are told apart."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from keyaudit.captured import documents
from keyaudit.captured.layout import ACCOUNTS_FILE, CAPTURE_FILE
from keyaudit.sources.captures import find_capture
from keyaudit.sources.walk import is_capture, report_files


def content_digest(path: Path) -> str:
    """The SHA-256 over the names and bytes of all files that are read for this file or folder, and of no others. A
    file's name counts even if the file is given by itself, because it may tell when the report was generated, and
    for which account."""
    digest = hashlib.sha256()
    for one in sorted(_all_read(path)):
        name = one.relative_to(path).as_posix() if one != path else path.name
        digest.update(f"{name}\0{_sha256(one)}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _all_read(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    if not is_capture(path):
        return [one for one in report_files(path) if one.is_file()]
    found = find_capture(path, datetime.now(UTC))
    read = [path / ACCOUNTS_FILE, *([found.policy] if found.policy else [])]
    for origin in found.origins:
        if origin.folder is not None:
            read.append(origin.folder / CAPTURE_FILE)
            asked = [one.file for one in documents.DOCUMENTS if (origin.capture or {}).get(one.digest) is not None]
            read += [origin.folder / name for name in asked]
        read += [origin.path] if origin.path else []
    return [one for one in dict.fromkeys(read) if one.is_file()]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
