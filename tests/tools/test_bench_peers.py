"""Beside other tools: every key that one of the two alone finds has its reason, and one that has none ends the
benchmark.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import bench_custodian as custodian
import bench_prowler as prowler
import pytest
from bench_peer import ROOT_USER, UNEXPLAINED, compare, differences, failing, judged

AS_OF = datetime(2026, 11, 26, 12, tzinfo=UTC)
STARTED = AS_OF + timedelta(minutes=5)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
LIMITS = {"rotation": 90, "unused": 45}
KEY = ("alice", 1)


def finding(
    age: timedelta, control: str = "rotation", idle: timedelta | None = None, **more: Any
) -> dict[str, Any]:
    """What keyaudit finds of an active key, as it writes it; ``idle`` if it was used."""
    limit = timedelta(days=LIMITS[control])
    since = age if idle is None else idle
    fails = since >= limit if control == "unused" else since > limit
    return {
        "user": KEY[0],
        "key_slot": KEY[1],
        "control": control,
        "last_rotated": f"{AS_OF - age:%Y-%m-%dT%H:%M:%SZ}",
        "due": f"{AS_OF - since + limit:%Y-%m-%dT%H:%M:%SZ}",
        "limit": limit.days,
        "compliance_type": "NON_COMPLIANT" if fails else "COMPLIANT",
        **more,
    }


def said(check: str, text: str, status: str = "FAIL") -> dict[str, str]:
    return {"CHECK_ID": check, "STATUS": status, "STATUS_EXTENDED": text}


# --- both ----------------------------------------------------------------------------------------------------------------
def test_keys_of_one_alone_are_grouped_by_reason() -> None:
    found = differences({("a", 1), ("b", 1), ("c", 2)}, {("b", 1), ("d", 1)}, lambda key: f"slot {key[1]}")
    assert found == {"slot 1": [("a", 1), ("d", 1)], "slot 2": [("c", 2)]}


def test_what_both_find_is_counted_and_the_rest_named(capsys: pytest.CaptureFixture[str]) -> None:
    mine = {(f"user-{number}", 1) for number in range(9)}
    compare("stale", "Peer", mine, {("user-0", 1), ("root", 2)}, lambda key: "by rule")
    first, second = capsys.readouterr().out.splitlines()
    assert first.strip() == "stale keys: 9 by keyaudit, 2 by Peer, 1 in both"
    assert second.strip().startswith("root key 2, user-1 key 1, ")
    assert second.endswith(" and 3 more: by rule")


@pytest.mark.parametrize("theirs", [{("b", 1)}, {("a", 1), ("b", 1)}])
def test_an_unexplained_difference_ends_the_benchmark(theirs: set[tuple[str, int]]) -> None:
    with pytest.raises(SystemExit, match="the stale keys differ"):
        compare("stale", "Peer", {("a", 1)}, theirs, lambda key: UNEXPLAINED)


def test_nothing_in_common_ends_the_benchmark() -> None:
    with pytest.raises(SystemExit):
        compare("stale", "Peer", set(), set(), lambda key: "by rule")


def test_only_keys_that_fail_under_the_control_count() -> None:
    ours = {"findings": [finding(91 * DAY), finding(91 * DAY, "unused", idle=DAY)]}
    assert failing(judged(ours, "rotation")) == {KEY}
    assert failing(judged(ours, "unused")) == set()


# --- Prowler -------------------------------------------------------------------------------------------------------------
def test_prowler_tells_of_keys_in_its_sentences() -> None:
    check, other = (check for check, _ in prowler.CHECKS.values())
    findings = [
        said(check, "User alice has not rotated access key 1 in over 90 days (91 days)."),
        said(check, "User alice has not rotated access key 2 in over 90 days (400 days)."),
        said(check, f"User {ROOT_USER} has not rotated access key 1 in over 90 days (1000 days)."),
        said(check, "User bob does not have access keys older than 90 days.", "PASS"),
        said(other, "User carol has not used access key 2 in the last 45 days (46 days)."),
    ]
    assert prowler.failed(findings, check) == {("alice", 1), ("alice", 2), (ROOT_USER, 1)}
    assert prowler.failed(findings, other) == {("carol", 2)}


def test_a_sentence_of_prowler_that_is_not_known_ends_the_benchmark() -> None:
    check, _ = prowler.CHECKS["rotation"]
    with pytest.raises(SystemExit, match="Prowler says something else: Alice"):
        prowler.failed([said(check, "Alice is late.")], check)


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (finding(90 * DAY + SECOND), "more than 90 days by elapsed time, but no more than 90 whole days"),
        (finding(91 * DAY - HOUR), "more than 90 days by elapsed time, but no more than 90 whole days"),
        (finding(91 * DAY), UNEXPLAINED),
        (finding(90 * DAY), UNEXPLAINED),  # passes with keyaudit: fails with Prowler alone, which cannot be
        (finding(100 * DAY, "unused", idle=45 * DAY), "45 days or more by elapsed time, but no more than 45 whole"),
        (finding(100 * DAY, "unused", idle=46 * DAY), UNEXPLAINED),
        (finding(100 * DAY, "unused"), "never used"),
        (finding(91 * DAY, compliance_type="NOT_APPLICABLE"), UNEXPLAINED),  # an inactive key
    ],
)
def test_why_a_key_fails_with_keyaudit_or_prowler_alone(one: dict[str, Any], reason: str) -> None:
    found = prowler.reason_of({KEY: one}, STARTED, KEY)
    assert reason in found and (reason == UNEXPLAINED) == (found == UNEXPLAINED)


def test_a_key_that_keyaudit_does_not_know_is_unexplained() -> None:
    assert prowler.reason_of({}, STARTED, KEY) == UNEXPLAINED


def test_prowler_is_compared_under_both_controls(capsys: pytest.CaptureFixture[str]) -> None:
    ours = {
        "findings": [
            finding(400 * DAY),
            finding(400 * DAY, user="bob", compliance_type="NOT_APPLICABLE"),
            finding(400 * DAY, "unused", idle=100 * DAY),
            finding(400 * DAY, "unused", user="carol"),
        ]
    }
    (rotation, _), (unused, _) = prowler.CHECKS.values()
    theirs = [
        said(rotation, "User alice has not rotated access key 1 in over 90 days (400 days)."),
        said(unused, "User alice has not used access key 1 in the last 45 days (100 days)."),
    ]
    prowler.compare(ours, theirs, STARTED)
    told = capsys.readouterr().out
    assert "stale keys: 1 by keyaudit, 1 by Prowler, 1 in both" in told
    assert "unused keys: 2 by keyaudit, 1 by Prowler, 1 in both" in told
    assert "carol key 1: by keyaudit alone; never used" in told
    assert "inactive keys, which fail with neither at any age: 1)" in told


# --- Cloud Custodian -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("key", "one", "reason"),
    [
        ((ROOT_USER, 1), finding(400 * DAY, user=ROOT_USER), "the root user is none"),
        (KEY, finding(90 * DAY), "by Cloud Custodian's own clock"),
        (KEY, finding(90 * DAY - HOUR), UNEXPLAINED),
        (KEY, finding(91 * DAY), UNEXPLAINED),
        (KEY, None, UNEXPLAINED),
    ],
)
def test_why_a_key_is_stale_with_keyaudit_or_cloud_custodian_alone(
    key: tuple[str, int], one: dict[str, Any] | None, reason: str
) -> None:
    assert reason in custodian.reason_of({key: one} if one else {}, AS_OF, STARTED, key)
