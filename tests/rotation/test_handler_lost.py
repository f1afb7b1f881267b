"""The function that rotates where a rotation broke off: keys that may be lost, room for a new one, and what goes on by
itself."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from aws import MANAGEMENT, Fault, aws, set_key
from handling import ALL_OVER, BRIEF, MINUTES, active, later, lose_a_key, noticed, notices, second, stopped, tags
from moto.iam.models import iam_backends
from rotating import STEPS, Rotated, function, pending_token, rotated

__all__ = ["aws", "function", "noticed", "rotated"]


# --- room for a second key ------------------------------------------------------------------------------------------
def test_an_inactive_key_of_nobody_makes_room_once_it_was_seen_inactive_for_the_whole_retention(
    rotated: Rotated,
) -> None:
    """Looked at daily, from deployment on, before there was any rotation."""
    gone = second(rotated, "Inactive", 200, 100)
    rotated.settings |= BRIEF
    assert "deleted" not in rotated.daily(4)
    with later(4):
        stopped(rotated.call("createSecret", rotated.begin()), "not yet seen inactive for 4 days")
    with later(4.1):
        assert rotated.call("retire").code == 0
        assert gone in rotated.keys  # while nothing needs its room, it is left
    with later(5.2):
        rotated.call("retire")
        rotated.rotate()
    assert gone not in rotated.keys and len(rotated.keys) == 2


@pytest.mark.parametrize(
    ("status", "made", "used", "said"),
    [
        ("Active", 200, (), "is active, never used"),
        ("Active", 200, (100,), "is active, last used"),
        ("Inactive", 200, (13,), "not yet seen inactive"),
        ("Inactive", 200, (), "not yet seen inactive"),  # a person may have deactivated it a minute before
    ],
)
def test_no_room_is_made_by_any_other_key_and_it_is_said_what_to_do(
    rotated: Rotated,
    status: str,
    made: float,
    used: tuple[float, ...],
    said: str,
) -> None:
    second(rotated, status, made, *used)
    before = active(rotated)
    stopped(rotated.call("createSecret", rotated.begin()), said, "find out who uses", "AWSCURRENT")
    assert active(rotated) == before


def test_a_second_rotation_within_the_grace_does_not_stop_all_later_ones(rotated: Rotated) -> None:
    first = rotated.value("AWSCURRENT")["accesskey"]
    rotated.settings |= BRIEF
    rotated.rotate()
    stuck = rotated.begin()
    stopped(rotated.call("createSecret", stuck), f"****{first[-4:]} is active", "begins again by itself")
    assert rotated.daily(1) == ["AWSPENDING cleared", "in its grace"][::-1]
    assert rotated.secret.versions[stuck]["version_stages"] == []
    # once the replaced key is gone, what was asked for is done
    outcomes = rotated.daily(7)
    assert outcomes[-2:] == ["deleted", "rotation begun again"]
    with later(7.1):
        rotated.rotate(pending_token(rotated))
    assert first not in rotated.keys and len(rotated.keys) == 2


def test_a_rotation_that_waits_for_an_inactive_key_of_nobody_goes_on_after_the_retention(rotated: Rotated) -> None:
    gone = second(rotated, "Inactive", 200)
    rotated.settings |= BRIEF
    stopped(rotated.call("createSecret", rotated.begin()), "not yet seen inactive for 4 days")
    assert rotated.daily(5) == ["inactive", "AWSPENDING cleared", "rotation begun again"]
    with later(5.2):
        rotated.rotate(pending_token(rotated))
    assert gone not in rotated.keys


def test_a_rotation_that_a_person_turned_off_is_not_begun_again(rotated: Rotated) -> None:
    rotated.begin()
    rotated.secret.rotation_enabled = False
    assert rotated.daily(3) == ["AWSPENDING cleared"]
    assert all("AWSPENDING" not in one["version_stages"] for one in rotated.secret.versions.values())


# --- keys that were lost --------------------------------------------------------------------------------------------
def test_a_lost_key_is_deactivated_with_a_notice_and_deleted_a_day_later_and_the_rotation_goes_on(
    noticed: Rotated,
) -> None:
    one = noticed
    token, lost = lose_a_key(one)
    assert one.call("createSecret", token).outcomes == ["attempt under way"]  # the first call may still be running
    assert active(one)[lost] == "Active" and notices(one) == []
    with later(6 * MINUTES):
        ended = one.call("createSecret", token)
        stopped(ended, "is a lost key", "the rotation goes on by itself")
        assert "lost key deactivated" in ended.outcomes and active(one)[lost] == "Inactive"
        assert lost[-4:] in notices(one)[0] and "To bring it back: aws iam update-access-key" in notices(one)[0]
    with later(0.9):
        one.call("retire")
        assert lost in one.keys
    with later(1.9):
        assert one.call("retire").outcomes[-2:] == ["lost key removed", "rotation begun again"]
        assert lost not in one.keys
        one.rotate(pending_token(one))
    assert len(one.keys) == 2


@pytest.mark.parametrize("step", ["createSecret", "retire"])
def test_a_young_attempt_is_judged_by_no_call(rotated: Rotated, step: str) -> None:
    token, lost = lose_a_key(rotated)
    for minutes in (0, 1, 5.4):
        with later(minutes * MINUTES):
            rotated.call(step, token)
            assert active(rotated)[lost] == "Active"
    with later(5.6 * MINUTES):
        rotated.call(step, token)
        assert active(rotated)[lost] == "Inactive"


@pytest.mark.parametrize("service", ["s3", "sts"])
def test_a_key_that_was_used_is_not_lost_whatever_it_was_used_for(noticed: Rotated, service: str) -> None:
    one = noticed
    one.settings |= BRIEF
    _, key_id = lose_a_key(one)
    set_key(one.account, key_id, last_used=datetime.now(UTC), service=service)
    one.daily(ALL_OVER)
    assert active(one)[key_id] == "Active"
    assert sum("is an active key that is not the secret's" in text for text in notices(one)) == 1


def test_a_lost_key_that_is_used_after_all_or_brought_back_is_left(noticed: Rotated) -> None:
    one = noticed
    one.settings |= BRIEF
    _, key_id = lose_a_key(one)
    assert "lost key deactivated" in one.daily(1)
    with later(1.2):
        one.keys[key_id].status = "Active"  # a person follows the notice
    with later(1.3):
        assert "nobody's key" in one.call("retire").outcomes
    with later(3):
        one.daily(ALL_OVER)
    assert active(one)[key_id] == "Active"


@pytest.mark.sampled(2)
@pytest.mark.parametrize("seconds", [-3, 60, 400, 18])
def test_a_key_made_before_or_after_the_attempt_is_a_person_s(rotated: Rotated, seconds: int) -> None:
    _, key_id = lose_a_key(rotated)
    begun = datetime.fromisoformat(tags(rotated)["keyaudit:attempt"].split()[1])
    rotated.made(key_id, begun + timedelta(seconds=seconds))
    rotated.daily(3)
    assert active(rotated)[key_id] == "Active"


@pytest.mark.parametrize("seconds", [-2, 0, 17])
def test_a_key_made_while_the_attempt_could_make_one_is_its_own(rotated: Rotated, seconds: int) -> None:
    _, key_id = lose_a_key(rotated)
    begun = datetime.fromisoformat(tags(rotated)["keyaudit:attempt"].split()[1])
    rotated.made(key_id, begun + timedelta(seconds=seconds))
    assert "lost key deactivated" in rotated.daily(1)


def test_of_two_such_keys_neither_is_taken_for_lost(noticed: Rotated) -> None:
    one = noticed
    iam_backends[MANAGEMENT]["aws"].users[one.user].access_keys.clear()
    one.put(accesskey="", secretkey="")
    lose_a_key(one)
    second(one, "Active", 0)
    one.daily(5)
    assert list(active(one).values()) == ["Active", "Active"]


@pytest.mark.parametrize("code", ["denied", "throttle"])
def test_after_an_answer_that_says_no_a_person_s_key_is_never_taken_for_a_lost_one(
    rotated: Rotated, code: str
) -> None:
    """CreateAccessKey is refused; a person makes a key within the next minutes."""
    rotated.settings |= BRIEF
    token = rotated.begin()
    rotated.call("createSecret", token, Fault("CreateAccessKey", code))
    assert tags(rotated)["keyaudit:attempt"] == ""
    persons = second(rotated, "Active", 0)
    stopped(rotated.call("createSecret", token), "is active")
    set_key(rotated.account, persons, last_used=datetime.now(UTC), service="sts")
    rotated.daily(ALL_OVER)
    assert active(rotated)[persons] == "Active"


def test_a_lost_answer_to_the_making_of_a_key_is_not_asked_for_again(rotated: Rotated) -> None:
    token = rotated.begin()
    assert rotated.call("createSecret", token, Fault("CreateAccessKey", "reset_after", first=1)).code == 1
    assert rotated.calls.count("CreateAccessKey") == 1 and len(rotated.keys) == 2
    assert rotated.daily(2)[-1] == "rotation begun again" and len(rotated.keys) == 1


@pytest.mark.parametrize("kind", ["malformed", "truncate", "empty"])
def test_an_answer_that_cannot_be_read_is_in_no_log(rotated: Rotated, kind: str) -> None:
    """botocore's error for it repeats the answer, with the secret key (the fixture looks for it in the logs)."""
    ended = rotated.call("createSecret", rotated.begin(), Fault("CreateAccessKey", kind))
    assert ended.code == 1 and len(rotated.keys) == 2
    (made,) = [
        key for key in rotated.keys.values() if key.access_key_id != rotated.value("AWSCURRENT")["accesskey"]
    ]
    assert made.secret_access_key not in ended.log and "<Response" not in ended.log


