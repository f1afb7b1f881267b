"""The function that rotates, step by step, over HTTP: what it does, and what it refuses (DOMAIN.md)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from aws import MANAGEMENT, Fault, add_user, aws  # noqa: F401
from moto.iam.models import iam_backends
from moto.sns.models import sns_backends
from rotating import STEPS, Ended, Rotated, function, rotated  # noqa: F401

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
    stopped(rotated.call("setSecret", token), "is not an active key of")


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


def test_room_is_made_by_an_inactive_key_that_nobody_holds_and_was_long_unused(rotated: Rotated) -> None:
    gone = second(rotated, "Inactive", 200, 15)
    rotated.rotate()
    assert gone not in rotated.keys and len(rotated.keys) == 2


@pytest.mark.parametrize(
    ("status", "made", "used", "said"),
    [
        ("Active", 200, (), "is active"),
        ("Active", 200, (100,), "is active"),
        ("Inactive", 200, (13,), "last used"),
        ("Inactive", 5, (), "never used"),
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


def test_no_room_is_made_by_a_key_in_a_labelled_version(rotated: Rotated) -> None:
    first = rotated.value("AWSCURRENT")["accesskey"]
    rotated.rotate()
    rotated.made(first, datetime.now(UTC) - 200 * DAY, "Inactive")
    stopped(rotated.call("createSecret", rotated.begin()), "AWSPREVIOUS")
    assert first in rotated.keys


# --- keys that were lost --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("same", [True, False])
def test_a_key_that_could_not_be_stored_is_removed_by_the_retry_or_the_next_rotation(
    rotated: Rotated, same: bool
) -> None:
    token = rotated.begin()
    assert rotated.call("createSecret", token, Fault("PutSecretValue", "stall_before")).code < 0
    (lost,) = rotated.keys.keys() - {rotated.value("AWSCURRENT")["accesskey"]}
    rotated.rotate(token if same else "")
    assert lost not in rotated.keys and len(rotated.keys) == 2


def test_a_key_that_was_stored_but_never_became_current_gives_way_to_the_next_rotation(rotated: Rotated) -> None:
    token = rotated.begin()
    for step in STEPS[:3]:
        assert rotated.call(step, token).code == 0
    stuck = rotated.value("AWSPENDING")["accesskey"]
    rotated.rotate()
    assert stuck not in rotated.keys and len(rotated.keys) == 2


def test_a_key_that_a_person_made_is_never_taken_for_a_lost_one(rotated: Rotated) -> None:
    token = rotated.begin()
    rotated.call("createSecret", token, Fault("CreateAccessKey", "denied"))
    persons = second(rotated, "Active", 1)
    stopped(rotated.call("createSecret", token), "is active")
    with later(1):
        persons_next = second(rotated, "Active", 0) if persons not in rotated.keys else persons
        stopped(rotated.call("createSecret", rotated.begin()), "is active")
    assert persons_next in rotated.keys


def test_a_lost_answer_to_the_making_of_a_key_is_not_asked_for_again(rotated: Rotated) -> None:
    token = rotated.begin()
    assert rotated.call("createSecret", token, Fault("CreateAccessKey", "reset_after", first=1)).code == 1
    assert rotated.calls.count("CreateAccessKey") == 1 and len(rotated.keys) == 2
    rotated.rotate(token)
    assert len(rotated.keys) == 2


def test_a_key_that_was_once_current_is_never_taken_for_a_lost_one(rotated: Rotated) -> None:
    before = rotated.value("AWSCURRENT")
    rotated.rotate()
    once = rotated.value("AWSCURRENT")["accesskey"]
    with later(1):
        assert rotated.call("retire").code == 0
        for note in (
            "a",
            "b",
        ):  # a person goes back to the former key, so that the new one is in no labelled version
            rotated.put(**before, note=note)
        stopped(rotated.call("createSecret", rotated.begin()), "is active")
    assert active(rotated)[once] == "Active"


# --- retire ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def replaced(rotated: Rotated) -> tuple[Rotated, str]:
    """A user whose key was just rotated, and the id of the former one."""
    former = rotated.value("AWSCURRENT")["accesskey"]
    topic = rotated.aws.client("sns")
    rotated.settings["KEYAUDIT_TOPIC"] = topic.create_topic(Name="notices")["TopicArn"]
    topic.close()
    rotated.rotate()
    return rotated, former


def notices(one: Rotated) -> list[str]:
    topic = sns_backends[MANAGEMENT]["us-east-1"].topics[one.settings["KEYAUDIT_TOPIC"]]
    return [sent[1] for sent in topic.sent_notifications]


def test_the_replaced_key_is_deactivated_after_its_grace_and_deleted_after_its_retention(replaced) -> None:
    one, _ = replaced
    current = one.value("AWSCURRENT")["accesskey"]
    told = []
    for day in (1, 13, 15, 16, 40, 46, 47):
        with later(day):
            told.append((day, one.call("retire").outcomes))
    assert told == [
        (1, ["in its grace"]),
        (13, ["in its grace"]),
        (15, ["deactivated"]),
        (16, ["in its retention"]),
        (40, ["in its retention"]),
        (46, ["deleted"]),
        (47, []),
    ]
    assert active(one) == {current: "Active"}


def test_a_replaced_key_that_is_in_use_is_left_and_who_uses_it_is_told(replaced) -> None:
    one, former = replaced
    with later(20):
        one.made(former, datetime.now(UTC) - 60 * DAY, "Active", datetime.now(UTC) - DAY)
        assert one.call("retire").outcomes[-1] == "still in use"
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
    for day in (20, 60, 200):
        with later(day):
            assert one.call("retire").code == 0
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
    rotated: Rotated, adopted: bool
) -> None:
    one, topic = rotated, rotated.aws.client("sns")
    one.settings["KEYAUDIT_TOPIC"] = topic.create_topic(Name="notices")["TopicArn"]
    topic.close()
    former = one.value("AWSCURRENT")["accesskey"]
    one.secret.versions.clear()
    one.put()
    one.settings["KEYAUDIT_ADOPTED"] = former if adopted else ""
    one.rotate()
    with later(15):
        outcomes = one.call("retire").outcomes
        assert outcomes == (["deactivated"] if adopted else ["not this secret's key", "notice"])
        assert active(one)[former] == ("Inactive" if adopted else "Active")
        assert len(notices(one)) == (not adopted)


def test_nothing_is_retired_where_the_current_key_is_not_there_or_not_active(replaced) -> None:
    one, former = replaced
    current = one.value("AWSCURRENT")["accesskey"]
    one.keys[current].status = "Inactive"
    with later(30):
        stopped(one.call("retire"), "is not an active key")
    assert active(one)[former] == "Active" and len(notices(one)) == 1


def test_a_key_that_a_person_activated_again_gets_its_retention_again(replaced) -> None:
    one, former = replaced
    with later(15):
        assert one.call("retire").outcomes == ["deactivated"]
        one.keys[former].status = "Active"
    with later(30):
        one.made(former, datetime.now(UTC) - 80 * DAY, "Inactive", datetime.now(UTC) - 5 * DAY)
        assert one.call("retire").outcomes == ["inactive"]
    with later(46):
        assert one.call("retire").outcomes == ["in its retention"]
    with later(61):
        assert one.call("retire").outcomes == ["deleted"]


def test_a_notice_that_cannot_be_sent_is_logged_and_stops_nothing(replaced) -> None:
    one, former = replaced
    with later(20):
        one.made(former, datetime.now(UTC) - 60 * DAY, "Active", datetime.now(UTC) - DAY)
        ended = one.call("retire", "", Fault("Publish", "denied"))
    assert ended.code == 0 and "notice not sent" in ended.outcomes


def test_before_the_first_rotation_there_is_nothing_to_retire(rotated: Rotated) -> None:
    rotated.put()
    assert rotated.call("retire").outcomes == ["no rotation took place yet"]


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
