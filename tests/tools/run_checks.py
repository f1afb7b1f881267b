"""Every check that CI runs, in order; stops at the first that fails and ends with pytest's own lines. ``--all``: each
generated test with many more examples, every sequence of faults, and coverage measured."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
)
#: some tests wait for processes, others use them: more at once than there are cores. mypy is one of them
TESTS = ("pytest", "-n", "4", "--dist", "worksteal", "-q")
COVERED = ("--cov", "--cov-report", "term:skip-covered")


def main() -> int:
    is_all = "--all" in sys.argv[1:]
    # what is compiled once is kept: the suite starts hundreds of processes
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"KEYAUDIT_DEPTH": "nightly"} if is_all else {}
    for check in (*CHECKS, (*TESTS, *(COVERED if is_all else ()))):
        print(f"$ {' '.join(check)}", flush=True)
        code = subprocess.run([sys.executable, "-m", *check], cwd=ROOT, env=environment, check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
