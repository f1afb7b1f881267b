"""Which share of the active keys is in time, by each key's own deadline; and was so, or will be, days earlier or
later. A key of unknown age is never counted as in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keyaudit.charts.facts.ages import unknown_ages
from keyaudit.charts.facts.overdue import part
from keyaudit.charts.facts.population import Population, days, percent, subtitle
from keyaudit.texts import listed, say

#: days from the deadline, and ages, at which the alternative text gives the share
DAYS_PAST = (-60, -30, 0, 30, 90, 180, 365, 730, 1825)
AGES = (30, 60, 90, 180, 365, 730, 1825)


@dataclass(frozen=True)
class Share:
    """Sorted days past each key's own deadline (negative: days left), or ages where no period is defined; and the
    number of all active keys, of which they are a part."""

    days: np.ndarray
    total: int

    def upto(self, day: float) -> int:
        """The number of keys that are known to be no further."""
        return int(np.searchsorted(self.days, day, side="right"))

    @property
    def steps(self) -> tuple[np.ndarray, np.ndarray]:
        """Corners of the curve: days, and the share from each day on."""
        found = np.unique(self.days)
        return found, np.searchsorted(self.days, found, side="right") / self.total


def share(people: Population) -> Share:
    """The shares of a population with at least one known age."""
    values = people.ages if people.limit is None else past_deadline(people)
    return Share(np.sort(values[people.known]), len(people.active))


def past_deadline(people: Population) -> np.ndarray:
    """Days from each active key's own deadline to ``as_of``: 0 or less if it is in time, more if it is not, as it
    was judged, also where ages are known in whole days alone. NaN where the age is unknown."""
    past = people.ages - people.active["limit"].to_numpy("float64", na_value=np.nan)
    late = people.over | people.exempt
    return np.where(late, np.maximum(past, np.nextafter(0, 1)), np.minimum(past, 0))


def claim(people: Population, shares: Share) -> str:
    """The finding in a sentence: the share that is in time; without a period, the age of half of the keys."""
    total = shares.total
    active = say("charts.active", n=total)
    if people.limit is None:
        middle = shares.days[len(shares.days) // 2]
        some = say("charts.share.known" if people.unknown else "charts.active", n=len(shares.days))
        return say("charts.share.no_period", n=total, some=some, days=days(middle))
    number = shares.upto(0)
    if total == 1:
        return say(f"charts.share.{'only' if number else 'only_not'}")
    if number == total:
        return say("charts.share.all", active=active)
    if not number:
        return say(f"charts.share.{'none_known' if people.unknown else 'none'}", active=active)
    return say("charts.share.title", n=number, active=active, share=percent(number, total))


def remarks(people: Population) -> list[str]:
    unknown = [say("charts.share.unknown", keys=keys) for keys in unknown_ages(people)]
    return subtitle(people, *unknown)


def deadline_text(people: Population, shares: Share) -> str:
    """What the curve says at the deadline, and which active keys are missing there."""
    number, exempt = shares.upto(0), int(people.exempt.sum())
    lines = [say("charts.share.in_time", n=number, share=percent(number, shares.total))]
    lines.append(part("over", int(people.over.sum())))
    lines += [part("exempt", exempt)] if exempt else []
    lines += [part("unknown", people.unknown)] if people.unknown else []
    return "\n".join(lines)


def alt(people: Population, shares: Share) -> str:
    """What the chart shows, with its numbers."""
    first, last = float(shares.days[0]), float(shares.days[-1])
    if people.limit is None:
        kind, points = "alt_ages", [point for point in AGES if 0 < point < last]
    else:
        kind, points = "alt", [point for point in DAYS_PAST if point == 0 or first <= point < last]
    said = [_at(people, shares, point) for point in points]
    if last > max(points, default=-np.inf):
        said.append(_at(people, shares, last))
    facts = {"subtitle": listed("lines", remarks(people)), "points": listed("clauses", said)}
    return say(f"charts.share.{kind}", title=claim(people, shares), **facts)


def _at(people: Population, shares: Share, day: float) -> str:
    return say("charts.share.at", days=_day(people, day), share=percent(shares.upto(day), shares.total))


def _day(people: Population, day: float) -> str:
    whole = int(np.ceil(abs(day)))
    if people.limit is None:
        return days(whole)
    kind = "deadline" if not whole else "before" if day < 0 else "after"
    return say(f"charts.share.{kind}", days=days(whole))
