"""One account: controls, gaps and exemptions -> compact findings.

Compact findings have every column of ``schema.FINDING_COLUMNS`` but ``finding_id`` and ``annotation``, which
cost more than the judgement and are made by ``describe`` for the rows that are shown; ``reason``, ``detail``
and ``user_creation_time`` are what it needs. ``row`` is the key's place in the account's keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from keyaudit.assess.controls import ACCOUNT, MISSING, REGISTRY, Account, Rows
from keyaudit.assess.limits import find_exemption, unclear_overrides
from keyaudit.policy import Policy
from keyaudit.schema import (
    EXEMPT,
    FINDING_COLUMNS,
    INSUFFICIENT_DATA,
    LIMITED_CONTROLS,
    NON_COMPLIANT,
    ROOT_KEY,
    ROOT_USER,
    ROTATION,
    TIME,
    UNUSED,
    Problem,
)
from keyaudit.texts import say

_KEY_FIELDS = ("user", "arn", "access_key_id", "status")


def judge(
    keys: pd.DataFrame, account_id: str, policy: Policy, as_of: datetime, problems: Sequence[Problem] = ()
) -> tuple[pd.DataFrame, list[Problem]]:
    """The compact findings of one account, and its problems: those given and those found on the way.

    ``keys`` are the account's own; ``problems`` say which controls cannot rely on what evidence.
    """
    problems = [*problems, *_policy_problems(keys, account_id, policy)]
    controls = [control for control in REGISTRY if policy.assessed(control)]
    gaps = {c: [p.message for p in problems if c in p.controls] for c in controls}
    account = Account(account_id, keys, policy, as_of, root_gap=bool(gaps.get(ROOT_KEY)))
    frames = [_exempt(_frame(REGISTRY[c](account), c, account), account) for c in controls]
    frames.append(_account_rows(account_id, policy, gaps))
    findings = pd.concat([frame for frame in frames if len(frame)] or [frames[-1]], ignore_index=True)
    return findings, problems


def judged_keys(keys: pd.DataFrame, findings: pd.DataFrame) -> pd.DataFrame:
    """``keys`` with ``schema.JUDGED_COLUMNS``, from the compact findings of the same account."""
    judged = keys.copy()
    rows = findings[findings["row"] >= 0].set_index("row")
    rotation, unused = (rows[rows["control"] == control] for control in (ROTATION, UNUSED))
    for name in ("age_days", "limit", "due", "compliance_type"):
        judged[name] = rotation[name].reindex(judged.index)
    judged["idle_days"] = unused["age_days"].reindex(judged.index)
    return judged


def _policy_problems(keys: pd.DataFrame, account_id: str, policy: Policy) -> list[Problem]:
    """What the policy leaves open: nobody gave one, or an override names accounts and this is not known."""
    problems = []
    if not policy.given:
        problems.append(Problem(account_id, LIMITED_CONTROLS, say("problem.no_policy", name=policy.name)))
    for controls, number in unclear_overrides(keys["user"], account_id, policy):
        problems.append(Problem(account_id, controls, say("problem.unclear_override", number=number)))
    return problems


def _frame(rows: Rows, control: str, account: Account) -> pd.DataFrame:
    """A control's rows as compact findings, with the identity of the keys that they speak of."""
    index = pd.RangeIndex(len(rows.row))
    of_account = rows.row == ACCOUNT
    frame: dict[str, Any] = {
        "control": pd.Series(control, index=index, dtype="str"),
        "account_id": pd.Series(account.account_id, index=index, dtype="str"),
    }
    if of_account.any():
        # only root-key speaks of an account as a whole and means its root user
        frame |= {field: pd.Series(None, index=index, dtype="str") for field in _KEY_FIELDS}
        frame["user"] = pd.Series(ROOT_USER, index=index, dtype="str")
        frame |= {
            name: pd.Series(pd.NaT, index=index, dtype=TIME) for name in ("user_creation_time", "last_rotated")
        }
        slots = np.full(len(index), MISSING)
    else:
        keys = account.keys.take(rows.row)
        keys.index = index
        frame |= {field: keys[field] for field in (*_KEY_FIELDS, "user_creation_time", "last_rotated")}
        slots = keys["key_slot"].to_numpy(np.int64)
    if rows.whole_user:
        frame |= {field: pd.Series(None, index=index, dtype="str") for field in ("access_key_id", "status")}
        frame["last_rotated"] = pd.Series(pd.NaT, index=index, dtype=TIME)
        slots = np.full(len(index), MISSING)
    for name, values in (
        ("key_slot", slots),
        ("age_days", rows.age_days),
        ("days_over", rows.days_over),
        ("limit", rows.limit),
    ):
        frame[name] = pd.Series(pd.arrays.IntegerArray(values.astype(np.int64), values < 0), index=index)
    frame["due"] = pd.Series(rows.due.astype("datetime64[us]"), index=index).dt.tz_localize("UTC")
    frame["compliance_type"] = pd.Series(rows.compliance_type, index=index, dtype="str")
    frame["reason"] = pd.Series(rows.reason, index=index, dtype="str")
    frame["row"] = pd.Series(rows.row if not rows.whole_user else np.full(len(index), ACCOUNT), index=index)
    for name in ("exemption_id", "detail"):
        frame[name] = pd.Series(None, index=index, dtype="str")
    return pd.DataFrame(frame, index=index)


def _exempt(findings: pd.DataFrame, account: Account) -> pd.DataFrame:
    """Failing findings that an exemption in force covers become EXEMPT; nothing else changes."""
    if not account.policy.exemption or not len(findings):
        return findings
    failing = findings[(findings["compliance_type"] == NON_COMPLIANT) & (findings["reason"] != "no_period")]
    rotated = failing["last_rotated"].to_numpy("datetime64[us]")
    found = [
        find_exemption(account.policy, control, user, account.account_id, when, account.as_of)
        for control, user, when in zip(failing["control"], failing["user"], rotated, strict=True)
    ]
    covered = failing.index[[exemption is not None for exemption in found]]
    findings.loc[covered, "compliance_type"] = EXEMPT
    findings.loc[covered, "exemption_id"] = [exemption.id for exemption in found if exemption]
    return findings


def _account_rows(account_id: str, policy: Policy, gaps: dict[str, list[str]]) -> pd.DataFrame:
    """Rows that speak of the whole account: what was missing, by control, and a policy without a period."""
    rows = [(c, INSUFFICIENT_DATA, "missing", "; ".join(dict.fromkeys(said))) for c, said in gaps.items() if said]
    if policy.limit(ROTATION) is None:
        rows.insert(0, (ROTATION, NON_COMPLIANT, "no_period_defined", ""))
    index = pd.RangeIndex(len(rows))
    frame = pd.DataFrame(index=index)
    dtypes = {**FINDING_COLUMNS, "user_creation_time": TIME, "reason": "str", "detail": "str"}
    for name, dtype in dtypes.items():
        if name not in ("finding_id", "annotation"):
            frame[name] = pd.Series(pd.NaT if dtype == TIME else None, index=index, dtype=dtype)
    frame["row"] = pd.Series(ACCOUNT, index=index)
    frame["account_id"] = pd.Series(account_id, index=index, dtype="str")
    for position, name in enumerate(("control", "compliance_type", "reason", "detail")):
        frame[name] = pd.Series([row[position] for row in rows], index=index, dtype="str")
    return frame
