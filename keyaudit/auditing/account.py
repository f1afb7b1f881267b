"""One account: its report read in full, and everything that is to be said of the evidence."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from keyaudit import credentials, sources
from keyaudit.assess.limits import instant
from keyaudit.auditing.assurance import age_problems, grade_of, grade_problems, name_warnings, time_notes
from keyaudit.auditing.reliance import capture_problems, compare, documents_of, time_problems
from keyaudit.auditing.survey import Read
from keyaudit.captured.documents import ROTATION as ROTATION_DOCUMENT
from keyaudit.credentials.arrays import Columns, no_keys
from keyaudit.credentials.gaps import Gap
from keyaudit.model import Completeness, Difference, RotatedSecret
from keyaudit.policy import Policy
from keyaudit.schema import ACTIVE, CONTROLS, NOTHING_READ, RULES, SUPPLIED, InputError
from keyaudit.texts import say


@dataclass
class Evidence:
    """What there is of one account: its report in full, or why there is none. ``label`` is its id, or what stands
    for it; ``read`` is None if it was expected and is not in the population."""

    label: str
    read: Read | None = None
    keys: Columns = field(default_factory=no_keys)
    parsed: credentials.Parsed | None = None
    generated_time: datetime | None = None
    form: str = ""
    problems: list[Gap] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    completeness: Completeness = field(default_factory=Completeness)
    differences: tuple[Difference, ...] = ()
    rotations: tuple[RotatedSecret, ...] | None = None
    assurance: str = NOTHING_READ
    newest_date: datetime | None = None

    @property
    def rows(self) -> int:
        return self.parsed.rows if self.parsed else 0


def nothing_of(label: str, error: str = "", read: Read | None = None) -> Evidence:
    """An account of which nothing could be read, or that was expected and is not there; ``error`` says why, if that
    is known."""
    return Evidence(label, read, problems=[Gap(CONTROLS, error or say("problem.unread", account=label))])


def evidence_of(read: Read, policy: Policy, as_of: datetime, as_of_given: bool, rules: int = RULES) -> Evidence:
    """The account of a report. If the report cannot be read, the account is INSUFFICIENT_DATA; if the user named
    the file, that is an InputError."""
    if read.error:
        return nothing_of(read.label, read.error, read)
    try:
        report, unwrapped = sources.read_and_unwrap(read.origin)
        if hashlib.sha256(report.content).hexdigest() != read.sha256:
            raise credentials.refused(read.origin.name, "changed")
        parsed = credentials.parse(unwrapped.text, report.source, read.label, report.generated_time, rules)
        if parsed.account_id != read.account_id:
            raise credentials.refused(read.origin.name, "no_one_account")
    except InputError as error:
        if read.origin.named:
            raise
        return nothing_of(read.label, str(error), read)
    compared, gaps = compare(read, parsed, report, rules)
    documents, odd = documents_of(read, report, rules)
    keys = compared.keys
    future = int(((keys["last_rotated"] > instant(as_of)) & (keys["status"] == ACTIVE)).sum())
    if future:
        parsed.warnings.append(say("warning.future", source=report.source, n=future))
    grade = grade_of(read, report, compared.completeness)
    if rules >= 3:
        gaps = [*gaps, *age_problems(report, read, parsed, keys, policy, as_of)]
        gaps += grade_problems(report, grade, policy)
        parsed.warnings += name_warnings(report)
    return Evidence(
        label=read.label,
        read=read,
        keys=keys,
        parsed=parsed,
        generated_time=report.generated_time,
        form=unwrapped.form,
        problems=[
            *parsed.gaps,
            *time_problems(report, read, parsed, policy, as_of, as_of_given),
            *capture_problems(report, read),
            *gaps,
            *odd,
        ],
        warnings=parsed.warnings,
        notes=[*parsed.notes, *time_notes(report, read)]
        + [str(one) for one in (read.origin.capture or {}).get("remarks", [])],
        completeness=compared.completeness,
        differences=compared.differences,
        rotations=documents.get(ROTATION_DOCUMENT.name),
        assurance=grade,
        newest_date=parsed.latest_activity if grade == SUPPLIED else None,
    )
