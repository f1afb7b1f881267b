"""The whole loop over HTTP: audit, plan, rotate, retire, verify, audit again; and what a capture tells of it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aws import MANAGEMENT, SECRET_KEY, Aws, Fault, aws, report_of, set_key  # noqa: F401
from forked import forked
from handling import active, later
from moto.secretsmanager.models import secretsmanager_backends
from rotating import STEPS, Lambda, Rotated, fill, function, no_secret_in_logs, rotated  # noqa: F401

DAY = timedelta(days=1)


def run(
    one: Rotated, *arguments: object, faults: tuple[Fault, ...] = (), **options: Any
) -> subprocess.CompletedProcess[str]:
    """The command, with the report that AWS makes at this moment; ``options`` are fields of Scenario."""
    reports = {MANAGEMENT: report_of(MANAGEMENT, datetime.now(UTC))}
    scenario = one.aws.scenario(faults=list(faults), reports=reports, **options)
    # its clock is moved as that of everything else is
    done = forked(list(map(str, arguments)), scenario.env(), 90, at=time.time())
    assert b"Traceback" not in done.stderr, done.stderr
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def in_use(one: Rotated, days: float, *keys: str) -> None:
    """The keys were used so many days ago."""
    for key_id in keys or one.keys:
        set_key(one.account, key_id, last_used=datetime.now(UTC) - days * DAY)


@pytest.fixture
def overdue(rotated: Rotated) -> Rotated:  # noqa: F811
    """A user whose one key is 100 days old, and in use."""
    (key_id,) = rotated.keys
    rotated.made(key_id, datetime.now(UTC) - 100 * DAY, "Active")
    in_use(rotated, 0.1)
    return rotated


def test_the_loop_is_closed(overdue: Rotated, tmp_path: Path) -> None:
    one, (old,) = overdue, overdue.keys
    first = run(one, "report", "--policy", "cis", "-o", tmp_path / "reports")
    assert first.returncode == 1, first.stderr
    before = first.stdout.strip()

    planned = run(one, "rotation", "plan", "--policy", "cis", "-f", "json", "--capture", tmp_path / "plan")
    assert planned.returncode == 1
    (task,) = json.loads(planned.stdout)["tasks"]
    assert (task["user"], task["case"], task["days_over"]) == (one.user, "in_use", 10)

    one.deploy(KEYAUDIT_ADOPTED=old)
    one.rotate()
    (new,) = set(one.keys) - {old}
    told = run(one, "rotation", "status", "--policy", "cis", "-f", "json", "--capture", tmp_path / "status")
    (verdict,) = json.loads(told.stdout)["rotations"]
    # the key that was replaced is still active, and over its limit: IAM's dates tell, not Secrets Manager's
    assert (told.returncode, verdict["compliance_type"]) == (1, "NON_COMPLIANT"), verdict

    planned = run(one, "rotation", "plan", tmp_path / "status", "--policy", "cis", "-f", "json")
    # the key is not to be put under rotation again: what uses it must move
    assert [(task["case"], task["days_over"]) for task in json.loads(planned.stdout)["tasks"]] == [("replaced", 10)]

    with later(15):
        in_use(one, 14, old)
        in_use(one, 0.1, new)
        assert "deactivated" in one.call("retire").outcomes
        assert active(one) == {old: "Inactive", new: "Active"}
        options = ("--policy", "cis", "-o", tmp_path / "reports", "--notebook", "rotation", "--rotation")
        second = run(one, "report", *options, "--before", before)
        assert second.returncode == 0, second.stderr + second.stdout
        after = second.stdout.strip()
        told = run(one, "rotation", "status", Path(after, "raw"), "--policy", "cis")
        assert told.returncode == 0 and "rotated: IAM made the key" in told.stdout

    verified = run(one, "verify", before, after)
    assert (verified.returncode, verified.stdout.count("OK")) == (0, 2), verified.stdout
    page = Path(after, "report.html").read_text()
    for text in ("deactivated", "key stored", "rotated: IAM made the key", one.user):
        assert text in page
    (verdict,) = json.loads(Path(after, "summary.json").read_text())["rotations"]
    assert (verdict["compliance_type"], verdict["age_days"]) == ("COMPLIANT", 15)
    secrets = {key.secret_access_key for key in one.keys.values()} | {SECRET_KEY, "notOurs"}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 20
    assert not [path for path in files if any(secret.encode() in path.read_bytes() for secret in secrets)]


def test_a_rotation_that_does_not_take_place_is_the_plan_s_to_mend(rotated: Rotated, tmp_path: Path) -> None:  # noqa: F811
    rotated.deploy()
    with later(5):
        in_use(rotated, 0.1)
        assert (
            run(
                rotated, "rotation", "plan", "--policy", "cis", "--rotation", "--capture", tmp_path / "1"
            ).returncode
            == 0
        )
        assert run(rotated, "rotation", "plan", "--policy", "cis", "--capture", tmp_path / "2").returncode == 1
    with later(12):
        in_use(rotated, 0.1)
        options = ("--policy", "cis", "--rotation", "-f", "json", "--capture", tmp_path / "3")
        (task,) = json.loads(run(rotated, "rotation", "plan", *options).stdout)["tasks"]
    assert task["case"] == "stalled" and "keyaudit rotation now --user svc-billing" in task["steps"][-1]["command"]


# --- the second key, while the grace lasts --------------------------------------------------------------------------
def checked(one: Rotated, tmp_path: Path, *options: str, faults: tuple[Fault, ...] = ()) -> dict[str, Any]:
    number = len(list(tmp_path.iterdir()))
    done = run(
        one, "check", "--policy", "cis", "-f", "json", "--capture", tmp_path / str(number), *options, faults=faults
    )
    return json.loads(done.stdout)


def of_active_keys(judged: dict[str, Any]) -> list[str]:
    return [one["compliance_type"] for one in judged["findings"] if one["control"] == "active-keys" and one["user"]]


def in_its_grace(one: Rotated) -> Rotated:
    """A key of 70 days was just replaced."""
    (key_id,) = one.keys
    one.made(key_id, datetime.now(UTC) - 70 * DAY, "Active")
    one.deploy(KEYAUDIT_ADOPTED=key_id)
    one.rotate()
    in_use(one, 0.1)
    return one


#: such a user, and what brings it back; for tests that change nothing but its keys and its secret
_shared: list[tuple[Rotated, Callable[[], None]]] = []


@pytest.fixture
def graced(aws: Aws, function: Lambda) -> Iterator[Rotated]:  # noqa: F811
    """A user whose key of 70 days was just replaced: the same one, as long as no other test took it away."""
    if not _shared or not _shared[0][0].is_there:
        one = Rotated(aws, function)
        fill(one)
        _shared[:] = [(in_its_grace(one), one.keep())]
    one, go_back = _shared[0]
    go_back()
    in_use(one, 0.1)
    yield one
    no_secret_in_logs(one)


@pytest.fixture
def graced_alone(rotated: Rotated) -> Rotated:  # noqa: F811
    """One that the test may change in everything."""
    return in_its_grace(rotated)


def test_the_second_key_is_exempt_where_the_evidence_shows_the_rotation(graced: Rotated, tmp_path: Path) -> None:
    judged = checked(graced, tmp_path, "--rotation")
    assert of_active_keys(judged) == ["EXEMPT"] and judged["conclusion"] == "COMPLIANT"
    (finding,) = [one for one in judged["findings"] if one["compliance_type"] == "EXEMPT"]
    assert finding["exemption_id"] == f"rotation of {graced.user}" and "grace is not over" in finding["annotation"]
    assert of_active_keys(checked(graced, tmp_path)) == ["NON_COMPLIANT"]


def test_after_the_grace_it_is_one_key_too_many(graced: Rotated, tmp_path: Path) -> None:
    with later(17):
        in_use(graced, 0.1)
        assert of_active_keys(checked(graced, tmp_path, "--rotation")) == ["NON_COMPLIANT"]


def test_a_field_that_a_person_changed_meanwhile_does_not_cost_the_exemption(
    rotated: Rotated,  # noqa: F811
    tmp_path: Path,
) -> None:
    """The key is then in a version that is none of the rotation's."""
    (key_id,) = rotated.keys
    rotated.made(key_id, datetime.now(UTC) - 60 * DAY, "Active")
    rotated.deploy(KEYAUDIT_ADOPTED=key_id)
    token = rotated.begin()
    for step in STEPS[:3]:
        assert rotated.call(step, token).code == 0
    rotated.put(accesskey=key_id, secretkey=rotated.keys[key_id].secret_access_key, endpoint="db.example.com")
    assert "fields carried over" in rotated.call(STEPS[3], token).outcomes
    in_use(rotated, 0.1)
    judged = checked(rotated, tmp_path, "--rotation")
    assert of_active_keys(judged) == ["EXEMPT"]
    assert "the function logged that it stored it" in judged["rotations"][0]["annotation"]


