"""AWS for the benchmarks: moto and the layer of tests/aws/faults.py, in a process of their own.

So their CPU is not mixed with that of the command measured. They answer from memory (moto's own answers, kept):
the first run of each kind of command, which is not measured, fills it. How busy the process was is told with the
calls: one that is busy all the time would be what is measured.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench_measure import ROOT, Run, run

USERS = 5_000
#: accounts of the organization, and users of each of them
ACCOUNTS, MEMBER_USERS = 400, 20
PAGE = 100
LIMIT = timedelta(days=90)
EDGE = 5  # keys exactly as old as the limit, and as many a second older and an hour younger
ROLE = "KeyAuditReadOnly"
HEAD = "999988887777"
#: operations that Prowler needs and moto does not know: what AWS answers where there is nothing of the kind, and has
#: its job done at once
MORE: dict[str, dict[str, Any]] = {
    "generate_service_last_accessed_details": {"JobId": "00000000-0000-0000-0000-000000000000"},
    "get_service_last_accessed_details": {
        "JobStatus": "COMPLETED",
        "JobCreationDate": datetime(2024, 1, 1, tzinfo=UTC),
        "JobCompletionDate": datetime(2024, 1, 1, tzinfo=UTC),
        "ServicesLastAccessed": [],
    },
    "list_organizations_features": {"EnabledFeatures": []},
    "list_service_specific_credentials": {"ServiceSpecificCredentials": []},
}


class Emulator:
    """The emulator's process: it is asked, and it answers, one line of JSON each."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, **question: Any) -> dict[str, Any]:
        """One question, one answer."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit("the emulator ended; its error is above")
        return json.loads(answer)

    def measure(
        self, state: str, latency: float, *command: str, cwd: Path, output: Path | None = None
    ) -> tuple[Run, dict[str, Any]]:
        """A command run against one of the two states, with a latency of so many seconds a call; what was seen."""
        given = self.ask(scenario=state, latency=latency)
        env = given["env"] | {"HOME": str(cwd)}
        return run(*command, cwd=cwd, env=env, output=output), self.ask(seen=given["name"])


@contextmanager
def emulator() -> Iterator[Emulator]:
    """The emulator with its states, until the block ends."""
    command = (sys.executable, __file__)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            started = Emulator(process)
            started.ask()
            yield started
            process.communicate(timeout=30)
        finally:
            process.kill()


class TimedCalls(list):
    """The calls that the layer saw, and when."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []
        self._cpu = time.process_time()

    def append(self, call: Any) -> None:
        self.times.append(time.monotonic())
        super().append(call)

    def seen(self) -> dict[str, float]:
        """How many, how many a second from the first to the last, the most within any one second; and the seconds
        of CPU that the emulator itself took."""
        times = sorted(self.times)
        most = first = 0
        for last, at in enumerate(times):
            while at - times[first] >= 1:
                first += 1
            most = max(most, last - first + 1)
        rate = len(times) / (times[-1] - times[0])
        return {"calls": len(times), "rate": rate, "most": most, "cpu": time.process_time() - self._cpu}


def serve() -> None:
    """Make the states, and answer until there are no more questions."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "aws")]
    from aws import MANAGEMENT, Aws, add_user, key_of, make_organization, report_of
    from moto.core.responses import ActionResult
    from moto.iam.responses import IamResponse

    for name, result in MORE.items():
        setattr(IamResponse, name, answering(ActionResult(result)))

    def fill(account: str, users: int, *root: str) -> None:
        for number, keys in enumerate(population(account, users, now)):
            add_user(account, f"user-{number:05}", now - timedelta(days=3000), keys)
        reports[account] = report_of(account, now, root)

    now = datetime.now(UTC).replace(microsecond=0)
    reports: dict[str, Any] = {}
    with Aws() as aws:
        key_of(HEAD)
        members = make_organization(ACCOUNTS - 1, role=ROLE, management=HEAD)
        fill(MANAGEMENT, USERS, f"true {now - timedelta(days=1000):%Y-%m-%dT%H:%M:%SZ} N/A")
        for account in (HEAD, *members):
            fill(account, MEMBER_USERS)
        made: dict[str, Any] = {}
        kept: dict[str, dict] = {"one": {}, "many": {}}
        for line in sys.stdin:
            asked = json.loads(line)
            answer: dict[str, Any] = {}
            if state := asked.get("scenario"):
                account = HEAD if state == "many" else MANAGEMENT
                options = {"latency": asked["latency"], "cached": True, "page_size": PAGE, "calls": TimedCalls()}
                scenario = aws.scenario(state, account=account, reports=reports, **options)
                scenario._kept = kept[state]
                made[scenario.name] = scenario
                answer = {"name": scenario.name, "env": scenario.env()}
            elif name := asked.get("seen"):
                answer = made[name].calls.seen()
            elif number := asked.get("members"):
                answer = {"members": members[:number]}
            print(json.dumps(answer), flush=True)


def answering(result: Any) -> Callable[[Any], Any]:
    """A method that answers so."""
    return lambda _: result


def population(account: str, users: int, now: datetime) -> Iterator[list[tuple[Any, ...]]]:
    """The keys of each user: ages as organisations have them, some inactive, some never used, some users without
    any; the first few users' at the limit."""
    random_ = random.Random(account)
    few = min(EDGE, users // 10)
    for edge in (timedelta(0), timedelta(seconds=1), -timedelta(hours=1)):
        for _ in range(few):
            yield [(now - LIMIT - edge, "Active")]
    for _ in range(users - 3 * few):
        keys = []
        for _ in range(random_.choices((0, 1, 2), (10, 75, 15))[0]):
            rotated = now - timedelta(seconds=int(min(2900, random_.expovariate(1 / 80)) * 86_400))
            used = () if random_.random() < 0.1 else (rotated + (now - rotated) * random_.random(),)
            keys.append((rotated, "Active" if random_.random() < 0.9 else "Inactive", *used))
        yield keys


if __name__ == "__main__":
    serve()
