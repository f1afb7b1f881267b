"""Arrays -> compact findings: every column of ``schema.FINDING_COLUMNS`` but ``finding_id`` and ``annotation``.

Those two columns cost more than the judgement; ``describe`` makes them only for the rows that are shown, from
``reason``, ``count``, ``detail`` and ``user_creation_time``. ``row`` is the key's place in its account's keys.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from keyaudit.assess.controls import Account
from keyaudit.assess.rows import ACCOUNT, MISSING, Rows
from keyaudit.policy import Policy
from keyaudit.schema import EXEMPT, FINDING_COLUMNS, INSUFFICIENT_DATA, NON_COMPLIANT, ROOT_USER, ROTATION, TIME
from keyaudit.texts import listed

_KEY_FIELDS = ("user", "arn", "access_key_id", "status", "owner")


def findings_frame(rows: Rows, control: str, account: Account) -> pd.DataFrame:
    """A control's rows as compact findings, with the identity of the keys that they speak of."""
    index = pd.RangeIndex(len(rows.row))
    of_account = rows.row == ACCOUNT
    frame: dict[str, pd.Series] = {
        "control": pd.Series(control, index=index, dtype="str"),
        "account_id": pd.Series(account.account_id, index=index, dtype="str"),
    }
    if of_account.any():
        # root-key alone means the root user where it speaks of the whole account
        frame |= {field: pd.Series(None, index=index, dtype="str") for field in _KEY_FIELDS}
        frame["user"] = pd.Series(ROOT_USER, index=index, dtype="str")
        frame |= {
            name: pd.Series(pd.NaT, index=index, dtype=TIME) for name in ("user_creation_time", "last_rotated")
        }
        frame["administrator"] = pd.Series(None, index=index, dtype="boolean")
        slots = np.full(len(index), MISSING)
    else:
        keys = account.keys.take(rows.row)
        keys.index = index
        frame |= {
            field: keys[field] for field in (*_KEY_FIELDS, "administrator", "user_creation_time", "last_rotated")
        }
        # a key that is not in the report has no slot there
        slots = keys["key_slot"].fillna(MISSING).to_numpy(np.int64)
    if rows.count is not None:
        frame |= {field: pd.Series(None, index=index, dtype="str") for field in ("access_key_id", "status")}
        frame["last_rotated"] = pd.Series(pd.NaT, index=index, dtype=TIME)
        slots = np.full(len(index), MISSING)
    for name, values in (
        ("key_slot", slots),
        *((name, rows.numbers(name)) for name in ("age_days", "days_over", "limit", "count")),
    ):
        frame[name] = pd.Series(pd.arrays.IntegerArray(values.astype(np.int64), values < 0), index=index)
    frame["due"] = pd.Series(rows.deadlines().astype("datetime64[us]"), index=index).dt.tz_localize("UTC")
    types, reasons = rows.case.names()
    exemptions = np.full(len(index), None, dtype=object)
    for position, exemption_id in rows.exempt.items():
        types[position], exemptions[position] = EXEMPT, exemption_id
    for name, texts in (("compliance_type", types), ("reason", reasons), ("exemption_id", exemptions)):
        frame[name] = pd.Series(texts, index=index, dtype="str")
    frame["row"] = pd.Series(rows.row if rows.count is None else np.full(len(index), ACCOUNT), index=index)
    frame["detail"] = pd.Series(None, index=index, dtype="str")
    return pd.DataFrame(frame, index=index)


def account_findings(account_id: str, policy: Policy, gaps: dict[str, list[str]]) -> pd.DataFrame:
    """Rows that speak of the whole account: what was missing, by control, and that the policy sets no period."""
    rows = [
        (c, INSUFFICIENT_DATA, "missing", listed("remarks", dict.fromkeys(said)))
        for c, said in gaps.items()
        if said
    ]
    if policy.limit(ROTATION) is None:
        rows.insert(0, (ROTATION, NON_COMPLIANT, "no_period_defined", ""))
    index = pd.RangeIndex(len(rows))
    frame = pd.DataFrame(index=index)
    dtypes = {**FINDING_COLUMNS, "user_creation_time": TIME, "reason": "str", "detail": "str", "count": "Int64"}
    for name, dtype in dtypes.items():
        if name not in ("finding_id", "annotation"):
            frame[name] = pd.Series(pd.NaT if dtype == TIME else None, index=index, dtype=dtype)
    frame["row"] = pd.Series(ACCOUNT, index=index)
    frame["account_id"] = pd.Series(account_id, index=index, dtype="str")
    for position, name in enumerate(("control", "compliance_type", "reason", "detail")):
        frame[name] = pd.Series([row[position] for row in rows], index=index, dtype="str")
    return frame