@pytest.mark.parametrize("grace", ["85", "10000"])
def test_a_grace_that_does_not_fit_the_policy_exempts_nothing_and_says_why(
    rotated: Rotated,  # noqa: F811
    tmp_path: Path,
    grace: str,
) -> None:
    (key_id,) = rotated.keys
    rotated.made(key_id, datetime.now(UTC) - 60 * DAY, "Active")
    rotated.deploy(KEYAUDIT_ADOPTED=key_id, KEYAUDIT_GRACE=grace)
    rotated.rotate()
    in_use(rotated, 0.1)
    judged = checked(rotated, tmp_path, "--rotation")
    assert of_active_keys(judged) == ["NON_COMPLIANT"]
    assert f"{int(grace):,} days of grace" in " ".join(judged["rotations"][0]["remarks"])


def test_a_key_of_somebody_else_beside_it_is_not_exempt(graced_alone: Rotated, tmp_path: Path) -> None:
    """The same two keys, but nothing tells that the older one is what was replaced."""
    graced_alone.settings["KEYAUDIT_ADOPTED"] = ""
    with closing(graced_alone.aws.client("lambda")) as functions:
        functions.update_function_configuration(
            FunctionName=graced_alone.arn, Environment={"Variables": graced_alone.environment()}
        )
    assert of_active_keys(checked(graced_alone, tmp_path, "--rotation")) == ["NON_COMPLIANT"]


