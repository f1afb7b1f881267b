"""What AWS says about keys under automatic rotation: ``rotation.json``.

Names of fields are AWS's own. No value of a secret is ever read. Of a function's environment, only our own settings
are kept; of its log, only the function's own lines, because other code may write anything there.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from keyaudit.aws.calls import CallFailedError, Calls
from keyaudit.captured.function import USERS, own_line, user_of, users_of, version_of
from keyaudit.schema import FUNCTION_VERSION
from keyaudit.texts import say, utc

if TYPE_CHECKING:
    from keyaudit.capture.target import Taking

#: days: as long as the log group of our template keeps lines
LOG_DAYS = 400
SETTINGS = "KEYAUDIT_"
#: the names of the secrets of our template
SECRETS = "keyaudit/"
_SECRET_FIELDS = (
    "ARN", "Name", "RotationEnabled", "RotationLambdaARN", "RotationRules", "LastRotatedDate", "NextRotationDate",
)  # fmt: skip
_NOT_THERE = ("ResourceNotFoundException", "NoSuchEntity")


def take_rotations(taking: Taking) -> dict[str, Any]:
    """Everything about rotated secrets in the regions that were asked for; CallFailedError if any of it cannot be
    had.

    A secret that is rotated by a function other than ours is only named: it may be anything.
    """
    calls, session, iam = taking.calls, taking.session, taking.iam
    regions = taking.options.regions or (session.region,)
    found: dict[str, Any] = {"taken_time": utc(datetime.now(UTC)), "regions": list(regions), "secrets": []}
    others = []
    for region in regions:
        secrets = session.client("secretsmanager", calls, region)
        there = _Functions(calls, *(session.client(service, calls, region) for service in ("lambda", "logs")))
        for page in calls.pages(secrets, "list_secrets", "SecretList"):
            for listed in page["SecretList"]:
                if not listed.get("RotationLambdaARN") and not str(listed["Name"]).startswith(SECRETS):
                    continue
                if listed.get("PrimaryRegion", region) != region:
                    continue  # a replica: its rotation is in the region where the secret was made
                told = calls.call(secrets, "describe_secret", ("ARN", "Name"), SecretId=listed["ARN"])
                function = there.function(told.get("RotationLambdaARN"))
                user = _user(told, function)
                if user is None:
                    others.append(told["Name"])
                    continue
                log, other_lines = there.log(function, user)
                found["secrets"].append(
                    {
                        "region": region,
                        "user": user,
                        "secret": {
                            name: _plain(told[name]) for name in _SECRET_FIELDS if told.get(name) is not None
                        },
                        "versions": list(_versions(calls, secrets, told["ARN"])),
                        "function": function,
                        "log": log,
                        "other_lines": other_lines,
                        **_of_user(calls, iam, user),
                    }
                )
    return found | {"others": sorted(others)}


class _Functions:
    """The functions of a region and what they logged, each read once: one may rotate the secrets of many users."""

    def __init__(self, calls: Calls, functions: Any, logs: Any) -> None:
        self._calls, self._functions, self._logs = calls, functions, logs
        self._found: dict[str, dict[str, Any] | None] = {}
        self._lines: dict[str, tuple[dict[str, list[dict[str, Any]]], int]] = {}

    def function(self, arn: str | None) -> dict[str, Any] | None:
        """The function's name, log group, hash of the code and our settings; None if it no longer exists."""
        if not arn:
            return None
        if arn not in self._found:
            self._found[arn] = _function(self._calls, self._functions, arn)
        return self._found[arn]

    def log(self, function: dict[str, Any] | None, user: str) -> tuple[list[dict[str, Any]], int]:
        """The function's own lines about this user, each with the time that the log service gives it, and the
        number of lines that are about none of the users whose keys it rotates."""
        if function is None:
            return [], 0
        arn = function["arn"]
        if arn not in self._lines:
            self._lines[arn] = _log(self._calls, self._logs, function, {user, *_users(function["environment"])})
        lines, others = self._lines[arn]
        return lines.get(user, []), others