def test_a_record_that_took_over_two_seconds_is_written_anew_before_a_key_is_made(rotated: Rotated) -> None:
    """Else the key could be made later after the recorded start than such keys are looked for."""
    token, slow = (
        rotated.begin(),
        Fault("TagResource", "slower", first=1, after=1),
    )  # the first is of the current key
    assert rotated.call("createSecret", token, slow).outcomes == ["key made", "key stored"]
    assert rotated.calls.count("TagResource") == 4 and rotated.struck == 1
    assert rotated.calls[-5:] == ["TagResource", "TagResource", "CreateAccessKey", "PutSecretValue", "TagResource"]


def test_a_record_that_cannot_be_written_soon_enough_means_that_no_key_is_made(rotated: Rotated) -> None:
    slow = Fault("TagResource", "slower", first=1, after=1)
    assert rotated.call("createSecret", rotated.begin(), slow, seconds=30).outcomes == ["attempt under way"]
    assert "CreateAccessKey" not in rotated.calls and tags(rotated)["keyaudit:attempt"] == ""


def test_a_key_that_was_current_and_from_which_a_person_went_back_is_the_secret_s_own(rotated: Rotated) -> None:
    """30 minutes after a rotation AWSCURRENT is moved back and a note is put into the secret, so that the newer key is
    in no labelled version; a consumer uses it by AssumeRole."""
    before = rotated.value("AWSCURRENT")
    rotated.rotate()
    once = rotated.value("AWSCURRENT")["accesskey"]
    with later(30 * MINUTES):
        for note in ("", "a note"):
            rotated.put(**before, note=note)
        set_key(rotated.account, once, last_used=datetime.now(UTC), service="sts")
    with later(0.5):
        assert rotated.call("retire").outcomes == ["in its grace"]
        stopped(rotated.call("createSecret", rotated.begin()), "is active")
    assert active(rotated)[once] == "Active"


