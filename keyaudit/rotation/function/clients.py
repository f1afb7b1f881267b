"""How AWS is called, and what its errors say."""

from __future__ import annotations

from botocore.config import Config
from botocore.exceptions import ClientError

from keyaudit.rotation.function.basics import CONNECT, READ

_TIMES = {"connect_timeout": CONNECT, "read_timeout": READ}
PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 5}, **_TIMES)
#: a lost answer to CreateAccessKey must not be asked for again: that would make a second key
ONCE = Config(retries={"total_max_attempts": 1}, **_TIMES)
UNCLEAR = ("RequestTimeout", "RequestTimeoutException")
THROTTLED = ("Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded")


def code_of(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__


def took_no_effect(error: Exception) -> bool:
    """Whether AWS answered, and that it did nothing."""
    if not isinstance(error, ClientError):
        return False
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    return 400 <= status < 500 and code_of(error) not in UNCLEAR
