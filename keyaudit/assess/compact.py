"""Arrays -> compact findings: every column of ``schema.FINDING_COLUMNS`` but ``finding_id``, ``annotation`` and
``account_name``.

Those cost more than the judgement; ``describe`` makes them only for the rows that are shown, from ``reason``,
``count``, ``detail`` and ``user_creation_time``, and from the names of the accounts. ``row`` is the key's place
among the keys that were judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from keyaudit.assess.controls import Accounts
from keyaudit.assess.rows import ACCOUNT, NAT, Rows
from keyaudit.credentials.arrays import MISSING, series
from keyaudit.policy import Policy
from keyaudit.schema import EXEMPT, FINDING_COLUMNS, INSUFFICIENT_DATA, NON_COMPLIANT, ROOT_USER, ROTATION, TIME
from keyaudit.texts import listed


def findings_frame(rows: Rows, control: str, accounts: Accounts) -> pd.DataFrame:
    """A control's rows as compact findings, with the identity of the keys that they speak of."""
    index = pd.RangeIndex(len(rows.row))
    at = np.flatnonzero(rows.row != ACCOUNT)

    def of_key(name: str, otherwise: object) -> np.ndarray:
        """A column of the keys, with something else where a finding speaks of no key."""
        keys = accounts.keys[name]
        found = np.full(len(index), otherwise, dtype=keys.dtype)
        found[at] = keys[rows.row[at]]
        return found

    labels = np.array(accounts.labels, dtype=object)[accounts.places(rows)]
    texts = {name: of_key(name, None) for name in ("arn", "access_key_id", "status", "owner", "last_used_service")}
    # root-key alone means the root user where it speaks of the whole account
    texts |= {"account_id": labels, "user": of_key("user", ROOT_USER)}
    times = {name: of_key(name, NAT) for name in ("user_creation_time", "last_rotated", "last_used_date")}
    times["due"] = rows.deadlines()
    slots = of_key("key_slot", MISSING)
    if rows.count is not None:
        none, never = np.full(len(index), None, dtype=object), np.full(len(index), NAT)
        texts |= dict.fromkeys(("access_key_id", "status", "last_used_service"), none)
        times |= dict.fromkeys(("last_rotated", "last_used_date"), never)
        slots = np.full(len(index), MISSING)
    texts["compliance_type"], texts["reason"] = rows.case.names()
    texts["exemption_id"], texts["detail"] = (np.full(len(index), None, dtype=object) for _ in range(2))
    for position, exemption_id in rows.exempt.items():
        texts["compliance_type"][position], texts["exemption_id"][position] = EXEMPT, exemption_id
    numbers = {name: rows.numbers(name) for name in ("age_days", "days_over", "limit", "count")}
    frame = {"control": pd.Series(control, index=index, dtype="str")}
    for dtype, columns in (("str", texts), (TIME, times), ("Int64", numbers | {"key_slot": slots})):
        frame |= {name: series(values, dtype, index) for name, values in columns.items()}
    frame["administrator"] = series(of_key("administrator", None), "boolean", index)
    frame["row"] = pd.Series(rows.row if rows.count is None else np.full(len(index), ACCOUNT), index=index)
    return pd.DataFrame(frame, index=index)


#: what is said of a whole account: its place, control, compliance type, reason and detail
AccountRow = tuple[int, str, str, str, str]


def account_rows(policy: Policy, gaps: Sequence[Mapping[str, Sequence[str]]]) -> list[AccountRow]:
    """What is said of whole accounts: what was missing (``gaps``: for each account, sentences by control), and that
    the policy sets no period."""
    rows: list[AccountRow] = []
    for place, missing in enumerate(gaps):
        if policy.limit(ROTATION) is None:
            rows.append((place, ROTATION, NON_COMPLIANT, "no_period_defined", ""))
        rows += [
            (place, control, INSUFFICIENT_DATA, "missing", listed("remarks", dict.fromkeys(said)))
            for control, said in missing.items()
            if said
        ]
    return rows


def account_findings(labels: Sequence[str], rows: Sequence[AccountRow]) -> pd.DataFrame:
    """The same as compact findings."""
    index = pd.RangeIndex(len(rows))
    dtypes = {**FINDING_COLUMNS, "user_creation_time": TIME, "reason": "str", "detail": "str", "count": "Int64"}
    frame = {
        name: pd.Series(pd.NaT if dtype == TIME else None, index=index, dtype=dtype)
        for name, dtype in dtypes.items()
        if name not in ("finding_id", "annotation", "account_name")
    }
    frame["row"] = pd.Series(ACCOUNT, index=index)
    frame["account_id"] = pd.Series([labels[row[0]] for row in rows], index=index, dtype="str")
    for position, name in enumerate(("control", "compliance_type", "reason", "detail"), 1):
        frame[name] = pd.Series([row[position] for row in rows], index=index, dtype="str")
    return pd.DataFrame(frame, index=index)
