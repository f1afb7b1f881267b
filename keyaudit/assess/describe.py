"""Compact findings -> findings as everyone sees them: stable id, annotation, worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd

from keyaudit.credentials.arrays import framed, typed
from keyaudit.policy import Exemption, Policy
from keyaudit.schema import COMPLIANCE_TYPES, CONTROLS, FINDING_COLUMNS, TIME, UNUSED
from keyaudit.texts import language, say


def worst_first(findings: pd.DataFrame) -> pd.DataFrame:
    """Findings sorted by compliance type (worst first), control, administrators first, days over (most first), age,
    and name."""
    if not len(findings):
        return findings
    order = np.lexsort(
        (
            _numbers(findings, "key_slot", 0),
            *(_ranks(findings, name) for name in ("user", "account_id")),
            *(-_numbers(findings, name, -1) for name in ("age_days", "days_over")),
            ~findings["administrator"].array.to_numpy(bool, na_value=False),
            *(_places(findings, name, names) for name, names in ORDERS.items()),
        )
    )
    return findings.take(order).reset_index(drop=True)


#: of the columns with an order of their own, the last that decides first
ORDERS = {"control": CONTROLS, "compliance_type": COMPLIANCE_TYPES}


def _numbers(findings: pd.DataFrame, name: str, otherwise: int) -> np.ndarray:
    """A column of numbers, with another where there is none."""
    return findings[name].array.to_numpy(np.int64, na_value=otherwise)


def _ranks(findings: pd.DataFrame, name: str) -> np.ndarray:
    """The places of texts in their order; a missing one is empty."""
    return pd.factorize(np.array(_column(findings, name), dtype=object), sort=True)[0]


def _places(findings: pd.DataFrame, name: str, names: Sequence[str]) -> np.ndarray:
    """The places of names in a list of them."""
    places = {one: place for place, one in enumerate(names)}
    return np.array([places[one] for one in findings[name].tolist()])


def describe(findings: pd.DataFrame, policy: Policy, names: Mapping[str, str]) -> pd.DataFrame:
    """Compact findings with ``finding_id``, ``annotation`` and ``account_name``: exactly
    ``schema.FINDING_COLUMNS``. ``names``: of accounts by their ids, as far as they are known."""
    exemptions = {exemption.id: exemption for exemption in policy.exemption}
    parts = zip(*(map(str, one) for one in _identity(findings)), strict=True)
    ids = [*map(_digest, map("\x1f".join, parts))]
    facts = ("control", "reason", "age_days", "days_over", "limit", "count")
    texts = map(partial(_text, language()), *(_column(findings, name) for name in facts))
    annotations = [
        _detailed(text, detail, exemption_id, exemptions.get(exemption_id))
        for text, detail, exemption_id in zip(
            texts, _column(findings, "detail"), _column(findings, "exemption_id"), strict=True
        )
    ]
    made = {
        "finding_id": ids,
        "annotation": annotations,
        "account_name": [names.get(one) for one in findings["account_id"].tolist()],
    }
    columns = {
        name: typed(np.array(made[name], dtype=object), "str") if name in made else findings[name].array
        for name in FINDING_COLUMNS
    }
    return framed(columns, len(findings))


def _column(findings: pd.DataFrame, name: str) -> list[Any]:
    """The cells as Python values, "" for a missing one; times as whole microseconds since 1970."""
    cells = findings[name].array
    missing = cells.isna()
    if cells.dtype == TIME:
        values = cells.to_numpy("datetime64[us]").astype("int64").astype(object)
    else:
        values = cells.to_numpy(object, copy=True)
    values[missing] = ""
    return values.tolist()


@lru_cache(maxsize=65_536)
def _digest(joined: str) -> str:
    """The id of what makes a finding the same; in evidence of a period the same findings stand in each folder."""
    return sha256(joined.encode()).hexdigest()[:16]


def _identity(findings: pd.DataFrame) -> list[list[Any]]:
    """What makes a finding the same in every run: control, account, principal and its creation, slot, and rotation.
    For a finding about the whole account, its reason as well; for a key in no slot, the key's id. If a slot is used
    again, or a user is made again, that is another key."""
    users, arns, reasons, slots, keys = (
        _column(findings, name) for name in ("user", "arn", "reason", "key_slot", "access_key_id")
    )
    who = [f"{arn}\x1f{user}" for arn, user in zip(arns, users, strict=True)]
    what = [
        reason if not user else "" if slot else key
        for user, reason, slot, key in zip(users, reasons, slots, keys, strict=True)
    ]
    names = ("user_creation_time", "key_slot", "last_rotated")
    return [
        *(_column(findings, n) for n in ("control", "account_id")),
        who,
        *(_column(findings, n) for n in names),
        what,
    ]


@lru_cache(maxsize=16_384)
def _text(_: str, control: str, reason: str, age_days: Any, days_over: Any, limit: Any, count: Any) -> str:
    """The annotation of a finding, from its facts alone; ages repeat, so most are made only once in a language."""
    if reason == "missing":
        return ""
    facts = {"age": age_days or 0, "over": days_over or 0, "limit": limit or 0, "count": count or 0}
    if control == UNUSED:
        facts["rule"] = say("unused.rule", n=limit or 0)
    return say(f"{control}.{reason}", **facts, n=count or age_days or 0)


def _detailed(text: str, detail: str, exemption_id: str, exemption: Exemption | None) -> str:
    if exemption:
        return say("exemption.exempt", finding=text, id=exemption.id, expires=exemption.expires.isoformat())
    return say("exemption.grace", finding=text, id=exemption_id) if exemption_id else detail or text
