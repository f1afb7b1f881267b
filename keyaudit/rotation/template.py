"""The CloudFormation template around the function, for one user: ``data/rotation/template.yaml``, filled in."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

from keyaudit.permissions import yaml_statement
from keyaudit.resources import PACKAGE, data, filled
from keyaudit.rotation.periods import Periods
from keyaudit.schema import InputError
from keyaudit.texts import visible

HANDLER = PACKAGE / "rotation" / "handler.py"
#: CloudFormation's limit for a template that is sent with the call, in bytes
LARGEST = 51_200
#: IAM API Reference, CreateUser, UserName and Path; CreateAccessKey, AccessKeyId
USER = r"[\w+=,.@-]{1,64}"
PATH = r"/([!-\x7e]{1,510}/)?"
KEY_ID = r"\w{16,128}"
PARTITION = r"arn:aws[a-z-]*"
SECRET_ARN = rf"{PARTITION}:secretsmanager:[a-z0-9-]+:[0-9]{{12}}:secret:[\w/+=.@-]{{1,512}}"
KMS_ARN = rf"{PARTITION}:kms:[a-z0-9-]+:[0-9]{{12}}:key/[\w-]{{1,128}}"
EMAIL = r"[^\s@\"'\\<>{}]{1,64}@[\w.-]{1,255}"
_KEY_ACTIONS = (
    "iam:CreateAccessKey",
    "iam:DeleteAccessKey",
    "iam:GetAccessKeyLastUsed",
    "iam:GetUser",
    "iam:ListAccessKeys",
    "iam:UpdateAccessKey",
)


@dataclass(frozen=True)
class Deployment:
    """What is deployed for a user, whose path in IAM is ``path``. ``master``: ARN of the secret whose key signs the
    calls of IAM, ``self`` for this one, empty for the function's role; ``adopted``: ids of the keys that the secret
    replaces; ``secret``: ARN of one that is there, instead of a new one; ``kms_key``: ARN of the customer-managed
    key of the secret, if any; ``notify``: a mail address."""

    user: str
    periods: Periods
    path: str = "/"
    master: str = ""
    adopted: tuple[str, ...] = ()
    deactivates_in_use: bool = False
    kms_key: str = ""
    notify: str = ""
    secret: str = ""

    def __post_init__(self) -> None:
        """InputError for what AWS would not take, or what could be more than it looks like."""
        _check("--user", self.user, USER, "a user's name: 1 to 64 letters, digits or _+=,.@-")
        _check("--path", self.path, PATH, "a user's path, as / or /division/")
        if "$" in self.path or "*" in self.path or "?" in self.path:
            raise InputError(
                f"--path {visible(self.path)}: signs that stand for others; give the path of this user"
            )
        if self.master != "self":
            _check("--master-arn", self.master, f"({SECRET_ARN})?", "the ARN of a secret")
        for key_id in self.adopted:
            _check("--adopt", key_id, KEY_ID, "an access key id")
        _check("--kms-key-arn", self.kms_key, f"({KMS_ARN})?", "the ARN of a key in KMS")
        _check("--secret-arn", self.secret, f"({SECRET_ARN})?", "the ARN of a secret")
        _check("--notify", self.notify, f"({EMAIL})?", "a mail address")

    @property
    def secret_name(self) -> str:
        return secret_name(self.user)


def secret_name(user: str) -> str:
    """The name of a user's secret: Secrets Manager takes no comma."""
    return f"keyaudit/{user.replace(',', '_')}"


def _check(option: str, value: str, pattern: str, wanted: str) -> None:
    if not re.fullmatch(pattern, value, re.ASCII):
        raise InputError(f"{option} {visible(value[:80])}: not {wanted}")


