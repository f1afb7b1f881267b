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


@click.command()
@click.option("--user", metavar="NAME", default="", help="The IAM user whose keys are rotated.")
@click.option("--users", metavar="FILE", default="", help="Many users: from keyaudit rotation plan -f csv.")
@click.option("--remove-user", metavar="NAME", multiple=True, help="Out of the stack of many users. Repeatable.")
@click.option("--update", is_flag=True, help="Stacks with an older function, all of them or that of --user.")
@settings
@operating
@click.option("--template-bucket", metavar="NAME", default="", help="In S3, for a template that is too large.")
@click.option("--yes", is_flag=True, help="Do it; without this it is only shown.")
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

    One user with a stack of its own (--user), or many users of this account with one stack (--users FILE): the file
    adds and changes, users that are not in it stay. Makes no key and touches none. The keys that a user has now are
    adopted: they are retired once the secret has replaced them and they are quiet.
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
    """InputError for a mistake that shows before AWS is asked."""
    from keyaudit.rotation.deployment import Member
    from keyaudit.rotation.periods import EVERY

    Member(user, EVERY)


def _update(user: str, asked: Asked, acting: Acting, yes: bool) -> int:
    """Stacks with an older function, with the settings that they have."""
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
        raise InputError("--secret-arn: of one user alone; give --user, which makes a stack of its own")
    operator = connected(acting)
    return propose(operator, user, asked) if user else propose_many(operator, users, remove_user, asked)


def _carried_out(found: Proposal, yes: bool, acting: Acting) -> int:
    from keyaudit.rotation.deploy import carry_out

    for line in carry_out(found, yes, acting.dry_run):
        write(line + "\n")
    return 0


def _one_way(user: str, users: str, remove_user: tuple[str, ...], update: bool) -> None:
    """InputError unless it is one of: a user, many users, an update."""
    if update and (users or remove_user):
        raise InputError("--update: takes no --users or --remove-user; it keeps what was deployed")
    if user and (users or remove_user):
        raise InputError("--user: a stack of its own; --users and --remove-user are of the stack of many users")
    if not (user or users or remove_user or update):
        raise InputError("--user: missing; give it, or --users FILE for many, or --update")
