"""Calls to AWS: paced, bounded in time, retried by boto3, recorded, and explained in a sentence if they fail."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
import botocore
from botocore import exceptions as aws
from botocore.config import Config
from botocore.parsers import ResponseParserError

from keyaudit import __version__
from keyaudit.aws.workers import Pace
from keyaudit.texts import say, utc

#: attempts that boto3 makes at one call (throttled, 5xx, connection lost), the first included
ATTEMPTS = 6
#: attempts at a whole call, or list of pages, whose answer cannot be read: boto3 does not repeat such calls
READINGS = 3
CONNECT_TIMEOUT = 5.0
LONGEST_READ = 30.0  # seconds without a byte

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException"}
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
INVALID = {
    "AuthFailure",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
THROTTLED = {
    "RequestLimitExceeded",
    "RequestThrottled",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
_KIND_OF = {
    **dict.fromkeys(DENIED, "denied"),
    **dict.fromkeys(EXPIRED, "expired"),
    **dict.fromkeys(INVALID, "invalid"),
    **dict.fromkeys(THROTTLED, "throttled"),
}
_CREDENTIALS = (
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.CredentialRetrievalError,
    aws.SSOError,
    aws.TokenRetrievalError,
    aws.UnauthorizedSSOTokenError,
)


class CallFailedError(Exception):
    """A call that failed for good. ``api`` is its name as in IAM policies (iam:ListUsers); ``kind`` names the
    sentence that says why; ``code`` is AWS's code, if there is one that can be shown."""

    def __init__(self, api: str, kind: str, code: str = "") -> None:
        super().__init__(api, kind, code)
        self.api, self.kind, self.code = api, kind, code

    @property
    def why(self) -> str:
        return say(f"capture.why.{self.kind}", api=self.api, code=self.code)

    @property
    def is_final(self) -> bool:
        """Whether every other call of the same session would fail too."""
        return self.kind in ("expired", "invalid", "credentials", "deadline")


@dataclass
class Calls:
    """The calls made for one account: each is recorded, none is begun after ``until`` (monotonic seconds)."""

    seconds: float
    pace: Pace
    records: list[dict[str, Any]] = field(default_factory=list)
    until: float = field(init=False)

    _open: list[str] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self.until = time.monotonic() + self.seconds

    def asked(self) -> str:
        """The calls that have no answer yet; between two calls, the previous one, of which nothing came yet."""
        return ", ".join(sorted(set(self._open) or {one["api"] for one in self.records[-1:]}))

    @property
    def config(self) -> Config:
        """How clients for these calls are to be made. Retries back off up to 20 s; a stalled answer is given up
        well before the deadline, so that it can be asked for again."""
        return Config(
            retries={"mode": "adaptive", "total_max_attempts": ATTEMPTS},
            connect_timeout=min(CONNECT_TIMEOUT, self.seconds / 4),
            read_timeout=min(LONGEST_READ, self.seconds / 4),
            max_pool_connections=32,
            # in place of botocore's own, which is put together again for each call, at a tenth of a call's CPU time
            user_agent=f"keyaudit/{__version__} Boto3/{boto3.__version__} Botocore/{botocore.__version__}",
        )

    def call(self, client: Any, method: str, needs: tuple[str, ...] = (), **parameters: Any) -> dict[str, Any]:
        """One call, whose answer has the fields in ``needs``. CallFailedError if it fails for good."""
        return self._readable(lambda: [self._once(client, method, needs, parameters)])[0]

    def pages(self, client: Any, method: str, key: str, **parameters: Any) -> list[dict[str, Any]]:
        """All pages of a list, each of which has the field ``key``. CallFailedError as for ``call``."""
        return self._readable(lambda: list(self._all(client, method, key, parameters)))

    def _readable(self, ask: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        for reading in range(1, READINGS + 1):
            try:
                return ask()
            except CallFailedError as error:
                if error.kind != "unreadable" or reading == READINGS:
                    raise
        raise AssertionError(READINGS)

    def _all(self, client: Any, method: str, key: str, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        pages = iter(client.get_paginator(method).paginate(**parameters))
        while True:
            page = self._attempt(client, method, parameters, lambda: next(pages, None), (key,))
            if page is None:
                return
            yield page

    def _once(self, client: Any, method: str, needs: tuple[str, ...], parameters: dict[str, Any]) -> dict[str, Any]:
        answer = self._attempt(client, method, parameters, lambda: getattr(client, method)(**parameters), needs)
        assert answer is not None
        return answer

    def _attempt(
        self, client: Any, method: str, parameters: dict[str, Any], ask: Any, needs: tuple[str, ...]
    ) -> dict[str, Any] | None:
        """One request with boto3's retries, recorded whatever comes of it."""
        api = api_name(client, method)
        record: dict[str, Any] = {"api": api, "at": utc(datetime.now(UTC))}
        if "UserName" in parameters:
            record["user"] = parameters["UserName"]
        _current.calls, _current.attempts = self, 0
        self._open.append(api)
        answer: dict[str, Any] | None = None
        failure: CallFailedError | None = None
        try:
            try:
                answer = ask()
                if answer is not None and not all(name in answer for name in needs):
                    failure = CallFailedError(api, "unreadable")
            except Exception as error:
                failure = _failure(api, error)
                answer = getattr(error, "response", None)
            if answer is None and failure is None:
                return None  # there was no further page, and no call
            metadata = (answer or {}).get("ResponseMetadata", {})
            record["request_id"] = metadata.get("RequestId")
            record["result"] = "ok" if failure is None else failure.code or failure.kind
            record["retries"] = max(0, _current.attempts - 1)
            self.records.append(record)
        finally:
            self._open.remove(api)  # after it was recorded, so that one of the two always tells of it
        if failure is not None:
            raise failure
        return answer


def api_name(client: Any, method: str) -> str:
    """``iam:ListUsers``, as IAM policies name it."""
    return f"{client.meta.service_model.service_name}:{client.meta.method_to_api_mapping[method]}"


def _failure(api: str, error: Exception) -> CallFailedError:
    if isinstance(error, CallFailedError):
        return CallFailedError(api, error.kind, error.code)
    if isinstance(error, aws.ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        # anything else that a service may have put there is not repeated
        code = code if re.fullmatch(r"[A-Za-z0-9.]{1,64}", code) else ""
        return CallFailedError(api, _KIND_OF.get(code, "refused" if code else "unreadable"), code)
    if isinstance(error, aws.ConnectTimeoutError | aws.ReadTimeoutError):
        return CallFailedError(api, "timeout")
    if isinstance(error, _CREDENTIALS):
        return CallFailedError(api, "credentials")
    if isinstance(error, aws.PaginationError):
        return CallFailedError(api, "endless")
    if isinstance(error, aws.HTTPClientError | aws.ConnectionError):
        return CallFailedError(api, "connection")
    # botocore's own error for an answer that cannot be parsed is not a BotoCoreError
    if isinstance(
        error, aws.BotoCoreError | ResponseParserError | ValueError | KeyError | TypeError | AttributeError
    ):
        return CallFailedError(api, "unreadable")
    raise error


_current = threading.local()


def before_send(**_: Any) -> None:
    """For every attempt of every client: keep to the pace, and begin nothing after the deadline."""
    calls: Calls = _current.calls
    calls.pace.wait()
    if time.monotonic() >= calls.until:
        raise CallFailedError("", "deadline")
    _current.attempts += 1
