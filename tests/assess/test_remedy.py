"""Secrets under rotation, judged by IAM's dates; and the grace of a proved rotation, for which each fact is needed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from conftest import AS_OF

from keyaudit.assess.rotated import verdict
from keyaudit.assess.rotated_grace import graces
from keyaudit.captured.rotations import read_rotations
from keyaudit.model import RotatedSecret
from keyaudit.policy import Policy, load_policy, parse_policy
from keyaudit.rotation.periods import Periods
from keyaudit.schema import InputError

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
        "version": "2",
    }
    return {"at": ago(days), "line": told}


def settings(one: dict[str, Any], **values: str | None) -> None:
    """The function deployed with other settings; None: without."""
    found = one["function"]["environment"] | values
    one["function"]["environment"] = {name: value for name, value in found.items() if value is not None}


def of_version_1(one: dict[str, Any]) -> None:
    """The same, as version 1 was deployed and logged."""
    settings(one, KEYAUDIT_VERSION=None, KEYAUDIT_USERS=None, KEYAUDIT_USER=USER)
    for logged in one["log"]:
        del logged["line"]["version"]


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
                    "environment": {
                        "KEYAUDIT_VERSION": "2",
                        "KEYAUDIT_USERS": json.dumps({f"keyaudit/{USER}": USER}),
                        "KEYAUDIT_GRACE": "14",
                        "KEYAUDIT_RETENTION": "30",
                    },
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
        (lambda one: one.update(log=[line("key stored", NEW, TOKEN, -1)]), "none of its lines"),
        (lambda one: one.update(attached=["arn:aws:iam::aws:policy/AWSLambda_FullAccess"]), "detach it"),
    ],
)  # fmt: skip
def test_what_is_odd_is_remarked(change: Any, said: str) -> None:
    assert any(said in remark for remark in verdict(secret(change), CIS, NOW).remarks)
    assert verdict(secret(), CIS, NOW).remarks == ()


def test_what_was_logged_after_the_instant_is_not_known_yet() -> None:
    """Neither a rotation, nor a failure; and the report lists no such line."""
    later = [line("key stored", NEW, TOKEN, -1), line("stopped", NEW, TOKEN, -1)]
    found = verdict(secret(lambda one: one.update(log=[*one["log"][:1], *later])), CIS, NOW)
    assert "not shown by its log" in found.annotation and found.remarks == ()
    assert [one.outcome for one in found.secret.lines] == ["key stored"]


# --- the version of the function ------------------------------------------------------------------------------------
def test_a_function_of_version_1_is_named_with_the_command_that_updates_it() -> None:
    found = verdict(secret(of_version_1), CIS, NOW)
    (remark,) = found.remarks
    assert "f is of version 1" in remark and "keyaudit rotation deploy --update" in remark
    assert (found.secret.version, secret().version) == (1, 2)


@pytest.mark.parametrize("told", ["0", "-1", "2.0", "two", "", "1" * 9])
def test_a_version_that_is_no_number_is_refused(told: str) -> None:
    with pytest.raises(ValueError, match="not as a capture"):
        secret(lambda one: settings(one, KEYAUDIT_VERSION=told))


@pytest.mark.parametrize(
    "users",
    [
        json.dumps({f"keyaudit/{USER}": "somebody-else"}),
        json.dumps({f"keyaudit/{USER}-2": USER}),
        json.dumps({f"KEYAUDIT/{USER}": USER}),
        json.dumps({"keyaudit/svc_billing": USER}),
        json.dumps([USER]),
        json.dumps({f"keyaudit/{USER}": [USER]}),
        "{",
        "",
        "[" * 100_000,
    ],
    ids=lambda users: users[:40],
)
def test_a_user_is_bound_to_its_secret_by_the_exact_name(users: str) -> None:
    with pytest.raises(ValueError, match="not as a capture"):
        secret(lambda one: settings(one, KEYAUDIT_USERS=users, KEYAUDIT_USER=USER))


def test_by_rules_1_functions_of_version_2_were_not_known() -> None:
    """Evidence that was judged so said INSUFFICIENT_DATA, and verifies so."""
    with pytest.raises(ValueError, match="not as a capture"):
        read_rotations(evidence(), ACCOUNT, 1)
    raw = evidence()
    of_version_1(raw["secrets"][0])
    assert read_rotations(raw, ACCOUNT, 1) == read_rotations(raw, ACCOUNT)
    raw["secrets"][0]["log"][0]["line"]["version"] = "2"
    with pytest.raises(ValueError, match="not as a capture"):
        read_rotations(raw, ACCOUNT, 1)


# --- the grace ------------------------------------------------------------------------------------------------------------
def is_exempt(
    one: RotatedSecret, days: tuple[float, ...] = (10, 70), at: datetime = NOW, policy: Policy = CIS, rules: int = 2
) -> bool:
    return bool(graces([one], reported(*days), policy, at, rules))


def adopted(one: dict[str, Any]) -> None:
    one["log"].pop(0)
    one["versions"].pop()
    settings(one, KEYAUDIT_ADOPTED=f"AKIAXXXXXXXXXXXXXXXX {OLD}")


def found_in_grace(one: dict[str, Any]) -> None:
    one["log"][0] = line("in its grace", OLD, None, 1, "retire")


@pytest.mark.parametrize("rules", [1, 2])
@pytest.mark.parametrize("change", [lambda one: None, adopted, found_in_grace, of_version_1])
def test_a_proved_rotation_exempts_the_second_key(change: Any, rules: int) -> None:
    assert is_exempt(secret(change), rules=rules)


NEEDED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "rotation on": lambda one: told(one, RotationEnabled=False),
    "the function": lambda one: one.update(function=None),
    "its grace": lambda one: settings(one, KEYAUDIT_GRACE=None),
    "that the new key was stored": lambda one: one["log"].pop(),
    "stored as the current version": lambda one: one["log"][1]["line"].update(token=FORMER),
    "of this very key": lambda one: one["log"][1]["line"].update(key="****9999"),
    "a current version": lambda one: one["versions"][0].update(VersionStages=["AWSPENDING"]),
    "made with its key": lambda one: one["versions"][0].update(CreatedDate=ago(9.9)),
    "that the old one was the secret's": lambda one: one["log"].pop(0),
    "two active keys": lambda one: one["keys"][1].update(Status="Inactive"),
    "of those times": lambda one: one["keys"][1].update(CreateDate=ago(69)),
}


@pytest.mark.parametrize("rules", [1, 2])
@pytest.mark.parametrize("what", NEEDED)
def test_each_fact_is_needed(what: str, rules: int) -> None:
    assert not is_exempt(secret(NEEDED[what]), rules=rules)


def test_the_report_s_keys_must_be_these_two() -> None:
    assert (
        not is_exempt(secret(), (10,))
        and not is_exempt(secret(), (10, 71))
        and not is_exempt(secret(), (10, 70, 80))
    )
    assert graces([secret()], {}, CIS, NOW) == {}
    assert graces([secret(), secret()], reported(10, 70), CIS, NOW) == {}  # two secrets that claim one user


@pytest.mark.parametrize("rules", [1, 2])
def test_the_grace_ends(rules: int) -> None:
    assert is_exempt(secret(), at=NOW + timedelta(days=6), rules=rules)
    assert not is_exempt(secret(), at=NOW + timedelta(days=6, seconds=1), rules=rules)
    assert not is_exempt(secret(), at=NOW - timedelta(days=10, seconds=1), rules=rules)


# --- the periods that are deployed ------------------------------------------------------------------------------------
def deployed(every: int, grace: str | None, retention: str | None) -> Callable[[dict[str, Any]], None]:
    def change(one: dict[str, Any]) -> None:
        told(one, RotationRules={"AutomaticallyAfterDays": every})
        settings(one, KEYAUDIT_GRACE=grace, KEYAUDIT_RETENTION=retention)

    return change


def limited(days: int) -> Policy:
    """The policy with this limit."""
    return CIS.model_copy(update={"max_access_key_age": days})


def test_a_grace_of_85_or_10000_days_exempts_no_second_key() -> None:
    """By rules 1 it did; what is left of the grace, and of the limit, is said with the verdict."""
    for grace in ("85", "10000"):
        one = secret(deployed(60, grace, "30"))
        assert is_exempt(one, rules=1) and not is_exempt(one)
        (remark,) = verdict(one, CIS, NOW).remarks
        assert f"{int(grace):,} days of grace" in remark and "limit of 90" in remark


def test_a_period_of_one_day_is_one_day_and_a_part_of_one_is_said() -> None:
    (remark,) = verdict(secret(deployed(1, "28.5", "30")), CIS, NOW).remarks
    assert (
        "28.5 days of grace, 30 days of retention and 2 days for delays are not less than the 1 day after" in remark
    )


@pytest.mark.parametrize(
    ("every", "grace", "retention", "limit", "exempt"),
    [
        (60, "14", "30", 90, True),
        (60, "14", "30", 76, True),  # 60 + 14 + 2
        (60, "14", "30", 75, False),
        (60, "14", "43", 90, True),  # 14 + 43 + 2 < 60
        (60, "14", "44", 90, False),
        (47, "14", "30", 90, True),
        (46, "14", "30", 90, False),
        (60, "28", "29", 90, True),
        (60, "28.5", "29", 90, False),
        (60, "14", None, 90, False),
        (60, "14", "", 90, False),
        (60, "14", "-1", 90, False),
        (60, "14", "nan", 90, False),
        (60, "14", "for ever", 90, False),
    ],
)
def test_the_deployed_periods_must_hold(
    every: int, grace: str, retention: str | None, limit: int, exempt: bool
) -> None:
    one = secret(deployed(every, grace, retention))
    assert is_exempt(one, policy=limited(limit)) == exempt
    assert any("not exempt" in remark for remark in verdict(one, limited(limit), NOW).remarks) != exempt


def test_what_may_be_deployed_is_what_is_exempted() -> None:
    """The two rooms know the same inequalities."""
    for grace, retention in product(range(1, 50, 3), (1, 10, 30, 43, 44, 60)):
        try:
            Periods.of(60, grace, 90, retention)
        except InputError:
            may_be = False
        else:
            may_be = True
        seen = secret(deployed(60, str(grace), str(retention)))
        assert is_exempt(seen, at=NOW - timedelta(days=9.5)) == may_be, (grace, retention)


def test_the_limit_is_that_of_the_user() -> None:
    tighter = parse_policy(
        b'title = "t"\nversion = "1"\napproved_by = "c"\neffective = 2026-01-01\nmax_access_key_age = 90\n'
        b'max_active_keys = 1\n[[override]]\nusers = ["svc-*"]\nmax_access_key_age = 75\n',
        "policy.toml",
    )
    assert not is_exempt(secret(), policy=tighter) and is_exempt(secret(), policy=tighter, rules=1)


@pytest.mark.parametrize(
    ("rules_of_it", "exempt"),
    [
        ({"AutomaticallyAfterDays": 60}, True),
        ({"ScheduleExpression": "rate(60 days)"}, True),
        ({"ScheduleExpression": "rate(60 days)", "AutomaticallyAfterDays": 60}, True),
        ({"ScheduleExpression": "cron(0 8 1 * ? *)"}, False),
        # what Secrets Manager reckons of an expression after a rotation holds for that one
        ({"ScheduleExpression": "cron(0 8 1 */2 ? *)", "AutomaticallyAfterDays": 61}, False),
        ({"ScheduleExpression": "rate(1440 hours)"}, False),
        ({}, False),
    ],
)
def test_a_schedule_that_names_no_days_exempts_nobody(rules_of_it: dict[str, Any], exempt: bool) -> None:
    one = secret(lambda one: told(one, RotationRules=rules_of_it))
    assert is_exempt(one) == exempt and is_exempt(one, rules=1)


# --- what the log proves, and from when the grace runs ------------------------------------------------------------------
def test_lines_after_the_instant_prove_nothing_of_it() -> None:
    """The key was stored, or found in its grace, the day after."""
    stored = secret(lambda one: one["log"][1].update(at=ago(-1)))
    seen = secret(lambda one: one.update(log=[one["log"][1], line("in its grace", OLD, None, -1, "retire")]))
    for one in (stored, seen):
        assert is_exempt(one, rules=1) and not is_exempt(one)
    assert is_exempt(seen, at=NOW + timedelta(days=1))


def finished(days: float, outcome: str = "key is current") -> Callable[[dict[str, Any]], None]:
    return lambda one: one["log"].append(line(outcome, NEW, TOKEN, days, "finishSecret"))


def test_the_grace_runs_from_when_the_key_became_current() -> None:
    """A test that failed for eight days: the version is ten days old, and the key was replaced two days ago."""
    late = secret(finished(2))
    assert is_exempt(late, at=NOW + timedelta(days=14))
    assert not is_exempt(late, at=NOW + timedelta(days=14, seconds=1))
    assert not is_exempt(late, at=NOW + timedelta(days=14), rules=1)


def test_before_the_log_tells_it_runs_from_the_version() -> None:
    late = secret(finished(-8))
    assert is_exempt(late, at=NOW + timedelta(days=6))
    assert not is_exempt(late, at=NOW + timedelta(days=7))


def test_another_version_s_line_does_not_begin_it() -> None:
    other = secret(lambda one: one["log"].append(line("key is current", NEW, "another", 2, "finishSecret")))
    assert not is_exempt(other, at=NOW + timedelta(days=7))


def test_told_twice_it_runs_from_the_first_time() -> None:
    twice = secret(lambda one: [finished(9)(one), finished(1)(one)])
    assert is_exempt(twice, at=NOW + timedelta(days=7)) and not is_exempt(twice, at=NOW + timedelta(days=7.1))


def again(outcome: str, made: bool = True) -> Callable[[dict[str, Any]], None]:
    """The key is ten days old, and in a version that was made two days ago."""

    def change(one: dict[str, Any]) -> None:
        one["versions"][0]["CreatedDate"] = ago(2)
        one["log"][1:] = [line("key made", NEW, "first", 10)] if made else []
        one["log"].append(line(outcome, NEW, TOKEN, 2))

    return change


@pytest.mark.parametrize("outcome", ["key stored again", "fields carried over"])
def test_a_key_of_an_earlier_rotation_that_was_stored_again_counts_as_stored(outcome: str) -> None:
    one = secret(again(outcome))
    assert is_exempt(one) and not is_exempt(one, rules=1)
    assert "the function logged that it stored it" in verdict(one, CIS, NOW).annotation
    assert is_exempt(one, at=NOW + timedelta(days=14)) and not is_exempt(one, at=NOW + timedelta(days=14.1))


STORED_AGAIN_NEEDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "that the function made a key": again("key stored again", made=False),
    "that ends like it": lambda one: [
        again("key stored again")(one),
        one["log"][1]["line"].update(key="****9999"),
    ],
    "when this one was made": lambda one: [again("key stored again")(one), one["log"][1].update(at=ago(9.9))],
    "of this version": lambda one: [again("key stored again")(one), one["log"][2]["line"].update(token="first")],
    "not before the version was made": lambda one: [
        again("key stored again")(one),
        one["log"][2].update(at=ago(2.1)),
    ],
}


@pytest.mark.parametrize("what", STORED_AGAIN_NEEDS)
def test_a_younger_version_is_tied_to_its_key_by_the_line_that_made_it(what: str) -> None:
    assert not is_exempt(secret(STORED_AGAIN_NEEDS[what]))


def test_a_key_made_hours_after_its_version_is_stored_all_the_same() -> None:
    """createSecret was tried again with the same token, which AWS had made before."""
    one = secret(lambda one: one["versions"][0].update(CreatedDate=ago(10.3)))
    assert is_exempt(one) and not is_exempt(one, rules=1)


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
        if any(graces(found, reported(10, 70), CIS, NOW, rules) for rules in (1, 2)):
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
