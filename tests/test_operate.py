"""``keyaudit rotation deploy``, ``now`` and ``remove`` over HTTP: shown first, done with --yes, and what can go wrong.

The emulator knows no secrets in CloudFormation: that the template makes them is judged in test_rotation_template.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws import MANAGEMENT, Fault, add_user, aws  # noqa: F401
from moto.iam.models import iam_backends
from rotating import Rotated, function, rotated  # noqa: F401
from test_handler import active
from test_loop import DAY, run
from test_permissions import parsed

STACK = "keyaudit-rotation-svc-billing"


@pytest.fixture
def billing(rotated: Rotated) -> Rotated:  # noqa: F811
    """The user with one key, and its secret under the name of the template."""
    return rotated


def stacks(one: Rotated) -> dict[str, str]:
    with closing(one.aws.client("cloudformation")) as client:
        return {stack["StackName"]: stack["StackStatus"] for stack in client.describe_stacks()["Stacks"]}


def template_of(one: Rotated, stack: str = STACK) -> str:
    with closing(one.aws.client("cloudformation")) as client:
        return client.get_template(StackName=stack)["TemplateBody"]


def settings(one: Rotated, stack: str = STACK) -> dict[str, str]:
    """Those of the function in the deployed template."""
    return parsed(template_of(one, stack))["Resources"]["Function"]["Properties"]["Environment"]["Variables"]


def invoked(one: Rotated) -> Callable[[str, Any], Any]:
    """What the deployed function answers, with the settings that it was deployed with."""

    def answer(arn: str, event: Any) -> Any:
        with closing(one.aws.client("lambda")) as functions:
            told = functions.get_function_configuration(FunctionName=arn)["Environment"]["Variables"]
        scenario = one.aws.scenario()
        ended = one.function.invoke(event, scenario.env(**told), scenario, time.time(), 300)
        one.logs.append(ended.log)
        return ended.answer if ended.code == 0 else None

    return answer


def operate(one: Rotated, command: str, *options: str, faults: tuple[Fault, ...] = (), user: str = "") -> Any:
    whose = ("--user", user or one.user)
    return run(one, "rotation", command, *whose, *options, faults=faults, invoked=invoked(one))


# --- deploy ---------------------------------------------------------------------------------------------------------------
def test_deploy_shows_the_change_set_and_leaves_nothing_behind(billing: Rotated) -> None:
    done = operate(billing, "deploy")
    assert done.returncode == 0, done.stderr
    for kind in ("AWS::SecretsManager::Secret", "AWS::Lambda::Function", "AWS::SecretsManager::RotationSchedule"):
        assert f"{kind}\n" in done.stdout
    assert "not deployed" in done.stdout and stacks(billing) == {}
    (key_id,) = billing.keys
    assert f"****{key_id[-4:]}" in done.stderr and "Yours to confirm" in done.stderr and MANAGEMENT in done.stderr


@pytest.mark.parametrize("command", ["deploy", "now", "remove"])
def test_a_dry_run_changes_nothing(billing: Rotated, command: str) -> None:
    if command != "deploy":
        assert operate(billing, "deploy", "--yes").returncode == 0
        under_rotation(billing)
    before = (stacks(billing), active(billing))
    done = operate(billing, command, "--dry-run")
    assert (done.returncode, (stacks(billing), active(billing))) == (0, before), done.stderr
    assert done.stdout


def test_deploy_with_yes_adopts_the_key_and_touches_none(billing: Rotated) -> None:
    (key_id,) = billing.keys
    done = operate(billing, "deploy", "--yes", "--every", "45", "--grace", "10")
    assert done.returncode == 0, done.stderr
    assert stacks(billing) == {STACK: "CREATE_COMPLETE"} and active(billing) == {key_id: "Active"}
    found = settings(billing)
    assert json.loads(found["KEYAUDIT_USERS"]) == {f"keyaudit/{billing.user}": billing.user}
    assert (found["KEYAUDIT_ADOPTED"], found["KEYAUDIT_GRACE"], found["KEYAUDIT_VERSION"]) == (key_id, "10", "2")


def test_deploying_again_changes_the_same_stack(billing: Rotated) -> None:
    operate(billing, "deploy", "--yes")
    done = operate(billing, "deploy", "--yes", "--grace", "7")
    assert done.returncode == 0, done.stderr
    assert "Modify" in done.stdout and settings(billing)["KEYAUDIT_GRACE"] == "7"
    adopted = settings(billing)["KEYAUDIT_ADOPTED"]
    # a second key, as in the grace of a rotation: no hindrance, and not adopted
    iam_backends[MANAGEMENT]["aws"].create_access_key(billing.user)
    assert operate(billing, "deploy", "--yes", "--grace", "9").returncode == 0
    assert (settings(billing)["KEYAUDIT_GRACE"], settings(billing)["KEYAUDIT_ADOPTED"]) == ("9", adopted)
    assert stacks(billing) == {STACK: "UPDATE_COMPLETE"}


def test_a_secret_that_is_there_is_taken_over_and_not_made(billing: Rotated) -> None:
    named(billing)
    done = operate(billing, "deploy")
    assert done.returncode == 0 and "AWS::SecretsManager::Secret\n" not in done.stdout
    assert "AWS::SecretsManager::RotationSchedule\n" in done.stdout


def test_a_secret_of_another_name_is_taken_over_by_its_arn_and_rotated(billing: Rotated) -> None:
    """As the widely copied function left it."""
    arn = billing.secret.arn
    done = operate(billing, "deploy", "--yes", "--secret-arn", arn)
    assert done.returncode == 0 and "AWS::SecretsManager::Secret\n" not in done.stdout, done.stderr
    billing.secret.rotation_requested = billing.secret.rotation_enabled = True
    with secrets_manager(billing):
        done = operate(billing, "now", "--wait", "30")
    assert done.returncode == 0 and len(billing.keys) == 2, done.stderr
    gone = operate(billing, "deploy", "--secret-arn", arn.replace("billing", "nobody"))
    assert gone.returncode == 2 and "there is no such secret" in gone.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--every", "80"), "the replaced key would be 96 days old"),
        (("--user", "nobody"), "IAM has no such user"),
        (("--user", "a b"), "not a user's name"),
        (("--notify", "x"), "not a mail address"),
    ],
)
def test_a_mistake_is_exit_2_and_nothing_is_changed(billing: Rotated, options: tuple[str, ...], said: str) -> None:
    done = operate(billing, "deploy", "--yes", *options)
    assert done.returncode == 2 and said in done.stderr and done.stdout == ""
    assert stacks(billing) == {}


def test_two_active_keys_are_refused_with_the_remedy(billing: Rotated) -> None:
    iam_backends[MANAGEMENT]["aws"].create_access_key(billing.user)
    done = operate(billing, "deploy", "--yes")
    assert done.returncode == 2 and "has two active keys" in done.stderr and stacks(billing) == {}


@pytest.mark.parametrize(
    "call",
    ["GetCallerIdentity", "GetUser", "ListAccessKeys", "GetAccessKeyLastUsed", "DescribeSecret", "GetTemplate",
     "CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet"],
)  # fmt: skip
def test_a_call_that_is_denied_is_named_and_is_exit_4(billing: Rotated, call: str) -> None:
    done = operate(billing, "deploy", "--yes", faults=(Fault(call, "denied"),))
    assert (done.returncode, call in done.stderr) == (4, True), done.stderr
    assert STACK not in stacks(billing) or stacks(billing)[STACK] == "REVIEW_IN_PROGRESS"


# --- now ------------------------------------------------------------------------------------------------------------------
def named(one: Rotated) -> None:
    """The secret under the name that the template gives it."""
    value = one.value("AWSCURRENT")
    one.name = f"keyaudit/{one.user}"
    one.put(accesskey=value["accesskey"], secretkey=value["secretkey"])


def under_rotation(one: Rotated) -> None:
    named(one)
    one.secret.rotation_requested = one.secret.rotation_enabled = True
    one.secret.auto_rotate_after_days = 60


@contextmanager
def secrets_manager(one: Rotated, steps: bool = True) -> Iterator[None]:
    """Calls the function for a rotation that was asked for, as AWS does."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            for token, version in list(one.secret.versions.items()):
                if version["version_stages"] == ["AWSPENDING"] and "secret_string" not in version:
                    if steps:
                        one.rotate(token)
                    else:
                        one.call("createSecret", token)
                    return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(30)


