"""A message after a run, over HTTP: the bottom line, or that there is no evidence; never in the way of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws import MANAGEMENT, Aws, Fault, aws  # noqa: F401
from conftest import ACCOUNT, FRESH, OLD, OTHER, capture, report, write
from evidence_helpers import AS_OF, BRIEF, keyaudit, made, manifest, refused
from moto.sns import sns_backends

from keyaudit.schedule.notice import without_places

TOPIC = f"arn:aws:sns:eu-west-1:{MANAGEMENT}:evidence"


class Topic:
    """A topic in a region other than the caller's, and what was sent to it."""

    def __init__(self, aws: Aws, folder: Path) -> None:  # noqa: F811
        self.aws, self.folder = aws, folder
        write(folder, "report.csv", report(("alice", FRESH), ("bob", OLD)))
        aws.reset()
        sns_backends[MANAGEMENT]["eu-west-1"].create_topic("evidence")

    def arguments(self, *more: object) -> list[object]:
        common = ("--as-of", AS_OF, "--policy", "cis", "-o", self.folder / "reports", "--notify", TOPIC, *BRIEF)
        return ["report", self.folder / "report.csv", *common, *more]

    def env(self, *faults: Fault) -> dict[str, Any]:
        return {"env": self.aws.scenario(faults=list(faults)).env()}

    @property
    def sent(self) -> list[tuple[str, str]]:
        """Subject and text of each message."""
        found = sns_backends[MANAGEMENT]["eu-west-1"].topics[TOPIC].sent_notifications
        return [(one[2], one[1]) for one in found]


@pytest.fixture
def topic(aws: Aws, tmp_path: Path) -> Iterator[Topic]:  # noqa: F811
    yield Topic(aws, tmp_path)
    aws.reset()


def test_the_bottom_line_and_the_place_of_the_evidence(topic: Topic) -> None:
    folder = made(*topic.arguments(), code=1, **topic.env())
    ((subject, text),) = topic.sent
    assert subject == f"keyaudit: NON_COMPLIANT, 1 overdue key: {ACCOUNT}"
    assert text.startswith("NON_COMPLIANT: 1 of 2 active access keys")
    assert "\nAssurance, the " in text and "\n\nNo earlier evidence.\nWhose the overdue keys are" in text
    sums = hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()
    assert text.endswith(f"\nEvidence: {folder.name}\nSHA-256 of its SHA256SUMS: {sums}\n")
    assert str(topic.folder) not in text and "/" not in text


def test_what_the_evidence_before_said(topic: Topic) -> None:
    made(*topic.arguments(), code=1, **topic.env())
    made(*topic.arguments("--policy", "skshieldus"), code=1, **topic.env())
    (_, text) = topic.sent[1]
    said = f"The evidence before: NON_COMPLIANT, 1 overdue key, as of {AS_OF}."
    assert f"\n\n{said} It was judged by another policy, or by another wording of it.\n" in text


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("/srv/our/none.csv: no such file", "none.csv: no such file"),
        (
            "cannot read '/srv/a/b.csv' (see https://example.com/a)",
            "cannot read 'b.csv' (see https://example.com/a)",
        ),
        ("C:\\audit\\keys.csv, line 3", "keys.csv, line 3"),
        ("arn:aws:iam::111122223333:role/a/b and/or 1/2", "arn:aws:iam::111122223333:role/a/b and/or 1/2"),
    ],
)
def test_a_message_names_no_place_of_the_host(tmp_path: Path, said: str, sent: str) -> None:
    assert without_places(said, tmp_path) == sent
    assert without_places(f"{tmp_path}/our reports/x.csv: no", tmp_path) == "our reports/x.csv: no"


