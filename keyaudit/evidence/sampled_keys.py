"""An evidence folder -> the population of which a sample is drawn. The folder is verified first, and judged again;
its findings.csv is never read."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyaudit.evidence.beside import place
from keyaudit.evidence.exports import BrokenError, prove, refuse_inside
from keyaudit.model.sampled import Item, SampledFrom
from keyaudit.schema import NOT_APPLICABLE, InputError
from keyaudit.texts import utc

if TYPE_CHECKING:
    from keyaudit.model import Audit


def population_of(folder: Path, control: str) -> SampledFrom:
    """What a control judged in an evidence folder. InputError if there is no such folder, if it does not verify, or
    if its evidence has no findings of the control."""
    try:
        proved = prove(folder)
    except BrokenError as error:
        raise InputError(
            f"{folder}: does not verify ({error.faults[0]}), and nothing is drawn from it; keyaudit verify names "
            "all that is wrong: take a copy that verifies, or make new evidence"
        ) from None
    return replace(judged_by(proved.audit, control, proved.name, proved.sha256), remarks=proved.remarks)


def judged_by(audit: Audit, control: str, name: str, sha256: str) -> SampledFrom:
    """The findings of a control on keys or users, but for those to which it does not apply: inactive keys, say."""
    rows = audit.findings[audit.findings["control"] == control].to_dict("records")
    named = [row for row in rows if _text(row["user"])]
    inside = [row for row in named if row["compliance_type"] != NOT_APPLICABLE]
    return SampledFrom(
        name=name,
        sha256=sha256,
        as_of=audit.as_of,
        control=control,
        items=tuple(map(_item, inside)),
        left_out=Counter(row["compliance_type"] for row in named if row["compliance_type"] == NOT_APPLICABLE),
        gaps=len(rows) - len(named),
        is_sample_data=audit.is_sample,
    )


def _item(row: dict[Any, Any]) -> Item:
    slot = _text(row["key_slot"])
    return Item(
        id=row["finding_id"],
        account=_text(row["account_id"]),
        user=_text(row["user"]),
        key=_text(row["access_key_id"]) or (f"access_key_{slot}" if slot else ""),
        created=utc(row["last_rotated"]) if _text(row["last_rotated"]) else "",
        verdict=row["compliance_type"],
    )


def _text(cell: Any) -> str:
    import pandas as pd

    return "" if cell is None or pd.isna(cell) else str(cell)


def write_sample(path: Path, content: bytes) -> None:
    """Put the table where nothing is yet; what was filled in is never written over. InputError for a place inside
    of evidence."""
    refuse_inside(path.parent)
    place(path, content)
