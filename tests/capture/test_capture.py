"""``keyaudit capture``, and ``check`` and ``report`` without a SOURCE: one account, over HTTP."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from aws import SECRET_KEY, Aws, add_user, aws, report_of, set_root_keys  # noqa: F401
from conftest import report as report_text
from evidence_helpers import WITHOUT_CHARTS, keyaudit, refused, verified
from faults import Fault, Report, Scenario

from keyaudit import audit as keyaudit_audit
from keyaudit.evidence.verify import verify

NOW = datetime.now(UTC).replace(microsecond=0)
FRESH = NOW - timedelta(days=20)
OLD = NOW - timedelta(days=200)
USED = NOW - timedelta(days=2)


class Account:
    """An account of its own for a test: its scenario, and the ids of its keys."""

    def __init__(self, aws: Aws, number: int) -> None:  # noqa: F811
        self.id = f"7000000{number:05}"
        self.scenario: Scenario = aws.scenario(account=self.id)
        self.keys: list[str] = []

    def user(self, name: str, *keys: tuple[datetime, str], tags: dict[str, str] | None = None) -> None:
        created = NOW - timedelta(days=800)
        self.keys += add_user(self.id, name, created, [(*key, USED) for key in keys], tags)

    def serve(self, age: timedelta = timedelta(minutes=5), **script: Any) -> Report:
        found = report_of(self.id, NOW - age, **script)
        self.scenario.reports[self.id] = found
        return found

    def run(self, *arguments: object, **env: str) -> Any:
        return keyaudit(*arguments, env=self.scenario.env(**env))


@pytest.fixture
def account(aws: Aws, request: pytest.FixtureRequest) -> Account:  # noqa: F811
    """An account with one key in time and an inactive old one, its report five minutes old."""
    made = Account(aws, int(hashlib.sha256(request.node.nodeid.encode()).hexdigest(), 16) % 100_000)
    made.user("alice", (FRESH, "Active"), tags={"Owner": "payments"})
    made.user("bob", (OLD, "Inactive"))
    made.serve()
    return made


def read(folder: Path, name: str = "capture.json") -> dict[str, Any]:
    return json.loads((folder / name).read_bytes())


# --- the folder ------------------------------------------------------------------------------------------------


def test_a_capture_holds_what_aws_sent_and_how_it_was_had(account: Account, tmp_path: Path) -> None:
    done = account.run("capture", "-o", tmp_path / "cap")
    assert (done.returncode, done.stdout.decode()) == (0, f"{tmp_path / 'cap'}\n"), done.stderr
    folder = tmp_path / "cap" / account.id
    assert sorted(p.name for p in folder.iterdir()) == ["capture.json", "credential-report.csv", "inventory.json"]
    served = account.scenario.reports[account.id]
    assert (folder / "credential-report.csv").read_bytes() == served.content
    facts = read(folder)
    assert (facts["account_id"], facts["partition"], facts["alias"]) == (account.id, "aws", None)
    assert facts["caller"] == f"arn:aws:iam::{account.id}:user/auditor"
    assert (facts["generated_time"], facts["problems"]) == (served.generated_time, [])
    assert facts["sha256"] == hashlib.sha256(served.content).hexdigest()
    calls = [*read(tmp_path / "cap", "accounts.json")["calls"], *facts["calls"]]
    assert [one["api"].split(":")[1] for one in calls] == account.scenario.operations
    assert all(one["request_id"] and one["result"] == "ok" and one["retries"] == 0 for one in calls)
    assert {one["user"] for one in calls if "user" in one} == {"alice", "bob"}
    inventory = read(folder, "inventory.json")
    assert [key["AccessKeyId"] for keys in inventory["access_keys"].values() for key in keys] == account.keys
    assert inventory["summary"]["Users"] == 2 and inventory["gone"] == []
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


def test_the_verdict_needs_six_calls_at_most_where_nothing_is_compared(account: Account, tmp_path: Path) -> None:
    done = account.run("check", "--policy", "cis", "--reconcile", "off", "--capture", tmp_path / "cap")
    assert done.returncode == 0, done.stderr
    assert len(account.scenario.calls) <= 6


def test_check_without_a_source_reads_aws_and_leaves_the_evidence(account: Account, tmp_path: Path) -> None:
    done = keyaudit("check", "--policy", "cis", "-f", "json", cwd=tmp_path, env=account.scenario.env())
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["conclusion"] == "COMPLIANT" and summary["as_of_source"] == "generated_time"
    (folder,) = (tmp_path / "reports" / "captures").iterdir()
    assert done.stderr.decode() == f"captured: {folder.relative_to(tmp_path)}\n"
    again = keyaudit("check", folder, "--policy", "cis", "-f", "json")
    # the same but for this: who gives a capture is believed for its comparison, and it is said so
    assert summary.pop("assurance") == "compared"
    told = json.loads(again.stdout)
    assert told.pop("assurance") == "compared_supplied" and (again.returncode, told) == (0, summary)


def test_report_without_a_source_seals_what_was_captured_and_masks_the_ids(
    account: Account, tmp_path: Path
) -> None:
    account.user("carol", (OLD, "Active"))
    account.serve()
    options = ("--owner-tag", "Owner", "--also", "xlsx,owners", *WITHOUT_CHARTS)
    done = account.run("report", "--policy", "cis", "-o", tmp_path / "reports", *options)
    assert done.returncode == 1, done.stderr
    evidence, book, owners = map(Path, done.stdout.decode().splitlines())
    (captured,) = (tmp_path / "reports" / "captures").iterdir()
    # the kernel of the run and verify know of the comparison by this run, which the capture itself cannot say
    assert json.loads((evidence / "summary.json").read_bytes())["assurance"] == "compared"
    assert verify(evidence)[0] == []
    for name in ("capture.json", "credential-report.csv", "inventory.json"):
        kept = evidence / "raw" / account.id / name
        assert kept.read_bytes() == (captured / account.id / name).read_bytes()
    assert verified(evidence)[0] == 0
    shown = [evidence / name for name in ("report.html", "report.ipynb", "findings.csv", "summary.json")]
    for path in shown:
        assert f"****{account.keys[-1][-4:]}" in path.read_text()
        assert not any(key in path.read_text() for key in account.keys), path
    assert "payments" in (evidence / "findings.csv").read_text()
    sheets = openpyxl.load_workbook(book)
    told = [str(cell) for sheet in sheets for cells in sheet.iter_rows(values_only=True) for cell in cells]
    assert f"****{account.keys[-1][-4:]}" in told and not any(key in cell for key in account.keys for cell in told)
    calls = [cells for cells in sheets["Sources"].iter_rows(values_only=True) if cells[0] == "call of AWS"]
    assert {cells[1] for cells in calls} >= {"iam:GetCredentialReport", "iam:ListUsers"}
    assert all(cells[2] in (None, account.id) and isinstance(cells[5], datetime) for cells in calls)
    assert {one.name for one in owners.iterdir()} >= {"unowned.csv", "unowned.eml"}
    page = (evidence / "report.html").read_text()
    assert f"arn:aws:iam::{account.id}:user/auditor" in page and "Reports compared with the live accounts" in page


def test_no_credential_is_in_any_file_or_output(account: Account, aws: Aws, tmp_path: Path) -> None:  # noqa: F811
    arn = f"arn:aws:iam::{account.id}:role/Reader"
    done = account.run("check", "--role-arn", arn, "--external-id", "case-42", "--capture", tmp_path / "cap")
    assert done.returncode == 3, done.stderr  # no policy was given
    assert account.scenario.operations.count("AssumeRole") == 1
    everything = b"".join([done.stdout, done.stderr, *(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())])
    for secret in (SECRET_KEY, account.scenario.key, "case-42", "SessionToken", "SecretAccessKey"):
        assert secret.encode() not in everything
    assert f"arn:aws:sts::{account.id}:assumed-role/Reader/keyaudit".encode() in everything


# --- the report: states, age ---------------------------------------------------------------------------------------


def test_the_report_is_waited_for(account: Account, tmp_path: Path) -> None:
    account.serve(
        states=("STARTED", "INPROGRESS", "INPROGRESS", "COMPLETE"),
        gets=("ReportNotPresent", "ReportExpired", "ReportInProgress"),
    )
    done = account.run("check", "--policy", "cis", "--reconcile", "off", "--capture", tmp_path / "cap")
    assert done.returncode == 0, done.stderr
    operations = account.scenario.operations
    assert (operations.count("GenerateCredentialReport"), operations.count("GetCredentialReport")) == (7, 4)


LIMITED = ("LimitExceeded",)


def test_where_aws_makes_no_more_reports_the_one_that_is_there_is_taken_and_its_age_judged(
    account: Account, tmp_path: Path
) -> None:
    """GenerateCredentialReport can answer LimitExceeded for hours."""
    account.serve(age=timedelta(hours=3), states=LIMITED)
    done = account.run("check", "--policy", "cis", "-f", "json", "--capture", tmp_path / "cap")
    assert done.returncode == 0, done.stderr
    operations = account.scenario.operations
    assert (operations.count("GenerateCredentialReport"), operations.count("GetCredentialReport")) == (1, 1)
    facts, said = read(tmp_path / "cap" / account.id), "iam:GenerateCredentialReport answered LimitExceeded"
    assert (facts["complete"], facts["problems"]) == (True, [])
    (note,) = [one for one in json.loads(done.stdout)["notes"] if said in one]
    assert "AWS made no new report for now" in note and said in done.stderr.decode()
    again = keyaudit("check", tmp_path / "cap", "--policy", "cis")
    assert said in again.stdout.decode()
    sealed = keyaudit("report", tmp_path / "cap", "--policy", "cis", "-o", tmp_path / "reports", *WITHOUT_CHARTS)
    assert sealed.returncode == 0 and said in Path(sealed.stdout.decode().strip(), "report.html").read_text()

    account.serve(age=timedelta(hours=30), states=LIMITED)
    done = account.run("check", "--policy", "cis", "-f", "json", "--capture", tmp_path / "late")
    (judged,) = json.loads(done.stdout)["accounts"]
    assert done.returncode == 3 and "stale" in " ".join(judged["problems"])


@pytest.mark.parametrize("nothing", ["ReportNotPresent", "ReportExpired"])
def test_where_there_is_none_either_it_is_asked_for_again(account: Account, tmp_path: Path, nothing: str) -> None:
    account.serve(states=("LimitExceeded", "LimitExceeded", "STARTED", "COMPLETE"), gets=(nothing, nothing))
    done = account.run("check", "--policy", "cis", "-f", "json", "--capture", tmp_path / "cap")
    assert done.returncode == 0 and "LimitExceeded" not in done.stdout.decode() + done.stderr.decode()
    assert account.scenario.operations.count("GenerateCredentialReport") == 4


def test_limit_exceeded_to_the_deadline_is_named_as_the_reason(account: Account, tmp_path: Path) -> None:
    account.serve(states=LIMITED, gets=("ReportNotPresent",) * 1000)
    done = account.run("check", "--policy", "cis", "-f", "json", "--deadline", 2, "--capture", tmp_path / "cap")
    (judged,) = json.loads(done.stdout)["accounts"]
    problems = " ".join(judged["problems"])
    assert done.returncode == 3 and "GenerateCredentialReport answered LimitExceeded until the deadline" in problems
    assert "was not complete" not in problems and "GenerateCredentialReport" in done.stderr.decode()
    assert account.scenario.operations.count("GenerateCredentialReport") > 2


def test_a_refusal_for_good_is_not_waited_for(account: Account, tmp_path: Path) -> None:
    account.serve(gets=("ReportNotPresent",) * 1000)
    account.scenario.faults.append(Fault("GenerateCredentialReport", "denied"))
    done = account.run("check", "--policy", "cis", "-f", "json", "--capture", tmp_path / "cap")
    assert done.returncode == 3 and "was denied" in done.stderr.decode()
    assert account.scenario.operations.count("GenerateCredentialReport") == 1


def test_an_older_report_that_aws_still_serves_is_taken_and_its_age_judged(
    account: Account, tmp_path: Path
) -> None:
    account.serve(age=timedelta(hours=3, minutes=59))
    done = account.run("check", "--policy", "cis", "-f", "json", "--capture", tmp_path / "cap")
    assert done.returncode == 0 and account.scenario.operations.count("GetCredentialReport") == 1
    account.serve(age=timedelta(hours=30))
    done = account.run("check", "--policy", "cis", "-f", "json", "--capture", tmp_path / "stale")
    assert done.returncode == 3
    assert "stale" in json.loads(done.stdout)["accounts"][0]["problems"][0]


def test_where_generating_is_denied_the_report_of_somebody_else_is_taken(account: Account, tmp_path: Path) -> None:
    account.serve(states=("COMPLETE",))
    account.scenario.faults = [Fault("GenerateCredentialReport", "denied")]
    done = account.run("check", "--policy", "cis", "-f", "json", "--capture", tmp_path / "cap")
    assert done.returncode == 0
    assert any("iam:GenerateCredentialReport was denied" in note for note in json.loads(done.stdout)["notes"])


def test_a_report_that_is_not_of_the_account_asked_for_is_no_evidence(account: Account, tmp_path: Path) -> None:
    other = report_text(("alice", "true 2026-11-01T00:00:00Z N/A"), account="999988887777")
    account.scenario.reports[account.id] = Report(other.encode(), f"{NOW:%Y-%m-%dT%H:%M:%SZ}")
    done = account.run("check", "--policy", "cis", "-f", "json", "--capture", tmp_path / "cap")
    assert done.returncode == 3
    assert "is from another account than the one that was asked for it" in done.stdout.decode()


# --- complete and accurate -------------------------------------------------------------------------------------------


def test_totals_and_off_save_calls(account: Account, tmp_path: Path) -> None:
    for mode, most in (("totals", "GetAccountSummary"), ("off", "GetCredentialReport")):  # the alias comes last
        account.scenario.calls.clear()
        done = account.run("check", "--policy", "cis", "--reconcile", mode, "--capture", tmp_path / mode)
        assert done.returncode == 0, done.stderr
        assert account.scenario.operations[-2:] == [most, "ListAccountAliases"]


def test_a_key_made_before_the_report_that_it_lacks_is_judged_and_unproved(
    account: Account, tmp_path: Path
) -> None:
    account.user("late", (OLD, "Active"))  # the report served is the one from before
    done = account.run("check", "--policy", "cis", "-f", "json", "--capture", tmp_path / "cap")
    assert done.returncode == 1
    summary = json.loads(done.stdout)
    (overdue,) = [row for row in summary["findings"] if row["compliance_type"] == "NON_COMPLIANT"]
    assert (overdue["user"], overdue["key_slot"], overdue["control"]) == ("late", None, "rotation")
    assert overdue["access_key_id"] == f"****{account.keys[-1][-4:]}"
    assert summary["conclusions"]["root-key"] == "INSUFFICIENT_DATA"


@pytest.mark.parametrize(
    ("root", "present", "control", "kinds"),
    [
        ((), 1, "NON_COMPLIANT", ["root_key_missing"]),
        ((f"true {FRESH:%Y-%m-%dT%H:%M:%SZ} N/A",), 1, "NON_COMPLIANT", []),
        ((f"true {FRESH:%Y-%m-%dT%H:%M:%SZ} N/A",), 0, "NON_COMPLIANT", ["root_key_gone"]),
        ((), 0, "COMPLIANT", []),
    ],
)
@pytest.mark.parametrize("mode", ["keys", "totals"])
def test_the_root_user_s_keys_are_compared_with_the_account_s_own_word(
    account: Account, tmp_path: Path, root: tuple[str, ...], present: int, control: str, kinds: list[str], mode: str
) -> None:
    set_root_keys(account.id, present)
    account.scenario.reports[account.id] = report_of(account.id, NOW - timedelta(minutes=5), root)
    folder = tmp_path / "cap"
    done = account.run("check", "--policy", "cis", "-f", "json", "--reconcile", mode, "--capture", folder)
    assert json.loads(done.stdout)["conclusions"]["root-key"] == control
    judged = keyaudit_audit(folder, "cis")
    assert [one.kind for _, one in judged.differences] == kinds
    assert judged.conclusion == ("NON_COMPLIANT" if present or root else "COMPLIANT")


@pytest.mark.parametrize("mode", ["keys", "totals"])
@pytest.mark.parametrize(("present", "control"), [(0, "COMPLIANT"), (1, "NON_COMPLIANT")])
def test_where_reports_have_no_root_row_the_account_s_own_word_stands(
    account: Account, tmp_path: Path, present: int, control: str, mode: str
) -> None:
    """As in China, where accounts have no root user that signs in, and GetAccountSummary tells of its keys."""
    set_root_keys(account.id, present)
    served = account.serve()
    lines = [line for line in served.content.splitlines() if not line.startswith(b"<root_account>")]
    account.scenario.reports[account.id] = replace(served, content=b"\n".join(lines))
    options = ("--policy", "cis", "-f", "json", "--reconcile", mode, "--capture", tmp_path / "cap")
    done = account.run("check", *options)
    told = json.loads(done.stdout)
    assert (told["conclusions"]["root-key"], done.returncode) == (control, present)
    # and without that word, nothing is known
    done = account.run("check", *options[:4], "--reconcile", "off", "--capture", tmp_path / "off")
    assert json.loads(done.stdout)["conclusions"]["root-key"] == "INSUFFICIENT_DATA"


# --- what the user can mend ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, said",
    [
        (["--profile", "nobody"], "--profile nobody: no such profile"),
        (["--role-arn", "arn:aws:iam::1:role/x"], "not the ARN of a role"),
        (["--organization", "--accounts", "ids.txt"], "exclude each other"),
        (["--role-name", "a/b"], "--role-name"),
        (["--external-id", "x"], "--external-id"),
        (["--accounts", "missing.txt"], "--accounts missing.txt: cannot be read"),
    ],
)
def test_mistakes_are_said_before_aws_is_asked(
    account: Account, tmp_path: Path, options: list[str], said: str
) -> None:
    for command in ("capture", "check", "report"):
        done = keyaudit(command, *options, cwd=tmp_path, env=account.scenario.env())
        assert said in refused(done, 2)
    assert account.scenario.calls == [] and list(tmp_path.iterdir()) == []


def test_without_credentials_it_is_said_what_to_do(account: Account, tmp_path: Path) -> None:
    env = account.scenario.env()
    del env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]
    for command in ("capture", "check", "report"):
        said = refused(keyaudit(command, cwd=tmp_path, env=env), 2)
        assert "no AWS credentials found" in said and "SOURCE" in said
    assert list(tmp_path.iterdir()) == []


def test_a_source_and_live_options_exclude_each_other(account: Account, tmp_path: Path) -> None:
    source = tmp_path / "report.csv"
    source.write_text(report_text(("alice", "true 2026-11-01T00:00:00Z N/A")))
    for option in (["--organization"], ["--reconcile", "off"], ["--capture", "x"]):
        said = refused(account.run("check", source, *option), 2)
        assert f"{option[0]} is for live AWS" in said


def test_a_policy_that_is_wrong_is_said_before_aws_is_asked(account: Account, tmp_path: Path) -> None:
    refused(account.run("check", "--policy", "nonsense", "--capture", tmp_path / "cap"), 2)
    assert account.scenario.calls == []


def test_a_profile_and_a_region_of_the_users_configuration(account: Account, tmp_path: Path) -> None:
    env = account.scenario.env()
    config = tmp_path / "config"
    config.write_text(
        f"[profile audit]\nregion = cn-north-1\naws_access_key_id = {env.pop('AWS_ACCESS_KEY_ID')}\n"
        f"aws_secret_access_key = {env.pop('AWS_SECRET_ACCESS_KEY')}\n"
    )
    env |= {"AWS_CONFIG_FILE": str(config)}
    del env["AWS_DEFAULT_REGION"]
    done = keyaudit("capture", "--profile", "audit", "-o", tmp_path / "cap", env=env)
    assert done.returncode == 0, done.stderr
    assert read(tmp_path / "cap", "accounts.json")["partition"] == "aws-cn"


# --- the folder again ------------------------------------------------------------------------------------------------


def test_a_finished_capture_is_not_taken_for_a_new_one(account: Account, tmp_path: Path) -> None:
    assert account.run("capture", "-o", tmp_path / "cap").returncode == 0
    said = refused(account.run("capture", "-o", tmp_path / "cap"), 2)
    assert "finished at" in said and "--fresh" in said
    first = read(tmp_path / "cap" / account.id)
    time.sleep(1)
    assert account.run("capture", "-o", tmp_path / "cap", "--fresh").returncode == 0
    assert read(tmp_path / "cap" / account.id)["received_time"] > first["received_time"]


def test_a_folder_that_holds_something_else_is_left_alone(account: Account, tmp_path: Path) -> None:
    (tmp_path / "cap").mkdir()
    (tmp_path / "cap" / "thesis.txt").write_text("mine")
    for options in ([], ["--fresh"]):
        said = refused(account.run("capture", "-o", tmp_path / "cap", *options), 2)
        assert "not a capture" in said
    assert (tmp_path / "cap" / "thesis.txt").read_text() == "mine"
    assert "is a file" in refused(account.run("capture", "-o", tmp_path / "cap" / "thesis.txt"), 2)


def test_a_capture_of_something_else_is_not_resumed(account: Account, tmp_path: Path) -> None:
    account.scenario.faults = [Fault("ListUsers", "denied", first=1)]
    assert account.run("capture", "-o", tmp_path / "cap").returncode == 3
    said = refused(account.run("capture", "-o", tmp_path / "cap", "--reconcile", "off"), 2)
    assert "something else" in said
    assert account.run("capture", "-o", tmp_path / "cap").returncode == 0


def test_a_changed_capture_is_no_evidence(account: Account, tmp_path: Path) -> None:
    assert account.run("capture", "-o", tmp_path / "cap").returncode == 0
    folder = tmp_path / "cap" / account.id
    for name in ("credential-report.csv", "inventory.json"):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content.replace(b"bob", b"rob"))
        done = keyaudit("check", tmp_path / "cap", "--policy", "cis")
        assert done.returncode == 3 and b"changed after the capture" in done.stdout
        (folder / name).write_bytes(content)
    assert keyaudit("check", tmp_path / "cap", "--policy", "cis").returncode == 0


def test_the_policy_and_the_role_are_printed_without_aws(tmp_path: Path) -> None:
    policy = keyaudit("capture", "--print-policy", "--organization", "--region", "us-gov-west-1", cwd=tmp_path)
    statements = json.loads(policy.stdout)["Statement"]
    assert "arn:aws-us-gov:iam::*:role/KeyAuditReadOnly" in [one["Resource"] for one in statements]
    role = keyaudit("capture", "--print-role", "--role-name", "Auditor", cwd=tmp_path)
    assert (role.returncode, role.stderr) == (0, b"") and b"Auditor" in role.stdout
    assert list(tmp_path.iterdir()) == []
