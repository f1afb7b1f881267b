"""What a capture keeps of rotation functions, over HTTP: one function for many users, and functions of older versions,
which are named wherever somebody looks.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aws import MANAGEMENT, Aws, add_user, aws, report_of  # noqa: F401
from evidence_helpers import keyaudit, verified
from faults import Scenario
from moto.secretsmanager.models import secretsmanager_backends

UPDATE = "keyaudit rotation deploy --update"
#: two names that version 1 would have given one secret
USERS = {"keyaudit/a_b": "a_b", "keyaudit/a_b-2c": "a,b"}


class Stack:
    """A function with its log, the secrets that it rotates, and their users, whose keys were just rotated."""

    def __init__(self, aws: Aws, name: str, settings: dict[str, str], users: dict[str, str]) -> None:  # noqa: F811
        self.aws, self.name, self.users = aws, name, users
        self.now = datetime.now(UTC).replace(microsecond=0)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as package:
            package.writestr("index.py", "")
        with closing(aws.client("iam")) as iam:
            role = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        with closing(aws.client("lambda")) as functions:
            self.arn = functions.create_function(
                FunctionName=name,
                Runtime="python3.13",
                Role=role,
                Handler="index.handler",
                Code={"ZipFile": archive.getvalue()},
                Environment={"Variables": {"KEYAUDIT_GRACE": "14", "KEYAUDIT_RETENTION": "30", **settings}},
            )["FunctionArn"]
        with closing(aws.client("logs")) as logs:
            logs.create_log_group(logGroupName=self.group)
            logs.create_log_stream(logGroupName=self.group, logStreamName="stream")
        self.keys = {secret: self._rotated(secret, user) for secret, user in users.items()}

    @property
    def group(self) -> str:
        return f"/aws/lambda/{self.name}"

    def _rotated(self, secret: str, user: str) -> list[str]:
        """The ids of the user's keys: one replaced now, and the one in its place."""
        made = [(self.now - timedelta(days=days), "Active", self.now) for days in (60, 0)]
        old, new = add_user(MANAGEMENT, user, self.now - timedelta(days=400), made)
        with closing(self.aws.client("secretsmanager")) as secrets:
            token = secrets.create_secret(Name=secret, SecretString="{}")["VersionId"]
        kept = secretsmanager_backends[MANAGEMENT]["us-east-1"].secrets[secret]
        kept.rotation_requested = kept.rotation_enabled = True
        kept.rotation_lambda_arn, kept.auto_rotate_after_days = self.arn, 60
        kept.next_rotation_date = int(time.time()) + 60 * 86_400
        self.log(user, new, "key stored", token)
        self.log(user, new, "key is current", token)
        self.log(user, old, "in its grace", None, "retire")
        return [old, new]

    def log(self, user: str, key: str, outcome: str, token: str | None, step: str = "createSecret") -> None:
        told = {"at": f"{self.now:%Y-%m-%dT%H:%M:%SZ}", "user": user, "key": f"****{key[-4:]}", "step": step}
        self.write(json.dumps({**told, "token": token, "outcome": outcome, "version": "2"}))

    def write(self, *lines: str) -> None:
        events = [{"timestamp": int(self.now.timestamp() * 1000), "message": line} for line in lines]
        with closing(self.aws.client("logs")) as logs:
            logs.put_log_events(logGroupName=self.group, logStreamName="stream", logEvents=events)

    def scenario(self) -> Scenario:
        return self.aws.scenario(reports={MANAGEMENT: report_of(MANAGEMENT, datetime.now(UTC))})


def of_many(users: dict[str, str]) -> dict[str, str]:
    return {"KEYAUDIT_VERSION": "2", "KEYAUDIT_USERS": json.dumps(users)}


@pytest.fixture
def stack(aws: Aws) -> Stack:  # noqa: F811
    """One function of today's version, for two users."""
    aws.reset()
    found = Stack(aws, "rotates-many", of_many(USERS), USERS)
    found.write("START RequestId: 1", '{"user": "somebody", "outcome": "x", "step": "y"}', "REPORT RequestId: 1")
    return found


@pytest.fixture
def old(aws: Aws) -> Stack:  # noqa: F811
    """A function of version 1, for one user."""
    aws.reset()
    return Stack(aws, "rotates-old", {"KEYAUDIT_USER": "svc"}, {"keyaudit/svc": "svc"})