# --- a rotation that did not get through ----------------------------------------------------------------------------
def test_a_key_that_was_stored_and_never_became_current_is_what_the_next_rotation_uses(rotated: Rotated) -> None:
    token = rotated.begin()
    for step in STEPS[:3]:
        assert rotated.call(step, token).code == 0
    stuck = rotated.value("AWSPENDING")["accesskey"]
    assert rotated.daily(1) == ["AWSPENDING cleared", "rotation begun again"]
    again = pending_token(rotated)
    with later(1.1):
        assert rotated.call("createSecret", again).outcomes == ["key stored again"]
        rotated.rotate(again)
    assert rotated.value("AWSCURRENT")["accesskey"] == stuck and len(rotated.keys) == 2


@pytest.mark.parametrize("how", ["its record was lost", "of version 1", "RotateSecret failed", "by a person"])
def test_a_stored_key_is_gone_on_with_however_that_came(noticed: Rotated, how: str) -> None:
    one, token = noticed, noticed.begin()
    if how == "its record was lost":  # dead between PutSecretValue and the record
        assert one.call("createSecret", token, Fault("TagResource", "stall_before", first=1, after=2)).code < 0
    else:
        assert one.call("createSecret", token).code == 0
    stuck, faults = one.value("AWSPENDING")["accesskey"], []
    if how == "of version 1":
        one.secret.tags = []
    if how == "RotateSecret failed":
        faults = [Fault("RotateSecret", "denied")]
    if how == "by a person":  # as the command line advises
        one.secret.remove_version_stages_from_old_versions(["AWSPENDING"])
    with later(1):
        assert one.call("retire", "", *faults).code == 0
    with later(2):
        one.call("retire")
        assert one.call("createSecret", pending_token(one) or one.begin()).outcomes == ["key stored again"]
    assert one.value("AWSPENDING")["accesskey"] == stuck and len(one.keys) == 2


