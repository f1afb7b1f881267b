"""The first pass over a population: which accounts there are, when their reports were generated, and therefore
as_of."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING

from keyaudit import credentials, sources
from keyaudit.assess.limits import is_known
from keyaudit.engine import each
from keyaudit.instants import refuse_day
from keyaudit.model import Origin, Population
from keyaudit.schema import GENERATED_TIME, GIVEN, RECEIVED_TIME, RULES, InputError

if TYPE_CHECKING:
    from concurrent.futures import Executor

#: so many reports are looked at by one process before it tells
AT_ONCE = 64


@dataclass
class Read:
    """A report of the population as the first pass saw it; ``error`` if it is not a report."""

    origin: Origin
    account_id: str | None
    sha256: str
    size: int
    generated_time: datetime | None
    error: str | None = None
    label: str = ""


def parse_as_of(as_of: object) -> datetime | None:
    """The instant that was given, in UTC; None if empty. InputError without a zone: a day is not an instant."""
    if as_of is None or as_of == "":
        return None
    text = as_of.isoformat() if isinstance(as_of, date) else as_of
    if isinstance(text, str):
        refuse_day("as_of", text)
    instant = credentials.parse_instant(text) if isinstance(text, str) else None
    if instant is None or not 2000 <= instant.year < 3000:
        given = str(as_of)[:40]
        raise InputError(
            f"as_of: cannot use {given!r}; give an ISO 8601 time with a zone, such as 2026-11-23T17:00:00Z"
        )
    return instant


def resolve_as_of(
    given: datetime | None, reads: list[Read], received: datetime, rules: int = RULES
) -> tuple[datetime, str]:
    """The instant of judgement and where it came from: given, or the latest moment at which any report was
    generated or, if a report does not tell, read. Under rules 2 a generated time took precedence over all moments
    of reading, so a file that does not tell was judged at an earlier instant than if it had been alone."""
    if given is not None:
        return given, GIVEN
    generated = [(read.generated_time, GENERATED_TIME) for read in reads if read.generated_time]
    if rules < 3:
        whens = [read.origin.received_time for read in reads]
        return max(generated) if generated else (max(whens, default=received), RECEIVED_TIME)
    # a file that could not be read counts as read now; for an account that was not read there is no moment
    undated = [one.origin.read_time for one in reads if one.generated_time is None and one.size]
    return max(generated + [(when, RECEIVED_TIME) for when in undated], default=None, key=itemgetter(0)) or (
        max((read.origin.read_time for read in reads), default=received),
        RECEIVED_TIME,
    )


def survey(population: Population, engine: Executor | None = None) -> list[Read]:
    """The first pass: which accounts there are, and when their reports were generated; in the order of accounts."""
    if not population.origins and not population.expected and not population.problems:
        raise InputError("the folder has no account in it; capture again")
    origins = population.origins
    some = [origins[start : start + AT_ONCE] for start in range(0, len(origins), AT_ONCE)]
    reads = [read for found in each(engine, _glances, some) for read in found]
    for read, label in zip(
        reads, sources.labels([(r.account_id, r.sha256, r.origin.name) for r in reads]), strict=True
    ):
        read.label = label
    reads.sort(key=lambda read: read.label)
    for first, second in pairwise(reads):
        if first.label == second.label:
            raise twice(first.label, first.origin, second.origin)
    return reads


def twice(label: str, first: Origin, second: Origin) -> InputError:
    """The error for two reports of one account, which one population cannot hold."""
    return InputError(f"two reports of one account ({label}): {first.place} and {second.place}; give one of them")


def _glances(origins: Sequence[Origin]) -> list[Read]:
    return [_glance(origin) for origin in origins]


def _glance(origin: Origin) -> Read:
    try:
        report = sources.read(origin)
    except InputError as error:
        if origin.named:
            raise
        capture = origin.capture or {}
        account_id = str(capture.get("account_id") or "")
        generated = credentials.parse_instant(str(capture.get("generated_time")))
        digest, size = sources.fingerprint(origin)
        return Read(origin, account_id if is_known(account_id) else None, digest, size, generated, str(error))
    digest = hashlib.sha256(report.content).hexdigest()
    return Read(origin, report.account_id, digest, len(report.content), report.generated_time)
