"""The accounts of an Audit as a frame, for charts and tables."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from keyaudit.model.provenance import Provenance
from keyaudit.schema import ACTIVE, EXEMPT, INSUFFICIENT_DATA, NON_COMPLIANT


def accounts_frame(provenance: Sequence[Provenance], keys: pd.DataFrame) -> pd.DataFrame:
    """One row per account, in the order of ``provenance``; see ``Audit.accounts``."""
    provenance = [one for one in provenance if one.is_account]
    index = pd.Index([one.account_id for one in provenance], name="account_id")
    active = keys[keys["status"] == ACTIVE] if len(keys) else pd.DataFrame(columns=[*_NEEDED])
    by_type = active.groupby(["account_id", "compliance_type"]).size().to_dict()
    oldest = active.groupby("account_id")["age_days"].max().to_dict()
    counts = {
        name: [int(by_type.get((account, kind), 0)) for account in index]
        for name, kind in (("failing", NON_COMPLIANT), ("exempt", EXEMPT), ("unknown", INSUFFICIENT_DATA))
    }
    sizes = active.groupby("account_id").size().to_dict()
    return pd.DataFrame(
        {
            "account_id": pd.Series(index, dtype="str"),
            "conclusion": pd.Series([one.conclusion for one in provenance], dtype="str"),
            "rotation": pd.Series([one.rotation for one in provenance], dtype="str"),
            "read": pd.Series([bool(one.form) for one in provenance], dtype="bool"),
            "users": pd.Series([one.users for one in provenance], dtype="int64"),
            "keys": pd.Series([one.keys for one in provenance], dtype="int64"),
            "active": pd.Series([int(sizes.get(account, 0)) for account in index], dtype="int64"),
            **{name: pd.Series(values, dtype="int64") for name, values in counts.items()},
            "due_soon": pd.Series([one.due_soon for one in provenance], dtype="int64"),
            "oldest_days": pd.Series([oldest.get(account, pd.NA) for account in index], dtype="Int64"),
        }
    )


_NEEDED = ("account_id", "compliance_type", "age_days")
