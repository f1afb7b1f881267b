"""``keyaudit rotation plan``: the right action for each key, in a safe order, worst first, and nothing left out."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import ACCOUNT, AS_OF, capture, csv_of, key, report, row, write
from evidence_helpers import COMMAND
from evidence_helpers import keyaudit as command
from forked import PIPED

import keyaudit
from keyaudit.rotation.fresh import Freshness
from keyaudit.rotation.plan import Task, plan
from keyaudit.rotation.printed import as_text
from keyaudit.rotation.steps import periods_for
from keyaudit.rotation.users import read_rows, take

NOW = datetime.fromisoformat(AS_OF)


def tasks_of(tmp_path: Path, text: str, policy: object = "cis") -> list[Task]:
    return list(plan(keyaudit.audit(write(tmp_path, "report.csv", text), policy, AS_OF)))


@pytest.mark.parametrize(
    ("keys", "cases"),
    [
        ((key(100),), ["in_use"]),
        ((key(100, None),), ["delete", "never_used"]),
        ((key(100, 60),), ["delete", "unused"]),
        ((key(50, 46),), ["delete", "unused"]),
        ((key(60, None),), ["delete", "never_used"]),
        ((key(80),), ["due_soon"]),
        ((key(70),), []),
        ((key(90),), ["due_soon"]),
        ((key(10, None),), []),
        ((key(None),), ["unknown"]),
        ((key(500, None, active=False),), ["delete_inactive"]),
        ((key(100, 1), key(30, None, active=False)), ["delete_inactive", "in_use"]),
    ],
)
def test_each_key_gets_the_action_that_leaves_the_fewest_keys(
    tmp_path: Path, keys: tuple[str, ...], cases: list[str]
) -> None:
    found = tasks_of(tmp_path, report(("alice", *keys)))
    assert sorted(one.case for one in found) == cases


@pytest.mark.parametrize("root", [(key(400),), (key(400, None, active=False),), (key(2),)])
def test_a_root_key_is_not_rotated_and_comes_first(tmp_path: Path, root: tuple[str, ...]) -> None:
    found = tasks_of(tmp_path, report(("alice", key(4000)), root=root))
    assert found[0].user == "<root_account>" and "root" in found[0].case
    assert not any("rotation" in step.command for step in found[0].steps)


def test_the_longest_overdue_comes_first_and_what_is_only_due_soon_last(tmp_path: Path) -> None:
    users = [
        ("soon", key(80)),
        ("new", key(95)),
        ("undated", key(None)),
        ("old", key(900)),
        ("idle", key(300, 200)),
    ]
    order = [one.user for one in tasks_of(tmp_path, report(*users))]
    assert order == ["old", "idle", "new", "undated", "soon", "idle"]  # deleting it, 30 days later
    ages = {one.user: (one.age_days, one.limit, one.days_over) for one in tasks_of(tmp_path, report(*users))}
    assert ages["old"] == (900, 90, 810) and ages["soon"] == (80, 90, None)


def test_an_exempt_key_needs_nothing_and_an_override_sets_the_periods(tmp_path: Path, policy: Any) -> None:
    terms = policy(
        "max_access_key_age = 90\n"
        '[[override]]\nusers = ["svc-*"]\nmax_access_key_age = 30\n'
        '[[exemption]]\nid = "E1"\nusers = ["legacy"]\ncontrols = ["rotation"]\nreason = "old"\napproved_by = "CISO"\n'
        "expires = 2027-12-31\n"
    )
    found = tasks_of(tmp_path, report(("legacy", key(400)), ("svc-a", key(40))), terms)
    assert [one.user for one in found] == ["svc-a"]
    assert "--every 23 --grace 5 --max-age 30" in " ".join(step.command for step in found[0].steps)


def test_the_periods_of_any_limit_hold_or_there_are_none() -> None:
    for limit in range(1, 400):
        found = periods_for(limit)
        assert (found is None) == (limit < 8), limit
        if found:
            found.check()


def test_where_no_periods_fit_the_plan_says_so(tmp_path: Path, policy: Any) -> None:
    (found,) = tasks_of(tmp_path, report(("alice", key(9))), policy("max_access_key_age = 5"))
    assert "limit of 5 days" in found.steps[-2].text and "rotate by hand" in found.steps[-1].text
    assert not any("rotation deploy" in step.command for step in found.steps)


HOSTILE = ["+44=x", "-rf", "a@b.example", "a_b.c", "=cmd"]


@pytest.mark.parametrize("name", HOSTILE)
def test_the_commands_of_a_plan_are_accepted_as_they_stand(tmp_path: Path, name: str) -> None:
    found = tasks_of(tmp_path, report((name, key(100))))
    commands = [step.command for one in found for step in one.steps if step.command]
    for line in commands:
        words = shlex.split(line)
        if words[0] == "aws":
            continue
        done = command(*words[1:])
        # it gets as far as AWS, which a mistyped option would not
        assert (done.returncode, b"no AWS credentials found" in done.stderr) == (2, True), line
    kinds = [shlex.split(line)[2] for line in commands]
    assert kinds == ["get-caller-identity", "deploy", "deploy", "now", "status", "create-access-key"]


def test_a_name_with_signs_of_the_shell_is_quoted(tmp_path: Path) -> None:
    """No name that IAM allows needs it; what an odd file holds must not run either."""
    found = tasks_of(tmp_path, report(("$(reboot);x", key(100, None))))
    steps = [step for task in found for step in task.steps]
    named = [words for step in steps if "--user-name" in (words := shlex.split(step.command))]
    assert len(named) == 4 and all(words[words.index("--user-name") + 1] == "$(reboot);x" for words in named)


def piped(text: str, form: str, *options: str) -> subprocess.CompletedProcess[bytes]:
    """The plan of what is piped in now, so that nothing of it is old."""
    arguments = ("rotation", "plan", "-", "--policy", "cis", "-f", form, *options)
    return command(*arguments, stdin=text.encode(), first=PIPED)


def fresh(text: str) -> str:
    """A report of the tests' instant as one of this moment."""
    days = datetime.now(UTC) - NOW
    return re.sub(
        r"\d{4}-\d\d-\d\dT[\d:]{8}Z",
        lambda found: f"{datetime.fromisoformat(found[0]) + days:%Y-%m-%dT%H:%M:%SZ}",
        text,
    )