def rotation_template(deployment: Deployment) -> str:
    """The template, YAML. InputError where it would be larger than CloudFormation takes."""
    one, periods = deployment, deployment.periods
    secret = {"username": one.user}
    if one.master:
        secret["masterarn"] = one.secret_name if one.master == "self" else one.master
    # nothing of what can be deployed again with other values: see secret.yaml
    own = {"SecretName": one.secret_name, "SecretDescription": f"Access key of the IAM user {one.user}"}
    own |= {"SecretString": json.dumps(secret)}
    plain = {
        "Description": f"Rotation of the access keys of {one.user}",
        "DailyDescription": f"Retire what was replaced of the access keys of {one.user}",
        "User": one.user,
        "Grace": str(periods.grace),
        "Quiet": str(periods.quiet),
        "Retention": str(periods.retention),
        "MaxAge": str(periods.max_age),
        "DeactivateInUse": "yes" if one.deactivates_in_use else "no",
    }
    values = {name: json.dumps(text) for name, text in plain.items()}  # a JSON string is a YAML string
    values |= {
        "Every": str(periods.every),
        "Adopted": _adopted(one.adopted),
        "Parameters": _parameter(one.secret) if one.secret else "",
        "Secret": "" if one.secret else filled(data("rotation", "secret.yaml"), _secret(one, own)),
        "Subscription": _subscription(one.notify),
        "RoleStatements": _role_statements(one),
        "SelfManagement": _self_management(one) if one.master == "self" else "",
        "Code": Path(HANDLER).read_text(encoding="utf-8"),
    }
    text = filled(data("rotation", "template.yaml"), values)
    if len(text.encode()) > LARGEST:
        raise InputError(f"the template has {len(text.encode()):,} bytes, and CloudFormation takes {LARGEST:,}")
    return text


def _secret(one: Deployment, own: dict[str, str]) -> dict[str, str]:
    kms = f"KmsKeyId: {json.dumps(one.kms_key)}" if one.kms_key else ""
    return {**{name: json.dumps(text) for name, text in own.items()}, "KmsKeyId": kms}


def _parameter(arn: str) -> str:
    """In the place of the resource: everything that refers to the secret refers to this."""
    return (
        "# A secret that was there before, with its value: what consumers read AWSCURRENT of.\n"
        f"Parameters:\n  Secret:\n    Type: String\n    Default: {json.dumps(arn)}\n"
    )


def secret_block(template: str) -> str:
    """The secret as a template has it, resource or parameter; empty where it has none."""
    found = re.search(r"^  Secret:\n(?:    .*\n)+", template, re.MULTILINE)
    return found[0] if found else ""


def adopted_in(template: str) -> tuple[str, ...]:
    """The keys that a deployed template adopted: a later one keeps them, and adopts no others."""
    found = re.search(r'^ *KEYAUDIT_ADOPTED: "([\w ]*)"$', template, re.MULTILINE)
    return tuple(found[1].split()) if found else ()


def _adopted(key_ids: tuple[str, ...]) -> str:
    if not key_ids:
        return ""
    return f"# keys from before, which the secret replaces\nKEYAUDIT_ADOPTED: {json.dumps(' '.join(key_ids))}"


def _subscription(address: str) -> str:
    if not address:
        return "DisplayName: Access keys"
    return f"DisplayName: Access keys\nSubscription:\n  - Protocol: email\n    Endpoint: {json.dumps(address)}"


def _user_arn(one: Deployment) -> str:
    return f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:user{one.path}{one.user}"


def _role_statements(one: Deployment) -> str:
    """What the function may do besides: of the user, unless another key signs; the master's secret; KMS."""
    statements = []
    if not one.master:
        statements.append(_statement("User", _KEY_ACTIONS, _user_arn(one)))
    elif one.master != "self":
        statements.append(_statement("Master", ("secretsmanager:GetSecretValue",), one.master))
    if one.kms_key:
        condition = (
            "\n  # only for this secret\n"
            '  Condition:\n    StringEquals:\n      "kms:EncryptionContext:SecretARN": !Ref Secret'
        )
        actions = ("kms:Decrypt", "kms:GenerateDataKey")
        statements.append(_statement("Encryption", actions, one.kms_key) + condition)
        statements.append(_statement("EncryptionKey", ("kms:DescribeKey",), one.kms_key))
    return "\n".join(statements)


def _statement(sid: str, actions: tuple[str, ...], resource: str) -> str:
    return yaml_statement({"Sid": sid, "Action": actions, "Resource": resource})


def _self_management(one: Deployment) -> str:
    """The user's own permission to replace its keys, and nothing else of itself."""
    statement = indent(_statement("OwnKeys", _KEY_ACTIONS, _user_arn(one)), " " * 8)
    return (
        "# The user's own key signs the calls of IAM: it may replace its keys, and nothing else of itself.\n"
        "SelfManagement:\n"
        "  Type: AWS::IAM::ManagedPolicy\n"
        "  Properties:\n"
        f"    Description: {json.dumps(f'Lets {one.user} replace its own access keys')}\n"
        f"    Users:\n      - {json.dumps(one.user)}\n"
        "    PolicyDocument:\n"
        '      Version: "2012-10-17"\n'
        f"      Statement:\n{statement}"
    )
