"""The stack of a user's rotation in CloudFormation: looked at, changed by a change set, deleted; and one rotation.

Every failure of a call is an OperationError with AWS's reason; nothing is changed but by ``execute``, ``delete``
and ``rotate``.
"""

from __future__ import annotations

import hashlib
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from keyaudit.capture.calls import CallFailedError, Calls
from keyaudit.capture.session import Session
from keyaudit.rotation.template import secret_name
from keyaudit.schema import EvidenceError, InputError
from keyaudit.texts import say, utc

PREFIX = "keyaudit-rotation-"
LONGEST_NAME = 128
PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds
#: AWS's answers that mean: there is none
ABSENT = {
    "get_user": ("NoSuchEntity",),
    "describe_secret": ("ResourceNotFoundException",),
    "get_template": ("ValidationError",),
    "describe_stacks": ("ValidationError",),
    "describe_stack_resource": ("ValidationError",),
    "filter_log_events": ("ResourceNotFoundException",),
}
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")


class OperationError(EvidenceError):
    """What AWS refused, or what did not come to its end; exit 4."""


@dataclass(frozen=True)
class Change:
    """One line of a change set; ``replaces``: the resource is made anew."""

    action: str
    name: str
    kind: str
    replaces: bool


def stack_name(user: str) -> str:
    """The name of a user's stack. One that had to be changed ends with a hash, so that no two users share it."""
    plain = re.sub(r"[^A-Za-z0-9-]", "-", user)
    if plain != user:
        plain = f"{plain}-{hashlib.sha256(user.encode()).hexdigest()[:8]}"
    return f"{PREFIX}{plain}"[:LONGEST_NAME]


