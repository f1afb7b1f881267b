"""Permissions: the policy holds what the options need and nothing else, and the role's template agrees with it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from linting import parsed, template_faults

from keyaudit.aws.permissions import Needs, policy_json, role_template
from keyaudit.resources import data
from keyaudit.schema import InputError

REPORT = {"iam:GenerateCredentialReport", "iam:GetCredentialReport", "iam:ListAccountAliases"}
TOTALS = REPORT | {"iam:GetAccountSummary"}
KEYS = TOTALS | {"iam:ListUsers", "iam:ListAccessKeys"}
TAGS = {"iam:GetAccountAuthorizationDetails"}
ORGANIZATION = {"organizations:ListAccounts", "sts:AssumeRole"}
ROLE = "keyaudit-read"
NOT_ROLE_NAMES = [
    "", " ", "a b", "a" * 65, "audit/role", "arn:aws:iam::111122223333:role/audit", "role*", "röle", "a\n",
    'x"\nResources: {}', "<<ExternalId>>", "${AWS::AccountId}",
]  # fmt: skip
NOT_EXTERNAL_IDS = [
    "x",
    " ",
    "two words",
    "x" * 1225,
    "ümlaut",
    "id\n",
    'x"\nResources: {}',
    "*?",
    "${AWS::StackName}",
]


def statements(text: str) -> list[dict[str, Any]]:
    document = json.loads(text)
    assert document["Version"] == "2012-10-17"
    return document["Statement"]


def actions(text: str) -> list[str]:
    return [action for statement in statements(text) for action in statement["Action"]]


def role(template: str) -> Any:
    return parsed(template)["Resources"]["ReadOnlyRole"]["Properties"]


# --- the policy ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, KEYS),
        ({"reconcile": "off"}, REPORT),
        ({"reconcile": "totals"}, TOTALS),
        ({"reconcile": "keys"}, KEYS),
        ({"reconcile": "off", "owner_tag": True}, REPORT | TAGS),
        ({"owner_tag": True}, KEYS | TAGS),
        ({"purpose": True}, KEYS | TAGS),
        ({"owner_tag": True, "purpose": True}, KEYS | TAGS),
        ({"organization": True, "role_name": ROLE}, KEYS | ORGANIZATION),
        (
            {"reconcile": "off", "owner_tag": True, "organization": True, "role_name": ROLE},
            REPORT | TAGS | ORGANIZATION,
        ),
        ({"role_name": ROLE}, KEYS),
    ],
)
def test_the_policy_has_exactly_the_actions_that_the_options_need(
    options: dict[str, Any], expected: set[str]
) -> None:
    found = actions(policy_json(Needs(**options)))
    assert sorted(found) == sorted(expected)


def test_the_policy_is_a_file_to_paste() -> None:
    text = policy_json(Needs())
    assert text.startswith('{\n  "Version"') and text.endswith("\n}\n")
    sids = [statement["Sid"] for statement in statements(text)]
    assert len(set(sids)) == len(sids) and all(re.fullmatch("[A-Za-z0-9]+", sid) for sid in sids)
    assert {statement["Effect"] for statement in statements(text)} == {"Allow"}


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-eusc"])
def test_only_actions_that_know_no_resources_are_allowed_on_all(partition: str) -> None:
    text = policy_json(Needs(owner_tag=True, organization=True, role_name=ROLE), partition=partition)
    limited = {
        action: statement["Resource"]
        for statement in statements(text)
        for action in statement["Action"]
        if statement["Resource"] != "*"
    }
    assert limited == {
        "iam:ListAccessKeys": f"arn:{partition}:iam::*:user/*",
        "sts:AssumeRole": f"arn:{partition}:iam::*:role/{ROLE}",
    }


def test_each_action_is_an_operation_that_changes_nothing() -> None:
    session = botocore.session.get_session()
    for api in actions(policy_json(Needs(owner_tag=True, organization=True, role_name=ROLE))):
        service, operation = api.split(":")
        assert operation in session.get_service_model(service).operation_names
        assert re.match("(Get|List|GenerateCredentialReport$|AssumeRole$)", operation)


def test_accounts_of_a_file_need_no_list_of_the_organization() -> None:
    needed = set(actions(policy_json(Needs(roles=True, role_name=ROLE))))
    assert "sts:AssumeRole" in needed and "organizations:ListAccounts" not in needed


def test_who_begins_with_a_role_needs_that_alone() -> None:
    arn = "arn:aws:iam::111122223333:role/audit/Reader"
    (statement,) = json.loads(policy_json(Needs(organization=True, role_name=ROLE, role_arn=arn)))["Statement"]
    assert (statement["Action"], statement["Resource"]) == (["sts:AssumeRole"], arn)


# --- the role's template ---------------------------------------------------------------------------------


def test_the_role_may_do_what_the_policy_says() -> None:
    (policy,) = role(role_template(ROLE))["Policies"]
    in_the_template = json.dumps(policy["PolicyDocument"]["Statement"])
    for parameter, value in (("${AWS::Partition}", "aws"), ("${AWS::AccountId}", "*")):
        in_the_template = in_the_template.replace(parameter, value)
    found = json.loads(in_the_template)
    for statement in found:
        if isinstance(statement["Resource"], dict):
            statement["Resource"] = statement["Resource"]["Fn::Sub"]
    assert found == statements(policy_json(Needs(reconcile="keys", owner_tag=True, beside=("rotation",))))


def test_the_actions_stand_in_one_place() -> None:
    assert re.findall(r"\b(?:iam|organizations):[A-Z]\w+", data("capture", "role.yaml").read_text("utf-8")) == []


@pytest.mark.parametrize("external_id", ["", "case-42", "=,.@:/-_+", "null", "12345678"])
@pytest.mark.parametrize("role_name", [ROLE, "null", "0123", "+=,.@-_"])
def test_the_parameters_begin_as_asked(role_name: str, external_id: str) -> None:
    parameters = parsed(role_template(role_name, external_id))["Parameters"]
    assert {name: given.get("Default") for name, given in parameters.items()} == {
        "TrustedPrincipal": None,
        "RoleName": role_name,
        "ExternalId": external_id,
        "MaxSessionDuration": 3600,
    }


def test_the_external_id_is_asked_for_only_where_there_is_one() -> None:
    found = role(role_template(ROLE, "case-42"))
    (trust,) = found["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"AWS": {"Ref": "TrustedPrincipal"}}
    assert trust["Condition"] == {
        "Fn::If": [
            "HasExternalId",
            {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}},
            {"Ref": "AWS::NoValue"},
        ]
    }
    assert found["Path"] == "/"


@pytest.mark.parametrize(
    ("principal", "is_allowed"),
    [
        ("111122223333", True),
        ("arn:aws:iam::111122223333:root", True),
        ("arn:aws-us-gov:iam::111122223333:role/audit", True),
        ("arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Audit_0123", True),
        ("arn:aws:iam::111122223333:user/auditor", True),
        ("*", False),
        ("arn:aws:iam::*:root", False),
        ("arn:aws:iam::111122223333:role/*", False),
        ("arn:aws:sts::111122223333:assumed-role/audit/me", False),
        ("1111", False),
    ],
)
def test_who_can_be_trusted_is_one_account_or_one_principal(principal: str, is_allowed: bool) -> None:
    pattern = parsed(role_template(ROLE))["Parameters"]["TrustedPrincipal"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, principal, re.ASCII)) is is_allowed


def test_a_wrong_template_is_found(tmp_path: Path) -> None:
    """The check of the check."""
    template = tmp_path / "role.yaml"
    template.write_text(role_template(ROLE).replace("RoleName:", "RoleNam:"), encoding="utf-8")
    assert any("RoleNam" in fault for fault in template_faults(template))


@pytest.mark.parametrize("external_id", ["", "case-42"])
def test_the_template_has_nothing_that_cfn_lint_objects_to(tmp_path: Path, external_id: str) -> None:
    template = tmp_path / "role.yaml"
    template.write_text(role_template(ROLE, external_id), encoding="utf-8")
    regions = ("--regions", "us-east-1", "cn-north-1", "us-gov-west-1")
    assert template_faults(template, *regions) == []


# --- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize("role_name", NOT_ROLE_NAMES)
def test_a_name_that_iam_would_refuse_is_refused(role_name: str) -> None:
    for make in (
        lambda: policy_json(Needs(organization=True, role_name=role_name)),
        lambda: role_template(role_name),
    ):
        with pytest.raises(InputError, match=r"^--role-name.*; give ") as raised:
            make()
        assert str(raised.value).isprintable()


@pytest.mark.parametrize("external_id", NOT_EXTERNAL_IDS)
def test_an_external_id_that_sts_would_refuse_is_refused(external_id: str) -> None:
    with pytest.raises(InputError, match=r"^--external-id .*; give 2 to 1224 ") as raised:
        role_template(ROLE, external_id)
    assert str(raised.value).isprintable() and len(str(raised.value)) < 200


def test_the_longest_names_are_taken() -> None:
    parameters = parsed(role_template("r" * 64, "x" * 1224))["Parameters"]
    assert (len(parameters["RoleName"]["Default"]), len(parameters["ExternalId"]["Default"])) == (64, 1224)


def test_aws_still_says_the_same_of_names() -> None:
    session = botocore.session.get_session()
    name = session.get_service_model("iam").operation_model("CreateRole").input_shape.members["RoleName"]
    external_id = session.get_service_model("sts").operation_model("AssumeRole").input_shape.members["ExternalId"]
    assert name.metadata == {"min": 1, "max": 64, "pattern": r"[\w+=,.@-]+"}
    assert external_id.metadata == {"min": 2, "max": 1224, "pattern": r"[\w+=,.@:\/-]*"}


def test_a_reconciliation_or_a_partition_that_is_unknown_is_refused() -> None:
    with pytest.raises(InputError, match=r"^--reconcile users: unknown; choose one of off, totals, keys$"):
        policy_json(Needs(reconcile="users"))
    for partition in ("", "*", "aws:iam", "aws\n"):
        with pytest.raises(InputError, match=r"^partition .*not one of AWS's"):
            policy_json(Needs(), partition=partition)
