"""How old active keys are: the bars, and what the chart of them says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import isinf

import numpy as np

from keyaudit.charts.facts.bins import YEAR, Bins, make_bins
from keyaudit.charts.facts.overdue import overdue, part
from keyaudit.charts.facts.population import Population, days, subtitle
from keyaudit.texts import listed, say, utc


@dataclass(frozen=True)
class AgeBars:
    """Keys of known age: how many of each verdict are in each bar, from the bottom of the bar upwards."""

    bins: Bins
    parts: dict[str, np.ndarray]
    what_if: bool = False

    @property
    def totals(self) -> np.ndarray:
        return np.sum(list(self.parts.values()), axis=0)

    @property
    def highest(self) -> int:
        return int(self.totals.max())

    def number(self, part: str) -> int:
        return int(self.parts[part].sum()) if part in self.parts else 0


def age_bars(people: Population) -> AgeBars:
    """The bars of a population with at least one known age."""
    return age_bars_of([people])[0]


def age_bars_of(several: Sequence[Population]) -> list[AgeBars]:
    """The bars of populations of one policy, each with at least one known age: of the same ages in all of them."""
    ages = [people.ages[people.known] for people in several]
    bins = make_bins(np.concatenate(ages), several[0].limit) if several else None
    return [_bars_in(bins, people, known) for people, known in zip(several, ages, strict=True) if bins]


def _bars_in(bins: Bins, people: Population, ages: np.ndarray) -> AgeBars:
    verdicts = {name: chosen for name, chosen in _verdicts(people).items() if chosen.any()}
    return AgeBars(bins, {name: bins.counts(ages[chosen]) for name, chosen in verdicts.items()}, people.what_if)


def _verdicts(people: Population) -> dict[str, np.ndarray]:
    over, exempt = people.over[people.known], people.exempt[people.known]
    if people.limit is None:
        return {"unjudged": np.ones(len(over), bool)}
    return {"within": ~(over | exempt), "exempt": exempt, "over": over}


def claim(people: Population) -> str:
    """The finding in a sentence: how many active keys are overdue; without a period, how old the oldest is."""
    if people.limit is not None:
        return overdue(people)
    total = len(people.active)
    oldest = days(np.nanmax(people.ages))
    return say("charts.ages.no_period", n=total, active=say("charts.active", n=total), days=oldest)


def titles(then: datetime, now: datetime) -> list[Callable[[str], str]]:
    """What makes the title of the chart of then, and of that of now: it gets the day, or the moment if both are on
    one day."""
    days = f"{then:%Y-%m-%d}", f"{now:%Y-%m-%d}"
    told = days if days[0] != days[1] else (utc(then), utc(now))
    return [partial(_titled, f"charts.two.{name}", at) for name, at in zip(("then", "now"), told, strict=True)]


def _titled(name: str, at: str, title: str) -> str:
    return say(name, at=at, title=title)


def remarks(people: Population) -> list[str]:
    """The subtitle: population, date, the oldest key, and the keys that are not in the bars."""
    oldest = [say("charts.oldest", days=days(np.nanmax(people.ages)))] if people.limit else []
    return subtitle(people, *oldest, left_out=unknown_ages(people))


def unknown_ages(people: Population) -> list[str]:
    return [say("charts.unknown_age", n=people.unknown)] if people.unknown else []


def alt(people: Population, bars: AgeBars, title: str) -> str:
    """What the chart shows, with its numbers: every bar that is not empty."""
    uppers = bars.bins.uppers
    said = [
        _bar_text(low, high, int(number))
        for low, high, number in zip((0, *uppers), uppers, bars.totals, strict=False)
        if number
    ]
    parts = [part_text(bars, name) for name in bars.parts]
    facts = {"bars": listed("clauses", said), "parts": listed("clauses", parts)}
    return say("charts.ages.alt", title=title, subtitle=listed("lines", remarks(people)), **facts)


def _bar_text(low: float, high: float, number: int) -> str:
    if isinf(high):
        return say("charts.ages.bar_open", n=number, low=days(low))
    return say("charts.ages.bar", n=number, low=f"{low:,.0f}", high=days(high))


def part_text(bars: AgeBars, name: str) -> str:
    return part(name, bars.number(name), bars.what_if)


def group_text(low: float, high: float) -> str:
    """The label of a wider group: in days below a year, otherwise in years."""
    if isinf(high):
        return say("charts.ages.group_over", low=_span(low))
    if low % YEAR == 0:
        return say("charts.ages.group_years", low=int(low) // YEAR, high=int(high) // YEAR)
    if high % YEAR == 0:
        return say("charts.ages.group_to", low=_span(low), high=_span(high))
    return say("charts.ages.group_days", low=int(low), high=int(high))


def _span(number: float) -> str:
    return days(number) if number % YEAR else say("charts.years", n=int(number) // YEAR)
