"""The files that reading a source reads: one walker, for the reader and for the digest that tells two runs
apart."""

from __future__ import annotations

import hashlib
from pathlib import Path

from keyaudit.captured.layout import ACCOUNTS_FILE, CAPTURE_FILE
from keyaudit.schema import InputError


def is_capture(folder: Path) -> bool:
    """Whether a folder is a capture: it, or a folder in it, says so itself."""
    return any((folder / name).is_file() for name in (ACCOUNTS_FILE, CAPTURE_FILE)) or any(
        (inside / CAPTURE_FILE).is_file() for inside in folder.iterdir()
    )


def is_pipe(path: Path) -> bool:
    """Whether a source can be read only once, as the ``<(aws ...)`` of a shell."""
    return path.exists() and not (path.is_file() or path.is_dir())


def report_files(folder: Path) -> list[Path]:
    """All files of a folder and the folders in it, linked ones too, but hidden ones; InputError for a device or a
    pipe among them, which nobody takes for a report, and which may have no end."""
    return sorted(_visible_files(folder, set()))


def _visible_files(folder: Path, seen: set[Path]) -> list[Path]:
    real = folder.resolve()
    if real in seen:  # a link to a folder that it is in
        return []
    seen.add(real)
    visible = [path for path in folder.iterdir() if not path.name.startswith(".")]
    files = [path for path in visible if not path.is_dir()]
    for path in files:
        _refuse_special(path)
    return files + [file for path in visible if path.is_dir() for file in _visible_files(path, seen)]


def account_folders(folder: Path) -> list[Path]:
    """The folders of the accounts in a capture folder, or the folder itself where it is one account's. InputError
    for a link, a device or a pipe in them: a capture holds what was handed over, and not what somebody made its
    names lead to on the machine of whoever reads it."""
    inside = [folder] if (folder / CAPTURE_FILE).is_file() else _visible_folders(folder)
    at_top = [path for path in folder.iterdir() if not path.name.startswith(".")]
    for path in sorted(
        {*at_top, *(one for account in inside if not account.is_symlink() for one in account.iterdir())}
    ):
        if path.is_symlink():
            raise InputError(f"{path}: a link in a capture folder, which holds plain files and folders alone")
        _refuse_special(path)
    return inside


def _visible_folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _refuse_special(path: Path) -> None:
    if is_pipe(path):
        raise InputError(f"{path}: a device or a pipe inside a folder, which is no report; take it out of there")


def content_digest(path: Path) -> str:
    """SHA-256 over the names and bytes of all files that reading this file or folder reads. The name of a file by
    itself counts too: it may tell when the report was generated, and of which account."""
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
    places = {path, *account_folders(path)}
    return [one for place in places for one in place.iterdir() if one.is_file()]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
