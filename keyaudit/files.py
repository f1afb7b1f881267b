"""Files: other people's are read only if they are regular files, ours are written once and are private. Also the
folder of an unfinished run, what killed runs left behind, why a file cannot be had, and JSON."""

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

#: far more than any file that is read whole (a report of 5,000 users is 1.3 MB)
MOST_BYTES = 2**30
#: on systems that have these flags: no link is followed, and no pipe is waited for
_PLAIN = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


def read_plain(path: Path) -> bytes:
    """The bytes of a regular file. OSError for anything else that may be in its place: a link (because what it
    leads to is not what was handed over), a folder, a pipe or device, or a file larger than 1 GiB."""
    if path.is_symlink():
        raise OSError(errno.ELOOP, "is a link", str(path))
    descriptor = os.open(path, _PLAIN)
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, "is not a plain file", str(path))
        if facts.st_size > MOST_BYTES:
            raise OSError(errno.EFBIG, "is larger than 1 GiB", str(path))
        return file.read()


def is_plain(path: Path) -> bool:
    """Whether a regular file, and not a link, has that name. OSError if that cannot be found out, as in a
    folder that cannot be looked into."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a name that no file can have
        return False
    except OSError as error:
        if error.errno == errno.ELOOP:
            return False
        raise


def private(path: str, flags: int) -> int:
    """An opener for files that only their owner can read, whatever the umask is."""
    descriptor = os.open(path, flags, 0o600)
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, 0o600)
    return descriptor


def make_private(folder: Path) -> None:
    """Make a new folder that only its owner can read, whatever the umask is; its parents are made as the system
    makes them. FileExistsError if something has that name already."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700)
    folder.chmod(0o700)


def why(error: OSError) -> str:
    """Why something could not be read or written, and which file that was. If another user of this machine made the
    file, also who that is and what to do."""
    place, reason = _place(error), reason_of(error)
    return f"{place}: {reason}" if place else reason


def unreadable(named: object, error: OSError) -> str:
    """That something could not be read: the file or folder at which that failed, or else what was ``named``."""
    place = _place(error)
    if place and isinstance(error, PermissionError):
        place = _there(place)  # what was looked for in a closed folder may not be there at all
    return f"{place or named}: cannot be read ({reason_of(error)})"


def reason_of(error: OSError) -> str:
    """``why``, without the file."""
    place, reason = _place(error), error.strerror or type(error).__name__
    return f"{reason}; {_whose(place)}" if place and isinstance(error, PermissionError) else reason


def _place(error: OSError) -> Path | None:
    return Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None


def _there(place: Path) -> Path:
    """A file or folder, or the first of the folders above it that can be seen."""
    return next((one for one in (place, *place.parents) if os.path.lexists(one)), Path())


def _whose(place: Path) -> str:
    """Who owns a file, or the folder that should hold it, and how the user of this process can get to use it."""
    there = _there(place)
    folder = there if there.is_dir() else there.parent
    try:
        owner = there.owner()
    except (OSError, KeyError, NotImplementedError):  # no such user, or a system that has none
        return "run keyaudit as the user whose it is"
    return (
        f"{there} belongs to {owner}: run keyaudit as {owner}, or give {folder} to the user of this run (chown -R)"
    )


def printable(name: str) -> str:
    """A file's name as text that can be written: bytes that are not UTF-8 are shown by their codes."""
    return name.encode("utf-8", "backslashreplace").decode()


def json_text(value: object) -> str:
    """A value as indented JSON, so that people can read and compare it, with a final newline."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def json_bytes(value: object) -> bytes:
    """The same as the bytes of a file, in UTF-8."""
    return json_text(value).encode()


# --- a run's folder before it is finished ------------------------------------------------------------------
PREFIX = ".staging-"
#: seconds after which what a run left behind is removed, unless somebody holds it
ABANDONED = 24 * 3600


def make_staging(reports: Path) -> Path:
    """Make a ``.staging-*`` folder for one run, private on systems that have modes; the reports folder, if it is
    new, is private too."""
    path = reports / f"{PREFIX}{secrets.token_hex(6)}"
    try:
        make_folder(reports)
        make_private(path)
    except OSError as error:
        raise InputError(f"{reports}: cannot write evidence there ({why(error)})") from None
    return path


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner can read. One that exists stays as it is."""
    if not folder.is_dir():
        with suppress(
            FileExistsError
        ):  # another run made it just now; if it is something else, the next step will find out
            make_private(folder)


@contextmanager
def held(staging: Path) -> Iterator[None]:
    """As long as this is open, no other run takes the folder for one that was left behind."""
    from filelock import FileLock

    lock = _lock(staging)
    with FileLock(lock, mode=0o600):
        try:
            yield
        finally:
            with suppress(OSError):  # Windows does not remove open files; the next run will remove them
                lock.unlink()


def sweep(reports: Path) -> None:
    """Remove what killed runs left a day ago or earlier, unless somebody holds it. What cannot be removed is
    ignored."""
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
    """Write a file of evidence: new, private, and on disk when this returns."""
    path = folder / name
    for parent in reversed(path.relative_to(folder).parents[:-1]):
        with suppress(FileExistsError):
            make_private(folder / parent)
    with open(path, "xb", opener=private) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def walk(folder: Path) -> Iterator[Path]:
    """All files under a folder, including links and other oddities, sorted by path."""
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
