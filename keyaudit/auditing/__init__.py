"""Source + policy + as_of -> Audit: what check, notebooks, evidence and verify share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path

from keyaudit import sources
from keyaudit.auditing.fold import audit_of, fold
from keyaudit.auditing.result import Result, judge_account, judge_unread
from keyaudit.auditing.survey import Read, parse_as_of, resolve_as_of, survey
from keyaudit.model import ORGANIZATION, Audit, Population, Progress
from keyaudit.policy import Policy, load_policy
from keyaudit.schema import RULES, EvidenceError, InputError
from keyaudit.texts import language, listed, speak

__all__ = ["audit", "parse_as_of"]

#: the number of accounts from which starting further processes pays off
WORTH_PROCESSES = 40


def audit(
    source: object = "",
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

    ``source``: path(s) of reports, folders or captures, ``-``, or a ``Population``; empty: the sample. ``policy``:
    a TOML file, the name of a preset, or a ``Policy``; empty: the sample's own policy for the sample, otherwise the
    default preset, counted as not given. ``as_of``: ISO 8601 with a zone; empty: the latest time at which a report
    was generated, or else the moment of reading. ``keep``: keep only so many of the worst findings, so that memory
    stays flat. ``progress`` wraps the iteration over accounts. ``jobs``: with ``keep``, the number of processes for
    many accounts. ``rules``: the rules for conclusions; older ones serve only to verify evidence that was judged by
    them. ``sealed`` and ``captured``: what is known of the source besides what it says itself, as for
    ``sources.find``.

    Raises InputError and PolicyError; one line each, with the remedy.
    """
    population = source if isinstance(source, Population) else sources.find(source, sealed, captured)
    terms = _policy(policy, population)
    given = parse_as_of(as_of)
    reads = survey(population)
    moment, as_of_source = resolve_as_of(given, reads, population.received_time, rules)
    expected, doubts = set(population.expected), population.problems
    if rules >= 3:
        expected, doubts = expected | set(population.listed), (*doubts, *population.doubts)
    unread = [(account, "") for account in sorted(expected - {read.label for read in reads})]
    # an incomplete list of accounts counts like an account that was not read
    unread += [(ORGANIZATION, listed("remarks", doubts))] if doubts else []
    is_given = given is not None
    judge_one = partial(judge_account, policy=terms, as_of=moment, as_of_given=is_given, keep=keep, rules=rules)
    parallel = keep is not None and jobs > 1 and len(reads) >= WORTH_PROCESSES
    results: Iterator[Result] = chain(
        _in_processes(judge_one, reads, jobs) if parallel else map(judge_one, reads),
        (judge_unread(account, terms, moment, error) for account, error in unread),
    )
    total = len(reads) + len(unread)
    found = fold(progress(results, total) if progress else results, keep)
    if len(found.provenance) != total:
        raise EvidenceError(f"only {len(found.provenance)} of {total} accounts were judged")
    return audit_of(found, terms, moment, as_of_source, population, keep)


def _in_processes(judge_one: Callable[[Read], Result], reads: list[Read], jobs: int) -> Iterator[Result]:
    """The results in the order of ``reads``. Processes are spawned, because a fork of a process with threads may
    hang."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=speak, initargs=(language(),)
    ) as pool:
        yield from pool.map(judge_one, reads, chunksize=4)


def _policy(policy: object, population: Population) -> Policy:
    if isinstance(policy, Policy):
        return policy
    if not isinstance(policy, str | Path):
        raise InputError(f"policy: expected the path of a TOML file or a preset, found {type(policy).__name__}")
    return load_policy(policy or population.policy or "")
