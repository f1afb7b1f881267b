"""Arrays -> compact findings, control by control, and one frame of them all: every column of
``schema.FINDING_COLUMNS`` but ``finding_id``, ``annotation`` and ``account_name``.

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
from keyaudit.credentials.arrays import MISSING, Columns, framed, typed
from keyaudit.policy import Policy
from keyaudit.schema import EXEMPT, FINDING_COLUMNS, INSUFFICIENT_DATA, NON_COMPLIANT, ROOT_USER, ROTATION, TIME
from keyaudit.texts import listed

#: what a finding has besides
SHOWN_ALONE = ("finding_id", "annotation", "account_name")
#: what a finding that counts keys does not say
OF_ONE_KEY: dict[str, object] = {
    **dict.fromkeys(("access_key_id", "status", "last_used_service", "purpose")),
    **dict.fromkeys(("last_rotated", "last_used_date"), NAT),
    "key_slot": MISSING,
}
#: the columns and their types
_DTYPES = {
    **{name: dtype for name, dtype in FINDING_COLUMNS.items() if name not in SHOWN_ALONE},
    **{"user_creation_time": TIME, "reason": "str", "detail": "str", "count": "Int64", "row": "Int64"},
}


def findings_frame(parts: Sequence[Columns]) -> pd.DataFrame:
    """Compact findings of several controls as one frame."""
    columns = {name: np.concatenate([one[name] for one in parts]) for name in _DTYPES}
    return framed(
        {name: typed(values, _DTYPES[name]) if name != "row" else values for name, values in columns.items()},
        len(columns["row"]),
    )


def findings_of(rows: Rows, control: str, accounts: Accounts) -> Columns:
    """A control's rows as compact findings, with the identity of the keys that they speak of."""
    length = len(rows.row)
    at = np.flatnonzero(rows.row != ACCOUNT)

    def of_key(name: str, otherwise: object) -> np.ndarray:
        """A column of the keys, with something else where a finding speaks of no key."""
        keys = accounts.keys[name]
        found = np.full(length, otherwise, dtype=keys.dtype)
        found[at] = keys[rows.row[at]]
        return found

    found = {
        "control": np.full(length, control, dtype=object),
        "account_id": np.array(accounts.labels, dtype=object)[accounts.places(rows)],
        # root-key alone means the root user where it speaks of the whole account
        "user": of_key("user", ROOT_USER),
        **{name: of_key(name, None) for name in ("arn", "owner", "administrator")},
        "user_creation_time": of_key("user_creation_time", NAT),
        "due": rows.deadlines(),
        "row": rows.row if rows.count is None else np.full(length, ACCOUNT),
        **{name: rows.numbers(name) for name in ("age_days", "days_over", "limit", "count")},
    }
    for name, otherwise in OF_ONE_KEY.items():
        found[name] = of_key(name, otherwise) if rows.count is None else _nothing(name, length)
    found["compliance_type"], found["reason"] = rows.case.names()
    found["exemption_id"], found["detail"] = _nothing("exemption_id", length), _nothing("detail", length)
    for position, exemption_id in rows.exempt.items():
        found["compliance_type"][position], found["exemption_id"][position] = EXEMPT, exemption_id
    return found


def _nothing(name: str, length: int) -> np.ndarray:
    """A column without a value."""
    dtype = _DTYPES[name]
    return np.full(length, NAT if dtype == TIME else MISSING if dtype == "Int64" else None)


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


def account_findings(labels: Sequence[str], rows: Sequence[AccountRow]) -> Columns:
    """The same as compact findings."""
    found = {name: _nothing(name, len(rows)) for name in _DTYPES}
    found["row"] = np.full(len(rows), ACCOUNT)
    for position, name in enumerate(("account_id", "control", "compliance_type", "reason", "detail")):
        found[name][:] = [row[position] if position else labels[row[0]] for row in rows]
    return found