def test_two_lost_keys_are_both_deleted_after_their_day(noticed: Rotated) -> None:
    one = noticed
    iam_backends[MANAGEMENT]["aws"].users[one.user].access_keys.clear()
    one.put(accesskey="", secretkey="")
    token, _ = lose_a_key(one)
    with later(10 * MINUTES):
        assert one.call("createSecret", token, Fault("CreateAccessKey", "stall")).code < 0
    with later(20 * MINUTES):
        one.call("createSecret", token)
    assert list(active(one).values()) == ["Inactive", "Inactive"]
    one.daily(2)
    assert one.keys == {}


@pytest.mark.parametrize("how", ["Inactive", "deleted"])
def test_a_key_that_a_person_took_away_never_becomes_current(rotated: Rotated, how: str) -> None:
    token, before = rotated.begin(), rotated.value("AWSCURRENT")
    for step in STEPS[:3]:
        assert rotated.call(step, token).code == 0
    pending = rotated.value("AWSPENDING")["accesskey"]
    if how == "deleted":
        iam_backends[MANAGEMENT]["aws"].delete_access_key(pending, rotated.user)
    else:
        rotated.keys[pending].status = "Inactive"
    stopped(rotated.call("finishSecret", token, seconds=16), "is not an active key of")
    assert rotated.value("AWSCURRENT") == before


def test_a_stored_key_that_is_too_old_to_be_rotated_into_use_is_retired_like_any_other(rotated: Rotated) -> None:
    """60 days, 14 of grace, 2 of slack and 90 leave 14."""
    token = rotated.begin()
    rotated.call("createSecret", token)
    stuck = rotated.value("AWSPENDING")["accesskey"]
    with later(15):
        stopped(rotated.call("createSecret", rotated.begin()), "is active")
        outcomes = rotated.daily(45)
        assert outcomes[-2:] == ["deleted", "rotation begun again"] and stuck not in rotated.keys


def test_a_key_that_a_person_went_back_from_is_never_rotated_into_use_again(rotated: Rotated) -> None:
    before = rotated.value("AWSCURRENT")
    rotated.rotate()
    rotated.put(**before)
    stopped(rotated.call("createSecret", rotated.begin()), "is active")
    assert rotated.value("AWSCURRENT")["accesskey"] == before["accesskey"]


def test_a_field_that_a_person_changes_during_a_rotation_is_kept(rotated: Rotated) -> None:
    token, before = rotated.begin(), rotated.value("AWSCURRENT")
    rotated.call("createSecret", token)
    rotated.put(**before, note="put meanwhile")
    for step in STEPS[1:]:
        ended = rotated.call(step, token)
        assert ended.code == 0, ended.log
    now = rotated.value("AWSCURRENT")
    assert ended.outcomes == ["fields carried over"] and now["note"] == "put meanwhile"
    assert (
        now["accesskey"] != before["accesskey"] and rotated.value("AWSPREVIOUS")["accesskey"] == before["accesskey"]
    )
    assert rotated.value("AWSPENDING") == {}
    assert rotated.call("finishSecret", token).outcomes == ["already current"]


def test_a_new_key_that_iam_lists_late_is_waited_for(rotated: Rotated) -> None:
    token = rotated.begin()
    rotated.call("createSecret", token)
    pending = rotated.value("AWSPENDING")["accesskey"]
    user = iam_backends[MANAGEMENT]["aws"].users[rotated.user]
    late = [key for key in user.access_keys if key.access_key_id == pending]
    user.access_keys.remove(late[0])
    timer = threading.Timer(0.7, user.access_keys.append, late)
    timer.start()
    assert rotated.call("setSecret", token, seconds=20, pauses=True).outcomes == ["key is active"]
    timer.join()
