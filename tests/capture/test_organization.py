"""A whole organization: every account complete, or honestly missing; resumed; one evidence folder an account."""

from __future__ import annotations

import csv
import json
import os
import signal
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aws import MANAGEMENT, Aws, add_user, aws, make_organization, report_of, set_account  # noqa: F401
from evidence_helpers import BRIEF, WITHOUT_CHARTS, keyaudit, made, refused, verified
from faults import Fault, Scenario
from forked import server

NOW = datetime.now(UTC).replace(microsecond=0)
ROLE = "KeyAuditReadOnly"


class Organization:
    """A management account and its members, each with one user whose key is in time."""

    def __init__(self, aws: Aws, members: int) -> None:  # noqa: F811
        aws.reset()
        self.members = make_organization(members)
        self.accounts = [MANAGEMENT, *self.members]
        self.scenario: Scenario = aws.scenario(page_size=3)
        for number, account in enumerate(self.accounts):
            add_user(
                account,
                "alice",
                NOW - timedelta(days=400),
                [(NOW - timedelta(days=20), "Active", NOW - timedelta(days=2))],
            )
            age = timedelta(minutes=10 * number + 1)
            self.scenario.reports[account] = report_of(account, NOW - age, states=("COMPLETE",))

    def fault(self, *faults: Fault) -> None:
        self.scenario.faults = list(faults)

    def run(self, *arguments: object) -> Any:
        return keyaudit(*arguments, env=self.scenario.env())

    def capture(self, folder: Path, *options: object, code: int = 0) -> Any:
        done = self.run("capture", "--organization", "-o", folder, *options)
        assert done.returncode == code, done.stderr.decode()
        return done


@pytest.fixture
def organization(aws: Aws) -> Organization:  # noqa: F811
    return Organization(aws, members=6)


def judged(source: Path, code: int) -> dict[str, Any]:
    done = keyaudit("check", source, "--policy", "cis", "-f", "json")
    assert done.returncode == code, done.stderr.decode()
    return json.loads(done.stdout)


def facts(folder: Path, account: str) -> dict[str, Any]:
    return json.loads((folder / account / "capture.json").read_bytes())


def test_every_account_is_read_the_management_account_by_the_callers_own_session(
    organization: Organization, tmp_path: Path
) -> None:
    cap = tmp_path / "cap"
    organization.capture(cap)
    summary = judged(cap, 0)
    assert sorted(one["account_id"] for one in summary["accounts"]) == sorted(organization.accounts)
    callers = {account: facts(cap, account)["caller"] for account in organization.accounts}
    assert callers.pop(MANAGEMENT).endswith(":user/auditor")
    assert all(f"{account}:assumed-role/{ROLE}/keyaudit" in caller for account, caller in callers.items())
    operations = organization.scenario.operations
    assert (operations.count("ListAccounts"), operations.count("AssumeRole")) == (3, 6)
    listed = json.loads((cap / "accounts.json").read_bytes())
    assert [one["Id"] for one in listed["listed"]] == organization.accounts and listed["finished_time"]


def test_accounts_that_are_not_active_are_listed_with_the_reason(
    organization: Organization, tmp_path: Path
) -> None:
    closed = organization.members[2]
    set_account(closed, "SUSPENDED")
    organization.capture(tmp_path / "cap")
    assert closed not in [one["account_id"] for one in judged(tmp_path / "cap", 0)["accounts"]]
    folder = made(
        "report", tmp_path / "cap", "--policy", "cis", "-o", tmp_path / "reports", *WITHOUT_CHARTS, code=0
    )
    page = (folder / "report.html").read_text()
    assert closed in page and "SUSPENDED" in page and "1 account of the organization is not active" in page
    assert "AWS was read between" in page and "a spread of 1 h 00 min 00 s" in page
    assert verified(folder)[0] == 0
    assert json.loads((folder / "raw" / "accounts.json").read_bytes())["listed"]


