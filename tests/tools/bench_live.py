"""Speed against live AWS, emulated: calls, CPU and latency (part of ``make bench``; alone: run this file)."""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bench_custodian as custodian
import bench_prowler as prowler
from bench_emulator import ACCOUNTS, MEMBER_USERS, USERS, Emulator, emulator
from bench_measure import BIN, RUNS, Run, figure, head, median, ratio, show

FEW = 50
JOBS = 32
RATE = 400  # calls a second for an account: the default of --max-rate
MOST_CALLS = 6
#: of the time that the calls take in series: one account's, which are begun at most so fast, and many accounts'
SPREAD, SPREAD_MANY = 1 / 6, 1 / 16
CHECK = (str(BIN / "keyaudit"), "check", "--policy", "cis", "--deadline", "900")
VERDICT = (*CHECK, "--reconcile", "off")


def live() -> None:
    """Measure, and print the lines of the table."""
    work = Path(tempfile.mkdtemp(prefix="keyaudit-bench-live-"))
    try:
        with emulator() as aws:
            verdict(aws, work)
            reconcile(aws, work)
            organization(aws, work)
    finally:
        shutil.rmtree(work)


def verdict(aws: Emulator, work: Path) -> None:
    """The verdict on one account, beside Cloud Custodian and Prowler on the same emulator: cost, and the keys found."""
    aws.measure("one", 0, *VERDICT, "-f", "json", cwd=work, output=work / "ours.json")
    ours = json.loads((work / "ours.json").read_text())
    mine = beside_custodian(aws, work, ours)
    beside_prowler(aws, work, ours, mine)


def beside_custodian(aws: Emulator, work: Path, ours: dict[str, Any]) -> Run:
    """In turns with Cloud Custodian, where that could be installed; what keyaudit took."""
    output, captures = work / "c7n", work / "reports"
    program = custodian.install()
    theirs_command = custodian.command(program, work / "policy.json", output)
    if program:
        aws.measure("one", 0, *theirs_command, cwd=work)
    mine, theirs = [], []
    for _ in range(RUNS):
        shutil.rmtree(captures)
        mine.append(aws.measure("one", 0, *VERDICT, cwd=work))
        if program:
            shutil.rmtree(output)
            theirs.append(aws.measure("one", 0, *theirs_command, cwd=work))
    one, calls = median([one for one, _ in mine]), max(seen["calls"] for _, seen in mine)
    bar = f"{calls} calls; at most {MOST_CALLS}"
    show(f"keyaudit check, live, {USERS:,} users, reconcile off", one, bar, calls <= MOST_CALLS)
    if not program:
        print("Cloud Custodian: not measured, it could not be installed  NOT MET")
        return one
    other = median([one for one, _ in theirs])
    show(f"Cloud Custodian {custodian.VERSION}, the same keys", other, f"{theirs[-1][1]['calls']:,} calls")
    ratios(one, other)
    custodian.compare(ours, custodian.listed(output), datetime.now(UTC))
    return one


def beside_prowler(aws: Emulator, work: Path, ours: dict[str, Any], mine: Run) -> None:
    """Beside one run of Prowler, where that could be installed: it takes minutes, and nothing was kept for it."""
    program, output = prowler.install(), work / "prowler"
    if not program:
        print("Prowler: not measured, it could not be installed")
        return
    started = datetime.now(UTC)
    other, seen = aws.measure("one", 0, *prowler.command(program, output), cwd=work)
    show(f"Prowler {prowler.VERSION}, the same keys, one run", other, f"{seen['calls']:,} calls")
    ratios(mine, other)
    figure("of the wall time the emulator was busy for", seen["cpu"] / other.wall)
    prowler.compare(ours, prowler.listed(output), started)


def ratios(mine: Run, other: Run) -> None:
    """What keyaudit takes of another tool's time and memory."""
    ratio("ratio of CPU", mine.cpu / other.cpu, 0.2, 0.1)
    ratio("ratio of wall time", mine.wall / other.wall, 1)
    figure("ratio of peak memory", mine.mib / other.mib)


def reconcile(aws: Emulator, work: Path) -> None:
    """Every user's keys listed, with latency: against the calls' latency in series, and the rate kept."""
    command = (*CHECK, "--reconcile", "keys")
    aws.measure("one", 0, *command, cwd=work)
    spread(aws, work, f"keyaudit check, live, {USERS:,} users, reconcile keys", "one", 0.02, command, 1)


def organization(aws: Emulator, work: Path) -> None:
    """Many accounts at once, with latency; and memory, against fewer accounts."""
    some = work / "accounts.txt"
    some.write_text("\n".join(aws.ask(members=FEW)["members"]))
    whole = (*CHECK, "--organization", "--jobs", str(JOBS))
    few = (*CHECK, "--accounts", str(some), "--jobs", str(JOBS))
    aws.measure("many", 0, *whole, cwd=work)
    for mode, runs in (("keys", 1), ("off", RUNS)):
        name = f"of {MEMBER_USERS} users, {JOBS} jobs, reconcile {mode}"
        fewer = spread(aws, work, f"{FEW} accounts {name}", "many", 0.05, (*few, "--reconcile", mode), FEW)
        command = (*whole, "--reconcile", mode)
        more = spread(aws, work, f"{ACCOUNTS} accounts {name}", "many", 0.05, command, ACCOUNTS, runs)
        figure("CPU for a further account, ms", (more.cpu - fewer.cpu) / (ACCOUNTS - FEW) * 1000, digits=0)
        ratio(f"peak memory beside that of {FEW} accounts", more.mib / fewer.mib, 1.25)


def spread(
    aws: Emulator,
    work: Path,
    name: str,
    state: str,
    latency: float,
    command: tuple[str, ...],
    accounts: int,
    runs: int = 1,
) -> Run:
    """Measure a command that spreads its calls, and print by how much; short ones are run more often."""
    taken = []
    for _ in range(runs):
        shutil.rmtree(work / "reports", ignore_errors=True)
        taken.append(aws.measure(state, latency, *command, cwd=work))
        facts = [json.loads(path.read_text()) for path in (work / "reports").rglob("capture.json")]
        if (complete := sum(one["complete"] for one in facts)) != accounts:
            raise SystemExit(f"{name}: {complete} of {accounts} accounts were read in full")
    mine, seen = median([one for one, _ in taken]), taken[-1][1]
    serial = seen["calls"] * latency
    show(name, mine, f"{seen['calls']:,} calls of {latency * 1000:.0f} ms, {serial:.0f} s in series")
    if accounts != FEW:  # those are there for their memory: so few calls are over soon after the start
        if "reconcile off" in name:  # no calls worth spreading: what is left is the work itself
            figure("wall time beside that", mine.wall / serial)
        else:
            ratio("wall time beside that", mine.wall / serial, SPREAD if accounts == 1 else SPREAD_MANY)
        busy = taken[-1][1]["cpu"] / taken[-1][0].wall
        figure("of the wall time the emulator was busy for", busy, "(it is no bottleneck below 0.8)")
    if accounts == 1:
        figure("calls a second", seen["rate"], f"at most {RATE} (--max-rate)", seen["rate"] <= RATE, 0)
        figure("calls answered in the fullest second", seen["most"], "(begun evenly, answered less so)", digits=0)
    return mine


if __name__ == "__main__":
    head()
    live()
