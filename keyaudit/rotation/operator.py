"""The calls of an operator, and what they say about users, keys and secrets. No value of a secret is read.

Every failure of a call is an OperationError with AWS's reason.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC
from functools import cached_property
from typing import Any

from keyaudit.aws.calls import CallFailedError, Calls
from keyaudit.aws.session import connect
from keyaudit.aws.workers import Pace
from keyaudit.rotation.limits import Where
from keyaudit.schema import EvidenceError
from keyaudit.texts import say, utc

PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds
#: AWS's answers that mean: there is no such thing
ABSENT = {
    "get_user": ("NoSuchEntity",),
    "describe_secret": ("ResourceNotFoundException",),
    "get_template": ("ValidationError",),
    "describe_stacks": ("ValidationError",),
    "describe_stack_resource": ("ValidationError",),
    "filter_log_events": ("ResourceNotFoundException",),
}


class OperationError(EvidenceError):
    """Something that AWS refused, or that did not come to its end (exit code 4)."""


class Operator:
    """Who acts, in which account and region; ``wait``: how many seconds all of it may take."""

    def __init__(self, profile: str, region: str, wait: float) -> None:
        self.session, self.calls = connect(profile, region), Calls(wait, Pace(50))
        caller = self.ask(self.client("sts"), "get_caller_identity", "Arn", "Account")
        self.account, self.caller = str(caller["Account"]), str(caller["Arn"])

    def client(self, service: str) -> Any:
        try:
            return self.session.client(service, self.calls)
        except CallFailedError as error:
            raise OperationError(error.why) from None

    @cached_property
    def stacks(self) -> Any:
        return self.client("cloudformation")

    @cached_property
    def secrets(self) -> Any:
        return self.client("secretsmanager")

    @cached_property
    def iam(self) -> Any:
        return self.client("iam")

    @property
    def region(self) -> str:
        return self.session.region

    @property
    def where(self) -> Where:
        return Where(self.account, self.region, self.session.partition)

    def said(self) -> str:
        """Who acts where, for whoever confirms it."""
        return say("operate.where", account=self.account, region=self.region, caller=self.caller)

    # --- calls ----------------------------------------------------------------------------------------------------
    def ask(self, client: Any, method: str, *needs: str, **what: Any) -> Any:
        """AWS's answer; None if AWS says that there is no such thing. OperationError for any other failure."""
        try:
            return self.calls.call(client, method, needs, **what)
        except CallFailedError as error:
            if error.code in ABSENT.get(method, ()):
                return None
            raise OperationError(error.why) from None

    def pages(self, client: Any, method: str, key: str, **what: Any) -> list[dict[str, Any]]:
        """All items of a list."""
        try:
            return [one for page in self.calls.pages(client, method, key, **what) for one in page[key]]
        except CallFailedError as error:
            raise OperationError(error.why) from None

    def until(self, ask: Callable[[], Any], late: str, why: Callable[[], str] = str) -> Any:
        """What ``ask`` returns, as soon as it returns something; OperationError after the deadline."""
        pause = PAUSE
        while (found := ask()) is None:
            if time.monotonic() + pause >= self.calls.until:
                self.calls.until += LONGEST_PAUSE  # to ask for the reason
                raise OperationError(" ".join(filter(None, (late, why()))))
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        return found

    def invoke(self, function: str, event: dict[str, str]) -> Any:
        """What a function answers, from JSON. OperationError if it fails, with only AWS's name for the failure:
        anything else that a function says may be anything."""
        told = self.ask(
            self.client("lambda"),
            "invoke",
            "Payload",
            FunctionName=function,
            InvocationType="RequestResponse",
            Payload=json.dumps(event).encode(),
        )
        content = told["Payload"].read()
        if told.get("FunctionError"):
            raise OperationError(say("operate.look.failed", function=function))
        try:
            return json.loads(content)
        except ValueError:
            raise OperationError(say("operate.look.failed", function=function)) from None

    # --- what is there --------------------------------------------------------------------------------------------
    def path(self, user: str) -> str | None:
        """The user's path; None if there is no such user."""
        found = self.ask(self.iam, "get_user", "User", UserName=user)
        return str(found["User"]["Path"]) if found else None

    def keys(self, user: str) -> list[dict[str, Any]]:
        """The user's keys with their last use, newest first."""
        found = self.ask(self.iam, "list_access_keys", "AccessKeyMetadata", UserName=user)["AccessKeyMetadata"]
        for key in found:
            what = {"AccessKeyId": key["AccessKeyId"]}
            key["LastUsed"] = self.ask(self.iam, "get_access_key_last_used", **what).get("AccessKeyLastUsed", {})
        return sorted(found, key=lambda key: key["CreateDate"], reverse=True)

    def secret(self, secret_id: str) -> dict[str, Any] | None:
        """A secret without its value; None if there is no such secret."""
        found: dict[str, Any] | None = self.ask(self.secrets, "describe_secret", "ARN", SecretId=secret_id)
        return found


def key_line(key: dict[str, Any]) -> str:
    """A key in words: the end of its id, its state, its age, and what uses it, as far as AWS tells."""
    used = key["LastUsed"]
    use = say("operate.never_used")
    if used.get("LastUsedDate"):
        where = {"region": used.get("Region", "N/A"), "service": used.get("ServiceName", "N/A")}
        use = say("operate.used", at=utc(used["LastUsedDate"].astimezone(UTC)), **where)
    made = utc(key["CreateDate"].astimezone(UTC))
    return say("operate.key", id=key["AccessKeyId"][-4:], status=key["Status"], made=made, use=use)
