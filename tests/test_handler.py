"""The function that rotates, step by step, over HTTP: what it does, and what it refuses (DOMAIN.md)."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from aws import MANAGEMENT, Fault, add_user, aws, set_key  # noqa: F401
from evidence_helpers import wait_for
from moto.iam.models import iam_backends
from moto.sns.models import sns_backends
from rotating import STEPS, Ended, Rotated, function, pending_token, rotated  # noqa: F401

DAY = timedelta(days=1)


def later(days: float) -> time_machine.travel:
    """The clock of everything, moved on."""
    return time_machine.travel(datetime.now(UTC) + days * DAY, tick=True)


def active(one: Rotated) -> dict[str, str]:
    return {key_id: key.status for key_id, key in one.keys.items()}


def stopped(ended: Ended, *said: str) -> None:
    """It failed with a reason that a person can act on, and logged that."""
    assert ended.code == 1
    told = [line["reason"] for line in ended.lines if line["outcome"] == "stopped"]
    for text in said:
        assert any(text in reason for reason in told) or text in ended.log, ended.log


# --- a rotation -----------------------------------------------------------------------------------------------------
def test_a_rotation_makes_one_key_moves_the_stages_and_leaves_the_former_key_alone(rotated: Rotated) -> None:
    before = rotated.value("AWSCURRENT")
    token = rotated.rotate()
    now = rotated.value("AWSCURRENT")
    assert rotated.secret.versions[token]["version_stages"] == ["AWSCURRENT"]
    assert rotated.value("AWSPREVIOUS") == before and rotated.value("AWSPENDING") == {}
    assert active(rotated) == {before["accesskey"]: "Active", now["accesskey"]: "Active"}
    assert rotated.keys[now["accesskey"]].secret_access_key == now["secretkey"]


def test_a_secret_with_a_user_name_alone_is_enough_and_nobody_handles_the_first_key(rotated: Rotated) -> None:
    iam_backends[MANAGEMENT]["aws"].users[rotated.user].access_keys.clear()
    rotated.put(accesskey="", secretkey="")
    token = rotated.begin()
    assert rotated.call("testSecret", token).outcomes == ["nothing to test yet"]
    rotated.rotate(token)
    assert list(rotated.keys) == [rotated.value("AWSCURRENT")["accesskey"]]
    rotated.put()
    rotated.rotate()


def test_unknown_fields_of_the_secret_are_kept(rotated: Rotated) -> None:
    held = rotated.value("AWSCURRENT")
    rotated.put(**{**held, "region": "eu-central-1", "note": "for billing"})
    rotated.rotate()
    now = rotated.value("AWSCURRENT")
    assert (now["region"], now["note"], now["username"]) == ("eu-central-1", "for billing", rotated.user)


@pytest.mark.parametrize("own", [True, False])
def test_the_key_of_masterarn_signs_the_calls_of_iam(rotated: Rotated, own: bool) -> None:
    held = rotated.value("AWSCURRENT")
    if own:
        master, signer = rotated.secret.arn, held["accesskey"]
    else:
        (signer,) = add_user(MANAGEMENT, "master", keys=[(datetime.now(UTC) - DAY, "Active")])
        other = Rotated(rotated.aws, rotated.function, "master")
        other.put(accesskey=signer, secretkey=other.keys[signer].secret_access_key)
        master = other.secret.arn
    rotated.put(**{**held, "masterarn": master})
    stopped(rotated.call("createSecret", rotated.begin()), "a masterarn that the function was not deployed with")
    rotated.settings["KEYAUDIT_MASTER"] = "self" if own else master
    rotated.rotate()
    assert rotated.value("AWSCURRENT")["masterarn"] == master
    assert set(rotated.signers["CreateAccessKey"]) == {signer}


@pytest.mark.parametrize("times", [2, 3])
def test_each_step_can_be_called_again_with_the_same_token(rotated: Rotated, times: int) -> None:
    token = rotated.begin()
    for step in STEPS:
        for _ in range(times):
            assert rotated.call(step, token).code == 0
    for step in STEPS:
        assert rotated.call(step, token).outcomes == ["already current"]
    assert len(rotated.keys) == 2 and rotated.value("AWSPENDING") == {}


def test_a_new_key_is_waited_for_until_iam_knows_it_everywhere(rotated: Rotated) -> None:
    token = rotated.begin()
    rotated.call("createSecret", token)
    ended = rotated.call("testSecret", token, Fault("GetCallerIdentity", "invalid", first=2))
    assert ended.outcomes == ["key works"] and rotated.struck == 2


def test_a_key_that_never_works_fails_the_test_within_the_function_s_time(rotated: Rotated) -> None:
    token = rotated.begin()
    rotated.call("createSecret", token)
    stopped(rotated.call("testSecret", token, Fault("GetCallerIdentity", "invalid"), seconds=17), "is not accepted")
    assert rotated.value("AWSCURRENT")["accesskey"] != rotated.value("AWSPENDING")["accesskey"]


def test_a_key_of_somebody_else_fails_the_test(rotated: Rotated) -> None:
    (foreign,) = add_user(MANAGEMENT, "mallory", keys=[(datetime.now(UTC) - DAY, "Active")])
    secret = iam_backends[MANAGEMENT]["aws"].users["mallory"].access_keys[0].secret_access_key
    token = rotated.begin()
    value = {"username": rotated.user, "accesskey": foreign, "secretkey": secret}
    rotated.secret.versions[token]["secret_string"] = json.dumps(value)
    stopped(rotated.call("testSecret", token), "mallory")
    stopped(rotated.call("setSecret", token, seconds=16), "is not an active key of")


def test_the_test_that_aws_makes_of_a_mere_schedule_passes_if_the_current_key_works(rotated: Rotated) -> None:
    assert rotated.call("testSecret", rotated.begin()).outcomes == ["key works"]
    ended = rotated.call("testSecret", rotated.begin(), Fault("GetCallerIdentity", "invalid"), seconds=17)
    stopped(ended, "is not accepted")


# --- what it refuses ------------------------------------------------------------------------------------------------
def test_a_token_that_is_not_to_be_rotated_is_refused(rotated: Rotated) -> None:
    for step in STEPS:
        stopped(rotated.call(step, "11111111-1111-1111-1111-111111111111"), "no version of the secret")
    token = rotated.begin()
    rotated.secret.versions[token]["version_stages"] = []
    for step in STEPS:
        stopped(rotated.call(step, token), "not AWSPENDING")
    stopped(rotated.call("dropSecret", token), "no step of a rotation")
    assert len(rotated.keys) == 1


@pytest.mark.parametrize("text", ["", "[]", "null", '"x"', "{", "plain text", '{"username": "another"}', "{}"])
def test_a_secret_of_another_form_or_user_is_refused_and_nothing_is_made(rotated: Rotated, text: str) -> None:
    version = next(iter(rotated.secret.versions.values()))
    version["secret_string"] = text
    for step in ("createSecret", "testSecret", "retire"):
        assert rotated.call(step, rotated.begin()).code == 1
    assert len(rotated.keys) == 1


def test_half_a_key_is_refused(rotated: Rotated) -> None:
    rotated.put(accesskey="AKIAIOSFODNN7EXAMPLE")
    stopped(rotated.call("createSecret", rotated.begin()), "accesskey or secretkey, and not the other")


def test_a_master_without_a_key_is_refused(rotated: Rotated) -> None:
    rotated.put(masterarn=rotated.secret.arn)
    rotated.settings["KEYAUDIT_MASTER"] = "self"
    stopped(rotated.call("createSecret", rotated.begin()), "holds no key to sign with")


def test_a_version_without_a_key_never_becomes_current(rotated: Rotated) -> None:
    token, before = rotated.begin(), rotated.value("AWSCURRENT")
    for step in ("setSecret", "finishSecret"):
        stopped(rotated.call(step, token), "createSecret must come first")
    assert rotated.value("AWSCURRENT") == before


# --- room for a second key ------------------------------------------------------------------------------------------
def second(one: Rotated, status: str, made: float, *used: float) -> str:
    """A further key of the user, so many days old, last used so many days ago."""
    now = datetime.now(UTC).replace(microsecond=0)
    key_id = iam_backends[MANAGEMENT]["aws"].create_access_key(one.user).access_key_id
    one.made(key_id, now - made * DAY, status, *(now - day * DAY for day in used))
    return key_id


def test_an_inactive_key_of_nobody_makes_room_once_it_was_seen_inactive_for_the_whole_retention(
    rotated: Rotated,
) -> None:
    """Looked at daily, from deployment on, before there was any rotation."""
    gone = second(rotated, "Inactive", 200, 100)
    assert "deleted" not in rotated.daily(30)
    with later(30):
        stopped(rotated.call("createSecret", rotated.begin()), "not yet seen inactive for 30 days")
    with later(30.1):
        assert rotated.call("retire").code == 0
        assert gone in rotated.keys  # while nothing needs its room, it is left
    with later(31.2):
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
    rotated.rotate()
    stuck = rotated.begin()
    stopped(rotated.call("createSecret", stuck), f"****{first[-4:]} is active", "begins again by itself")
    assert rotated.daily(1) == ["AWSPENDING cleared", "in its grace"][::-1]
    assert rotated.secret.versions[stuck]["version_stages"] == []
    # once the replaced key is gone, what was asked for is done
    outcomes = rotated.daily(44)
    assert outcomes[-2:] == ["deleted", "rotation begun again"]
    with later(44.1):
        rotated.rotate(pending_token(rotated))
    assert first not in rotated.keys and len(rotated.keys) == 2


def test_a_rotation_that_waits_for_an_inactive_key_of_nobody_goes_on_after_the_retention(rotated: Rotated) -> None:
    gone = second(rotated, "Inactive", 200)
    stopped(rotated.call("createSecret", rotated.begin()), "not yet seen inactive for 30 days")
    assert rotated.daily(31) == ["inactive", "AWSPENDING cleared", "rotation begun again"]
    with later(31.2):
        rotated.rotate(pending_token(rotated))
    assert gone not in rotated.keys


def test_a_rotation_that_a_person_turned_off_is_not_begun_again(rotated: Rotated) -> None:
    rotated.begin()
    rotated.secret.rotation_enabled = False
    assert rotated.daily(3) == ["AWSPENDING cleared"]
    assert all("AWSPENDING" not in one["version_stages"] for one in rotated.secret.versions.values())


# --- keys that were lost --------------------------------------------------------------------------------------------
def lose_a_key(one: Rotated) -> tuple[str, str]:
    """The function dies after CreateAccessKey took effect: the token, and the id of the key that nobody has."""
    token, before = one.begin(), set(one.keys)
    assert one.call("createSecret", token, Fault("CreateAccessKey", "stall")).code < 0
    (lost,) = set(one.keys) - before
    return token, lost


MINUTES = 1 / 24 / 60


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
    _, key_id = lose_a_key(one)
    set_key(one.account, key_id, last_used=datetime.now(UTC), service=service)
    one.daily(60)
    assert active(one)[key_id] == "Active"
    assert sum("is an active key that is not the secret's" in text for text in notices(one)) == 1


def test_a_lost_key_that_is_used_after_all_or_brought_back_is_left(noticed: Rotated) -> None:
    one = noticed
    _, key_id = lose_a_key(one)
    assert "lost key deactivated" in one.daily(1)
    with later(1.2):
        one.keys[key_id].status = "Active"  # a person follows the notice
    with later(1.3):
        assert "nobody's key" in one.call("retire").outcomes
    with later(3):
        one.daily(60)
    assert active(one)[key_id] == "Active"


@pytest.mark.parametrize("seconds", [-3, 18, 60, 400])
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
    token = rotated.begin()
    rotated.call("createSecret", token, Fault("CreateAccessKey", code))
    assert tags(rotated)["keyaudit:attempt"] == ""
    persons = second(rotated, "Active", 0)
    stopped(rotated.call("createSecret", token), "is active")
    set_key(rotated.account, persons, last_used=datetime.now(UTC), service="sts")
    rotated.daily(50)
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


def test_a_record_that_took_long_to_write_is_written_anew_before_a_key_is_made(rotated: Rotated) -> None:
    token = rotated.begin()
    slow = [Fault("TagResource", "stall", first=1, after=1)]  # the second: the first is of the current key
    rotated.call("createSecret", token, *slow)
    assert "CreateAccessKey" not in rotated.calls
    with later(6 * MINUTES):
        assert rotated.call("createSecret", token).outcomes == ["key made", "key stored"]


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
    assert rotated.call("setSecret", token, seconds=20).outcomes == ["key is active"]
    timer.join()


# --- retire ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def noticed(rotated: Rotated) -> Rotated:
    """The function with a topic for its notices."""
    topic = rotated.aws.client("sns")
    rotated.settings["KEYAUDIT_TOPIC"] = topic.create_topic(Name="notices")["TopicArn"]
    topic.close()
    return rotated


@pytest.fixture
def replaced(noticed: Rotated) -> tuple[Rotated, str]:
    """A user whose key was just rotated, and the id of the former one."""
    former = noticed.value("AWSCURRENT")["accesskey"]
    noticed.rotate()
    return noticed, former


def tags(one: Rotated) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in one.secret.tags}


def notices(one: Rotated) -> list[str]:
    topic = sns_backends[MANAGEMENT]["us-east-1"].topics[one.settings["KEYAUDIT_TOPIC"]]
    return [sent[1] for sent in topic.sent_notifications]


def test_the_replaced_key_is_deactivated_after_its_grace_and_deleted_after_its_retention(replaced) -> None:
    one, former = replaced
    current = one.value("AWSCURRENT")["accesskey"]
    told = one.daily(47)
    assert told == ["in its grace"] * 13 + ["deactivated"] + ["in its retention"] * 29 + ["deleted"]
    assert active(one) == {current: "Active"}
    (said,) = notices(one)
    assert f"****{former[-4:]}" in said and "deleted after 30 days" in said and "--status Active" in said


def test_grace_runs_from_the_moment_when_a_key_stopped_being_current(rotated: Rotated) -> None:
    """The test of the new key failed for 20 days: the version is old, the replaced key was current a minute ago."""
    token, former = rotated.begin(), rotated.value("AWSCURRENT")["accesskey"]
    rotated.call("createSecret", token)
    with later(20):
        for step in STEPS[1:]:
            assert rotated.call(step, token).code == 0
        assert rotated.call("retire").outcomes == ["in its grace"]
    with later(33):
        assert rotated.call("retire").outcomes == ["in its grace"]
    with later(34.1):
        assert rotated.call("retire").outcomes == ["deactivated"]
    assert active(rotated)[former] == "Inactive"


def test_grace_starts_anew_whenever_a_key_was_current_again(replaced) -> None:
    """After going back on day 9 the key that was current until then is not deactivated on day 15."""
    one, former = replaced
    newer, held = one.value("AWSCURRENT")["accesskey"], one.keys[former]
    with later(8):
        assert one.call("retire").outcomes == ["in its grace"]
    with later(9):
        one.put(accesskey=former, secretkey=held.secret_access_key)
    for day in (9.1, 15, 22.9):
        with later(day):
            assert one.call("retire").outcomes == ["in its grace"]
    with later(23.2):
        assert one.call("retire").outcomes == ["deactivated"]
    assert active(one) == {former: "Active", newer: "Inactive"}


def test_what_does_not_follow_from_the_last_record_starts_every_grace_anew(replaced) -> None:
    """A third key was current in between, unseen."""
    one, _ = replaced
    with later(13):
        assert one.call("retire").outcomes == ["in its grace"]
        user = iam_backends[MANAGEMENT]["aws"].users[one.user]
        gone = one.value("AWSCURRENT")["accesskey"]
        user.access_keys = [key for key in user.access_keys if key.access_key_id != gone]
        by_hand = second(one, "Active", 0)
        one.put(accesskey=by_hand, secretkey=one.keys[by_hand].secret_access_key)
    for day in (15, 28):
        with later(day):
            assert one.call("retire").outcomes == ["in its grace"]
    with later(29.1):
        assert one.call("retire").outcomes == ["deactivated"]


def test_a_replaced_key_that_is_in_use_is_left_and_who_uses_it_is_told(replaced) -> None:
    one, former = replaced
    with later(20):
        one.made(former, datetime.now(UTC) - 60 * DAY, "Active", datetime.now(UTC) - DAY)
        assert one.call("retire").outcomes == ["still in use"]
        assert active(one)[former] == "Active"
        (said,) = notices(one)
        assert (
            former[-4:] in said
            and former not in said
            and "last used" in said
            and "us-east-1" in said
            and "s3" in said
        )


@pytest.mark.parametrize("opted", [True, False])
def test_a_key_in_use_that_is_about_to_breach_is_deactivated_only_if_the_owner_opted_in(
    replaced, opted: bool
) -> None:
    one, former = replaced
    with later(20):
        one.made(former, datetime.now(UTC) - 88.5 * DAY, "Active", datetime.now(UTC) - DAY)
        ended = one.call("retire", **({"KEYAUDIT_DEACTIVATE_IN_USE": "yes"} if opted else {}))
        assert active(one)[former] == ("Inactive" if opted else "Active")
        assert ("NON_COMPLIANT" in ended.log) == (not opted)
        assert len(notices(one)) == 1


def test_the_current_key_is_never_touched_also_where_it_is_the_previous_one_too(replaced) -> None:
    one, _ = replaced
    held = one.value("AWSCURRENT")
    one.put(**held)  # by hand
    assert one.value("AWSPREVIOUS")["accesskey"] == held["accesskey"]
    one.daily(60)
    assert active(one) == {held["accesskey"]: "Active"}


def test_a_pending_key_is_not_retired(rotated: Rotated) -> None:
    token = rotated.begin()
    rotated.call("createSecret", token)
    pending = rotated.value("AWSPENDING")["accesskey"]
    with later(30):
        assert rotated.call("retire").code == 0
        assert active(rotated)[pending] == "Active"


@pytest.mark.parametrize("adopted", [True, False])
def test_keys_adopted_at_deployment_are_retired_and_others_are_left_with_a_notice(
    noticed: Rotated, adopted: bool
) -> None:
    one = noticed
    former = one.value("AWSCURRENT")["accesskey"]
    one.secret.versions.clear()
    one.put()
    one.settings["KEYAUDIT_ADOPTED"] = former if adopted else ""
    one.rotate()
    outcomes = one.daily(15)
    assert outcomes == ["in its grace"] * 14 + ["deactivated"] if adopted else ["nobody's key"] * 15
    assert active(one)[former] == ("Inactive" if adopted else "Active")
    assert len(notices(one)) == 1  # that it was deactivated; that it is nobody's, once


def test_nothing_is_retired_where_the_current_key_is_not_there_or_not_active(replaced) -> None:
    one, former = replaced
    current = one.value("AWSCURRENT")["accesskey"]
    one.keys[current].status = "Inactive"
    with later(30):
        stopped(one.call("retire"), "is not an active key")
    assert active(one)[former] == "Active" and len(notices(one)) == 1


def test_a_key_that_a_person_activated_again_gets_a_whole_new_grace_and_retention(replaced) -> None:
    one, former = replaced
    with later(15):
        assert one.call("retire").outcomes == ["deactivated"]
    with later(15.5):
        one.keys[former].status = "Active"
    with later(16):
        assert one.call("retire").outcomes == ["active again", "in its grace"]
    with later(29.9):
        assert one.call("retire").outcomes == ["in its grace"]
    with later(30.1):
        assert one.call("retire").outcomes == ["deactivated"]
        assert one.daily(30)[-1] == "deleted"


@pytest.mark.parametrize("seen", ["used", "not looked at"])
def test_a_retention_that_may_have_been_interrupted_begins_anew(replaced, seen: str) -> None:
    """A person activated the key, and deactivated it again, which no daily run saw."""
    one, former = replaced
    with later(15):
        assert one.call("retire").outcomes == ["deactivated"]
        if seen == "used":
            one.daily(20)
    with later(36 if seen == "used" else 44):
        if seen == "used":
            set_key(one.account, former, last_used=datetime.now(UTC) - DAY / 2)
        assert one.call("retire").outcomes == ["inactive", "in its retention"]
    with later(46):
        assert one.call("retire").outcomes[-1] == "in its retention"
    assert former in one.keys


def test_a_key_that_somebody_deactivated_is_kept_for_the_whole_retention_from_when_that_is_seen(replaced) -> None:
    one, former = replaced
    with later(5):
        one.keys[former].status = "Inactive"
        outcomes = one.daily(31)
    assert outcomes == ["inactive"] + ["in its retention"] * 30 + ["deleted"]
    assert "It is inactive" in notices(one)[0] and "To bring it back" in notices(one)[0]


def test_a_key_that_becomes_current_while_it_is_deactivated_is_activated_again(replaced) -> None:
    """A person moves AWSCURRENT back in the very moment."""
    one, former = replaced
    value = one.secret.versions[
        next(v for v, it in one.secret.versions.items() if "AWSPREVIOUS" in it["version_stages"])
    ]
    with later(15):
        thread = threading.Thread(target=lambda: move_when_inactive(one, former, value["version_id"]))
        thread.start()
        # the answer of the deactivation takes long enough for the person
        outcomes = one.call("retire", "", Fault("UpdateAccessKey", "slow", first=1)).outcomes
        thread.join()
    assert outcomes[0] == "active again" and active(one)[former] == "Active"
    assert one.value("AWSCURRENT")["accesskey"] == former


def move_when_inactive(one: Rotated, key_id: str, version: str) -> None:
    wait_for(lambda: one.keys[key_id].status == "Inactive")
    for other in one.secret.versions.values():
        other["version_stages"] = [stage for stage in other["version_stages"] if stage != "AWSCURRENT"]
    one.secret.versions[version]["version_stages"].append("AWSCURRENT")


def test_a_notice_that_cannot_be_sent_is_logged_and_stops_nothing(replaced) -> None:
    one, former = replaced
    with later(20):
        one.made(former, datetime.now(UTC) - 60 * DAY, "Active", datetime.now(UTC) - DAY)
        ended = one.call("retire", "", Fault("Publish", "denied"))
    assert ended.code == 0 and "notice not sent" in ended.outcomes


def test_before_the_first_rotation_there_is_nothing_to_retire(rotated: Rotated) -> None:
    rotated.put()
    assert rotated.call("retire").outcomes == ["no rotation took place yet"]


# --- states of people and of AWS that nobody could leave silently ---------------------------------------------------
def test_a_user_that_is_no_more_is_said(noticed: Rotated) -> None:
    user = iam_backends[MANAGEMENT]["aws"].users.pop(noticed.user)
    stopped(noticed.call("retire"), "IAM has no user svc-billing any more")
    iam_backends[MANAGEMENT]["aws"].users[noticed.user] = user
    assert len(notices(noticed)) == 1


@pytest.mark.parametrize("call", ["ListAccessKeys", "TagResource", "GetSecretValue", "DescribeSecret"])
def test_a_call_that_is_denied_is_said_in_a_notice(noticed: Rotated, call: str) -> None:
    ended = noticed.call("retire", "", Fault(call, "denied"))
    assert ended.code == 1 and call in notices(noticed)[0] and "AccessDenied" in notices(noticed)[0]


def test_a_pending_stage_that_a_person_put_somewhere_is_taken_off_and_nothing_is_begun(rotated: Rotated) -> None:
    rotated.secret.versions[rotated.begin()]["secret_string"] = json.dumps({"username": "x", "accesskey": "A"})
    assert rotated.daily(2) == ["AWSPENDING cleared"] and rotated.value("AWSPENDING") == {}


def test_a_rotation_that_cannot_be_begun_again_is_said_each_day_until_it_can(noticed: Rotated) -> None:
    noticed.begin()
    with later(1):
        ended = noticed.call("retire", "", Fault("RotateSecret", "denied"))
        assert ended.code == 0 and "keyaudit rotation now --user svc-billing" in notices(noticed)[0]
    with later(2):
        assert noticed.call("retire").outcomes == ["rotation begun again"]


# --- the fields of the secret ---------------------------------------------------------------------------------------
AWS_NAMES = {"accesskey": "AWS_ACCESS_KEY_ID", "secretkey": "AWS_SECRET_ACCESS_KEY"}


def renamed(one: Rotated) -> dict[str, str]:
    """The secret as other people's: the key under the names of environment variables."""
    value = one.value("AWSCURRENT")
    found = {"username": one.user, **{AWS_NAMES[name]: value[name] for name in AWS_NAMES}, "host": "example.com"}
    version = next(iter(one.secret.versions.values()))
    version["secret_string"] = json.dumps(found)
    return found


