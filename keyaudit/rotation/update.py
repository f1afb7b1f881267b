"""Update the stacks whose function is older than the one that this keyaudit deploys: with the settings with which
they were deployed, and without changing any secret. A stack that cannot be updated is named; the others go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from keyaudit.rotation.deploy import Proposal, before_of, change_line, proposal
from keyaudit.rotation.deployed import version_of
from keyaudit.rotation.deployment import Deployment
from keyaudit.rotation.limits import BODY
from keyaudit.rotation.naming import MANY, stack_name
from keyaudit.rotation.operator import OperationError, Operator
from keyaudit.rotation.stack import Stack, parameters, stacks_of_ours
from keyaudit.schema import FUNCTION_VERSION, InputError, KeyAuditError
from keyaudit.texts import say

#: stacks in these states cannot be updated
_NOT_THERE = ("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "DELETE_COMPLETE", "DELETE_IN_PROGRESS")


@dataclass
class Update:
    """An update of stacks: ``lines`` says what happens, as it happens; afterwards, ``failed`` has the stacks that
    could not be updated."""

    operator: Operator
    user: str = ""
    bucket: str = ""
    failed: list[str] = field(default_factory=list)

    def lines(self, yes: bool, dry_run: bool) -> Iterator[str]:
        older = list(self._older())
        if not older:
            yield say("operate.update.none", version=FUNCTION_VERSION)
        for told, text in older:
            name = str(told["StackName"])
            yield say("operate.update.older", stack=name, before=version_of(text), now=FUNCTION_VERSION)
            try:
                yield from self._one(Stack(self.operator, name), told, text, yes, dry_run)
            except KeyAuditError as error:
                self.failed.append(name)
                yield say("operate.update.failed", stack=name, why=error)
        if older and not yes and not dry_run:
            yield say("operate.not_yet")

    def _older(self) -> Iterator[tuple[dict[str, Any], str]]:
        """What CloudFormation says about each stack, and its template. InputError if the user has none."""
        found = [one for one in stacks_of_ours(self.operator) if one["StackStatus"] not in _NOT_THERE]
        if self.user:
            own = [one for one in found if one["StackName"] == stack_name(self.user)]
            found = own or [one for one in found if one["StackName"] == MANY and self._is_member()]
            if not found:
                raise InputError(f"--user {self.user}: no stack of keyaudit rotates it in this account and region")
        for told in found:
            text = Stack(self.operator, str(told["StackName"])).template()
            if int(version_of(text)) < FUNCTION_VERSION:
                yield told, text

    def _is_member(self) -> bool:
        many = before_of(MANY, Stack(self.operator, MANY).template())
        return many is not None and self.user in many.users.values()

    def _one(self, stack: Stack, told: dict[str, Any], text: str, yes: bool, dry_run: bool) -> Iterator[str]:
        one = before_of(stack.name, text)
        assert one is not None
        _refuse_other_secrets(stack.name, told, one)
        found = proposal(stack, text, one, [], {}, self.bucket)
        if dry_run:
            yield say("operate.update.would", stack=stack.name, n=len(found.template.encode()))
            return
        yield from _changed(found, yes)


def _changed(one: Proposal, yes: bool) -> Iterator[str]:
    changes = one.stack.prepare(one.template, True, one.bucket)
    if changes is None:
        raise OperationError(say("operate.nothing", stack=one.stack.name))
    if len(one.template.encode()) > BODY:
        yield say("operate.in_s3", bucket=one.bucket, n=len(one.template.encode()))
    yield from (change_line(change, one.deployment) for change in changes)
    if not yes:
        one.stack.withdraw(True)
        return
    one.stack.execute()
    yield say("operate.update.done", stack=one.stack.name, version=FUNCTION_VERSION)


def _refuse_other_secrets(name: str, told: dict[str, Any], one: Deployment) -> None:
    """InputError if the stack was given other secrets than its template names: the template's would replace
    them."""
    given = parameters(told)
    for member in one.members:
        parameter = given.get(one.resource("S", member), member.secret)
        if parameter != member.secret:
            raise InputError(
                f"stack {name}: its parameter for the secret of {member.user} is {parameter}, and its template "
                f"has {member.secret or 'none'}; deploy the template of that one by hand"
            )
