"""Secrets under rotation, judged by IAM's dates; and the grace of a proved rotation, for which each fact is needed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import AS_OF

from keyaudit.policy import load_policy
from keyaudit.remedy import RotatedSecret, graces, read_rotations, verdict

ACCOUNT, USER = "111122223333", "svc-billing"
NOW = datetime.fromisoformat(AS_OF)
NEW, OLD, TOKEN, FORMER = "AKIANEWNEWNEWNEW0001", "AKIAOLDOLDOLDOLD0002", "token-of-now", "token-before"
CIS = load_policy("cis")


def ago(days: float) -> str:
    return f"{NOW - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


def line(outcome: str, key: str, token: str | None, days: float, step: str = "createSecret") -> dict[str, Any]:
    told = {
        "at": ago(days),
        "user": USER,
        "key": f"****{key[-4:]}",
        "step": step,
        "token": token,
        "outcome": outcome,
    }
    return {"at": ago(days), "line": told}


def key(key_id: str, days: float, status: str = "Active") -> dict[str, Any]:
    used = {"LastUsedDate": ago(0.1), "ServiceName": "s3", "Region": "us-east-1"}
    return {"UserName": USER, "AccessKeyId": key_id, "Status": status, "CreateDate": ago(days), "LastUsed": used}


def evidence() -> dict[str, Any]:
    """A key of 70 days replaced 10 days ago; a grace of 14."""
    return {
        "taken_time": AS_OF,
        "regions": ["us-east-1"],
        "secrets": [
            {
                "region": "us-east-1",
                "user": USER,
                "secret": {
                    "ARN": f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:keyaudit/{USER}-AbCdEf",
                    "Name": f"keyaudit/{USER}",
                    "RotationEnabled": True,
                    "RotationLambdaARN": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f",
                    "RotationRules": {"AutomaticallyAfterDays": 60},
                    "LastRotatedDate": ago(10),
                    "NextRotationDate": ago(-50),
                },
                "versions": [
                    {"VersionId": TOKEN, "VersionStages": ["AWSCURRENT"], "CreatedDate": ago(10)},
                    {"VersionId": FORMER, "VersionStages": ["AWSPREVIOUS"], "CreatedDate": ago(70)},
                ],
                "function": {
                    "name": "f",
                    "arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f",
                    "code_sha256": "x",
                    "log_group": "/aws/lambda/f",
                    "environment": {"KEYAUDIT_USER": USER, "KEYAUDIT_GRACE": "14"},
                },
                "log": [line("key stored", OLD, FORMER, 70), line("key stored", NEW, TOKEN, 10)],
                "other_lines": 3,
                "keys": [key(NEW, 10), key(OLD, 70)],
                "attached": [],
            }
        ],
        "others": [],
    }


def secret(change: Callable[[dict[str, Any]], Any] = lambda one: None) -> RotatedSecret:
    raw = evidence()
    change(raw["secrets"][0])
    (found,) = read_rotations(raw, ACCOUNT)
    return found


def reported(*days: float) -> dict[str, list[datetime]]:
    return {USER: [NOW - timedelta(days=one) for one in days]}


def told(one: dict[str, Any], **values: Any) -> None:
    one["secret"].update(values)


CASES: list[tuple[str, Callable[[dict[str, Any]], Any], str, str]] = [
    ("as it should be", lambda one: None, "COMPLIANT", "rotated: IAM made the key"),
    ("no log", lambda one: one.update(log=[]), "COMPLIANT", "not shown by its log"),
    ("put by hand", lambda one: one["versions"][0].update(CreatedDate=ago(2)), "COMPLIANT", "not shown by its log"),
    ("not rotated", lambda one: one.update(keys=[key(OLD, 91)]), "NON_COMPLIANT", "not rotated"),
    ("only Secrets Manager says so", lambda one: one.update(keys=[key(OLD, 100)]), "NON_COMPLIANT", "100 days ago"),
    ("replaced and forgotten", lambda one: one.update(keys=[key(NEW, 10), key(OLD, 91)]), "NON_COMPLIANT", "still active"),
    ("replaced and off", lambda one: one.update(keys=[key(NEW, 10), key(OLD, 91, "Inactive")]), "COMPLIANT", "rotated"),
    ("rotation off", lambda one: told(one, RotationEnabled=False), "NON_COMPLIANT", "rotation is off"),
    ("never under rotation", lambda one: one["secret"].pop("RotationEnabled"), "NON_COMPLIANT", "rotation is off"),
    ("function gone", lambda one: one.update(function=None), "NON_COMPLIANT", "is gone"),
    ("too slow", lambda one: told(one, RotationRules={"AutomaticallyAfterDays": 80}), "NON_COMPLIANT", "80 days"),
    ("rate", lambda one: told(one, RotationRules={"ScheduleExpression": "rate(80 days)"}), "NON_COMPLIANT", "80 days"),
    ("cron", lambda one: told(one, RotationRules={"ScheduleExpression": "cron(0 8 1 * ? *)"}), "COMPLIANT", "rotated"),
    ("missed", lambda one: told(one, NextRotationDate=ago(3)), "NON_COMPLIANT", "did not take place"),
    ("a day late", lambda one: told(one, NextRotationDate=ago(1)), "COMPLIANT", "rotated"),
    ("no keys", lambda one: one.update(keys=[]), "NOT_APPLICABLE", "no active access key"),
    ("no user", lambda one: one.update(keys=None), "NOT_APPLICABLE", "no such user"),
    ("of the future", lambda one: one.update(keys=[key(NEW, -1)]), "INSUFFICIENT_DATA", "after the instant"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "kind", "said"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_verdict_is_by_iam_s_dates_and_says_why(change: Any, kind: str, said: str) -> None:
    found = verdict(secret(change), CIS, NOW)
    assert found.compliance_type == kind and said in found.annotation


@pytest.mark.parametrize(("days", "kind"), [(90, "COMPLIANT"), (90.0001, "NON_COMPLIANT")])
def test_exactly_as_old_as_the_limit_passes(days: float, kind: str) -> None:
    def change(one: dict[str, Any]) -> None:
        one["keys"] = [key(NEW, days)]
        told(one, RotationRules={"AutomaticallyAfterDays": 60})

    assert verdict(secret(change), CIS, NOW).compliance_type == kind


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: told(one, LastRotatedDate=ago(1)), "was no new key"),
        (lambda one: one["versions"].append({"VersionId": "x", "VersionStages": ["AWSPENDING"], "CreatedDate": ago(1)}), "stuck"),
        (lambda one: one["log"].append(line("stopped", NEW, TOKEN, 1)), "1 call of the function failed"),
        (lambda one: one.update(log=[]), "none of its lines"),
        (lambda one: one.update(attached=["arn:aws:iam::aws:policy/AWSLambda_FullAccess"]), "detach it"),
    ],
)  # fmt: skip
def test_what_is_odd_is_remarked(change: Any, said: str) -> None:
    assert any(said in remark for remark in verdict(secret(change), CIS, NOW).remarks)
    assert verdict(secret(), CIS, NOW).remarks == ()


# --- the grace ------------------------------------------------------------------------------------------------------------
def is_exempt(one: RotatedSecret, days: tuple[float, ...] = (10, 70), at: datetime = NOW) -> bool:
    return bool(graces([one], reported(*days), at))


def adopted(one: dict[str, Any]) -> None:
    one["log"].pop(0)
    one["versions"].pop()
    one["function"]["environment"]["KEYAUDIT_ADOPTED"] = f"AKIAXXXXXXXXXXXXXXXX {OLD}"


def found_in_grace(one: dict[str, Any]) -> None:
    one["log"][0] = line("in its grace", OLD, None, 1, "retire")


@pytest.mark.parametrize("change", [lambda one: None, adopted, found_in_grace])
def test_a_proved_rotation_exempts_the_second_key(change: Any) -> None:
    assert is_exempt(secret(change))


NEEDED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "rotation on": lambda one: told(one, RotationEnabled=False),
    "the function": lambda one: one.update(function=None),
    "its grace": lambda one: one["function"]["environment"].pop("KEYAUDIT_GRACE"),
    "that the new key was stored": lambda one: one["log"].pop(),
    "stored as the current version": lambda one: one["log"][1]["line"].update(token=FORMER),
    "of this very key": lambda one: one["log"][1]["line"].update(key="****9999"),
    "a current version": lambda one: one["versions"][0].update(VersionStages=["AWSPENDING"]),
    "made with its key": lambda one: one["versions"][0].update(CreatedDate=ago(9.9)),
    "that the old one was the secret's": lambda one: one["log"].pop(0),
    "two active keys": lambda one: one["keys"][1].update(Status="Inactive"),
    "of those times": lambda one: one["keys"][1].update(CreateDate=ago(69)),
}


@pytest.mark.parametrize("what", NEEDED)
def test_each_fact_is_needed(what: str) -> None:
    assert not is_exempt(secret(NEEDED[what]))


def test_the_report_s_keys_must_be_these_two() -> None:
    assert (
        not is_exempt(secret(), (10,))
        and not is_exempt(secret(), (10, 71))
        and not is_exempt(secret(), (10, 70, 80))
    )
    assert graces([secret()], {}, NOW) == {}
    assert graces([secret(), secret()], reported(10, 70), NOW) == {}  # two secrets that claim one user


def test_the_grace_ends() -> None:
    assert is_exempt(secret(), at=NOW + timedelta(days=6)) and not is_exempt(
        secret(), at=NOW + timedelta(days=6, seconds=1)
    )
    assert not is_exempt(secret(), at=NOW - timedelta(days=10, seconds=1))


# --- what no capture writes -------------------------------------------------------------------------------------------
def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value."""
    if path:
        yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inside:
        yield from places(one, (*path, name))


