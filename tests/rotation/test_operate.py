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
from pathlib import Path
from typing import Any

import pytest
from aws import MANAGEMENT, Fault, add_user, aws  # noqa: F401
from forked import forked
from handling import active
from linting import parsed
from moto.backends import get_backend
from moto.iam.models import iam_backends
from moto.secretsmanager.models import secretsmanager_backends
from rotating import Rotated, function, rotated  # noqa: F401
from test_loop import DAY, run

STACK = "keyaudit-rotation-svc-billing"
V1 = Path(__file__).parents[1] / "data" / "rotation"


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


def test_now_takes_a_rotation_for_done_whose_fields_were_carried_over(billing: Rotated) -> None:
    under_rotation(billing)
    old, put = billing.value("AWSCURRENT"), billing.rotate

    def with_a_note(token: str) -> str:
        assert billing.call("createSecret", token).code == 0
        billing.put(**old, note="put meanwhile")
        for step in ("setSecret", "testSecret", "finishSecret"):
            assert billing.call(step, token).code == 0
        return token

    billing.rotate = with_a_note
    try:
        with secrets_manager(billing):
            done = operate(billing, "now", "--wait", "30")
    finally:
        billing.rotate = put
    assert done.returncode == 0 and billing.value("AWSCURRENT")["note"] == "put meanwhile", done.stderr


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


# --- secrets that are there already -----------------------------------------------------------------------------------
def theirs(one: Rotated, **fields: str) -> None:
    """The secret's value, as somebody else wrote it: without what keyaudit would look for."""
    version = next(one for one in one.secret.versions.values() if "AWSCURRENT" in one["version_stages"])
    version["secret_string"] = json.dumps(fields)


def test_a_secret_whose_key_has_other_names_is_said_with_the_remedy_and_then_rotated(billing: Rotated) -> None:
    (key,) = billing.keys.values()
    held = {"AWS_ACCESS_KEY_ID": key.access_key_id, "AWS_SECRET_ACCESS_KEY": key.secret_access_key}
    theirs(billing, username=billing.user, **held)
    done = operate(billing, "deploy", "--yes", "--secret-arn", billing.secret.arn)
    assert done.returncode == 4 and "deployed: stack" in done.stdout, done.stderr
    assert "has 3 fields: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, username" in done.stdout
    fields = "accesskey=AWS_ACCESS_KEY_ID,secretkey=AWS_SECRET_ACCESS_KEY"
    assert f"--fields {fields}" in done.stderr and key.secret_access_key not in done.stdout + done.stderr
    done = operate(billing, "deploy", "--yes", "--secret-arn", billing.secret.arn, "--fields", fields)
    assert done.returncode == 0 and "AWS_ACCESS_KEY_ID is the access key id" in done.stderr, done.stderr
    assert json.loads(settings(billing)["KEYAUDIT_FIELDS"]) == dict(pair.split("=") for pair in fields.split(","))
    # and it stays so
    assert operate(billing, "deploy", "--yes", "--notify", "a@example.com").returncode == 0
    assert "KEYAUDIT_FIELDS" in settings(billing)
    billing.settings = {name: value for name, value in settings(billing).items() if name == "KEYAUDIT_FIELDS"}
    billing.rotate()
    value = billing.value("AWSCURRENT")
    assert value.keys() == {"username", *held} and value["AWS_ACCESS_KEY_ID"] != key.access_key_id


def test_a_secret_without_username_is_said(billing: Rotated) -> None:
    theirs(billing, accesskey="AKIAIOSFODNN7EXAMPLE", secretkey="x")
    done = operate(billing, "deploy", "--yes", "--secret-arn", billing.secret.arn)
    assert done.returncode == 4 and 'no field "username"' in done.stderr and "add it to the secret" in done.stderr


def test_no_value_of_a_secret_is_asked_for_by_the_operator(billing: Rotated) -> None:
    scenario = billing.aws.scenario(invoked=invoked(billing))
    options = ["rotation", "deploy", "--user", billing.user, "--secret-arn", billing.secret.arn, "--yes"]
    done = forked(options, scenario.env(), 90)
    assert done.returncode == 0, done.stderr
    assert "Invoke" in scenario.operations and "GetSecretValue" not in scenario.operations


@pytest.mark.parametrize(
    ("faults", "said"), [((Fault("Invoke", "denied"),), "lambda:Invoke"), ((), "could not tell the fields")]
)
def test_a_look_that_fails_is_exit_4_after_the_deployment(
    billing: Rotated, faults: tuple[Fault, ...], said: str
) -> None:
    arguments = ("rotation", "deploy", "--user", billing.user, "--secret-arn", billing.secret.arn, "--yes")
    done = run(billing, *arguments, faults=faults, invoked=lambda arn, event: None)
    assert done.returncode == 4 and said in done.stderr and "deployed: stack" in done.stdout, done.stderr


