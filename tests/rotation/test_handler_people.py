"""The function that rotates, among people: they make, use, deactivate, activate and delete keys, put values, move
stages; clocks jump; every call fails before it took effect, after it, or dead there. An observer who sees everything
judges each key that the function takes away. KEYAUDIT_SEQUENCES=1000 runs so many sequences instead of a few; their
number is printed at the end of the run.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from aws import Aws, Fault, aws
from conftest import SEQUENCES_PROPERTY
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from moto.iam.models import iam_backends
from moto.sns.models import sns_backends
from rotating import SHORT, STEPS, Lambda, Rotated, fill, function, pending_token, secrets_manager

pytestmark = pytest.mark.no_cover
__all__ = ["aws", "function"]
SEQUENCES = int(os.environ.get("KEYAUDIT_SEQUENCES", "15"))
GRACE, QUIET, RETENTION = (
    timedelta(days=int(SHORT[f"KEYAUDIT_{name}"])) for name in ("GRACE", "QUIET", "RETENTION")
)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
LOST_FOR, ENDED = DAY, timedelta(seconds=330)
KINDS = ("denied", "late", "stall_before", "stall")
FAULT = st.none() | st.tuples(st.sampled_from(KINDS), st.integers(0, 12))
KEYS, VERSIONS = st.integers(0, 1), st.integers(0, 9)


class Observer:
    """Everything that is true of the keys of one user, and what the function does to them."""

    def __init__(self, one: Rotated) -> None:
        self.one = one
        self.secrets: set[str] = set()  # all secret keys there ever were
        self.by_function: set[str] = set()
        self.held: set[str] = set()  # keys that any version held at any time
        self.used: dict[str, datetime] = {}
        self.changed: dict[str, datetime] = {}  # when a key got its status
        self.current: dict[str, datetime] = {}  # when the function last had a key recorded as current
        self.woken: dict[str, datetime] = {}  # when the function found a key active again
        self.lost: dict[str, datetime] = {}
        self.look()

    @property
    def tags(self) -> dict[str, str]:
        return {tag["Key"].removeprefix("keyaudit:"): tag["Value"] for tag in self.one.secret.tags or []}

    def look(self) -> dict[str, str]:
        """The status of each key; what is new is remembered."""
        for version in self.one.secret.versions.values():
            self.held |= {key_id for key_id in self.one.keys if key_id in version.get("secret_string", "")}
        self.secrets |= {key.secret_access_key for key in self.one.keys.values()}
        return {key_id: key.status for key_id, key in self.one.keys.items()}

    def call(self, do: Callable[[], Any]) -> Any:
        """One call of the function, judged."""
        now, before, recorded = datetime.now(UTC), self.look(), self.tags
        current = self.one.value("AWSCURRENT").get("accesskey")
        for key_id in {recorded.get("current")} - {None, ""}:
            self.current[key_id] = now
        for key_id in recorded.get("inactive", "").split()[::3]:
            if before.get(key_id) == "Active":
                self.woken[key_id] = now
        ended = do()
        after = self.look()
        assert len(after) <= 2
        for key_id in {current, self.one.value("AWSCURRENT").get("accesskey")} & before.keys():
            assert after.get(key_id) == before[key_id], f"the key in AWSCURRENT was touched: {self.said(key_id)}"
        new = self.one.value("AWSCURRENT").get("accesskey")
        if new != current:
            assert after.get(new) == "Active", f"a key that does not work was made current: {self.said(new)}"
        made = after.keys() - before.keys()
        assert len(made) <= 1
        self.by_function |= made
        self.changed |= dict.fromkeys(made, now)
        for key_id, status in before.items():
            if status == "Active" and after.get(key_id) != "Active":
                assert after.get(key_id) == "Inactive", f"deleted while it was active: {self.said(key_id)}"
                assert self.may_be_deactivated(key_id, now), f"deactivated: {self.said(key_id)}"
                self.changed[key_id] = now
            elif status == "Inactive":
                assert after.get(key_id) != "Active", f"activated: {self.said(key_id)}"
                if key_id not in after:
                    assert self.may_be_deleted(key_id, now), f"deleted: {self.said(key_id)}"
        assert not [secret for secret in self.secrets if secret in ended.log]
        return ended

    def may_be_deactivated(self, key_id: str, now: datetime) -> bool:
        if key_id not in self.held:
            self.lost[key_id] = now
            return (
                key_id in self.by_function
                and key_id not in self.used
                and now - self.changed[key_id] >= (ENDED - 20 * timedelta(seconds=1))
            )
        since = max(self.current.get(key_id, self.changed[key_id]), self.woken.get(key_id, self.changed[key_id]))
        is_quiet = key_id not in self.used or now - self.used[key_id] >= QUIET
        return is_quiet and now - since >= GRACE

    def may_be_deleted(self, key_id: str, now: datetime) -> bool:
        inactive = now - self.changed[key_id]
        if key_id in self.lost and key_id not in self.held:
            return key_id not in self.used and self.lost[key_id] == self.changed[key_id] and inactive >= LOST_FOR
        return inactive >= RETENTION

    def said(self, key_id: str) -> str:
        mine = {name: getattr(self, name).get(key_id) for name in ("used", "changed", "current", "woken", "lost")}
        return f"{key_id} {mine} held {key_id in self.held} made {key_id in self.by_function} {self.tags}"


def test_no_key_is_taken_away_that_may_be_in_use_whatever_people_and_faults_do(
    aws: Aws, function: Lambda, record_property: Callable[[str, object], None]
) -> None:
    told: Counter[str] = Counter()

    class Machine(RuleBasedStateMachine):
        """Secrets Manager, the daily rule, time, people and faults."""

        @initialize(adopted=st.booleans())
        def begin(self, adopted: bool) -> None:
            self.clock = time_machine.travel(datetime.now(UTC), tick=True)
            self.clock.start()
            self.one = Rotated(aws, function, settings=dict(SHORT))
            fill(self.one)
            (first,) = self.one.keys
            if adopted:
                self.one.settings["KEYAUDIT_ADOPTED"] = first
            topic = aws.client("sns")
            self.one.settings["KEYAUDIT_TOPIC"] = topic.create_topic(Name="notices")["TopicArn"]
            topic.close()
            self.seen = Observer(self.one)
            self.seen.changed[first] = datetime.now(UTC) - 80 * DAY
            told["sequences"] += 1

        def jump(self, how_long: timedelta) -> None:
            now = datetime.now(UTC)
            self.clock.stop()
            self.clock = time_machine.travel(now + how_long, tick=True)
            self.clock.start()

        def call(self, step: str, token: str = "", fault: tuple[str, int] | None = None) -> int:
            faults = [Fault("*", fault[0], first=1, after=fault[1])] if fault else []
            told["calls"] += 1
            return self.seen.call(lambda: self.one.call(step, token, *faults, seconds=16)).code

        # what AWS does
        @rule()
        def time_for_a_rotation(self) -> None:
            if not pending_token(self.one):
                self.one.begin()

        @rule(step=st.sampled_from(STEPS), fault=FAULT)
        def a_step(self, step: str, fault: tuple[str, int] | None) -> None:
            if token := pending_token(self.one):
                self.call(step, token, fault)

        @rule()
        def a_whole_rotation(self) -> None:
            if token := pending_token(self.one):
                for step in STEPS:
                    if self.call(step, token):
                        break

        @rule(fault=FAULT)
        def the_daily_rule(self, fault: tuple[str, int] | None) -> None:
            self.call("retire", "", fault)

        @rule(how_long=st.sampled_from((6 * MINUTE, 61 * MINUTE, DAY, DAY + MINUTE, 3 * DAY)))
        def time_passes(self, how_long: timedelta) -> None:
            self.jump(how_long)

        # what people do, who are slower than a call
        def person(self, number: int) -> str:
            """The key of this number; empty where there is none."""
            self.jump(MINUTE)
            found = list(self.one.keys)
            return found[number % len(found)] if found else ""

        @rule()
        def a_person_makes_a_key(self) -> None:
            self.person(0)
            if len(self.one.keys) < 2:
                made = iam_backends[self.one.account]["aws"].create_access_key(self.one.user).access_key_id
                self.one.made(made, datetime.now(UTC))
                self.seen.changed[made] = datetime.now(UTC)

        @rule(number=KEYS, service=st.sampled_from(("s3", "sts")))
        def somebody_uses_a_key(self, number: int, service: str) -> None:
            key_id = self.person(number)
            has_it = key_id in self.seen.held or key_id not in self.seen.by_function
            if key_id and has_it and self.one.keys[key_id].status == "Active":
                now = datetime.now(UTC).replace(microsecond=0)
                self.one.made(key_id, None, None, now)
                self.one.keys[key_id].last_used.service = service
                self.seen.used[key_id] = now

        @rule(number=KEYS, status=st.sampled_from(("Active", "Inactive")))
        def a_person_changes_a_key(self, number: int, status: str) -> None:
            key_id = self.person(number)
            if key_id and self.one.keys[key_id].status != status:
                self.one.keys[key_id].status = status
                self.seen.changed[key_id] = datetime.now(UTC)

        @rule(number=KEYS)
        def a_person_deletes_a_key(self, number: int) -> None:
            if key_id := self.person(number):
                iam_backends[self.one.account]["aws"].delete_access_key(key_id, self.one.user)

        @rule(note=st.integers(0, 99))
        def a_person_puts_a_note(self, note: int) -> None:
            self.person(0)
            self.one.put(**self.one.value("AWSCURRENT") | {"note": str(note)})

        @rule(number=KEYS)
        def a_person_puts_a_key_by_hand(self, number: int) -> None:
            key_id = self.person(number)
            if key_id and (key_id in self.seen.held or key_id not in self.seen.by_function):
                self.one.put(accesskey=key_id, secretkey=self.one.keys[key_id].secret_access_key)
                self.seen.look()

        @rule(number=VERSIONS, stage=st.sampled_from(("AWSCURRENT", "AWSCURRENT", "AWSPENDING")))
        def a_person_moves_a_stage(self, number: int, stage: str) -> None:
            self.person(0)
            versions = [one for one in self.one.secret.versions.values() if one.get("secret_string")]
            move(self.one, stage, versions[number % len(versions)])

        @rule()
        def a_person_takes_awspending_off(self) -> None:
            self.person(0)
            self.one.secret.remove_version_stages_from_old_versions(["AWSPENDING"])

        def teardown(self) -> None:
            try:
                if hasattr(self, "one"):
                    self.settles()
            finally:
                if hasattr(self, "clock"):
                    self.clock.stop()

        def settles(self) -> None:
            """Left to itself, it comes to rest: or a notice says what a person must do."""
            one, topics = self.one, sns_backends[self.one.account]["us-east-1"].topics
            sent = topics[one.settings["KEYAUDIT_TOPIC"]].sent_notifications
            before = len(sent)
            for _ in range(5):
                self.jump(DAY + MINUTE)
                self.call("retire")
                self.seen.call(lambda: last_of(one))
            current = one.value("AWSCURRENT").get("accesskey")
            works = current in one.keys and one.keys[current].status == "Active"
            named, used = self.seen.tags.get("named", "").split(), self.seen.used
            at_rest = works and not pending_token(one) and not self.seen.tags.get("waiting")
            told["at rest" if at_rest else "said"] += 1
            assert at_rest or len(sent) > before or set(named) & one.keys.keys(), f"stuck, unsaid: {self.seen.tags}"
            others = [key_id for key_id in one.keys if key_id not in (current, *named, *used)]
            assert not works or {one.keys[key_id].status for key_id in others} <= {"Inactive"}, others

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=25,
            deadline=None,
            derandomize="KEYAUDIT_SEQUENCES" not in os.environ,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    record_property(SEQUENCES_PROPERTY, told["sequences"])
    print(told)
    assert told["calls"] > 5 * SEQUENCES and told["at rest"] > told["said"]


def move(one: Rotated, stage: str, version: dict[str, Any]) -> None:
    """A stage moved by a person; AWS puts AWSPREVIOUS where AWSCURRENT was."""
    former = [it for it in one.secret.versions.values() if stage in it["version_stages"]]
    if version in former:
        return
    one.secret.remove_version_stages_from_old_versions([stage])
    version["version_stages"].append(stage)
    if stage == "AWSCURRENT":
        one.secret.remove_version_stages_from_old_versions(["AWSPREVIOUS"])
        for it in former:
            it["version_stages"].append("AWSPREVIOUS")


def last_of(one: Rotated) -> Any:
    """A rotation that is under way, as far as it comes; all that was logged."""
    already = len(one.logs)
    secrets_manager(one)

    class Logged:
        log = "\n".join(one.logs[already:])

    return Logged