def captured(stack: Stack, folder: Path) -> tuple[dict[str, Any], Scenario, str]:
    scenario = stack.scenario()
    done = keyaudit("capture", "--rotation", "-o", folder, env=scenario.env())
    assert done.returncode == 0, done.stderr
    return json.loads((folder / MANAGEMENT / "rotation.json").read_bytes()), scenario, done.stderr.decode()


def test_of_one_function_each_secret_gets_the_lines_of_its_own_user(stack: Stack, tmp_path: Path) -> None:
    found, scenario, said = captured(stack, tmp_path / "c")
    assert {one["secret"]["Name"]: one["user"] for one in found["secrets"]} == USERS
    for one in found["secrets"]:
        assert {entry["line"]["user"] for entry in one["log"]} == {one["user"]} and len(one["log"]) == 3
        assert [key["AccessKeyId"] for key in one["keys"]] == stack.keys[one["secret"]["Name"]]
        assert one["other_lines"] == 3  # what is about neither user
    # the function and its log are read once, however many secrets it rotates
    assert [scenario.operations.count(name) for name in ("GetFunctionConfiguration", "FilterLogEvents")] == [1, 1]
    assert "version" not in said


def test_each_user_of_one_function_is_exempt_by_its_own_rotation(stack: Stack, tmp_path: Path) -> None:
    captured(stack, tmp_path / "c")
    judged = json.loads(keyaudit("check", tmp_path / "c", "--policy", "cis", "-f", "json").stdout)
    exempt = {one["user"]: one["exemption_id"] for one in judged["findings"] if one["compliance_type"] == "EXEMPT"}
    assert exempt == {user: f"rotation of {secret}" for secret, user in USERS.items()}
    assert {(one["function"], one["function_version"]) for one in judged["rotations"]} == {("rotates-many", 2)}


@pytest.mark.parametrize("users", [json.dumps({"keyaudit/a_b": "a_b"}), "{", "[]", json.dumps({"keyaudit/a_b": 7})])
def test_a_secret_that_the_function_does_not_bind_is_named_and_not_judged(
    stack: Stack, tmp_path: Path, users: str
) -> None:
    with closing(stack.aws.client("lambda")) as functions:
        variables = {"KEYAUDIT_VERSION": "2", "KEYAUDIT_USERS": users}
        functions.update_function_configuration(FunctionName=stack.name, Environment={"Variables": variables})
    found, _, _ = captured(stack, tmp_path / "c")
    assert "keyaudit/a_b-2c" in found["others"]
    assert [one["user"] for one in found["secrets"]] == (["a_b"] if users.endswith('"a_b"}') else [])


def test_a_capture_names_functions_of_older_versions_and_what_updates_them(old: Stack, tmp_path: Path) -> None:
    _, _, said = captured(old, tmp_path / "c")
    assert "the function rotates-old in us-east-1 is of version 1" in said and UPDATE in said
    assert "deactivate or delete access keys that are in use" in said
    facts = json.loads((tmp_path / "c" / MANAGEMENT / "capture.json").read_bytes())
    assert facts["remarks"] == []  # the settings tell, whoever reads them later


def test_status_names_them(old: Stack, tmp_path: Path) -> None:
    captured(old, tmp_path / "c")
    done = keyaudit("rotation", "status", tmp_path / "c", "--policy", "cis")
    said = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    assert "rotates-old in us-east-1 is of version 1: it can deactivate or delete access keys" in said
    assert "secrets: keyaudit/svc" in said and UPDATE in said
    told = keyaudit("rotation", "status", tmp_path / "c", "--policy", "cis", "-f", "json")
    (one,) = json.loads(told.stdout)["rotations"]
    assert (one["function"], one["function_version"]) == ("rotates-old", 1) and UPDATE in " ".join(one["remarks"])


def test_the_rotation_report_names_them_and_verifies(old: Stack, tmp_path: Path) -> None:
    captured(old, tmp_path / "c")
    options = ("--policy", "cis", "--notebook", "rotation", "-o", tmp_path / "reports")
    done = keyaudit("report", tmp_path / "c", *options)
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.decode().strip())
    page = (folder / "report.html").read_text()
    assert "1 rotation function is of an older version" in page and UPDATE in page
    assert "a replaced key whose grace it counts from the wrong moment" in page
    assert verified(folder) == (0, f"OK  {folder}\n")


def test_functions_of_today_are_not_named(stack: Stack, tmp_path: Path) -> None:
    captured(stack, tmp_path / "c")
    assert UPDATE not in keyaudit("rotation", "status", tmp_path / "c", "--policy", "cis").stdout.decode()
