"""How sure a sample makes: exact, in whole numbers, with the standard library alone.

Odds are a numerator and a denominator, not reduced: numbers of many thousand digits are compared, never divided.
``risk`` is 1 less the confidence. All of it is about the number of deviations in a sample of n; ``k`` is the most
of them that still count as few.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, comb, floor

Odds = tuple[int, int]
#: rates of the binomial are worked out to this part of 1, and rounded up
PART = 1_000_000
#: no sample that somebody tests by hand is larger: the search for a size ends here
LARGEST = 20_000


def hypergeometric(k: int, population: int, deviations: int, n: int) -> Odds:
    """P(X <= k), where X of n that are drawn without replacement deviate, and so many of the population do."""
    first, last = max(0, n - (population - deviations)), min(k, n, deviations)
    term = total = comb(deviations, first) * comb(population - deviations, n - first) if first <= last else 0
    for x in range(first, last):
        term = term * (deviations - x) * (n - x) // ((x + 1) * (population - deviations - n + x + 1))
        total += term
    return total, comb(population, n)


def binomial(k: int, n: int, rate: Fraction) -> Odds:
    """P(X <= k), where each of n deviates with the probability ``rate``."""
    if k >= n or rate == 0:
        return 1, 1
    if rate == 1:
        return 0, 1
    hit, miss = rate.numerator, rate.denominator - rate.numerator
    term = total = miss**n
    for x in range(k):
        term = term * (n - x) * hit // ((x + 1) * miss)
        total += term
    return total, rate.denominator**n


def exceeds(odds: Odds, risk: Fraction) -> bool:
    """Whether the odds are greater than the risk."""
    return odds[0] * risk.denominator > risk.numerator * odds[1]


def expected_in(n: int, expected: Fraction) -> int:
    """The deviations that are expected in a sample of n, rounded up."""
    return ceil(expected * n)


def tolerated_in(population: int, tolerable: Fraction) -> int:
    """The number of deviations in a population that a sample is to exclude: the tolerable rate, rounded down."""
    return max(1, floor(tolerable * population))


# --- sizes ---------------------------------------------------------------------------------------------------
def least_size(population: int, tolerable: Fraction, expected: Fraction, risk: Fraction) -> int | None:
    """The smallest n with P(X <= k) <= risk in the hypergeometric; None if there is none up to LARGEST.

    From each n to the next one, whole numbers follow from those before: ``total`` and ``whole`` are numerator and
    denominator of P(X <= k), ``term`` is the part of ``total`` where X is k.
    """
    deviations = tolerated_in(population, tolerable)
    k, term, total, whole = 0, 1, 1, 1
    for n in range(min(population, LARGEST)):
        total = (total * (population - n) - term * (deviations - k)) // (n + 1)
        whole = whole * (population - n) // (n + 1)
        term = term * (population - deviations - n + k) // (n + 1 - k)
        for _ in range(expected_in(n + 1, expected) - k):
            if left := population - deviations - n + k:
                term = term * (deviations - k) * (n + 1 - k) // ((k + 1) * left)
            else:  # it was impossible that so few deviate; by one more it is not
                term = comb(deviations, k + 1)
            total, k = total + term, k + 1
        if k >= deviations:
            return None
        if not exceeds((total, whole), risk):
            return n + 1
    return None


def least_size_of_many(tolerable: Fraction, expected: Fraction, risk: Fraction) -> int | None:
    """The smallest n with P(X <= k) <= risk in the binomial, as ``least_size``; None if it is beyond LARGEST."""
    hit, base = tolerable.numerator, tolerable.denominator
    miss = base - hit
    k, term, total, whole = 0, 1, 1, 1
    for n in range(LARGEST):
        total, whole = total * base - term * hit, whole * base
        term = term * (n + 1) * miss // (n + 1 - k)
        for _ in range(expected_in(n + 1, expected) - k):
            term = term * (n + 1 - k) * hit // ((k + 1) * miss)
            total, k = total + term, k + 1
        if not exceeds((total, whole), risk):
            return n + 1
    return None


# --- upper limits --------------------------------------------------------------------------------------------
def most_deviations(k: int, population: int, n: int, risk: Fraction) -> int:
    """The most deviations in the population that k in a sample of n do not exclude, by the hypergeometric."""
    return _last(lambda d: exceeds(hypergeometric(k, population, d, n), risk), k, population - (n - k))


def most_rate(k: int, n: int, risk: Fraction) -> Fraction:
    """The one-sided upper limit of Clopper and Pearson for k of n, rounded up to a millionth."""
    if k >= n:
        return Fraction(1)
    last = _last(lambda part: exceeds(binomial(k, n, Fraction(part, PART)), risk), 0, PART - 1)
    return Fraction(last + 1, PART)


def most_of_strata(k: int, population: int, n: int, share: Fraction, risk: Fraction) -> int:
    """The same where strata were sampled each by itself, and of none of them a smaller ``share`` than this.

    How deviations are spread over strata is not known. But the number that is found is a sum of independent events,
    one for each of d deviations, and their probabilities add up to d * share at the least; by Hoeffding (1956) few
    of them are then no more likely than in the binomial of d and share, for k up to d * share - 1.
    """
    return _last(lambda d: not excludes(k, d, share, risk), k, population - (n - k))


def excludes(k: int, deviations: int, share: Fraction, risk: Fraction) -> bool:
    """Whether k in a stratified sample show that fewer than so many of the population deviate."""
    return k <= deviations * share - 1 and not exceeds(binomial(k, deviations, share), risk)


def _last(holds: Callable[[int], bool], first: int, most: int) -> int:
    """The last number from ``first`` to ``most`` for which it holds; it holds for the first, and no more after it
    has once not held. Found by growing steps, for large numbers cost most."""
    step, low = 1, first
    while low + step <= most and holds(low + step):
        low, step = low + step, step * 2
    high = min(low + step, most + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