def test_what_must_be_known_first_is_in_the_message_and_on_the_terminal(topic: Topic, tmp_path: Path) -> None:
    """A policy of the future, reports of weeks, an account that was not read, sample data."""
    terms = write(
        tmp_path,
        "policy.toml",
        'title = "t"\nmax_access_key_age = 90\neffective = 2031-01-01\nmax_report_age_hours = 500\n',
    )
    folder = capture(tmp_path / "c", [ACCOUNT, OTHER], a111122223333=report(("alice", FRESH)))
    facts = {"expected": [ACCOUNT, OTHER], "sample": True}
    write(folder, "accounts.json", json.dumps(facts))
    words = ["report", folder, "--policy", terms, "--as-of", AS_OF, "-o", tmp_path / "r", "--notify", TOPIC, *BRIEF]
    done = keyaudit(*words, **topic.env())
    assert done.returncode == 3
    ((subject, text),) = topic.sent
    assert subject == "keyaudit: SAMPLE DATA: INSUFFICIENT_DATA: 2 accounts"
    lines = keyaudit("check", folder, "--policy", terms, "--as-of", AS_OF).stdout.decode().splitlines()
    for first in ("SAMPLE DATA", "INSUFFICIENT_DATA: ", f"1 of 2 expected accounts was not read: {OTHER}"):
        (line,) = [one for one in lines if one.startswith(first)]
        assert f"{line}\n" in text and f"{line}\n" in done.stderr.decode()
    for word in ("in force", "500 hours"):
        (line,) = [one for one in lines if word in one]
        assert f"{line}\n" in text and f"{line}\n" in done.stderr.decode()


def test_that_there_is_no_evidence_is_sent_too(topic: Topic) -> None:
    said = refused(keyaudit(*topic.arguments("-p", "no_such", "1"), **topic.env()), 2)
    ((subject, text),) = topic.sent
    assert subject == "keyaudit: no evidence was made" and str(topic.folder) not in text
    assert said.removeprefix("keyaudit: ").strip() in text


def test_a_run_that_makes_nothing_new_sends_nothing(topic: Topic) -> None:
    arguments = ["report", topic.folder / "report.csv", "--policy", "cis", "-o", topic.folder / "reports"]
    arguments += ["--notify", TOPIC, "--every", "3650d", *BRIEF]
    first = made(*arguments, code=1, **topic.env())
    assert made(*arguments, code=1, **topic.env()) == first
    assert len(topic.sent) == 1


#: seconds for a message that is never answered, in place of the 20 that people wait
SHORT = 6


@pytest.mark.parametrize(
    ("fault", "arrives"), [("denied", False), ("error500", False), ("stall", True), ("malformed", True)]
)
def test_a_message_that_is_not_confirmed_changes_neither_evidence_nor_exit_code(
    topic: Topic, fault: str, arrives: bool
) -> None:
    env = topic.env(Fault("Publish", fault))
    done = keyaudit(
        *topic.arguments(), first=f"import keyaudit.schedule.notice as it; it.DEADLINE = {SHORT}", **env
    )
    assert done.returncode == 1
    folder = Path(done.stdout.decode().strip())
    assert manifest(folder)["conclusion"] == "NON_COMPLIANT"
    assert b"keyaudit: the notification was not confirmed: " in done.stderr and b"Traceback" not in done.stderr
    # a message whose confirmation was lost is sent again, rather than not at all
    assert len(set(topic.sent)) == int(arrives)


def test_without_credentials_the_evidence_is_made_all_the_same(topic: Topic) -> None:
    env = topic.env()["env"]
    gone = {
        name: value for name, value in env.items() if name not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    }
    done = keyaudit(*topic.arguments(), env=gone | {"AWS_EC2_METADATA_DISABLED": "true"})
    assert done.returncode == 1 and done.stdout
    assert b"the notification was not confirmed: no AWS credentials found" in done.stderr


@pytest.mark.parametrize("arn", ["evidence", "arn:aws:sqs:eu-west-1:123456789012:q", f"{TOPIC}.fifo", f"{TOPIC}\n"])
def test_what_is_no_topic_is_refused_before_anything_is_done(tmp_path: Path, arn: str) -> None:
    said = refused(keyaudit("report", "none.csv", "--notify", arn, "-o", tmp_path / "reports"), 2)
    assert "not the ARN of a standard SNS topic" in said
    assert not (tmp_path / "reports").exists()
