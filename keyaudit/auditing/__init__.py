"""Source + policy + as_of -> Audit: what check, notebooks, evidence and verify share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from keyaudit import sources
from keyaudit.assess import describe, exemption_status, worst_first
from keyaudit.auditing.account import ORGANIZATION, Provenance, Result, judge_account, judge_unread
from keyaudit.auditing.judged import Audit
from keyaudit.auditing.survey import Read, parse_as_of, resolve_as_of, survey, twice
from keyaudit.policy import Policy, load_policy
from keyaudit.reconcile import Difference
from keyaudit.remedy import Verdict
from keyaudit.schema import (
    COMPLIANCE_TYPES,
    COMPLIANT,
    CONTROLS,
    RULES,
    EvidenceError,
    InputError,
    Problem,
    worst,
)
from keyaudit.texts import say

__all__ = ["ORGANIZATION", "Audit", "Provenance", "audit", "parse_as_of"]

#: frames of findings are put together and cut down when there are more
MOST_FRAMES = 20
#: accounts from which on further processes pay for their start
WORTH_PROCESSES = 40

Progress = Callable[[Iterator[Any], int], Iterable[Any]]


def audit(
    source: Any = "",
    policy: str | Path | Policy = "",
    as_of: str | datetime = "",
    keep: int | None = None,
    progress: Progress | None = None,
    jobs: int = 1,
    rules: int = RULES,
    sealed: bool = False,
    captured: Collection[str] = (),
) -> Audit:
    """Judge a source by a policy at an instant.

    ``source``: path(s) of reports, folders or captures, ``-``, a ``Population``; empty: the sample.
    ``policy``: a TOML file, the name of a preset, a ``Policy``; empty: the sample's own for the sample, else the
    default preset, as not given. ``as_of``: ISO 8601 with a zone; empty: the latest generated time read, else
    the moment of reading. ``keep``: keep only so many of the worst findings, and memory flat.
    ``progress`` wraps the iteration over accounts. ``jobs``: with ``keep``, processes for many accounts. ``rules``:
    by which conclusions are drawn; older ones only to verify evidence that was judged by them. ``sealed`` and
    ``captured``: what is known of the source besides what it says itself, as for ``sources.find``.

    Raises InputError and PolicyError; one line each, with the remedy.
    """
    population = source if isinstance(source, sources.Population) else sources.find(source, sealed, captured)
    terms = _policy(policy, population)
    given = parse_as_of(as_of)
    reads = survey(population)
    moment, as_of_source = resolve_as_of(given, reads, population.received_time, rules)
    expected, doubts = set(population.expected), population.problems
    if rules >= 3:
        expected, doubts = expected | set(population.listed), (*doubts, *population.doubts)
    unread = [(account, "") for account in sorted(expected - {read.label for read in reads})]
    # a list of accounts that is not complete is as good as an account that was not read
    unread += [(ORGANIZATION, "; ".join(doubts))] if doubts else []
    is_given = given is not None
    judge_one = partial(judge_account, policy=terms, as_of=moment, as_of_given=is_given, keep=keep, rules=rules)
    parallel = keep is not None and jobs > 1 and len(reads) >= WORTH_PROCESSES
    results: Iterator[Result] = chain(
        _in_processes(judge_one, reads, jobs) if parallel else map(judge_one, reads),
        (judge_unread(account, terms, moment, error) for account, error in unread),
    )
    total = len(reads) + len(unread)
    collected = _Collected(terms, moment, keep)
    for result in progress(results, total) if progress else results:
        collected.add(result)
    if len(collected.provenance) != total:
        raise EvidenceError(f"only {len(collected.provenance)} of {total} accounts were judged")
    return collected.audit(as_of_source, population)


def _in_processes(judge_one: Callable[[Read], Result], reads: list[Read], jobs: int) -> Iterator[Result]:
    """The results in the order of ``reads``; spawned, not forked, for forking a process with threads may hang."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(judge_one, reads, chunksize=4)


def _policy(policy: Any, population: sources.Population) -> Policy:
    if isinstance(policy, Policy):
        return policy
    if not isinstance(policy, str | Path):
        raise InputError(f"policy: expected the path of a TOML file or a preset, found {type(policy).__name__}")
    return load_policy(policy or population.policy or "")


