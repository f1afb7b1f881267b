"""What else lies in a reports folder, who else uses the machine, and how a run is started: none of it decides a run's
exit code, and none of it reads as a verdict."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import pty
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import ACCOUNT, AS_OF, FRESH, capture, report, write
from evidence_helpers import (
    BRIEF,
    COMMAND,
    LONG,
    NAME,
    PROCESS_DEADLINE,
    SECRET,
    failing,
    keyaudit,
    leftovers,
    made,
    manifest,
    refused,
    report_on,
    seal_again,
    verified,
)
from filelock import FileLock
from forms import cli_json

from keyaudit.evidence.index import render
from keyaudit.export.tabular import table_csv
from keyaudit.files import ABANDONED, held, make_staging, sweep
from keyaudit.rotation.users import plain
from keyaudit.texts import line

CLEAN = report(("alice", FRESH))


@pytest.fixture
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return failing(tmp_path_factory)


# --- other folders ------------------------------------------------------------------------------------------------
def hostile(folder: Path, evidence: Path) -> None:
    """Whatever may stand in a manifest's place, each in a folder of its own that looks finished."""
    told = manifest(evidence)
    manifests: dict[str, object] = {
        "deep": "[" * 100_000,
        "deep-in": '{"previous": ' + "[" * 100_000,
        "empty": "",
        "list": [],
        "number": 7,
        "text": "previous",
        "nothing": {},
        "bytes": b"\xff\xfe",
        "no-day": told | {"as_of": "2026-02-31T00:00:00Z"},
        "no-zone": told | {"sealed_at": "2026-02-01T00:00:00"},
        "no-time": told | {"started_at": None},
        "far": told | {"sealed_at": "9999-12-31T23:59:59-23:59"},
        "before": told | {"as_of": "0001-01-01T00:00:00+23:59"},
        "long": told | {"overdue": "9" * 5000},
        "huge": '{"previous": null, "overdue": 1e999, "sample": NaN}',
        "accounts": told | {"accounts": 3},
        "account": told | {"accounts": {"expected": 3, "read": {}, "failed": None}},
        "chain": told | {"previous": ["x"]},
        "notebook": told | {"notebook": "\x1b[2J"},
        "policy": told | {"policy": {"sha256": 1}},
        "newer": told | {"format": 99},
    }
    for name, content in manifests.items():
        place = folder / f"2026-11-23T000000Z-{name}"
        shutil.copytree(evidence, place)
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        write(place, "manifest.json", text)
    for name, make in (("fifo", os.mkfifo), ("dir", os.mkdir)):
        place = folder / f"2026-11-23T000000Z-{name}"
        shutil.copytree(evidence, place)
        (place / "manifest.json").unlink()
        make(place / "manifest.json")
    odd = os.fsdecode(b"2026-11-23T000000Z-\xff\xfe\x1b[31m")
    shutil.copytree(evidence, folder / odd)
    (folder / "2026-11-23T000000Z-link").symlink_to(evidence)
    (folder / "2026-11-23T000000Z-nowhere").symlink_to(folder / "nowhere")
    (folder / ".failed-2026-02-31T000000Z-key_rotation-0123456789ab").mkdir()
    os.mkfifo(folder / "pipe")


def test_no_neighbour_decides_the_exit_code_of_a_run_or_of_a_series(tmp_path: Path, evidence: Path) -> None:
    reports = tmp_path / "reports"
    hostile(reports, evidence)
    write(tmp_path, "report.csv", CLEAN)
    folder = made(*report_on(reports, tmp_path / "report.csv"), code=0)
    assert verified(folder)[0] == 0
    page = (reports / "index.html").read_bytes()
    assert folder.name.encode() in page and b"\x1b" not in page and page == render(reports)
    said = keyaudit("series", reports, "--every", "week")
    assert said.returncode == 1 and b"Traceback" not in said.stderr and b"\x1b" not in said.stdout + said.stderr
    # nor is it that nothing was looked at: each that cannot be read is named
    assert b"2026-11-23T000000Z-deep" in said.stdout and b"2026-11-23T000000Z-no-day" in said.stdout


