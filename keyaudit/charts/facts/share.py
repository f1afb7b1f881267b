"""Which share of the active keys is no older than x days. A key of unknown age is never counted as young."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keyaudit.charts.facts.ages import unknown_ages
from keyaudit.charts.facts.population import Population, days, percent, subtitle
from keyaudit.texts import say

#: ages at which the alternative text gives the share, beside the limit
POINTS = (30, 60, 90, 180, 365, 730, 1825)


@dataclass(frozen=True)
class Share:
    """Sorted ages, and the number of all active keys, of which they are a part."""

    ages: np.ndarray
    total: int

    def upto(self, age: float) -> int:
        """Keys that are known to be no older."""
        return int(np.searchsorted(self.ages, age, side="right"))

    @property
    def steps(self) -> tuple[np.ndarray, np.ndarray]:
        """Corners of the curve: ages, and the share from each age on; from (0, 0)."""
        ages = np.unique(self.ages)
        counts = np.searchsorted(self.ages, ages, side="right")
        return np.concatenate([[0.0], ages]), np.concatenate([[0.0], counts / self.total])


def share(people: Population) -> Share:
    """The shares of a population with at least one known age."""
    return Share(np.sort(people.ages[people.known]), len(people.active))


def claim(people: Population, shares: Share) -> str:
    """The finding in a sentence: the share at the limit; without a limit, the age of half of the keys."""
    total, limit = shares.total, people.limit
    active = say("charts.active", n=total)
    if limit is None:
        middle = shares.ages[len(shares.ages) // 2]
        some = say("charts.share.known" if people.unknown else "charts.active", n=len(shares.ages))
        return say("charts.share.no_period", n=total, some=some, days=days(middle))
    number = shares.upto(limit)
    if total == 1:
        return say(f"charts.share.only_{'within' if number else 'over'}", limit=days(limit))
    facts = {"active": active, "limit": days(limit), "share": percent(number, total)}
    if number == total or number == people.unknown == 0:
        return say(f"charts.share.all_{'within' if number else 'over'}", **facts)
    return say("charts.share.title", n=number, **facts)


def remarks(people: Population) -> list[str]:
    unknown = [say("charts.share.unknown", keys=keys) for keys in unknown_ages(people)]
    return subtitle(people, *unknown)


def limit_text(people: Population, shares: Share, limit: int) -> str:
    """What the curve says at the limit, and what is missing there from all active keys."""
    number = shares.upto(limit)
    facts = {"share": percent(number, shares.total), "older": f"{len(shares.ages) - number:,}"}
    unknown = say("charts.share.and_unknown", number=f"{people.unknown:,}") if people.unknown else ""
    return say("charts.share.at_limit", n=number, **facts, unknown=unknown)


def alt(people: Population, shares: Share) -> str:
    """What the chart shows, with its numbers."""
    oldest = float(shares.ages[-1])
    points = sorted({point for point in (*POINTS, people.limit or 0) if 0 < point < oldest})
    said = [_at(shares, point) for point in points] + [_at(shares, oldest)]
    facts = {"subtitle": ". ".join(remarks(people)), "points": ", ".join(said)}
    return say("charts.share.alt", title=claim(people, shares), **facts)


def _at(shares: Share, age: float) -> str:
    return say("charts.share.at", days=days(age), share=percent(shares.upto(age), shares.total))
