"""``keyaudit rotation template``: clean, least privilege, and the very function that the tests run."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from evidence_helpers import keyaudit, refused
from test_permissions import parsed

HANDLER = Path(__file__).resolve().parents[1] / "keyaudit" / "rotation" / "handler.py"
KMS = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
MASTER = "arn:aws-us-gov:secretsmanager:us-gov-west-1:111122223333:secret:master-AbCdEf"
VARIANTS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "self-managed": ("--self-managed",),
    "master": ("--master-arn", MASTER),
    "adopted": ("--adopt", "AKIAIOSFODNN7EXAMPLE", "--adopt", "AKIAI44QH8DHBEXAMPLE", "--deactivate-in-use"),
    "path, key and mail": ("--path", "/it/billing/", "--kms-key-arn", KMS, "--notify", "it+keys@example.com"),
    "a secret that is there": ("--secret-arn", MASTER.replace("master", "keyaudit/svc")),
    "all": ("--self-managed", "--kms-key-arn", KMS, "--notify", "a@example.com", "--adopt", "AKIAIOSFODNN7EXAMPLE"),
}
#: needs no permission
FREE = {"get_caller_identity"}


def printed(*options: str, user: str = "svc-billing") -> str:
    done = keyaudit("rotation", "template", "--user", user, *options)
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    return done.stdout.decode()


def statements(resources: dict[str, Any]) -> list[dict[str, Any]]:
    policies = [one["PolicyDocument"] for one in resources["Role"]["Properties"]["Policies"]]
    if "SelfManagement" in resources:
        policies.append(resources["SelfManagement"]["Properties"]["PolicyDocument"])
    return [one for policy in policies for one in policy["Statement"]]


def actions(resources: dict[str, Any]) -> set[str]:
    listed = (one["Action"] for one in statements(resources))
    return {action for one in listed for action in ([one] if isinstance(one, str) else one)}


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_is_clean_warnings_included_and_small_enough(tmp_path: Path, variant: str) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(printed(*VARIANTS[variant]))
    command = [Path(sys.executable).with_name("cfn-lint"), "--include-checks", "I", "--", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert path.stat().st_size <= 51_200


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_code_is_the_function_byte_for_byte(variant: str) -> None:
    code = parsed(printed(*VARIANTS[variant]))["Resources"]["Function"]["Properties"]["Code"]["ZipFile"]
    assert code == HANDLER.read_text()


def test_what_must_hold_of_the_resources_holds() -> None:
    found = parsed(printed())["Resources"]
    assert {found["Secret"][name] for name in ("DeletionPolicy", "UpdateReplacePolicy")} == {"Retain"}
    function = found["Function"]["Properties"]
    assert function["ReservedConcurrentExecutions"] == 1 and function["Handler"] == "index.handler"
    schedule = found["Schedule"]["Properties"]
    assert schedule["RotateImmediatelyOnUpdate"] is False and schedule["RotationRules"] == {
        "AutomaticallyAfterDays": 60
    }
    invoke = found["InvokeToRotate"]["Properties"]
    assert invoke["Principal"] == "secretsmanager.amazonaws.com"
    assert {"SourceAccount", "SourceArn"} <= invoke.keys()
    daily = found["InvokeDaily"]["Properties"]
    assert daily["Principal"] == "events.amazonaws.com" and "SourceArn" in daily


def calls_of_the_function() -> set[str]:
    """Methods of boto3's clients that the function calls, as IAM names their actions."""
    services = {"secrets": "secretsmanager", "iam": "iam", "sns": "sns", "sts": "sts"}
    found = set()
    for node in ast.walk(ast.parse(HANDLER.read_text())):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner = node.func.value
        owner = owner.func if isinstance(owner, ast.Call) else owner  # self.iam(...).get_user(...)
        name = getattr(owner, "attr", getattr(owner, "id", ""))
        method = node.func.attr
        if method == "get_paginator":
            method = node.args[0].value
        if name in services and method not in FREE and is_call(services[name], method):
            found.add(f"{services[name]}:{''.join(word.capitalize() for word in method.split('_'))}")
    # and what it prints
    return found | {"logs:CreateLogStream", "logs:PutLogEvents"}


def is_call(service: str, method: str) -> bool:
    client = boto3.client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    try:
        return method in client.meta.method_to_api_mapping
    finally:
        client.close()


