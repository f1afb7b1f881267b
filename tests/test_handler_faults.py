"""The function that rotates, failing at every call of every step: whatever happens in between, the key in AWSCURRENT
exists, is active and is the secret's; never more than two keys; and after a later undisturbed rotation no key is left
that nobody holds. The count of sequences survived is printed at the end of the test run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from aws import Aws, Fault, aws
from conftest import SEQUENCES_PROPERTY
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from rotating import STEPS, Lambda, Rotated, fill, function, rotated

#: the function is not measured, and measuring the emulator would double what it costs
pytestmark = pytest.mark.no_cover
__all__ = ["aws", "function", "rotated"]
DAY = timedelta(days=1)
#: fails before it took effect, fails after; the function is dead there before, dead after
KINDS = ("denied", "late", "stall_before", "stall")


def sound(one: Rotated) -> None:
    """What must hold after every sequence, however it ended."""
    current, keys = one.value("AWSCURRENT"), one.keys
    assert len(keys) <= 2, keys
    assert keys[current["accesskey"]].status == "Active"
    assert keys[current["accesskey"]].secret_access_key == current["secretkey"]
    assert current["username"] == one.user


def recovers(one: Rotated) -> None:
    """A later undisturbed rotation and retire succeed, and leave no key that nobody holds."""
    start = datetime.now(UTC)
    for day in (15, 46):
        with time_machine.travel(start + day * DAY, tick=True):
            assert one.call("retire").code == 0, one.logs[-1]
            sound(one)
    with time_machine.travel(start + 60 * DAY, tick=True):
        one.rotate()
        sound(one)
        assert one.call("retire").code == 0
        assert one.keys.keys() == {one.value(stage)["accesskey"] for stage in ("AWSCURRENT", "AWSPREVIOUS")}
        assert one.value("AWSPENDING") == {}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_fails_at_any_call_is_made_good_by_its_retry(
    rotated: Rotated, step: str, kind: str, record_property: Callable[[str, object], None]
) -> None:
    survived = 0
    while True:
        fill(rotated)
        token = rotated.begin()
        for earlier in STEPS[: STEPS.index(step)]:
            assert rotated.call(earlier, token).code == 0
        ended = rotated.call(step, token, Fault("*", kind, first=1, after=survived))
        if not rotated.struck:  # it makes so many calls
            assert ended.code == 0 and survived >= 3
            break
        sound(rotated)
        rotated.rotate(token)  # Secrets Manager begins again with the first step
        sound(rotated)
        assert len(rotated.keys) == 2 and rotated.value("AWSPENDING") == {}
        recovers(rotated)
        survived += 1
    record_property(SEQUENCES_PROPERTY, survived)
    assert survived


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("day", [15, 46])
def test_retiring_that_fails_at_any_call_is_made_good_the_next_day(
    rotated: Rotated, day: int, kind: str, record_property: Callable[[str, object], None]
) -> None:
    survived = 0
    while True:
        fill(rotated)
        rotated.rotate()
        start = datetime.now(UTC)
        if day == 46:
            with time_machine.travel(start + 15 * DAY, tick=True):
                assert rotated.call("retire").outcomes == ["deactivated"]
        with time_machine.travel(start + day * DAY, tick=True):
            ended = rotated.call("retire", "", Fault("*", kind, first=1, after=survived))
            sound(rotated)
        if not rotated.struck:
            assert ended.code == 0 and survived >= 3
            break
        recovers(rotated)
        survived += 1
    record_property(SEQUENCES_PROPERTY, survived)


def test_whatever_fails_in_whatever_order_the_secret_works_and_no_key_is_lost(
    aws: Aws, function: Lambda, record_property: Callable[[str, object], None]
) -> None:
    told: Counter[str] = Counter()

    class Machine(RuleBasedStateMachine):
        """Secrets Manager, the daily rule, time, a person who puts the value by hand, and faults."""

        @initialize()
        def begin(self) -> None:
            self.clock = time_machine.travel(datetime.now(UTC), tick=True)
            self.clock.start()
            self.one = Rotated(aws, function)
            aws.reset()
            fill(self.one)
            self.token = ""
            told["sequences"] += 1

        def fault(self, chosen: tuple[str, int] | None) -> list[Fault]:
            return [Fault("*", chosen[0], first=1, after=chosen[1])] if chosen else []

        @rule()
        def new_rotation(self) -> None:
            self.token = self.one.begin()

        @precondition(lambda self: self.token)
        @rule(step=st.sampled_from(STEPS), fault=st.none() | st.tuples(st.sampled_from(KINDS), st.integers(0, 9)))
        def a_step(self, step: str, fault: tuple[str, int] | None) -> None:
            self.one.call(step, self.token, *self.fault(fault))
            told["calls"] += 1

        @precondition(lambda self: self.token)
        @rule()
        def a_whole_rotation(self) -> None:
            for step in STEPS:
                if self.one.call(step, self.token).code:
                    break
            told["calls"] += 4

        @rule(fault=st.none() | st.tuples(st.sampled_from(KINDS), st.integers(0, 9)))
        def the_daily_rule(self, fault: tuple[str, int] | None) -> None:
            self.one.call("retire", "", *self.fault(fault))
            told["calls"] += 1

        @rule(days=st.sampled_from((1, 15, 31)))
        def time_passes(self, days: int) -> None:
            now = datetime.now(UTC)
            self.clock.stop()
            self.clock = time_machine.travel(now + days * DAY, tick=True)
            self.clock.start()

        @rule()
        def a_person_puts_the_same_value_by_hand(self) -> None:
            self.one.put(**self.one.value("AWSCURRENT"))

        @invariant()
        def it_is_sound(self) -> None:
            if hasattr(self, "one"):
                sound(self.one)

        def teardown(self) -> None:
            try:
                if hasattr(self, "one"):
                    self.one.begin()
                    recovers(self.one)
            finally:
                if hasattr(self, "clock"):
                    self.clock.stop()

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    record_property(SEQUENCES_PROPERTY, told["sequences"])
    assert told["calls"] > 100
