"""Evidence of 30 accounts by two workers of a cluster that is up, against two processes; and what connecting takes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench_measure import BIN, RUNS, figure, head, median, ratio, run, show
from make_reports import write_population

AS_OF = "2026-11-23T08:00:00Z"
COMMAND = (str(BIN / "keyaudit"), "report", "--policy", "cis", "--as-of", AS_OF)


def cluster(work: Path) -> None:
    """``report --per-account`` on 30 small accounts, and each worker's share of the CPU seconds."""
    folder, file = write_population(work / "thirty", 30, 100), work / "scheduler.json"
    subprocess.run([BIN / "keyaudit", "cluster", "up", "--workers", "2", "--file", file], check=True, stdout=-3)
    try:
        here, there = [], []
        shares: list[float] = []
        one = str(next(folder.iterdir()))
        run(*COMMAND, one, "-o", "warm", "--per-account", "--cluster", str(file), cwd=work)
        for number in range(RUNS):
            here.append(run(*COMMAND, str(folder), "-o", f"h{number}", "--per-account", "--jobs", "2", cwd=work))
            before = _spent(file)
            options = ("-o", f"c{number}", "--per-account", "--cluster", str(file))
            there.append(run(*COMMAND, str(folder), *options, cwd=work))
            spent = [now - then for now, then in zip(_spent(file), before, strict=True)]
            shares.append(spent[0] / sum(spent))
        verified = [str(one) for one in (work / "c0").iterdir() if one.is_dir()]
        command = (str(BIN / "keyaudit"), "verify", *verified)
        alone, shared = (run(*command, *more, cwd=work) for more in (("--jobs", "2"), ("--cluster", str(file))))
    finally:
        subprocess.run([BIN / "keyaudit", "cluster", "down", file], check=True)
    show("keyaudit report --per-account --jobs 2, 31 folders", median(here))
    show("keyaudit report --per-account --cluster, two workers", median(there))
    ratio("ratio of wall time", median(there).wall / median(here).wall, 1.15)
    figure("a worker's share of the work, nearest to all", max(*shares, *(1 - one for one in shares)), "at most 0.65",
           all(0.35 <= one <= 0.65 for one in shares), 2)  # fmt: skip
    show("keyaudit verify --jobs 2, 31 folders", alone)
    show("keyaudit verify --cluster, two workers", shared)


def _spent(file: Path) -> list[float]:
    """The CPU seconds of the tasks that each worker has done."""
    workers = _children(json.loads(file.read_bytes())["process"])
    return [sum(_of_tasks(hand) for hand in _children(worker)) for worker in workers]


def _of_tasks(hand: int) -> float:
    """Those of the children of a process that have ended."""
    fields = Path(f"/proc/{hand}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def _children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task").glob("*/children")
    return sorted(int(one) for name in found for one in name.read_text().split())


if __name__ == "__main__":
    place = Path(tempfile.mkdtemp(prefix="keyaudit-bench-"))
    head()
    try:
        cluster(place)
    finally:
        shutil.rmtree(place)
    sys.exit()
