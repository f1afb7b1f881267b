"""A user, or a file of users -> what would be deployed for them, and its deployment. Only ``carry_out`` changes
anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from keyaudit.rotation.asked import Asked
from keyaudit.rotation.deployed import changed_secrets, deployed
from keyaudit.rotation.deployment import Deployment, Member
from keyaudit.rotation.limits import BODY, check_limits
from keyaudit.rotation.naming import KMS_ARN, MANY, check, former_secret_name, secret_name, stack_name
from keyaudit.rotation.operator import OperationError, Operator, key_line
from keyaudit.rotation.remarks import fields_line, inactive_lines
from keyaudit.rotation.stack import Change, Stack, output
from keyaudit.rotation.template import rotation_template
from keyaudit.schema import InputError
from keyaudit.texts import masked, say, visible

#: what Secrets Manager names for a secret that is not encrypted with a key of the customer's own
USUAL_KEY = "alias/aws/secretsmanager"
#: so many fields of a secret are shown, and so many characters of a name
MOST_FIELDS, LONGEST_FIELD = 20, 64


@dataclass(frozen=True)
class Proposal:
    """What is to be deployed, and what is said before. ``template`` empty: the stack is to be deleted, because none
    of its users is left; ``looked_at``: ARN -> user, for the secrets whose fields are to be checked afterwards."""

    stack: Stack
    exists: bool
    template: str
    deployment: Deployment | None
    remarks: tuple[str, ...]
    looked_at: dict[str, str]
    bucket: str = ""


def propose(operator: Operator, user: str, asked: Asked) -> Proposal:
    """The stack of one user. InputError with the remedy if there cannot be one."""
    stack = Stack(operator, stack_name(user))
    path, deployed_text = operator.path(user), stack.template()
    if path is None:
        raise InputError(f"--user {user}: IAM has no such user in this account; look for its name")
    keys = operator.keys(user)
    before = before_of(stack.name, deployed_text)
    active = active_keys(keys)
    if not before:
        refuse_member_of_many(operator, user)
        if len(active) > 1:
            raise InputError(f"--user {user}: {say('operate.left.two_keys')}")
    periods, settings = asked.periods(before.periods if before else None), asked.settings(before)
    secret, remarks = _secret(operator, user, asked.secret, before, settings)
    member = Member(
        user,
        periods.every,
        path,
        before.only.owner if before else "",
        secret,
        before.only.name if before else "",
    )
    one = Deployment((member,), periods, adopted=before.adopted if before else active, **settings)
    remarks = [*map(key_line, keys), *inactive_lines(user, keys, periods), *remarks, *fields_line(one)]
    looked_at = {secret: user} if secret else {}
    return proposal(stack, deployed_text, one, remarks, looked_at, asked.bucket)


def proposal(
    stack: Stack, before: str, one: Deployment, remarks: list[str], looked_at: dict[str, str], bucket: str
) -> Proposal:
    """The proposal for a deployment that nothing stands against: no secret would change, and AWS takes it all."""
    if before and stack.status() == "ROLLBACK_COMPLETE":
        raise InputError(
            f"stack {stack.name}: could not be made, and was rolled back; delete it (aws cloudformation "
            f"delete-stack --stack-name {stack.name}) and deploy again, which takes over the secrets that it left"
        )
    template = rotation_template(one)
    refuse_changed_secrets(stack.name, before, template)
    check_limits(one, template, stack.operator.where, in_s3=bool(bucket))
    return Proposal(stack, bool(before), template, one, tuple(remarks), looked_at, bucket)


def before_of(name: str, template: str) -> Deployment | None:
    """What the stack of this name deployed; None if there is no such stack. InputError, which names it, for a stack
    that is not ours."""
    try:
        return deployed(template) if template else None
    except InputError as error:
        raise InputError(f"stack {name}: {error}") from None


def refuse_changed_secrets(name: str, before: str, template: str) -> None:
    if changed_secrets(before, template):
        raise InputError(
            f"stack {name}: its secret was deployed with other values, and to deploy these could put "
            "them in place of the key; print the template and change the rest of it alone"
        )


def refuse_member_of_many(operator: Operator, user: str) -> None:
    """InputError for a user whose keys the stack of many users rotates already."""
    many = before_of(MANY, Stack(operator, MANY).template())
    if many and user in many.users.values():
        raise InputError(
            f"--user {user}: is rotated by the stack {MANY}; change it with --users, or take the user out of it "
            "with --remove-user first"
        )


def active_keys(keys: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(key["AccessKeyId"] for key in keys if key["Status"] == "Active")


def _secret(
    operator: Operator, user: str, arn: str, before: Deployment | None, settings: dict[str, Any]
) -> tuple[str, list[str]]:
    """The ARN of the user's secret if the stack takes one over, and what is said about it. ``settings`` get the key
    with which it is encrypted."""
    if before and not arn:
        return before.only.secret, []
    told = operator.secret(arn or secret_name(user))
    if arn and told is None:
        raise InputError(f"--secret-arn {arn}: there is no such secret in this account and region")
    if arn and told and told["ARN"] != arn:
        raise InputError(f"--secret-arn {arn}: not its whole ARN, which IAM policies need: {told['ARN']}")
    if before and before.only.secret != arn:
        raise InputError(f"--secret-arn {arn}: the stack {before.stack} has another secret; remove it first")
    if told is None:
        return "", _former(operator, user)
    if told.get("DeletedDate"):
        raise InputError(f"--user {user}: {say('operate.left.deleted')}")
    if key := encrypted_with(told):
        check("--kms-key-arn", key, KMS_ARN, "the ARN of a key, and the secret is encrypted with it: give its ARN")
        settings.setdefault("kms_key", key)
    return str(told["ARN"]), []


def encrypted_with(told: dict[str, Any]) -> str:
    """The customer's own key of a secret; empty if the key is AWS's."""
    key = str(told.get("KmsKeyId") or "")
    return "" if key == USUAL_KEY else key


def _former(operator: Operator, user: str) -> list[str]:
    """A remark about a secret that may be the user's, under the name that the first version gave it."""
    name = former_secret_name(user)
    told = operator.secret(name) if name != secret_name(user) else None
    return [say("operate.former_secret", name=name, user=user, arn=told["ARN"])] if told else []


