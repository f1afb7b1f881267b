"""``keyaudit schedule``: each kind is held to a tool that knows it, and what it runs is run."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from aws import MANAGEMENT, Aws, Fault, add_user, aws, report_of  # noqa: F401
from conftest import FRESH, IS_NIGHTLY, OLD, OTHER, report, write
from cronsim import CronSim
from evidence_helpers import BRIEF, LONG, POLICY, SECRET, files, keyaudit, refused
from linting import parsed, template_faults, workflow_faults
from program import program, warm_program  # noqa: F401

from keyaudit import __version__
from keyaudit.dues.calendar import parse_every
from keyaudit.schedule.timetable import Timetable
from keyaudit.texts import say

BIN = Path(sys.executable).parent
#: the AWS CLI, as far as schedules use it
STAND_IN = f"""
import os, sys
sys.path.append({str(Path(__file__).parent / "stand_ins")!r})
import aws_s3_sync
code = aws_s3_sync.main(sys.argv[1:])
sys.stdout.flush()
sys.stderr.flush()
os._exit(code)
"""
TOPIC = f"arn:aws:sns:us-east-1:{MANAGEMENT}:audit"
PERIODS = ("day", "week", "month", "quarter", "30d")
KINDS = ("systemd", "cron", "github-actions", "eventbridge")
FILES = f"{say('schedule.files')}\n".encode()
#: the brief notebook, which is in the folder where a schedule is asked for
LIGHT = ("--notebook", "brief.ipynb")
#: a folder whose name means something to a shell, to cron and to systemd
ODD = 'it\'s 100% $HOME "q"'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the schedule is asked for, a checkout: a policy, a report, and a list of accounts."""
    found = tmp_path / ODD
    (found / ".git").mkdir(parents=True)
    write(found, "our policy.toml", POLICY)
    write(found, "report.csv", report(("alice", FRESH), ("bob", OLD)))
    write(found, "accounts.txt", "111122223333\n")
    shutil.copy(BRIEF[1], found)
    return found


def printed(folder: Path, kind: str, *options: object, every: str = "week") -> str:
    done = keyaudit("schedule", kind, "--every", every, "--policy", "our policy.toml", *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == (b"" if "report.csv" not in options else FILES), done.stderr
    return done.stdout.decode()


def plan(every: str, at: str = "06:30", is_daily: bool = False) -> Timetable:
    return Timetable(parse_every(every), at, is_daily, "keyaudit", ("k",), Path("/"), (), Path("/r"), "", (), ())


# --- when -----------------------------------------------------------------------------------------------------


def firings(plan: Timetable, kind: str, number: int = 9) -> list[datetime]:
    """The next instants of a schedule, as a tool for it reckons them."""
    start = datetime(2026, 11, 25, tzinfo=UTC)
    if kind == "systemd":
        command = [
            "systemd-analyze", "calendar", f"--base-time={start:%Y-%m-%d %H:%M:%S} UTC", f"--iterations={number}",
            plan.calendar(),
        ]  # fmt: skip
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        told = re.findall(r"(?:Next elapse|Iter\. #\d+): \w{3} (\S+ \S+) UTC", out)
        return [datetime.fromisoformat(one).replace(tzinfo=UTC) for one in told]
    expression = plan.cron()
    if kind == "eventbridge":
        # EventBridge has a year, and a question mark where the other kind of day decides
        expression = re.fullmatch(r"cron\((.*) \*\)", plan.scheduler())[1].replace("?", "*")  # type: ignore[index]
    instants = CronSim(expression, start)
    return [next(instants) for _ in range(number)]


@pytest.mark.parametrize("is_daily", [False, True])
@pytest.mark.parametrize("every", PERIODS)
@pytest.mark.parametrize("kind", ["systemd", "cron", "eventbridge"])
def test_it_runs_once_in_each_period_or_daily(kind: str, every: str, is_daily: bool) -> None:
    """Daily where it is asked for, and where no calendar knows the period."""
    found = firings(plan(every, is_daily=is_daily), kind)
    assert len(found) == 9
    assert all((one.hour, one.minute) == (6, 30) for one in found)
    step = parse_every("day" if is_daily or every == "30d" else every)
    assert [step.start(later) for later in found[1:]] == [step.end(earlier) for earlier in found[:-1]]


def test_that_it_asks_more_often_than_it_makes_evidence_is_said(folder: Path) -> None:
    for kind in KINDS:
        said = "a run that finds the evidence of its period makes none"
        assert said in printed(folder, kind, every="30d") and said in printed(
            folder, kind, "--daily", every="month"
        )
        assert said not in printed(folder, kind, every="month") and said not in printed(
            folder, kind, "--daily", every="day"
        )


# --- cron -----------------------------------------------------------------------------------------------------


@pytest.mark.sampled(2)
@pytest.mark.parametrize("every", PERIODS)
def test_a_crontab_that_cron_takes(folder: Path, every: str) -> None:
    text = printed(folder, "cron", "report.csv", "--at", "23:05", every=every)
    path = write(folder.parent, "crontab", text)
    # by its name alone: crontab takes no name of more than 100 characters
    done = subprocess.run(
        ["crontab", "-n", path.name], cwd=path.parent, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "The syntax of the crontab file was successfully checked.\n")
    (line,) = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert line.startswith(plan(every, "23:05").cron())


def run_by_cron(text: str, warm: Path) -> subprocess.CompletedProcess[bytes]:
    """The line as cron(8) runs it: by /bin/sh, in a bare environment, a percent sign behind a backslash."""
    command = by(warm, text.rstrip("\n").splitlines()[-1].split(maxsplit=5)[5])
    assert not re.search(r"(?<!\\)%", command)
    environment = {"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/"), "SHELL": "/bin/sh"}
    return subprocess.run(
        ["/bin/sh", "-c", command.replace(r"\%", "%")], cwd="/", env=environment, capture_output=True, check=False
    )


