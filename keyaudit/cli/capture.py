"""``keyaudit capture``: raw evidence from AWS itself."""

from __future__ import annotations

from pathlib import Path

import click

from keyaudit.cli.cluster import Shared, cluster_options
from keyaudit.cli.common import write, write_names
from keyaudit.cli.live import CAPTURES, Live, live_options
from keyaudit.cli.reading import check_purpose, make_capture
from keyaudit.schema import InputError

MISSING = 3


@click.command(short_help="Read credential reports from AWS into a folder.")
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, readable=False),
    default=None,
    help=f"The capture folder. Default: a dated one in {CAPTURES}.",
)
@click.option(
    "--print-policy", is_flag=True, help="Print the IAM policy that these options need, and do nothing else."
)
@click.option("--print-role", is_flag=True, help="Print a CloudFormation template of the role for a StackSet.")
@cluster_options
@live_options
def capture(folder: Path | None, print_policy: bool, print_role: bool, shared: Shared, live: Live) -> int:
    """Read credential reports from AWS into a capture folder; print the folder.

    The same command resumes a capture that was interrupted. Exits with 0 if everything was read, 3 if anything is
    missing: the output says what, and judging the folder gives INSUFFICIENT_DATA.
    """
    if print_policy or print_role:
        return _print(print_role, live)
    if shared.at and not live.is_many:
        raise InputError("--cluster: for --organization and --accounts; one account is read here")
    made = make_capture(live, folder, CAPTURES, shared)
    write_names([made.folder])
    return 0 if made.is_complete else MISSING


def _print(role: bool, live: Live) -> int:
    from keyaudit.aws.partitions import account_of_role, partition_of
    from keyaudit.aws.permissions import policy_json, role_template

    if role:
        write(role_template(live.role_name, live.external_id))
        return 0
    check_purpose(live)
    if live.role_arn:
        account_of_role(live.role_arn)
    write(policy_json(live.needs, partition_of(live.region)))
    return 0
