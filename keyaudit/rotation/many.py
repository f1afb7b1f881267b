"""A file of users -> what would be deployed for all of them: an account's stack of many users."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from keyaudit.rotation.asked import Asked
from keyaudit.rotation.deploy import Proposal, active_keys, before_of, encrypted_with, proposal
from keyaudit.rotation.deployed import whose
from keyaudit.rotation.deployment import Deployment, Member, fits, spread
from keyaudit.rotation.naming import MANY, secret_name
from keyaudit.rotation.operator import Operator, key_line
from keyaudit.rotation.periods import Periods
from keyaudit.rotation.remarks import fields_line, inactive_lines
from keyaudit.rotation.stack import Stack, output, stacks_of_ours
from keyaudit.rotation.users import Planned, Taken, read_rows, take
from keyaudit.schema import InputError
from keyaudit.texts import say


@dataclass
class Findings:
    """What AWS says about the users of a file: those who are new, and why others are left out."""

    new: list[Member] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def template_of(path: str, account: str, asked: Asked, user_path: str) -> tuple[Deployment, Taken]:
    """The stack of the users of a file, from the file alone."""
    periods = asked.periods()
    taken = take(path, read_rows(path), account, periods.max_age)
    members = tuple(Member(one.user, periods.every, user_path, one.owner) for one in taken.users)
    adopted = tuple(key for one in taken.users for key in one.keys)
    one = Deployment(spread(periods, (), members), periods, is_many=True, adopted=adopted, **asked.settings())
    return one, taken


def propose_many(operator: Operator, path: str, removed: tuple[str, ...], asked: Asked) -> Proposal:
    """The stack of many users, with the file's users added or changed and others taken out. InputError if there
    cannot be one, or nothing is left to do."""
    stack = Stack(operator, MANY)
    text = stack.template()
    before = before_of(MANY, text)
    there = before.members if before else ()
    _known(removed, there)
    periods = asked.periods(before.periods if before else None)
    taken = take(path, read_rows(path), operator.account, periods.max_age) if path else None
    users = taken.users if taken else ()
    if twice := sorted({one.user for one in users} & set(removed)):
        raise InputError(f"--remove-user {twice[0]}: is in --users {path} too; take it out of one of the two")
    settings = asked.settings(before)
    kept = _kept(operator, there, removed, users)
    new = [one for one in users if one.user not in {other.user for other in kept}]
    found = _found(operator, stack, new, periods, settings)
    members = _spread(periods, kept, found.new)
    left_out = [*(taken.left_out if taken else ()), *found.left_out]
    if not members:
        if before and removed:
            return Proposal(stack, True, "", None, tuple(left_out), {})
        raise InputError(f"--users {path}: no user is left to put under rotation ({'; '.join(left_out)})")
    # adopted keys stay listed even for users who are taken out: they are nobody else's keys
    adopted = tuple(dict.fromkeys([*(before.adopted if before else ()), *found.adopted]))
    one = Deployment(members, periods, is_many=True, adopted=adopted, **settings)
    remarks = [*found.remarks, *(say("operate.left_out", why=why) for why in left_out), *fields_line(one)]
    looked_at = {member.secret: member.user for member in found.new if member.secret}
    return proposal(stack, text, one, remarks, looked_at, asked.bucket)


def _known(removed: tuple[str, ...], there: tuple[Member, ...]) -> None:
    for user in removed:
        if user not in {one.user for one in there}:
            raise InputError(f"--remove-user {user}: no user of the stack {MANY} in this account and region")


def _kept(
    operator: Operator, there: tuple[Member, ...], removed: tuple[str, ...], users: tuple[Planned, ...]
) -> tuple[Member, ...]:
    """The users who were deployed and stay, with what the file and IAM say about them now."""
    told = {one.user: one.owner for one in users}
    return tuple(
        replace(one, owner=told[one.user], path=operator.path(one.user) or one.path) if one.user in told else one
        for one in there
        if one.user not in removed
    )


def _spread(periods: Periods, kept: tuple[Member, ...], new: list[Member]) -> tuple[Member, ...]:
    """All members in their order; those whose days between rotations are no longer allowed get others, like new
    members."""
    stay = tuple(one for one in kept if fits(periods, one))
    moved = tuple(one for one in kept if one not in stay)
    placed = {one.user: one for one in (*stay, *spread(periods, stay, (*moved, *new)))}
    return tuple(placed[one.user] for one in (*kept, *new))


def _found(
    operator: Operator, stack: Stack, users: list[Planned], periods: Periods, settings: dict[str, Any]
) -> Findings:
    """What AWS says about the users who are new."""
    found = Findings()
    alone = {whose(str(one["Description"])) for one in stacks_of_ours(operator)} if users else set()
    function = output(stack.told(), "Function") if users else ""
    for one in users:
        path = operator.path(one.user)
        if path is None:
            found.left_out.append(say("operate.left.no_user", user=one.user))
            continue
        keys, secret = operator.keys(one.user), operator.secret(secret_name(one.user))
        why = _against(one, keys, secret, alone, function, settings)
        if why:
            found.left_out.append(f"{one.user}: {say(f'operate.left.{why}')}")
            continue
        found.remarks += [say("operate.of_user", user=one.user, what=key_line(key)) for key in keys]
        found.remarks += inactive_lines(one.user, keys, periods)
        arn = str(secret["ARN"]) if secret else ""
        found.new.append(Member(one.user, periods.every, path, one.owner, arn))
        found.adopted += active_keys(keys)
    return found


def _against(
    one: Planned,
    keys: list[dict[str, Any]],
    secret: dict[str, Any] | None,
    alone: set[str],
    function: str,
    settings: dict[str, Any],
) -> str:
    """What stands against a user in the stack of many: the name of a sentence; empty if nothing does."""
    if one.user in alone:
        return "own_stack"
    if len(active_keys(keys)) > 1:
        return "two_keys"
    if secret and secret.get("DeletedDate"):
        return "deleted"
    if secret and secret.get("RotationEnabled") and secret.get("RotationLambdaARN") != (function or None):
        return "rotated"
    if secret and encrypted_with(secret) != settings.get("kms_key", ""):
        return "other_key"
    return ""
