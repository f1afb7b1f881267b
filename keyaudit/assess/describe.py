"""Compact findings -> findings as everyone sees them: stable id, annotation, worst first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd

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
            findings["key_slot"].fillna(0).to_numpy(),
            pd.factorize(findings["user"].fillna(""), sort=True)[0],
            pd.factorize(findings["account_id"], sort=True)[0],
            -findings["age_days"].fillna(-1).to_numpy(),
            -findings["days_over"].fillna(-1).to_numpy(),
            ~findings["administrator"].fillna(False).to_numpy(bool),
            findings["control"].map({name: i for i, name in enumerate(CONTROLS)}).to_numpy(),
            findings["compliance_type"].map({name: i for i, name in enumerate(COMPLIANCE_TYPES)}).to_numpy(),
        )
    )
    return findings.take(order).reset_index(drop=True)


def describe(findings: pd.DataFrame, policy: Policy, names: Mapping[str, str]) -> pd.DataFrame:
    """Compact findings with ``finding_id``, ``annotation`` and ``account_name``: exactly
    ``schema.FINDING_COLUMNS``. ``names``: of accounts by their ids, as far as they are known."""
    exemptions = {exemption.id: exemption for exemption in policy.exemption}
    parts = zip(*(map(str, one) for one in _identity(findings)), strict=True)
    ids = [sha256(joined.encode()).hexdigest()[:16] for joined in map("\x1f".join, parts)]
    facts = ("control", "reason", "age_days", "days_over", "limit", "count")
    texts = map(partial(_text, language()), *(_column(findings, name) for name in facts))
    annotations = [
        _detailed(text, detail, exemption_id, exemptions.get(exemption_id))
        for text, detail, exemption_id in zip(
            texts, _column(findings, "detail"), _column(findings, "exemption_id"), strict=True
        )
    ]
    described = findings.assign(
        finding_id=pd.Series(ids, dtype="str"),
        annotation=pd.Series(annotations, dtype="str"),
        account_name=pd.Series([names.get(one) for one in findings["account_id"].tolist()], dtype="str"),
    )
    return described[list(FINDING_COLUMNS)]


def _column(findings: pd.DataFrame, name: str) -> list[Any]:
    """The cells as Python values, "" for a missing one; times as whole microseconds since 1970."""
    cells = findings[name]
    missing = cells.isna().to_numpy()
    if cells.dtype == TIME:
        values = cells.to_numpy("datetime64[us]").astype("int64").tolist()
    else:
        values = cells.to_numpy(object).tolist()
    return ["" if gone else value for gone, value in zip(missing, values, strict=True)] if missing.any() else values


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
