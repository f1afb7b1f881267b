"""One account: its report read in full and judged, and everything that is to be said of the evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import pandas as pd

from keyaudit import credentials, sources
from keyaudit.assess import Judgement, judge, judged_keys, oldest_days
from keyaudit.assess.rotated import verdict
from keyaudit.assess.rotated_grace import graces
from keyaudit.auditing.assurance import age_problems, grade_of, grade_problems, name_warnings, time_notes
from keyaudit.auditing.reliance import capture_problems, compare, documents_of, time_problems
from keyaudit.auditing.survey import Read
from keyaudit.captured.documents import ROTATION as ROTATION_DOCUMENT
from keyaudit.credentials.gaps import Gap
from keyaudit.model import Completeness, Difference, Provenance, RotatedSecret, RotationVerdict
from keyaudit.policy import Policy
from keyaudit.schema import (
    ACTIVE,
    COMPLIANT,
    CONTROLS,
    KEY_COLUMNS,
    NON_COMPLIANT,
    NOTHING_READ,
    ROTATION,
    RULES,
    SUPPLIED,
    InputError,
    Problem,
    worst,
)
from keyaudit.texts import say

#: stands for the list of accounts itself, if the list could not be had
ORGANIZATION = "organization"


@dataclass
class Result:
    """One account, judged; ``users`` and ``keys`` are made when they are asked for."""

    provenance: Provenance
    judgement: Judgement
    users: Callable[[], pd.DataFrame]
    keys: Callable[[], pd.DataFrame]
    warnings: list[str]
    notes: list[str]
    differences: tuple[Difference, ...]
    rotations: tuple[RotationVerdict, ...]
    conclusions: dict[str, str]


@dataclass
class _Evidence:
    """The report of one account in full, or what is left if it could not be read."""

    keys: pd.DataFrame
    users: Callable[[], pd.DataFrame]
    rows: int = 0
    form: str = ""
    problems: list[Gap] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    completeness: Completeness = field(default_factory=Completeness)
    differences: tuple[Difference, ...] = ()
    rotations: tuple[RotatedSecret, ...] | None = None
    assurance: str = NOTHING_READ
    newest_date: datetime | None = None


def judge_account(
    read: Read, policy: Policy, as_of: datetime, as_of_given: bool, keep: int | None = None, rules: int = RULES
) -> Result:
    """Judge the account of a report. If the report cannot be read, the account is INSUFFICIENT_DATA; if the user
    named the file, that is an InputError."""
    evidence = _unreadable(read.error) if read.error else _read_in_full(read, policy, as_of, as_of_given, rules)
    return _result(read.label, evidence, policy, as_of, read, keep, rules)


def judge_unread(account_id: str, policy: Policy, as_of: datetime, error: str = "") -> Result:
    """An account that was expected and is not in the population; ``error`` says why, if that is known."""
    error = error or say("problem.unread", account=account_id)
    return _result(account_id, _unreadable(error), policy, as_of)


def _result(
    label: str,
    evidence: _Evidence,
    policy: Policy,
    as_of: datetime,
    read: Read | None = None,
    keep: int | None = None,
    rules: int = RULES,
) -> Result:
    origin = read.origin if read else None
    problems = [Problem(label, one.controls, one.message, is_usual=one.is_usual) for one in evidence.problems]
    secrets = evidence.rotations or ()
    exempt = graces_of(secrets, evidence.keys, policy, as_of, rules)
    judgement = judge(evidence.keys, label, policy, as_of, problems, keep, exempt, rules, evidence.users)
    # an account that was read and has no keys has nothing that fails
    conclusions = {control: worst({COMPLIANT, *+tally}) for control, tally in judgement.tallies.items()}
    counting = {conclusions[control] for control in policy.controls if control in conclusions}
    provenance = Provenance(
        account_id=label,
        source=origin.name if origin else "",
        form=evidence.form,
        sha256=read.sha256 if read else "",
        bytes=read.size if read else 0,
        generated_time=read.generated_time if read else None,
        received_time=origin.received_time if origin else None,
        caller=str((origin.capture or {}).get("caller") or "") or None if origin else None,
        users=evidence.rows,
        keys=len(evidence.keys),
        overdue=judgement.tallies[ROTATION][NON_COMPLIANT] if policy.max_access_key_age is not None else 0,
        due_soon=judgement.due_soon,
        oldest_days=oldest_days(evidence.keys, as_of),
        completeness=evidence.completeness,
        rotations=None if evidence.rotations is None else len(evidence.rotations),
        conclusion=worst(counting),
        rotation=conclusions[ROTATION],
        assurance=evidence.assurance,
        newest_date=evidence.newest_date,
        error=None if evidence.form else evidence.problems[0].message,
        origin=origin,
        problems=tuple(dict.fromkeys(problem.message for problem in judgement.problems)),
    )
    keys = partial(judged_keys, evidence.keys, judgement.findings)
    nothing = pd.DataFrame  # if only the worst are kept, frames are neither made nor sent between processes
    return Result(
        provenance=provenance,
        judgement=judgement,
        users=evidence.users if keep is None else nothing,
        keys=keys if keep is None else nothing,
        warnings=evidence.warnings,
        notes=evidence.notes,
        rotations=tuple(verdict(one, policy, as_of, rules) for one in secrets),
        differences=evidence.differences if keep is None else evidence.differences[:keep],
        conclusions=conclusions,
    )


def graces_of(
    secrets: tuple[RotatedSecret, ...], keys: pd.DataFrame, policy: Policy, as_of: datetime, rules: int = RULES
) -> dict[str, str]:
    """Users whose second active key waits to be deactivated, and what exempts the finding."""
    if not secrets:
        return {}
    active = keys[(keys["status"] == ACTIVE) & ~keys["is_root"] & keys["last_rotated"].notna()]
    times = {user: [one.to_pydatetime() for one in made] for user, made in active.groupby("user")["last_rotated"]}
    found = graces(secrets, times, policy, as_of, rules)
    return {user: say("rotated.grace", secret=one.name) for user, one in found.items()}


def _unreadable(error: str) -> _Evidence:
    keys = {name: pd.Series(dtype=dtype) for name, dtype in KEY_COLUMNS.items()}
    return _Evidence(pd.DataFrame(keys), pd.DataFrame, problems=[Gap(CONTROLS, error)])


def _read_in_full(read: Read, policy: Policy, as_of: datetime, as_of_given: bool, rules: int) -> _Evidence:
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
        return _unreadable(str(error))
    compared, gaps = compare(read, parsed, report, rules)
    documents, odd = documents_of(read, report, rules)
    future = int(((compared.keys["last_rotated"] > as_of) & (compared.keys["status"] == ACTIVE)).sum())
    if future:
        parsed.warnings.append(say("warning.future", source=report.source, n=future))
    grade = grade_of(read, report, compared.completeness)
    if rules >= 3:
        gaps = [*gaps, *age_problems(report, read, parsed, compared.keys, policy, as_of)]
        gaps += grade_problems(report, grade, policy)
        parsed.warnings += name_warnings(report)
    return _Evidence(
        keys=compared.keys,
        users=lambda: credentials.users_frame(parsed, read.label, report.generated_time),
        rows=parsed.rows,
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
