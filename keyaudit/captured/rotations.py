"""``rotation.json``, read strictly: what no capture of this account could hold proves nothing about it."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from keyaudit.captured import strict
from keyaudit.captured.function import days_in, own_line, retention_of, user_of, version_of
from keyaudit.credentials import parse_instant
from keyaudit.model import Line, RotatedKey, RotatedSecret, Version
from keyaudit.model.rotated import RATE
from keyaudit.schema import RULES

CURRENT, PREVIOUS, PENDING = "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"
#: the policy that an older guide tells operators to attach, and that they forget
LEFTOVER = "AWSLambda_FullAccess"
_KEY_ID = re.compile(r"\w{16,128}", re.ASCII)


def read_rotations(raw: dict[str, Any], account_id: str, rules: int = RULES) -> tuple[RotatedSecret, ...]:
    """The rotated secrets of this account, by name. Rules 1 did not know functions of version 2.

    ValueError, KeyError, TypeError or AttributeError if it is not as a capture of the account writes it.
    """
    _time(raw["taken_time"])
    found = [_secret(one, account_id, rules) for one in strict.a_list(raw["secrets"])]
    strict.must(len({(one.region, one.name) for one in found}) == len(found))
    return tuple(sorted(found, key=lambda one: (one.user, one.region, one.name)))


def _secret(raw: dict[str, Any], account_id: str, by: int) -> RotatedSecret:
    told, function = raw["secret"], raw["function"]
    name, region = strict.text(told["Name"]), strict.text(raw["region"])
    strict.must(told["ARN"].split(":")[3:5] == [region, account_id])
    user = strict.text(raw["user"])
    settings = (function or {}).get("environment", {})
    told_user = settings.get("KEYAUDIT_USER") if by == 1 else user_of(settings, name)
    strict.must(function is None or told_user == user)
    rules = told.get("RotationRules") or {}
    days, expression = rules.get("AutomaticallyAfterDays"), rules.get("ScheduleExpression")
    rate = RATE.fullmatch(expression or "")
    every = int(days_in(days)) if days is not None else int(rate[1]) if rate else None
    log = strict.a_list(raw["log"])
    lines = [(_time(one["at"]), own_line(json.dumps(one["line"]), user)) for one in log]
    strict.must(all(line is not None and (by > 1 or "version" not in line) for _, line in lines))
    return RotatedSecret(
        account_id=account_id,
        name=name,
        region=region,
        user=user,
        is_enabled=strict.flag(told.get("RotationEnabled", False)),
        has_function=function is not None,
        function=strict.text(function["name"]) if function else "",
        version=version_of(settings),
        schedule=strict.text(expression) if expression else "",
        every=every,
        grace=days_in(settings["KEYAUDIT_GRACE"]) if "KEYAUDIT_GRACE" in settings else None,
        retention=retention_of(settings),
        adopted=tuple(str(settings.get("KEYAUDIT_ADOPTED", "")).split()),
        last_rotated=_maybe(told.get("LastRotatedDate")),
        next_rotation=_maybe(told.get("NextRotationDate")),
        versions=_versions(raw["versions"]),
        keys=None if raw["keys"] is None else _keys(raw["keys"], user),
        lines=tuple(_line(at, line) for at, line in sorted(lines, key=lambda pair: pair[0]) if line),
        other_lines=strict.count(raw["other_lines"]),
        leftovers=tuple(
            sorted(name for arn in strict.a_list(raw["attached"]) if (name := arn.split("/")[-1]) == LEFTOVER)
        ),
    )


def _line(at: datetime, line: dict[str, Any]) -> Line:
    said = "; ".join(str(line[name]) for name in ("reason", "text", "last_used") if line.get(name))
    return Line(at, line.get("key"), line["step"], line.get("token"), line["outcome"], said)


def _versions(raw: Any) -> tuple[Version, ...]:
    found = tuple(
        Version(
            strict.text(one["VersionId"]),
            tuple(map(strict.text, strict.a_list(one.get("VersionStages", [])))),
            _time(one["CreatedDate"]),
        )
        for one in strict.a_list(raw)
    )
    stages = [stage for one in found for stage in one.stages]
    strict.must(len(set(stages)) == len(stages) and len({one.version_id for one in found}) == len(found))
    return found


def _keys(raw: Any, user: str) -> tuple[RotatedKey, ...]:
    found = []
    for one in strict.a_list(raw):
        strict.must(one["UserName"] == user and _KEY_ID.fullmatch(one["AccessKeyId"]) is not None)
        strict.must(one["Status"] in ("Active", "Inactive", "Expired"))
        used = one["LastUsed"]
        by = " ".join(str(used[name]) for name in ("ServiceName", "Region") if used.get(name) not in (None, "N/A"))
        last_used = _maybe(used.get("LastUsedDate"))
        found.append(
            RotatedKey(one["AccessKeyId"], one["Status"] == "Active", _time(one["CreateDate"]), last_used, by)
        )
    strict.must(len({one.key_id for one in found}) == len(found))
    return tuple(found)


def _time(value: Any) -> datetime:
    found = parse_instant(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("no time")
    return found


def _maybe(value: Any) -> datetime | None:
    return None if value is None else _time(value)
