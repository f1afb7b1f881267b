"""The function that rotates, step by step, over HTTP: what it does, and what it refuses (DOMAIN.md)."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from aws import MANAGEMENT, Fault, add_user, aws
from handling import DAY, active, noticed, notices, replaced, second, stopped, tags
from moto.iam.models import iam_backends
from rotating import STEPS, Rotated, function, rotated

__all__ = ["aws", "function", "noticed", "replaced", "rotated"]


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


def test_a_master_with_half_a_key_is_refused(rotated: Rotated) -> None:
    add_user(MANAGEMENT, "master")
    other = Rotated(rotated.aws, rotated.function, "master")
    other.put(accesskey="AKIAIOSFODNN7EXAMPLE")
    rotated.settings["KEYAUDIT_MASTER"] = other.secret.arn
    rotated.put(**rotated.value("AWSCURRENT"), masterarn=other.secret.arn)
    stopped(rotated.call("createSecret", rotated.begin()), "holds no key to sign with")


def test_a_version_without_a_key_never_becomes_current(rotated: Rotated) -> None:
    token, before = rotated.begin(), rotated.value("AWSCURRENT")
    for step in ("setSecret", "finishSecret"):
        stopped(rotated.call(step, token), "createSecret must come first")
    assert rotated.value("AWSCURRENT") == before


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


@pytest.mark.parametrize("where", ["nested", "in a file"])
def test_a_key_in_another_place_of_a_secret_that_is_taken_over_is_found(rotated: Rotated, where: str) -> None:
    """Else a rotation would write accesskey beside it, and take away the key that consumers read."""
    held = rotated.value("AWSCURRENT")
    place = {
        "nested": {"credentials": {"AccessKeyId": held["accesskey"], "SecretAccessKey": held["secretkey"]}},
        "in a file": {"file": f"[default]\naws_access_key_id={held['accesskey']}\n"},
    }[where]
    version = next(iter(rotated.secret.versions.values()))
    version["secret_string"] = json.dumps({"username": rotated.user, **place})
    assert "in another place of its value" in rotated.call("look").answer["problem"]
    stopped(rotated.call("createSecret", rotated.begin()), "in another place of its value")


def test_another_key_of_the_user_in_a_field_of_its_own_is_refused(rotated: Rotated) -> None:
    """As the widely copied function leaves it: accesskey is new, and consumers still read the other field."""
    other = second(rotated, "Active", 100)
    rotated.put(**rotated.value("AWSCURRENT"), AWS_ACCESS_KEY_ID=other)
    assert 'in the field "AWS_ACCESS_KEY_ID": take it out' in rotated.call("look").answer["problem"]
    stopped(rotated.call("createSecret", rotated.begin()), "another key of svc-billing")


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
    assert ended.code == 1 and "no time was left today for 3" in ended.log


def test_the_daily_run_begins_with_a_secret_only_while_half_a_minute_is_left(rotated: Rotated) -> None:
    """Lambda must not end the function in the middle of a secret, and none is put off for which there is time."""
    ended = rotated.call("all", seconds=29)
    assert ended.code == 1 and "no time was left today for 1: svc-billing" in ended.log
    assert rotated.calls == []
    ended = rotated.call("all", seconds=44)
    assert ended.code == 0, ended.log
    assert tags(rotated)["keyaudit:current"] == rotated.value("AWSCURRENT")["accesskey"]


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
