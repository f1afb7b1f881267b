"""A population and terms -> a sample that anybody can draw again: the lowest ranks, and a rank is a SHA-256."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from hashlib import sha256
from heapq import heapify, heapreplace
from math import floor

from keyaudit.model.sampled import (
    BINOMIAL,
    BY_ACCOUNT,
    BY_STRATA,
    HYPERGEOMETRIC,
    WHOLE,
    Item,
    Limit,
    Sample,
    SampledFrom,
    Stratum,
    Terms,
)
from keyaudit.period import odds
from keyaudit.schema import InputError

#: populations above this are sized as if they were infinite
COUNTED = 100_000


def rank(seed: str, item_id: str) -> str:
    """In which order items are drawn: the SHA-256 of the seed, a comma and the id, in hexadecimal."""
    return sha256(f"{seed},{item_id}".encode()).hexdigest()


def draw(source: SampledFrom, terms: Terms, seed: str = "") -> Sample:
    """The sample of these terms, by the seed, or by the seal of the evidence, which nobody chose. InputError for a
    population without items, a seed that a table would not keep, or a size that the terms do not give."""
    if not source.items:
        raise InputError(
            f"{source.name}: {source.control} judged no access key or user there, so that nothing can be drawn; "
            "--control may name another control"
        )
    _refuse_seed(seed)
    own = seed or source.sha256
    sizes = dict(sorted(Counter(_stratum(one, terms) for one in source.items).items()))
    if len({one.id for one in source.items}) < len(source.items):
        raise InputError(f"{source.name}: two findings have the same id, so that they cannot be drawn apart")
    drawn, excluded = _sized(sizes, terms)
    rows = _lowest(source.items, terms, own, drawn)
    strata = tuple(Stratum(name, number, drawn[name]) for name, number in sizes.items())
    accepted = _accepted(len(rows), len(source.items), terms)
    return Sample(
        source=source,
        terms=terms,
        seed=own,
        is_own_seed=bool(seed),
        rows=rows,
        strata=strata,
        accepted=accepted,
        excluded=excluded,
        limit=limit(accepted, strata, terms.risk),
        clean=limit(0, strata, terms.risk),
    )


def _refuse_seed(seed: str) -> None:
    if seed != seed.strip() or not seed.isprintable():
        raise InputError(f"--seed {seed!r}: give printable text, without blanks around it")
    try:
        seed.encode()
    except UnicodeEncodeError:
        raise InputError(f"--seed {seed!r}: is not Unicode text") from None


def _stratum(item: Item, terms: Terms) -> str:
    if not terms.stratify:
        return ""
    return item.account if terms.stratify == BY_ACCOUNT else item.verdict


def _accepted(n: int, population: int, terms: Terms) -> int:
    """The deviations that are as expected. In a sample of everything no more than are tolerable."""
    expected = odds.expected_in(n, terms.expected)
    return min(expected, floor(terms.tolerable * population)) if n == population else expected


def _lowest(
    items: tuple[Item, ...], terms: Terms, seed: str, drawn: Mapping[str, int]
) -> tuple[tuple[str, Item], ...]:
    """Of each stratum the items with the lowest ranks."""
    left, found = dict(drawn), []
    for one in sorted(((rank(seed, item.id), item) for item in items), key=lambda each: each[0]):
        name = _stratum(one[1], terms)
        if left[name]:
            left[name] -= 1
            found.append(one)
    return tuple(found)


# --- sizes ---------------------------------------------------------------------------------------------------
def _sized(sizes: Mapping[str, int], terms: Terms) -> tuple[dict[str, int], int]:
    """How many are drawn of each stratum, and which number of deviations that excludes (0: none that was asked)."""
    population = sum(sizes.values())
    if terms.size is not None:
        return allocated(sizes, min(terms.size, population)), 0
    if not 0 <= terms.expected < terms.tolerable:
        raise InputError("--expected: must be less than --tolerable, or no sample shows anything")
    n = _least(population, terms)
    excluded = odds.tolerated_in(population, terms.tolerable)
    if len(sizes) > 1:
        n = max(n, len(sizes))
        while n < population and not _shows(allocated(sizes, n), sizes, excluded, terms):
            n += 1
    return allocated(sizes, n), excluded if n < population else 0


def _least(population: int, terms: Terms) -> int:
    """The size of a simple sample; the whole population where no smaller one shows it."""
    asked = terms.tolerable, terms.expected, terms.risk
    found = odds.least_size(population, *asked) if population <= COUNTED else odds.least_size_of_many(*asked)
    if found is None and population <= odds.LARGEST:
        return population
    if found is None:
        raise InputError(
            f"--expected: is so close to --tolerable that a sample of more than {odds.LARGEST:,} would be needed; "
            "expect less, or tolerate more"
        )
    return found


def _shows(drawn: Mapping[str, int], sizes: Mapping[str, int], excluded: int, terms: Terms) -> bool:
    k = odds.expected_in(sum(drawn.values()), terms.expected)
    return odds.excludes(k, excluded, _share(drawn, sizes), terms.risk)


def _share(drawn: Mapping[str, int], sizes: Mapping[str, int]) -> Fraction:
    """The smallest share that was drawn of any stratum."""
    return min(Fraction(drawn[name], number) for name, number in sizes.items())


def allocated(sizes: Mapping[str, int], n: int) -> dict[str, int]:
    """How many of n are drawn of each stratum: one of each, then always one more of that of which the smallest
    share is drawn (of several the largest one). So the smallest share, by which a stratified sample is evaluated,
    is as large as it can be, and a larger n only adds. InputError for fewer than there are strata."""
    if n < len(sizes):
        raise InputError(
            f"--size {n}: there are {len(sizes)} strata, and at least one of each is drawn; give a larger size, or "
            "do not stratify"
        )
    heap = [(Fraction(1, number), -number, name, 1) for name, number in sizes.items()]
    heapify(heap)
    for _ in range(n - len(sizes)):
        _, minus, name, drawn = heap[0]
        heapreplace(heap, (Fraction(drawn + 1, -minus), minus, name, drawn + 1))
    return {name: drawn for _, _, name, drawn in heap}


# --- what a sample shows -------------------------------------------------------------------------------------
def limit(deviations: int, strata: tuple[Stratum, ...], risk: Fraction) -> Limit:
    """The upper limit for so many deviations in a sample of these strata."""
    population, n = sum(one.items for one in strata), sum(one.drawn for one in strata)
    if n == population:
        return Limit(deviations, deviations, Fraction(deviations, population), WHOLE)
    if len(strata) > 1:
        share = min(Fraction(one.drawn, one.items) for one in strata)
        most = odds.most_of_strata(deviations, population, n, share, risk)
        return Limit(deviations, most, Fraction(most, population), BY_STRATA)
    if population <= COUNTED:
        most = odds.most_deviations(deviations, population, n, risk)
        return Limit(deviations, most, Fraction(most, population), HYPERGEOMETRIC)
    rate = odds.most_rate(deviations, n, risk)
    return Limit(deviations, floor(rate * population), rate, BINOMIAL)
