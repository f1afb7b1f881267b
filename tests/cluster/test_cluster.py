"""A real scheduler and two worker processes over loopback: the same bytes, whoever computed them, and no task left."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aws import MANAGEMENT, Aws, Scenario, add_user, aws, make_organization, report_of  # noqa: F401
from conftest import AS_OF, FRESH, IS_NIGHTLY, OLD, capture, report, write
from evidence_helpers import JUDGED, PARAMETERS, keyaudit, refused, verified, wait_for
from faults import Fault
from forked import server

SOON = 90  # seconds: workers begin slowly where the machine has other work
#: the first of them was not read
ACCOUNTS = tuple(f"10000000000{number}" for number in range(3 if IS_NIGHTLY else 2))


@dataclass
class World:
    """A cluster that is up: its scheduler file, and the AWS that its workers meet."""

    file: Path
    scenario: Scenario
    accounts: list[str]

    @property
    def told(self) -> dict[str, Any]:
        return json.loads(self.file.read_bytes())

    def workers(self) -> list[int]:
        """The processes of its workers."""
        return children(self.told["process"])

    def hands(self) -> list[int]:
        """The processes that fork for each task."""
        return [hand for worker in self.workers() for hand in children(worker)]

    def forks(self) -> list[int]:
        """Tasks that are under way."""
        return [fork for hand in self.hands() for fork in children(hand)]

    def running(self) -> tuple[int, list[int]] | None:
        """A worker in the middle of a notebook, and all processes by which it does that."""
        for worker in self.workers():
            for hand in children(worker):
                for fork in children(hand):
                    if kernels := children(fork):
                        return worker, [hand, fork, *kernels]
        return None


def children(process: int) -> list[int]:
    """The processes that a process has started and that live."""
    try:
        names = Path(f"/proc/{process}/task").glob("*/children")
        found = [int(one) for name in names for one in name.read_text().split()]
    except OSError:
        return []
    return [one for one in found if lives(one)]


def lives(process: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


@contextmanager
def up(file: Path, env: dict[str, str], workers: int = 2) -> Iterator[Path]:
    done = keyaudit("cluster", "up", "--workers", workers, "--file", file, env=env)
    assert (done.returncode, done.stdout.decode(), done.stderr) == (0, f"{file}\n", b"")
    processes = [json.loads(file.read_bytes())["process"]]
    processes += children(processes[0])
    try:
        yield file
    finally:
        done = keyaudit("cluster", "down", file)
        assert (done.returncode, done.stderr) == (0, b"")
    wait_for(lambda: not any(map(lives, processes)), 5)
    assert not list(file.parent.glob(f"*{file.name}*"))


@pytest.fixture(scope="module")
def world(aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:  # noqa: F811
    now = datetime.now(UTC).replace(microsecond=0)
    aws.reset()
    accounts = [MANAGEMENT, *make_organization(3)]
    scenario = aws.scenario()
    for account in accounts:
        keys = [(now - timedelta(days=20), "Active", now - timedelta(days=2))]
        add_user(account, "alice", now - timedelta(days=400), keys, tags={"Owner": "team"})
        scenario.reports[account] = report_of(account, now - timedelta(minutes=1), states=("COMPLETE",))
    folder = tmp_path_factory.mktemp("cluster")
    temporary = folder / "t"
    temporary.mkdir()
    file = folder / "scheduler.json"
    with up(file, scenario.env(TMPDIR=str(temporary))):
        yield World(file, scenario, accounts)
    # of the worker that was killed remains what Dask makes for itself, and nothing of any task
    left = [one for one in temporary.rglob("*") if one.is_file()]
    assert [one for one in left if one.suffix not in (".lock", ".dirlock")] == []


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture of all accounts, of which one was not read."""
    reports: dict[str, Any] = {
        f"a{one}": report(("alice", FRESH), ("bob", OLD), account=one) for one in ACCOUNTS[1:]
    }
    folder = tmp_path_factory.mktemp("population") / "cap"
    return capture(folder, list(ACCOUNTS), **{f"a{ACCOUNTS[0]}": {"problems": ["not read"]}}, **reports)


def given(source: object, reports: Path, *options: object) -> list[object]:
    return ["report", source, "--policy", "cis", "--as-of", AS_OF, "-o", reports, *options]


