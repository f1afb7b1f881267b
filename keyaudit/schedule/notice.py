"""One message to an SNS topic after a run: the bottom line, and where the evidence is."""

from __future__ import annotations

import re

from keyaudit.aws.calls import CallFailedError, Calls
from keyaudit.aws.session import connect
from keyaudit.aws.workers import LateError, Pace, within
from keyaudit.schema import InputError, KeyAuditError
from keyaudit.texts import say

#: seconds; a message must not hold up a run
DEADLINE = 20.0
#: SNS: ASCII without control characters, fewer than 100 of them
LONGEST_SUBJECT = 99
TOPIC = re.compile(r"arn:aws[a-z-]*:sns:([a-z0-9-]{1,40}):[0-9]{12}:[\w-]{1,256}(?:\.fifo)?", re.ASCII)


class NotSentError(KeyAuditError):
    """The message was not taken by SNS, and why. The evidence is what it is all the same."""


def region_of(topic: str) -> str:
    """The region of a topic's ARN; InputError if it is none, or of a FIFO topic, which delivers to queues alone."""
    match = TOPIC.fullmatch(topic)
    if not match or topic.endswith(".fifo"):
        raise InputError(
            f"--notify {topic[:80]}: not the ARN of a standard SNS topic, "
            "as arn:aws:sns:us-east-1:123456789012:NAME"
        )
    return match[1]


def send(topic: str, subject: str, text: str, profile: str = "") -> None:
    """Publish one message with the caller's own credentials (``sns:Publish``); NotSentError if it is not taken."""
    calls = Calls(DEADLINE, Pace(10))

    def publish() -> None:
        client = connect(profile).client("sns", calls, region_of(topic))
        plain = subject.encode("ascii", "replace").decode()[:LONGEST_SUBJECT]
        calls.call(client, "publish", ("MessageId",), TopicArn=topic, Subject=plain, Message=text)

    try:
        within(calls.until, publish)
    except CallFailedError as error:
        raise NotSentError(error.why) from None
    except LateError:
        raise NotSentError(say("notice.late", seconds=f"{DEADLINE:g}")) from None
    except InputError as error:
        raise NotSentError(str(error)) from None