def test_a_failed_account_never_disappears(organization: Organization, tmp_path: Path) -> None:
    lost, partly = organization.members[1], organization.members[4]
    organization.fault(
        Fault("AssumeRole", "denied", account=lost), Fault("ListAccessKeys", "denied", account=partly)
    )
    done = organization.capture(tmp_path / "cap", code=3)
    assert lost in done.stderr.decode() and partly in done.stderr.decode()
    assert facts(tmp_path / "cap", lost)["file"] is None
    summary = judged(tmp_path / "cap", 3)
    conclusions = {one["account_id"]: one["conclusion"] for one in summary["accounts"]}
    assert [a for a, c in conclusions.items() if c != "COMPLIANT"] == sorted([lost, partly])
    table = keyaudit("check", tmp_path / "cap", "--policy", "cis").stdout.decode()
    answer, *lines = table.splitlines()
    assert answer.startswith("INSUFFICIENT_DATA: ")
    assert "in 6 accounts (1 of the 6 incomplete; 1 more was not read)" in answer
    assert lines[1:3] == [
        f"1 of 7 expected accounts was not read: member-2 ({lost}).",
        f"Of 1 of 7 expected accounts evidence is missing or cannot be relied on: member-5 ({partly}).",
    ]
    folder = made("report", tmp_path / "cap", "--policy", "cis", "-o", tmp_path / "reports", *BRIEF, code=3)
    assert f"1 of 7 expected accounts was not read: member-2 ({lost})." in (folder / "report.html").read_text()
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert manifest["accounts"]["failed"] == [lost] and lost in manifest["accounts"]["expected"]
    assert (folder / "raw" / lost / "capture.json").read_bytes() == (
        tmp_path / "cap" / lost / "capture.json"
    ).read_bytes()
    assert verified(folder)[0] == 0


@pytest.mark.parametrize("kind", ["denied", "malformed", "truncate", "empty"])
def test_an_incomplete_list_of_accounts_is_no_list(organization: Organization, tmp_path: Path, kind: str) -> None:
    organization.fault(Fault("ListAccounts", kind, after=1))  # its first page arrives
    organization.capture(tmp_path / "cap", "--deadline", 20, code=3)
    summary = judged(tmp_path / "cap", 3)
    assert [one["account_id"] for one in summary["accounts"]] == ["organization"]
    assert "organizations:ListAccounts" in summary["accounts"][0]["problems"][0]
    folder = made("report", tmp_path / "cap", "--policy", "cis", "-o", tmp_path / "reports", *BRIEF, code=3)
    assert "which accounts there are is unknown" in (folder / "report.html").read_text()
    assert verified(folder)[0] == 0


def test_accounts_of_a_file(organization: Organization, tmp_path: Path) -> None:
    wanted = organization.members[:2]
    (tmp_path / "ids.txt").write_text(f"# ours\n{wanted[0]}  web\n\n{wanted[1]},data\n")
    done = organization.run("capture", "--accounts", tmp_path / "ids.txt", "-o", tmp_path / "cap")
    assert done.returncode == 0, done.stderr
    assert [one["account_id"] for one in judged(tmp_path / "cap", 0)["accounts"]] == sorted(wanted)
    for text, said in (("12345\n", "line 1"), (f"{wanted[0]}\n{wanted[0]}\n", "line 2"), ("#\n", "no account ids")):
        (tmp_path / "ids.txt").write_text(text)
        assert said in refused(organization.run("capture", "--accounts", tmp_path / "ids.txt"), 2)


def test_a_role_of_the_management_account_is_assumed_first(organization: Organization, tmp_path: Path) -> None:
    arn = f"arn:aws:iam::{MANAGEMENT}:role/audit/Lister"
    organization.capture(tmp_path / "cap", "--role-arn", arn)
    assert organization.scenario.operations[0] == "AssumeRole"
    assert len(judged(tmp_path / "cap", 0)["accounts"]) == 7
    assert "assumed-role/Lister" in facts(tmp_path / "cap", MANAGEMENT)["caller"]


def test_killed_in_the_middle_the_same_command_reads_the_rest(organization: Organization, tmp_path: Path) -> None:
    cap = tmp_path / "cap"
    organization.scenario.latency = 0.1
    arguments = ["capture", "--organization", "--jobs", "1", "-o", str(cap)]
    with server().start(arguments, organization.scenario.env()) as process:
        wait_for(lambda: organization.scenario.operations.count("ListUsers") >= 3)
        process.send_signal(signal.SIGKILL)
    before = {path.name: facts(cap, path.name) for path in cap.iterdir() if (path / "capture.json").is_file()}
    assert 1 <= len(before) < 7 and all(one["complete"] for one in before.values())
    summary = judged(cap, 3)
    assert len([one for one in summary["accounts"] if one["problems"]]) == 7 - len(before)
    organization.scenario.latency = 0
    organization.scenario.calls.clear()
    done = organization.capture(cap)
    assert f"resumed: {len(before)} read before, {7 - len(before)} now" in done.stderr.decode()
    assert organization.scenario.operations.count("GetCredentialReport") == 7 - len(before)
    assert all(facts(cap, account) == found for account, found in before.items())
    assert judged(cap, 0)["conclusion"] == "COMPLIANT"
    assert not [path for path in cap.iterdir() if path.name.startswith(".staging")]


