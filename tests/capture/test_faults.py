"""What AWS does to a capture, over HTTP: every call, every fault. Either everything was read in the end and the verdict
is right, or it is INSUFFICIENT_DATA and the reason names the call; never COMPLIANT on missing data, never half a
folder, never a hang, never a secret. The table of outcomes is printed at the end of the test run (conftest.py).
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from aws import MANAGEMENT, Aws, Fault, Scenario, aws  # noqa: F401
from conftest import FAULTS_PROPERTY, IS_NIGHTLY
from evidence_helpers import wait_for
from faults import PAGED
from live_helpers import (
    HURRIED,
    Ended,
    World,
    account_of_a_role,
    facts_of,
    folders,
    is_all_there,
    killed,
    one_account,
    organization,
    run,
    run_each,
    secrets_in,
    started,
    what_is_wrong,
)

#: the runs are not measured, and measuring the emulator would double what it costs
pytestmark = pytest.mark.no_cover
POOL = 8  # processes at a time: they sleep, most of the time
MARGIN = 15  # seconds for starting the process and judging, on a machine with other work
GRACE = 0.5  # seconds that keyaudit gives to what notices the deadline by itself
#: seconds an account, where the fault goes away, or ends the matter; pauses are over at once there
PATIENT = 40
#: seconds an account, where a fault lasts until the deadline
SHORT = 4

#: name of a fault in the table -> its kind, how often it strikes (None: for ever), deadline
FAULTS: dict[str, tuple[str, int | None, float]] = {
    "throttle 3": ("throttle", 3, PATIENT),
    "throttle": ("throttle", None, SHORT),
    "500 2": ("error500", 2, PATIENT),
    "503": ("error503", None, PATIENT),
    "reset before 1": ("reset_before", 1, PATIENT),
    "reset after 1": ("reset_after", 1, PATIENT),
    "reset before": ("reset_before", None, PATIENT),
    "truncate 1": ("truncate", 1, PATIENT),
    "truncate": ("truncate", None, PATIENT),
    "malformed 1": ("malformed", 1, PATIENT),
    "malformed": ("malformed", None, PATIENT),
    "empty": ("empty", None, PATIENT),
    "stall 1": ("stall", 1, 8),
    "stall": ("stall", None, SHORT),
    "slow": ("slow", None, PATIENT),
    "drip": ("drip", None, SHORT),
    "denied": ("denied", None, PATIENT),
    "expired": ("expired", None, PATIENT),
    "invalid": ("invalid", None, PATIENT),
    "endless": ("endless", None, PATIENT),
    "endless new": ("endless_new", None, SHORT),
    "in progress": ("in_progress", None, SHORT),
    "limited": ("limited", None, SHORT),
}
#: faults that go away, or only take time
PASSING = {name for name, (_, times, _) in FAULTS.items() if times is not None} | {"slow"}
#: faults that end a call for good, before the deadline; the others end with it
QUICK = {name for name, (_, times, deadline) in FAULTS.items() if times is None and deadline == PATIENT} - {"slow"}
#: what only GenerateCredentialReport answers
OF_GENERATING = {"in progress", "limited"}
#: credentials that are no longer good for one call are good for none that follows
CREDENTIALS = {"expired", "invalid"}
SOME = ("throttle 3", "stall 1", "reset after 1", "truncate", "stall", "drip", "denied", "expired")

READ, NOTED, MISSING, FAILING = "ok", "note", "miss", "fail"
EXITS = {
    READ: (0, "COMPLIANT"),
    NOTED: (0, "COMPLIANT"),
    MISSING: (3, "INSUFFICIENT_DATA"),
    FAILING: (1, "NON_COMPLIANT"),
}
LEGEND = (
    "ok    exit 0, COMPLIANT: everything was read",
    "note  exit 0, COMPLIANT: everything needed was read, and it is said which call told nothing",
    "miss  exit 3, INSUFFICIENT_DATA: the reason names the call",
    "fail  exit 1, NON_COMPLIANT: a key is overdue, whatever else is missing, and the reason names the call",
    "The number tells how often the fault struck.  !  not as expected;  .  does not apply, or was not tried",
    "A fault without a number lasts for ever (expired, invalid: from that call on).",
)


@dataclass(frozen=True)
class Place:
    """A call to be struck. ``after``: how many of them go well before; ``begins``: whether it comes before any account,
    with a deadline of its own; ``faults``: those to be tried, empty for all."""

    name: str
    operation: str
    make: Callable[[], World] = one_account
    after: int = 0
    begins: bool = False
    faults: tuple[str, ...] = ()

    @property
    def api(self) -> str:
        services = {"ListAccounts": "organizations", "AssumeRole": "sts", "GetCallerIdentity": "sts"}
        return f"{services.get(self.operation, 'iam')}:{self.operation}"

    def tried(self) -> list[str]:
        no = {"endless", "endless new"} if self.operation not in PAGED else set()
        no |= OF_GENERATING if self.operation != "GenerateCredentialReport" else set()
        names = [name for name in self.faults or FAULTS if name not in no]
        # but for a nightly run, each sixth fault of a call, so that each is tried at about a sixth of the calls
        return names if IS_NIGHTLY else names[PLACES.index(self) % 6 :: 6]

    def fault(self, name: str, world: World, before: list[str]) -> Fault:
        """``before``: the operations of a run without faults."""
        kind, times, _ = FAULTS[name]
        # the calls of several accounts have no order
        if name in CREDENTIALS and self.operation != "AssumeRole":
            return Fault("*", kind, after=before.index(self.operation) + self.after)
        after = 0 if name.startswith("endless") else self.after
        account = world.member if self.operation == "AssumeRole" else None
        return Fault(self.operation, kind, times, after, account=account)


def expected(place: Place, fault: str) -> str:
    """What must come of it."""
    # the report that is there is not waited for, however soon AWS might make another
    if fault == "limited":
        return NOTED
    if fault in PASSING:
        return READ
    if place.name == "ListAccessKeys, a key overdue":
        return FAILING
    if place.operation in ("ListAccountAliases", "GetAccountAuthorizationDetails"):  # for people; the last calls
        return NOTED
    # a report that somebody else had made, if it is young enough, is as good
    if place.operation == "GenerateCredentialReport" and fault in QUICK - CREDENTIALS:
        return NOTED
    return MISSING


#: where there are pages, the second is struck; where there are users, the third
PLACES = (
    Place("GetCallerIdentity", "GetCallerIdentity", begins=True),
    Place("ListAccountAliases", "ListAccountAliases"),
    Place("GenerateCredentialReport", "GenerateCredentialReport"),
    Place("GetCredentialReport", "GetCredentialReport"),
    Place("GetAccountSummary", "GetAccountSummary"),
    Place("ListUsers", "ListUsers", after=1),
    Place("ListAccessKeys", "ListAccessKeys", after=2),
    Place("GetAccountAuthorizationDetails", "GetAccountAuthorizationDetails", after=1),
    Place("ListAccounts", "ListAccounts", organization, after=1, begins=True),
    Place("AssumeRole of a member", "AssumeRole", organization),
    Place("GetCallerIdentity, organization", "GetCallerIdentity", organization, begins=True, faults=SOME),
    Place("AssumeRole by --role-arn", "AssumeRole", account_of_a_role, begins=True, faults=SOME),
    Place(
        "ListAccessKeys, a key overdue",
        "ListAccessKeys",
        partial(one_account, overdue=True),
        faults=("truncate", "stall", "denied", "expired"),
    ),
)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name.replace(" ", "-"))
def test_every_fault_of_a_call_ends_in_the_right_verdict_or_none(
    aws: Aws,  # noqa: F811
    tmp_path: Path,
    place: Place,
    record_property: Callable[[str, object], None],
) -> None:
    aws.reset()
    world = place.make()

    def check(scenario: Scenario, name: str, deadline: float) -> tuple[Scenario, list[object], str]:
        options = ("--policy", "cis", "-f", "json", "--deadline", deadline, "--capture", tmp_path / name)
        return scenario, ["check", *options, *world.options], HURRIED if deadline == PATIENT else ""

    calm = world.scenario(aws)
    _, arguments, _ = check(calm, "calm", PATIENT)
    ended = run(calm, *arguments)
    assert (ended.code, is_read(tmp_path / "calm", world)) == (1 if "overdue" in place.name else 0, True), ended.err
    names = place.tried()
    met = {name: world.scenario(aws, [place.fault(name, world, calm.operations)]) for name in names}
    if "endless new" in met:
        met["endless new"].latency = 0.05  # else it would be asked, and answered, a thousand times
    done = run_each(POOL, lambda name: check(met[name], name, FAULTS[name][2]), names)
    wrong, cells = [], {}
    for name, ended in zip(names, done, strict=True):
        outcome, struck = expected(place, name), met[name].struck.total()
        found = [
            *what_is_off(ended, outcome, place.api),
            *unsound(tmp_path / name, world, ended),
            *has_read(tmp_path / name, world, outcome, place),
            *takes_too_long(ended, FAULTS[name][2] * (2 if place.begins else 1)),
            *([] if struck else ["the fault never struck"]),
        ]
        wrong += [f"{place.name}, {name}: {what}" for what in found]
        cells[name] = f"{'!' if found else ''}{shown(ended, outcome)} {struck}"
    told = {"number": PLACES.index(place) + 1, "name": place.name, "cells": cells}
    record_property(FAULTS_PROPERTY, json.dumps({**told, "rows": list(FAULTS), "legend": LEGEND}))
    assert not wrong, "\n".join(wrong)


def is_read(folder: Path, world: World) -> bool:
    return all(is_all_there(folder, account) for account in world.accounts.values())


def what_is_off(ended: Ended, outcome: str, api: str) -> list[str]:
    """What in exit code, verdict and reason is not as it must be."""
    found = []
    code, conclusion = EXITS[outcome]
    judged = ended.judged
    if (ended.code, judged.get("conclusion")) != (code, conclusion):
        found.append(
            f"exit {ended.code}, {judged.get('conclusion')}, not {code}, {conclusion}; {ended.err.strip()}"
        )
    problems = [text for account in judged.get("accounts", []) for text in account["problems"]]
    if outcome in (MISSING, FAILING) and not any(api in text for text in [*problems, ended.err]):
        found.append(f"the reason does not name {api}: {problems}; {ended.err.strip()}")
    if outcome == NOTED and api not in ended.err + str(judged.get("notes")):
        found.append(f"no note names {api}: {ended.err.strip()}")
    if outcome in (READ, NOTED) and problems:
        found.append(f"problems of what was read in the end: {problems}")
    return found


def unsound(folder: Path, world: World, ended: Ended) -> list[str]:
    """What is wrong with the folder and the output, whatever the verdict."""
    found = [*what_is_wrong(folder, world), *(f"a secret in {name}" for name in secrets_in(folder, ended))]
    if "Traceback" in ended.err or "itself failed" in ended.err:
        found.append(ended.err)
    return found


def has_read(folder: Path, world: World, outcome: str, place: Place) -> list[str]:
    """Whether everything was read, by the bytes; who asks may be unknown for all that."""
    everything = is_read(folder, world)
    may_be_either = outcome == MISSING and place.operation == "GetCallerIdentity"
    return (
        [] if may_be_either or everything == (outcome in (READ, NOTED)) else [f"everything was read: {everything}"]
    )


def takes_too_long(ended: Ended, deadline: float) -> list[str]:
    most = deadline + GRACE + MARGIN
    return [f"took {ended.seconds:.1f} s, at most {most} s were allowed"] if ended.seconds > most else []


def shown(ended: Ended, outcome: str) -> str:
    """The outcome expected, if it came, else one with this exit code, else the code."""
    return next((one for one in (outcome, *EXITS) if EXITS[one][0] == ended.code), str(ended.code))


def test_the_deadline_is_that_of_each_account(aws: Aws, tmp_path: Path) -> None:  # noqa: F811
    """Accounts one after the other, each of which stalls, take so many deadlines; all at once, one."""
    aws.reset()
    world = organization()
    stall = Fault("GetCredentialReport", "stall")

    def capture(jobs: int) -> tuple[Scenario, list[object], str]:
        options = ("--deadline", 3, "--jobs", jobs, "-o", tmp_path / str(jobs))
        return world.scenario(aws, [stall]), ["capture", *options, *world.options], ""

    for jobs, ended in zip((1, 3), run_each(POOL, capture, (1, 3)), strict=True):
        assert ended.code == 3 and folders(tmp_path / str(jobs)) == sorted(world.accounts)
        assert unsound(tmp_path / str(jobs), world, ended) == []
        assert takes_too_long(ended, 3 * (3 // jobs)) == []
        assert ended.seconds > 3 * (3 // jobs) - 1


def test_what_failed_before_the_time_was_over_is_not_lost(aws: Aws, tmp_path: Path) -> None:  # noqa: F811
    aws.reset()
    world = one_account()
    scenario = world.scenario(aws, [Fault("GetAccountSummary", "denied"), Fault("ListUsers", "drip")])
    ended = run(scenario, "capture", "-o", tmp_path / "capture", "--deadline", SHORT, *world.options)
    problems = facts_of(tmp_path / "capture", MANAGEMENT)["problems"]
    assert ended.code == 3
    assert [
        api for api in ("iam:GetAccountSummary", "iam:ListUsers") if not any(api in one for one in problems)
    ] == []


# --- killed -------------------------------------------------------------------------------------------------------


def judged(scenario: Scenario, folder: Path) -> int:
    return run(scenario, "check", folder, "--policy", "cis").code


def left_by_a_kill(folder: Path, world: World) -> list[str]:
    """What is wrong with a folder, but for what the next run clears away."""
    cleared = ("left over: .staging-", "left over: .accounts.json")
    return [what for what in what_is_wrong(folder, world) if not what.startswith(cleared)]


def assert_the_next_run_finishes(aws: Aws, folder: Path, world: World, *options: object) -> None:  # noqa: F811
    """Accounts that were read in full before are not read again."""
    before = {one: facts_of(folder, one) for one in folders(folder) if one in world.accounts}
    kept = [one for one, facts in before.items() if facts["complete"]]
    again = world.scenario(aws)
    ended = run(again, "capture", "-o", folder, *world.options, *options)
    assert (ended.code, ended.out.decode()) == (0, f"{folder}\n"), ended.err
    assert unsound(folder, world, ended) == [] and is_read(folder, world)
    assert [facts_of(folder, one) for one in kept] == [before[one] for one in kept]
    assert not {call.account for call in again.calls if call.operation == "GetCredentialReport"} & set(kept)
    assert judged(again, folder) == 0


#: operation, how many of them were seen, exit code of judging what is left (None: it may be begun, or not)
STAGES = (
    ("GetCallerIdentity", 1, None),
    ("ListAccountAliases", 1, 3),
    ("GenerateCredentialReport", 1, 3),
    ("GenerateCredentialReport", 2, 3),
    ("GetCredentialReport", 1, 3),
    ("GetAccountSummary", 1, 3),
    ("ListUsers", 1, 3),
    ("ListUsers", 2, 3),
    ("ListAccessKeys", 2, 3),
    ("GetAccountAuthorizationDetails", 1, 3),
)


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("operation", "times", "code"), STAGES)
def test_killed_at_a_call_it_leaves_an_account_that_is_not_read_and_the_next_run_finishes(
    aws: Aws,  # noqa: F811
    tmp_path: Path,
    operation: str,
    times: int,
    code: int | None,
) -> None:
    aws.reset()
    world, folder = one_account(), tmp_path / "capture"
    # the call never ends, so that the process is killed at it, however slow the machine is
    scenario = world.scenario(aws, [Fault(operation, "stall", after=times - 1)])
    with started(scenario, "capture", "-o", folder, *world.options) as process:
        wait_for(lambda: scenario.struck.total())
        process.send_signal(signal.SIGKILL)
    assert left_by_a_kill(folder, world) == [] and folders(folder) == []
    assert judged(scenario, folder) in ((2, 3) if code is None else (code,))
    assert_the_next_run_finishes(aws, folder, world)


#: what happens to which file, exit code of judging what is left
EVENTS = (
    ("open", ".accounts.json", 2),
    ("os.rename", "accounts.json", 2),
    ("open", "credential-report.csv", 3),
    ("open", "inventory.json", 3),
    ("open", "capture.json", 3),
    ("os.rename", MANAGEMENT, 3),
    ("renamed", MANAGEMENT, 0),
)


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("event", "name", "code"), EVENTS)
def test_killed_as_it_writes_it_leaves_a_whole_account_or_none_and_the_next_run_finishes(
    aws: Aws,  # noqa: F811
    tmp_path: Path,
    event: str,
    name: str,
    code: int,
) -> None:
    aws.reset()
    world, folder = one_account(), tmp_path / "capture"
    ended = killed(world.scenario(aws), "capture", "-o", folder, *world.options, event=event, name=name)
    assert ended.code == -signal.SIGKILL
    assert left_by_a_kill(folder, world) == [] and folders(folder) == ([MANAGEMENT] if code == 0 else [])
    assert judged(world.scenario(aws), folder) == code
    assert_the_next_run_finishes(aws, folder, world)


@pytest.mark.parametrize("event", ["os.rename", "renamed"])
def test_killed_as_a_better_account_takes_the_place_of_a_worse_one(
    aws: Aws,  # noqa: F811
    tmp_path: Path,
    event: str,
) -> None:
    aws.reset()
    world, folder = one_account(), tmp_path / "capture"
    first = world.scenario(aws, [Fault("ListAccessKeys", "denied")])
    assert run(first, "capture", "-o", folder, *world.options).code == 3
    ended = killed(world.scenario(aws), "capture", "-o", folder, *world.options, event=event, name=MANAGEMENT)
    assert ended.code == -signal.SIGKILL
    assert left_by_a_kill(folder, world) == [] and folders(folder) == ([MANAGEMENT] if event == "renamed" else [])
    assert judged(first, folder) == (0 if event == "renamed" else 3)
    assert_the_next_run_finishes(aws, folder, world)


#: operation, how many of them were seen, accounts at once, exit code of judging what is left, accounts that are left
ORGANIZATION_STAGES = (
    ("ListAccounts", 1, 8, 2, 0),
    ("AssumeRole", 1, 8, 3, 0),
    ("ListUsers", 1, 8, 3, 0),
    ("GetCredentialReport", 2, 1, 3, 1),
    ("GetAccountSummary", 3, 1, 3, 2),
)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("operation", "times", "jobs", "code", "left"), ORGANIZATION_STAGES)
def test_killed_between_accounts_it_leaves_whole_accounts_and_the_next_run_reads_the_others(
    aws: Aws,  # noqa: F811
    tmp_path: Path,
    operation: str,
    times: int,
    jobs: int,
    code: int,
    left: int,
) -> None:
    aws.reset()
    world, folder = organization(), tmp_path / "capture"
    scenario = world.scenario(aws, latency=0.15)
    with started(scenario, "capture", "-o", folder, "--jobs", jobs, *world.options) as process:
        wait_for(lambda: scenario.operations.count(operation) >= times)
        process.send_signal(signal.SIGKILL)
    assert left_by_a_kill(folder, world) == [] and len(folders(folder)) == left
    assert all(is_all_there(folder, world.accounts[one]) for one in folders(folder))
    assert judged(scenario, folder) == code
    assert_the_next_run_finishes(aws, folder, world, "--jobs", jobs)


# --- interrupted --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "make"),
    [
        ("GetCallerIdentity", one_account),
        ("GetCredentialReport", one_account),
        ("ListAccessKeys", one_account),
        ("AssumeRole", organization),
    ],
)
def test_ctrl_c_ends_a_run_at_once_though_nothing_answers(
    aws: Aws,  # noqa: F811
    tmp_path: Path,
    operation: str,
    make: Callable[[], World],
) -> None:
    aws.reset()
    world = make()
    scenario = world.scenario(aws, [Fault(operation, "stall")])
    folder = tmp_path / "capture"
    with started(scenario, "check", "--policy", "cis", "--capture", folder, *world.options) as process:
        wait_for(lambda: scenario.struck)
        process.send_signal(signal.SIGINT)
        done = process.ended(60)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, b"", b"keyaudit: interrupted")
    assert what_is_wrong(folder, world) == []
