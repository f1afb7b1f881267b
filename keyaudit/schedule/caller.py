"""Whose account a run of a schedule reads: the same command asks of another where other credentials are found."""

from __future__ import annotations

import re

from keyaudit.capture.calls import CallFailedError, Calls
from keyaudit.capture.session import connect
from keyaudit.capture.workers import LateError, Pace, within
from keyaudit.schema import InputError

DEADLINE = 20.0  # seconds
ARN = r"arn:aws[a-z-]*:(?:iam|sts)::([0-9]{12}):.+"


def account_of_caller(profile: str, region: str) -> str:
    """The account of the credentials that boto3 finds (sts:GetCallerIdentity needs no permission); empty where that
    cannot be had: the run itself says why."""
    calls = Calls(DEADLINE, Pace(10))

    def ask() -> str:
        client = connect(profile, region).client("sts", calls)
        return str(calls.call(client, "get_caller_identity", ("Arn",))["Arn"])

    try:
        told = re.fullmatch(ARN, within(calls.until, ask))
    except (CallFailedError, LateError, InputError):
        return ""
    return told[1] if told else ""
