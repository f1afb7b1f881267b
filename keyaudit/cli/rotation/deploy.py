"""``keyaudit rotation deploy``: shown first, done with ``--yes``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from keyaudit.cli.common import say as tell
from keyaudit.cli.common import write
from keyaudit.cli.rotation.options import Acting, connected, operating, settings
from keyaudit.schema import InputError

if TYPE_CHECKING:
    from keyaudit.rotation.asked import Asked
    from keyaudit.rotation.deploy import Proposal

FAILED = 4


@click.command(short_help="Put keys under automatic rotation: show it, or do it.")
@click.option("--user", metavar="NAME", default="", help="The IAM user whose keys are rotated.")
@click.option("--users", metavar="FILE", default="", help="Many users: from keyaudit rotation plan -f csv.")
@click.option(
    "--remove-user",
    metavar="NAME",
    multiple=True,
    help="Take this user out of the stack of many users. Repeatable.",
)
@click.option("--update", is_flag=True, help="Update stacks with an older function: all, or that of --user.")
@settings
@operating
@click.option(
    "--template-bucket", metavar="NAME", default="", help="An S3 bucket for a template that is too large to send."
)
@click.option("--yes", is_flag=True, help="Do it; without this option, only show it.")
def deploy(
    user: str,
    users: str,
    remove_user: tuple[str, ...],
    update: bool,
    asked: Asked,
    acting: Acting,
    yes: bool,
) -> int:
    """Put keys under automatic rotation: check, show the change set, and deploy it with --yes.

    Either one user with a stack of its own (--user), or many users of this account with one stack (--users FILE):
    the file adds and changes users; those that are not in it stay. No key is made or touched. The keys that a user
    has now are adopted: they are retired once the secret has replaced them and nothing uses them any more.
    """
    _one_way(user, users, remove_user, update)
    if user:
        _refuse_no_name(user)
    if update:
        return _update(user, asked, acting, yes)
    found = _proposed(user, users, remove_user, asked, acting)
    for line in found.remarks:
        tell(line)
    return _carried_out(found, yes, acting)


def _refuse_no_name(user: str) -> None:
    """InputError for a mistake that can be seen before AWS is asked."""
    from keyaudit.rotation.deployment import Member
    from keyaudit.rotation.periods import EVERY

    Member(user, EVERY)


def _update(user: str, asked: Asked, acting: Acting, yes: bool) -> int:
    """Update the stacks with an older function, which keep their settings."""
    from keyaudit.rotation.asked import Asked
    from keyaudit.rotation.update import Update

    if asked != Asked(bucket=asked.bucket):
        raise InputError("--update: keeps what was deployed; give other settings without it")
    work = Update(connected(acting), user, asked.bucket)
    for line in work.lines(yes, acting.dry_run):
        write(line + "\n")
    return FAILED if work.failed else 0


def _proposed(user: str, users: str, remove_user: tuple[str, ...], asked: Asked, acting: Acting) -> Proposal:
    """The stack of one user, or that of many."""
    from keyaudit.rotation.deploy import propose
    from keyaudit.rotation.many import propose_many

    if (users or remove_user) and asked.secret:
        raise InputError("--secret-arn: only for one user; give --user, which makes a stack of its own")
    operator = connected(acting)
    return propose(operator, user, asked) if user else propose_many(operator, users, remove_user, asked)


def _carried_out(found: Proposal, yes: bool, acting: Acting) -> int:
    from keyaudit.rotation.deploy import carry_out

    for line in carry_out(found, yes, acting.dry_run):
        write(line + "\n")
    return 0


def _one_way(user: str, users: str, remove_user: tuple[str, ...], update: bool) -> None:
    """InputError unless exactly one is asked for: a user, many users, or an update."""
    if update and (users or remove_user):
        raise InputError("--update: takes no --users or --remove-user; it keeps what was deployed")
    if user and (users or remove_user):
        raise InputError(
            "--user: is for a stack of its own; --users and --remove-user are for the stack of many users"
        )
    if not (user or users or remove_user or update):
        raise InputError("--user: missing; give it, or --users FILE for many, or --update")