def test_only_the_whole_arn_is_taken(billing: Rotated) -> None:
    with closing(billing.aws.client("secretsmanager")) as secrets:
        secrets.create_secret(Name="x-secret", SecretString="{}")
    arn = secretsmanager_backends[MANAGEMENT]["us-east-1"].secrets["x-secret"].arn
    assert operate(billing, "deploy", "--secret-arn", arn[:-3]).returncode == 2
    # what looks whole, and is none: its name ends with six letters
    done = operate(billing, "deploy", "--secret-arn", arn[:-7])
    assert done.returncode == 2 and "arn" in done.stderr
    assert operate(billing, "deploy", "--secret-arn", arn).returncode == 0


def test_a_secret_of_another_stack_is_not_put_in_the_place_of_its_own(billing: Rotated) -> None:
    operate(billing, "deploy", "--yes")
    done = operate(billing, "deploy", "--yes", "--secret-arn", billing.secret.arn)
    assert done.returncode == 2 and "has another secret" in done.stderr


def test_a_stuck_rotation_is_told_with_what_happens_by_itself_and_the_command(billing: Rotated) -> None:
    under_rotation(billing)
    token = billing.begin()
    done = operate(billing, "now")
    assert done.returncode == 2 and "within a day the function takes AWSPENDING off" in done.stderr
    command = done.stderr.split("type: ")[1].strip()
    assert command == (
        f"aws secretsmanager update-secret-version-stage --region us-east-1 --secret-id {billing.secret.arn} "
        f"--version-stage AWSPENDING --remove-from-version-id {token}"
    )


# --- update -----------------------------------------------------------------------------------------------------------
def of_version_1(one: Rotated, sample: str, stack: str, *changes: tuple[str, str]) -> None:
    """A stack as the first version deployed it."""
    text = (V1 / f"{sample}.v1.yaml").read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    if sample == "self-managed":
        add_user(MANAGEMENT, "svc")  # its policy is attached to it
    with closing(one.aws.client("cloudformation")) as client:
        client.create_stack(StackName=stack, TemplateBody=text, Capabilities=["CAPABILITY_IAM"])


def update(one: Rotated, *options: str, faults: tuple[Fault, ...] = ()) -> Any:
    return run(one, "rotation", "deploy", "--update", *options, faults=faults)


OLD = ("keyaudit-rotation-svc-billing", "keyaudit-rotation-a-b-1234", "somebody-s-own-name")


@pytest.fixture
def old(billing: Rotated) -> Rotated:
    """Three stacks of version 1, one of today's, and one of somebody else."""
    for sample, stack in zip(("plain", "comma", "self-managed"), OLD, strict=True):
        of_version_1(billing, sample, stack)
    add_user(MANAGEMENT, "new", keys=[(datetime.now(UTC) - 80 * DAY, "Active")])
    assert operate(billing, "deploy", "--yes", user="new").returncode == 0
    with closing(billing.aws.client("cloudformation")) as client:
        client.create_stack(StackName="other", TemplateBody="Resources: {T: {Type: 'AWS::SNS::Topic'}}")
    return billing


def versions(one: Rotated) -> dict[str, str]:
    return {name: settings(one, name).get("KEYAUDIT_VERSION", "1") for name in stacks(one) if name != "other"}


def test_all_older_functions_are_shown_and_then_updated_with_their_settings(old: Rotated) -> None:
    before = {name: settings(old, name) for name in OLD}
    for options in (("--dry-run",), ()):
        shown = update(old, *options)
        assert shown.returncode == 0, shown.stdout
        assert shown.stdout.count("its function is of version 1, and this keyaudit deploys version 2") == 3
        assert set(versions(old).values()) == {"1", "2"} and list(versions(old).values()).count("1") == 3
    assert shown.stdout.count("Function ") >= 3 and "not deployed" in shown.stdout
    done = update(old, "--yes")
    assert done.returncode == 0 and done.stdout.count("updated: stack ") == 3, done.stdout
    assert set(versions(old).values()) == {"2"} and stacks(old)["other"] == "CREATE_COMPLETE"
    for name, was in before.items():
        now = settings(old, name)
        assert list(json.loads(now["KEYAUDIT_USERS"]).values()) == [was.pop("KEYAUDIT_USER")]
        assert was.items() <= now.items()
    # a name with a comma keeps the secret that it has
    assert json.loads(settings(old, OLD[1])["KEYAUDIT_USERS"]) == {"keyaudit/a_b": "a,b"}
    assert settings(old, OLD[2])["KEYAUDIT_MASTER"] == "self"
    again = update(old, "--yes")
    assert again.returncode == 0 and again.stdout.startswith("nothing to update")