#: to whom a signal is sent: which, the exit code, and what is said
ENDS = {
    "forks": (
        signal.SIGKILL,
        4,
        "cap: the system ended a process that read accounts, or begins no more of them; give ",
    ),
    "command": (signal.SIGKILL, -signal.SIGKILL, ""),
    "all": (signal.SIGINT, 130, "keyaudit: interrupted"),
}


@pytest.mark.parametrize("whom", ENDS)
def test_a_large_organization_is_read_by_forks_and_none_outlives_the_command(
    aws: Aws,  # noqa: F811
    tmp_path: Path,
    whom: str,
) -> None:
    large, cap = Organization(aws, members=8), tmp_path / "cap"
    number, code, said = ENDS[whom]
    large.fault(Fault("ListUsers", "stall", account=large.members[5]))
    with server().start(["capture", "--organization", "-o", str(cap)], large.scenario.env()) as process:
        wait_for(lambda: large.scenario.struck and len(list(cap.glob("[0-9]*/capture.json"))) == 8)
        both = forks_of(process.pid)
        for pid in {"forks": both, "command": [process.pid], "all": [process.pid, *both]}[whom]:
            with suppress(ProcessLookupError):  # the end of one is the end of the others
                os.kill(pid, number)
        done = process.ended(30)
        wait_for(lambda: not forks_of(process.pid))
    assert len(both) == 2 and done.returncode == code and said in done.stderr.decode()
    assert judged(cap, 3)["conclusion"] == "INSUFFICIENT_DATA"
    large.fault()
    again = large.capture(cap)
    assert "resumed: 8 read before, 1 now" in again.stderr.decode() and len(judged(cap, 0)["accounts"]) == 9


def forks_of(pid: int) -> list[int]:
    """The other processes of the session that it began."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, _, _, session = path.read_text().rpartition(")")[2].split()[:4]
            if int(session) == pid != int(path.parent.name) and state != "Z":
                found.append(int(path.parent.name))
    return found


def test_without_a_folder_the_unfinished_capture_is_found_again(organization: Organization, tmp_path: Path) -> None:
    organization.scenario.latency = 0.4  # it must not be done before the interrupt comes, on a busy machine either
    arguments = ["capture", "--organization", "--jobs", "1"]
    with server().start(arguments, organization.scenario.env(), cwd=tmp_path) as process:
        wait_for(lambda: organization.scenario.operations.count("ListUsers") >= 2)
        process.send_signal(signal.SIGINT)
        assert process.ended(60).returncode == 130
    organization.scenario.latency = 0
    for run, folders in ((1, 1), (2, 2)):  # the second begins a new one
        if run == 2:
            time.sleep(1)
        done = keyaudit("capture", "--organization", cwd=tmp_path, env=organization.scenario.env())
        assert done.returncode == 0 and (b"resumed" in done.stderr) is (run == 1)
        assert len(list((tmp_path / "reports" / "captures").iterdir())) == folders


def test_two_captures_into_one_folder_do_not_meet(organization: Organization, tmp_path: Path) -> None:
    organization.scenario.latency = 0.2
    arguments = ["capture", "--organization", "--jobs", "1", "-o", str(tmp_path / "cap")]
    with server().start(arguments, organization.scenario.env()) as first:
        wait_for(lambda: "GenerateCredentialReport" in organization.scenario.operations)
        assert "another capture is writing there" in refused(organization.run(*arguments), 2)
        organization.scenario.latency = 0
        assert first.ended(30).returncode == 0


def test_each_owner_gets_a_folder(organization: Organization, tmp_path: Path) -> None:
    lost = organization.members[0]
    organization.fault(Fault("AssumeRole", "denied", account=lost))
    done = organization.run(
        *("report", "--organization", "--policy", "cis", "-o", tmp_path / "reports", *BRIEF, "--per-account")
    )
    assert done.returncode == 3, done.stderr.decode()
    first, *others = (Path(line) for line in done.stdout.decode().splitlines())
    assert first.name.endswith("-organization")
    assert sorted(path.name[-12:] for path in others) == sorted(organization.accounts)
    conclusions = {p.name[-12:]: json.loads((p / "summary.json").read_bytes())["conclusion"] for p in others}
    assert {a for a, c in conclusions.items() if c == "INSUFFICIENT_DATA"} == {lost}
    rows = csv.DictReader((first / "findings.csv").read_text(encoding="utf-8").splitlines())
    names = {one["account_id"]: one["account_name"] for one in rows}
    assert set(names) == set(organization.accounts) and all(names.values())
    code, said = verified(first, *others)
    assert code == 0, said


def wait_for(happened: Any, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.01)