def compared(first: Path, second: Path, *names: str) -> None:
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_the_same_evidence_of_each_account_also_if_a_worker_is_killed_in_the_middle(
    world: World, population: Path, tmp_path: Path
) -> None:
    reports = tmp_path / "reports"
    arguments = list(map(str, given(population, reports, "--per-account", "--cluster", world.file)))
    with server().start(arguments, dict(os.environ)) as running:
        # the other worker may have begun later, or be done already
        killed, doing = wait_for(world.running, SOON)
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: not any(map(lives, doing)), 5)
        done = running.ended(90)
    assert done.returncode == 1, done.stderr
    folders = [Path(line) for line in done.stdout.decode().splitlines()]
    assert [one.name[-12:] for one in folders[1:]] == list(ACCOUNTS)
    assert [one["name"] for one in map(manifest, folders)] == [one.name for one in folders]
    assert not any("insecure_cluster" in manifest(one) for one in folders)
    for folder in folders[2 if IS_NIGHTLY else -1 :]:
        keyaudit(*given(population / folder.name[-12:], tmp_path / "here"))
        compared(folder, tmp_path / "here" / folder.name, "findings.csv", "summary.json", "report.html")
    assert verified(*folders)[0] == 0
    assert not [one for one in reports.iterdir() if one.name.startswith((".staging", ".failed"))]
    assert world.forks() == []


def manifest(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_bytes())


#: what differs between two captures of the same
VARIES = re.compile(r'\d{4}-\d\d-\d\dT[\d:.]+Z|"inventory_sha256": "\w+"|"(?:request_id|seconds)": [^,\n]+')


def test_the_same_capture_by_the_workers_own_role(world: World, tmp_path: Path) -> None:
    options = ("--organization", "--owner-tag", "Owner", "-o")
    for name, more in (("here", ()), ("there", ("--cluster", world.file))):
        world.scenario.calls.clear()
        done = keyaudit("capture", *options, tmp_path / name, *more, env=world.scenario.env())
        assert done.returncode == 0, done.stderr
    for account in world.accounts:
        here, there = tmp_path / "here" / account, tmp_path / "there" / account
        names = sorted(one.name for one in here.iterdir())
        assert names == sorted(one.name for one in there.iterdir())
        for name in names:
            told = [sorted(VARIES.sub("", (one / name).read_text()).splitlines()) for one in (here, there)]
            assert told[0] == told[1], name
            assert (there / name).stat().st_mode & 0o777 == 0o600
    again = keyaudit(*("capture", *options, tmp_path / "there", "--cluster", world.file), env=world.scenario.env())
    assert "nothing missing" in refused(again, 2)


def test_ctrl_c_leaves_no_task_behind(world: World, tmp_path: Path) -> None:
    cap = tmp_path / "cap"
    arguments = ["capture", "--organization", "-o", str(cap), "--cluster", str(world.file)]
    world.scenario.calls.clear()
    world.scenario.faults = [Fault("GenerateCredentialReport", "stall", account=one) for one in world.accounts[1:]]
    try:
        with server().start(arguments, world.scenario.env()) as running:
            wait_for(lambda: world.scenario.operations.count("GenerateCredentialReport") >= 2, SOON)
            running.send_signal(signal.SIGINT)
            wait_for(lambda: not world.forks(), 2)
            done = running.ended(20)
    finally:
        world.scenario.faults = []
    assert (done.returncode, done.stderr.decode().splitlines()[-1]) == (130, "keyaudit: interrupted")
    assert [one.name for one in cap.iterdir() if one.is_dir()] in ([], [MANAGEMENT])


@pytest.mark.sampled(0)  # the same, dearer: for a nightly run
def test_ctrl_c_leaves_no_notebook_running(world: World, population: Path, tmp_path: Path) -> None:
    waits = "import time\ntime.sleep(0 if len(a.accounts) > 1 else 60)"
    notebook = tmp_path / "slow.ipynb"
    notebook.write_text(json.dumps(notebook_of([("parameters", PARAMETERS), ("", JUDGED), ("", waits)])))
    options = ("--per-account", "--notebook", notebook, "--cluster", world.file)
    arguments = list(map(str, given(population, tmp_path / "reports", *options)))
    with server().start(arguments, dict(os.environ)) as running:
        wait_for(lambda: world.forks() and not [one for one in world.forks() if not children(one)], SOON)
        kernels = [kernel for fork in world.forks() for kernel in children(fork)]
        running.send_signal(signal.SIGINT)
        wait_for(lambda: not any(map(lives, [*world.forks(), *kernels])), 2)
        done = running.ended(20)
    assert (done.returncode, done.stderr.decode().splitlines()[-1]) == (130, "keyaudit: interrupted")
    (whole,) = done.stdout.decode().splitlines()
    assert [one.name for one in (tmp_path / "reports").iterdir() if one.name != ".lock"] == [Path(whole).name]