def test_one_that_cannot_be_updated_is_named_and_the_others_go_on(billing: Rotated) -> None:
    of_version_1(billing, "plain", OLD[0])
    of_version_1(billing, "comma", OLD[1], ('Description: "Access key of', 'Description: "changed: key of'))
    of_version_1(billing, "self-managed", OLD[2], ("KEYAUDIT_GRACE", "KEYAUDIT_GRACES"))
    done = update(billing, "--yes")
    assert done.returncode == 4, done.stdout
    assert f"not updated: stack {OLD[1]}: stack {OLD[1]}: its secret was deployed with other values" in done.stdout
    assert f"not updated: stack {OLD[2]}: stack {OLD[2]}: its template is not as keyaudit writes it" in done.stdout
    assert versions(billing) == {OLD[0]: "2", OLD[1]: "1", OLD[2]: "1"}


def test_the_stack_of_one_user_alone_is_updated(old: Rotated) -> None:
    done = update(old, "--user", "svc-billing", "--yes")
    assert done.returncode == 0 and list(versions(old).values()).count("1") == 2, done.stdout
    nobody = update(old, "--user", "nobody")
    assert nobody.returncode == 2 and "no stack of keyaudit rotates it" in nobody.stderr


def test_a_parameter_that_is_not_the_template_s_is_refused(billing: Rotated) -> None:
    text = (V1 / "taken-over.v1.yaml").read_text()
    other = "arn:aws:secretsmanager:us-east-1:123456789012:secret:other-AbCdEf"
    with closing(billing.aws.client("cloudformation")) as client:
        given = [{"ParameterKey": "Secret", "ParameterValue": other}]
        client.create_stack(StackName=OLD[0], TemplateBody=text, Parameters=given)
    done = update(billing, "--yes")
    assert done.returncode == 4 and other in done.stdout and versions(billing) == {OLD[0]: "1"}


@pytest.mark.parametrize("call", ["DescribeStacks", "GetTemplate", "CreateChangeSet", "ExecuteChangeSet"])
def test_an_update_that_is_denied_is_exit_4(billing: Rotated, call: str) -> None:
    of_version_1(billing, "plain", OLD[0])
    done = update(billing, "--yes", faults=(Fault(call, "denied"),))
    assert done.returncode == 4 and call in done.stdout + done.stderr


def test_deploying_over_a_stack_of_version_1_keeps_its_settings(billing: Rotated) -> None:
    of_version_1(billing, "plain", STACK, ('KEYAUDIT_GRACE: "14"', 'KEYAUDIT_GRACE: "12"'))
    done = operate(billing, "deploy", "--yes", "--notify", "a@example.com")
    assert done.returncode == 0, done.stderr
    found = settings(billing)
    assert (found["KEYAUDIT_GRACE"], found["KEYAUDIT_VERSION"], found["KEYAUDIT_ADOPTED"]) == (
        "12", "2", "AKIAIOSFODNN7EXAMPLE",
    )  # fmt: skip


def test_a_new_name_of_a_secret_is_told_where_the_first_version_may_have_left_one(billing: Rotated) -> None:
    add_user(MANAGEMENT, "a,b", keys=[(datetime.now(UTC) - 80 * DAY, "Active")])
    with closing(billing.aws.client("secretsmanager")) as secrets:
        arn = secrets.create_secret(Name="keyaudit/a_b", SecretString="{}")["ARN"]
    done = operate(billing, "deploy", user="a,b")
    assert done.returncode == 0 and f"--secret-arn {arn}" in done.stderr


def test_a_stack_whose_making_failed_is_said_with_what_to_do(billing: Rotated) -> None:
    operate(billing, "deploy", "--yes")
    (stack,) = get_backend("cloudformation")[MANAGEMENT]["us-east-1"].stacks.values()
    stack.status = "ROLLBACK_COMPLETE"
    done = operate(billing, "deploy", "--yes")
    assert done.returncode == 2 and f"delete-stack --stack-name {STACK}" in done.stderr


def test_names_of_fields_are_shown_as_a_terminal_bears_them(billing: Rotated) -> None:
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    theirs(billing, **{"username": billing.user, "\x1b[31mred": "x", secret: "x"})
    done = operate(billing, "deploy", "--yes", "--secret-arn", billing.secret.arn)
    assert "\x1b" not in done.stdout + done.stderr and secret not in done.stdout + done.stderr
    assert "\\x1b[31mred" in done.stdout, done.stdout + done.stderr
