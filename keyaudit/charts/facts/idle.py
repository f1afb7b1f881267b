"""Age against days without use: who is idle, who is old, and who is both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from keyaudit.charts.facts.population import Population, days, limit_range, subtitle
from keyaudit.schema import EXEMPT, INSUFFICIENT_DATA, NON_COMPLIANT
from keyaudit.texts import listed, say


@dataclass(frozen=True)
class Idle:
    """Active keys whose age and last use are known: days since rotation, days since use (never used: since
    rotation), whether never used, and whether they are over the limit of age and that of idle days that apply to
    them (exempt ones too). ``left_out`` is the number of the others."""

    ages: np.ndarray
    idle: np.ndarray
    never: np.ndarray
    too_old: np.ndarray
    too_idle: np.ndarray
    left_out: int
    age_limit: int | None
    idle_limit: int | None

    def count(self, old: bool | None = None, idle: bool | None = None) -> int:
        """Keys on one side of either limit: past the one, at the other or past it."""
        chosen = np.ones(len(self.ages), bool)
        if old is not None and self.age_limit:
            chosen &= self.too_old == old
        if idle is not None and self.idle_limit:
            chosen &= self.too_idle == idle
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
        too_old=(people.over | people.exempt)[known],
        too_idle=_unused(people, NON_COMPLIANT, EXEMPT)[known],
        left_out=int((~known).sum()),
        age_limit=people.limit,
        idle_limit=people.policy.max_credential_usage_age,
    )


def _unused(people: Population, *types: str) -> np.ndarray:
    """Active keys whose finding under ``unused`` has one of these types, including those that are not drawn."""
    return people.active["unused_type"].isin(types).to_numpy(bool)


def own_idle_limits(people: Population) -> list[int]:
    """The idle limits of active keys that differ from the policy's, sorted."""
    own = people.active["idle_limit"].dropna()
    return sorted(int(limit) for limit in own if limit != people.policy.max_credential_usage_age)


def _whole_days(people: Population, since: pd.Series) -> pd.Series:
    if people.as_of is None:
        return pd.Series(pd.NA, index=since.index, dtype="Int64")
    whole = (people.as_of - since) // pd.Timedelta(days=1)
    return whole.where(whole >= 0).astype("Int64")


def claim(people: Population, keys: Idle) -> str:
    """The finding in a sentence: who is unused, and who of these overdue; without an idle limit, who was never
    used."""
    total = len(people.active)
    active = say("charts.active", n=total)
    if keys.idle_limit is None:
        number = int(keys.never.sum())
        return say(f"charts.idle.{'never' if number else 'none_never'}_no_limit", n=number, active=active)
    unused = _unused(people, NON_COMPLIANT)
    number, exempt = int(unused.sum()), int(_unused(people, EXEMPT).sum())
    texts = "charts.idle_if" if people.what_if else "charts.idle"
    rule = "own_rule" if own_idle_limits(people) else "rule"
    facts = {"n": number, "active": active, "rule": say(f"charts.idle.{rule}", days=days(keys.idle_limit))}
    unknown = int(_unused(people, INSUFFICIENT_DATA).sum())
    if number:
        kind = "some" if number < total else "all" if total > 1 else "only"
        said = [say(f"{texts}.{kind}{_overdue_of(people, unused)}", **facts, overdue=_both(people, unused))]
        return listed("remarks", said + ([say(f"{texts}.more_exempt", n=exempt)] if exempt else []))
    if total == 1:
        kind = "only_unknown" if unknown else "only_exempt" if exempt else "only_used"
        return say(f"{texts}.{kind}", **facts)
    said = [say(f"{texts}.{'none_known' if unknown else 'none'}", **facts, unknown=f"{unknown:,}")]
    return listed("remarks", said + ([say(f"{texts}.exempt", n=exempt)] if exempt else []))


def _overdue_of(people: Population, unused: np.ndarray) -> str:
    """Which text tells how many of the unused keys are overdue."""
    if people.limit is None:
        return ""
    both = _both(people, unused)
    return f"_with_{'none' if not both else 'all' if both == unused.sum() else 'some'}_overdue"


def _both(people: Population, unused: np.ndarray) -> int:
    return int((unused & people.over).sum())


def remarks(people: Population, keys: Idle) -> list[str]:
    missing = [("idle_limit", keys.idle_limit), ("age_limit", keys.age_limit)]
    said = [say(f"charts.idle.no_{name}") for name, limit in missing if limit is None]
    own = own_idle_limits(people)
    if own and keys.idle_limit:
        said.append(say("charts.idle.own_limits", n=len(own), days=limit_range(own)))
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
    facts = {"subtitle": listed("lines", remarks(people, keys)), "extremes": extremes}
    said = listed("clauses", [*zones(keys).values(), *marks])
    return say("charts.idle.alt", title=claim(people, keys), said=said, **facts)
