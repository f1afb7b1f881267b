"""Every check that CI runs, in order; stops at the first that fails and ends with pytest's own lines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("pytest", "-n", "3", "--dist", "worksteal", "--cov", "--cov-report", "term:skip-covered", "-q"),
)


def main() -> int:
    for check in CHECKS:
        print(f"$ {' '.join(check)}", flush=True)
        code = subprocess.run([sys.executable, "-m", *check], cwd=ROOT, check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
