"""The function that rotates, failing at every call of every step and of the daily run: before the call took effect,
after it, and dead there. Whatever happens in between, the key in AWSCURRENT works, no key is taken away that may be in
use, and what was begun comes to its end by itself. The count of sequences survived is printed at the end of the run.
"""

from __future__ import annotations

import itertools
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
#: what is done before the call that fails -> when that is made, which step it is, and of which token
Case = Callable[[Rotated], tuple[datetime, str, str]]


def at(start: datetime, after: timedelta = timedelta()) -> time_machine.travel:
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


def survived(one: Rotated, case: Case) -> int:
    """Each call fails in each way (in two of the four, but for a nightly run), and all comes to its end: how many
    sequences that are. All begin at the same
    moment with the same keys. What follows depends on what AWS then holds alone, so that of equal states one is
    followed to its end; in a nightly run each is."""
    one.settings = dict(SHORT)
    fill(one)
    former, followed, count = one.value("AWSCURRENT")["accesskey"], set(), 0
    moment, step, token = case(one)
    go_back = one.keep()
    for kind in KINDS:
        for after in itertools.count():
            if (after + KINDS.index(kind)) % 2 and not IS_NIGHTLY:
                continue
            go_back()
            with at(moment):
                ended = one.call(step, token, Fault("*", kind, first=1, after=after))
            if not one.struck:  # it makes so many calls
                assert ended.code == 0 and after >= 3
                break
            sound(one)
            count += 1
            if (state := one.state()) not in followed or IS_NIGHTLY:
                comes_to_its_end(one, moment if step in STEPS else moment + DAY, former)
                followed.add(state)
    return count


def before(step: str) -> Case:
    """A rotation that is under way, up to this step."""

    def case(one: Rotated) -> tuple[datetime, str, str]:
        token, start = one.begin(), now()
        for earlier in STEPS[: STEPS.index(step)]:
            assert one.call(earlier, token).code == 0
        return start + timedelta(seconds=30), step, token

    return case


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_fails_at_any_call_is_made_good(
    rotated: Rotated, step: str, record_property: Callable[[str, object], None]
) -> None:
    record_property(SEQUENCES_PROPERTY, survived(rotated, before(step)))


def now() -> datetime:
    """A moment at which a second begins."""
    return datetime.now(UTC).replace(microsecond=0)


def graced(one: Rotated) -> datetime:
    """A rotation, and its grace over: the daily run is to deactivate the former key."""
    one.rotate()
    return now() + DAY + MINUTE


def retained(one: Rotated) -> datetime:
    """The daily run is to delete the former key."""
    with at(graced(one)):
        assert "deactivated" in one.call("retire").outcomes
        return now() + DAY + MINUTE


def lost(one: Rotated) -> datetime:
    """The daily run is to find a lost key."""
    assert one.call("createSecret", one.begin(), Fault("CreateAccessKey", "stall")).code < 0
    return now() + DAY


def lost_for_a_day(one: Rotated) -> datetime:
    """The daily run is to delete a lost key, and to begin the rotation again."""
    with at(lost(one)):
        assert "lost key deactivated" in one.call("retire").outcomes
        return now() + DAY + MINUTE


def stored(one: Rotated) -> datetime:
    """The daily run is to take AWSPENDING off a version with a key, and to begin the rotation again."""
    assert one.call("createSecret", one.begin()).code == 0
    return now() + DAY


@pytest.mark.sampled(2)
@pytest.mark.parametrize("case", [graced, retained, lost, lost_for_a_day, stored])
def test_a_daily_run_that_fails_at_any_call_is_made_good_the_next_day(
    rotated: Rotated, case: Callable[[Rotated], datetime], record_property: Callable[[str, object], None]
) -> None:
    record_property(SEQUENCES_PROPERTY, survived(rotated, lambda one: (case(one), "retire", "")))