PLACES = list(places(evidence()))
ODD = (None, 7, -1, "", "x", True, [], {}, "\ud800", 1e300, [[]])


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_a_value_lost_or_replaced_never_makes_more_of_it(place: tuple[Any, ...]) -> None:
    """It is refused with one of the errors that mean so, or says no more than before."""
    for odd in (*ODD, "lost"):
        raw = copy.deepcopy(evidence())
        holder: Any = raw
        for name in place[:-1]:
            holder = holder[name]
        if odd == "lost":
            del holder[place[-1]]
        else:
            holder[place[-1]] = odd
        try:
            found = read_rotations(raw, ACCOUNT)
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
            continue
        for one in found:
            verdict(one, CIS, NOW)
        keys_are_those = json.dumps(raw["secrets"][0]["keys"]) if found else ""
        if graces(found, reported(10, 70), NOW):
            assert keys_are_those and all(one.user == USER and one.is_enabled for one in found)


def test_a_key_of_the_future_has_no_age() -> None:
    """As right after a rotation, when AWS still serves a report from before it."""
    raw = evidence()
    raw["secrets"][0]["keys"] = [key(NEW, -1)]
    (one,) = read_rotations(raw, ACCOUNT)
    judged = verdict(one, CIS, datetime.fromisoformat(AS_OF))
    assert (judged.age_days, judged.compliance_type) == (None, "INSUFFICIENT_DATA")
    assert "judge again" in judged.annotation


def test_another_account_s_evidence_is_refused() -> None:
    with pytest.raises(ValueError, match="not as a capture of this account"):
        read_rotations(evidence(), "444455556666")
