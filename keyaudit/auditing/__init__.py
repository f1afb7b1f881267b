"""Source + policy + as_of -> Audit: what check, notebooks, evidence and verify share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

from keyaudit import sources
from keyaudit.auditing.fold import Folded, audit_of, fold
from keyaudit.auditing.partition import Terms, Unread, judge_accounts
from keyaudit.auditing.survey import Read, parse_as_of, resolve_as_of, survey
from keyaudit.model import ORGANIZATION, Audit, Population, Progress, Provenance
from keyaudit.policy import Policy, load_policy
from keyaudit.schema import RULES, EvidenceError, InputError
from keyaudit.texts import language, listed, speak

__all__ = ["audit", "parse_as_of"]

#: the number of accounts from which starting further processes pays off
WORTH_PROCESSES = 40
#: bytes of reports that are judged at once: about 50,000 rows; an account counts as this many more
MOST_BYTES, LEAST_BYTES = 10_000_000, 2_000


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
    policy = _policy(policy, population)
    given = parse_as_of(as_of)
    reads = survey(population)
    moment, as_of_source = resolve_as_of(given, reads, population.received_time, rules)
    expected, doubts = set(population.expected), population.problems
    if rules >= 3:
        expected, doubts = expected | set(population.listed), (*doubts, *population.doubts)
    unread = [Unread(account) for account in sorted(expected - {read.label for read in reads})]
    # an incomplete list of accounts counts like an account that was not read
    unread += [Unread(ORGANIZATION, listed("remarks", doubts))] if doubts else []
    terms = Terms(policy, moment, given is not None, keep, rules)
    asked: list[Read | Unread] = [*reads, *unread]
    parallel = keep is not None and jobs > 1 and len(reads) >= WORTH_PROCESSES
    one = partial(judge_accounts, terms=terms)
    parts = partitions(asked)
    results: Iterator[Folded] = _in_processes(one, parts, jobs) if parallel else map(one, parts)
    found = fold(_told(results, progress, len(asked)), keep)
    if len(found.provenance) != len(asked):
        raise EvidenceError(f"only {len(found.provenance)} of {len(asked)} accounts were judged")
    return audit_of(found, policy, moment, as_of_source, population, keep)


def partitions(asked: Iterable[Read | Unread]) -> list[list[Read | Unread]]:
    """The accounts in parts that are worth a judgement each, in their order."""
    parts: list[list[Read | Unread]] = []
    room = 0
    for one in asked:
        size = LEAST_BYTES + (one.size if isinstance(one, Read) else 0)
        if size > room:
            parts.append([])
            room = MOST_BYTES
        parts[-1].append(one)
        room -= size
    return parts


def _told(results: Iterator[Folded], progress: Progress | None, total: int) -> Iterator[Folded]:
    """The results, while something tells of how many accounts they are."""
    if progress is None:
        yield from results
        return
    waiting: list[Folded] = []

    def accounts() -> Iterator[Provenance]:
        for result in results:
            waiting.append(result)
            yield from result.provenance

    for _ in progress(accounts(), total):
        yield from waiting
        waiting.clear()


def _in_processes(
    one: Callable[[list[Read | Unread]], Folded], parts: list[list[Read | Unread]], jobs: int
) -> Iterator[Folded]:
    """The results in the order of the parts. Processes are spawned, because a fork of a process with threads may
    hang."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=speak, initargs=(language(),)
    ) as pool:
        yield from pool.map(one, parts)


def _policy(policy: object, population: Population) -> Policy:
    if isinstance(policy, Policy):
        return policy
    if not isinstance(policy, str | Path):
        raise InputError(f"policy: expected the path of a TOML file or a preset, found {type(policy).__name__}")
    return load_policy(policy or population.policy or "")
