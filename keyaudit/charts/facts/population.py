"""What a chart may say of the keys that it draws: the active ones, their ages and verdicts, and who is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from keyaudit.schema import ACTIVE, EXEMPT, INACTIVE, JUDGED_COLUMNS, KEY_COLUMNS, NON_COMPLIANT, InputError
from keyaudit.texts import listed, say, utc

if TYPE_CHECKING:
    from keyaudit.policy import Policy

DAY = np.timedelta64(86_400_000_000, "us")


@dataclass(frozen=True)
class Population:
    """The keys of one chart. ``as_of`` is None where nothing tells it, and ``exact`` false where it was inferred
    from ages, to less than a day; ``what_if`` where a limit of the policy is one that was asked about, so that
    what it gives is no finding."""

    keys: pd.DataFrame
    policy: Policy
    as_of: pd.Timestamp | None
    exact: bool = True
    what_if: bool = False

    @cached_property
    def active(self) -> pd.DataFrame:
        return self.keys[self.keys["status"] == ACTIVE].reset_index(drop=True)

    @property
    def limit(self) -> int | None:
        return self.policy.max_access_key_age

    @property
    def whole_days(self) -> bool:
        return self.policy.age_comparison == "whole_days"

    @cached_property
    def ages(self) -> np.ndarray:
        """Days since the last rotation of each active key; NaN if unknown."""
        return self.elapsed(self.active["last_rotated"], self.active["age_days"])

    @cached_property
    def known(self) -> np.ndarray:
        return ~np.isnan(self.ages)

    @cached_property
    def over(self) -> np.ndarray:
        """Active keys over the limit that applies to them, and not exempt."""
        return (self.active["compliance_type"] == NON_COMPLIANT).to_numpy(bool)

    @cached_property
    def exempt(self) -> np.ndarray:
        return (self.active["compliance_type"] == EXEMPT).to_numpy(bool)

    @cached_property
    def own_limits(self) -> list[int]:
        """The limits of active keys that differ from the policy's, one entry per key, sorted."""
        limits = self.active["limit"].dropna()
        return sorted(int(limit) for limit in limits if limit != self.limit)

    @property
    def unknown(self) -> int:
        return int((~self.known).sum())

    @property
    def inactive(self) -> int:
        return int((self.keys["status"] == INACTIVE).sum())

    def elapsed(self, since: pd.Series, days: pd.Series) -> np.ndarray:
        """Days from ``since`` to ``as_of`` with their fraction, or whole ones where the policy compares these;
        never off the whole ``days`` that were judged. NaN where these are unknown."""
        whole = days.to_numpy("float64", na_value=np.nan)
        if self.whole_days or self.as_of is None:
            return whole
        exact = (self.as_of.to_datetime64() - since.to_numpy("datetime64[us]")) / DAY
        return np.clip(np.where(np.isnan(exact), whole, exact), whole, np.nextafter(whole + 1, whole))


def population(
    keys: pd.DataFrame, policy: Policy, as_of: datetime | None = None, what_if: bool = False
) -> Population:
    """The population of ``Audit.keys``; InputError if these are the keys of something else."""
    columns = {**KEY_COLUMNS, **JUDGED_COLUMNS}
    missing = [name for name in columns if name not in keys.columns]
    if missing and len(keys):
        raise InputError(f"keys: no column {missing[0]}; give the keys of an Audit (audit(...).keys)")
    if missing:
        keys = pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in columns.items()})
    moment, exact = _instant(keys, as_of)
    return Population(keys, policy, moment, exact, what_if)


def _instant(keys: pd.DataFrame, as_of: datetime | None) -> tuple[pd.Timestamp | None, bool]:
    """The instant of judgement: given; else when the latest report was generated, if the ages were counted at that
    instant; else the earliest at which they are right."""
    if as_of is not None:
        moment = pd.Timestamp(as_of)
        if moment.tzinfo is None:
            raise InputError(f"as_of: {as_of} has no zone; give the as_of of the Audit")
        return moment.tz_convert("UTC").as_unit("us"), True
    age = pd.to_timedelta(keys["age_days"].astype("float64"), unit="D").astype("timedelta64[us]")
    earliest, latest = (keys["last_rotated"] + age).max(), (keys["last_rotated"] + age).min() + pd.Timedelta(days=1)
    generated = keys["generated_time"].max()
    contradicted = earliest < latest and not earliest <= generated < latest
    if pd.notna(generated) and not contradicted:
        return generated.as_unit("us"), True
    return (None, True) if pd.isna(earliest) else (earliest.as_unit("us"), False)


# --- in words ------------------------------------------------------------------------------------------------


def days(number: float) -> str:
    return say("charts.days", n=int(number))


def percent(part: int, whole: int) -> str:
    """A share in words that is never rounded up to all, or down to none."""
    if part in (0, whole):
        return "100%" if part else "0%"
    return f"{min(max(100 * part / whole, 0.1), 99.9):.1f}".removesuffix(".0") + "%"


def when(people: Population) -> str:
    if people.as_of is None:
        return say("charts.as_of_unknown")
    if not people.exact:
        return say("charts.as_of_about", date=f"{people.as_of:%Y-%m-%d}")
    return say("charts.as_of", moment=utc(people.as_of))


def subtitle(people: Population, *remarks: str, left_out: Sequence[str] = ()) -> list[str]:
    """Population and date; then remarks, the limits that keys have of their own, and what is not shown."""
    accounts = say("charts.accounts", n=int(people.active["account_id"].nunique()))
    active = say("charts.active", n=len(people.active))
    lines = [say("charts.population", active=active, accounts=accounts, when=when(people))]
    second = [*remarks]
    if people.own_limits and people.limit is not None:
        second.append(say("charts.own_limits", n=len(people.own_limits), days=limit_range(people.own_limits)))
    hidden = [*left_out]
    if people.inactive:
        hidden.append(say("charts.inactive", n=people.inactive))
    if hidden:
        second.append(say("charts.not_shown", what=listed("clauses", hidden)))
    said = listed("remarks", second)
    return [*lines, said[0].upper() + said[1:]] if said else lines


def limit_range(limits: list[int]) -> str:
    """The limits that keys have of their own, in words, from the lowest to the highest."""
    low, high = days(limits[0]), days(limits[-1])
    return low if low == high else say("charts.own_limits_range", low=f"{limits[0]:,}", high=high)
