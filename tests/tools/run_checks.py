"""Every check that CI runs, in order; stops at the first that fails and ends with pytest's own lines. ``--all``: each
generated test with many more examples, every sequence of faults, and coverage measured."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
)
#: some tests wait for processes, others use them: more at once than there are cores, and no more than that, for each
#: worker begins with some seconds of work of its own. mypy is one of the tests
TESTS = ("pytest", "-n", "4", "--dist", "worksteal", "-q")
COVERED = ("--cov", "--cov-report", "term:skip-covered")
#: a file system in memory, and the room that it must have: evidence waits for the disk at each file, and the tests
#: make hundreds of folders of it, a gigabyte in all
MEMORY, ROOM = Path("/dev/shm"), 4 << 30


def main() -> int:
    is_all = "--all" in sys.argv[1:]
    with checking() as environment:
        environment |= {"KEYAUDIT_DEPTH": "nightly"} if is_all else {}
        for check in (*CHECKS, (*TESTS, *(COVERED if is_all else ()))):
            print(f"$ {' '.join(check)}", flush=True)
            code = subprocess.run([sys.executable, "-m", *check], cwd=ROOT, env=environment, check=False).returncode
            if code:
                return code
    return 0


@contextmanager
def checking() -> Iterator[dict[str, str]]:
    """The environment that tests run in, with a folder in memory for all that they write; where there is no such
    room, or programs cannot run there, they write where they would."""
    # what is compiled once is kept: the suite starts hundreds of processes
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    try:
        place = os.statvfs(MEMORY)
        has_room = place.f_bavail * place.f_frsize >= ROOM and not place.f_flag & os.ST_NOEXEC
        folder = tempfile.mkdtemp(prefix="keyaudit-", dir=MEMORY) if has_room else ""
    except OSError:
        folder = ""
    try:
        yield environment | ({"TMPDIR": folder} if folder else {})
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
