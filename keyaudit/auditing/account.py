"""One account: its report read in full, judged, and everything there is to say of the evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import pandas as pd

from keyaudit import credentials, sources
from keyaudit.assess import Judgement, judge, judged_keys, oldest_days
from keyaudit.auditing.assurance import age_problems, grade_of, grade_problems, name_warnings, time_notes
from keyaudit.auditing.reliance import Gap, capture_problems, compare, rotations_of, time_problems
from keyaudit.auditing.survey import Read
from keyaudit.policy import Policy
from keyaudit.reconcile import Completeness, Difference
from keyaudit.remedy import RotatedSecret, Verdict, graces, verdict
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

#: stands for the list of accounts itself, where it could not be had
ORGANIZATION = "organization"


@dataclass(frozen=True)
class Provenance:
    """What was read for one account: where from, when, how much, and what came of it. ``form`` is empty and
    ``error`` says why where the report could not be read; ``users`` and ``keys`` count rows and existing keys;
    ``completeness`` tells of the comparison with the live account, ``rotations`` counts secrets under rotation
    (None: nobody asked); ``assurance`` is one of schema.GRADES, or NOTHING_READ, and ``newest_date`` the newest
    date in a file of unknown age. Of the active keys, ``overdue`` fail rotation (0 without a period), ``due_soon``
    are due within ``warn_before``; ``oldest_days`` is the age of the oldest, if known. ``conclusion`` is that over
    the controls that count, ``rotation`` that of rotation, whether it counts or not."""

    account_id: str
    source: str
    form: str
    sha256: str
    bytes: int
    generated_time: datetime | None
    received_time: datetime | None
    caller: str | None
    users: int
    keys: int
    overdue: int
    due_soon: int
    oldest_days: int | None
    conclusion: str
    rotation: str
    problems: tuple[str, ...]
    error: str | None
    completeness: Completeness
    rotations: int | None
    assurance: str
    newest_date: datetime | None
    origin: sources.Origin | None = field(repr=False, compare=False)

    @property
    def is_account(self) -> bool:
        """Not so where it stands for the list of accounts of an organization, which could not be had."""
        return self.account_id != ORGANIZATION


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
    rotations: tuple[Verdict, ...]
    conclusions: dict[str, str]


@dataclass
class _Evidence:
    """The report of one account in full, or what is left where it could not be read."""

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
    """Judge the account of a report; one that cannot be read is INSUFFICIENT_DATA, unless the user named the
    file: then InputError."""
    evidence = _unreadable(read.error) if read.error else _read_in_full(read, policy, as_of, as_of_given, rules)
    facts = {
        "source": read.origin.name,
        "form": evidence.form,
        "error": None if evidence.form else evidence.problems[0][1],
        "sha256": read.sha256,
        "bytes": read.size,
        "generated_time": read.generated_time,
        "received_time": read.origin.received_time,
        "caller": str((read.origin.capture or {}).get("caller") or "") or None,
        "origin": read.origin,
    }
    return _result(read.label, evidence, policy, as_of, facts, keep, rules)


def judge_unread(account_id: str, policy: Policy, as_of: datetime, error: str = "") -> Result:
    """An account that was expected and is not in the population; ``error`` where it is known why."""
    error = error or say("problem.unread", account=account_id)
    facts: dict[str, object] = {"source": "", "form": "", "sha256": "", "bytes": 0, "error": error}
    facts |= dict.fromkeys(("generated_time", "received_time", "caller", "origin"))
    return _result(account_id, _unreadable(error), policy, as_of, facts)


def _result(
    label: str,
    evidence: _Evidence,
    policy: Policy,
    as_of: datetime,
    facts: Mapping[str, object],
    keep: int | None = None,
    rules: int = RULES,
) -> Result:
    problems = [Problem(label, controls, message) for controls, message in evidence.problems]
    secrets = evidence.rotations or ()
    exempt = graces_of(secrets, evidence.keys, policy, as_of, rules)
    judgement = judge(evidence.keys, label, policy, as_of, problems, keep, exempt, rules)
    # an account that was read and has no keys has nothing that fails
    conclusions = {control: worst({COMPLIANT, *+tally}) for control, tally in judgement.tallies.items()}
    counting = {conclusions[control] for control in policy.controls if control in conclusions}
    provenance = Provenance(
        account_id=label,
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
        problems=tuple(dict.fromkeys(problem.message for problem in judgement.problems)),
        **facts,  # type: ignore[arg-type]
    )
    keys = partial(judged_keys, evidence.keys, judgement.findings)
    nothing = pd.DataFrame  # where only the worst is kept, frames are neither made nor sent between processes
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
    """Users whose second active key waits to be deactivated, and what the finding is exempted by."""
    if not secrets:
        return {}
    active = keys[(keys["status"] == ACTIVE) & ~keys["is_root"] & keys["last_rotated"].notna()]
    times = {user: [one.to_pydatetime() for one in made] for user, made in active.groupby("user")["last_rotated"]}
    found = graces(secrets, times, policy, as_of, rules)
    return {user: say("rotated.grace", secret=one.name) for user, one in found.items()}


def _unreadable(error: str) -> _Evidence:
    keys = {name: pd.Series(dtype=dtype) for name, dtype in KEY_COLUMNS.items()}
    return _Evidence(pd.DataFrame(keys), pd.DataFrame, problems=[(CONTROLS, error)])


def _read_in_full(read: Read, policy: Policy, as_of: datetime, as_of_given: bool, rules: int) -> _Evidence:
    try:
        report, unwrapped = sources.read_and_unwrap(read.origin)
        if hashlib.sha256(report.content).hexdigest() != read.sha256:
            raise InputError(f"{read.origin.name}: changed while it was read; give it again")
        parsed = credentials.parse(unwrapped.text, report.source, read.label, report.generated_time, rules)
        if parsed.account_id != read.account_id:
            raise InputError(f"{read.origin.name}: the ARNs do not tell one account; fetch the report again")
    except InputError as error:
        if read.origin.named:
            raise
        return _unreadable(str(error))
    compared, gaps = compare(read, parsed, report, rules)
    rotations, odd = rotations_of(read, report, rules)
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
        rotations=rotations,
        assurance=grade,
        newest_date=parsed.latest_activity if grade == SUPPLIED else None,
    )
