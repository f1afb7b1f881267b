"""Runs that are killed, interrupted or starved: what is left either is finished evidence that verifies or cannot be
taken for it, earlier evidence is as it was, the kernel is gone, and the next run works (DESIGN.md, "Evidence
folder" and the exit codes)."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import ACCOUNT, write
from evidence_helpers import (
    BRIEFLY,
    CHANGING,
    CLEAN,
    FAILING,
    JUDGED,
    POLICY,
    WHOLE,
    digest,
    files,
    keyaudit,
    leftovers,
    made,
    manifest,
    notebook,
    once,
    refused,
    report_on,
    wait_for,
)
from forked import SIGNALLED, Running, forked, server

from keyaudit.evidence.verify import verify

#: what a run executes first so that its files have at most so many bytes, what it says on stderr included
STARVED = """
import atexit, resource
before = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, before[1]))
# at the end, coverage writes what it measured
atexit.register(resource.setrlimit, resource.RLIMIT_FSIZE, before)
"""
#: so that nobody reads what it prints
UNREAD = """
import os
read, written = os.pipe()
os.close(read)
os.dup2(written, 1)
os.dup2(written, 2)
os.close(written)
"""
#: so that what it prints goes to a disk that is full
FULL = "import os\nos.dup2(os.open('/dev/full', os.O_WRONLY), 1)"
#: a time limit for a cell of a second
HURRIED = "from keyaudit.evidence import notebook\nnotebook.CELL_TIMEOUT = 1"
SLEEPS = "import pathlib, time\npathlib.Path('here').touch()\ntime.sleep(120)"
#: all that verify remarks of a run with the brief notebook
FOREIGN = "NOT KEYAUDIT'S NOTEBOOK: brief made its page, which proves nothing beyond the bottom line and the data"
PATIENCE = 60  # seconds for what takes four: the machine may have other work
#: the folder of a run with the brief notebook
FINAL = f"{BRIEFLY}-{ACCOUNT}-2"


@pytest.fixture
def reports(tmp_path, tmp_path_factory) -> Path:
    """A reports folder with earlier evidence in it."""

    def make(folder: Path) -> None:
        write(folder, "report.csv", FAILING)
        write(folder, "policy.toml", POLICY)
        made(*arguments(folder / "reports"), code=1)

    return shutil.copytree(once(tmp_path_factory, "interrupted", make), tmp_path / "in") / "reports"


def arguments(reports: Path, *options: object) -> list[str]:
    folder = reports.parent
    asked = report_on(reports, folder / "report.csv", policy=folder / "policy.toml", options=options)
    return list(map(str, asked))


#: coverage writes its own files and complaints, which a full disk or a signal would mix with ours
UNMEASURED = {name: value for name, value in os.environ.items() if not name.startswith("COV")}


def run(reports: Path, *options: object, first: str = "") -> subprocess.CompletedProcess[bytes]:
    """The command, whose process executes some Python first; killed, with its kernel, if it hangs."""
    return forked(arguments(reports, *options), UNMEASURED, PATIENCE, first=first)


def at_work_in(folder: Path) -> list[int]:
    """The processes whose working directory is in a folder: the kernel, which works in the staging folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str((process / "cwd").readlink()).startswith(f"{folder}/"):
                found.append(int(process.name))
    return found


