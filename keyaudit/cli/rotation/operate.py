"""``keyaudit rotation deploy``, ``now`` and ``remove``: what an operator changes, never without ``--yes``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from keyaudit.cli.common import say as tell
from keyaudit.cli.common import write
from keyaudit.schema import InputError

if TYPE_CHECKING:
    from keyaudit.rotation.stack import Operator

_OPTIONS = (
    click.option("--user", metavar="NAME", required=True, help="The IAM user whose keys are rotated."),
    click.option("--profile", metavar="NAME", default="", help="A profile of your AWS configuration."),
    click.option("--region", metavar="NAME", default="", help="Where the secret and the function are."),
    click.option("--dry-run", is_flag=True, help="Say what would be done; nothing is changed."),
    click.option("--wait", metavar="SECONDS", type=click.FloatRange(1, 3600), default=600.0, help="Default: 600."),
)
_YES = click.option("--yes", is_flag=True, help="Do it; without this it is only shown.")


def _operating(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _operator(user: str, profile: str, region: str, wait: float) -> tuple[Operator, str]:
    """The operator, and in which account it acts, for whoever confirms it."""
    from keyaudit.capture.calls import CallFailedError, Calls
    from keyaudit.capture.session import connect
    from keyaudit.capture.workers import Pace
    from keyaudit.rotation.stack import OperationError, Operator
    from keyaudit.texts import say

    session, calls = connect(profile, region), Calls(wait, Pace(50))
    try:
        caller = calls.call(session.client("sts", calls), "get_caller_identity", ("Arn", "Account"))
        operator = Operator(session, calls, user)
    except CallFailedError as error:
        raise OperationError(error.why) from None
    return operator, say("operate.where", account=caller["Account"], region=session.region, caller=caller["Arn"])


@click.command()
@_operating
@click.option("--every", metavar="DAYS", type=int, default=60, help="A new key every so many days. Default: 60.")
@click.option("--grace", metavar="DAYS", type=int, default=14, help="The replaced key is left for. Default: 14.")
@click.option("--max-age", metavar="DAYS", type=int, default=90, help="The policy's limit. Default: 90.")
@click.option("--secret-arn", metavar="ARN", default="", help="A secret that is there, to take over.")
@click.option("--deactivate-in-use", is_flag=True, help="Deactivate a replaced key in use before it breaches.")
@click.option("--notify", metavar="ADDRESS", default="", help="Who gets the notices by mail.")
@_YES
def deploy(
    user: str,
    profile: str,
    region: str,
    dry_run: bool,
    wait: float,
    every: int,
    grace: int,
    max_age: int,
    secret_arn: str,
    deactivate_in_use: bool,
    notify: str,
    yes: bool,
) -> int:
    """Put a user's keys under automatic rotation: check, show the change set, and deploy it with --yes.

    Makes no key and touches none. The keys that the user has now are adopted: they are retired once the secret has
    replaced them and they are quiet.
    """
    from keyaudit.rotation.periods import Periods
    from keyaudit.rotation.stack import key_line
    from keyaudit.rotation.template import Deployment, adopted_in, rotation_template, secret_block
    from keyaudit.texts import say

    periods = Periods.of(every, grace, max_age)
    Deployment(user, periods, notify=notify, secret=secret_arn)  # mistakes show before AWS is asked
    operator, where = _operator(user, profile, region, wait)
    tell(where)
    path, keys, secret, deployed = (
        operator.path_of_user(),
        operator.keys(),
        operator.secret(secret_arn),
        operator.template(),
    )
    for key in keys:
        tell(key_line(key))
    active = [key["AccessKeyId"] for key in keys if key["Status"] == "Active"]
    if len(active) > 1 and not deployed:
        raise InputError(
            f"--user {user}: has two active keys, and a rotation needs room for a new one; find out which one is "
            "used less, move what uses it, deactivate it (aws iam update-access-key) and delete it later"
        )
    if secret_arn and secret is None:
        raise InputError(f"--secret-arn {secret_arn}: there is no such secret in this account and region")
    is_new = "AWS::SecretsManager::Secret" in secret_block(deployed) if deployed else secret is None
    deployment = Deployment(
        user=user,
        periods=periods,
        path=path,
        adopted=adopted_in(deployed) if deployed else tuple(active),
        deactivates_in_use=deactivate_in_use,
        notify=notify,
        secret="" if is_new or secret is None else secret["ARN"],
    )
    template = rotation_template(deployment)
    if deployed and secret_block(deployed) != secret_block(template):
        raise InputError(
            f"stack {operator.name}: its secret was deployed with other values, and to deploy these could put "
            "them in place of the key; print the template and change the rest of it alone"
        )
    tell(say("operate.consumers"))
    if dry_run:
        write(say("operate.dry_run", stack=operator.name, n=len(template.encode())) + "\n")
        return 0
    changes = operator.prepare(template, bool(deployed))
    if changes is None:
        write(say("operate.nothing", stack=operator.name) + "\n")
        return 0
    for one in changes:
        replaced = say("operate.replaced") if one.replaces else ""
        write(say("operate.change", action=one.action, name=one.name, kind=one.kind, replaced=replaced) + "\n")
    if not yes:
        operator.withdraw(bool(deployed))
        write(say("operate.not_yet") + "\n")
        return 0
    operator.execute()
    write(say("operate.deployed", stack=operator.name, user=user, every=every) + "\n")
    return 0


@click.command()
@_operating
def now(user: str, profile: str, region: str, dry_run: bool, wait: float) -> int:
    """Rotate a user's key at once, and wait for the outcome.

    Exits with 0 when the new key is AWSCURRENT, 4 when the rotation did not come to its end, with the function's
    own words.
    """
    from keyaudit.rotation.stack import key_line
    from keyaudit.texts import say, utc

    operator, where = _operator(user, profile, region, wait)
    tell(where)
    secret = operator.secret()
    if secret is None or not secret.get("RotationEnabled"):
        raise InputError(f"--user {user}: no rotation is deployed for it; see keyaudit rotation deploy")
    stuck = [stages for stages in secret.get("VersionIdsToStages", {}).values() if stages == ["AWSPENDING"]]
    if stuck:
        raise InputError(
            f"--user {user}: a rotation is under way, or stuck; wait, or see keyaudit rotation status for its log, "
            "then take AWSPENDING off its version (aws secretsmanager update-secret-version-stage)"
        )
    keys = operator.keys()
    for key in keys:
        tell(key_line(key))
    if dry_run:
        write(say("operate.would_rotate", user=user) + "\n")
        return 0
    made = operator.rotate()
    write(say("operate.rotated", user=user, made=utc(made)) + "\n")
    return 0


@click.command()
@_operating
@_YES
def remove(user: str, profile: str, region: str, dry_run: bool, wait: float, yes: bool) -> int:
    """Take the rotation away, with --yes; the secret, its key and the log stay.

    Nothing breaks: consumers go on reading the secret, whose key nobody rotates any more.
    """
    from keyaudit.texts import say

    operator, where = _operator(user, profile, region, wait)
    tell(where)
    if not operator.status():
        raise InputError(f"--user {user}: there is no stack {operator.name} in this account and region")
    if dry_run or not yes:
        write(say("operate.would_remove", stack=operator.name) + "\n")
        return 0
    operator.delete()
    write(say("operate.removed", stack=operator.name, user=user) + "\n")
    return 0
