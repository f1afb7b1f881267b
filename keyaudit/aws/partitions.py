"""What names tell before AWS is asked: the partition of a region, the account of a role."""

from __future__ import annotations

import re

from keyaudit.schema import InputError

#: a region for each partition, because one must be named although the service is global
DEFAULT_REGION = "us-east-1"
ROLE_ARN = re.compile(r"arn:(aws[a-z-]*):iam::([0-9]{12}):role/[\w+=,.@/-]{1,576}", re.ASCII)


def partition_of(region: str) -> str:
    """The partition that a region is in; InputError for what cannot be the name of a region."""
    import botocore.session
    from botocore.exceptions import UnknownRegionError

    try:
        return str(botocore.session.get_session().get_partition_for_region(region or DEFAULT_REGION))
    except UnknownRegionError:
        raise InputError(
            f"--region {region[:40]}: no such region; give one such as us-east-1, cn-north-1 or us-gov-west-1"
        ) from None


def account_of_role(role_arn: str) -> str:
    """The account id in a role's ARN; InputError if this is not such an ARN."""
    match = ROLE_ARN.fullmatch(role_arn)
    if not match:
        raise InputError(
            f"--role-arn {role_arn[:80]}: not the ARN of a role, such as arn:aws:iam::123456789012:role/NAME"
        )
    return match[2]