def test_one_folder_that_cannot_be_verified_does_not_end_the_others(tmp_path: Path, evidence: Path) -> None:
    reports = tmp_path / "reports"
    hostile(reports, evidence)
    shutil.copytree(evidence, reports / evidence.name)
    done = keyaudit("verify", reports)
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 2 and f"OK  {reports / evidence.name}" in lines
    assert sum(line.startswith("WRONG  ") for line in lines) >= 20 and b"\x1b" not in done.stdout + done.stderr
    assert b"Traceback" not in done.stderr and b"upgrade keyaudit" in done.stderr


def test_verify_takes_a_reports_folder_and_everything_that_a_shell_finds_in_one(
    tmp_path: Path, evidence: Path
) -> None:
    reports = tmp_path / "reports"
    for name in ("demo", "b"):
        shutil.copytree(evidence, reports / name / evidence.name)
    shutil.copytree(evidence, reports / evidence.name)
    (reports / "captures" / "2026-11-23T000000Z-111122223333").mkdir(parents=True)
    write(reports, "index.html", "<html></html>")
    write(reports, "README.md", "# Reports")  # of a checkout
    for named, number in (([reports], 3), ([reports / "demo"], 1), (sorted(reports.iterdir()), 3)):
        code, told = verified(*named)
        assert (code, told.count("OK  ")) == (0, number), told
    (reports / "b" / evidence.name / "findings.csv").write_text("changed")
    code, told = verified(*sorted(reports.iterdir()))
    assert (code, told.count("OK  "), told.count("WRONG  ")) == (1, 2, 1)
    refused(keyaudit("verify", reports / "captures"), 2)


def test_a_folder_under_another_name_is_a_prominent_remark(tmp_path: Path, evidence: Path) -> None:
    """It counted for the account in whose name it was put."""
    place = tmp_path / "reports" / evidence.name.replace(ACCOUNT, "444455556666")
    shutil.copytree(evidence, place)
    code, told = verified(place)
    assert code == 0 and f"  ANOTHER NAME: this is the evidence that was sealed as {evidence.name}" in told
    done = keyaudit("series", place.parent, "--every", "week")
    assert b"444455556666" not in done.stdout.replace(place.name.encode(), b"")


# --- what killed runs left ------------------------------------------------------------------------------------------
def aged(path: Path, days: float) -> Path:
    moment = time.time() - days * 86400
    os.utime(path, (moment, moment))
    return path


def test_what_a_killed_run_left_a_day_ago_is_removed_and_nothing_else(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    left, young, busy = (make_staging(reports) for _ in range(3))
    for path in (left, young, busy):
        write(path, "findings.csv", "x")
    write(reports, f"{left.name}.lock", "")
    write(reports, ".staging-gone.lock", "")
    others = [
        reports / name for name in (".failed-x", ".run-0123.lock", "2026-11-23T000000Z-key_rotation-x", ".lock")
    ]
    for path in others:
        path.mkdir()
    (reports / ".staging-link").symlink_to(others[0])
    for path in (left, busy, reports / ".staging-gone.lock", *others):
        aged(path, 1.01)
    aged(young, ABANDONED / 86400 - 0.01)
    with held(busy):
        aged(busy, 2)
        sweep(reports)
        assert not left.exists() and not (reports / f"{left.name}.lock").exists()
        assert not (reports / ".staging-gone.lock").exists()
        assert all(path.exists() for path in (young, busy, *others))
    sweep(reports)  # whoever held it is done, or dead
    assert not busy.exists() and young.exists() and (reports / ".staging-link").is_symlink()


def test_the_next_run_removes_what_is_left_and_what_cannot_be_removed_decides_nothing(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    left = make_staging(reports)
    write(left / "raw", "report.csv", "x")
    aged(left, 2)
    write(tmp_path, "report.csv", CLEAN)
    made(*report_on(reports, tmp_path / "report.csv"), code=0)
    assert leftovers(reports) == []
    held_by_another = aged(make_staging(reports), 2)
    with FileLock(f"{held_by_another}.lock"):
        made(*report_on(reports, tmp_path / "report.csv"), code=0)
    assert held_by_another.is_dir()


# --- other users, other settings ------------------------------------------------------------------------------------
@pytest.mark.parametrize("umask", ["000", "077"])
def test_modes_are_the_same_whatever_the_umask(tmp_path: Path, umask: str) -> None:
    write(tmp_path, "report.csv", CLEAN)
    arguments = report_on(tmp_path / "reports", tmp_path / "report.csv")
    done = keyaudit(*arguments, first=f"import os; os.umask(0o{umask})")
    assert done.returncode == 0, done.stderr
    for path in (tmp_path / "reports", *(tmp_path / "reports").rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Path]:
    """A reports folder that another user's run has made: of root, or with a lock that nobody but its owner opens."""
    write(tmp_path, "report.csv", CLEAN)
    made(*report_on(tmp_path / "reports", tmp_path / "report.csv"), code=0)
    yield tmp_path / "reports"


def test_of_a_file_of_another_user_it_is_said_which_whose_and_what_to_do(theirs: Path, tmp_path: Path) -> None:
    """Once run by root, then by the service account: a plain 'Permission denied' helps nobody."""
    (theirs / ".lock").chmod(0)
    done = without_powers(*report_on(theirs, tmp_path / "report.csv"))
    told = done.stderr.decode().splitlines()[-1]
    assert done.returncode == 4 and f"{theirs / '.lock'}: Permission denied" in told, done.stderr
    owner = (theirs / ".lock").owner()
    assert f"belongs to {owner}: run keyaudit as {owner}, or give {theirs} to the user of this run (chown" in told


#: root is refused nothing, unless it lays down what makes it so; whoever else runs this is refused anyway
LESS = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if os.geteuid() == 0:
    class Header(ctypes.Structure):
        _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]
    class Data(ctypes.Structure):
        _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]
    assert libc.capset(ctypes.byref(Header(0x20080522, 0)), ctypes.byref((Data * 2)())) == 0