def older_functions(rotations: dict[str, Any]) -> list[str]:
    """A sentence for each function whose version is older than today's: what is wrong with it, and what updates
    it."""
    functions = {
        one["function"]["arn"]: (one["region"], one["function"]) for one in rotations["secrets"] if one["function"]
    }
    found = []
    for region, function in functions.values():
        try:
            version = version_of(function["environment"])
        except ValueError:
            continue  # judging the capture will say that it is odd
        if version < FUNCTION_VERSION:
            wrong = say(f"outdated.wrong_{version}")
            found.append(
                say("outdated.function", function=function["name"], region=region, version=version, wrong=wrong)
            )
    return [*sorted(found), say("outdated.update")] if found else []


def _function(calls: Calls, functions: Any, arn: str) -> dict[str, Any] | None:
    try:
        told = calls.call(functions, "get_function_configuration", ("FunctionName",), FunctionName=arn)
    except CallFailedError as error:
        if error.code in _NOT_THERE:
            return None
        raise
    settings = told.get("Environment", {}).get("Variables", {})
    name = told["FunctionName"]
    return {
        "name": name,
        "arn": arn,
        "code_sha256": told.get("CodeSha256"),
        "log_group": told.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}",
        "environment": {key: str(value) for key, value in sorted(settings.items()) if key.startswith(SETTINGS)},
    }


def _user(told: dict[str, Any], function: dict[str, Any] | None) -> str | None:
    """The user for whom the function was deployed to rotate this secret; otherwise, the user that the secret is
    named after."""
    name = str(told["Name"])
    if function:
        return user_of(function["environment"], name)
    return name.removeprefix(SECRETS) if name.startswith(SECRETS) and name != SECRETS else None


def _versions(calls: Calls, secrets: Any, arn: str) -> Iterator[dict[str, Any]]:
    more: dict[str, str] = {}
    while True:
        page = calls.call(secrets, "list_secret_version_ids", ("Versions",), SecretId=arn, **more)
        for one in page["Versions"]:
            kept = ("VersionId", "VersionStages", "CreatedDate")
            yield {name: _plain(one[name]) for name in kept if name in one}
        if not page.get("NextToken"):
            return
        more["NextToken"] = page["NextToken"]


def _users(settings: dict[str, str]) -> set[str]:
    """The users whose keys a function rotates, as far as its settings can be read."""
    try:
        return set(users_of(settings).values()) if USERS in settings else set()
    except (ValueError, TypeError, RecursionError):
        return set()


def _log(
    calls: Calls, logs: Any, function: dict[str, Any], users: set[str]
) -> tuple[dict[str, list[dict[str, Any]]], int]:
    """The function's own lines by user, and the number of others."""
    since = datetime.now(UTC) - timedelta(days=LOG_DAYS)
    what = {"logGroupName": function["log_group"], "startTime": int(since.timestamp() * 1000)}
    lines: dict[str, list[dict[str, Any]]] = {}
    others = 0
    try:
        for page in calls.pages(logs, "filter_log_events", "events", **what):
            for event in page["events"]:
                line = own_line(event["message"])
                if line is None or line["user"] not in users:
                    others += 1
                else:
                    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC).replace(microsecond=0)
                    lines.setdefault(line["user"], []).append({"at": utc(at), "line": line})
    except CallFailedError as error:
        if error.code not in _NOT_THERE:
            raise
    return lines, others


def _of_user(calls: Calls, iam: Any, user: str) -> dict[str, Any]:
    """The user's keys with their last use, and the user's policies; keys are None if there is no such user."""
    try:
        pages = calls.pages(iam, "list_access_keys", "AccessKeyMetadata", UserName=user)
        attached = calls.pages(iam, "list_attached_user_policies", "AttachedPolicies", UserName=user)
    except CallFailedError as error:
        if error.code not in _NOT_THERE:
            raise
        return {"keys": None, "attached": []}
    keys = []
    for key in (one for page in pages for one in page["AccessKeyMetadata"]):
        kept = ("UserName", "AccessKeyId", "Status", "CreateDate")
        what = {"AccessKeyId": key["AccessKeyId"]}
        used = calls.call(iam, "get_access_key_last_used", ("AccessKeyLastUsed",), **what)["AccessKeyLastUsed"]
        keys.append({name: _plain(key[name]) for name in kept} | {"LastUsed": _plain(used)})
    return {
        "keys": keys,
        "attached": [str(one["PolicyArn"]) for page in attached for one in page["AttachedPolicies"]],
    }


def _plain(value: Any) -> Any:
    """As JSON; times in UTC."""
    if isinstance(value, datetime):
        return utc(value.astimezone(UTC).replace(microsecond=0))
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