def at_work_for(run: Running) -> list[int]:
    """What a run has started, and still runs."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            (process / "cwd").readlink()  # one that has ended, and waits to be asked for its exit code, has none
            if os.getsid(int(process.name)) == run.pid != int(process.name):
                found.append(int(process.name))
    return found


def sealed(reports: Path) -> list[Path]:
    return sorted(path.parent for path in reports.rglob("SHA256SUMS"))


def finished(reports: Path) -> list[Path]:
    return [folder for folder in sealed(reports) if not folder.name.startswith(".")]


def assert_sound(reports: Path, before: dict[str, bytes]) -> None:
    """Earlier evidence is as it was, whatever has SHA256SUMS verifies, and no kernel is left."""
    after = files(reports)
    assert {name: after.get(name) for name in before} == before
    assert [(folder.name, verify(folder)[0]) for folder in sealed(reports) if verify(folder)[0]] == []
    names = {path.name for path in reports.iterdir()} - set(CHANGING)
    assert all(re.match(rf"(\.staging-|\.failed-|{BRIEFLY}-{ACCOUNT}(-\d+)?$)", name) for name in names), names
    wait_for(lambda: not at_work_in(reports), 10)


def assert_next_run_works(reports: Path) -> None:
    """A further run is sealed beside what is there, verifies, and points to the newest finished folder."""
    earlier = finished(reports)
    folder = made(*arguments(reports), code=1)
    assert verify(folder) == ([], [FOREIGN]) and folder not in earlier
    assert manifest(folder)["previous"] == digest((earlier[-1] / "SHA256SUMS").read_bytes())


@pytest.fixture
def asleep(reports) -> Iterator[Running]:
    """A run whose notebook is in the middle of a cell that takes two minutes."""
    slow = notebook(reports.parent, "slow", JUDGED, SLEEPS)
    with server().start(arguments(reports, "--notebook", slow), UNMEASURED) as process:
        wait_for(lambda: list(reports.glob(".staging-*/here")), PATIENCE)
        assert len(at_work_in(reports)) == 1
        yield process


# --- killed -------------------------------------------------------------------------------------------------------------

POINTS = [
    ("open", "kernel.log"),
    ("open", "capture.json"),
    ("open", "findings.csv"),
    ("open", "summary.json"),
    ("open", "report.ipynb"),
    ("open", "report.html"),
    ("open", "manifest.json"),
    ("open", "SHA256SUMS"),
    ("os.rename", FINAL),
    ("renamed", FINAL),
]


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("event", "name"), POINTS)
def test_a_killed_run_leaves_finished_evidence_or_nothing_that_looks_like_it_and_the_next_works(
    reports, event, name
):
    before = files(reports)
    done = run(reports, first=SIGNALLED.format(number=signal.SIGKILL.value, event=event, name=name))
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert_sound(reports, before)
    assert len(finished(reports)) == (2 if event == "renamed" else 1)
    if event != "open" or name == "summary.json":
        assert_next_run_works(reports)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_is_killed_in_a_cell_takes_its_kernel_with_it(reports, asleep, number):
    before = {name: content for name, content in files(reports).items() if not name.startswith(".")}
    asleep.send_signal(number)
    assert asleep.ended(PATIENCE).returncode not in (0, 1, 3)
    assert_sound(reports, before)
    assert len(sealed(reports)) == 1


# --- interrupted ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("kernel.log", signal.SIGINT.value),
        ("summary.json", -signal.SIGINT.value),
        ("report.html", signal.SIGINT.value),
        ("SHA256SUMS", -signal.SIGINT.value),
    ],
)
def test_ctrl_c_exits_with_130_and_leaves_nothing(reports, name, number):
    """As a terminal sends it, to the command and its kernel, or to the command alone."""
    before = files(reports)
    done = run(reports, first=SIGNALLED.format(number=number, event="open", name=name))
    assert (done.returncode, done.stderr.strip()) == (130, b"keyaudit: interrupted")
    assert leftovers(reports) == []
    assert_sound(reports, before)
    assert files(reports) == before


@pytest.mark.parametrize("whole_group", [False, True], ids=["process", "group"])
def test_ctrl_c_in_a_cell_exits_with_130_and_leaves_nothing(reports, asleep, whole_group):
    asleep.send_signal(signal.SIGINT, whole_group)
    done = asleep.ended(PATIENCE)
    assert (done.returncode, done.stderr.strip()) == (130, b"keyaudit: interrupted")
    assert leftovers(reports) == [] and len(sealed(reports)) == 1
    wait_for(lambda: not at_work_in(reports), 10)


# --- starved, stuck and shut out ---------------------------------------------------------------------------------------


def test_ctrl_c_ends_also_the_process_that_gets_ready_for_each_account_at_once_and_without_a_word(reports):
    first = SIGNALLED.format(number=-signal.SIGINT, event="open", name="findings.csv")
    with server().start(arguments(reports, "--per-account", "--jobs", 2), UNMEASURED, first=first) as process:
        process.ended(PATIENCE)
        wait_for(lambda: not at_work_for(process), 10)
        done = process.ended(PATIENCE)  # with what the other one said
    assert (done.returncode, done.stderr.strip()) == (130, b"keyaudit: interrupted")


def test_it_does_not_outlive_a_command_that_fails_at_once(reports):
    with server().start(arguments(reports, "--per-account", "--policy", "none.toml"), UNMEASURED) as process:
        assert "none.toml" in refused(process.ended(PATIENCE), 2)
        wait_for(lambda: not at_work_for(process), 1)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("most", [400, 2_000, 20_000, 60_000])
def test_a_disk_that_takes_no_more_exits_with_4_and_leaves_nothing_that_looks_finished(reports, most):
    before = files(reports)
    done = run(reports, *WHOLE, first=STARVED.format(most=most))
    said = refused(done, 4)
    assert "itself failed" not in said
    assert_sound(reports, before)
    assert len(sealed(reports)) == 1


def test_a_kernel_that_dies_is_a_failure_and_not_a_wait_without_end(reports):
    """As when the system runs out of memory."""
    dies = notebook(reports.parent, "dies", JUDGED, "import os\nos._exit(3)")
    said = refused(run(reports, "--notebook", dies), 4)
    assert "dies" in said and len(sealed(reports)) == 1


def test_a_cell_that_takes_longer_than_the_limit_is_a_failure(reports):
    slow = notebook(reports.parent, "slow", JUDGED, SLEEPS)
    said = refused(run(reports, "--notebook", slow, first=HURRIED), 4)
    assert "slow" in said and len(sealed(reports)) == 1
    wait_for(lambda: not at_work_in(reports), 10)


def test_a_kernel_that_cannot_start_is_told_as_such(reports):
    """Whatever is broken in its environment: the reason is in kernel.log, and the command says where."""
    broken = write(reports.parent / "site", "ipykernel/__init__.py", "raise ImportError('broken')\n").parents[1]
    environment = UNMEASURED | {"PYTHONPATH": str(broken)}
    said = refused(keyaudit(*arguments(reports), env=environment, is_fresh=True), 4)
    assert "kernel" in said.replace("kernel.log", "") and "cannot write" not in said
    kept = leftovers(reports)
    assert len(kept) == 1 and "broken" in (reports / kept[0] / "kernel.log").read_text()


@pytest.mark.parametrize("place", ["file", "file/reports", "dangling", "/dev/null/reports"])
def test_a_place_that_takes_no_folder_exits_with_2_and_changes_nothing(tmp_path, place):
    write(tmp_path, "report.csv", CLEAN)
    write(tmp_path, "file", "untouched")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere" / "reports")
    done = keyaudit(*report_on(tmp_path / place, tmp_path / "report.csv"))
    assert done.returncode == 2 and done.stdout == b"" and b"Traceback" not in done.stderr
    assert (tmp_path / "file").read_text() == "untouched"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "file", "report.csv"]


def test_a_reader_that_has_gone_does_not_change_the_exit_code(tmp_path):
    """``keyaudit report ... 2>&1 | head -0``: the evidence is there, and COMPLIANT stays COMPLIANT."""
    write(tmp_path, "report.csv", CLEAN)
    done = keyaudit(*report_on(tmp_path / "reports", tmp_path / "report.csv"), first=UNREAD)
    assert [verify(folder) for folder in finished(tmp_path / "reports")] == [([], [FOREIGN])]
    assert done.returncode == 0


def test_evidence_that_was_made_is_not_denied_because_its_name_could_not_be_printed(tmp_path):
    """4 says that there is no evidence."""
    write(tmp_path, "report.csv", CLEAN)
    done = keyaudit(*report_on(tmp_path / "reports", tmp_path / "report.csv"), first=FULL)
    assert [verify(folder) for folder in finished(tmp_path / "reports")] == [([], [FOREIGN])]
    assert done.returncode == 0
