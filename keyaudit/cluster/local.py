"""A cluster of this machine for trying: begun in the background, and ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from keyaudit.cluster.client import EXTRA
from keyaudit.files import make_private, private, why
from keyaudit.schema import InputError

#: seconds for the processes to be there, and to end by themselves
UP, DOWN = 60.0, 10.0
PAUSE = 0.05


def default_file() -> Path:
    """The scheduler file, unless another is named: in a folder of this user alone."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    user = getattr(os, "getuid", lambda: "")()
    return Path(runtime or tempfile.gettempdir()) / f"keyaudit-cluster-{user}" / "scheduler.json"


def up(file: Path, workers: int) -> bool:
    """Begin a scheduler and so many workers, which listen on this machine alone; False if they are up already.

    InputError if the file cannot be written there, if Dask is not installed, or if they do not come up.
    """
    if find_spec("distributed") is None:
        raise InputError(f"a cluster needs Dask, which is not installed: {EXTRA}")
    if not hasattr(os, "fork"):
        raise InputError("a cluster of this machine needs a system that can fork, as Linux does")
    try:
        _make_folder(file.parent)
        if _is_held(file):
            return False
        file.unlink(missing_ok=True)
        log = file.with_name(f"{file.name}.log")
        log.unlink(missing_ok=True)
        with open(log, "xb", opener=private) as to:
            command = [sys.executable, "-P", "-m", "keyaudit.cluster.serve", str(file.absolute()), str(workers)]
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=to, stderr=to, start_new_session=True
            )
    except OSError as error:
        raise InputError(f"{why(error)}; name another --file") from None
    until = time.monotonic() + UP
    while not file.exists():
        if process.poll() is not None or time.monotonic() > until:
            _end(process.pid)
            raise InputError(f"the cluster did not come up: {log} says why")
        time.sleep(PAUSE)
    # it outlives this process, which does not wait for it
    process.returncode = 0
    return True


def down(file: Path) -> bool:
    """End the cluster of a scheduler file, and remove the files; False if there was none.

    InputError if it is another's, or does not end.
    """
    try:
        _refuse_others(file.parent)
        was_up = _is_held(file)
        if was_up:
            _stop(file)
        for one in (file, file.with_name(f"{file.name}.log"), file.with_name(f"{file.name}.lock")):
            one.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{why(error)}; name another file") from None
    if file == default_file():
        with suppress(OSError):
            file.parent.rmdir()
    return was_up


def _stop(file: Path) -> None:
    try:
        number = int(json.loads(file.read_bytes())["process"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{file}: a cluster is just coming up or going down; give the command again") from None
    # the lock is held, so the number is that of the process that wrote the file
    with suppress(ProcessLookupError):
        os.kill(number, signal.SIGTERM)
    until = time.monotonic() + DOWN
    while _is_held(file):
        if time.monotonic() > until:
            _end(number)
            raise InputError(f"{file}: the cluster did not end by itself, and was killed")
        time.sleep(PAUSE)


def _end(number: int) -> None:
    """Kill the processes of a cluster, which are one group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(number, signal.SIGKILL)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        make_private(folder)
    _refuse_others(folder)


def _refuse_others(folder: Path) -> None:
    """InputError if the folder that is looked into unasked may be another user's, who could put a file there that
    leads to a scheduler, or to a process, of their choice."""
    if folder != default_file().parent or not os.path.lexists(folder):
        return
    facts = folder.lstat()
    if facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise InputError(f"{folder}: is not a folder of yours alone; name a --file elsewhere")


def _is_held(file: Path) -> bool:
    """Whether a process of a cluster lives."""
    import fcntl

    try:
        descriptor = os.open(f"{file}.lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