def test_look_answers_the_names_of_the_fields_and_no_value(rotated: Rotated) -> None:
    held = rotated.value("AWSCURRENT")
    ended = rotated.call("look")
    assert ended.answer == {"fields": ["accesskey", "secretkey", "username"], "problem": ""}
    renamed(rotated)
    ended = rotated.call("look")
    assert ended.answer["fields"] == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "host", "username"]
    assert 'in the field "AWS_ACCESS_KEY_ID"' in ended.answer["problem"]
    assert held["accesskey"] not in str(ended.answer) + ended.log
    assert rotated.call("look", KEYAUDIT_FIELDS=json.dumps(AWS_NAMES)).answer["problem"] == ""
    for text, said in (("plain", "no JSON object"), ("{}", 'no field "username"')):
        next(iter(rotated.secret.versions.values()))["secret_string"] = text
        assert said in rotated.call("look").answer["problem"]


def test_until_the_fields_fit_no_key_is_made_and_then_these_are_written(noticed: Rotated) -> None:
    one = noticed
    held = renamed(one)
    stopped(one.call("createSecret", one.begin()), 'in the field "AWS_ACCESS_KEY_ID"', "--fields")
    assert len(one.keys) == 1 and len(notices(one)) == 1
    one.settings["KEYAUDIT_FIELDS"] = json.dumps(AWS_NAMES)
    one.rotate()
    now = one.value("AWSCURRENT")
    assert now.keys() == held.keys() and now["host"] == "example.com"
    assert now["AWS_ACCESS_KEY_ID"] != held["AWS_ACCESS_KEY_ID"]
    assert one.keys[now["AWS_ACCESS_KEY_ID"]].secret_access_key == now["AWS_SECRET_ACCESS_KEY"]
    assert one.daily(14)[-1] == "deactivated"