# --- carried out -------------------------------------------------------------------------------------------------
def carry_out(one: Proposal, yes: bool, dry_run: bool) -> Iterator[str]:
    """Show what would change and, with ``yes``, do it; yields what is said, as it happens."""
    size = len(one.template.encode())
    if not one.template:
        if dry_run or not yes:
            yield say("operate.would_remove", stack=one.stack.name)
            return
        one.stack.delete()
        yield say("operate.emptied", stack=one.stack.name)
        return
    if dry_run:
        yield say("operate.dry_run", stack=one.stack.name, n=size)
        return
    changes = one.stack.prepare(one.template, one.exists, one.bucket)
    if changes is None:
        yield say("operate.nothing", stack=one.stack.name)
        return
    if size > BODY:
        yield say("operate.in_s3", bucket=one.bucket, n=size)
    yield from (change_line(change, one.deployment) for change in changes)
    if not yes:
        one.stack.withdraw(one.exists)
        yield say("operate.not_yet")
        return
    one.stack.execute()
    yield _done(one)
    yield from _look(one)


def change_line(one: Change, deployment: Deployment | None) -> str:
    """A line of a change set; for a resource of one user among many, with that user."""
    many = deployment.members if deployment and deployment.is_many else ()
    users = {deployment.resource(kind, member): member.user for member in many for kind in "SPR" if deployment}
    whose = users.get(one.name, "")
    return say(
        "operate.change",
        action=one.action,
        name=one.name,
        kind=one.kind,
        replaced=say("operate.replaced") if one.replaces else "",
        whose=say("operate.whose", user=whose) if whose else "",
    )


def _done(one: Proposal) -> str:
    assert one.deployment is not None
    if one.deployment.is_many:
        return say("operate.deployed_many", stack=one.stack.name, n=len(one.deployment.members))
    member = one.deployment.only
    return say("operate.deployed", stack=one.stack.name, user=member.user, every=member.every)


def _look(one: Proposal) -> Iterator[str]:
    """The fields of secrets that existed before, as the function tells them: no value comes to this machine.
    OperationError if a rotation would stop at one of them."""
    function = output(one.stack.told(), "Function") if one.looked_at else ""
    problems = []
    for arn, user in one.looked_at.items():
        told = one.stack.operator.invoke(function, {"action": "look", "SecretId": arn})
        fields, problem = told.get("fields"), told.get("problem")
        if not isinstance(fields, list) or not isinstance(problem, str):
            raise OperationError(say("operate.look.failed", function=function))
        # names that somebody else gave: whatever is in them must not harm a terminal
        named = ", ".join(visible(masked(str(one)[:LONGEST_FIELD])) for one in fields[:MOST_FIELDS])
        yield say("operate.look.fields", user=user, n=len(fields), fields=named)
        if problem:
            problems.append(say("operate.look.problem", user=user, problem=visible(masked(problem))))
    if problems:
        raise OperationError(" ".join([*problems, say("operate.look.remedy")]))
