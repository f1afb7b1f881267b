"""Files of people and of neighbours: read only where they are plain, written private; why they cannot be had."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

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
