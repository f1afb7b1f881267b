"""What ``series`` found: for a terminal, as JSON, and as CSV."""

from __future__ import annotations

from typing import Any

from keyaudit.export.tabular import table_csv
from keyaudit.files import json_text
from keyaudit.present.grid import grid, wrapped
from keyaudit.present.table import table
from keyaudit.schedule.series import Series
from keyaudit.texts import say, visible


def as_json(found: Series, every: str) -> str:
    told = {"every": every, "whole": found.is_whole, "faults": found.faults, "periods": _records(found)}
    return json_text(told)


def as_csv(found: Series) -> bytes:
    rows = [[*[*one.values()][:-1], "; ".join(one["remarks"])] for one in _records(found)]
    return table_csv(("subject", "period", "state", "evidence", "conclusion", "remarks"), rows)


def _records(found: Series) -> list[dict[str, Any]]:
    return [
        {
            "subject": one.subject,
            "period": one.period,
            "state": one.state,
            "evidence": one.evidence.name if one.evidence else None,
            "conclusion": one.conclusion,
            "remarks": list(one.remarks),
        }
        for one in found.dues
    ]


def as_text(found: Series, width: int | None = None) -> str:
    """``width``: of the terminal, None if there is none."""
    rows = [
        [one.period, one.subject, say(f"series.{one.state}"), one.conclusion, one.evidence and one.evidence.name]
        for one in found.dues
    ]
    remarks = [f"{one.period}  {visible(remark)}" for one in found.dues for remark in one.remarks]
    blocks = [grid(table("series", rows, most=None), width=width)] if rows else []
    for block in (remarks, [visible(fault) for fault in found.faults]):
        blocks += ["\n".join(part for line in block for part in wrapped(line, width, "  "))] if block else []
    return "\n\n".join(blocks) + "\n"
