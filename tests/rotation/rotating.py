"""Rotation for tests: a secret, its user in moto, and the function run as Lambda runs it, in a process of its own that
can be killed at any call. Pending versions are made as AWS makes them: a token with AWSPENDING and no value.
"""

from __future__ import annotations

import copy
import io
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import quick_boto
import time_machine
from aws import MANAGEMENT, Aws, Fault, Scenario, add_user, set_key
from moto.iam.models import iam_backends
from moto.secretsmanager.models import secretsmanager_backends

from keyaudit.rotation.code import function_code

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
#: ids of keys, tokens, secret keys
MADE_UP = re.compile(r"\bA[KS]IA[A-Z0-9]{16}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[A-Za-z0-9]{40}\b")
#: kinds of faults that end with the death of the function
DEATHS = {"stall_before", "stall"}
#: the function as Lambda has it: boto3 is imported and its models read once; a process is a fork of that, and is used
#: again for the next call, as Lambda does, until it is killed. Its clock is moved; pauses move it, and take no time
SERVER = """
import gc, importlib.util, json, os, runpy, sys, time, traceback
import time_machine
runpy.run_path(sys.argv[2])["quicken"]("secretsmanager", "iam", "sts", "sns")
spec = importlib.util.spec_from_file_location("handler", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
gc.freeze()
gc.set_threshold(20_000, 20, 50)
answers = os.fdopen(os.dup(1), "w")
def say(line):
    print(line, file=answers, flush=True)
while sys.stdin.readline():
    if (child := os.fork()) == 0:
        break
    say(child)
    say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
else:
    sys.exit()
sleep, monotonic = time.sleep, time.monotonic
class Clock:
    def __init__(self, moved, seconds):
        self.moved, self.passed, self.until = moved, 0.0, monotonic() + seconds
    def monotonic(self):
        return monotonic() + self.passed
    def sleep(self, seconds):
        self.passed += seconds
        self.moved.shift(seconds)
    def get_remaining_time_in_millis(self):
        return int(1000 * (self.until - self.monotonic()))
def call(told):
    with time_machine.travel(told["now"], tick=True) as moved:
        clock = Clock(moved, told["seconds"])
        time.monotonic, time.sleep = clock.monotonic, sleep if told["pauses"] else clock.sleep
        return module.handler(told["event"], clock)
for line in sys.stdin:
    told = json.loads(line)
    log = os.open(told["log"], os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.close(log)
    os.environ.clear()
    os.environ.update(told["env"])
    try:
        answer = call(told)
    except BaseException:
        traceback.print_exc(file=sys.stdout)
        sys.stdout.flush()
        say(1)
    else:
        sys.stdout.flush()
        with open(told["answer"], "w") as file:
            file.write(json.dumps(answer))
        say(0)
"""


