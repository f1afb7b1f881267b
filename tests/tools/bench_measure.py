"""What every benchmark needs: run a whole command, and print what it took beside the bar."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parents[2]
RUNS = 3


@dataclass
class Run:
    """One run of a command: seconds on the wall and of CPU (children included), and peak MiB of one process."""

    wall: float
    cpu: float
    mib: float


#: a small process that starts a command and tells what it took. Linux counts the memory of whoever starts a command
#: among the command's own, so that nothing would seem smaller than this process has ever been
LAUNCH = """
import os, sys, time
before = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ), 0)
taken = time.perf_counter() - before, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
os.write(int(sys.argv[1]), " ".join(map(str, (status, *taken))).encode())
"""


def run(*command: str, cwd: Path, env: dict[str, str] | None = None, output: Path | None = None) -> Run:
    """Run a command to its end; its verdict (exit code 0, 1 or 3) does not matter. ``output``: where it goes to."""
    read, write = os.pipe()
    launch = (sys.executable, "-I", "-S", "-c", LAUNCH, str(write), *command)
    with (output or Path(os.devnull)).open("wb") as out, os.fdopen(read) as told:
        subprocess.run(
            launch, cwd=cwd, env=env, stdout=out, stderr=subprocess.DEVNULL, pass_fds=(write,), check=True
        )
        os.close(write)
        status, *taken = told.read().split()
    code = os.waitstatus_to_exitcode(int(status))
    if code not in (0, 1, 3):
        raise SystemExit(f"{' '.join(command)}: exit code {code}")
    return Run(*map(float, taken))


def median(runs: list[Run]) -> Run:
    """Median of each figure."""
    return Run(*(statistics.median(getattr(one, name) for one in runs) for name in ("wall", "cpu", "mib")))


def head() -> None:
    """The head of the table."""
    print(f"{'':<60} {'wall s':>8} {'CPU s':>8} {'MiB':>8}  bar")


def show(name: str, one: Run, bar: str = "", met: bool = True) -> None:
    """One line of the table: a command."""
    print(
        f"{name:<60} {one.wall:8.2f} {one.cpu:8.2f} {one.mib:8.0f}  {bar}{'' if met else '  NOT MET'}", flush=True
    )


def figure(name: str, value: float, bar: str = "", met: bool = True, digits: int = 3) -> None:
    """One line of the table: a figure that follows from the commands above it."""
    print(f"{f'  {name}':<60} {value:8,.{digits}f} {'':>17}  {bar}{'' if met else '  NOT MET'}", flush=True)


def ratio(name: str, value: float, most: float, aim: float | None = None) -> None:
    """A figure that must not be over its bar, and better not over its aim."""
    wish = "" if aim is None else f"; aim {aim:.2f}" if value <= aim else f"; aim {aim:.2f} not met"
    figure(name, value, f"at most {most:.3g}{wish}", value <= most)