"""


def without_powers(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    return keyaudit(*arguments, cwd=cwd, first=LESS)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["verify", "CLOSED"], 1),
        (["verify", "CLOSED/in"], 2),
        (["series", "CLOSED", "--every", "week"], 2),
        (["series", "CLOSED/in", "--every", "week"], 2),
        (["report", "r.csv", "-o", "CLOSED"], 2),
        (["demo", "-o", "CLOSED"], 2),
        (["check", "CLOSED"], 2),
        (["check", "CLOSED/in"], 2),
        (["check", "CLOSED.csv"], 2),
        (["check", "."], 2),
        (["rotation", "plan", "CLOSED"], 2),
        (["check", "r.csv", "--policy", "CLOSED.csv"], 2),
        (["capture", "--accounts", "CLOSED.csv"], 2),
        (["schedule", "cron", "r.csv", "--every", "week", "--policy", "cis", "--into", "CLOSED"], 2),
        (["lab", "--notebooks", "CLOSED"], 2),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_of_what_a_command_may_not_read_it_says_which_whose_and_what_to_do(
    tmp_path: Path, words: list[str], code: int
) -> None:
    """Not only that a path is not readable."""
    write(tmp_path, "r.csv", CLEAN)
    write(tmp_path, "CLOSED.csv", CLEAN)
    (tmp_path / "CLOSED").mkdir()
    for name in ("CLOSED", "CLOSED.csv"):
        (tmp_path / name).chmod(0)
    done = without_powers(*words, cwd=tmp_path)
    (tmp_path / "CLOSED").chmod(0o700)
    told = (done.stdout + done.stderr).decode()
    named = "CLOSED.csv" if "CLOSED.csv" in words else "CLOSED"
    assert done.returncode == code, told
    assert (
        "Permission denied" in told and f"{named} belongs to {(tmp_path / named).owner()}: run keyaudit as" in told
    )


# --- closed and full descriptors --------------------------------------------------------------------------------------
FAILS = report(("bob", "true 2020-01-01T00:00:00Z N/A"))


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("content", "code", "closed"),
    [
        *((FAILS, 1, closed) for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full", "2>/dev/full")),
        (CLEAN, 0, ">&- 2>&-"),
        ("x", 2, ">&- 2>&-"),
    ],
)
def test_the_exit_code_is_the_verdict_whatever_is_closed_or_full(
    tmp_path: Path, content: str, code: int, closed: str
) -> None:
    path = write(tmp_path, "report.csv", content)
    words = [*COMMAND, "check", str(path), "--policy", "cis", "--as-of", "2026-11-23T00:00:00Z"]
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *words],
        capture_output=True,
        timeout=PROCESS_DEADLINE,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert path.read_text() == content and b"Traceback" not in done.stderr


def test_a_report_with_everything_closed_leaves_evidence_that_verifies(tmp_path: Path) -> None:
    """The first file that is opened must not take the place of what is said."""
    path = write(tmp_path, "report.csv", CLEAN)
    words = [*COMMAND, *map(str, report_on(tmp_path / "reports", path))]
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *words], timeout=PROCESS_DEADLINE, check=False
    )
    assert done.returncode == 0
    (folder,) = (one for one in (tmp_path / "reports").iterdir() if one.is_dir())
    assert verified(folder)[0] == 0


def test_a_broken_installation_is_no_verdict(tmp_path: Path) -> None:
    """Python's own exit code of a failed import is 1."""
    write(tmp_path / "pandas", "__init__.py", "raise ImportError('a library is missing')")
    path = write(tmp_path, "report.csv", CLEAN)
    done = subprocess.run(
        [*COMMAND, "check", str(path), "--policy", "cis"],
        capture_output=True,
        timeout=PROCESS_DEADLINE,
        check=False,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 4 and done.stdout == b"" and b"Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1 and len(done.stderr.split()) > 3  # a reason, always


# --- clocks -----------------------------------------------------------------------------------------------------------
def test_a_clock_that_is_set_back_breaks_no_chain(tmp_path: Path) -> None:
    """Forty seconds, as time servers do it: links tell the order."""
    write(tmp_path, "report.csv", CLEAN)
    reports, now = tmp_path / "reports", datetime.now(UTC)
    for shift in (0, -40, -20):
        at = (now + timedelta(seconds=shift)).timestamp()
        done = keyaudit_at(at, "report", tmp_path / "report.csv", "--policy", "cis", "-o", reports, *BRIEF)
        assert done.returncode in (0, 3), done.stderr
    said = keyaudit("series", reports, "--every", "day")
    assert b"broken" not in said.stdout and said.returncode in (0, 3), said.stdout + said.stderr


def keyaudit_at(moment: float, *arguments: object) -> subprocess.CompletedProcess[bytes]:
    from forked import forked

    return forked(list(map(str, arguments)), dict(os.environ), PROCESS_DEADLINE, at=moment)


def test_evidence_that_was_sealed_before_it_was_begun_is_no_reason_to_fail(tmp_path: Path, evidence: Path) -> None:
    place = tmp_path / "reports" / evidence.name
    shutil.copytree(evidence, place)
    seal_again(place, sealed_at="2026-01-01T00:00:00Z")
    assert keyaudit("series", place.parent, "--every", "week").returncode in (1, 3)


def test_evidence_that_was_changed_is_followed_by_nobody(tmp_path: Path) -> None:
    write(tmp_path, "report.csv", CLEAN)
    reports = tmp_path / "reports"
    first = made(*report_on(reports, tmp_path / "report.csv"), code=0)
    head = hashlib.sha256((first / "SHA256SUMS").read_bytes()).hexdigest()
    for name, changes in (("a", {"sealed_at": "zzz"}), ("b", {"sealed_at": "2099-01-01T00:00:00Z"})):
        copy = shutil.copytree(first, reports / f"{first.name}-{name}")
        told = manifest(copy) | changes
        write(copy, "manifest.json", json.dumps(told))  # and not sealed again
    assert manifest(made(*report_on(reports, tmp_path / "report.csv"), code=0))["previous"] == head


def test_a_neighbour_that_cannot_be_looked_into_is_said_and_decides_nothing(theirs: Path, tmp_path: Path) -> None:
    (folder,) = (one for one in theirs.iterdir() if one.is_dir())
    folder.chmod(0)
    done = without_powers(
        "report", tmp_path / "report.csv", "--policy", "cis", "--as-of", AS_OF, "-o", theirs, *BRIEF
    )
    folder.chmod(0o700)
    assert done.returncode == 0, done.stderr
    assert f"could not be looked into, so that the chain may leave it out: {folder}" in done.stderr.decode()


def test_evidence_that_cannot_be_looked_into_is_a_fault_and_never_forgotten(theirs: Path, tmp_path: Path) -> None:
    """A series that said nothing of the folder of another user was whole."""
    (folder,) = (one for one in theirs.iterdir() if one.is_dir())
    for name in ("captures", "lost+found"):
        (theirs / name).mkdir(mode=0)
    made("report", tmp_path / "report.csv", "--policy", "cis", "-o", theirs, *BRIEF, code=0)
    assert keyaudit("series", theirs, "--every", LONG).returncode == 0
    assert without_powers("series", theirs, "--every", LONG).returncode == 0
    folder.chmod(0)
    asked = ["report", tmp_path / "report.csv", "--policy", "cis", "-o", theirs, *BRIEF, "--every", LONG, "--again"]
    forms = [without_powers("series", theirs, "--every", LONG, "-f", form) for form in ("table", "json", "csv")]
    checked, again = without_powers("verify", theirs), without_powers(*asked)
    found = without_powers(*asked[:-1])
    page = (theirs / "index.html").read_text(encoding="utf-8")
    folder.chmod(0o700)
    whose = f"{folder} belongs to {folder.owner()}: run keyaudit as {folder.owner()}"
    for done in forms:
        assert done.returncode == 1, done.stderr
        assert f"{folder.name}: cannot be read" in (told := (done.stdout + done.stderr).decode()) and whose in told
    assert checked.returncode == 1 and f"WRONG  {folder}" in checked.stdout.decode()
    assert whose in checked.stdout.decode() and whose in page.replace("&#39;", "'")
    for done in (again, found):
        # the report tells no time: the folder that was not read may have the same one
        assert done.returncode == 0, done.stderr
        assert "was not seen everywhere" in done.stderr.decode() and whose in done.stderr.decode()


def test_raw_evidence_that_cannot_be_read_may_hold_the_same_undated_file(theirs: Path, tmp_path: Path) -> None:
    first = made("report", tmp_path / "report.csv", "--policy", "cis", "-o", theirs, *BRIEF, code=0)
    asked = ["report", tmp_path / "report.csv", "--policy", "cis", "-o", theirs, *BRIEF, "--every", LONG, "--again"]
    for place in (first / "raw", first / "raw" / ACCOUNT / "capture.json"):
        mode = place.stat().st_mode
        place.chmod(0)
        done = without_powers(*asked)
        place.chmod(mode)
        assert done.returncode == 0 and f"was not seen everywhere: {place}" in done.stderr.decode(), done.stderr


@pytest.mark.parametrize("name", [f"{NAME}-{ACCOUNT}", "audit"])
def test_verify_of_a_reports_folder_names_each_folder_that_it_cannot_look_into(
    tmp_path: Path, evidence: Path, name: str
) -> None:
    shutil.copytree(evidence, tmp_path / "reports" / "demo" / evidence.name)
    closed = tmp_path / "reports" / "prod" / name
    closed.mkdir(parents=True, mode=0)
    done = without_powers("verify", tmp_path / "reports")
    told = done.stdout.decode()
    assert done.returncode == 1 and f"WRONG  {closed}" in told and told.count("OK  ") == 1


# --- what is wrong and no verdict -------------------------------------------------------------------------------------
def test_a_failure_is_no_verdict_also_where_it_is_looked_into(tmp_path: Path) -> None:
    write(tmp_path / "pandas", "__init__.py", "raise RuntimeError('odd')")
    path = write(tmp_path, "report.csv", CLEAN)
    env = os.environ | {"PYTHONPATH": str(tmp_path), "KEYAUDIT_DEBUG": "1"}
    done = subprocess.run(
        [*COMMAND, "check", str(path), "--policy", "cis"],
        capture_output=True,
        timeout=PROCESS_DEADLINE,
        check=False,
        env=env,
    )
    assert done.returncode == 4 and b"RuntimeError: odd" in done.stderr


@pytest.mark.parametrize("command", ["check", "report", "verify"])
def test_a_name_that_no_file_can_have_is_wrong_input(command: str) -> None:
    done = keyaudit(command, "x" * 300)
    assert done.returncode == 2 and b"File name too long" in done.stderr


@pytest.mark.parametrize("gap", ["\n", "\t", "\x1b[0m", "\r\n", "\x00"])
def test_a_secret_behind_what_cannot_be_seen_is_masked(gap: str) -> None:
    assert SECRET not in line(f"no such folder: x{gap}{SECRET}{gap}y")


def test_a_secret_in_a_capture_is_in_nothing_that_is_said_or_sealed(tmp_path: Path) -> None:
    told = f"could not read: aws_secret_access_key={SECRET}"
    short = "shortAndSecret"
    call = {"api": "iam:ListUsers", "at": "2026-06-01T00:00:00Z", "retries": 0}
    odd = {
        "problems": [told],
        "remarks": [told],
        "calls": [call, call | {"user": told, "SecretAccessKey": short}],
        "alias": told,
    }
    folder = capture(tmp_path / "cap", [ACCOUNT], a111122223333=CLEAN)
    facts = json.loads((folder / ACCOUNT / "capture.json").read_text())
    write(
        folder / ACCOUNT,
        "capture.json",
        json.dumps(facts | odd | {"caller": told, told: {"more": [told]}, "Password": short}),
    )
    whole = json.loads((folder / "accounts.json").read_text())
    account = {"Id": ACCOUNT, "Name": told, "Status": "ACTIVE"}
    write(folder, "accounts.json", json.dumps(whole | odd | {"listed": [account], "caller": told}))
    done = keyaudit("check", folder, "--policy", "cis", "--as-of", AS_OF)
    assert done.returncode == 3 and SECRET.encode() not in done.stdout + done.stderr
    evidence = made(*report_on(tmp_path / "reports", folder), code=3)
    sealed = [path.read_bytes() for path in evidence.rglob("*") if path.is_file()]
    assert not [one for one in sealed if SECRET.encode() in one or short.encode() in one]
    assert json.loads((evidence / "raw" / ACCOUNT / "capture.json").read_text())["calls"][0] == call
    assert verified(evidence)[0] == 0


def test_a_secret_that_is_written_by_the_codes_of_its_letters_is_not_sealed_either(tmp_path: Path) -> None:
    coded = "".join(f"\\u{ord(letter):04x}" for letter in SECRET)
    folder = capture(tmp_path / "cap", [ACCOUNT], a111122223333=CLEAN)
    facts = json.loads((folder / ACCOUNT / "capture.json").read_text())
    write(folder / ACCOUNT, "capture.json", json.dumps(facts | {"remarks": [SECRET]}).replace(SECRET, coded))
    evidence = made(*report_on(tmp_path / "reports", folder), code=3)
    sealed = [path.read_bytes() for path in evidence.rglob("*") if path.is_file()]
    assert not [one for one in sealed if SECRET.encode() in one or coded.encode() in one]
    assert verified(evidence)[0] == 0


def test_a_secret_beside_a_report_is_not_sealed_with_it(tmp_path: Path) -> None:
    answer = json.loads(cli_json(CLEAN)) | {"Credentials": {"SecretAccessKey": SECRET}}
    path = write(tmp_path, "report.json", json.dumps(answer))
    said = refused(keyaudit(*report_on(tmp_path / "reports", path)), 2)
    assert "looks like a secret beside the report" in said and not (tmp_path / "reports").exists()


def test_names_from_outside_are_shown_so_that_they_can_be_seen_on_a_terminal(tmp_path: Path) -> None:
    """To a program they are what they are."""
    name = "zz\x1b[2K\nOK  everything is fine"
    main, terminal = pty.openpty()
    program = "from keyaudit.cli.common import write_names; import sys; write_names([sys.argv[1]])"
    for out in (terminal, subprocess.PIPE):
        done = subprocess.run(
            [sys.executable, "-c", program, name], stdout=out, timeout=PROCESS_DEADLINE, check=True
        )
    os.close(terminal)
    shown = os.read(main, 1000)
    os.close(main)
    assert b"\x1b" not in shown and shown.count(b"\n") == 1
    assert done.stdout == b"zz\x1b[2K\\nOK  everything is fine\n"


# --- spreadsheets -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "＝", "＋", "－", "＠", "\u200b=", " =", "−", "\ufe66"]
)
def test_what_a_spreadsheet_would_run_is_neutralised_and_read_back_as_it_was(start: str) -> None:
    cell = f'{start}HYPERLINK("http://example.com")'
    ((read,),) = csv.reader(io.StringIO(table_csv(["user"], [[cell]]).decode().partition("\n")[2]))
    assert read == f"'{cell}" and plain(read) == cell
    assert plain("'alice") == "'alice" and plain("alice") == "alice"
