"""Sizes and limits: against tables that auditors know, against counting all samples, and against each other."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from math import ceil, comb

import pytest
from aicpa import EXPECTED, LIMITS_5, LIMITS_10, SIZES_5, SIZES_10
from conftest import examples
from hypothesis import given
from hypothesis import strategies as st

from keyaudit.period import odds

FIVE, TEN = Fraction(5, 100), Fraction(10, 100)
NONE = Fraction(0)


def chance(found: odds.Odds) -> Fraction:
    return Fraction(*found)


# --- tables --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("table", "risk"), [(SIZES_5, FIVE), (SIZES_10, TEN)], ids=["A-1", "A-2"])
def test_sizes_of_the_aicpa_guide_2017(table, risk):
    wrong = [
        (tolerable, expected, size, found)
        for tolerable, column in table.items()
        for expected, size in zip(EXPECTED, column.split(), strict=False)
        if (found := odds.least_size_of_many(Fraction(tolerable, 100), Fraction(expected) / 100, risk)) != int(size)
    ]
    assert wrong == []


@pytest.mark.parametrize(("table", "risk"), [(LIMITS_5, FIVE), (LIMITS_10, TEN)], ids=["A-3", "A-4"])
def test_upper_limits_of_the_aicpa_guide_2017(table, risk):
    wrong = [
        (size, k, told)
        for size, row in table.items()
        for k, told in enumerate(row.split())
        if ceil(odds.most_rate(k, size, risk) * 1000) != Fraction(told) * 10
    ]
    assert wrong == []


def test_sizes_of_40_cfr_80_127():
    """95 % confidence, 10 % tolerable, none expected: up to 25 min(N, 19), up to 40 20, from 66 on 29. The table is
    coarser than what is exact, and from 20 to 23 asks for more."""
    found = {n: odds.least_size(n, TEN, NONE, FIVE) for n in (*range(1, 27), 1_000_000)}
    assert [found[n] for n in range(1, 20)] == [*range(1, 20)]
    assert [found[n] for n in range(20, 27)] == [16, 16, 17, 18, 19, 19, 20]
    assert found[1_000_000] == odds.least_size_of_many(TEN, NONE, FIVE) == 29


# --- by counting ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("population", range(1, 8))
def test_the_hypergeometric_counts_all_samples(population):
    for deviations, n in product(range(population + 1), repeat=2):
        found = [sum(one < deviations for one in drawn) for drawn in combinations(range(population), n)]
        for k in range(n + 1):
            few = Fraction(sum(one <= k for one in found), len(found))
            assert chance(odds.hypergeometric(k, population, deviations, n)) == few


@pytest.mark.parametrize("rate", [NONE, Fraction(1, 7), Fraction(1, 2), Fraction(1)])
def test_the_binomial_counts_all_outcomes(rate):
    for n in range(1, 6):
        for k in range(n + 1):
            few = sum(comb(n, x) * rate**x * (1 - rate) ** (n - x) for x in range(k + 1))
            assert chance(odds.binomial(k, n, rate)) == few


RATES = st.integers(1, 400).map(lambda number: Fraction(number, 1000))
RISKS = st.sampled_from([Fraction(1, 100), FIVE, TEN, Fraction(3, 10)])


@given(population=st.integers(1, 60), tolerable=RATES, part=st.integers(0, 9), risk=RISKS)
@examples(400)
def test_a_size_is_the_smallest_that_shows_it(population, tolerable, part, risk):
    expected = tolerable * part / 10
    deviations = odds.tolerated_in(population, tolerable)
    shows = [
        n
        for n in range(1, population + 1)
        if not odds.exceeds(odds.hypergeometric(odds.expected_in(n, expected), population, deviations, n), risk)
    ]
    found = odds.least_size(population, tolerable, expected, risk)
    assert found == min(shows, default=None)
    if found:
        # and then the limit excludes what it was sized to exclude
        k = odds.expected_in(found, expected)
        assert odds.most_deviations(k, population, found, risk) < deviations


@given(tolerable=RATES, part=st.integers(0, 5), risk=RISKS)
@examples(100)
def test_the_size_of_a_large_population_is_the_smallest_that_shows_it(tolerable, part, risk):
    expected = tolerable * part / 10
    found = odds.least_size_of_many(tolerable, expected, risk)

    def shows(n: int) -> bool:
        return not odds.exceeds(odds.binomial(odds.expected_in(n, expected), n, tolerable), risk)

    assert shows(found)
    assert not any(shows(n) for n in range(max(1, found - 50), found))
    assert odds.most_rate(odds.expected_in(found, expected), found, risk) <= tolerable + Fraction(1, odds.PART)


@given(data=st.data(), population=st.integers(1, 60), risk=RISKS)
@examples(300)
def test_a_limit_is_the_largest_number_that_is_not_excluded(data, population, risk):
    n = data.draw(st.integers(1, population))
    k = data.draw(st.integers(0, n))
    possible = range(k, population - (n - k) + 1)
    shown = [d for d in possible if odds.exceeds(odds.hypergeometric(k, population, d, n), risk)]
    assert odds.most_deviations(k, population, n, risk) == max(shown)


# --- strata --------------------------------------------------------------------------------------------------------
def chance_of_strata(k: int, strata: list[tuple[int, int, int]]) -> Fraction:
    """P(X <= k) of strata (items, drawn, deviations), each a simple sample by itself, worked out in full."""
    found = {0: Fraction(1)}
    for items, drawn, deviations in strata:
        one = {
            x: Fraction(comb(deviations, x) * comb(items - deviations, drawn - x), comb(items, drawn))
            for x in range(min(drawn, deviations) + 1)
        }
        more: dict[int, Fraction] = {}
        for (x, p), (y, q) in product(found.items(), one.items()):
            more[x + y] = more.get(x + y, NONE) + p * q
        found = more
    return sum((p for x, p in found.items() if x <= k), NONE)


STRATA = st.lists(
    st.integers(1, 7).flatmap(lambda items: st.tuples(st.just(items), st.integers(1, items))),
    min_size=2,
    max_size=3,
)


@given(strata=STRATA, k=st.integers(0, 3), risk=RISKS)
@examples(300)
def test_the_limit_of_strata_holds_however_deviations_are_spread(strata, k, risk):
    population, n = sum(items for items, _ in strata), sum(drawn for _, drawn in strata)
    k = min(k, n)
    share = min(Fraction(drawn, items) for items, drawn in strata)
    most = odds.most_of_strata(k, population, n, share, risk)
    for spread in product(*(range(items + 1) for items, _ in strata)):
        if sum(spread) > most and sum(spread) <= population - (n - k):
            whole = [(items, drawn, d) for (items, drawn), d in zip(strata, spread, strict=True)]
            assert chance_of_strata(k, whole) <= risk
