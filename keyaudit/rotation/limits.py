"""How near a deployment comes to AWS's limits: measured before anything is asked of AWS (pure)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from keyaudit.rotation.deployment import Deployment
from keyaudit.rotation.policies import Resource, role_statements, secret_of
from keyaudit.schema import InputError
from keyaudit.texts import say

#: CloudFormation, "Understand CloudFormation quotas": bytes of a template that is sent with the call, and of one in
#: S3
BODY, IN_S3 = 51_200, 1_000_000
RESOURCES = 500
PARAMETERS = 200
#: IAM, "IAM and AWS STS quotas": all inline policies of a role, in characters without whitespace
ROLE = 10_240
#: Lambda, "Lambda quotas": a function's resource-based policy, and its environment variables, in bytes
FUNCTION_POLICY, ENVIRONMENT = 20_480, 4_096


@dataclass(frozen=True)
class Measure:
    """What was measured, and the most that AWS takes; ``name`` names its sentence."""

    name: str
    found: int
    most: int

    @property
    def is_over(self) -> bool:
        return self.found > self.most


@dataclass(frozen=True)
class Where:
    """Where a stack is, as far as lengths depend on it; the defaults are the longest names that exist."""

    account: str = "000000000000"
    region: str = "ap-southeast-99"
    partition: str = "aws-us-gov"


def measures(one: Deployment, template: str, where: Where | None = None, in_s3: bool = False) -> list[Measure]:
    """The measures of this deployment that AWS limits."""
    names = vars(where or Where()) | {"stack": one.stack}
    statements = ",".join(statement.json(**names) for statement in role_statements(one))
    itself = json.dumps(_allowed(names), separators=(",", ":"))
    environment = re.findall(r"^ +(KEYAUDIT_\w+): (.*)$", template, re.MULTILINE)
    return [
        Measure("template_s3" if in_s3 else "template", len(template.encode()), IN_S3 if in_s3 else BODY),
        Measure("resources", len(re.findall(r"^ \w+:\n  Type: AWS::", template, re.MULTILINE)), RESOURCES),
        Measure("parameters", sum(bool(member.secret) for member in one.members), PARAMETERS),
        Measure("role", len(_ENVELOPE) + len(statements) + len(_ENVELOPE) + len(itself), ROLE),
        Measure("function_policy", len(_function_policy(one, names).encode()), FUNCTION_POLICY),
        Measure("environment", sum(len(name) + _length(value, names) for name, value in environment), ENVIRONMENT),
    ]


def check_limits(one: Deployment, template: str, where: Where | None = None, in_s3: bool = False) -> None:
    """InputError with the numbers, and what to do, for everything that AWS would refuse."""
    over = [found for found in measures(one, template, where, in_s3) if found.is_over]
    if over:
        raise InputError("; ".join(said(found) for found in over))


def said(one: Measure) -> str:
    return say(f"operate.limit.{one.name}", n=one.found, most=one.most)


_ENVELOPE = '{"Version":"2012-10-17","Statement":[]}'


def _allowed(names: dict[str, str]) -> dict[str, object]:
    """The statement that the role needs as well, in a policy of its own."""
    arn = _function(names)
    return {"Sid": "Itself", "Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": arn}


def _function(names: dict[str, str]) -> str:
    return "arn:{partition}:lambda:{region}:{account}:function:{stack}-Function-ABCDEFGHIJKL".format(**names)


def _function_policy(one: Deployment, names: dict[str, str]) -> str:
    """The policy that Lambda keeps for the function, as GetPolicy shows it, with one statement for each
    permission."""
    secrets = [(one.resource("P", member), secret_of(one, member)) for member in one.members]
    rule = Resource("", "arn:{partition}:events:{region}:{account}:rule/{stack}-Daily-ABCDEFGHIJKL")
    statements = [_permission(name, arn, "secretsmanager", names) for name, arn in secrets]
    statements.append(_permission("InvokeDaily", rule, "events", names))
    policy = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
    return json.dumps(policy, separators=(",", ":"))


def _permission(name: str, source: Resource, service: str, names: dict[str, str]) -> dict[str, object]:
    return {
        "Sid": f"{names['stack']}-{name}-ABCDEFGHIJKL",
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": _function(names),
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": names["account"]},
            "ArnLike": {"AWS:SourceArn": source.arn.format(**names)},
        },
    }


def _length(value: str, names: dict[str, str]) -> int:
    """The bytes of a setting as the function will have it."""
    if value.startswith("'"):
        return len(value[1:-1].encode())
    if value.startswith('"'):
        return len(str(json.loads(value)).encode())
    return len("arn:{partition}:sns:{region}:{account}:{stack}-Notices-ABCDEFGHIJKL".format(**names))