@pytest.mark.sampled(0)  # it waits for ten seconds: for a nightly run
def test_a_scheduler_without_workers_is_one_line(tmp_path: Path) -> None:
    with up(tmp_path / "scheduler.json", {**os.environ, "TMPDIR": str(tmp_path)}, workers=1) as file:
        again = keyaudit("cluster", "up", "--file", file)
        assert (again.returncode, again.stdout.decode()) == (0, f"{file}\n") and b"up already" in again.stderr
        (worker,) = children(json.loads(file.read_bytes())["process"])
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: not lives(worker), SOON)
        assert "the scheduler has no worker; start some" in refused(
            keyaudit("verify", tmp_path, "--cluster", file), 2
        )


@pytest.mark.sampled(0)  # the same, dearer: for a nightly run
def test_tls_by_options_and_by_dasks_own_configuration(tmp_path: Path) -> None:
    released = Path(__file__).resolve().parents[1] / "data" / "evidence"
    folder = sorted(one for one in released.iterdir() if one.is_dir())[0]
    script = Path(__file__).with_name("tls_cluster.py")
    with subprocess.Popen([sys.executable, script, tmp_path], stdout=subprocess.PIPE, text=True) as process:
        try:
            address = process.stdout.readline().strip()
            assert address.startswith("tls://")
            files = [tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem")]
            options = zip(("--tls-ca-file", "--tls-cert", "--tls-key"), files, strict=True)
            given = [word for pair in options for word in pair]
            names = ("CA_FILE", "CLIENT__CERT", "CLIENT__KEY")
            own = {
                f"DASK_DISTRIBUTED__COMM__TLS__{name}": str(file) for name, file in zip(names, files, strict=True)
            }
            asked = ("verify", folder, "--cluster", address)
            here = keyaudit("verify", folder)
            for there in (keyaudit(*asked, *given), keyaudit(*asked, env={**os.environ, **own})):
                assert (there.returncode, there.stdout, there.stderr) == (here.returncode, here.stdout, here.stderr)
            assert "TLS cannot be used" in refused(keyaudit(*asked, is_fresh=True), 2)
            plain = address.replace("tls:", "tcp:")
            assert "no scheduler answers" in refused(
                keyaudit("verify", folder, "--cluster", plain, is_fresh=True), 2
            )
        finally:
            process.kill()


def notebook_of(cells: list[tuple[str, str]]) -> dict[str, Any]:
    made = [
        {"cell_type": "code", "metadata": {"tags": [tag] if tag else []}, "source": source, "outputs": []}
        | {"execution_count": None, "id": f"cell-{number}"}
        for number, (tag, source) in enumerate(cells)
    ]
    about = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return {"cells": made, "metadata": about, "nbformat": 4, "nbformat_minor": 5}


def test_verify_says_the_same(world: World, tmp_path: Path) -> None:
    released = Path(__file__).resolve().parents[1] / "data" / "evidence"
    sample = next(one for one in (released.parents[2] / "reports" / "sample").iterdir() if one.is_dir())
    folders = [sample, *sorted(released.iterdir())[: None if IS_NIGHTLY else 1], tmp_path / "none"]
    changed = tmp_path / sample.name
    subprocess.run(["cp", "-r", sample, changed], check=True)
    write(changed, "report.html", b"other")
    (tmp_path / "odd").mkdir()
    odd = tmp_path / "odd" / sample.name
    subprocess.run(["cp", "-r", sample, odd], check=True)
    (odd / "link").symlink_to("report.html")
    asked = ["verify", *folders, changed, odd]
    here, there = keyaudit(*asked), keyaudit(*asked, "--cluster", world.file)
    assert here.stdout.count(b"\n") > len(asked) - 2 and here.returncode == 2
    assert (there.returncode, there.stdout, there.stderr) == (here.returncode, here.stdout, here.stderr)
    jobs = keyaudit(*asked, "--jobs", 2)
    assert (jobs.returncode, jobs.stdout, jobs.stderr) == (here.returncode, here.stdout, here.stderr)


@pytest.mark.parametrize(
    ("version", "is_spilling", "said"),
    [
        ("0.0.1", "no", "the worker stranger (tcp://127.0.0.1:{}) has keyaudit 0.0.1, and this is keyaudit"),
        (
            "",
            "yes",
            "the worker stranger (tcp://127.0.0.1:{}) may write to its disk what it is given; start it with",
        ),
    ],
)
def test_a_worker_that_must_not_be_used_is_refused_by_its_name(
    world: World, tmp_path: Path, version: str, is_spilling: str, said: str
) -> None:
    script = Path(__file__).with_name("strange_worker.py")
    command = [sys.executable, script, world.told["address"], "stranger", version, is_spilling]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=tmp_path) as process:
        try:
            assert process.stdout.readline() == b"up\n"
            line = refused(keyaudit("verify", tmp_path, "--cluster", world.file), 2)
        finally:
            process.kill()
    first, last = said.split("{}")
    assert first in line and last in line