def test_the_command_s_outputs_agree_and_its_exit_code_tells_whether_there_is_anything_to_do() -> None:
    text = fresh(report(("=evil", key(100)), ("bob", key(200, None)), ("fine", key(3))))
    told, listed, shown = (piped(text, form) for form in ("json", "csv", "table"))
    assert [told.returncode, listed.returncode, shown.returncode] == [1, 1, 1], told.stderr
    found = json.loads(told.stdout)
    assert [(one["rank"], one["user"], one["case"]) for one in found["tasks"]] == [
        (1, "bob", "never_used"), (2, "=evil", "in_use"), (3, "bob", "delete"),
    ]  # fmt: skip
    assert found["incomplete"] == [] and found["policy"]["given"] is True
    assert found["capture_again"] == {"accounts": [], "why": None}
    assert [one["use"] for one in found["tasks"][0]["keys"]] == ["never"]
    rows = list(csv.DictReader(io.StringIO(listed.stdout.decode())))
    assert [one["user"] for one in rows] == ["bob", "'=evil", "bob"]
    assert [one["days_over"] for one in rows] == ["110", "10", ""]
    assert all(step["command"] in rows[0]["commands"] for step in found["tasks"][0]["steps"])
    # no cell runs as a whole
    assert all(one["commands"].startswith("1) ") for one in rows)
    output = shown.stdout.decode()
    assert output.startswith("3 things to do") and "fine" not in output
    assert output.index("bob") < output.index("=evil")
    for one in found["tasks"]:
        for step in one["steps"]:
            assert step["text"] in output and step["command"] in output
    assert output.count("Terraform") == output.count("--rotation captures") == 1
    # deactivating and deleting are in blocks of their own
    blocks = output.split("\n\n")
    assert not [one for one in blocks if "update-access-key" in one and "delete-access-key" in one]


