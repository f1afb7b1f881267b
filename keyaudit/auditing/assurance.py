"""How sure it is that a report is the account's own and of today: its grade, and what its age says against it."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from keyaudit import credentials, sources
from keyaudit.assess.limits import NO_LIMIT, limits
from keyaudit.auditing.survey import Read
from keyaudit.credentials.arrays import Columns
from keyaudit.credentials.gaps import Gap
from keyaudit.model import Completeness
from keyaudit.policy import Policy
from keyaudit.schema import (
    ACTIVE,
    COMPARED,
    COMPARED_SUPPLIED,
    CONTROLS,
    DATED,
    DAYS,
    GRADES,
    READ,
    SUPPLIED,
    THE_CONTROLS,
    CredentialReport,
)
from keyaudit.texts import say, utc

#: controls whose limit is a number of days
DATED_CONTROLS = tuple(one.id for one in THE_CONTROLS if one.unit == DAYS)
#: how far the clocks of AWS and of the machine may differ
TOLERANCE = timedelta(minutes=5)


def grade_of(read: Read, report: CredentialReport, found: Completeness) -> str:
    """One of schema.GRADES. A comparison is this run's own only by what this process itself knows."""
    if not sources.is_live(read.origin.capture or {}):
        return DATED if report.generated_time else SUPPLIED
    if found.mode == "keys" and found.is_whole:
        return COMPARED if read.origin.captured_now else COMPARED_SUPPLIED
    return READ


def grade_problems(report: CredentialReport, grade: str, policy: Policy) -> list[Gap]:
    """The policy may ask for more than the report can give."""
    least = policy.min_assurance
    if least is None or GRADES.index(grade) <= GRADES.index(least):
        return []
    facts = {"grade": say(f"assurance.{grade}"), "least": say(f"assurance.{least}"), "source": report.source}
    return [Gap(CONTROLS, say("problem.assurance", **facts))]


def age_problems(
    report: CredentialReport,
    read: Read,
    parsed: credentials.Parsed,
    keys: Columns,
    policy: Policy,
    as_of: datetime,
) -> list[Gap]:
    """Problems of a report that claims to be from later than it was read, and of one without a time whose newest
    date is older than any key in it may become: somebody who keeps to the policy would have touched a key since, so
    the report is not of today."""
    generated, newest = report.generated_time, parsed.latest_activity
    if generated and generated > read.origin.read_time + TOLERANCE:
        facts = {"generated": utc(generated), "received": utc(read.origin.read_time)}
        return [Gap(CONTROLS, say("problem.generated_later", source=report.source, **facts))]
    tightest = tightest_limit(keys, policy)
    if generated or newest is None or not is_past(newest, tightest, as_of):
        return []
    return [Gap(CONTROLS, say("problem.not_today", source=report.source, newest=utc(newest), n=tightest))]


def is_past(newest: datetime, tightest: int | None, moment: datetime) -> bool:
    """Whether a file whose newest date this is cannot be of that moment, by the tightest limit of its keys."""
    return tightest is not None and moment - newest > timedelta(days=tightest)


def tightest_limit(keys: Columns, policy: Policy) -> int | None:
    """The smallest number of days after which one of the active keys fails; None if there are no such keys, or no
    limits."""
    users, accounts, is_root = (keys[name][keys["status"] == ACTIVE] for name in ("user", "account_id", "is_root"))
    found = [limits(users, accounts, policy, control, is_root) for control in DATED_CONTROLS]
    days = np.concatenate(found)
    return int(days[days != NO_LIMIT].min()) if (days != NO_LIMIT).any() else None


def name_warnings(report: CredentialReport) -> list[str]:
    other = sources.other_account(report.source, report.account_id)
    return (
        [say("warning.other_account", source=report.source, other=other, account=report.account_id)]
        if other
        else []
    )


def time_notes(report: CredentialReport, read: Read) -> list[str]:
    """Where the report's time comes from, if not from the report itself."""
    if report.generated_time is None:
        return [say("note.no_generated_time", source=report.source)]
    by_name = sources.time_in_name(read.origin.name)
    if by_name == report.generated_time and not sources.is_live(read.origin.capture or {}):
        return [say("note.dated_by_name", source=report.source, generated=utc(by_name))]
    return []
