"""Some accounts: each read in full, all judged at once, and put into one result that can be folded with others.

A result is small, can be sent to another process, and does not depend on which accounts were judged together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from keyaudit import credentials
from keyaudit.assess import Accounts, Judgement, judge, judged_keys, oldest_days
from keyaudit.assess.rotated import verdict
from keyaudit.assess.rotated_grace import graces
from keyaudit.auditing.account import Evidence, evidence_of, nothing_of
from keyaudit.auditing.fold import Folded, total
from keyaudit.auditing.survey import Read
from keyaudit.credentials.arrays import Columns, count, frame_of, together
from keyaudit.model import Provenance, RotatedSecret
from keyaudit.policy import Policy
from keyaudit.schema import ACTIVE, COMPLIANT, NON_COMPLIANT, ROTATION, RULES, Problem, worst
from keyaudit.texts import say


@dataclass(frozen=True)
class Terms:
    """By what accounts are judged: the policy, the instant and whether it was given, the rules, and how many of the
    worst findings are kept (None: all, and the frames)."""

    policy: Policy
    as_of: datetime
    as_of_given: bool
    keep: int | None = None
    rules: int = RULES


@dataclass(frozen=True)
class Unread:
    """An account that was expected and is not in the population; ``error`` says why, if that is known."""

    label: str
    error: str = ""


def judge_accounts(asked: Sequence[Read | Unread], terms: Terms) -> Folded:
    """Read these accounts in full, and judge them. InputError if one cannot be read whose file the user named."""
    return _judged([_evidence(one, terms) for one in asked], terms)


def _evidence(one: Read | Unread, terms: Terms) -> Evidence:
    if isinstance(one, Unread):
        return nothing_of(one.label, one.error)
    return evidence_of(one, terms.policy, terms.as_of, terms.as_of_given, terms.rules)


def _judged(found: list[Evidence], terms: Terms) -> Folded:
    policy, as_of, keep = terms.policy, terms.as_of, terms.keep
    principals = [
        credentials.Principals(one.parsed.table, one.label, one.generated_time) for one in found if one.parsed
    ]
    accounts = Accounts(
        labels=[one.label for one in found],
        keys=together([one.keys for one in found]),
        place=np.repeat(np.arange(len(found)), [count(one.keys) for one in found]),
        policy=policy,
        as_of=as_of,
        root_gaps=np.zeros(len(found), bool),
        rules=terms.rules,
        users=lambda: credentials.users_frame(principals),
    )
    problems = [
        [Problem(one.label, gap.controls, gap.message, is_usual=gap.is_usual) for gap in one.problems]
        for one in found
    ]
    exempt = {
        (one.label, user): reason
        for one in found
        if one.rotations
        for user, reason in graces_of(one.rotations, one.keys, policy, as_of, terms.rules).items()
    }
    judgement = judge(accounts, problems, keep, exempt)
    conclusions = [_conclusions(tally) for tally in judgement.tallies]
    return Folded(
        users=tuple(principals) if keep is None else (),
        keys=(judged_keys(frame_of(accounts.keys), judgement.findings),) if keep is None else (),
        findings=(judgement.findings,),
        tallies={control: total(one[control] for one in judgement.tallies) for control in judgement.tallies[0]},
        conclusions={control: frozenset(one[control] for one in conclusions) for control in judgement.tallies[0]},
        exempted=judgement.exempted,
        missed=judgement.missed,
        due_soon=sum(judgement.due_soon),
        provenance=tuple(
            _provenance(one, judgement, place, conclusions[place], terms) for place, one in enumerate(found)
        ),
        problems=tuple(problem for some in judgement.problems for problem in some),
        warnings=tuple(warning for one in found for warning in one.warnings),
        notes=tuple(note for one in found for note in one.notes),
        differences=tuple((one.label, other) for one in found for other in one.differences[:keep]),
        rotations=tuple(
            verdict(secret, policy, as_of, terms.rules) for one in found for secret in one.rotations or ()
        ),
    )


def _conclusions(tallies: Mapping[str, Counter[str]]) -> dict[str, str]:
    """By control; an account that was read and has no keys has nothing that fails."""
    return {control: worst({COMPLIANT, *+tally}) for control, tally in tallies.items()}


def _provenance(
    one: Evidence, judgement: Judgement, place: int, conclusions: Mapping[str, str], terms: Terms
) -> Provenance:
    read, policy = one.read, terms.policy
    origin = read.origin if read else None
    overdue = judgement.tallies[place][ROTATION][NON_COMPLIANT]
    return Provenance(
        account_id=one.label,
        source=origin.name if origin else "",
        form=one.form,
        sha256=read.sha256 if read else "",
        bytes=read.size if read else 0,
        generated_time=read.generated_time if read else None,
        received_time=origin.received_time if origin else None,
        caller=str((origin.capture or {}).get("caller") or "") or None if origin else None,
        users=one.rows,
        keys=count(one.keys),
        overdue=overdue if policy.max_access_key_age is not None else 0,
        due_soon=judgement.due_soon[place],
        oldest_days=oldest_days(one.keys, terms.as_of),
        completeness=one.completeness,
        rotations=None if one.rotations is None else len(one.rotations),
        conclusion=worst({conclusions[control] for control in policy.controls if control in conclusions}),
        rotation=conclusions[ROTATION],
        assurance=one.assurance,
        newest_date=one.newest_date,
        error=None if one.form else one.problems[0].message,
        origin=origin,
        problems=tuple(dict.fromkeys(problem.message for problem in judgement.problems[place])),
    )


def graces_of(
    secrets: tuple[RotatedSecret, ...], keys: Columns, policy: Policy, as_of: datetime, rules: int = RULES
) -> dict[str, str]:
    """Users of an account whose second active key waits to be deactivated, and what exempts the finding."""
    if not secrets:
        return {}
    times: dict[str, list[datetime]] = {}
    rows = np.flatnonzero((keys["status"] == ACTIVE) & ~keys["is_root"] & ~np.isnat(keys["last_rotated"]))
    for user, made in zip(keys["user"][rows], keys["last_rotated"][rows].tolist(), strict=True):
        times.setdefault(user, []).append(made.replace(tzinfo=UTC))
    found = graces(secrets, times, policy, as_of, rules)
    return {user: say("rotated.grace", secret=one.name) for user, one in found.items()}
