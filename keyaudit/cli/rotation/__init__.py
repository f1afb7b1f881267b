"""``keyaudit rotation``: the remedy, planned, deployed and verified."""

from __future__ import annotations

import click

from keyaudit.cli.rotation.deploy import deploy
from keyaudit.cli.rotation.operate import now, remove
from keyaudit.cli.rotation.plan import plan
from keyaudit.cli.rotation.status import status
from keyaudit.cli.rotation.template import template


@click.group()
def rotation() -> None:
    """Put failing keys under automatic rotation by Secrets Manager."""


for command in (plan, template, deploy, now, status, remove):
    rotation.add_command(command)
