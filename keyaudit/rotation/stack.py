"""A stack in CloudFormation: looked at, changed by a change set, deleted. Only ``execute`` and ``delete`` change
anything, except that a template that is too large to be sent with the call is first put into a bucket."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any

from keyaudit.rotation.deployed import is_ours
from keyaudit.rotation.limits import BODY
from keyaudit.rotation.operator import OperationError, Operator
from keyaudit.texts import say

NO_CHANGES = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True)
class Change:
    """One line of a change set; ``replaces``: the resource is replaced by a new one."""

    action: str
    name: str
    kind: str
    replaces: bool


class Stack:
    """One stack, there or not."""

    def __init__(self, operator: Operator, name: str) -> None:
        self.operator, self.name = operator, name
        # a name of its own, so that what another run left is not in the way
        self.change_set = f"keyaudit-{uuid.uuid4().hex[:12]}"

    # --- what is there --------------------------------------------------------------------------------------------
    def _ask(self, method: str, *needs: str, **what: Any) -> Any:
        return self.operator.ask(self.operator.stacks, method, *needs, StackName=self.name, **what)

    def told(self) -> dict[str, Any]:
        """What CloudFormation says about the stack; empty if there is none."""
        found = self._ask("describe_stacks") or {}
        return dict(next(iter(found.get("Stacks", [])), {}))

    def status(self) -> str:
        return str(self.told().get("StackStatus", ""))

    def template(self) -> str:
        """The template of the existing stack; empty if there is none."""
        found = self._ask("get_template", "TemplateBody")
        return str(found["TemplateBody"]) if found else ""

    def resource(self, name: str) -> str:
        """The physical id of a resource; empty if there is none."""
        told = self._ask("describe_stack_resource", LogicalResourceId=name)
        return str(((told or {}).get("StackResourceDetail") or {}).get("PhysicalResourceId") or "")

    # --- a change set ---------------------------------------------------------------------------------------------
    def prepare(self, template: str, exists: bool, bucket: str = "") -> list[Change] | None:
        """The lines of a new change set; None if nothing would change."""
        sent = {"TemplateBody": template}
        if len(template.encode()) > BODY:
            sent = {"TemplateURL": self._put(template, bucket)}
        kind = "UPDATE" if exists else "CREATE"
        made = {"ChangeSetName": self.change_set, "ChangeSetType": kind, "Capabilities": ["CAPABILITY_IAM"]}
        self._ask("create_change_set", **sent, **made)
        told = self.operator.until(self._change_set, say("operate.late.change_set"))
        if told["Status"] == "FAILED":
            self.withdraw(exists)
            reason = str(told.get("StatusReason", ""))
            if any(text in reason for text in NO_CHANGES):
                return None
            raise OperationError(say("operate.no_change_set", reason=reason))
        return [
            Change(one["Action"], one["LogicalResourceId"], one["ResourceType"], one.get("Replacement") == "True")
            for one in (change["ResourceChange"] for change in self._changes(told))
        ]

    def _changes(self, told: dict[str, Any]) -> list[dict[str, Any]]:
        """All pages."""
        found = list(told["Changes"])
        while told.get("NextToken"):
            told = self._ask("describe_change_set", ChangeSetName=self.change_set, NextToken=told["NextToken"])
            found += told["Changes"]
        return found

    def _put(self, template: str, bucket: str) -> str:
        """The URL at which CloudFormation finds the template, using the operator's own permissions."""
        content = template.encode()
        key = f"{self.name}/{hashlib.sha256(content).hexdigest()[:16]}.yaml"
        s3 = self.operator.client("s3")
        what = {"Bucket": bucket, "Key": key, "ExpectedBucketOwner": self.operator.account}
        self.operator.ask(s3, "put_object", Body=content, ContentType="text/yaml", **what)
        suffix = "amazonaws.com.cn" if self.operator.where.partition == "aws-cn" else "amazonaws.com"
        return f"https://s3.{self.operator.region}.{suffix}/{bucket}/{key}"

    def _change_set(self) -> dict[str, Any] | None:
        told: dict[str, Any] = self._ask("describe_change_set", "Status", ChangeSetName=self.change_set)
        return None if told["Status"] in ("CREATE_PENDING", "CREATE_IN_PROGRESS") else told

    def withdraw(self, exists: bool) -> None:
        """Delete the change set, and the empty stack for which it was made."""
        self._ask("delete_change_set", ChangeSetName=self.change_set)
        if not exists:
            self._ask("delete_stack")

    def execute(self) -> None:
        """Carry out the change set to its end. OperationError with the first reason if it fails."""
        self._ask("execute_change_set", ChangeSetName=self.change_set)
        self._settled("deploy")

    def delete(self) -> None:
        """Delete the stack and wait for the end; what is retained stays."""
        self._ask("delete_stack")
        self._settled("remove")

    def _settled(self, what: str) -> None:
        def ended() -> str | None:
            status = self.status()
            return None if status.endswith("_IN_PROGRESS") else status or "DELETE_COMPLETE"

        status = self.operator.until(ended, say(f"operate.late.{what}", stack=self.name))
        good = ("DELETE_COMPLETE",) if what == "remove" else ("CREATE_COMPLETE", "UPDATE_COMPLETE")
        if status not in good:
            raise OperationError(say("operate.failed", stack=self.name, status=status, reason=self._reason()))

    def _reason(self) -> str:
        """The first failure of the stack's last operation."""
        events = self._ask("describe_stack_events", "StackEvents")["StackEvents"]
        failed = [one for one in events if str(one.get("ResourceStatus", "")).endswith("_FAILED")]
        return str(failed[-1].get("ResourceStatusReason", "")) if failed else ""


def output(told: dict[str, Any], name: str) -> str:
    """An output of a stack; empty if it has none of this name."""
    found = (one for one in told.get("Outputs", []) if one["OutputKey"] == name)
    return next((str(one["OutputValue"]) for one in found), "")


def parameters(told: dict[str, Any]) -> dict[str, str]:
    return {str(one["ParameterKey"]): str(one["ParameterValue"]) for one in told.get("Parameters", [])}


def stacks_of_ours(operator: Operator) -> list[dict[str, Any]]:
    """What CloudFormation says about the stacks that were made from our templates, whatever they are called; by
    name."""
    found = operator.pages(operator.stacks, "describe_stacks", "Stacks")
    ours = [one for one in found if is_ours(str(one.get("Description", "")))]
    return sorted(ours, key=lambda one: str(one["StackName"]))
