"""Which files there are in a source: one walker, for the reader and for the digest that tells two runs apart."""

from __future__ import annotations

from pathlib import Path

from keyaudit.captured.layout import ACCOUNTS_FILE, CAPTURE_FILE
from keyaudit.schema import InputError


def is_capture(folder: Path) -> bool:
    """Whether a folder is a capture: it says so itself, or a folder in it does."""
    return any((folder / name).is_file() for name in (ACCOUNTS_FILE, CAPTURE_FILE)) or any(
        (inside / CAPTURE_FILE).is_file() for inside in folder.iterdir()
    )


def is_pipe(path: Path) -> bool:
    """Whether a source can be read only once, like ``<(aws ...)`` in a shell."""
    return path.exists() and not (path.is_file() or path.is_dir())


def report_files(folder: Path) -> list[Path]:
    """All files of a folder and of the folders in it, including linked but not hidden ones. InputError for a device
    or a pipe among them: nobody takes it for a report, and it may never end."""
    return sorted(_visible_files(folder, set()))


def _visible_files(folder: Path, seen: set[Path]) -> list[Path]:
    real = folder.resolve()
    if real in seen:  # a link to a folder that contains it
        return []
    seen.add(real)
    visible = [path for path in folder.iterdir() if not path.name.startswith(".")]
    files = [path for path in visible if not path.is_dir()]
    for path in files:
        _refuse_special(path)
    return files + [file for path in visible if path.is_dir() for file in _visible_files(path, seen)]


def account_folders(folder: Path) -> list[Path]:
    """The folders of the accounts in a capture folder, or the folder itself if it is that of one account.
    InputError for a link, a device or a pipe in them: a capture holds what was handed over, and not what somebody
    made its names lead to on the reader's machine."""
    inside = [folder] if (folder / CAPTURE_FILE).is_file() else _visible_folders(folder)
    at_top = [path for path in folder.iterdir() if not path.name.startswith(".")]
    for path in sorted(
        {*at_top, *(one for account in inside if not account.is_symlink() for one in account.iterdir())}
    ):
        if path.is_symlink():
            raise InputError(f"{path}: a link in a capture folder, which may hold only plain files and folders")
        _refuse_special(path)
    return inside


def _visible_folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _refuse_special(path: Path) -> None:
    if is_pipe(path):
        raise InputError(f"{path}: a device or a pipe inside a folder is not a report; take it out of there")