def test_a_copy_of_the_key_in_another_field_would_go_stale_and_is_refused(rotated: Rotated) -> None:
    held = rotated.value("AWSCURRENT")
    rotated.put(**held, AccessKeyId=held["accesskey"])
    stopped(rotated.call("createSecret", rotated.begin()), 'in the field "AccessKeyId"')


# --- whose secret it is ---------------------------------------------------------------------------------------------
def test_a_secret_that_is_not_deployed_is_refused_whatever_is_in_it(rotated: Rotated) -> None:
    other = Rotated(rotated.aws, rotated.function, "mallory")
    add_user(MANAGEMENT, "mallory")
    other.put(username="svc-billing")
    other.settings["KEYAUDIT_USERS"] = json.dumps({"svc-billing": "svc-billing"})
    for step in ("createSecret", "retire", "look"):
        stopped(other.call(step, other.begin()), "was not deployed for this secret")
    assert len(rotated.keys) == 1


def test_the_daily_run_looks_at_all_that_is_deployed_and_one_that_stops_stops_no_other(rotated: Rotated) -> None:
    (key_id,) = add_user(MANAGEMENT, "other", keys=[(datetime.now(UTC) - DAY, "Active")])
    other = Rotated(rotated.aws, rotated.function, "other")
    other.put(accesskey=key_id, secretkey=other.keys[key_id].secret_access_key)
    users = json.dumps({"svc-billing": "svc-billing", "other": "other", "gone": "gone"})
    ended = rotated.call("all", KEYAUDIT_USERS=users)
    assert ended.code == 1 and "the daily run stopped for 1: gone" in ended.log
    assert "keyaudit:current" in tags(rotated) and "keyaudit:current" in tags(other)
    ended = rotated.call("all", seconds=20, KEYAUDIT_USERS=users)
    assert ended.code == 1 and "the daily run stopped for 3" in ended.log  # no time was left


# --- its log --------------------------------------------------------------------------------------------------------
def test_a_line_an_action_with_user_key_step_token_and_outcome(rotated: Rotated) -> None:
    token = rotated.begin()
    lines = [line for step in STEPS for line in rotated.call(step, token).lines]
    new = rotated.value("AWSCURRENT")["accesskey"]
    assert [(line["step"], line["outcome"]) for line in lines] == [
        ("createSecret", "key made"),
        ("createSecret", "key stored"),
        ("setSecret", "key is active"),
        ("testSecret", "key works"),
        ("finishSecret", "key is current"),
    ]
    assert all(
        (line["user"], line["key"], line["token"]) == (rotated.user, f"****{new[-4:]}", token) for line in lines
    )
