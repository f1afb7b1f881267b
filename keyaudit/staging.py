"""A run's folder before it is finished: private, written once, kept for diagnosis if the run fails, and what killed
runs left behind."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from keyaudit.files import make_private, private, why
from keyaudit.schema import InputError
from keyaudit.texts import masked

PREFIX = ".staging-"
SUMS = "SHA256SUMS"
#: seconds after which what a run left is nobody's any more, if nobody holds it
ABANDONED = 24 * 3600


def make_staging(reports: Path) -> Path:
    """A new ``.staging-*`` folder for one run, private where the system has modes; so is the reports folder, if it
    is new."""
    path = reports / f"{PREFIX}{secrets.token_hex(6)}"
    try:
        make_folder(reports)
        make_private(path)
    except OSError as error:
        raise InputError(f"{reports}: cannot write evidence there ({why(error)})") from None
    return path


def make_folder(folder: Path) -> None:
    """A folder for the owner alone, unless it is there: then it stays as it is."""
    if not folder.is_dir():
        with suppress(
            FileExistsError
        ):  # another run made it just now; what else is there, is found at the next step
            make_private(folder)


@contextmanager
def held(staging: Path) -> Iterator[None]:
    """While it is open, no other run takes this folder for one that was left behind."""
    from filelock import FileLock

    lock = _lock(staging)
    with FileLock(lock, mode=0o600):
        try:
            yield
        finally:
            with suppress(OSError):  # Windows does not remove what is open; then the next run does
                lock.unlink()


def sweep(reports: Path) -> None:
    """Remove what killed runs left a day ago or more, and nobody holds. What cannot be removed decides nothing."""
    from filelock import FileLock, Timeout

    for path in reports.glob(f"{PREFIX}*"):
        with suppress(OSError, Timeout):
            if path.is_symlink() or time.time() - path.stat().st_mtime < ABANDONED:
                continue
            if path.is_dir():
                with FileLock(_lock(path), timeout=0, mode=0o600):
                    shutil.rmtree(path)
                    _lock(path).unlink(missing_ok=True)
            elif path.suffix == ".lock" and not path.with_suffix("").exists():
                path.unlink()


def _lock(staging: Path) -> Path:
    return staging.with_name(f"{staging.name}.lock")


def write_file(folder: Path, name: str, content: bytes) -> None:
    """A file of evidence: new, private, on disk when this returns."""
    path = folder / name
    for parent in reversed(path.relative_to(folder).parents[:-1]):
        with suppress(FileExistsError):
            make_private(folder / parent)
    with open(path, "xb", opener=private) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def fail(staging: Path, name: str, reason: str) -> Path:
    """Keep a failed run as ``.failed-*`` for diagnosis; it holds no SHA256SUMS."""
    failed = staging.with_name(f".failed-{name}-{staging.name.rpartition('-')[2]}")
    (staging / SUMS).unlink(missing_ok=True)
    with suppress(OSError):  # the disk may be what failed
        write_file(staging, "failure.txt", (masked(reason) + "\n").encode("utf-8", "backslashreplace"))
    return staging.rename(failed)
