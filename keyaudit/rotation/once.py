"""One rotation, at once; and where a user is rotated: by a stack of its own, or by that of many users."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from keyaudit.captured.function import own_line
from keyaudit.rotation.deploy import before_of
from keyaudit.rotation.naming import MANY, secret_name, stack_name
from keyaudit.rotation.operator import Operator
from keyaudit.rotation.remarks import option
from keyaudit.rotation.stack import Stack, output, parameters
from keyaudit.schema import InputError
from keyaudit.texts import say


@dataclass(frozen=True)
class Home:
    """Where a user's keys are rotated; without a stack, with the secret that a stack would make."""

    user: str
    stack: Stack
    secret_id: str


def home(operator: Operator, user: str) -> Home:
    own = Stack(operator, stack_name(user))
    told = own.told()
    if told:
        arns = [parameters(told).get("Secret", ""), output(told, "Secret")]
        if known := [arn for arn in arns if arn.startswith("arn:")]:
            return Home(user, own, known[0])
        one = before_of(own.name, own.template())
        return Home(user, own, one.only.name if one else secret_name(user))
    stack = Stack(operator, MANY)
    many = before_of(MANY, stack.template())
    for member in many.members if many else ():
        if member.user == user:
            return Home(user, stack, member.secret or member.name)
    return Home(user, own, secret_name(user))


def rotated_secret(operator: Operator, where: Home) -> dict[str, Any]:
    """The secret, ready to be rotated. InputError if no rotation is deployed, or one has not ended."""
    secret = operator.secret(where.secret_id)
    if secret is None or not secret.get("RotationEnabled"):
        raise InputError(f"--user {where.user}: no rotation is deployed for it; see keyaudit rotation deploy")
    stages = secret.get("VersionIdsToStages", {})
    stuck = [version for version, names in stages.items() if names == ["AWSPENDING"]]
    if stuck:
        command = (
            f"aws secretsmanager update-secret-version-stage {option('--region', operator.region)} "
            f"{option('--secret-id', str(secret['ARN']))} --version-stage AWSPENDING "
            f"{option('--remove-from-version-id', stuck[0])}"
        )
        raise InputError(f"--user {where.user}: {say('operate.stuck', command=command)}")
    return secret


def rotate(operator: Operator, where: Home, secret: dict[str, Any]) -> datetime:
    """Rotate at once; returns when the new key was made, by IAM. OperationError with the function's own words if
    the rotation does not come to its end."""
    started, arn = datetime.now(UTC), secret["ARN"]
    token = operator.ask(operator.secrets, "rotate_secret", "VersionId", SecretId=arn)["VersionId"]

    former = _version_of(secret, "AWSCURRENT")

    def ended() -> bool | None:
        now = operator.secret(arn) or {}
        current, pending = _version_of(now, "AWSCURRENT"), _version_of(now, "AWSPENDING")
        # not only the token's version: fields that a person changed meanwhile are carried over into another version
        return True if current != former and not pending else None

    late = say("operate.late.rotate", user=where.user)
    operator.until(ended, late, lambda: _said(operator, where, token, started))
    made: datetime = operator.keys(where.user)[0]["CreateDate"]
    return made


def _version_of(secret: dict[str, Any], stage: str) -> str:
    """The version that has a stage; empty if none has it."""
    stages = secret.get("VersionIdsToStages", {})
    return next((version for version, names in stages.items() if stage in names), "")


def _said(operator: Operator, where: Home, token: str, since: datetime) -> str:
    """Why the function stopped, from its log."""
    group = where.stack.resource("Logs") or f"/aws/lambda/{where.stack.name}"
    start = {"logGroupName": group, "startTime": int(since.timestamp() * 1000) - 60_000}
    found = operator.ask(operator.client("logs"), "filter_log_events", **start) or {"events": []}
    lines = [own_line(one["message"], where.user) for one in found["events"]]
    reasons = [line["reason"] for line in lines if line and line.get("reason") and line.get("token") == token]
    return say("operate.said", reason=reasons[-1]) if reasons else say("operate.silent", group=group)
