"""One message to an SNS topic after a run: the bottom line, and where the evidence is."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from keyaudit.aws.calls import CallFailedError, Calls
from keyaudit.aws.session import connect
from keyaudit.aws.workers import LateError, Pace, within
from keyaudit.schema import InputError, KeyAuditError
from keyaudit.texts import listed, say, visible

if TYPE_CHECKING:
    from keyaudit.evidence import Evidence
    from keyaudit.model import Audit

#: seconds; a message must not hold up a run
DEADLINE = 20.0
#: SNS allows ASCII without control characters, fewer than 100 characters
LONGEST_SUBJECT = 99
#: a path from the root of a file system, where a word may begin
_PATH = re.compile(r"(?<![^\s'\"(=\[])(?:[A-Za-z]:[\\/]|/)(?=[^\s/])[^\s'\",;:()\[\]]*")
TOPIC = re.compile(r"arn:aws[a-z-]*:sns:([a-z0-9-]{1,40}):[0-9]{12}:[\w-]{1,256}(?:\.fifo)?", re.ASCII)


class NotSentError(KeyAuditError):
    """SNS did not take the message, and why. The evidence does not depend on that."""


def region_of(topic: str) -> str:
    """The region in a topic's ARN; InputError if this is not such an ARN, or is that of a FIFO topic, which
    delivers only to queues."""
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


def without_places(text: str, reports: Path) -> str:
    """The text with the last part alone of each path of this host: who reads a message need not know where things
    lie there."""
    for place in (reports.resolve(), Path.cwd(), Path.home()):
        if place != place.parent:
            text = text.replace(f"{place}{os.sep}", "")
    return _PATH.sub(lambda found: found[0].replace("\\", "/").rpartition("/")[2], text)


def _since(evidence: Evidence[Audit]) -> str:
    """What the evidence before said, so that the two can be compared."""
    former = evidence.former
    if former is None:
        return say("notice.no_former_seen" if evidence.unread else "notice.no_former")
    facts = {"as_of": visible(former.as_of), "conclusion": visible(former.conclusion)}
    known = "former" if former.overdue is not None else "former_unknown"
    told = [say(f"notice.{known}", n=former.overdue, **facts)]
    told += [say("notice.other_policy")] if former.policy != evidence.judged.policy.sha256 else []
    return listed("sentences", told)


class Notice:
    """The message after a run: what was made, which is told in the block, or that nothing was made. If the message
    cannot be sent, that is said and changes nothing else."""

    def __init__(self, topic: str, profile: str, reports: Path, tell: Callable[[str], None]) -> None:
        self.topic, self.profile, self.reports, self.tell = topic, profile, reports, tell
        region_of(topic)

    def made(self, evidence: Evidence[Audit], lines: list[str]) -> None:
        """``lines``: the answer, and what must be known with it."""
        from keyaudit.present import overdue_known, worst

        judged = evidence.judged
        facts = {
            "headline": "\n".join(lines),
            "since": "\n".join((_since(evidence), *worst(judged).paragraphs)),
            "folder": evidence.path.name,
            "sha256": evidence.sha256,
        }
        conclusion = say("index.sample", conclusion=judged.conclusion) if judged.is_sample else judged.conclusion
        overdue = overdue_known(judged)
        answer = conclusion if overdue is None else say("notice.overdue", n=overdue, conclusion=conclusion)
        accounts = [one.account_id for one in judged.provenance]
        whose = accounts[0] if len(accounts) == 1 else say("count.accounts", n=len(accounts))
        self._send(("notice.subject", {"answer": answer, "whose": whose}), ("notice.text", facts))

    def __enter__(self) -> Callable[[Evidence[Audit], list[str]], None]:
        return self.made

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            reason = str(error) if isinstance(error, KeyAuditError) else type(error).__name__
            self._send(("notice.failed_subject", {}), ("notice.failed", {"reason": reason}))

    def _send(self, *parts: tuple[str, dict[str, Any]]) -> None:
        subject, text = (say(key, **facts) for key, facts in parts)
        try:
            send(self.topic, subject, without_places(text.strip(), self.reports) + "\n", self.profile)
        except NotSentError as error:
            self.tell(say("notice.unconfirmed", why=error))