def test_now_rotates_and_says_when_iam_made_the_key(billing: Rotated) -> None:
    under_rotation(billing)
    old = billing.value("AWSCURRENT")["accesskey"]
    with secrets_manager(billing):
        done = operate(billing, "now", "--wait", "30")
    assert done.returncode == 0, done.stderr
    new = billing.value("AWSCURRENT")["accesskey"]
    assert new != old and done.stdout.startswith(
        f"rotated: the key of {billing.user} made at {datetime.now(UTC):%Y}"
    )


def test_a_rotation_that_stops_is_exit_4_with_the_function_s_words(billing: Rotated) -> None:
    under_rotation(billing)
    billing.deploy()
    named_key = iam_backends[MANAGEMENT]["aws"].create_access_key(billing.user).access_key_id
    billing.made(named_key, datetime.now(UTC) - timedelta(days=3), "Active")
    with closing(billing.aws.client("logs")) as logs:
        logs.create_log_group(logGroupName=f"/aws/lambda/{STACK}")
        logs.create_log_stream(logGroupName=f"/aws/lambda/{STACK}", logStreamName="stream")
    billing.group = f"/aws/lambda/{STACK}"
    with secrets_manager(billing, steps=False):
        done = operate(billing, "now", "--wait", "8")
    assert done.returncode == 4 and "neither may be deleted" in done.stderr, done.stderr
    again = operate(billing, "now")
    assert again.returncode == 2 and "under way, or stuck" in again.stderr


def test_now_without_a_rotation_is_exit_2(billing: Rotated) -> None:
    done = operate(billing, "now")
    assert done.returncode == 2 and "no rotation is deployed" in done.stderr


# --- remove ---------------------------------------------------------------------------------------------------------------
def test_remove_leaves_the_secret_and_the_keys(billing: Rotated) -> None:
    operate(billing, "deploy", "--yes")
    named(billing)
    value, keys = billing.value("AWSCURRENT"), active(billing)
    shown = operate(billing, "remove")
    assert shown.returncode == 0 and "Give --yes" in shown.stdout and stacks(billing) == {STACK: "CREATE_COMPLETE"}
    done = operate(billing, "remove", "--yes")
    assert done.returncode == 0 and stacks(billing) == {}, done.stderr
    assert (billing.value("AWSCURRENT"), active(billing)) == (value, keys)
    again = operate(billing, "remove", "--yes")
    assert again.returncode == 2 and "there is no stack" in again.stderr


def test_users_whose_names_differ_only_in_signs_have_stacks_of_their_own(billing: Rotated) -> None:
    for user in ("a.b", "a-b", "a_b"):
        add_user(MANAGEMENT, user, keys=[(datetime.now(UTC) - 80 * DAY, "Active")])
        assert operate(billing, "deploy", "--yes", user=user).returncode == 0
    assert len(stacks(billing)) == 3