def test_of_the_file_a_deployment_takes_those_whom_the_plan_advises_automatic_rotation(tmp_path: Path) -> None:
    cells = {"password_enabled": "true", "mfa_active": "true"}
    people = [row("person", key(100), **cells), row("maybe", key(100), password_enabled="true")]
    keys = {"ci": [key(100)], "soon": [key(80)], "idle": [key(100, 60)], "pair": [key(100), key(60)]}
    rows = [*people, *(row(user, *of) for user, of in keys.items())]
    listed = piped(fresh(csv_of(rows)), "csv")
    path = write(tmp_path, "plan.csv", listed.stdout)
    taken = take(str(path), read_rows(str(path)))
    assert [(one.user, one.limit) for one in taken.users] == [("ci", 90), ("soon", 90)]


def test_on_a_terminal_owner_and_name_of_the_account_are_columns_where_they_are_known(tmp_path: Path) -> None:
    """And no text from outside turns the terminal."""
    folder = capture(tmp_path / "c", [ACCOUNT], **{f"a{ACCOUNT}": report(("alice", key(100)))})
    facts = json.loads((folder / "accounts.json").read_text())
    write(folder, "accounts.json", json.dumps(facts | {"listed": [{"Id": ACCOUNT, "Name": "prod\x1b[2J"}]}))
    audit = keyaudit.audit(folder, "cis", AS_OF)
    fresh = Freshness(frozenset(), "")
    plain = as_text(audit, plan(audit), [], fresh)
    assert "Account name" in plain and "Owner" not in plain and "(111122223333, prod\\x1b[2J)" in plain
    owned = replace(audit, keys=audit.keys.assign(owner="K\x1b[1mim"))
    told = as_text(owned, plan(owned), [], fresh)
    assert "Owner" in told and "K\\x1b[1mim" in told and "\x1b" not in told


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_by_old_evidence_no_command_changes_anything(tmp_path: Path, form: str) -> None:
    """A file without a date may be of any age; piped in, but judged as of another time, it is no better."""
    users = [("a", key(100)), ("b", key(200, None)), ("c", key(100), key(60, 50)), ("d", key(80)), ("e", key(95))]
    text = report(*users)
    path = write(tmp_path, "report.csv", text)
    from_a_file = command("rotation", "plan", str(path), "--policy", "cis", "--as-of", AS_OF, "-f", form)
    for done in (from_a_file, piped(text, form, "--as-of", AS_OF)):
        output = (done.stdout + done.stderr).decode()
        assert done.returncode == 1 and "apture again before anything is changed" in output
        assert "aws iam list-access-keys --user-name b" in output
        for changing in (
            "update-access-key",
            "delete-access-key",
            "create-access-key",
            "rotation deploy",
            "now --user",
        ):
            assert changing not in output


def test_nothing_to_do_is_said_and_is_exit_0(tmp_path: Path) -> None:
    path = write(tmp_path, "report.csv", report(("fine", key(3))))
    done = command("rotation", "plan", str(path), "--policy", "cis", "--as-of", AS_OF)
    assert (done.returncode, done.stdout) == (0, b"Nothing to do: no key needs an action.\n")


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_an_account_that_was_not_seen_never_reads_as_nothing_to_do(tmp_path: Path, form: str) -> None:
    other = "444455556666"
    folder = capture(tmp_path / "c", ["111122223333", other], a111122223333=report(("fine", key(3))))
    done = command("rotation", "plan", str(folder), "--policy", "cis", "--as-of", AS_OF, "-f", form)
    assert done.returncode == 3
    assert other in (done.stdout + done.stderr).decode() and b"Nothing to do" not in done.stdout


