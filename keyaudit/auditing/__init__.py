"""Source + policy + as_of -> Audit: what check, notebooks, evidence and verify share."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from keyaudit import sources
from keyaudit.auditing.fold import Folded, audit_of, fold
from keyaudit.auditing.partition import Terms, Unread, judge_accounts
from keyaudit.auditing.survey import Read, parse_as_of, resolve_as_of, survey
from keyaudit.engine import each, processes
from keyaudit.model import ORGANIZATION, Audit, Population, Progress, Provenance
from keyaudit.policy import Policy, load_policy
from keyaudit.schema import RULES, EvidenceError, InputError
from keyaudit.texts import listed

__all__ = ["audit", "parse_as_of"]

#: the number of accounts from which starting further processes pays off
WORTH_PROCESSES = 40
#: bytes of reports that are judged at once: about 50,000 rows; an account counts as this many more
MOST_BYTES, LEAST_BYTES = 10_000_000, 2_000
#: so that nobody waits long for the last
PARTS_PER_JOB = 4


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
    stays flat. ``progress`` wraps the iteration over accounts. ``jobs``: the number of processes for many accounts.
    ``rules``: the rules for conclusions; older ones serve only to verify evidence that was judged by them.
    ``sealed`` and ``captured``: what is known of the source besides what it says itself, as for ``sources.find``.

    Raises InputError and PolicyError; one line each, with the remedy.
    """
    population = source if isinstance(source, Population) else sources.find(source, sealed, captured)
    policy = _policy(policy, population)
    given = parse_as_of(as_of)
    with processes(jobs if len(population.origins) >= WORTH_PROCESSES else 1) as engine:
        reads = survey(population, engine)
        moment, as_of_source = resolve_as_of(given, reads, population.received_time, rules)
        asked: list[Read | Unread] = [*reads, *_unread(population, {read.label for read in reads}, rules)]
        judge = partial(judge_accounts, terms=Terms(policy, moment, given is not None, keep, rules))
        results = each(engine, judge, partitions(asked, jobs))
        found = fold(_told(results, progress, len(asked)), keep)
    if len(found.provenance) != len(asked):
        raise EvidenceError(f"only {len(found.provenance)} of {len(asked)} accounts were judged")
    return audit_of(found, policy, moment, as_of_source, population, keep)


def _unread(population: Population, labels: set[str], rules: int) -> Iterator[Unread]:
    """What was expected and was not read: accounts, and a list of accounts that is not whole."""
    expected, doubts = set(population.expected), population.problems
    if rules >= 3:
        expected, doubts = expected | set(population.listed), (*doubts, *population.doubts)
    yield from map(Unread, sorted(expected - labels))
    # an incomplete list of accounts counts like an account that was not read
    if doubts:
        yield Unread(ORGANIZATION, listed("remarks", doubts))


def partitions(asked: Sequence[Read | Unread], jobs: int = 1) -> list[list[Read | Unread]]:
    """The accounts in parts that are worth a judgement each, in their order; several for each of so many jobs."""
    sizes = [LEAST_BYTES + (one.size if isinstance(one, Read) else 0) for one in asked]
    most = min(MOST_BYTES, sum(sizes) // (PARTS_PER_JOB * jobs)) if jobs > 1 else MOST_BYTES
    parts: list[list[Read | Unread]] = []
    room = 0
    for one, size in zip(asked, sizes, strict=True):
        if size > room:
            parts.append([])
            room = most
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


def _policy(policy: object, population: Population) -> Policy:
    if isinstance(policy, Policy):
        return policy
    if not isinstance(policy, str | Path):
        raise InputError(f"policy: expected the path of a TOML file or a preset, found {type(policy).__name__}")
    return load_policy(policy or population.policy or "")
