"""Age against days without use: who is idle, who is old, and who is both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from keyaudit.charts.facts.population import Population, days, subtitle
from keyaudit.texts import say


@dataclass(frozen=True)
class Idle:
    """Active keys whose age and last use are known: days since rotation, days since use (never used: since
    rotation), whether never used; ``left_out`` is the number of the others."""

    ages: np.ndarray
    idle: np.ndarray
    never: np.ndarray
    left_out: int
    age_limit: int | None
    idle_limit: int | None

    def count(self, old: bool | None = None, idle: bool | None = None) -> int:
        """Keys on one side of either limit: older than the one, idle for the other or longer."""
        chosen = np.ones(len(self.ages), bool)
        if old is not None and self.age_limit:
            chosen &= (self.ages > self.age_limit) == old
        if idle is not None and self.idle_limit:
            chosen &= (self.idle >= self.idle_limit) == idle
        return int(chosen.sum())


def idle(people: Population) -> Idle:
    """Idle days as they were judged; where no limit asked for them, as the rule of the control counts them: from
    the last use, but not one before the last rotation. A last use that was not reported is no use known."""
    active = people.active
    since = active[["last_rotated", "last_used_date"]].max(axis=1)
    days_idle = people.elapsed(since, active["idle_days"].fillna(_whole_days(people, since)))
    known = people.known & ~np.isnan(days_idle) & ~active["last_used_unknown"].to_numpy(bool)
    return Idle(
        ages=people.ages[known],
        idle=days_idle[known],
        never=active["last_used_date"].isna().to_numpy(bool)[known],
        left_out=int((~known).sum()),
        age_limit=people.limit,
        idle_limit=people.policy.max_credential_usage_age,
    )


def _whole_days(people: Population, since: pd.Series) -> pd.Series:
    if people.as_of is None:
        return pd.Series(pd.NA, index=since.index, dtype="Int64")
    whole = (people.as_of - since) // pd.Timedelta(days=1)
    return whole.where(whole >= 0).astype("Int64")


def claim(people: Population, keys: Idle) -> str:
    """The finding in a sentence: who is idle, and who of these old; without an idle limit, who was never used."""
    active = say("charts.active", n=len(people.active))
    if keys.idle_limit is None:
        number = int(keys.never.sum())
        return say(f"charts.idle.{'never' if number else 'none_never'}_no_limit", n=number, active=active)
    number, both = keys.count(idle=True), keys.count(old=True, idle=True)
    facts = {"n": number, "active": active, "days": days(keys.idle_limit)}
    if not number:
        kind = "none_known_idle" if keys.left_out else "only_used" if len(people.active) == 1 else "none_idle"
        return say(f"charts.idle.{kind}", **facts, unknown=f"{keys.left_out:,}")
    everyone = number == len(people.active)
    text = say(f"charts.idle.{('only_idle' if number == 1 else 'all_idle') if everyone else 'idle'}", **facts)
    if keys.age_limit is None:
        return text
    kind = "none_old" if not both else "all_old" if both == number else "some_old"
    return text + say(f"charts.idle.{kind}", n=number if kind == "all_old" else both, days=days(keys.age_limit))


def remarks(people: Population, keys: Idle) -> list[str]:
    missing = [("idle_limit", keys.idle_limit), ("age_limit", keys.age_limit)]
    said = [say(f"charts.idle.no_{name}") for name, limit in missing if limit is None]
    unknown = [say("charts.idle.unknown", n=keys.left_out)] if keys.left_out else []
    return subtitle(people, *said, left_out=unknown)


def zones(keys: Idle) -> dict[tuple[bool, bool], str]:
    """What lies on each side of the limits that there are: (over the age limit, over the idle limit) -> words."""
    found: dict[tuple[bool, bool], str] = {}
    for old in (False, True) if keys.age_limit else (False,):
        for over in (False, True) if keys.idle_limit else (False,):
            age = ("_old" if old else "_young") if keys.age_limit else ""
            use = ("_idle" if over else "_used") if keys.idle_limit else ""
            if age or use:
                found[old, over] = say(f"charts.idle.zone{age}{use}", n=keys.count(old, over))
    return found


def mark_text(keys: Idle, never: bool) -> str:
    number = int((keys.never == never).sum())
    return say(f"charts.idle.mark_{'never' if never else 'used'}", n=number)


def alt(people: Population, keys: Idle) -> str:
    """What the chart shows, with its numbers."""
    marks = [mark_text(keys, never) for never in (False, True)]
    extremes = say("charts.idle.extremes", age=days(keys.ages.max()), idle=days(keys.idle.max()))
    facts = {"subtitle": ". ".join(remarks(people, keys)), "extremes": extremes}
    said = ", ".join([*zones(keys).values(), *marks])
    return say("charts.idle.alt", title=claim(people, keys), said=said, **facts)
