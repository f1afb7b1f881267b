"""The CloudFormation template around the function: ``data/rotation/*.yaml``, filled in for one user or many."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from keyaudit.resources import data, filled
from keyaudit.rotation.code import function_code
from keyaudit.rotation.deployment import SELF, Deployment, Member
from keyaudit.rotation.naming import secret_name
from keyaudit.rotation.policies import role_statements, self_management
from keyaudit.schema import FUNCTION_VERSION

#: the beginning of a template's description, by which our stacks are recognised
ABOUT = "Rotation of the access keys of "
ABOUT_MANY = f"{ABOUT}many users"


def rotation_template(one: Deployment) -> str:
    """The template as YAML. ``limits`` says whether it is within AWS's limits."""
    periods = one.periods
    whose = "many users" if one.is_many else one.only.user
    values = {
        "Text": f"{ABOUT}{whose}",
        "Version": str(FUNCTION_VERSION),
        "Grace": str(periods.grace),
        "Quiet": str(periods.quiet),
        "Retention": str(periods.retention),
        "MaxAge": str(periods.max_age),
        "DeactivateInUse": "yes" if one.deactivates_in_use else "no",
    }
    values = {name: json.dumps(text) for name, text in values.items()}  # a JSON string is a YAML string
    values |= {
        "Users": quoted(json.dumps(one.users, separators=(",", ":"))),
        "Description": f"{ABOUT}{whose}",
        "Metadata": metadata(one),
        "Parameters": _parameters(one),
        "Subscription": _subscription(one.notify),
        "RoleStatements": "\n".join(statement.yaml() for statement in role_statements(one)),
        "Concurrency": "" if one.is_many else _ONE_AT_A_TIME,
        "Optional": _optional(one),
        "Code": function_code(),
        "Members": "".join(_member(one, member) for member in one.members),
        "SelfManagement": self_management(one) if one.master == SELF else "",
        "SecretOutput": "" if one.is_many else _SECRET_OUTPUT,
    }
    return filled(data("rotation", "template.yaml"), values)


_ONE_AT_A_TIME = "# never two calls at the same time\nReservedConcurrentExecutions: 1"
_SECRET_OUTPUT = "Secret:\n Value: !Ref Secret"


def metadata(one: Deployment) -> str:
    """What was asked for, as JSON, without what has its default. Users stand in their order under their owners,
    with the days between their rotations; adopted keys are only in the environment."""
    found: dict[str, Any] = {"version": str(FUNCTION_VERSION), "many": one.is_many, "periods": asdict(one.periods)}
    settings = ("master", "kms_key", "notify", "deactivates_in_use", "fields")
    found |= {name: getattr(one, name) for name in settings if getattr(one, name)}
    by_user = {
        "paths": {member.user: member.path for member in one.members if member.path != "/"},
        "secrets": {member.user: member.secret for member in one.members if member.secret},
        "names": {member.user: member.name for member in one.members if _is_odd(member)},
    }
    found |= {name: values for name, values in by_user.items() if values}
    owners: dict[str, dict[str, int]] = {}
    for member in one.members:
        owners.setdefault(member.owner, {})[member.user] = member.every
    users = ",\n".join(f" {_json(owner)}: {_json(users)}" for owner, users in owners.items())
    return f'{_json(found)[:-1]}, "owners": {{\n{users}\n}}}}'


def _is_odd(member: Member) -> bool:
    """Whether a member's secret belongs to its stack, under a name that a new secret would not get."""
    return not member.secret and member.name != secret_name(member.user)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def quoted(text: str) -> str:
    """A string of YAML, which is shorter than that of JSON if it holds JSON."""
    return "'" + text.replace("'", "''") + "'"


def _member(one: Deployment, member: Member) -> str:
    names = {"Secret": "S", "Invoke": "P", "Schedule": "R"}
    values = {name: one.resource(kind, member) for name, kind in names.items()} | {"Every": str(member.every)}
    own = "" if member.secret else filled(data("rotation", "secret.yaml"), values | _secret(one, member))
    return filled(data("rotation", "member.yaml"), values | {"Resource": own})


def _secret(one: Deployment, member: Member) -> dict[str, str]:
    """A description without anything that can be deployed again with other values: see the comment in the
    template."""
    more = {} if one.is_many else {"Description": f"Access key of the IAM user {member.user}"}
    more |= {"KmsKeyId": one.kms_key} if one.kms_key else {}
    return {
        "SecretName": member.name,
        "More": "".join(f"{name}: {json.dumps(text)}," for name, text in more.items()),
        "SecretString": quoted(json.dumps(one.first_value(member), separators=(",", ":") if one.is_many else None)),
    }


def _parameters(one: Deployment) -> str:
    """The parameters in place of the resources: everything that refers to a secret refers to its parameter."""
    lines = [
        f" {one.resource('S', member)}:\n  Type: String\n  Default: {json.dumps(member.secret)}\n"
        for member in one.members
        if member.secret
    ]
    about = "# Secrets that were there before, with their values: what consumers read AWSCURRENT of.\n"
    return f"{about}Parameters:\n{''.join(lines)}" if lines else ""


def _optional(one: Deployment) -> str:
    """The settings that not every function has."""
    lines = []
    if one.fields:
        text = quoted(json.dumps(one.fields, separators=(",", ":")))
        lines += ["# what the fields of the value are called", f"KEYAUDIT_FIELDS: {text}"]
    if one.master:
        lines += ["# whose key signs the calls of IAM", f"KEYAUDIT_MASTER: {json.dumps(one.master)}"]
    if one.adopted:
        lines += ["# keys from before, which the secrets replace"]
        lines += [f"KEYAUDIT_ADOPTED: {json.dumps(' '.join(one.adopted))}"]
    return "\n".join(lines)


def _subscription(address: str) -> str:
    return f"Subscription:\n- Protocol: email\n  Endpoint: {json.dumps(address)}" if address else ""
