"""Options that the commands of ``keyaudit rotation`` share, and the operator that acts on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from keyaudit.cli.common import say as tell

if TYPE_CHECKING:
    from keyaudit.rotation.asked import Asked
    from keyaudit.rotation.operator import Operator

Command = Callable[..., Any]
DEPLOYED = "Default: as deployed, else"

_OPERATOR = (
    click.option("--profile", metavar="NAME", default="", help="A profile of your AWS configuration."),
    click.option("--region", metavar="NAME", default="", help="The region of the secret and the function."),
    click.option("--dry-run", is_flag=True, help="Say what would be done; nothing is changed."),
    click.option(
        "--wait",
        metavar="SECONDS",
        type=click.FloatRange(1, 3600),
        default=600.0,
        help="Time limit for AWS. Default: 600.",
    ),
)
_STACK = (
    click.option("--every", metavar="DAYS", type=int, help=f"Make a new key every so many days. {DEPLOYED} 60."),
    click.option(
        "--grace", metavar="DAYS", type=int, help=f"Leave the replaced key for so many days. {DEPLOYED} 14."
    ),
    click.option(
        "--quiet", metavar="DAYS", type=int, help=f"Deactivate it once it is unused for so long. {DEPLOYED} 7."
    ),
    click.option(
        "--retention", metavar="DAYS", type=int, help=f"Delete it so many days after that. {DEPLOYED} at most 30."
    ),
    click.option("--max-age", metavar="DAYS", type=int, help=f"The policy's limit. {DEPLOYED} 90."),
    click.option("--self-managed", is_flag=True, help="The user's own key signs; put a first one in the secret."),
    click.option("--master-arn", metavar="ARN", help="The secret whose key signs. Default: the role does."),
    click.option("--secret-arn", metavar="ARN", default="", help="Use this existing secret instead of a new one."),
    click.option("--fields", metavar="FIELD=NAME,...", help="The names of the fields accesskey and secretkey."),
    click.option(
        "--deactivate-in-use/--leave-in-use",
        default=None,
        help="Deactivate a replaced key in use before it breaches, or leave it (default).",
    ),
    click.option("--kms-key-arn", metavar="ARN", help="Customer-managed key of the secret."),
    click.option("--notify", metavar="ADDRESS", help="Who gets the notices by mail."),
)


@dataclass(frozen=True)
class Acting:
    """Whose credentials act, in which region, for how many seconds at most, and whether nothing may be changed."""

    profile: str
    region: str
    wait: float
    dry_run: bool


def operating(command: Command) -> Command:
    """Pass ``acting`` to the command."""

    @wraps(command)
    def wrapped(**given: Any) -> Any:
        acting = Acting(*(given.pop(name) for name in ("profile", "region", "wait", "dry_run")))
        return command(acting=acting, **given)

    return _with(_OPERATOR, wrapped)


def settings(command: Command) -> Command:
    """Pass ``asked`` to the command: all options of a stack in one value."""

    @wraps(command)
    def wrapped(**given: Any) -> Any:
        own = {name: given.pop(name) for name in _NAMES}
        return command(asked=asked(bucket=given.pop("template_bucket", ""), **own), **given)

    return _with(_STACK, wrapped)


_NAMES = (
    "every", "grace", "quiet", "retention", "max_age", "self_managed", "master_arn", "secret_arn", "fields",
    "deactivate_in_use", "kms_key_arn", "notify",
)  # fmt: skip


def asked(
    every: int | None,
    grace: int | None,
    quiet: int | None,
    retention: int | None,
    max_age: int | None,
    self_managed: bool,
    master_arn: str | None,
    secret_arn: str,
    fields: str | None,
    deactivate_in_use: bool | None,
    kms_key_arn: str | None,
    notify: str | None,
    bucket: str,
) -> Asked:
    from keyaudit.rotation.asked import Asked
    from keyaudit.rotation.deployment import SELF, read_fields
    from keyaudit.schema import InputError

    if self_managed and master_arn:
        raise InputError("--self-managed and --master-arn: exclude each other; give one of the two")
    return Asked(
        every=every,
        grace=grace,
        max_age=max_age,
        retention=retention,
        quiet=quiet,
        notify=notify,
        deactivates_in_use=deactivate_in_use,
        fields=None if fields is None else read_fields(fields),
        master=SELF if self_managed else master_arn,
        kms_key=kms_key_arn,
        secret=secret_arn,
        bucket=bucket,
    )


def _with(options: tuple[Callable[[Command], Command], ...], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def connected(acting: Acting) -> Operator:
    """The operator. The account in which it acts is printed, for whoever confirms the change."""
    from keyaudit.rotation.operator import Operator

    operator = Operator(acting.profile, acting.region, acting.wait)
    tell(operator.said())
    return operator
