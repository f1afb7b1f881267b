"""The function that rotates, failing at every call of every step and of the daily run: before the call took effect,
after it, and dead there. Whatever happens in between, the key in AWSCURRENT works, no key is taken away that may be in
use, and what was begun comes to its end by itself. The count of sequences survived is printed at the end of the run.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from aws import Fault, aws
from conftest import IS_NIGHTLY, SEQUENCES_PROPERTY
from rotating import SHORT, STEPS, Rotated, fill, function, pending_token, rotated, secrets_manager, sound

#: the function is not measured, and measuring the emulator would double what it costs
pytestmark = pytest.mark.no_cover
__all__ = ["aws", "function", "rotated"]
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
#: fails before it took effect, fails after; the function is dead there before, dead after
KINDS = ("denied", "late", "stall_before", "stall")
#: each call fails in each way, in a night; else in one of the ways, each in its turn
STRIDE = 1 if IS_NIGHTLY else len(KINDS)


def first(kind: str) -> int:
    """The first call that is to fail in this way."""
    return 0 if IS_NIGHTLY else KINDS.index(kind)


def at(start: datetime, after: timedelta) -> time_machine.travel:
    return time_machine.travel(start + after, tick=True)


def comes_to_its_end(one: Rotated, start: datetime, former: str) -> None:
    """Secrets Manager tries again at once and soon after, and the daily run goes on with what is left: within three
    days there is a new key, and within three more the former one is gone."""
    after = [0 * MINUTE, 6 * MINUTE, *(day * (DAY + MINUTE) for day in (1, 2, 3))]
    while one.value("AWSCURRENT")["accesskey"] == former or pending_token(one):
        with at(start, after.pop(0)):
            if len(after) < 3:
                assert one.call("retire").code == 0, one.logs[-1]
                sound(one)
            secrets_manager(one)
            sound(one)
    with at(start, 4 * DAY):
        one.daily(3 if len(one.keys) > 1 else 0)
    assert one.keys.keys() == {one.value("AWSCURRENT")["accesskey"]}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_fails_at_any_call_is_made_good(
    rotated: Rotated, step: str, kind: str, record_property: Callable[[str, object], None]
) -> None:
    survived, after, rotated.settings = 0, first(kind), dict(SHORT)
    while True:
        fill(rotated)
        former, start, token = rotated.value("AWSCURRENT")["accesskey"], datetime.now(UTC), rotated.begin()
        for earlier in STEPS[: STEPS.index(step)]:
            assert rotated.call(earlier, token).code == 0
        ended = rotated.call(step, token, Fault("*", kind, first=1, after=after))
        if not rotated.struck:  # it makes so many calls
            assert ended.code == 0 and after >= 3
            break
        sound(rotated)
        comes_to_its_end(rotated, start, former)
        survived, after = survived + 1, after + STRIDE
    record_property(SEQUENCES_PROPERTY, survived)
    assert survived or not IS_NIGHTLY


def graced(one: Rotated) -> datetime:
    """A rotation, and its grace over: the daily run is to deactivate the former key."""
    one.rotate()
    return datetime.now(UTC) + DAY + MINUTE


def retained(one: Rotated) -> datetime:
    """The daily run is to delete the former key."""
    with at(graced(one), timedelta()):
        assert "deactivated" in one.call("retire").outcomes
        return datetime.now(UTC) + DAY + MINUTE


def lost(one: Rotated) -> datetime:
    """The daily run is to find a lost key."""
    assert one.call("createSecret", one.begin(), Fault("CreateAccessKey", "stall")).code < 0
    return datetime.now(UTC) + DAY


def lost_for_a_day(one: Rotated) -> datetime:
    """The daily run is to delete a lost key, and to begin the rotation again."""
    with at(lost(one), timedelta()):
        assert "lost key deactivated" in one.call("retire").outcomes
        return datetime.now(UTC) + DAY + MINUTE


def stored(one: Rotated) -> datetime:
    """The daily run is to take AWSPENDING off a version with a key, and to begin the rotation again."""
    assert one.call("createSecret", one.begin()).code == 0
    return datetime.now(UTC) + DAY


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", [graced, retained, lost, lost_for_a_day, stored])
def test_a_daily_run_that_fails_at_any_call_is_made_good_the_next_day(
    rotated: Rotated,
    case: Callable[[Rotated], datetime],
    kind: str,
    record_property: Callable[[str, object], None],
) -> None:
    survived, after, rotated.settings = 0, first(kind), dict(SHORT)
    while True:
        fill(rotated)
        former, day = rotated.value("AWSCURRENT")["accesskey"], case(rotated)
        with at(day, timedelta()):
            ended = rotated.call("retire", "", Fault("*", kind, first=1, after=after))
            sound(rotated)
        if not rotated.struck:
            assert ended.code == 0 and after >= 3
            break
        comes_to_its_end(rotated, day + DAY, former)
        survived, after = survived + 1, after + STRIDE
    record_property(SEQUENCES_PROPERTY, survived)
