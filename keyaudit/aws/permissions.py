"""What a capture must be allowed to do: the caller's policy, and the role in the accounts of an organization.

The actions stand here once. AWS says which of them can be limited to resources in the Service Authorization
Reference, "Actions, resources, and condition keys for AWS Identity and Access Management (IAM)" and the pages of
AWS Organizations and AWS STS: an action without a resource type can only be allowed on ``*``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from keyaudit.captured import documents
from keyaudit.captured.documents import Grant
from keyaudit.resources import data, filled
from keyaudit.schema import InputError
from keyaudit.texts import visible

#: AWS's own patterns: IAM API Reference, CreateRole, RoleName; STS API Reference, AssumeRole, ExternalId
ROLE_NAME = r"[\w+=,.@-]{1,64}"
EXTERNAL_ID = r"[\w+=,.@:/-]{2,1224}"
PARTITION = r"aws[a-z-]*"
#: a role, a user, or a whole account
TRUSTED_PRINCIPAL = rf"[0-9]{{12}}|arn:{PARTITION}:iam::[0-9]{{12}}:(root|(role|user)/[\w+=,.@/-]+)"

LONGEST_SHOWN = 80


#: all but those that the documents beside the report need
_GRANTS = (
    Grant("CredentialReport", ("iam:GenerateCredentialReport", "iam:GetCredentialReport")),
    Grant("AccountAlias", ("iam:ListAccountAliases",)),
    Grant("OwnersAndAdministrators", ("iam:GetAccountAuthorizationDetails",)),
    # answered in the management account, or in one that is a delegated administrator
    Grant("OrganizationAccounts", ("organizations:ListAccounts",)),
    Grant("RoleInEachAccount", ("sts:AssumeRole",), "arn:{partition}:iam::*:role/{role_name}"),
)
_ALWAYS = ("CredentialReport", "AccountAlias")
_RECONCILE = {
    "off": (),
    "totals": ("AccountTotals",),
    "keys": ("AccountTotals", "UserNames", "AccessKeyIds"),
}
_TAGS = ("OwnersAndAdministrators",)
_ROLES = ("RoleInEachAccount",)
_ORGANIZATION = ("OrganizationAccounts", *_ROLES)


@dataclass(frozen=True)
class Needs:
    """What decides the permissions for a capture; ``beside`` names the documents that are asked for. If an
    ``organization``, or ``roles`` in a list of accounts, are entered, the permissions for one account are needed
    too, because the caller's own account is read with the caller's session. A caller who begins by assuming
    ``role_arn`` needs only the permission for that, and the role needs the rest."""

    reconcile: str = "keys"
    owner_tag: bool = False
    purpose: bool = False
    beside: tuple[str, ...] = ()
    organization: bool = False
    roles: bool = False
    role_arn: str = ""
    role_name: str = ""


def statements(needs: Needs, partition: str = "aws", account: str = "*") -> list[dict[str, Any]]:
    """What must be allowed to whoever runs the capture: what these options need, and nothing else. A capture can do
    without the alias alone. InputError if AWS would refuse the value of an option."""
    if needs.reconcile not in _RECONCILE:
        raise InputError(f"--reconcile {_shown(needs.reconcile)}: unknown; choose one of {', '.join(_RECONCILE)}")
    if needs.organization or needs.roles:
        check_role_name(needs.role_name)
    if needs.role_arn:
        return [Grant("RoleToBeginWith", ("sts:AssumeRole",), needs.role_arn).statement()]
    sids = (
        *_ALWAYS,
        *_RECONCILE[needs.reconcile],
        *(grant.sid for one in documents.optional() if one.name in needs.beside for grant in one.grants),
        *(_TAGS if needs.owner_tag or needs.purpose else ()),
        *(_ORGANIZATION if needs.organization else _ROLES if needs.roles else ()),
    )
    grants = {one.sid: one for one in (*_GRANTS, *(grant for row in documents.DOCUMENTS for grant in row.grants))}
    names = {"partition": partition, "account": account, "role_name": needs.role_name}
    return [grants[sid].statement(**names) for sid in sids]


def policy_json(needs: Needs, partition: str = "aws") -> str:
    """The IAM policy for whoever runs the capture: ``statements``, for any account of a partition."""
    if not re.fullmatch(PARTITION, partition):
        raise InputError(
            f"partition {_shown(partition)}: not one of AWS's partitions; give it as in ARNs, for example aws-cn"
        )
    found = {"Version": "2012-10-17", "Statement": statements(needs, partition)}
    return json.dumps(found, indent=2) + "\n"


#: the stack's own values, by CloudFormation's pseudo parameters, so that one template serves everywhere
OF_THE_STACK: dict[str, str] = {"partition": "${AWS::Partition}", "account": "${AWS::AccountId}"}


def yaml_statement(statement: dict[str, Any]) -> str:
    """A statement of a template, in block style, for people to read."""
    resource = statement["Resource"]
    tag = "!Sub " if "${" in resource else ""
    actions = "\n".join(f"    - {action}" for action in statement["Action"])
    head = f"- Sid: {statement['Sid']}\n  Effect: Allow\n  Action:\n{actions}"
    return f"{head}\n  Resource: {tag}{json.dumps(resource)}"


def role_template(role_name: str, external_id: str = "") -> str:
    """The CloudFormation template of the role that a capture assumes: ``data/capture/role.yaml``, filled in.

    It allows in its own account what ``policy_json`` allows with all documents and the tags of users.
    """
    check_role_name(role_name)
    if external_id:
        check_external_id(external_id)
    template, beside = data("capture", "role.yaml"), tuple(one.name for one in documents.optional())
    allowed = statements(Needs(owner_tag=True, beside=beside), **OF_THE_STACK)
    told = {one["Sid"]: yaml_statement(one) for one in allowed}
    values = {
        # a JSON string is a YAML string, whatever is in it
        "RoleName": json.dumps(role_name),
        "ExternalId": json.dumps(external_id),
        "RoleNamePattern": json.dumps(f"^{ROLE_NAME}$"),
        "ExternalIdPattern": json.dumps(f"^({EXTERNAL_ID})?$"),
        "TrustedPrincipalPattern": json.dumps(f"^({TRUSTED_PRINCIPAL})$"),
        **{sid: text for sid, text in told.items() if f"<<{sid}>>" in template.read_text(encoding="utf-8")},
    }
    further = [text for sid, text in told.items() if sid not in values]
    return filled(template, values | {"FurtherDocuments": "\n".join(further)})


def check_role_name(role_name: str) -> None:
    """InputError unless IAM takes it as the name of a role."""
    if not role_name:
        raise InputError("--role-name: missing; give the name of the role to assume in each account")
    if not re.fullmatch(ROLE_NAME, role_name, re.ASCII):
        raise InputError(
            f"--role-name {_shown(role_name)}: not a role name; give the name alone, without ARN or path: "
            "1 to 64 letters, digits or _+=,.@-"
        )


def check_external_id(external_id: str) -> None:
    """InputError unless STS takes it as an external id."""
    if not re.fullmatch(EXTERNAL_ID, external_id, re.ASCII):
        raise InputError(
            f"--external-id {_shown(external_id)}: not an external id; give 2 to 1224 letters, digits or _+=,.@:/-"
        )


def _shown(value: str) -> str:
    """A value in a message of one line."""
    return visible(value if len(value) <= LONGEST_SHOWN else value[: LONGEST_SHOWN - 1] + "…")
