"""Files of people and of neighbours: read only where they are plain, written once and private; the folder of a run
before it is finished, and what killed runs left behind; why files cannot be had; JSON, in one way."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from keyaudit.schema import InputError

#: far above everything that is read whole (a report of 5,000 users is 1.3 MB)
MOST_BYTES = 2**30
#: of systems that have them: no link is followed, nobody is waited for at the other end of a pipe
_PLAIN = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


def read_plain(path: Path) -> bytes:
    """The bytes of a regular file in its own right. OSError for anything else that may stand in its place: a link
    (what it leads to is not what was handed over), a folder, a pipe or device, more than 1 GiB."""
    if path.is_symlink():
        raise OSError(errno.ELOOP, "is a link", str(path))
    descriptor = os.open(path, _PLAIN)
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, "is no plain file", str(path))
        if facts.st_size > MOST_BYTES:
            raise OSError(errno.EFBIG, "is larger than 1 GiB", str(path))
        return file.read()


def is_plain(path: Path) -> bool:
    """Whether there is a regular file of that name that is no link."""
    return path.is_file() and not path.is_symlink()


def private(path: str, flags: int) -> int:
    """An opener: for the owner alone, whatever the umask takes away."""
    descriptor = os.open(path, flags, 0o600)
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, 0o600)
    return descriptor


def make_private(folder: Path) -> None:
    """A new folder for the owner alone, whatever the umask; those that it is in as the system makes them.
    FileExistsError where there is something of that name."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700)
    folder.chmod(0o700)


def why(error: OSError) -> str:
    """Why something could not be read or written, and of which file; whose it is and what to do, where another
    user of this machine made it."""
    reason = error.strerror or type(error).__name__
    if not isinstance(error.filename, str | bytes):
        return reason
    place = Path(os.fsdecode(error.filename))
    text = f"{place}: {reason}"
    return f"{text}; {_whose(place)}" if isinstance(error, PermissionError) else text


def _whose(place: Path) -> str:
    """Whose a file is, or the folder that should hold it, and how the user of this process may come to use it."""
    there = next((one for one in (place, *place.parents) if os.path.lexists(one)), Path())
    folder = there if there.is_dir() else there.parent
    try:
        owner = there.owner()
    except (OSError, KeyError, NotImplementedError):  # no such user, or a system that has none
        return "run keyaudit as the user whose it is"
    return (
        f"{there} belongs to {owner}: run keyaudit as {owner}, or give {folder} to the user of this run (chown -R)"
    )


def printable(name: str) -> str:
    """A file's name as text that can be written: bytes that are no UTF-8 are shown by their codes."""
    return name.encode("utf-8", "backslashreplace").decode()


def json_text(value: object) -> str:
    """A value as JSON in lines, so that people can read and compare it, with a final newline."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def json_bytes(value: object) -> bytes:
    """The same as the bytes of a file, in UTF-8."""
    return json_text(value).encode()


# --- a run's folder before it is finished ------------------------------------------------------------------
PREFIX = ".staging-"
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