class _Collected:
    """The accounts judged so far, folded into one Audit."""

    def __init__(self, policy: Policy, as_of: datetime, keep: int | None) -> None:
        self.policy, self.as_of, self.keep = policy, as_of, keep
        self.assessed = [control for control in CONTROLS if policy.assessed(control)]
        self.tallies: dict[str, Counter[str]] = {control: Counter() for control in self.assessed}
        self.types: dict[str, set[str]] = {control: set() for control in self.assessed}
        self.exempted: Counter[str] = Counter()
        self.missed: Counter[tuple[str, str]] = Counter()
        self.due_soon = 0
        self.read: dict[str, sources.Origin] = {}
        self.users: list[pd.DataFrame] = []
        self.keys: list[pd.DataFrame] = []
        self.findings: list[pd.DataFrame] = []
        self.provenance: list[Provenance] = []
        self.problems: list[Problem] = []
        self.warnings: list[str] = []
        self.notes: list[str] = []
        self.differences: list[tuple[str, Difference]] = []
        self.rotations: list[Verdict] = []

    def add(self, result: Result) -> None:
        judgement = result.judgement
        for control, tally in judgement.tallies.items():
            self.tallies[control].update(tally)
            self.types[control].add(result.conclusions[control])
        self.exempted.update(judgement.exempted)
        self.missed.update(judgement.missed)
        self.due_soon += judgement.due_soon
        self.findings.append(judgement.findings)
        if self.keep is None:
            self.users.append(result.users())
            self.keys.append(result.keys())
        elif len(self.findings) > MOST_FRAMES:
            self.findings = [self._shown()]
        self._refuse_twice(result.provenance)
        self.provenance.append(result.provenance)
        self.problems += judgement.problems
        self.warnings += result.warnings
        self.notes += result.notes
        self.rotations += result.rotations
        self.differences += [(result.provenance.account_id, one) for one in result.differences]

    def _refuse_twice(self, one: Provenance) -> None:
        """The same report twice, where no account id tells so."""
        if one.form and one.origin:
            other = self.read.setdefault(one.sha256, one.origin)
            if other is not one.origin:
                raise twice(one.account_id, other, one.origin)

    def _shown(self) -> pd.DataFrame:
        """The findings kept so far, worst first; where only some are kept, these and the soonest deadlines."""
        findings = worst_first(pd.concat(self.findings, ignore_index=True))
        if self.keep is None:
            return findings
        passing = findings["compliance_type"] == COMPLIANT
        failing = findings[~passing].groupby("control", sort=False).head(self.keep)
        return pd.concat([failing, findings[passing].nsmallest(self.keep, "due", keep="all")], ignore_index=True)

    def audit(self, as_of_source: str, population: sources.Population) -> Audit:
        findings = self._shown()
        conclusions = {control: worst(self.types[control]) for control in self.assessed}
        unassessed = [control for control in self.policy.controls if control not in conclusions]
        notes = [say("note.not_assessed", control=control) for control in unassessed]
        if self.policy.effective and self.policy.effective > self.as_of.date():
            notes.append(say("note.not_yet_effective", date=self.policy.effective.isoformat()))
        return Audit(
            users=_concat(self.users),
            keys=_concat(self.keys),
            findings=describe(findings, self.policy),
            conclusions=conclusions,
            conclusion=worst({conclusions[c] for c in self.policy.controls if c in conclusions}),
            tallies={
                control: {kind: tally[kind] for kind in COMPLIANCE_TYPES if tally[kind]}
                for control, tally in self.tallies.items()
            },
            due_soon=self.due_soon,
            exemptions=tuple(exemption_status(self.policy, self.exempted, self.missed, self.as_of)),
            policy=self.policy,
            as_of=self.as_of,
            as_of_source=as_of_source,
            provenance=tuple(self.provenance),
            problems=tuple(self.problems),
            warnings=tuple(self.warnings),
            notes=tuple(self.notes + notes),
            differences=tuple(self.differences),
            rotations=tuple(self.rotations),
            skipped=population.skipped,
            is_sample=population.is_sample,
        )


def _concat(frames: list[pd.DataFrame]) -> pd.DataFrame:
    full = [frame for frame in frames if len(frame)] or frames[:1]
    return pd.concat(full, ignore_index=True) if full else pd.DataFrame()