def test_a_mistake_is_exit_2_and_one_line(tmp_path: Path) -> None:
    for arguments in (["none.csv"], [str(write(tmp_path, "x.csv", "no report"))], ["x", "--policy", "none.toml"]):
        done = command("rotation", "plan", *arguments)
        assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)


# --- the command that makes the plan once more ------------------------------------------------------------------------
CROWD = [("a", key(100)), ("b", key(100))]
HEAD = "    1) "


def again(folder: Path, *words: str) -> tuple[str, str]:
    """The first step for many users at once: its text and its command."""
    done = command("rotation", "plan", *words, cwd=folder)
    assert done.returncode == 1, done.stderr
    _, _, told = done.stdout.decode().partition("Or all 2 users of account")
    first, second = told.splitlines()[1:3]
    return first, second.removeprefix(HEAD) if second.startswith(HEAD) else ""


@pytest.mark.parametrize("name", ["p1.json", "-f.csv", "=ls", "a b$(reboot)'c.csv", "é.csv"])
def test_the_command_that_makes_the_plan_once_more_can_be_pasted(tmp_path: Path, name: str) -> None:
    write(tmp_path, name, report(*CROWD))
    options = ["--policy", "cis", "--as-of", AS_OF]
    # options after a source are given before it, and nothing after -- is an option
    for given in ([*options, "--", name], ["-f", "table", "--", name]):
        _, line = again(tmp_path, *given)
        assert f" {name}" not in line or name == "p1.json" or name[0] in "-é"
        before, redirected, file = line.rpartition(" > ")
        words = shlex.split(before)
        assert redirected and file == "plan.csv" and words[:3] == ["keyaudit", "rotation", "plan"]
        assert words[-1] == name and "table" not in words
        once_more = command(*words[1:], cwd=tmp_path)
        assert once_more.returncode == 1 and once_more.stdout.startswith(b"rank,"), once_more.stderr
        assert once_more.stdout.count(b"\n") >= 3


@pytest.mark.parametrize("name", ["p\x1b[2J.csv", "p\nkeyaudit x.csv", "p\u202e.csv"])
def test_no_command_is_printed_with_a_name_that_cannot_be_shown(tmp_path: Path, name: str) -> None:
    write(tmp_path, name, report(*CROWD))
    done = command("rotation", "plan", name, "--policy", "cis", "--as-of", AS_OF, cwd=tmp_path)
    assert name not in done.stdout.decode() and b"\x1b" not in done.stdout
    text, line = again(tmp_path, name, "--policy", "cis", "--as-of", AS_OF)
    assert line == "" and "a name in it has characters that cannot be shown" in text


def test_what_was_piped_in_is_not_waited_for_once_more(tmp_path: Path) -> None:
    write(tmp_path, "r.csv", fresh(report(*CROWD)))
    for shell in ('cat r.csv | "$0" "$@" -', 'mkfifo p; cat r.csv > p & "$0" "$@" p'):
        line = ["/bin/sh", "-c", shell, *COMMAND, "rotation", "plan", "--policy", "cis"]
        done = subprocess.run(line, capture_output=True, cwd=tmp_path, timeout=60, check=False, text=True)
        assert "must be piped in once more" in done.stdout, done.stderr
        assert f"{HEAD}keyaudit rotation plan" not in done.stdout


def test_dates_at_the_end_of_all_dates_do_not_stop_a_plan(tmp_path: Path) -> None:
    """Thirty days after the last of them there is no date. Pages show the plan, and are made of any report."""
    last = "9999-12-31T23:59:59+00:00"
    rows = [row(user, f"{told} {last} {last}") for user, told in (("active", "true"), ("inactive", "false"))]
    found = tasks_of(tmp_path, csv_of(rows))
    assert [(one.user, one.by_when) for one in found] == [("active", "now"), ("inactive", f"from {last[:19]}Z")]
