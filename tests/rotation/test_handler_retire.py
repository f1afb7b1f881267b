"""The daily run: what the secret replaced is deactivated and deleted when nobody can need it, and never before."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime

import pytest
from aws import MANAGEMENT, Fault, aws, set_key
from evidence_helpers import wait_for
from handling import ALL_OVER, BRIEF, DAY, active, later, noticed, notices, replaced, second, stopped
from moto.iam.models import iam_backends
from rotating import STEPS, Rotated, function, rotated

__all__ = ["aws", "function", "noticed", "replaced", "rotated"]


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
    one.settings |= BRIEF
    held = one.value("AWSCURRENT")
    one.put(**held)  # by hand
    assert one.value("AWSPREVIOUS")["accesskey"] == held["accesskey"]
    one.daily(ALL_OVER)
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
        stopped(one.call("retire"), "is inactive, and nothing else is touched", "To bring it back")
    assert active(one)[former] == "Active" and len(notices(one)) == 1


def test_a_key_that_a_person_activated_again_gets_a_whole_new_grace_and_retention(replaced) -> None:
    one, former = replaced
    one.settings |= BRIEF
    with later(4):
        assert one.call("retire").outcomes == ["deactivated"]
    with later(4.5):
        one.keys[former].status = "Active"
    with later(5):
        assert one.call("retire").outcomes == ["active again", "in its grace"]
    with later(7.9):
        assert one.call("retire").outcomes == ["in its grace"]
    with later(8.1):
        assert one.call("retire").outcomes == ["deactivated"]
        assert one.daily(4) == ["in its retention"] * 3 + ["deleted"]


@pytest.mark.parametrize("seen", ["used", "not looked at"])
def test_a_retention_that_may_have_been_interrupted_begins_anew(replaced, seen: str) -> None:
    """A person activated the key, and deactivated it again, which no daily run saw."""
    one, former = replaced
    one.settings |= BRIEF
    with later(4):
        assert one.call("retire").outcomes == ["deactivated"]
        if seen == "used":
            one.daily(2)
    with later(7):
        if seen == "used":
            set_key(one.account, former, last_used=datetime.now(UTC) - DAY / 2)
        assert one.call("retire").outcomes == ["inactive", "in its retention"]
    with later(8.5):
        assert one.call("retire").outcomes[-1] == "in its retention"
    assert former in one.keys


def test_a_key_that_somebody_deactivated_is_kept_for_the_whole_retention_from_when_that_is_seen(replaced) -> None:
    one, former = replaced
    one.settings |= BRIEF
    with later(1):
        one.keys[former].status = "Inactive"
        outcomes = one.daily(5)
    assert outcomes == ["inactive"] + ["in its retention"] * 4 + ["deleted"]
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
    assert outcomes[:2] == ["deactivated", "active again"] and active(one)[former] == "Active"
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


# --- keys that the secret only mentions -----------------------------------------------------------------------------
@pytest.mark.sampled(2)
@pytest.mark.parametrize("where", ["nested", "a note", "a file", "a note of long ago"])
def test_a_person_s_key_that_a_value_mentions_is_left_alone(noticed: Rotated, where: str) -> None:
    one = noticed
    one.settings |= BRIEF
    persons = second(one, "Active", 200, 20)
    extra = {
        "nested": {"credentials": {"AccessKeyId": persons}},
        "a file": {"file": f"[default]\naws_access_key_id={persons}\n"},
    }.get(where, {"note": f"do not touch {persons}: quarterly job"})
    held = one.value("AWSCURRENT")
    one.put(**held, **extra)
    if where == "a note of long ago":
        one.put(**held)
    assert set(one.daily(ALL_OVER)) == {"nobody's key"}
    assert active(one)[persons] == "Active" and len(notices(one)) == 1


def test_a_replaced_key_that_awscurrent_still_mentions_is_left_and_named(replaced) -> None:
    one, former = replaced
    one.settings |= BRIEF
    one.put(**one.value("AWSCURRENT"), note=f"before it was {former}")
    one.daily(ALL_OVER)
    assert active(one)[former] == "Active" and "names in another place" in notices(one)[0]


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


def test_a_person_who_goes_back_to_a_deactivated_key_is_told_how_to_bring_it_back(replaced) -> None:
    """And never to delete the other key, which is the only one that works."""
    one, former = replaced
    one.settings |= BRIEF
    one.daily(3)
    with later(3.5):
        value = next(it for it in one.secret.versions.values() if "AWSPREVIOUS" in it["version_stages"])
        one.secret.remove_version_stages_from_old_versions(["AWSCURRENT"])
        value["version_stages"].append("AWSCURRENT")
        before = len(notices(one))
        one.call("retire")
        stopped(one.call("createSecret", one.begin()), "is inactive, and nothing else is touched")
    said = notices(one)[before:]
    assert len(said) == 2 and all(f"ends with {former[-4:]}" in text for text in said)
    assert not [text for text in said if "delete" in text or "rotate now" in text]


def test_one_daily_run_that_was_missed_does_not_begin_the_retention_anew(replaced) -> None:
    one, former = replaced
    one.settings |= BRIEF
    assert one.daily(4)[-2:] == ["deactivated", "in its retention"]
    with later(6.1):
        assert one.call("retire").outcomes == ["in its retention"]
        assert one.daily(1) == ["deleted"]
    assert former not in one.keys


def test_a_key_that_was_brought_back_before_it_was_noted_gets_a_new_grace(replaced) -> None:
    """The function dies right after it deactivated the key."""
    one, former = replaced
    with later(14.1):
        assert one.call("retire", "", Fault("UpdateAccessKey", "stall", first=1)).code < 0
        assert active(one)[former] == "Inactive" and "To bring it back" in notices(one)[0]
        one.keys[former].status = "Active"
    with later(15.1):
        assert one.call("retire").outcomes == ["active again", "in its grace"]


def test_memory_that_something_took_away_is_said(replaced) -> None:
    one, _ = replaced
    one.secret.tags = []
    assert one.daily(1) == ["in its grace"] and "its grace begins today" in notices(one)[0]


def test_a_version_from_before_the_key_that_cannot_be_read_stops_nothing(noticed: Rotated) -> None:
    """It is under a former key of KMS; a value never changes, so it cannot hold a key that was made later."""
    one, old = noticed, next(iter(noticed.secret.versions))
    for note in ("1", "2"):
        one.put(**one.value("AWSCURRENT") | {"note": note})
    with later(0.5):
        second(one, "Active", 0)
    with later(1):
        assert one.call("retire", "", Fault("GetSecretValue", "denied", user=old)).outcomes == ["nobody's key"]


@pytest.mark.parametrize("value", ["x 2026-01-01", "x", "x y z"])
def test_memory_that_something_else_wrote_is_none(noticed: Rotated, value: str) -> None:
    for name in ("attempt", "inactive", "replaced", "lost", "stored", "waiting", "pending"):
        noticed.secret.tags = [{"Key": f"keyaudit:{name}", "Value": value}]
        assert noticed.call("retire").code == 0, name


def test_a_notice_says_which_secret_could_not_be_read(noticed: Rotated) -> None:
    noticed.call("retire", "", Fault("DescribeSecret", "denied"))
    noticed.call("retire", KEYAUDIT_USERS="{}")
    assert [noticed.secret.arn in text for text in notices(noticed)] == [True, True]


def test_an_answer_that_cannot_be_understood_is_said(noticed: Rotated) -> None:
    ended = noticed.call("retire", "", Fault("ListAccessKeys", "malformed"))
    assert ended.code == 1 and "ResponseParserError" in notices(noticed)[0]


def test_a_rotation_that_cannot_be_begun_again_is_said_each_day_until_it_can(noticed: Rotated) -> None:
    noticed.begin()
    with later(1):
        ended = noticed.call("retire", "", Fault("RotateSecret", "denied"))
        assert ended.code == 0 and "keyaudit rotation now --user svc-billing" in notices(noticed)[0]
    with later(2):
        assert noticed.call("retire").outcomes == ["rotation begun again"]
