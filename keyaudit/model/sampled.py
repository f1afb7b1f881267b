"""A sample for the auditor's own test: what it is drawn from, what was drawn, and what the filled table says.
Shares are exact fractions of 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

#: by what strata are told apart
BY_CONCLUSION, BY_ACCOUNT = STRATIFIED = ("conclusion", "account")
#: what an auditor says of a row; NOT_TESTED also stands for an empty cell
OK, DEVIATION, NOT_TESTED = RESULTS = ("ok", "deviation", "not-tested")
#: by which distribution a size and a limit are worked out; WHOLE: by none, for everything was drawn
HYPERGEOMETRIC, BINOMIAL, BY_STRATA, WHOLE = "hypergeometric", "binomial", "strata", "whole"
#: what evidence of a period says of a key
PROVED, MAYBE, NO_BREACH = "BREACH_PROVED", "BREACH_POSSIBLE", "NO_BREACH"
#: what an evaluation concludes
NO_MORE, MORE, INCOMPLETE = "no_more", "more", "incomplete"


@dataclass(frozen=True)
class Item:
    """What may be drawn: a finding, or a key over a period, by its ``id``, the same in every run. ``key``: its id
    where that is known, else the slot as AWS's report names it (``access_key_1``), empty for a finding on a user;
    ``created``: as ISO 8601."""

    id: str
    account: str
    user: str
    key: str
    created: str
    verdict: str


@dataclass(frozen=True)
class SampledFrom:
    """A population, and the sealed evidence that it is of. ``name`` and ``sha256``: of the evidence and of its
    SHA256SUMS; ``items``: in any order, each id once; ``left_out``: findings that are not in it, by compliance
    type; ``gaps``: findings that speak of an account as a whole, of which something was not seen; ``remarks``:
    what ``verify`` says of the evidence besides. ``is_of_period``: whether the items are keys over a period; then
    ``gaps`` are organizations or accounts of which evidence is missing."""

    name: str
    sha256: str
    as_of: datetime
    control: str
    items: tuple[Item, ...]
    left_out: Mapping[str, int]
    gaps: int
    is_sample_data: bool
    remarks: tuple[str, ...] = ()
    is_of_period: bool = False


@dataclass(frozen=True)
class Terms:
    """What is asked for: either a ``size``, or one that shows, at this ``confidence``, that less than ``tolerable``
    of the population deviates, if no more than ``expected`` of the sample does. ``stratify``: empty, or one of
    STRATIFIED."""

    confidence: Fraction
    tolerable: Fraction
    expected: Fraction
    size: int | None = None
    stratify: str = ""

    @property
    def risk(self) -> Fraction:
        return 1 - self.confidence


@dataclass(frozen=True)
class Stratum:
    """``items``: how many the population has in it, of which so many were ``drawn``."""

    name: str
    items: int
    drawn: int


@dataclass(frozen=True)
class Limit:
    """The upper limit for so many ``deviations`` in the sample: that at most ``most`` of the population deviate, a
    ``rate`` (rounded up), worked out by ``method``."""

    deviations: int
    most: int
    rate: Fraction
    method: str


@dataclass(frozen=True)
class Sample:
    """``rows``: (rank, item), lowest rank first; ``strata``: one if it is not stratified; ``accepted``: the most
    deviations in it that are as expected; ``limit``: what it shows if there are so many; ``clean``: and if there
    are none. ``excluded``: the number of deviations in the population that it is sized to exclude (0: none is,
    because the size was given, or because no smaller one than the whole does)."""

    source: SampledFrom
    terms: Terms
    seed: str
    is_own_seed: bool
    rows: tuple[tuple[str, Item], ...]
    strata: tuple[Stratum, ...]
    accepted: int
    excluded: int
    limit: Limit
    clean: Limit

    @property
    def size(self) -> int:
        return len(self.rows)

    @property
    def population(self) -> int:
        return len(self.source.items)


@dataclass(frozen=True)
class Tested:
    """A row of the filled table: its number in the sample, its item, and the auditor's result and remark."""

    number: int
    item: Item
    result: str
    remark: str


@dataclass(frozen=True)
class Evaluated:
    """What a filled table says. ``limit``: rows that were not tested count in it as deviations."""

    sample: Sample
    rows: tuple[Tested, ...]
    limit: Limit

    def number(self, result: str) -> int:
        return sum(one.result == result for one in self.rows)

    @property
    def outcome(self) -> str:
        """MORE deviations than expected; else INCOMPLETE, if a row was not tested; else NO_MORE."""
        if self.number(DEVIATION) > self.sample.accepted:
            return MORE
        return INCOMPLETE if self.number(NOT_TESTED) else NO_MORE