# --- what cannot be had -------------------------------------------------------------------------------------------------
CALLS = (
    "ListSecrets", "DescribeSecret", "GetFunctionConfiguration", "ListSecretVersionIds", "FilterLogEvents",
    "ListAttachedUserPolicies", "GetAccessKeyLastUsed",
)  # fmt: skip


@pytest.mark.sampled(6)
@pytest.mark.parametrize("kind", ["denied", "error500"])
@pytest.mark.parametrize("call", CALLS)
def test_what_cannot_be_had_is_said_and_never_reads_as_rotated(
    graced: Rotated, tmp_path: Path, call: str, kind: str
) -> None:
    fault = Fault(call, kind)
    done = run(
        graced,
        "rotation",
        "status",
        "--policy",
        "cis",
        "--capture",
        tmp_path / "c",
        "--deadline",
        "6",
        faults=(fault,),
    )
    assert done.returncode == 3, done.stdout + done.stderr
    assert call in done.stderr and MANAGEMENT in done.stdout
    again = run(graced, "check", tmp_path / "c", "--policy", "cis", "-f", "json")
    assert json.loads(again.stdout)["conclusion"] != "COMPLIANT"
    assert not (tmp_path / "c" / MANAGEMENT / "rotation.json").exists()


@pytest.mark.sampled(3)
@pytest.mark.parametrize("call", CALLS)
def test_one_throttled_call_is_asked_again(graced: Rotated, tmp_path: Path, call: str) -> None:
    assert of_active_keys(checked(graced, tmp_path, "--rotation", faults=(Fault(call, "throttle", first=1),))) == [
        "EXEMPT"
    ]


def test_a_capture_without_rotations_has_no_status(graced: Rotated, tmp_path: Path) -> None:
    run(graced, "capture", "-o", tmp_path / "c")
    done = run(graced, "rotation", "status", tmp_path / "c", "--policy", "cis")
    assert done.returncode == 2 and "--rotation" in done.stderr


def test_the_printed_policy_allows_exactly_the_calls_that_are_made(graced: Rotated, tmp_path: Path) -> None:
    run(graced, "capture", "--rotation", "-o", tmp_path / "c")
    facts = json.loads((tmp_path / "c" / MANAGEMENT / "capture.json").read_text())
    policy = json.loads(run(graced, "capture", "--rotation", "--print-policy").stdout)
    allowed = {action for one in policy["Statement"] for action in one["Action"]}
    assert {call["api"] for call in facts["calls"]} == allowed
    assert not [action for action in allowed if "GetSecretValue" in action]


def changed(facts: Path, **values: Any) -> None:
    """A capture.json with other values; None: without."""
    found = json.loads(facts.read_text()) | values
    facts.write_text(json.dumps({name: value for name, value in found.items() if value is not None}))


@pytest.mark.parametrize(
    "how", ["edited", "gone", "its hash gone", "both gone", "of no JSON", "of another account"]
)
def test_rotations_that_were_tampered_with_prove_nothing(graced: Rotated, tmp_path: Path, how: str) -> None:
    run(graced, "capture", "--rotation", "-o", tmp_path / "c")
    facts, file = (tmp_path / "c" / MANAGEMENT / name for name in ("capture.json", "rotation.json"))
    if how == "edited":
        file.write_text(file.read_text().replace('"other_lines": 8', '"other_lines": 0'))
    if how in ("of no JSON", "of another account"):
        text = "{" if how == "of no JSON" else file.read_text().replace(MANAGEMENT, "444455556666")
        file.write_text(text)
        changed(facts, rotation_sha256=hashlib.sha256(text.encode()).hexdigest())
    if how in ("gone", "both gone"):
        file.unlink()
    if how in ("its hash gone", "both gone"):
        changed(facts, rotation_sha256=None)
    done = run(graced, "check", tmp_path / "c", "--policy", "cis", "-f", "json")
    judged = json.loads(done.stdout)
    assert "EXEMPT" not in of_active_keys(judged) and judged["conclusion"] != "COMPLIANT"
    (account,) = judged["accounts"]
    assert "rotation" in " ".join(account["problems"]), account["problems"]


def test_secrets_of_other_functions_are_named_and_not_judged(graced_alone: Rotated, tmp_path: Path) -> None:
    with closing(graced_alone.aws.client("secretsmanager")) as secrets:
        secrets.create_secret(Name="database", SecretString="geheim")
    other = secretsmanager_backends[MANAGEMENT]["us-east-1"].secrets["database"]
    other.rotation_requested = other.rotation_enabled = True
    other.rotation_lambda_arn = "arn:aws:lambda:us-east-1:123456789012:function:gone"
    done = run(graced_alone, "capture", "--rotation", "-o", tmp_path / "c")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "c" / MANAGEMENT / "rotation.json").read_text())
    assert found["others"] == ["database"] and len(found["secrets"]) == 1
    assert "geheim" not in str(found)
