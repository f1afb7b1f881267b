"""``keyaudit rotation now`` and ``remove``: one rotation at once; rotation taken away, with ``--yes``."""

from __future__ import annotations

import click

from keyaudit.cli.common import say as tell
from keyaudit.cli.common import write
from keyaudit.cli.rotation.options import Acting, connected, operating
from keyaudit.schema import InputError

_USER = click.option("--user", metavar="NAME", required=True, help="The IAM user whose keys are rotated.")


@click.command(short_help="Rotate a user's key at once.")
@_USER
@operating
def now(user: str, acting: Acting) -> int:
    """Rotate a user's key at once, and wait for the outcome.

    Exits with 0 if the new key is AWSCURRENT, 4 if the rotation did not come to its end; the output then has the
    function's own words.
    """
    from keyaudit.rotation.once import home, rotate, rotated_secret
    from keyaudit.rotation.operator import key_line
    from keyaudit.texts import say, utc

    operator = connected(acting)
    where = home(operator, user)
    secret = rotated_secret(operator, where)
    for key in operator.keys(user):
        tell(key_line(key))
    if acting.dry_run:
        write(say("operate.would_rotate", user=user) + "\n")
        return 0
    made = rotate(operator, where, secret)
    write(say("operate.rotated", user=user, made=utc(made)) + "\n")
    return 0


@click.command(short_help="Take the rotation away, and keep the key.")
@_USER
@operating
@click.option("--yes", is_flag=True, help="Do it; without this option, only show it.")
def remove(user: str, acting: Acting, yes: bool) -> int:
    """Take the rotation away, with --yes; the secret, its key and the log stay.

    Nothing breaks: consumers go on reading the secret, but nobody rotates its key any more.
    """
    from keyaudit.rotation.naming import MANY, stack_name
    from keyaudit.rotation.once import home
    from keyaudit.rotation.stack import Stack
    from keyaudit.texts import say

    operator = connected(acting)
    stack = Stack(operator, stack_name(user))
    if not stack.status():
        if home(operator, user).stack.name == MANY:
            raise InputError(
                f"--user {user}: is rotated by the stack {MANY}; "
                "keyaudit rotation deploy --remove-user takes it out"
            )
        raise InputError(f"--user {user}: there is no stack {stack.name} in this account and region")
    if acting.dry_run or not yes:
        write(say("operate.would_remove", stack=stack.name) + "\n")
        return 0
    stack.delete()
    write(say("operate.removed", stack=stack.name, user=user) + "\n")
    return 0
