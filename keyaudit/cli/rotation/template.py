"""``keyaudit rotation template``: what would be deployed for a user."""

from __future__ import annotations

import click

from keyaudit.cli.common import write
from keyaudit.schema import InputError


@click.command()
@click.option("--user", metavar="NAME", required=True, help="The IAM user whose keys are rotated.")
@click.option("--path", metavar="PATH", default="/", help="The user's path in IAM. Default: /.")
@click.option("--every", metavar="DAYS", type=int, default=60, help="A new key every so many days. Default: 60.")
@click.option("--grace", metavar="DAYS", type=int, default=14, help="The replaced key is left for. Default: 14.")
@click.option("--quiet", metavar="DAYS", type=int, help="Unused for so long, it is deactivated. Default: 7.")
@click.option("--retention", metavar="DAYS", type=int, help="Deleted so long after that. Default: at most 30.")
@click.option("--max-age", metavar="DAYS", type=int, default=90, help="The policy's limit. Default: 90.")
@click.option("--self-managed", is_flag=True, help="The user's own key signs; put a first one in the secret.")
@click.option("--master-arn", metavar="ARN", default="", help="The secret whose key signs. Default: the role does.")
@click.option("--secret-arn", metavar="ARN", default="", help="A secret that is there, instead of a new one.")
@click.option("--adopt", metavar="KEYID", multiple=True, help="A key that the secret replaces. Repeatable.")
@click.option("--deactivate-in-use", is_flag=True, help="Deactivate a replaced key in use before it breaches.")
@click.option("--kms-key-arn", metavar="ARN", default="", help="Customer-managed key of the secret.")
@click.option("--notify", metavar="ADDRESS", default="", help="Who gets the notices by mail.")
def template(
    user: str,
    path: str,
    every: int,
    grace: int,
    quiet: int | None,
    retention: int | None,
    max_age: int,
    self_managed: bool,
    master_arn: str,
    secret_arn: str,
    adopt: tuple[str, ...],
    deactivate_in_use: bool,
    kms_key_arn: str,
    notify: str,
) -> int:
    """Print the CloudFormation template for a user; nothing is deployed.

    A secret, the function with its code, its role, the schedule, a daily rule that retires what was replaced, and a
    topic for notices.
    """
    from keyaudit.rotation.periods import Periods
    from keyaudit.rotation.template import Deployment, rotation_template

    if self_managed and master_arn:
        raise InputError("--self-managed and --master-arn: exclude each other; give one of the two")
    deployment = Deployment(
        user=user,
        periods=Periods.of(every, grace, max_age, retention, quiet),
        path=path,
        master="self" if self_managed else master_arn,
        adopted=adopt,
        secret=secret_arn,
        deactivates_in_use=deactivate_in_use,
        kms_key=kms_key_arn,
        notify=notify,
    )
    write(rotation_template(deployment))
    return 0
