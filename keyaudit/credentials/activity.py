"""The last moment that a report knows about: it was not generated earlier, whatever it says about itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np

from keyaudit.credentials.columns import Table
from keyaudit.credentials.times import Instants, read_leniently

#: of the columns that no control judges, those that tell of the past (password_next_rotation tells of the future)
_TOLD = ("password_last_used", "password_last_changed", "cert_1_last_rotated", "cert_2_last_rotated")


def latest_activity(table: Table, judged: Iterable[Instants | None]) -> datetime | None:
    """The latest time in the report, of columns judged (read already) and not judged; None if it has no time."""
    known = [read.values[~np.isnat(read.values)] for read in judged if read is not None]
    moments = [values.max().item().replace(tzinfo=UTC) for values in known if len(values)]
    for column in _TOLD:
        # nearly all cells say that there is none, and a comparison is quicker than a hash
        different = {cell for cell in table.columns.get(column, ()) if cell != "N/A"}
        moments += [moment for cell in different if (moment := read_leniently(cell))]
    return max(moments, default=None)
