"""``keyaudit rotation plan``: the right action for each key, in a safe order, worst first, and nothing left out."""

from __future__ import annotations

import csv
import io
import json
import shlex
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import AS_OF, capture, report, write
from evidence_helpers import keyaudit as command

import keyaudit
from keyaudit.rotation.plan import Task, plan
from keyaudit.rotation.steps import periods_for

NOW = datetime.fromisoformat(AS_OF)


def key(age: float | None, used: float | None = 1, active: bool = True) -> str:
    """A key's cells: so many days old, last used so many days ago (None: never)."""
    cells = [
        f"{NOW - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}" if days is not None else "N/A" for days in (age, used)
    ]
    return " ".join([str(active).lower(), *cells])


def tasks_of(tmp_path: Path, text: str, policy: object = "cis") -> list[Task]:
    return list(plan(keyaudit.audit(write(tmp_path, "report.csv", text), policy, AS_OF)))


@pytest.mark.parametrize(
    ("keys", "cases"),
    [
        ((key(100),), ["in_use"]),
        ((key(100, None),), ["never_used"]),
        ((key(100, 60),), ["unused"]),
        ((key(50, 46),), ["unused"]),
        ((key(60, None),), ["never_used"]),
        ((key(80),), ["due_soon"]),
        ((key(70),), []),
        ((key(90),), ["due_soon"]),
        ((key(10, None),), []),
        ((key(None),), ["unknown"]),
        ((key(500, None, active=False),), []),
        ((key(20, 2), key(30, 9)), ["spare"]),
        ((key(100, 9), key(30, 1)), ["spare"]),
        ((key(100, 1), key(30, 9)), ["in_use", "spare"]),
        ((key(100, 1), key(30, None)), ["in_use", "never_used"]),
        ((key(100, 1), key(30, None, active=False)), ["in_use"]),
        ((key(100, 60), key(30, 1)), ["unused"]),
    ],
)
def test_each_key_gets_the_action_that_leaves_the_fewest_keys(
    tmp_path: Path, keys: tuple[str, ...], cases: list[str]
) -> None:
    found = tasks_of(tmp_path, report(("alice", *keys)))
    assert sorted(one.case for one in found) == cases


@pytest.mark.parametrize("root", [(key(400),), (key(400, None, active=False),), (key(2),)])
def test_a_root_key_is_deleted_and_not_rotated_and_comes_first(tmp_path: Path, root: tuple[str, ...]) -> None:
    found = tasks_of(tmp_path, report(("alice", key(4000)), root=root))
    assert [one.case for one in found] == ["root", "in_use"]
    assert found[0].user == "<root_account>" and not any("rotation" in step.command for step in found[0].steps)


def test_the_longest_overdue_comes_first_and_what_is_only_due_soon_last(tmp_path: Path) -> None:
    users = [
        ("soon", key(80)),
        ("new", key(95)),
        ("undated", key(None)),
        ("old", key(900)),
        ("idle", key(300, 200)),
    ]
    assert [one.user for one in tasks_of(tmp_path, report(*users))] == ["old", "idle", "new", "undated", "soon"]
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


@pytest.mark.parametrize("limit", range(1, 400))
def test_the_periods_of_any_limit_hold_or_there_are_none(limit: int) -> None:
    found = periods_for(limit)
    assert (found is None) == (limit < 8)
    if found:
        found.check()


def test_where_no_periods_fit_the_plan_says_so(tmp_path: Path, policy: Any) -> None:
    (found,) = tasks_of(tmp_path, report(("alice", key(9))), policy("max_access_key_age = 5"))
    assert "limit of 5 days" in found.steps[-1].text and not found.steps[-1].command


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
    assert [shlex.split(line)[2] for line in commands] == ["deploy", "deploy", "now", "status"]


def test_a_name_with_signs_of_the_shell_is_quoted(tmp_path: Path) -> None:
    """No name that IAM allows needs it; what an odd file holds must not run either."""
    (found,) = tasks_of(tmp_path, report(("$(reboot);x", key(100, None))))
    named = [words for step in found.steps if "--user-name" in (words := shlex.split(step.command))]
    assert len(named) == 3 and all(words[words.index("--user-name") + 1] == "$(reboot);x" for words in named)


def test_the_command_s_outputs_agree_and_its_exit_code_tells_whether_there_is_anything_to_do(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, "report.csv", report(("=evil", key(100)), ("bob", key(200, None)), ("fine", key(3))))
    options = ("--policy", "cis", "--as-of", AS_OF)
    told, listed, shown = (
        command("rotation", "plan", str(path), *options, "-f", form) for form in ("json", "csv", "table")
    )
    assert [told.returncode, listed.returncode, shown.returncode] == [1, 1, 1]
    found = json.loads(told.stdout)
    assert [(one["rank"], one["user"], one["case"]) for one in found["tasks"]] == [
        (1, "bob", "never_used"), (2, "=evil", "in_use"),
    ]  # fmt: skip
    assert found["as_of"] == AS_OF and found["incomplete"] == [] and found["policy"]["given"] is True
    rows = list(csv.DictReader(io.StringIO(listed.stdout.decode())))
    assert [one["user"] for one in rows] == ["bob", "'=evil"]
    assert [one["days_over"] for one in rows] == ["110", "10"]
    assert all(step["command"] in rows[0]["commands"] for step in found["tasks"][0]["steps"])
    text = shown.stdout.decode()
    assert text.startswith("2 keys need an action") and "fine" not in text
    assert text.index("bob") < text.index("=evil")
    for one in found["tasks"]:
        for step in one["steps"]:
            assert step["text"] in text and step["command"] in text


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
