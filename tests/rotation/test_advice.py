"""What is advised does no harm: the rules of the plan for each kind of user, and for any account at any time.

The observer of generated accounts knows the rules from DESIGN.md and reads the printed commands; it shares no code
with the plan.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import shlex
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import ACCOUNT, AS_OF, ROOT, capture, csv_of, examples, key, report, row, write
from evidence_helpers import keyaudit as command
from forked import PIPED
from generated import DAY, cell, policies, toml
from hypothesis import given
from hypothesis import strategies as st

import keyaudit
from keyaudit.rotation.cases import NOT_TOLD, Key, User, case_of
from keyaudit.rotation.fresh import freshness
from keyaudit.rotation.plan import Task, plan, to_do
from keyaudit.rotation.steps import steps_of

NOW = datetime.fromisoformat(AS_OF)
CASES = Path(__file__).parents[1] / "data" / "cases" / "plan"


def planned(tmp_path: Path, *rows: dict[str, str], policy: object = "cis", as_of: str = AS_OF) -> list[Task]:
    return list(plan(keyaudit.audit(write(tmp_path, "report.csv", csv_of([row(ROOT), *rows])), policy, as_of)))


def only(tasks: list[Task]) -> Task:
    """The one task that is to be done first; deleting is another, later."""
    (found,) = [one for one in tasks if "delete" not in one.case]
    return found


def commands(task: Task) -> list[str]:
    return [step.command for step in task.steps if step.command]


def told(task: Task) -> str:
    return " ".join([task.action, *(step.text for step in task.steps)])


def switches_off(task: Task) -> bool:
    return any("update-access-key" in command for command in commands(task))


# --- two active keys are one task -------------------------------------------------------------------------------------
def test_of_a_rotation_by_hand_that_is_in_progress_nothing_is_switched_off() -> None:
    source = CASES / "rotation_by_hand_in_progress.csv"
    first, later = plan(keyaudit.audit(source, "cis", "2026-11-26T04:30:00Z"))
    assert first.action == (
        "a rotation by hand is in progress: move what uses key 1 to key 2, then deactivate key 1"
    )
    assert (first.case, first.key, first.days_over, first.by_when) == ("in_progress", "key 1, key 2", 8, "now")
    assert not switches_off(first) and "leave it active" in told(first)
    # 7 days after its last use it may be deactivated at the earliest, and is deleted 30 days later
    assert (later.case, later.key, later.by_when) == ("delete", "key 1", "from 2027-01-02T03:00:00Z")
    assert not any("delete-access-key" in command for command in commands(later))


def test_a_rotation_by_hand_has_until_the_older_key_s_deadline(tmp_path: Path) -> None:
    task = only(planned(tmp_path, row("ci", key(80), key(3, 0))))
    assert (task.case, task.by_when) == ("in_progress", "2026-12-03T00:00:00Z")
    assert "both keys are in use: find the consumer of each" in task.action
    # slot order is not age order
    task = only(planned(tmp_path, row("ci", key(3, None), key(80))))
    assert "move what uses key 2 to key 1, then deactivate key 2" in task.action


def test_once_the_older_key_is_quiet_the_rotation_by_hand_can_be_finished(tmp_path: Path) -> None:
    first, later = planned(tmp_path, row("ci", key(80, 7), key(13, 0)))
    assert commands(first)[-2:] == [
        "aws iam get-access-key-last-used --access-key-id KEY_1_ID",
        "aws iam update-access-key --user-name ci --access-key-id KEY_1_ID --status Inactive",
    ]
    assert commands(later)[-1] == "aws iam delete-access-key --user-name ci --access-key-id KEY_1_ID"
    assert later.not_before == NOW + timedelta(days=30)


def test_the_sample_account() -> None:
    """Of build-agent and sofia both keys were used within hours; sofia has an MFA device."""
    tasks = {one.user: one for one in plan(keyaudit.audit()) if "delete" not in one.case}
    assert "both keys are in use: find the consumer of each" in tasks["build-agent"].action
    assert "a person's keys: aws login" in tasks["sofia"].action
    for user in ("build-agent", "sofia"):
        assert not switches_off(tasks[user]) and tasks[user].key == "key 1, key 2"
    assert {user: one.case for user, one in tasks.items()} == {
        "iot-gateway": "in_use", "tmp-migration": "never_used", "bob": "unused", "backup-restore": "in_use",
        "mail-relay": "in_use", "svc-inventory": "in_use", "partner-upload": "in_use", "kenji": "person",
        "reporting": "unused", "sofia": "person", "data-export": "due_soon", "yusuf": "person",
        "svc-billing": "due_soon", "deploy-prod": "due_soon", "deploy-staging": "due_soon",
        "build-agent": "in_progress",
    }  # fmt: skip
    assert "SMTP" in told(tasks["mail-relay"])
    assert "key 2 is Inactive" in told(tasks["deploy-staging"])


@pytest.mark.parametrize(
    ("keys", "case", "gone"),
    [
        ((key(100, 1), key(20, 1)), "both_in_use", ""),
        ((key(100, 1), key(20, None)), "two_keys", ""),
        ((key(100, 9), key(20, 1)), "both_in_use", ""),  # it may be needed once a month
        ((key(100, 1), key(60, 9)), "both_in_use", ""),  # the older first
        ((key(100, 60), key(20, 1)), "spare", "KEY_1_ID"),
        ((key(100, 1), key(60, 50)), "spare", "KEY_2_ID"),  # be it the newer
        ((key(100, 1), key(60, None)), "spare", "KEY_2_ID"),
        ((key(100, 60), key(60, None)), "unused", "KEY_1_ID KEY_2_ID"),
        ((key(100, None), key(60, None)), "never_used", "KEY_1_ID KEY_2_ID"),
        ((key(100, 60), key(13, None)), "in_progress", "KEY_1_ID"),
        ((key(100, 1), key(14, None)), "two_keys", ""),
        ((key(100, 1), key(13, None)), "in_progress", ""),
        ((key(100, 1), key(None, 1)), "unknown", ""),
        ((key(100, 60), key(None, 1)), "spare", "KEY_1_ID"),
    ],
)
def test_of_two_keys_the_idle_one_goes_and_neither_that_is_in_use(
    tmp_path: Path, keys: tuple[str, str], case: str, gone: str
) -> None:
    tasks = planned(tmp_path, row("alice", *keys))
    task = only(tasks)
    off = [shlex.split(line) for line in commands(task) if "update-access-key" in line]
    assert (task.case, " ".join(words[words.index("--access-key-id") + 1] for words in off)) == (case, gone)
    # what is deactivated is deleted by a task of its own
    assert bool(gone) <= any(one.case == "delete" for one in tasks)


def test_the_other_key_is_rotated_after_the_idle_one_and_by_hand_meanwhile(tmp_path: Path) -> None:
    task = only(planned(tmp_path, row("alice", key(100, 1), key(60, 50))))
    assert task.action == "deactivate key 2, which is not used, then rotate key 1"
    assert "rotate by hand" in told(task) and task.days_over == 10
    assert "rotate by hand" not in told(only(planned(tmp_path, row("alice", key(80, 1), key(60, 50)))))


def test_a_key_that_is_approved_to_be_idle_is_not_switched_off(tmp_path: Path, policy: Any) -> None:
    terms = policy(
        "max_access_key_age = 90\nmax_credential_usage_age = 45\nmax_active_keys = 1\n"
        '[[exemption]]\nid = "E1"\nusers = ["dr"]\ncontrols = ["unused"]\nreason = "drill"\napproved_by = "CISO"\n'
        "expires = 2027-12-31\n"
    )
    task = only(planned(tmp_path, row("dr", key(80, 60), key(30, 1)), policy=terms))
    assert not switches_off(task)
    assert not switches_off(only(planned(tmp_path, row("dr", key(100, 95)), policy=terms)))


# --- what is too early ------------------------------------------------------------------------------------------------
def test_a_policy_that_is_faster_than_that_gets_no_key_switched_off(tmp_path: Path, policy: Any) -> None:
    terms = policy("max_access_key_age = 90\nmax_credential_usage_age = 3")
    for one in (key(60, 4), key(60, 6.99), key(13.9, None), key(4, None)):
        task = only(planned(tmp_path, row("alice", one), policy=terms))
        assert (task.case, switches_off(task)) == ("wait", False)
    for one in (key(60, 7), key(14, None)):
        assert switches_off(only(planned(tmp_path, row("alice", one), policy=terms)))


def test_of_a_report_that_is_older_than_the_instant_only_its_own_time_counts(tmp_path: Path) -> None:
    """Used 6 days before the report was generated, 60 days ago: idle by the instant, but nobody has looked since."""
    text, days = report(("alice", key(200, 66))), 60
    at = {"generated_time": cell(NOW - days * DAY), "received_time": cell(NOW - days * DAY)}
    folder = capture(tmp_path / "c", [ACCOUNT], **{f"a{ACCOUNT}": text})
    facts = json.loads((folder / ACCOUNT / "capture.json").read_text())
    write(folder / ACCOUNT, "capture.json", json.dumps(facts | at))
    task = only(list(plan(keyaudit.audit(folder, "cis", AS_OF))))
    assert not switches_off(task)


@pytest.mark.parametrize("keys", [(key(None, 1),), (key(100, 1), key(None, 1))])
def test_a_key_of_unknown_age_is_captured_again_and_switched_off_by_nothing(
    tmp_path: Path, keys: tuple[str, ...]
) -> None:
    task = only(planned(tmp_path, row("alice", *keys)))
    assert (task.case, task.action) == ("unknown", "find out its age") and not switches_off(task)
    assert "Capture the account again: the report does not tell how old this key is" in told(task)
    assert ("Meanwhile rotate by hand what is overdue and in use" in told(task)) == (len(keys) == 2)


def test_unknown_use_is_not_no_use(tmp_path: Path) -> None:
    text = report(("alice", key(100, None)), ("bob", key(100, 60), key(80, None)))
    audit = keyaudit.audit(
        write(tmp_path, "r.csv", text.replace("Z,N/A,N/A,N/A", "Z,no_information,N/A,N/A")), "cis", AS_OF
    )
    alice, bob = (only([one for one in plan(audit) if one.user == user]) for user in ("alice", "bob"))
    assert alice.case == "unknown_use" and "look up its last use" in alice.action
    assert next(line for line in commands(alice) if "iam" in line).startswith("aws iam list-access-keys")
    assert not switches_off(alice) and "rotate by hand" in told(alice)
    # the other one's use is known
    assert [line.split()[-3] for line in commands(bob) if "update-access-key" in line] == ["KEY_1_ID"]


def test_every_key_that_fails_has_a_task_also_where_the_policy_allows_none(tmp_path: Path, policy: Any) -> None:
    task = only(
        planned(tmp_path, row("alice", key(3)), policy=policy("max_access_key_age = 90\nmax_active_keys = 0"))
    )
    assert (task.case, switches_off(task)) == ("not_allowed", False)


# --- persons ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("cells", "case"),
    [
        ({"password_enabled": "true", "password_last_used": cell(NOW - 90 * DAY)}, "person"),
        ({"password_enabled": "true", "password_last_used": cell(NOW - 91 * DAY)}, "ask"),
        ({"password_enabled": "true", "password_last_used": "no_information"}, "ask"),
        ({"password_enabled": "false", "mfa_active": "true"}, "person"),
        ({"password_enabled": "true", "mfa_active": "true"}, "person"),
        ({"password_enabled": "false", "password_last_used": cell(NOW - DAY)}, "ask"),
        ({"password_enabled": "false"}, "in_use"),
        ({"password_enabled": "not_supported", "mfa_active": "false"}, "in_use"),
    ],
)
def test_a_person_needs_no_key(tmp_path: Path, cells: dict[str, str], case: str) -> None:
    task = only(planned(tmp_path, row("alice", key(100), **cells)))
    assert task.case == case and "rotate by hand" in told(task)
    is_told = case in ("person", "ask") or cells["password_enabled"] == "not_supported"
    assert ("aws login" in told(task)) == is_told
    if case == "person":
        assert "Identity Center" in task.action and not any("rotation deploy" in line for line in commands(task))


def test_where_the_report_has_no_passwords_that_is_looked_up_first(tmp_path: Path) -> None:
    columns = ("user", *(f"access_key_1_{name}" for name in ("active", "last_rotated", "last_used_date")))
    columns += tuple(one.replace("_1_", "_2_") for one in columns[1:])
    task = only(
        list(
            plan(
                keyaudit.audit(write(tmp_path, "r.csv", report(("alice", key(100)), columns=columns)), "cis", AS_OF)
            )
        )
    )
    lines = commands(task)
    assert task.case == "in_use" and lines[1] == "aws iam get-login-profile --user-name alice"


def test_mail_by_ses_is_warned_of_wherever_its_key_may_change(tmp_path: Path) -> None:
    used = {"access_key_1_last_used_service": "ses"}
    for keys in ((key(100),), (key(80),), (key(100, 60),), (key(100), key(3)), (key(100), key(60, 50))):
        assert "SMTP" in told(only(planned(tmp_path, row("mail", *keys, **used))))
        assert "SMTP" not in told(only(planned(tmp_path, row("mail", *keys))))


# --- root -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("root", "cases", "off"),
    [
        ((key(400, 100),), ["root", "root_delete"], True),
        ((key(400, 1),), ["root_in_use", "root_delete"], False),
        ((key(400, None),), ["root", "root_delete"], True),
        ((key(2, None),), ["root_in_use", "root_delete"], False),
        ((key(400, None, active=False),), ["root_delete"], False),
        ((key(400, 100), key(300, 1)), ["root_in_use", "root_delete"], False),
    ],
)
def test_a_root_key_is_first_deactivated_unless_it_is_in_use_and_later_deleted(
    tmp_path: Path, root: tuple[str, ...], cases: list[str], off: bool
) -> None:
    text = report(root=root)
    found = list(plan(keyaudit.audit(write(tmp_path, "r.csv", text), "cis", AS_OF)))
    assert [one.case for one in found] == cases and not any(commands(one) for one in found)
    assert any(step.text.startswith("Deactivate") for one in found for step in one.steps) == off
    later = found[-1].not_before
    assert (later is None) == (cases == ["root_delete"]) and (later is None or later >= NOW + 30 * DAY)


# --- under automatic rotation -----------------------------------------------------------------------------------------
def a_key(name: str, age: float, used: float | None, **types: str) -> Key:
    return Key(
        name, None, True, NOW - age * DAY, None if used is None else NOW - used * DAY,
        "never" if used is None else "used", "", "", NOW, 45, limit=90, types={"rotation": "COMPLIANT", **types},
    )  # fmt: skip


OVER = {"rotation": "NON_COMPLIANT"}
IDLE = {"unused": "NON_COMPLIANT"}


@pytest.mark.parametrize(
    ("keys", "is_proved", "case", "gone"),
    [
        ([a_key("key 1", 100, 1, **OVER), a_key("key 2", 20, 1)], True, "replaced", []),
        ([a_key("key 1", 100, 9, **OVER), a_key("key 2", 20, 1)], True, "replaced", ["key 1"]),
        # the secret may hold the older one: somebody may have made a key by hand
        ([a_key("key 1", 100, 9, **OVER), a_key("key 2", 20, 1)], False, "untold", []),
        # consumers did not move: what the secret holds is not "the idle one"
        ([a_key("key 1", 100, 1, **OVER), a_key("key 2", 60, 50, **IDLE)], True, "replaced", []),
        ([a_key("key 1", 100, 1, **OVER)], True, "stalled", []),
        ([a_key("key 1", 60, None, **IDLE)], True, "unread", []),
        ([a_key("key 1", 60, 50, **IDLE)], False, "unread", []),
    ],
)
def test_what_a_secret_under_rotation_holds_is_never_switched_off(
    keys: list[Key], is_proved: bool, case: str, gone: list[str]
) -> None:
    newest = max(one.made for one in keys if one.made)
    user = User(
        ACCOUNT, "svc", False, tuple(keys), "program", len(keys) > 1, NOW, rotated=newest, is_proved=is_proved
    )
    found = case_of(user)
    assert found and (found.name, [one.name for one in found.gone]) == (case, gone)
    lines = [step.command for step in steps_of(found, user) if "update-access-key" in step.command]
    assert len(lines) == len(gone)


# --- names ------------------------------------------------------------------------------------------------------------
def test_a_name_that_could_turn_a_terminal_is_in_no_command() -> None:
    user = User(ACCOUNT, "a\x1b[2Jb", False, (a_key("key 1", 100, 60, **OVER),), NOT_TOLD, False, NOW)
    case = case_of(user)
    assert case and [step.command for step in steps_of(case, user)] == [""] * 4


# --- any account, at any time -----------------------------------------------------------------------------------------
NAMES = ("alice", "-rf", "+44=x", "a'b", "$(reboot)", "svc-1", "NA")
#: seconds around the days at which advice changes
EDGES = st.sampled_from([0, 6, 7, 8, 13, 14, 15, 30, 44, 45, 46, 76, 89, 90, 91, 400]).flatmap(
    lambda days: st.sampled_from([-1, 0, 1, 40_000]).map(lambda seconds: timedelta(days=days, seconds=seconds))
)
AGES = EDGES | st.integers(-3 * 86400, 120 * 86400).map(lambda seconds: timedelta(seconds=seconds))


@dataclass(frozen=True)
class Fact:
    """A key as it was generated."""

    is_active: bool
    made: datetime | None
    used: datetime | None
    is_use_known: bool

    def cells(self) -> str:
        made = cell(self.made) if self.made else "N/A"
        used = cell(self.used) if self.used else "N/A" if self.is_use_known else "no_information"
        return f"{str(self.is_active).lower()} {made} {used}"

    def was_used(self) -> bool:
        return self.used is not None and (self.made is None or self.used >= self.made)

    def may_go(self, seen: datetime) -> bool:
        """The rule: not used within 7 days, and if not used so far, not younger than 14."""
        if not self.is_active or not self.is_use_known:
            return False
        if self.used is not None and seen - self.used < 7 * DAY:
            return False
        return self.was_used() or (self.made is not None and seen - self.made >= 14 * DAY)


@st.composite
def facts(draw: st.DrawFn) -> Fact:
    moments = AGES.map(lambda age: NOW - age)
    used = draw(st.one_of(moments, moments, st.none()))
    made = draw(st.one_of(moments, moments, moments, moments, st.none()))
    return Fact(draw(st.integers(0, 5)) > 0, made, used, used is not None or draw(st.integers(0, 2)) > 0)


#: user -> its two keys, a console password's cells, the service that was used last
People = dict[str, tuple[list[Fact], dict[str, str]]]


@st.composite
def people(draw: st.DrawFn) -> People:
    found: People = {}
    for user in draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=4)):
        cells = {
            "password_enabled": draw(st.sampled_from(["true", "false", "not_supported"])),
            "password_last_used": draw(st.sampled_from(["N/A", "no_information", cell(NOW - 89 * DAY), cell(NOW - 91 * DAY)])),
            "mfa_active": draw(st.sampled_from(["true", "false", "false"])),
            "access_key_1_last_used_service": draw(st.sampled_from(["ses", "s3", "N/A"])),
        }  # fmt: skip
        found[user] = draw(st.lists(facts(), max_size=2)), cells
    return found


def evidence(found: People, root: list[Fact], generated: datetime | None) -> str:
    rows = [row(ROOT, *(one.cells() for one in root))]
    rows += [row(user, *(one.cells() for one in keys), **cells) for user, (keys, cells) in found.items()]
    content = csv_of(rows)
    if generated is None:
        return content
    encoded = base64.b64encode(content.encode()).decode()
    return json.dumps({"Content": encoded, "ReportFormat": "text/csv", "GeneratedTime": cell(generated)})


def subject(words: list[str]) -> int:
    """The slot of the key that a command is about."""
    return int(words[words.index("--access-key-id") + 1].removeprefix("KEY_").removesuffix("_ID"))


@given(
    found=people(),
    root=st.lists(facts(), max_size=1),
    late=st.sampled_from([None, timedelta(0), timedelta(hours=20), 5 * DAY, 40 * DAY, -DAY]),
    terms=policies(),
)
@examples(250)
def test_no_advice_breaks_the_rules(
    tmp_path: Path, found: People, root: list[Fact], late: timedelta | None, terms: dict[str, Any]
) -> None:
    generated = None if late is None else NOW - late
    seen = NOW if generated is None else min(NOW, generated)
    source = write(tmp_path, "report", evidence(found, root, generated))
    audit = keyaudit.audit(source, write(tmp_path, "policy.toml", toml(terms)), AS_OF)
    tasks = plan(audit)
    for task in tasks:
        keys = root if task.user == ROOT else found[task.user][0]
        _one_task_does_no_harm(task, keys, seen)
    doing = Counter(task.user for task in tasks if "delete" not in task.case)
    assert set(doing.values()) <= {1}
    _nothing_is_left_out(audit, tasks, found)


def _one_task_does_no_harm(task: Task, keys: list[Fact], seen: datetime) -> None:
    lines = [shlex.split(step.command) for step in task.steps if step.command]
    assert all(step.changes for step in task.steps if step.command and not is_harmless(step.command))
    assert task.user != ROOT or not lines
    assert not lines or lines[0][:3] == ["aws", "sts", "get-caller-identity"]
    for before, words in zip([[], *lines], lines, strict=False):
        for name in ("--user-name", "--user"):
            values = [word.partition("=")[2] for word in words if word.startswith(f"{name}=")]
            values += [value for option, value in pairwise(words) if option == name]
            assert set(values) <= {task.user}
        if words[2] in ("update-access-key", "delete-access-key"):
            fact = keys[subject(words) - 1]
            # what somebody has deactivated already is deleted only in a task of its own
            is_left = task.case == "delete_inactive" and not fact.is_active
            assert fact.may_go(seen) or is_left, (task.action, fact)
            assert before[2] == "get-access-key-last-used" and subject(before) == subject(words)
    kinds = {words[2] for words in lines}
    assert not {"update-access-key", "delete-access-key"} <= kinds
    if task.case == "delete_inactive":
        left = [one for one in keys if not one.is_active and one.made]
        known = [moment for one in left for moment in (one.made, one.used) if moment]
        assert not known or (task.not_before or NOW) >= max(known) + 30 * DAY
    elif "delete" in task.case and task.not_before:
        assert task.not_before >= NOW + 30 * DAY
        subjects = [keys[int(one.name.removeprefix("key ")) - 1] for one in task.keys]
        assert all(one.used is None or task.not_before >= one.used + 37 * DAY for one in subjects if one.is_active)
    active = [one for one in keys if one.is_active]
    if task.case == "both_in_use":
        assert all(one.was_used() for one in active)
    if task.case in ("both_in_use", "two_keys", "unknown", "unknown_use", "person", "ask", "in_use", "due_soon"):
        assert not {"update-access-key", "delete-access-key"} & kinds
    if task.case in ("in_use", "due_soon", "never_used", "person", "ask") and len(task.keys) == 1:
        assert len(active) == 1
    if task.case in ("never_used", "root", "unused", "spare"):
        named = {one.name for one in task.keys}
        assert any(one.may_go(seen) for number, one in enumerate(keys, 1) if f"key {number}" in named)


def is_harmless(command: str) -> bool:
    words = shlex.split(command)
    return words[2].startswith(("get-", "list-")) or words[:3] == ["keyaudit", "rotation", "status"]


def _nothing_is_left_out(audit: keyaudit.Audit, tasks: tuple[Task, ...], found: People) -> None:
    """Whoever has a key that fails has a task, and who has none that fails, is unknown, due soon or inactive has
    none. Where no period is defined, no key fails by its age."""
    findings = audit.findings[audit.findings["user"].notna()]
    if audit.policy.max_access_key_age is None:
        findings = findings[findings["control"] != "rotation"]
    fails = set(findings[findings["compliance_type"] == "NON_COMPLIANT"]["user"])
    unknown = findings[
        (findings["compliance_type"] == "INSUFFICIENT_DATA") & findings["control"].isin(["rotation", "unused"])
    ]
    left = {user for user, (keys, _) in found.items() if any(not one.is_active and one.made for one in keys)}
    assert left <= {one.user for one in tasks if one.case == "delete_inactive"}
    soon = audit.keys[
        (audit.keys["compliance_type"] == "COMPLIANT") & (audit.keys["due"] <= NOW + audit.policy.warn_before * DAY)
    ]
    assert fails <= {one.user for one in tasks} <= fails | set(unknown["user"]) | set(soon["user"]) | left
    over = findings[(findings["control"] == "rotation") & (findings["compliance_type"] == "NON_COMPLIANT")]
    for user, slot in zip(over["user"], over["key_slot"], strict=True):
        fact = found[user][0][int(slot) - 1] if user in found else None
        if fact and fact.was_used() and fact.used and NOW - fact.used < 7 * DAY:
            (task,) = [one for one in tasks if one.user == user and "delete" not in one.case]
            assert "otate by hand" in told(task) or task.case == "in_progress"


# --- fresh enough to change anything? ---------------------------------------------------------------------------------
def dated(tmp_path: Path, generated: datetime | None, as_of: str = "") -> keyaudit.Audit:
    found: People = {"alice": ([Fact(True, NOW - 100 * DAY, None, True)], {})}
    return keyaudit.audit(write(tmp_path, "report", evidence(found, [], generated)), "cis", as_of)


def test_evidence_over_24_hours_old_changes_nothing(tmp_path: Path) -> None:
    audit = dated(tmp_path, NOW)
    assert not freshness(audit, NOW + timedelta(hours=24)).old
    fresh = freshness(audit, NOW + timedelta(hours=24, seconds=1))
    assert fresh.old == {ACCOUNT} and "Capture again" in fresh.sentence and AS_OF in fresh.sentence
    assert freshness(audit, NOW - timedelta(minutes=6)).old == {ACCOUNT}  # from the future: whose clock is wrong?


def test_an_instant_that_is_not_now_changes_nothing(tmp_path: Path) -> None:
    for as_of in (NOW - 2 * DAY, NOW + DAY):
        assert freshness(dated(tmp_path, NOW, cell(as_of)), NOW).old == {ACCOUNT}


def test_an_undated_file_changes_nothing_but_what_is_piped_in_does(tmp_path: Path) -> None:
    audit = dated(tmp_path, None)
    now = datetime.now(UTC)
    assert freshness(audit, now).old == {ACCOUNT}
    (one,) = audit.provenance
    assert one.origin
    typed = replace(one, origin=replace(one.origin, path=None, content=b"x"))
    assert freshness(replace(audit, provenance=(typed,)), now).old == {ACCOUNT}
    piped = replace(one, origin=replace(one.origin, path=None, content=b"x", is_piped=True))
    assert freshness(replace(audit, provenance=(piped,)), now).old == {ACCOUNT}  # its newest date is of August
    piped = replace(piped, newest_date=now - 44 * DAY)
    assert not freshness(replace(audit, provenance=(piped,)), now).old


def test_a_report_that_is_piped_in_and_not_of_today_by_its_own_dates_changes_nothing(policy: Any) -> None:
    """Nobody generated it just now. One of an account that is quiet may be of this moment, and is as good as any."""
    moment = datetime.now(UTC)

    def told(newest: int, terms: object = "cis", hours: float = 0) -> str:
        used = cell(moment - newest * DAY)
        text = report(("svc", f"true {cell(moment - 200 * DAY)} {used}"), ("spare", f"true {used} N/A"))
        text = text.replace("2023-01-01T00:00:00Z", cell(moment - 210 * DAY))
        if hours:
            answer = {"Content": base64.b64encode(text.encode()).decode(), "ReportFormat": "text/csv"}
            text = json.dumps(answer | {"GeneratedTime": cell(moment - timedelta(hours=hours))})
        words = ("rotation", "plan", "-", "--policy", terms)
        return command(*words, stdin=text.encode(), first=PIPED).stdout.decode()

    changes = ("update-access-key", "rotation deploy", "create-access-key")
    for newest in (1, 30, 44):
        assert "apture again" not in told(newest) and any(one in told(newest) for one in changes)
    old = told(46)
    assert "apture again" in old and "nothing after" in old and not any(one in old for one in changes)
    # 90 days are the only limit
    lax = policy("max_access_key_age = 90\ncontrols = ['rotation']")
    assert "apture again" not in told(46, lax) and "apture again" in told(91, lax)
    # what the policy calls stale is old as well
    strict = policy("max_access_key_age = 90\nmax_credential_usage_age = 45\nmax_report_age_hours = 5")
    assert "apture again" not in told(60, strict, 4.9)
    assert "over 5 hours ago" in told(60, strict, 5.1) and "apture again" not in told(60, "cis", 5.1)


def test_the_sample_is_never_old() -> None:
    assert not freshness(keyaudit.audit(), NOW + 4000 * DAY).old


# --- the table of a report --------------------------------------------------------------------------------------------
def test_owner_and_name_of_the_account_are_columns_where_they_are_known(tmp_path: Path) -> None:
    folder = capture(tmp_path / "c", [ACCOUNT], **{f"a{ACCOUNT}": report(("alice", key(100, 60)))})
    assert "Owner" not in to_do(keyaudit.audit(folder, "cis", AS_OF)).columns
    facts = json.loads((folder / "accounts.json").read_text())
    write(folder, "accounts.json", json.dumps(facts | {"listed": [{"Id": ACCOUNT, "Name": "prod\x1b[2J"}]}))
    audit = keyaudit.audit(folder, "cis", AS_OF)
    owned = replace(audit, keys=audit.keys.assign(owner="Kim"))
    table = to_do(owned)
    cells = [dict(zip(table.columns, one, strict=True)) for one in table.rows]
    called = f"prod\\x1b[2J ({ACCOUNT})"
    assert [(one["Account"], one["Owner"], one["Key"], one["By when"]) for one in cells] == [
        (called, "Kim", "key 1", "now"), (called, "Kim", "key 1", "from 2026-12-23T00:00:00Z"),
    ]  # fmt: skip
    assert len(table.columns) == len(table.rows[0]) and table.caption == "2 things to do, worst first"


def test_nothing_to_do_is_an_empty_table(tmp_path: Path) -> None:
    audit = keyaudit.audit(write(tmp_path, "r.csv", report(("fine", key(3)))), "cis", AS_OF)
    assert to_do(audit).rows == ()


# --- what was found by following it -----------------------------------------------------------------------------------
def test_of_two_keys_a_row_of_the_file_tells_the_dates_of_each(tmp_path: Path) -> None:
    """Found by the dates of the row, which are the worse of both, the key in use would be switched off."""
    source = write(tmp_path, "r.csv", report(("svc", key(100, 20), key(80, 60))))
    done = command("rotation", "plan", source, "--policy", "cis", "--as-of", AS_OF, "-f", "csv")
    first = next(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert first["action"].startswith("deactivate key 2")
    for number, made, used in ((1, 100, 20), (2, 80, 60)):
        made_at, used_at = (cell(NOW - days * DAY) for days in (made, used))
        assert f"key {number} (Active, made {made_at}, last used {used_at})" in first["keys"]


def test_a_file_on_standard_input_is_no_pipe() -> None:
    now = datetime.now(UTC)
    busy = f"true {cell(now - 3 * DAY)} {cell(now - DAY)}"
    text = report(("svc", f"true {cell(now - 130 * DAY)} {cell(now - 80 * DAY)}"), ("busy", busy))
    words = ("rotation", "plan", "-", "--policy", "skshieldus")
    lines = {
        way: command(*words, stdin=text.encode(), first=first).stdout.decode()
        for way, first in {"file": "", "pipe": PIPED}.items()
    }
    assert "Capture again" in lines["file"] and "update-access-key" not in lines["file"]
    assert "Capture again" not in lines["pipe"] and "update-access-key" in lines["pipe"]


def test_unknown_use_is_something_to_look_up(tmp_path: Path) -> None:
    text = report(("svc", key(60, None))).replace("Z,N/A,N/A,N/A", "Z,no_information,N/A,N/A")
    task = only(list(plan(keyaudit.audit(write(tmp_path, "r.csv", text), "cis", AS_OF))))
    assert (task.case, task.action) == ("look_up", "look up its last use, which is unknown")
    assert not switches_off(task) and "capture again" in told(task) and "leave it active" in told(task)


def test_an_inactive_key_is_deleted_in_the_end_and_not_at_once(tmp_path: Path) -> None:
    """Thirty days after it was deactivated nothing else would remember it."""
    for made, used, start in ((400, 100, None), (100, 10, 20), (5, None, 25)):
        (task,) = planned(tmp_path, row("svc", key(made, used, active=False)))
        assert task.case == "delete_inactive" and task.not_before == (NOW + start * DAY if start else None)
        assert commands(task)[-1] == "aws iam delete-access-key --user-name svc --access-key-id KEY_1_ID"
        assert "has been for 30 days (CloudTrail" in told(task)
    # one beside a key in use is no longer in its way for ever
    assert {one.case for one in planned(tmp_path, row("svc", key(100, 1), key(300, 200, active=False)))} == {
        "in_use", "delete_inactive",
    }  # fmt: skip


def test_an_instant_that_is_not_now_changes_nothing_whatever_else_is_old(tmp_path: Path) -> None:
    audit = dated(tmp_path, NOW, cell(NOW - 13 * DAY))
    (one,) = audit.provenance
    old = replace(one, account_id="444455556666", generated_time=NOW - 5 * DAY)
    found = freshness(replace(audit, provenance=(one, old)), NOW)
    assert found.old == {ACCOUNT, "444455556666"} and "which is not now" in found.sentence


def test_commands_are_left_out_for_the_accounts_whose_evidence_is_old_and_these_are_named(tmp_path: Path) -> None:
    audit = dated(tmp_path, NOW)
    (one,) = audit.provenance
    old = replace(one, account_id="444455556666", generated_time=NOW - 5 * DAY)
    some = freshness(replace(audit, provenance=(one, old)), NOW)
    assert some.old == {"444455556666"} and some.sentence.endswith("are left out for 444455556666.")
    everyone = freshness(replace(audit, provenance=(replace(old, account_id=ACCOUNT), old)), NOW)
    assert everyone.old == {ACCOUNT, "444455556666"} and everyone.sentence.endswith("anything are left out.")


def test_where_no_period_is_defined_the_policy_is_what_is_to_be_mended(tmp_path: Path, policy: Any) -> None:
    terms = policy("max_credential_usage_age = 45")
    source = write(tmp_path, "r.csv", report(("bob", key(10, 1)), ("eve", key(500, 1))))
    done = command("rotation", "plan", source, "--policy", terms, "--as-of", AS_OF)
    assert done.returncode == 1 and "set one first" in done.stdout.decode()
    assert "create-access-key" not in done.stdout.decode() and "automatic rotation" not in done.stdout.decode()


@pytest.mark.parametrize("days", [1, 2])
def test_a_limit_that_no_rotation_keeps_is_kept_by_hand(tmp_path: Path, policy: Any, days: int) -> None:
    task = only(planned(tmp_path, row("svc", key(60, 1)), policy=policy(f"max_access_key_age = {days}")))
    assert task.action == "rotate by hand: no automatic rotation keeps so short a limit"
    assert f"a limit of {days} day{'s' if days > 1 else ''}:" in told(
        task
    ) and "keyaudit rotation deploy" not in told(task)


PASSWORD = {"password_enabled": "true", "password_last_used": cell(NOW - DAY), "mfa_active": "true"}


def test_beside_a_spare_key_a_person_s_key_is_no_key_to_rotate(tmp_path: Path) -> None:
    task = only(planned(tmp_path, row("alice", key(100, 60), key(80, 1), **PASSWORD)))
    assert task.case == "spare" and "key 2 is a person's key: aws login" in task.action
    assert "Then rotate" not in told(task)


@pytest.mark.parametrize(("first", "second"), [((100, 60), (20, 1)), ((100, 1), (80, 1)), ((100, 1), (5, 1))])
def test_where_no_key_is_allowed_none_is_rotated(
    tmp_path: Path, policy: Any, first: tuple[int, int], second: tuple[int, int]
) -> None:
    terms = policy("max_access_key_age = 90\nmax_active_keys = 0")
    task = only(planned(tmp_path, row("svc", key(*first), key(*second)), policy=terms))
    assert "a role: the policy allows no key" in task.action and "rotate" not in task.action
    assert "move what uses" not in task.action


def test_a_stalled_rotation_of_a_key_that_sends_mail_is_said_to_be_one() -> None:
    one = replace(a_key("key 1", 100, 1, **OVER), service="ses")
    user = User(ACCOUNT, "mailer", False, (one,), "program", False, NOW, rotated=one.made, is_proved=True)
    found = case_of(user)
    assert found and found.name == "stalled"
    steps = [step.text for step in steps_of(found, user)]
    assert next(i for i, text in enumerate(steps) if "SMTP" in text) < next(
        i for i, text in enumerate(steps) if "Mend what stopped it" in text
    )


def test_what_the_plan_rests_on_is_said_first(tmp_path: Path, policy: Any) -> None:
    source = write(tmp_path, "r.csv", report(("svc", key(100, 1))))
    said = {
        "o policy was given": ["--policy", ""],
        "in force": ["--policy", policy("max_access_key_age = 90\neffective = 2031-01-01")],
    }
    for words, options in said.items():
        for form in ("table", "json", "csv"):
            done = command("rotation", "plan", source, "--as-of", AS_OF, *options, "-f", form)
            assert words in (done.stderr if form == "csv" else done.stdout).decode(), (words, form)
    sample = command("rotation", "plan", Path(keyaudit.sources.sample())).stdout.decode()
    assert sample.startswith("SAMPLE DATA")


def test_a_use_of_before_it_was_made_is_not_a_use_of_this_key(tmp_path: Path) -> None:
    (_, first) = sorted(planned(tmp_path, row("svc", key(60, 70))), key=lambda one: one.case)
    assert first.case == "never_used" and first.keys[0].use == "never"
    done = command("rotation", "plan", write(tmp_path, "s.csv", report(("svc", key(60, 70)))), "--as-of", AS_OF)
    assert "the use on" in done.stdout.decode() and "was before it was made" in done.stdout.decode()


def test_two_keys_are_deleted_in_words_for_two(tmp_path: Path) -> None:
    later = next(one for one in planned(tmp_path, row("svc", key(100, 60), key(80, None))) if one.case == "delete")
    assert later.action == "delete key 1 and key 2, 30 days after they were deactivated"
    assert "The ids are to be put in for KEY_1_ID and KEY_2_ID" in told(later)


def test_a_name_that_zsh_would_expand_is_quoted(tmp_path: Path) -> None:
    task = only(planned(tmp_path, row("=ls", key(100, 1))))
    assert "aws iam create-access-key --user-name '=ls'" in commands(task)


def test_the_table_of_tasks_which_pages_show_for_years_says_to_look_again_first() -> None:
    a = keyaudit.audit()
    assert "Before a key is switched off or deleted, fetch a new report" in repr(keyaudit.to_do(a))
