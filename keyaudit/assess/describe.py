"""Compact findings -> findings as everyone sees them: stable id, annotation, worst first."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pandas as pd

from keyaudit.policy import Exemption, Policy
from keyaudit.schema import COMPLIANCE_TYPES, CONTROLS, EXEMPT, FINDING_COLUMNS
from keyaudit.texts import say


def worst_first(findings: pd.DataFrame) -> pd.DataFrame:
    """Findings by compliance type (worst first), control, days over (most first), age, then by name."""
    if not len(findings):
        return findings
    order = np.lexsort(
        (
            findings["key_slot"].fillna(0).to_numpy(),
            pd.factorize(findings["user"].fillna(""), sort=True)[0],
            pd.factorize(findings["account_id"], sort=True)[0],
            -findings["age_days"].fillna(-1).to_numpy(),
            -findings["days_over"].fillna(-1).to_numpy(),
            findings["control"].map({name: i for i, name in enumerate(CONTROLS)}).to_numpy(),
            findings["compliance_type"].map({name: i for i, name in enumerate(COMPLIANCE_TYPES)}).to_numpy(),
        )
    )
    return findings.take(order).reset_index(drop=True)


def describe(findings: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Compact findings with ``finding_id`` and ``annotation``: exactly ``schema.FINDING_COLUMNS``."""
    exemptions = {exemption.id: exemption for exemption in policy.exemption}
    records = findings.astype(dict.fromkeys(findings.columns, object)).itertuples(index=False)
    ids, annotations = [], []
    for record in records:
        ids.append(_finding_id(record))
        annotations.append(_annotation(record, exemptions))
    described = findings.assign(finding_id=ids, annotation=annotations)
    return described[list(FINDING_COLUMNS)].astype({"finding_id": "str", "annotation": "str"})


def _finding_id(finding: Any) -> str:
    """The same for the same key and control in every run: account, principal, its creation, slot, rotation.
    A slot that is used again, or a user made again, is another key."""
    parts = (
        finding.control,
        finding.account_id,
        _text(finding.arn) or _text(finding.user),
        _text(finding.user_creation_time),
        _text(finding.key_slot),
        _text(finding.last_rotated),
        finding.reason if not _text(finding.user) else "",
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def _text(value: Any) -> str:
    if pd.isna(value):
        return ""
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def _annotation(finding: Any, exemptions: dict[str, Exemption]) -> str:
    if finding.reason == "missing":
        return str(finding.detail)
    over = 0 if pd.isna(finding.days_over) else int(finding.days_over)
    age = 0 if pd.isna(finding.age_days) else int(finding.age_days)
    limit = 0 if pd.isna(finding.limit) else int(finding.limit)
    reason, _, count = (
        finding.reason.partition("_") if finding.control == "active-keys" else (finding.reason, "", "")
    )
    facts = {"age": age, "over": over, "limit": limit, "count": count, "n": int(count or age)}
    text = say(f"{finding.control}.{reason}", **facts)
    if finding.compliance_type == EXEMPT:
        exemption = exemptions[finding.exemption_id]
        return say("exemption.exempt", finding=text, id=exemption.id, expires=exemption.expires.isoformat())
    return text