class Operator:
    """The calls of an operator, for one user."""

    def __init__(self, session: Session, calls: Calls, user: str) -> None:
        self.calls, self.user, self.name = calls, user, stack_name(user)
        # one of its own: what another run left is not in the way
        self.change_set = f"keyaudit-{uuid.uuid4().hex[:12]}"
        names = ("cloudformation", "secretsmanager", "iam", "logs")
        self.stacks, self.secrets, self.iam, self.logs = (session.client(name, calls) for name in names)

    # --- what is there --------------------------------------------------------------------------------------------
    def ask(self, client: Any, method: str, *needs: str, **what: Any) -> Any:
        """An answer; None where AWS says that there is no such thing. OperationError for any other failure."""
        try:
            return self.calls.call(client, method, needs, **what)
        except CallFailedError as error:
            if error.code in ABSENT.get(method, ()):
                return None
            raise OperationError(error.why) from None

    def path_of_user(self) -> str:
        """The user's path; InputError where there is no such user."""
        found = self.ask(self.iam, "get_user", "User", UserName=self.user)
        if found is None:
            raise InputError(f"--user {self.user}: IAM has no such user in this account; look for its name")
        return str(found["User"]["Path"])

    def keys(self) -> list[dict[str, Any]]:
        """The user's keys with their last use, the newest first."""
        found = self.ask(self.iam, "list_access_keys", "AccessKeyMetadata", UserName=self.user)["AccessKeyMetadata"]
        for key in found:
            what = {"AccessKeyId": key["AccessKeyId"]}
            key["LastUsed"] = self.ask(self.iam, "get_access_key_last_used", **what).get("AccessKeyLastUsed", {})
        return sorted(found, key=lambda key: key["CreateDate"], reverse=True)

    def secret(self, arn: str = "") -> dict[str, Any] | None:
        """The user's secret, or the one of an ARN, without its value; None where there is none."""
        secret_id = arn or self.secret_id()
        found: dict[str, Any] | None = self.ask(self.secrets, "describe_secret", "ARN", SecretId=secret_id)
        return found

    def secret_id(self) -> str:
        """The ARN of the stack's secret; without a stack, the name that it would give one."""
        found = self.ask(self.stacks, "describe_stacks", StackName=self.name) or {}
        stacks = found.get("Stacks", [])
        taken_over = [one for stack in stacks for one in stack.get("Parameters", [])]
        arns = [str(one["ParameterValue"]) for one in taken_over if one["ParameterKey"] == "Secret"]
        outputs = [one for stack in stacks for one in stack.get("Outputs", [])]
        arns += [str(one["OutputValue"]) for one in outputs if one["OutputKey"] == "Secret"]
        return next((arn for arn in arns if arn.startswith("arn:")), secret_name(self.user))

    def template(self) -> str:
        """The template of the stack that there is; empty where there is none."""
        what = {"StackName": self.name}
        found = self.ask(self.stacks, "get_template", "TemplateBody", **what)
        return str(found["TemplateBody"]) if found else ""

    def status(self) -> str:
        """CloudFormation's status of the stack; empty where there is none."""
        found = self.ask(self.stacks, "describe_stacks", StackName=self.name)
        return str(found["Stacks"][0]["StackStatus"]) if found and found.get("Stacks") else ""

    # --- a change set ---------------------------------------------------------------------------------------------
    def prepare(self, template: str, exists: bool) -> list[Change] | None:
        """The change set, made and looked at; None where nothing would change."""
        what = {"StackName": self.name, "ChangeSetName": self.change_set}
        self.ask(
            self.stacks,
            "create_change_set",
            TemplateBody=template,
            ChangeSetType="UPDATE" if exists else "CREATE",
            Capabilities=["CAPABILITY_IAM"],
            **what,
        )
        told = self.until(lambda: self._change_set(), say("operate.late.change_set"))
        if told["Status"] == "FAILED":
            self.withdraw(exists)
            reason = str(told.get("StatusReason", ""))
            if any(text in reason for text in NO_CHANGES):
                return None
            raise OperationError(say("operate.no_change_set", reason=reason))
        return [
            Change(one["Action"], one["LogicalResourceId"], one["ResourceType"], one.get("Replacement") == "True")
            for one in (change["ResourceChange"] for change in told["Changes"])
        ]

    def _change_set(self) -> dict[str, Any] | None:
        what = {"StackName": self.name, "ChangeSetName": self.change_set}
        told: dict[str, Any] = self.ask(self.stacks, "describe_change_set", "Status", **what)
        return None if told["Status"] in ("CREATE_PENDING", "CREATE_IN_PROGRESS") else told

    def withdraw(self, exists: bool) -> None:
        """The change set gone again, and the empty stack that it was made for."""
        what = {"StackName": self.name}
        self.ask(self.stacks, "delete_change_set", ChangeSetName=self.change_set, **what)
        if not exists:
            self.ask(self.stacks, "delete_stack", **what)

    def execute(self) -> None:
        """Carry the change set out, to its end. OperationError with the first reason where it fails."""
        self.ask(self.stacks, "execute_change_set", StackName=self.name, ChangeSetName=self.change_set)
        self._settled("deploy")

    def delete(self) -> None:
        """Delete the stack, to its end; what is retained stays."""
        self.ask(self.stacks, "delete_stack", StackName=self.name)
        self._settled("remove")

    def _settled(self, what: str) -> None:
        def ended() -> str | None:
            status = self.status()
            return None if status.endswith("_IN_PROGRESS") else status or "DELETE_COMPLETE"

        status = self.until(ended, say(f"operate.late.{what}", stack=self.name))
        good = ("DELETE_COMPLETE",) if what == "remove" else ("CREATE_COMPLETE", "UPDATE_COMPLETE")
        if status not in good:
            raise OperationError(say("operate.failed", stack=self.name, status=status, reason=self._reason()))

    def _reason(self) -> str:
        """The first failure of the stack's last operation."""
        events = self.ask(self.stacks, "describe_stack_events", "StackEvents", StackName=self.name)["StackEvents"]
        failed = [one for one in events if str(one.get("ResourceStatus", "")).endswith("_FAILED")]
        return str(failed[-1].get("ResourceStatusReason", "")) if failed else ""

    # --- one rotation ---------------------------------------------------------------------------------------------
    def rotate(self) -> datetime:
        """Rotate at once; when the new key was made, by IAM. OperationError with the function's own words where the
        rotation does not come to its end."""
        secret_id = self.secret_id()
        started = datetime.now(UTC)
        token = self.ask(self.secrets, "rotate_secret", "VersionId", SecretId=secret_id)["VersionId"]

        def ended() -> bool | None:
            stages = (self.secret() or {}).get("VersionIdsToStages", {}).get(token, [])
            return True if "AWSCURRENT" in stages and "AWSPENDING" not in stages else None

        self.until(ended, say("operate.late.rotate", user=self.user), lambda: self.said(token, started))
        made: datetime = self.keys()[0]["CreateDate"]
        return made

    def said(self, token: str, since: datetime) -> str:
        """Why the function stopped, from its log."""
        from keyaudit.remedy.function import own_line

        group = f"/aws/lambda/{self.name}"
        what = {"StackName": self.name, "LogicalResourceId": "Logs"}
        told = self.ask(self.stacks, "describe_stack_resource", **what)
        group = str(((told or {}).get("StackResourceDetail") or {}).get("PhysicalResourceId") or group)
        start = {"logGroupName": group, "startTime": int(since.timestamp() * 1000) - 60_000}
        found = self.ask(self.logs, "filter_log_events", **start) or {"events": []}
        lines = [own_line(one["message"], self.user) for one in found["events"]]
        reasons = [line["reason"] for line in lines if line and line.get("reason") and line.get("token") == token]
        return say("operate.said", reason=reasons[-1]) if reasons else say("operate.silent", group=group)

    def until(self, ask: Callable[[], Any], late: str, why: Callable[[], str] = str) -> Any:
        """What ``ask`` says, once it says something; OperationError after the deadline."""
        pause = PAUSE
        while (found := ask()) is None:
            if time.monotonic() + pause >= self.calls.until:
                self.calls.until += LONGEST_PAUSE  # to ask for the reason
                raise OperationError(" ".join(filter(None, (late, why()))))
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        return found


def key_line(key: dict[str, Any]) -> str:
    """A key in a sentence: its id's end, state, age, and who uses it, as far as AWS tells."""
    used = key["LastUsed"]
    use = say("operate.never_used")
    if used.get("LastUsedDate"):
        where = {"region": used.get("Region", "N/A"), "service": used.get("ServiceName", "N/A")}
        use = say("operate.used", at=utc(used["LastUsedDate"].astimezone(UTC)), **where)
    made = utc(key["CreateDate"].astimezone(UTC))
    return say("operate.key", id=key["AccessKeyId"][-4:], status=key["Status"], made=made, use=use)
