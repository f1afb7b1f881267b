"""What the tests of the function that rotates share: its clock, its notices and its memory, and keys in odd states."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from aws import MANAGEMENT, Fault
from moto.iam.models import iam_backends
from moto.sns.models import sns_backends
from rotating import Ended, Rotated

DAY = timedelta(days=1)
MINUTES = 1 / 24 / 60  # of a day
#: periods that are over soon, where all that is told is that a key is left alone however long, or that something
#: happens once they are over; 14, 7 and 30 else
BRIEF = {"KEYAUDIT_GRACE": "3", "KEYAUDIT_QUIET": "2", "KEYAUDIT_RETENTION": "4"}
#: days after which nothing of these periods is left
ALL_OVER = 14


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


def second(one: Rotated, status: str, made: float, *used: float) -> str:
    """A further key of the user, so many days old, last used so many days ago."""
    now = datetime.now(UTC).replace(microsecond=0)
    key_id = iam_backends[MANAGEMENT]["aws"].create_access_key(one.user).access_key_id
    one.made(key_id, now - made * DAY, status, *(now - day * DAY for day in used))
    return key_id


def lose_a_key(one: Rotated) -> tuple[str, str]:
    """The function dies after CreateAccessKey took effect: the token, and the id of the key that nobody has."""
    token, before = one.begin(), set(one.keys)
    assert one.call("createSecret", token, Fault("CreateAccessKey", "stall")).code < 0
    (lost,) = set(one.keys) - before
    return token, lost


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