@dataclass(frozen=True)
class Ended:
    """How a call of the function ended: killed, failed or well; and what it logged."""

    code: int
    log: str
    answer: Any = None

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its log lines; a traceback, which Lambda writes into the same log, is none."""
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]

    @property
    def outcomes(self) -> list[str]:
        """What it did, the notices aside."""
        return [line["outcome"] for line in self.lines if line["outcome"] != "notice"]


class Lambda:
    """The function for many calls, one after the other; ``close`` ends it."""

    def __init__(self) -> None:
        mine = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "AWS_"))}
        self._folder = tempfile.TemporaryDirectory()
        code = Path(self._folder.name, "index.py")
        code.write_text(function_code())
        self._server = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(code), quick_boto.__file__],
            env=mine,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # a second line that is here already must not hide from select
        )
        #: the process that takes the calls, and the key that its own calls are signed with; none: 0
        self._process, self._key = 0, ""

    def close(self) -> None:
        self._end()
        self._server.stdin.close()
        self._server.wait(10)
        self._server.stdout.close()
        self._folder.cleanup()

    def _end(self) -> None:
        """Kill the process; the next call gets a new one."""
        if self._process:
            os.kill(self._process, signal.SIGKILL)
            self._line()
        self._process = 0

    def _tell(self, line: str) -> None:
        self._server.stdin.write(line.encode() + b"\n")

    def _line(self) -> int:
        if not select.select([self._server.stdout], [], [], 60)[0]:
            raise TimeoutError("the function hangs")
        return int(self._server.stdout.readline())

    def invoke(
        self,
        event: dict[str, Any],
        env: dict[str, str],
        scenario: Scenario,
        now: float,
        seconds: float,
        pauses: bool = False,
    ) -> Ended:
        """One call; its process is killed where the scenario has a fault that ends so, once that strikes. ``pauses``:
        they last as long as they say."""
        if self._key != env["AWS_ACCESS_KEY_ID"]:
            self._end()  # what Lambda gives a process to sign with stays the same
        if not self._process:
            self._tell("")
            self._process, self._key = self._line(), env["AWS_ACCESS_KEY_ID"]
        log, answer = Path(self._folder.name, "log"), Path(self._folder.name, "answer")
        answer.write_text("null")
        told = {"event": event, "env": env, "log": str(log), "answer": str(answer), "seconds": seconds, "now": now}
        self._tell(json.dumps(told | {"pauses": pauses}))
        if any(fault.kind in DEATHS for fault in scenario.faults):
            while not scenario.struck and not select.select([self._server.stdout], [], [], 0.002)[0]:
                pass
            if scenario.struck:
                os.kill(self._process, signal.SIGKILL)
        code = self._line()
        self._process = self._process if code >= 0 else 0
        return Ended(code, log.read_text(), json.loads(answer.read_text()))


@dataclass
class Rotated:
    """A user, its secret, and the function deployed for them."""

    aws: Aws
    function: Lambda
    user: str = "svc-billing"
    name: str = ""  # of the secret; none: the user's
    account: str = MANAGEMENT
    settings: dict[str, str] = field(default_factory=dict)
    logs: list[str] = field(default_factory=list)
    arn: str = ""  # of the function, once it is deployed
    group: str = ""  # its log group, where it is not the usual one
    #: of the last call of the function: the operations that it called, and how often a fault struck
    calls: list[str] = field(default_factory=list)
    struck: int = 0
    #: of all calls: operation -> the keys that signed it
    signers: dict[str, list[str]] = field(default_factory=dict)
    _filled: Any = None

    def __post_init__(self) -> None:
        self.name = self.name or self.user

    # what is there
    @property
    def keys(self) -> dict[str, Any]:
        """The user's keys in IAM, by id."""
        return {key.access_key_id: key for key in iam_backends[self.account]["aws"].users[self.user].access_keys}

    @property
    def secret(self) -> Any:
        return secretsmanager_backends[self.account]["us-east-1"].secrets[self.name]

    @property
    def is_there(self) -> bool:
        """Whether nothing took it away since ``fill``."""
        secrets = secretsmanager_backends[self.account]["us-east-1"].secrets
        return self.name in secrets and secrets[self.name] is self._filled

    def value(self, stage: str) -> dict[str, Any]:
        """The value of a stage; empty where there is none."""
        for version in self.secret.versions.values():
            if stage in version["version_stages"]:
                return json.loads(version.get("secret_string", "{}"))
        return {}

    # what happens
    def deploy(self, every: int = 60, **settings: str) -> None:
        """What the template makes, in moto: the function with its settings, and the schedule on the secret."""
        self.settings |= settings
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as package:
            package.writestr("index.py", function_code())
        with closing(self.aws.client("iam", self.account)) as iam:
            made = iam.create_role(RoleName=f"rotates-{self.user}", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        with closing(self.aws.client("lambda", self.account)) as functions:
            self.arn = functions.create_function(
                FunctionName=f"rotates-{self.user}",
                Runtime="python3.13",
                Role=made,
                Handler="index.handler",
                Code={"ZipFile": archive.getvalue()},
                Environment={"Variables": {**self.environment(), "SECRET_OF_ANOTHER": "notOurs"}},
            )["FunctionArn"]
        secret = self.secret
        secret.rotation_requested = secret.rotation_enabled = True
        secret.rotation_lambda_arn, secret.auto_rotate_after_days = self.arn, every
        secret.next_rotation_date = int(time.time()) + every * 86_400
        with closing(self.aws.client("logs", self.account)) as logs, suppress(logs.exceptions.ClientError):
            logs.create_log_group(logGroupName=self.log_group)
        with closing(self.aws.client("logs", self.account)) as logs:
            logs.create_log_stream(logGroupName=self.log_group, logStreamName="stream")

    @property
    def log_group(self) -> str:
        return self.group or f"/aws/lambda/rotates-{self.user}"

    def environment(self, **more: str) -> dict[str, str]:
        """The function's settings."""
        return {
            "KEYAUDIT_VERSION": "2",
            "KEYAUDIT_USERS": json.dumps({self.name: self.user}),
            "KEYAUDIT_GRACE": "14",
            "KEYAUDIT_QUIET": "7",
            "KEYAUDIT_RETENTION": "30",
            "KEYAUDIT_MAX_AGE": "90",
            **self.settings,
            **more,
        }

    def ship(self, log: str) -> None:
        """A call's log as Lambda ships it, with lines of its own around those of the function."""
        lines = ["START RequestId: 1", *log.splitlines(), "REPORT RequestId: 1 Duration: 12 ms"]
        events = [{"timestamp": int(time.time() * 1000), "message": line} for line in lines]
        with closing(self.aws.client("logs", self.account)) as logs:
            logs.put_log_events(logGroupName=self.log_group, logStreamName="stream", logEvents=events)

    def put(self, **fields: str) -> str:
        """The secret, or a value put into it by hand; the version's id."""
        token, exists = str(uuid.uuid4()), self.name in secretsmanager_backends[self.account]["us-east-1"].secrets
        what = {"SecretString": json.dumps({"username": self.user, **fields}), "ClientRequestToken": token}
        client = self.aws.client("secretsmanager", self.account)
        try:
            if exists:
                # moto takes the version that it made last for the current one
                stages = {version: one["version_stages"] for version, one in self.secret.versions.items()}
                current = [version for version, names in stages.items() if "AWSCURRENT" in names]
                self.secret.set_default_version_id(current[0] if current else None)
                client.put_secret_value(SecretId=self.name, **what)
            else:
                client.create_secret(Name=self.name, **what)
        finally:
            client.close()
        return token

    def begin(self) -> str:
        """A token, as AWS makes one: a version with AWSPENDING and no value, which takes AWSPENDING from any other."""
        token = str(uuid.uuid4())
        self.secret.remove_version_stages_from_old_versions(["AWSPENDING"])
        self.secret.versions[token] = {
            "createdate": int(time.time()),
            "version_id": token,
            "version_stages": ["AWSPENDING"],
        }
        return token

    def call(
        self, step: str, token: str = "", *faults: Fault, seconds: float = 300, pauses: bool = False, **env: str
    ) -> Ended:
        """One call of the function; ``retire`` is the daily one, ``all`` that of every secret. ``pauses``: those
        that it makes last as long as they say."""
        scenario = self.aws.scenario(faults=list(faults))
        event = {"Step": step, "ClientRequestToken": token} if step in STEPS else {"action": step}
        ended = self.function.invoke(
            {"action": "retire"} if step == "all" else {**event, "SecretId": self.secret.arn},
            scenario.env(**self.environment(**env)),
            scenario,
            time.time(),
            seconds,
            pauses,
        )
        self.logs.append(ended.log)
        if self.arn:
            self.ship(ended.log)
        self.calls = scenario.operations
        self.struck = scenario.struck.total()
        for operation, keys in scenario.signers.items():
            self.signers.setdefault(operation, []).extend(keys)
        return ended

    def daily(self, days: int, **env: str) -> list[str]:
        """The daily run on each of so many days from now, each time a minute late; what it logged, in order."""
        start, outcomes = datetime.now(UTC), []
        for day in range(1, days + 1):
            with time_machine.travel(start + day * timedelta(days=1, minutes=1), tick=True):
                ended = self.call("retire", **env)
                assert ended.code == 0, ended.log
                outcomes += ended.outcomes
        return outcomes

    def rotate(self, token: str = "") -> str:
        """All steps of a rotation, which all succeed; the token."""
        token = token or self.begin()
        for step in STEPS:
            ended = self.call(step, token)
            assert ended.code == 0, f"{step}: {ended.log}"
        self.secret.last_rotation_date = int(time.time())
        if self.arn:
            self.secret.next_rotation_date = int(time.time()) + self.secret.auto_rotate_after_days * 86_400
        return token

    # going back
    def keep(self) -> Callable[[], None]:
        """What brings the user's keys and its secret back to what they are now; call it as often as you like."""
        backend, found = iam_backends[self.account]["aws"], self.secret
        user = backend.users[self.user]
        kept = copy.deepcopy((user.access_keys, vars(found)))

        def go_back() -> None:
            keys, secret = copy.deepcopy(kept)
            for key_id in self.keys:
                backend.access_keys.pop(key_id, None)
            user.access_keys = keys
            backend.access_keys |= {key.access_key_id: key for key in keys}
            vars(found).clear()
            vars(found).update(secret)

        return go_back

    def state(self) -> str:
        """All that the function can see of the keys and the secret, times to the second; ids, tokens and secret keys,
        which are made at random, are told by the order in which they come."""
        keys = [
            [str(value) for value in vars(key).values() if key.last_used is not value] for key in self.keys.values()
        ]
        uses = [
            key.last_used and [str(value) for value in vars(key.last_used).values()] for key in self.keys.values()
        ]
        text = re.sub(r"(\d\d:\d\d:\d\d)\.\d+", r"\1", json.dumps([keys, uses, vars(self.secret)], default=str))
        names: dict[str, str] = {}
        return re.sub(MADE_UP, lambda found: names.setdefault(found[0], f"<{len(names)}>"), text)

    def made(self, key_id: str, when: datetime, status: str = "Active", *last_used: Any) -> None:
        set_key(self.account, key_id, when, status, *last_used)


@pytest.fixture(scope="session")
def function() -> Iterator[Lambda]:
    running = Lambda()
    yield running
    running.close()


def fill(one: Rotated) -> None:
    """AWS with this user and its secret alone: one key, 80 days old, as the copied function leaves it."""
    one.aws.reset()
    now = datetime.now(UTC).replace(microsecond=0)
    (key_id,) = add_user(one.account, one.user, now - timedelta(days=400), [(now - timedelta(days=80), "Active")])
    one.put(accesskey=key_id, secretkey=one.keys[key_id].secret_access_key)
    one._filled = secret = one.secret
    secret.rotation_requested = secret.rotation_enabled = True
    secret.rotation_lambda_arn = "arn:aws:lambda:us-east-1:1:function:rotates"
    secret.auto_rotate_after_days = 5 if one.settings.get("KEYAUDIT_MAX_AGE") == SHORT["KEYAUDIT_MAX_AGE"] else 60


#: periods that hold, and are over soon: every 5 days, a limit of 8
SHORT = {
    "KEYAUDIT_GRACE": "1",
    "KEYAUDIT_QUIET": "1",
    "KEYAUDIT_RETENTION": "1",
    "KEYAUDIT_MAX_AGE": "8",
}


def pending_token(one: Rotated) -> str:
    """The version that a rotation is under way for; empty where there is none."""
    found = [
        version
        for version, it in one.secret.versions.items()
        if "AWSPENDING" in it["version_stages"] and "AWSCURRENT" not in it["version_stages"]
    ]
    return found[0] if found else ""


def secrets_manager(one: Rotated) -> None:
    """The steps of a rotation that is under way, up to the first that fails."""
    if token := pending_token(one):
        for step in STEPS:
            if one.call(step, token, seconds=16).code:
                return


def sound(one: Rotated) -> None:
    """What must hold after every call, however it ended: at most two keys, and the one in AWSCURRENT works."""
    current, keys = one.value("AWSCURRENT"), one.keys
    assert len(keys) <= 2, keys
    assert keys[current["accesskey"]].status == "Active"
    assert keys[current["accesskey"]].secret_access_key == current["secretkey"]
    assert current["username"] == one.user


def no_secret_in_logs(one: Rotated) -> None:
    """No log may hold a secret key, of those that are there and of those that a version of the secret holds."""
    values = [version.get("secret_string", "") for version in one.secret.versions.values()]
    secrets = {key.secret_access_key for key in one.keys.values()} | set(
        re.findall(r'"secretkey": "([^"]+)"', str(values))
    )
    assert not [log for log in one.logs if any(secret in log for secret in secrets)]


@pytest.fixture
def rotated(aws: Aws, function: Lambda) -> Iterator[Rotated]:
    """A user and its secret (see ``fill``); afterwards no log may hold a secret key."""
    found = Rotated(aws, function)
    fill(found)
    yield found
    no_secret_in_logs(found)
