"""What speaks against relying on a report: the live account, the times, and the capture's own word."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from keyaudit import credentials, sources
from keyaudit.auditing.survey import Read
from keyaudit.captured import documents
from keyaudit.captured.documents import Document
from keyaudit.credentials.gaps import Gap
from keyaudit.model import Completeness
from keyaudit.policy import Policy
from keyaudit.reconcile import Reconciled, reconcile
from keyaudit.schema import CONTROLS, ROOT_KEY, CredentialReport, InputError
from keyaudit.texts import say, utc


def compare(
    read: Read, parsed: credentials.Parsed, report: CredentialReport, rules: int
) -> tuple[Reconciled, list[Gap]]:
    """The report's keys against those of the live account, if a capture asked for them, and what cannot be relied
    on."""
    found, gaps = _compare(read, parsed, report)
    # the account's own word on its root user stands in for the row that reports lack in China
    told = rules >= 3 and found.completeness.root_has_key is not None
    return found, gaps + ([] if parsed.is_root.any() or told else [no_root_row(report.source, parsed, rules)])


def no_root_row(source: str, parsed: credentials.Parsed, rules: int) -> Gap:
    """That nothing says whether root has keys. Reports of China never do: they are not incomplete for that."""
    is_usual = rules >= 3 and parsed.is_rootless
    return Gap((ROOT_KEY,), say("problem.no_root_row", source=source), is_usual)


def _compare(read: Read, parsed: credentials.Parsed, report: CredentialReport) -> tuple[Reconciled, list[Gap]]:
    unproved = Reconciled(parsed.keys, Completeness())
    capture = read.origin.capture or {}
    odd = Gap(CONTROLS, say(documents.INVENTORY.odd, source=report.source))
    try:
        inventory = sources.read_document(read.origin, documents.INVENTORY)
        if inventory is None:
            # keyaudit's own captures always have one: without it, differences would vanish
            return unproved, [odd] if sources.is_live(capture) else []
        found = reconcile(parsed, inventory, report.generated_time, read.label, report.source)
    except InputError as error:
        return unproved, [Gap(CONTROLS, str(error))]
    except (AttributeError, KeyError, TypeError, ValueError):
        return unproved, [odd]
    asked = capture.get("asked")
    mode = asked.get("reconcile") if isinstance(asked, dict) else None
    if (not found.completeness.is_whole and not report.problems) or mode != found.completeness.mode:
        found.gaps.append(odd)
    return found, found.gaps


def documents_of(read: Read, report: CredentialReport, rules: int) -> tuple[dict[str, Any], list[Gap]]:
    """The documents beside the report that a capture asked for, by name, each as its reader gives it; and what in
    them cannot be relied on."""
    found: dict[str, Any] = {}
    gaps: list[Gap] = []
    for one in documents.optional():
        odd = Gap(CONTROLS, say(one.odd, source=report.source))
        try:
            raw = sources.read_document(read.origin, one)
            if raw is not None:
                found[one.name] = documents.function(one.reader)(raw, read.account_id or "", rules)
            elif _was_asked(read, one) and not report.problems:
                gaps.append(odd)
        except InputError as error:
            gaps.append(Gap(CONTROLS, str(error)))
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError, RecursionError):
            gaps.append(odd)
    return found, gaps


def _was_asked(read: Read, one: Document) -> bool:
    asked = (read.origin.capture or {}).get("asked")
    return isinstance(asked, dict) and one.name in asked


def time_problems(
    report: CredentialReport,
    read: Read,
    parsed: credentials.Parsed,
    policy: Policy,
    as_of: datetime,
    as_of_given: bool,
) -> list[Gap]:
    """A report that was generated after as_of hides the keys that were deleted in between; a stale one hides the
    keys that were made since."""
    generated, latest = report.generated_time, parsed.latest_activity
    limit = timedelta(hours=policy.max_report_age_hours)
    facts = {"source": report.source, "hours": policy.max_report_age_hours, "generated": utc(generated)}
    messages = []
    if generated and generated > as_of:
        messages.append(say("problem.generated_after", **facts))
    elif latest and latest > as_of:
        messages.append(say("problem.activity_after", **facts, latest=utc(latest)))
    if generated and as_of - generated > limit:
        messages.append(say("problem.stale", **facts))
    elif generated and not as_of_given and read.origin.read_time - generated > limit:
        messages.append(say("problem.stale_when_read", **facts, received=utc(read.origin.read_time)))
    return [Gap(CONTROLS, message) for message in messages]


def capture_problems(report: CredentialReport, read: Read) -> list[Gap]:
    """What a capture says it could not get, and a report of another account than the one that was asked."""
    messages = list(report.problems)
    capture = read.origin.capture or {}
    asked = capture.get("account_id")
    if asked and asked != report.account_id:
        messages.append(say("problem.other_account", source=report.source))
    if capture.get("complete") is False and not report.problems:
        messages.append(say("problem.incomplete", source=report.source))
    if capture.get("sha256", None if sources.is_live(capture) else read.sha256) != read.sha256:
        messages.append(say("problem.changed", source=report.source))
    return [Gap(CONTROLS, message) for message in messages]
