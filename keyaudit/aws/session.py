"""Sessions of boto3: the caller's own, and those of roles assumed from it. Credentials stay in memory.

Clients cannot safely be made in several threads at once, and the models that this reads are large. So one boto3
session makes all clients, one at a time.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from keyaudit.aws.calls import CallFailedError, Calls, before_send
from keyaudit.aws.partitions import DEFAULT_REGION
from keyaudit.aws.workers import LateError, Pace, within
from keyaudit.schema import InputError

SESSION_NAME = "keyaudit"
#: who makes a call
CALLER_ARN = r"arn:aws[a-z-]*:(?:iam|sts)::([0-9]{12}):.+"
#: seconds within which AWS must have said who that is
DEADLINE = 20.0
_making = threading.Lock()
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)


@dataclass(frozen=True)
class Session:
    """Whose credentials clients are made with; if ``credentials`` are empty, the caller's own."""

    boto: Any
    partition: str
    credentials: tuple[tuple[str, str], ...] = ()
    _idle: list[Any] = field(default_factory=list, compare=False)

    def __repr__(self) -> str:  # never its credentials
        return "Session()"

    @property
    def region(self) -> str:
        return str(self.boto.region_name)

    def client(self, service: str, calls: Calls, region: str = "") -> Any:
        """A client whose calls are paced and bounded, in another region if one is named. CallFailedError if
        credentials cannot be had at all."""
        from botocore.exceptions import BotoCoreError

        try:
            with _making:
                client = self.boto.client(
                    service, region_name=region or None, config=calls.config, **dict(self.credentials)
                )
        except (BotoCoreError, ValueError):
            raise CallFailedError(service, "credentials") from None
        client.meta.events.register("before-send", before_send)
        return client

    def get_ready(self, calls: Calls) -> None:
        """Read the models that clients for every account need, so that forks of this process need not. No call is
        made."""
        with suppress(CallFailedError):
            self.client("iam", calls).get_paginator("list_users")

    def assume(self, role_arn: str, external_id: str, calls: Calls) -> tuple[Session, str]:
        """The session of a role, and the ARN of the one who acts in it. CallFailedError if the role cannot be
        assumed."""
        more = {"ExternalId": external_id} if external_id else {}
        with self._sts(calls) as sts:
            answer = calls.call(
                sts,
                "assume_role",
                ("Credentials", "AssumedRoleUser"),
                RoleArn=role_arn,
                RoleSessionName=SESSION_NAME,
                **more,
            )
        try:
            given = answer["Credentials"]
            names = (("aws_access_key_id", "AccessKeyId"), ("aws_secret_access_key", "SecretAccessKey"))
            credentials = tuple((ours, given[theirs]) for ours, theirs in (*names, _TOKEN))
            caller = str(answer["AssumedRoleUser"]["Arn"])
        except KeyError:
            raise CallFailedError("sts:AssumeRole", "unreadable") from None
        return Session(self.boto, self.partition, credentials), caller

    @contextmanager
    def _sts(self, calls: Calls) -> Iterator[Any]:
        """A client of STS: one with which an earlier account was entered, if there is any, because its connection
        is open. It serves one account at a time, because boto3 limits the retries of a client, whoever shares
        it."""
        try:
            client = self._idle.pop()
        except IndexError:
            client = self.client("sts", calls)
        try:
            yield client
        finally:
            self._idle.append(client)


_TOKEN = ("aws_session_token", "SessionToken")


def connect(profile: str = "", region: str = "") -> Session:
    """The caller's own session, by boto3's usual chain (environment, profile, SSO, role of the machine).

    InputError if there are no credentials, or no such profile.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ProfileNotFound

    try:
        session = _boto(profile, region)
        if not session.region_name:
            session = _boto(profile, DEFAULT_REGION)
        partition = session.get_partition_for_region(session.region_name)
        found = session.get_credentials()
    except ProfileNotFound:
        known = ", ".join(boto3.session.Session().available_profiles) or "none"
        raise InputError(f"--profile {profile}: no such profile; there are: {known}") from None
    except (BotoCoreError, ValueError) as error:
        raise InputError(f"AWS configuration: cannot be used ({type(error).__name__})") from None
    if found is None:
        raise InputError(
            "no AWS credentials found; sign in (aws sso login, aws configure) or give --profile, "
            "or name a SOURCE, a report that was fetched before"
        )
    return Session(session, partition)


def _boto(profile: str, region: str) -> Any:
    import boto3
    from botocore.session import get_session
    from botocore.utils import parse_timestamp

    def instant(told: Any) -> datetime:
        """An instant as AWS writes most of them; botocore tries all ways to write one, which takes its time."""
        if isinstance(told, str) and _INSTANT.fullmatch(told):
            with suppress(ValueError):
                return datetime.fromisoformat(told)
        return cast(datetime, parse_timestamp(told))

    core = get_session()
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=instant)
    return boto3.session.Session(botocore_session=core, profile_name=profile or None, region_name=region or None)


def account_of_caller(profile: str, region: str) -> str:
    """The account of the credentials that boto3 finds (sts:GetCallerIdentity needs no permission). Empty if that
    cannot be had; the run itself will say why."""
    calls = Calls(DEADLINE, Pace(10))

    def ask() -> str:
        client = connect(profile, region).client("sts", calls)
        return str(calls.call(client, "get_caller_identity", ("Arn",))["Arn"])

    try:
        told = re.fullmatch(CALLER_ARN, within(calls.until, ask))
    except (CallFailedError, LateError, InputError):
        return ""
    return told[1] if told else ""
