"""Speed, as ratios measured side by side in one run (``make bench``).

Every command is a whole process; each pair is run in turns, and the median of each is taken. CPU and peak memory
are the operating system's own, of the process and its children.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from make_reports import write_population

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parents[2]
AS_OF = "2026-11-23T08:00:00Z"
RUNS = 3


@dataclass
class Run:
    """One run of a command: seconds on the wall and of CPU (children included), and peak MiB of one process."""

    wall: float
    cpu: float
    mib: float


def run(*command: str, cwd: Path) -> Run:
    """Run a command to its end; its verdict (exit code 0, 1 or 3) does not matter."""
    before = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - before
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 1, 3):
        raise SystemExit(f"{' '.join(command)}: exit code {code}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median(runs: list[Run]) -> Run:
    """Median of each figure."""
    return Run(*(statistics.median(getattr(one, name) for one in runs) for name in ("wall", "cpu", "mib")))


def show(name: str, one: Run, bar: str = "") -> None:
    """One line of the table."""
    print(f"{name:<58} {one.wall:8.2f} {one.cpu:8.2f} {one.mib:8.0f}  {bar}", flush=True)


def main() -> None:
    """Measure, and print the table."""
    work = Path(tempfile.mkdtemp(prefix="keyaudit-bench-"))
    print(f"{'':<58} {'wall s':>8} {'CPU s':>8} {'MiB':>8}  bar")
    try:
        report_against_stock(work)
        check(work)
        verify(work)
    finally:
        shutil.rmtree(work)


def report_against_stock(work: Path) -> None:
    """``keyaudit report`` against papermill and nbconvert, two commands, on the same notebook."""
    folder = write_population(work / "one", 1, 5_000)
    source = str(next(folder.iterdir()))
    ours, stock = [], []
    notebook = str(ROOT / "notebooks" / "key_rotation.ipynb")
    given = ("-p", "source", source, "-p", "policy", "cis", "-p", "as_of", AS_OF)
    for _ in range(RUNS):
        command = (str(BIN / "keyaudit"), "report", source, "--policy", "cis", "--as-of", AS_OF, "-o", "reports")
        ours.append(run(*command, cwd=work))
        first = run(str(BIN / "papermill"), notebook, "out.ipynb", *given, cwd=work)
        second = run(str(BIN / "jupyter"), "nbconvert", "--to", "html", "out.ipynb", cwd=work)
        stock.append(Run(first.wall + second.wall, first.cpu + second.cpu, max(first.mib, second.mib)))
    show("keyaudit report, 5,000 users, HTML and seal included", median(ours))
    show("papermill, then jupyter nbconvert --to html", median(stock))
    ratio = median(ours).wall / median(stock).wall
    print(f"{'  ratio':<58} {ratio:8.2f} {'':>17}  at most 0.50, aim 0.40")


def check(work: Path) -> None:
    """``keyaudit check`` on one account, on a million rows, and ``--help``."""
    source = str(next((work / "one").iterdir()))
    command = (str(BIN / "keyaudit"), "check", source, "--policy", "cis", "--as-of", AS_OF)
    show("keyaudit check, 5,000 users", median([run(*command, cwd=work) for _ in range(RUNS)]), "CPU at most 1.0")
    show(
        "keyaudit --help",
        median([run(str(BIN / "keyaudit"), "--help", cwd=work) for _ in range(RUNS)]),
        "at most 0.25",
    )
    for accounts in (50, 200):
        folder = write_population(work / f"many{accounts}", accounts, 5_000)
        command = (str(BIN / "keyaudit"), "check", str(folder), "--policy", "cis", "--as-of", AS_OF)
        bar = "at most 10 s, 600 MiB; aim 4 s" if accounts == 200 else ""
        show(f"keyaudit check, {accounts * 5_000:,} rows in {accounts} reports", run(*command, cwd=work), bar)


def verify(work: Path) -> None:
    """How many folders ``keyaudit verify`` gets through in a second."""
    subprocess.run([str(BIN / "keyaudit"), "demo", "-o", "demo"], cwd=work, check=True, capture_output=True)
    first = next(path for path in (work / "demo").iterdir() if path.is_dir())
    year = [shutil.copytree(first, work / "year" / f"{number:03}") for number in range(200)]
    whole = run(str(BIN / "keyaudit"), "verify", *map(str, year), cwd=work)
    one = run(str(BIN / "keyaudit"), "verify", str(year[0]), cwd=work)
    show("keyaudit verify, 200 folders of the sample", whole)
    print(f"{'  folders a second':<58} {199 / (whole.wall - one.wall):8.0f}")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