def test_the_role_may_do_what_the_function_calls_and_nothing_else() -> None:
    assert actions(parsed(printed())["Resources"]) == calls_of_the_function()
    assert len(calls_of_the_function()) == 15


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_is_allowed_on_everything(variant: str) -> None:
    resources = parsed(printed(*VARIANTS[variant]))["Resources"]
    for one in statements(resources):
        assert one["Effect"] == "Allow" and "*" not in str(one["Resource"]) and "*" not in str(one["Action"])


def test_the_user_s_own_key_may_replace_the_user_s_keys_and_the_role_may_not() -> None:
    found = parsed(printed("--self-managed"))["Resources"]
    role = {
        action
        for one in found["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        for action in one["Action"]
    }
    assert not [action for action in role if str(action).startswith("iam:")]
    own = found["SelfManagement"]["Properties"]
    assert own["Users"] == ["svc-billing"]
    (statement,) = own["PolicyDocument"]["Statement"]
    assert len(statement["Action"]) == 6 and all(action.startswith("iam:") for action in statement["Action"])
    assert "user/svc-billing" in str(statement["Resource"])


def test_the_key_of_the_secret_may_be_used_for_this_secret_alone() -> None:
    found = [
        one for one in statements(parsed(printed("--kms-key-arn", KMS))["Resources"]) if one["Resource"] == KMS
    ]
    assert [one["Sid"] for one in found] == ["Encryption", "EncryptionKey"]
    assert "kms:EncryptionContext:SecretARN" in str(found[0]["Condition"])


def test_the_first_value_of_the_secret_names_the_user_and_holds_no_key() -> None:
    for options, master in (
        ((), None),
        (("--self-managed",), "keyaudit/a,b=c@d"),
        (("--master-arn", MASTER), MASTER),
    ):
        found = json.loads(
            parsed(printed(*options, user="a,b=c@d"))["Resources"]["Secret"]["Properties"]["SecretString"]
        )
        assert found == {"username": "a,b=c@d"} | (
            {"masterarn": (master or "").replace(",", "_")} if master else {}
        )


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (("--every", "80"), "80 + 14 + 2"),
        (("--every", "90", "--grace", "1"), "90 + 1 + 2"),
        (("--every", "60", "--retention", "44"), "14 + 44 + 2"),
        (("--every", "30", "--grace", "27"), "27 + 1 + 2"),
        (("--every", "0"), "--every 0"),
        (("--every", "1001", "--max-age", "1000"), "1001"),
        (("--quiet", "15"), "--quiet 15"),
        (("--max-age", "60"), "the limit is 60"),
    ],
)
def test_periods_that_cannot_hold_are_refused_with_the_numbers(options: tuple[str, ...], numbers: str) -> None:
    done = keyaudit("rotation", "template", "--user", "svc", *options)
    assert numbers in refused(done, 2)


@pytest.mark.parametrize(
    "options", [("--every", "74"), ("--every", "60", "--retention", "43"), ("--every", "20", "--grace", "5")]
)
def test_periods_that_just_hold_are_taken(options: tuple[str, ...]) -> None:
    assert parsed(printed(*options))


@pytest.mark.parametrize(
    "options",
    [
        ("--user", "a b"),
        ("--user", ""),
        ("--user", "x" * 65),
        ("--user", "a\nb"),
        ("--user", "${AWS::AccountId}"),
        ("--user", '"; DROP'),
        ("--path", "/*/"),
        ("--path", "/${x}/"),
        ("--path", "it"),
        ("--path", "/a b/"),
        ("--master-arn", "secret"),
        ("--master-arn", MASTER, "--self-managed"),
        ("--adopt", "AKIA"),
        ("--adopt", "AKIAIOSFODNN7EXAMPLE x"),
        ("--kms-key-arn", "alias/mine"),
        ("--notify", "nobody"),
        ("--notify", 'a"@example.com'),
    ],
)
def test_what_aws_would_not_take_is_refused(options: tuple[str, ...]) -> None:
    given = options if "--user" in options else ("--user", "svc", *options)
    said = refused(keyaudit("rotation", "template", *given), 2)
    assert options[-2 if len(options) == 2 else 0] in said or "--master-arn" in said
