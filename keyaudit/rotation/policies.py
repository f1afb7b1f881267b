"""What the function's role may do: the statements, as the template has them and as IAM counts them (pure)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from textwrap import indent

from keyaudit.rotation.deployment import SELF, Deployment, Member

KEY_ACTIONS = (
    "iam:CreateAccessKey",
    "iam:DeleteAccessKey",
    "iam:GetAccessKeyLastUsed",
    "iam:GetUser",
    "iam:ListAccessKeys",
    "iam:UpdateAccessKey",
)
SECRET_ACTIONS = (
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:ListSecretVersionIds",
    "secretsmanager:PutSecretValue",
    "secretsmanager:RotateSecret",
    "secretsmanager:TagResource",
    "secretsmanager:UpdateSecretVersionStage",
)


#: what the ARN of a user begins with, in the template
_USER = '!Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:user'
_CONTEXT = '"kms:EncryptionContext:SecretARN"'


@dataclass(frozen=True)
class Resource:
    """What a statement is about: in the template, and as an ARN with placeholders ``{partition}``, ``{region}``,
    ``{account}`` and ``{stack}``."""

    yaml: str
    arn: str


@dataclass(frozen=True)
class Statement:
    """Actions that are allowed on resources; ``why`` is for whoever reviews the template. ``is_for_the_secrets``:
    only to decrypt and encrypt these secrets."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[Resource, ...]
    why: str
    secrets: tuple[Resource, ...] = ()

    def yaml(self) -> str:
        lines = [f"# {self.why}", f"- Sid: {self.sid}", "  Effect: Allow", "  Action:"]
        lines += [f"  - {action}" for action in self.actions]
        lines.append(f"  {_listed('Resource', self.resources)}")
        if self.secrets:
            lines += ["  # only for these secrets", "  Condition:", "   StringEquals:"]
            lines.append(f"    {_listed(_CONTEXT, self.secrets)}")
        return "\n".join(lines)

    def json(self, **names: str) -> str:
        """The statement as IAM counts it: without whitespace."""
        found: dict[str, object] = {"Sid": self.sid, "Effect": "Allow", "Action": list(self.actions)}
        found["Resource"] = [one.arn.format(**names) for one in self.resources]
        if self.secrets:
            arns = [one.arn.format(**names) for one in self.secrets]
            found["Condition"] = {"StringEquals": {"kms:EncryptionContext:SecretARN": arns}}
        return json.dumps(found, separators=(",", ":"))


def _listed(key: str, resources: tuple[Resource, ...]) -> str:
    if len(resources) == 1:
        return f"{key}: {resources[0].yaml}"
    if all(one.yaml.startswith(_USER) for one in resources):
        users = " ".join(f"${{U}}{one.yaml.removeprefix(_USER)[:-1]}" for one in resources)
        return f'{key}: !Split [" ", !Sub ["{users}", {{U: {_USER}"}}]]'
    return f"{key}: [{','.join(one.yaml for one in resources)}]"


def role_statements(one: Deployment) -> list[Statement]:
    """The statements of the role's own policy."""
    secrets = tuple(secret_of(one, member) for member in one.members)
    users = tuple(user_of(member) for member in one.members)
    found = [
        Statement(
            "Secrets",
            SECRET_ACTIONS,
            secrets,
            "store keys, move stages, note in tags what was begun, begin again what was left undone",
        )
    ]
    if not one.master:
        why = "replace their keys; see whose a key is, and whether it is in use"
        found.append(Statement("Users", KEY_ACTIONS, users, why))
    elif one.master != SELF:
        master = (Resource(json.dumps(one.master), one.master),)
        found.append(
            Statement("Master", ("secretsmanager:GetSecretValue",), master, "its key signs the calls of IAM")
        )
    if one.kms_key:
        key = (Resource(json.dumps(one.kms_key), one.kms_key),)
        use = ("kms:Decrypt", "kms:GenerateDataKey")
        found.append(Statement("Encryption", use, key, "the key that the secrets are encrypted with", secrets))
        found.append(Statement("EncryptionKey", ("kms:DescribeKey",), key, "Secrets Manager asks what it is"))
    topic = Resource("!Ref Notices", "arn:{partition}:sns:{region}:{account}:{stack}-Notices-ABCDEFGHIJKL")
    found.append(Statement("Notices", ("sns:Publish",), (topic,), "what a person must know"))
    logs = Resource(
        "!GetAtt Logs.Arn", "arn:{partition}:logs:{region}:{account}:log-group:{stack}-Logs-ABCDEFGHIJKL:*"
    )
    why = "the ARN ends with an asterisk of its own: this group's streams"
    found.append(Statement("Log", ("logs:CreateLogStream", "logs:PutLogEvents"), (logs,), why))
    return found


def secret_of(one: Deployment, member: Member) -> Resource:
    """The secret: a resource of the stack, or a parameter of the same name."""
    arn = member.secret or "arn:{partition}:secretsmanager:{region}:{account}:secret:" + f"{member.name}-ABCDEF"
    return Resource(f"!Ref {one.resource('S', member)}", arn)


def user_of(member: Member) -> Resource:
    who = f"{member.path}{member.user}"
    return Resource(f"{_USER}{json.dumps(who)[1:]}", "arn:{partition}:iam::{account}:user" + braced(who))


def braced(text: str) -> str:
    """A text that ``format`` returns unchanged: a path may have braces."""
    return text.replace("{", "{{").replace("}", "}}")


def self_management(one: Deployment) -> str:
    """The permission of a user to replace its own keys, and nothing else."""
    member = one.only
    why = "The user's own key signs the calls of IAM: it may replace its keys, and nothing else of itself."
    statement = Statement("OwnKeys", KEY_ACTIONS, (user_of(member),), "nothing of passwords or certificates")
    return (
        f"# {why}\n"
        "SelfManagement:\n"
        " Type: AWS::IAM::ManagedPolicy\n"
        " Properties:\n"
        f"  Description: {json.dumps(f'Lets {member.user} replace its own access keys')}\n"
        f"  Users:\n  - {json.dumps(member.user)}\n"
        "  PolicyDocument:\n"
        '   Version: "2012-10-17"\n'
        f"   Statement:\n{indent(statement.yaml(), '   ')}"
    )