def by(warm: Path, line: str) -> str:
    """A line that names the program by its place, which a ``keyaudit`` that is warm takes: at nightly depth none."""
    assert line.count(f"{BIN}/keyaudit ") == 1
    return line if IS_NIGHTLY else line.replace(f"{BIN}/keyaudit ", f"{warm} ")


def test_what_cron_runs_makes_evidence_once_and_the_comment_tells_how_to_see_whether_the_series_is_whole(
    folder: Path,
    program: str,  # noqa: F811
) -> None:
    warm = write(folder.parent / "bin", "keyaudit", program)
    warm.chmod(0o755)
    text = printed(folder, "cron", "report.csv", "-o", "evidence", *LIGHT, every=LONG)
    first = run_by_cron(text, warm)
    assert first.returncode == 1, first.stderr
    made = Path(first.stdout.decode().strip())
    assert made.parent == folder / "evidence" and (made / "SHA256SUMS").is_file()
    before = files(folder / "evidence")
    again = run_by_cron(text, warm)
    assert (again.returncode, again.stdout, files(folder / "evidence")) == (1, first.stdout, before)
    (line,) = re.findall(r"^#   (.* series .*)$", text, re.MULTILINE)
    done = subprocess.run(["/bin/sh", "-c", by(warm, line)], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "brief-111122223333" in done.stdout


# --- systemd --------------------------------------------------------------------------------------------------


def verified(folder: Path) -> str:
    """What systemd makes of the units in a folder; it finds nothing wrong with them."""
    units = sorted(folder.glob("*.service")) + sorted(folder.glob("*.timer"))
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    told = subprocess.run(
        ["systemd-analyze", "verify", *units],
        env=os.environ | {"SYSTEMD_LOG_LEVEL": "debug"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return told.stdout


@pytest.mark.sampled(2)
@pytest.mark.parametrize("every", PERIODS)
def test_units_that_systemd_takes_and_reads_as_they_were_meant(folder: Path, every: str) -> None:
    units = folder.parent / "units"
    keyaudit(
        "schedule", "systemd", "--every", every, "--name", "audit", "--into", units, "report.csv",
        "--policy", "our policy.toml", "--notebook", "explore", "-p", "users", "svc-*, 50%", "-p", "limit", 60,
        cwd=folder,
    )  # fmt: skip
    assert {one.name for one in units.iterdir()} == {"audit.service", "audit.timer"}
    told = verified(units)
    assert f"WorkingDirectory: {folder}\n" in told
    line = re.search(r"Command Line: (.*)", told)[1]  # type: ignore[index]
    # a dollar stays double until the unit is started; Python's shlex leaves the backslash before it
    assert [word.replace(r"\$\$", "$") for word in shlex.split(line)] == [
        str(BIN / "keyaudit"), "report", str(folder / "report.csv"), "--policy", str(folder / "our policy.toml"),
        "--notebook", "explore", "--parameter", "users", "svc-*, 50%", "--parameter", "limit", "60",
        "--every", every,
    ]  # fmt: skip


def test_what_systemd_would_ignore_is_found(tmp_path: Path) -> None:
    """The check of the check."""
    write(tmp_path, "a.service", "[Service]\nType=oneshot\nExecStart=/bin/true\nUMaks=0077\n")
    with pytest.raises(AssertionError, match="UMaks"):
        verified(tmp_path)


def test_both_units_are_printed_and_say_where_they_go(folder: Path) -> None:
    text = printed(folder, "systemd")
    assert re.findall(r"^# (/etc/systemd/system/\S+?):?(?: |$)", text, re.MULTILINE) == [
        "/etc/systemd/system/keyaudit.service", "/etc/systemd/system/keyaudit.timer",
    ]  # fmt: skip


# --- in the cloud ---------------------------------------------------------------------------------------------


def shell(line: str, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A line of a workflow or build, with the programs that ``cloud`` made."""
    stand_ins = cwd.parent / "bin"
    unmeasured = {name: value for name, value in env.items() if not name.startswith("COV")}
    environment = unmeasured | {"PATH": f"{stand_ins}:{BIN}:/usr/bin:/bin", "BUCKET": "evidence-bucket"}
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", line], cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def cloud(aws: Aws, folder: Path, warm_program: Callable[[str], str]) -> Any:  # noqa: F811
    """An account with an overdue key, and a bucket; the environment of who reads both, with a ``keyaudit`` and a
    stand-in for the AWS CLI that are warm."""
    for name, first in (("keyaudit", ""), ("aws", STAND_IN)):
        write(folder.parent / "bin", name, warm_program(first)).chmod(0o755)
    aws.reset()
    now = datetime.now(UTC)
    add_user(MANAGEMENT, "alice", now - timedelta(days=400), [(now - timedelta(days=200), "Active")])
    client = aws.client("s3")
    client.create_bucket(Bucket="evidence-bucket")
    reports = {MANAGEMENT: report_of(MANAGEMENT, now - timedelta(minutes=5))}
    yield aws.scenario(reports=reports).env(), client
    client.close()


def kept(client: Any) -> dict[str, str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="evidence-bucket", Prefix="reports/")
    return {one["Key"].removeprefix("reports/"): one["ETag"] for page in pages for one in page.get("Contents", [])}


def workflow(text: str, path: Path) -> dict[str, Any]:
    """A workflow that holds by the schema of GitHub Actions."""
    write(path.parent, path.name, text)
    assert workflow_faults(path) == ""
    return yaml.safe_load(text)  # type: ignore[no-any-return]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("every", PERIODS)
def test_a_workflow_of_github_actions(folder: Path, every: str) -> None:
    text = printed(folder, "github-actions", "--accounts", "accounts.txt", "--role-name", "Audit", every=every)
    found = workflow(text, folder.parent / "workflow.yaml")
    assert found[True]["schedule"] == [{"cron": plan(every, "06:00").cron()}]
    assert found["concurrency"] == {"group": "keyaudit", "cancel-in-progress": False}
    assert found["permissions"] == {"contents": "read", "id-token": "write"}
    assert str(folder) not in text
    (line,) = re.findall(r"prints: keyaudit (.*)", text)
    assert "sts:AssumeRole" in keyaudit(*shlex.split(line), cwd=folder).stdout.decode()


def test_a_wrong_workflow_is_found(tmp_path: Path) -> None:
    """The check of the check."""
    with pytest.raises(AssertionError, match="runs-on"):
        workflow("on: push\njobs:\n  a:\n    runs_on: x\n    steps: [{run: ls}]\n", tmp_path / "w.yaml")


def test_what_a_workflow_runs_keeps_the_evidence(folder: Path, cloud: Any) -> None:
    env, client = cloud
    text = printed(folder, "github-actions", *LIGHT, every=LONG)
    steps = {one["name"]: one for one in yaml.safe_load(text)["jobs"]["evidence"]["steps"] if "name" in one}
    assert list(steps) == ["Install", "Fetch the reports", "Make evidence", "Keep the reports"]
    assert steps["Keep the reports"]["if"] == "${{ !cancelled() }}"
    made = run_in_a_fresh_checkout(folder, env, [steps[name]["run"] for name in list(steps)[1:]])
    names = kept(client)
    assert f"{Path(made).name}/SHA256SUMS" in names
    assert sum(name.endswith("/SHA256SUMS") for name in names) == 1 and "index.html" in names
    assert not any(name.startswith((".staging", "captures")) or name.endswith(".lock") for name in names)


def run_in_a_fresh_checkout(folder: Path, env: dict[str, str], lines: list[str]) -> str:
    """The evidence that was made by the second line; the third keeps it, or looks whether it was."""
    checkout = folder.parent / f"checkout-{len(list(folder.parent.iterdir()))}"
    shutil.copytree(folder, checkout)
    done = [shell(line, checkout, env) for line in lines]
    assert [one.returncode for one in done] == [0, 1, 0], done
    return done[1].stdout.splitlines()[0]


def template(folder: Path, *options: object, every: str = "week") -> dict[str, Any]:
    """A template that is clean, warnings included."""
    path = write(folder.parent, "template.yaml", printed(folder, "eventbridge", *options, every=every))
    assert template_faults(path) == []
    return parsed(path.read_text())["Resources"]  # type: ignore[no-any-return]


VARIANTS: dict[str, tuple[object, ...]] = {
    "day": (),
    "week": ("--organization", "--owner-tag", "owner", "--role-name", "Audit", "--notify", TOPIC),
    "month": ("--accounts", "accounts.txt", "--rotation", "--purpose", "--notebook", "rotation"),
    "quarter": ("--role-arn", "arn:aws:iam::123456789012:role/audit"),
    "30d": ("--reconcile", "off", "--notify", TOPIC, "--name", "nightly"),
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("every", PERIODS)
def test_a_template_for_eventbridge(folder: Path, every: str) -> None:
    found = template(folder, *VARIANTS[every], every=every)
    assert found["Schedule"]["Properties"]["ScheduleExpression"] == plan(every, "06:00").scheduler()
    assert found["Run"]["Properties"]["ConcurrentBuildLimit"] == 1
    assert ("Alarm" in found) == ("--notify" in VARIANTS[every])
    assert found["Reports"]["DeletionPolicy"] == "Retain"
    # what a run may do is what the command needs, its bucket, its log, and its topic
    allowed = found["RunRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    actions = {
        action
        for one in allowed
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    }
    options = [one for one in VARIANTS[every] if one not in ("--notify", TOPIC, "--name", "nightly")]
    options = options[: options.index("--notebook")] if "--notebook" in options else options
    policy = json.loads(keyaudit("capture", *options, "--print-policy", cwd=folder).stdout)
    needed = {action for one in policy["Statement"] for action in one["Action"]}
    own = {"s3:ListBucket", "s3:GetObject", "s3:PutObject", "logs:CreateLogStream", "logs:PutLogEvents"}
    assert actions == needed | own | ({"sns:Publish"} if "--notify" in VARIANTS[every] else set())


def build(found: dict[str, Any]) -> list[str]:
    """The commands of the build phase."""
    told = yaml.safe_load(found["Run"]["Properties"]["Source"]["BuildSpec"])
    assert told["phases"]["install"]["commands"] == [
        'aws s3 sync "s3://$BUCKET/config" config --no-progress',
        f"python -m pip install --quiet -c config/constraints.txt config/keyaudit-{__version__}-py3-none-any.whl",
    ]
    return told["phases"]["build"]["commands"]  # type: ignore[no-any-return]


def test_what_a_build_runs_keeps_the_evidence_and_makes_it_once(folder: Path, cloud: Any) -> None:
    env, client = cloud
    commands = build(template(folder, *LIGHT, every=LONG))
    config = folder / "config"
    config.mkdir()
    for name in ("our policy.toml", "brief.ipynb"):
        shutil.copy(folder / name, config)
    fetch, make = commands
    # the folder was kept, or the build ends with another code than that of the verdict
    lines = [fetch, make, "test -f evidence/index.html"]
    first, before = run_in_a_fresh_checkout(folder, env, lines), kept(client)
    assert run_in_a_fresh_checkout(folder, env, lines) == first
    assert kept(client) == before


def test_other_credentials_are_not_answered_with_evidence_of_another_account(
    folder: Path,
    cloud: Any,
    aws: Aws,  # noqa: F811
) -> None:
    """The same command, where boto3 finds an account that was never read: in another profile, say."""
    env, _ = cloud
    add_user(OTHER, "bob", keys=[(datetime.now(UTC) - timedelta(days=1), "Active")])
    reports = {OTHER: report_of(OTHER, datetime.now(UTC) - timedelta(minutes=5))}
    words = ("report", "--policy", "our policy.toml", *LIGHT, "--every", LONG)
    first = keyaudit(*words, cwd=folder, env=env)
    other = keyaudit(*words, cwd=folder, env=aws.scenario(account=OTHER, reports=reports).env())
    assert (first.returncode, first.stdout) == (1, keyaudit(*words, cwd=folder, env=env).stdout)
    assert MANAGEMENT.encode() in first.stdout and OTHER.encode() in other.stdout and other.returncode != 1
    # whose they are is not known: what was made before is not taken for it
    unknown = aws.scenario(faults=[Fault("GetCallerIdentity", "denied")]).env()
    assert b"made before" not in keyaudit(*words, cwd=folder, env=unknown).stderr


def test_a_build_that_cannot_keep_the_evidence_fails_otherwise(folder: Path, cloud: Any) -> None:
    env, client = cloud
    shutil.copytree(folder, folder / "config")
    client.delete_bucket(Bucket="evidence-bucket")
    found = parsed(printed(folder, "eventbridge", *LIGHT, every=LONG))[
        "Resources"
    ]  # the template of the test before
    done = shell(build(found)[1], folder, env)
    assert done.returncode == 4 and "NON_COMPLIANT" in done.stderr


def test_the_template_says_what_is_copied_into_the_bucket(folder: Path) -> None:
    text = printed(folder, "eventbridge", "--accounts", "accounts.txt")
    copies = [shlex.split(line)[-2:] for line in re.findall(r"^#   (aws s3 cp .*)$", text, re.MULTILINE)]
    wheel = f"keyaudit-{__version__}-py3-none-any.whl"
    assert copies == [
        [f"dist/{wheel}", f"s3://$bucket/config/{wheel}"],
        ["constraints.txt", "s3://$bucket/config/constraints.txt"],
        [str(folder / "our policy.toml"), "s3://$bucket/config/our policy.toml"],
        [str(folder / "accounts.txt"), "s3://$bucket/config/accounts.txt"],
    ]


# --- what is refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cron"], "Missing option '--every'"),
        (["at", "--every", "week"], "'at' is not one of 'systemd'"),
        (["cron", "--every", "weekly"], "--every weekly: give day, week"),
        (["cron", "--every", "week", "--at", "24:00"], "--at 24:00: give a time of day, such as 06:00"),
        (["cron", "--every", "week", "--name", "../x"], "--name ../x: give at most 40 lower-case letters"),
        (["cron", "--every", "week", "--polcy", "cis"], "No such option '--polcy'"),
        (["cron", "--every", "week", "--policy", "none.toml"], "policy none.toml: no such file"),
        (["cron", "--every", "week", "--as-of", "2026-01-01T00:00:00Z"], "--as-of: it judges the past"),
        (["cron", "--every", "week", "--again"], "--again: a schedule that always makes more evidence"),
        (["cron", "--every", "week", "--per-account"], "--per-account: does not go with"),
        (["cron", "--every", "week", "--capture", "x"], "--capture: each run makes a new capture"),
        (["cron", "--every", "week", ""], ": no such file or folder"),
        (["cron", "--every", "week", "--policy", ""], "--policy: is empty"),
        (["cron", "--every", "week", "--owner-tag", ""], "--owner-tag: is empty"),
        (["cron", "--every", "week", "--purpose", "--reconcile", "off"], "--purpose: only with --reconcile keys"),
        (["cron", "--every", "week", "--accounts", "none.txt"], "--accounts none.txt: no such file or folder"),
        (["cron", "--every", "week", "--before", "none"], "--before none: no such file or folder"),
        (["cron", "--every", "week", "--region", "bogus"], "--region bogus: no such region"),
        (["cron", "--every", "week", "--role-arn", "bogus"], "--role-arn bogus: not the ARN of a role"),
        (["cron", "--every", "week", "--owner-tag", SECRET], "an option has what looks like a secret in it"),
        (["cron", "--every", "week", "-"], "-: a schedule has no standard input"),
        (["cron", "--every", "week", "none.csv"], "none.csv: no such file or folder"),
        (["cron", "--every", "week", "report.csv", "--organization"], "--organization is for live AWS"),
        (["cron", "--every", "week", "--organization", "--accounts", "accounts.txt"], "exclude each other"),
        (["cron", "--every", "week", "--notify", "arn:aws:sqs:x"], "not the ARN of a standard SNS topic"),
        (["cron", "--every", "week", "--notebook", "none"], "no notebook 'none'"),
        (["cron", "--every", "week", "--also", "docx"], "'docx': no such format"),
        (["cron", "--every", "week", "-p", "sauce", "1"], "nearest: source"),
        (["cron", "--every", "week", "-p", "x\ny", "1"], "no parameter"),
        (["cron", "--every", "week", "--owner-tag", "a\nb"], "cannot hold what cannot be printed"),
        (["cron", "--every", "week", "--owner-tag", "x" * 990], "longer than the 990 characters"),
        (["github-actions", "--every", "week", "--profile", "p"], "--profile: there the credentials are"),
        (["github-actions", "--every", "week", "-o", "x"], "-o: there the reports are kept in a bucket"),
        (["github-actions", "--every", "week", "--accounts", "../outside.txt"], "a workflow has only the files of"),
        (["github-actions", "--every", "week", "--owner-tag", "${{ secrets.X }}"], "GitHub would replace this"),
        (["eventbridge", "--every", "week", "report.csv"], "report.csv: a build reads live AWS"),
        (["eventbridge", "--every", "week", "--before", "."], "is a folder; a build reads live AWS"),
    ],
)  # fmt: skip
def test_mistakes_are_said_before_anything_is_printed(folder: Path, words: list[str], said: str) -> None:
    write(folder.parent, "outside.txt", "111122223333\n")
    policy = [] if "--policy" in words else ["--policy", "our policy.toml"]
    found = refused(keyaudit("schedule", *words, *policy, cwd=folder), 2)
    assert said in found and SECRET not in found
    assert not (folder / "reports").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_exported_besides_is_part_of_the_command_and_its_extra_is_installed(
    folder: Path, kind: str
) -> None:
    text = printed(folder, kind, "--policy", "cis", "--also", "xlsx,owners")
    assert "--also xlsx,owners" in text.replace('"', "").replace("'", "")
    installs = [line for line in text.splitlines() if "pip install" in line]
    assert all("[xlsx]'" in line for line in installs) and len(installs) == (
        kind in ("github-actions", "eventbridge")
    )
    assert "[xlsx]" not in printed(folder, kind, "--policy", "cis", "--also", "owners")


def test_two_files_of_one_name_cannot_both_be_copied(folder: Path) -> None:
    write(folder / "other", "our policy.toml", "111122223333\n")
    words = ("eventbridge", "--every", "week", "--policy", "our policy.toml", "--accounts", "other/our policy.toml")
    assert "another file of the command has the same name" in refused(keyaudit("schedule", *words, cwd=folder), 2)


def test_nothing_is_written_without_being_asked_and_never_over_something_else(folder: Path) -> None:
    before = files(folder)
    for kind in KINDS:
        printed(folder, kind)
    assert files(folder) == before
    words = ("schedule", "cron", "--every", "week", "--policy", "our policy.toml", "--into", "here")
    done = keyaudit(*words, cwd=folder)
    assert (done.returncode, done.stdout) == (0, b"here/keyaudit.cron\n")
    assert keyaudit(*words, cwd=folder).returncode == 0
    (folder / "here" / "keyaudit.cron").write_text("something of mine")
    assert "holds something else" in refused(keyaudit(*words, cwd=folder), 2)
    assert (folder / "here" / "keyaudit.cron").read_text() == "something of mine"
    assert files(folder).keys() - before.keys() == {"here/keyaudit.cron"}


def test_a_link_is_not_followed_and_files_that_are_there_are_never_written_through(folder: Path) -> None:
    (folder / "latest.csv").symlink_to("report.csv")
    done = keyaudit("schedule", "cron", "--every", "week", "latest.csv", "--policy", "cis", cwd=folder)
    assert str(folder / "latest.csv") in shlex.split(done.stdout.decode().splitlines()[-1].replace("\\%", "%"))
    into = folder / "into"
    into.mkdir()
    (into / "keyaudit.timer").symlink_to(folder / "elsewhere")
    words = ("schedule", "systemd", "--every", "week", "--policy", "cis", "--into", into)
    assert "holds something else" in refused(keyaudit(*words, cwd=folder), 2)
    assert [one.name for one in into.iterdir()] == ["keyaudit.timer"] and not (folder / "elsewhere").exists()


@pytest.mark.parametrize("name", ["blank ", "backslash\\"])
def test_systemd_is_not_given_a_folder_that_it_would_read_otherwise(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    words = ("schedule", "systemd", "--every", "week", "--policy", "cis")
    assert "which systemd does not take" in refused(keyaudit(*words, cwd=tmp_path / name), 2)


def test_a_workflow_has_the_files_by_their_places_in_the_repository(folder: Path, tmp_path: Path) -> None:
    write(folder / "sub", "cis", POLICY)
    words = ("schedule", "github-actions", "--every", "week", "--policy", "./cis")
    done = keyaudit(*words, cwd=folder / "sub")
    assert b"keyaudit report --policy ./sub/cis -o evidence" in done.stdout
    write(tmp_path / "plain", "cis", POLICY)
    assert "not a git checkout" in refused(keyaudit(*words, cwd=tmp_path / "plain"), 2)


def test_without_a_policy_it_is_said_what_that_comes_to(folder: Path) -> None:
    done = keyaudit("schedule", "cron", "--every", "week", cwd=folder)
    assert done.returncode == 0 and b"the best conclusion of each run is INSUFFICIENT_DATA" in done.stderr


def test_a_preset_is_no_file_even_where_there_is_one_of_that_name(folder: Path) -> None:
    write(folder, "cis", "")
    done = keyaudit("schedule", "cron", "--every", "week", "--policy", "cis", cwd=folder)
    assert b"report --policy cis --every week" in done.stdout
