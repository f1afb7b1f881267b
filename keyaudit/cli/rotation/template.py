"""``keyaudit rotation template``: what would be deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from keyaudit.cli.common import say as tell
from keyaudit.cli.common import write
from keyaudit.cli.rotation.options import settings
from keyaudit.schema import InputError

if TYPE_CHECKING:
    from keyaudit.rotation.asked import Asked


@click.command(short_help="Print the CloudFormation template, and deploy nothing.")
@click.option("--user", metavar="NAME", default="", help="The IAM user whose keys are rotated.")
@click.option("--users", metavar="FILE", default="", help="Many users: from keyaudit rotation plan -f csv.")
@click.option(
    "--account", metavar="ID", default="", help="The account whose users in FILE are meant. Default: the only one."
)
@click.option("--path", metavar="PATH", default="/", help="The users' path in IAM. Default: /.")
@click.option("--adopt", metavar="KEYID", multiple=True, help="A key that the secret replaces. Repeatable.")
@settings
def template(user: str, users: str, account: str, path: str, adopt: tuple[str, ...], asked: Asked) -> int:
    """Print the CloudFormation template for one user or for many; deploy nothing.

    It has a secret for each user, the function with its code, its role, the schedules, a daily rule that retires
    what was replaced, and a topic for notices.
    """
    from keyaudit.rotation.deployment import Deployment, Member
    from keyaudit.rotation.limits import measures, said
    from keyaudit.rotation.many import template_of
    from keyaudit.rotation.template import rotation_template
    from keyaudit.texts import say

    if bool(user) == bool(users):
        raise InputError("--user, --users: give one of the two, a user's name or the FILE of many")
    if users and (adopt or asked.secret):
        raise InputError("--adopt, --secret-arn: only for one user; give --user")
    if user:
        periods = asked.periods()
        member = Member(user, periods.every, path, secret=asked.secret)
        one = Deployment((member,), periods, adopted=adopt, **asked.settings())
    else:
        one, taken = template_of(users, account, asked, path)
        for why in taken.left_out:
            tell(say("operate.left_out", why=why))
    text = rotation_template(one)
    for found in measures(one, text):
        if found.is_over:
            tell(said(found))
    write(text)
    return 0
