"""The accounts of an Audit as a frame, for charts and tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from keyaudit.model.provenance import Provenance, names_of
from keyaudit.schema import ACTIVE, EXEMPT, INSUFFICIENT_DATA, NON_COMPLIANT

#: a column and its compliance type
_COUNTED = {"failing": NON_COMPLIANT, "exempt": EXEMPT, "unknown": INSUFFICIENT_DATA}
#: of an age that is not known
_MISSING = -1


def accounts_frame(provenance: Sequence[Provenance], keys: pd.DataFrame) -> pd.DataFrame:
    """One row per account, in the order of ``provenance``; see ``Audit.accounts``."""
    provenance = [one for one in provenance if one.is_account]
    ids, names = [one.account_id for one in provenance], names_of(provenance)
    by_type: Counter[tuple[str, str]] = Counter()
    sizes: Counter[str] = Counter()
    oldest: dict[str, int] = {}
    if len(keys):
        active = np.flatnonzero(keys["status"].to_numpy(object) == ACTIVE)
        of, kinds = (keys[name].to_numpy(object)[active].tolist() for name in ("account_id", "compliance_type"))
        ages = keys["age_days"].array.to_numpy(np.int64, na_value=_MISSING)[active].tolist()
        by_type.update(zip(of, kinds, strict=True))
        sizes.update(of)
        for account, age in zip(of, ages, strict=True):
            oldest[account] = max(age, oldest.get(account, _MISSING))
    days = np.array([oldest.get(account, _MISSING) for account in ids], dtype=np.int64)
    columns = {
        "account_id": _texts(ids),
        "account_name": _texts([names.get(account) for account in ids]),
        "conclusion": _texts([one.conclusion for one in provenance]),
        "rotation": _texts([one.rotation for one in provenance]),
        "read": np.array([bool(one.form) for one in provenance], dtype=bool),
        "users": _numbers([one.users for one in provenance]),
        "keys": _numbers([one.keys for one in provenance]),
        "active": _numbers([sizes[account] for account in ids]),
        **{name: _numbers([by_type[account, kind] for account in ids]) for name, kind in _COUNTED.items()},
        "due_soon": _numbers([one.due_soon for one in provenance]),
        "oldest_days": pd.arrays.IntegerArray(days, days == _MISSING),
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(len(ids)))


def _texts(values: Sequence[str | None]) -> pd.api.extensions.ExtensionArray:
    return pd.array(values, dtype="str")


def _numbers(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.int64)
