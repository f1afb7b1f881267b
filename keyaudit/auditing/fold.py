"""The results of accounts -> one Audit. Folded results are folded with others in the same way, so it does not
matter who judged which account; if only the worst are kept, memory stays flat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import chain
from typing import TypeVar

import pandas as pd

from keyaudit import credentials
from keyaudit.assess import describe, exemption_status, worst_first
from keyaudit.auditing.survey import twice
from keyaudit.model import Audit, Difference, Origin, Population, Provenance, RotationVerdict, names_of
from keyaudit.policy import Policy
from keyaudit.schema import COMPLIANCE_TYPES, COMPLIANT, CONTROLS, Problem, worst
from keyaudit.texts import say

T = TypeVar("T")
#: how many results are folded at once
MOST_FRAMES = 20


@dataclass(frozen=True)
class Folded:
    """Some accounts, judged: rows of users, frames that are still to be put together, counts, conclusions by
    control, and all that is to be said of each account."""

    users: tuple[credentials.Principals, ...] = ()
    keys: tuple[pd.DataFrame, ...] = ()
    findings: tuple[pd.DataFrame, ...] = ()
    tallies: dict[str, Counter[str]] = field(default_factory=dict)
    conclusions: dict[str, frozenset[str]] = field(default_factory=dict)
    exempted: Counter[str] = field(default_factory=Counter)
    missed: Counter[tuple[str, str]] = field(default_factory=Counter)
    due_soon: int = 0
    provenance: tuple[Provenance, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    differences: tuple[tuple[str, Difference], ...] = ()
    rotations: tuple[RotationVerdict, ...] = ()


def fold(parts: Iterable[Folded], keep: int | None) -> Folded:
    """All results in one; with ``keep``, with only so many of the worst findings."""
    waiting: list[Folded] = []
    for part in parts:
        waiting.append(part)
        if len(waiting) > MOST_FRAMES:
            waiting = [together(waiting, keep)]
    return together(waiting, keep)


def together(parts: Sequence[Folded], keep: int | None) -> Folded:
    """Several as one, in their order."""
    findings = tuple(chain.from_iterable(one.findings for one in parts))
    controls = list(dict.fromkeys(control for one in parts for control in one.tallies))
    return Folded(
        users=tuple(chain.from_iterable(one.users for one in parts)),
        keys=tuple(chain.from_iterable(one.keys for one in parts)),
        findings=findings if keep is None or not findings else (_shown(findings, keep),),
        tallies={control: total(one.tallies.get(control, Counter()) for one in parts) for control in controls},
        conclusions={
            control: frozenset().union(*(one.conclusions.get(control, frozenset()) for one in parts))
            for control in controls
        },
        exempted=total(one.exempted for one in parts),
        missed=total(one.missed for one in parts),
        due_soon=sum(one.due_soon for one in parts),
        provenance=tuple(chain.from_iterable(one.provenance for one in parts)),
        problems=tuple(chain.from_iterable(one.problems for one in parts)),
        warnings=tuple(chain.from_iterable(one.warnings for one in parts)),
        notes=tuple(chain.from_iterable(one.notes for one in parts)),
        differences=tuple(chain.from_iterable(one.differences for one in parts)),
        rotations=tuple(chain.from_iterable(one.rotations for one in parts)),
    )


def total(counters: Iterable[Counter[T]]) -> Counter[T]:
    """The sum, counts below zero included, which ``+`` of Counters drops."""
    found: Counter[T] = Counter()
    for one in counters:
        found.update(one)
    return found


def _shown(findings: Sequence[pd.DataFrame], keep: int | None) -> pd.DataFrame:
    """The findings, worst first; if only some are kept, these and the soonest deadlines."""
    found = worst_first(_concat(findings))
    if keep is None:
        return found
    passing = found["compliance_type"] == COMPLIANT
    failing = found[~passing].groupby("control", sort=False).head(keep)
    return pd.concat([failing, found[passing].nsmallest(keep, "due", keep="all")], ignore_index=True)


def audit_of(
    found: Folded, policy: Policy, as_of: datetime, as_of_source: str, population: Population, keep: int | None
) -> Audit:
    """The Audit of everything folded. InputError if the same report was given twice and no account id tells so."""
    _refuse_twice(found.provenance)
    assessed = [control for control in CONTROLS if policy.assessed(control)]
    conclusions = {control: worst(set(found.conclusions.get(control, ()))) for control in assessed}
    tallies = {control: found.tallies.get(control, Counter()) for control in assessed}
    return Audit(
        users_of=partial(credentials.users_frame, found.users),
        keys=_concat(found.keys),
        findings=describe(_shown(found.findings, keep), policy, names_of(found.provenance)),
        conclusions=conclusions,
        conclusion=worst({conclusions[c] for c in policy.controls if c in conclusions}),
        tallies={
            control: {kind: tally[kind] for kind in COMPLIANCE_TYPES if tally[kind]}
            for control, tally in tallies.items()
        },
        due_soon=found.due_soon,
        exemptions=tuple(exemption_status(policy, found.exempted, found.missed, as_of)),
        policy=policy,
        as_of=as_of,
        as_of_source=as_of_source,
        provenance=found.provenance,
        problems=found.problems,
        warnings=found.warnings,
        notes=(*found.notes, *_of_policy(policy, as_of)),
        differences=found.differences,
        rotations=found.rotations,
        skipped=population.skipped,
        is_sample=population.is_sample,
    )


def _of_policy(policy: Policy, as_of: datetime) -> Iterable[str]:
    for control in policy.controls:
        if not policy.assessed(control):
            yield say("note.not_assessed", control=control)
    if policy.effective and policy.effective > as_of.date():
        yield say("note.not_yet_effective", date=policy.effective.isoformat())


def _refuse_twice(provenance: Iterable[Provenance]) -> None:
    read: dict[str, Origin] = {}
    for one in provenance:
        if one.form and one.origin:
            other = read.setdefault(one.sha256, one.origin)
            if other is not one.origin:
                raise twice(one.account_id, other, one.origin)


def _concat(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    if len(frames) == 1:
        return frames[0]
    full = [frame for frame in frames if len(frame)] or list(frames[:1])
    return pd.concat(full, ignore_index=True) if full else pd.DataFrame()
