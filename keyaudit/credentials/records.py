"""Rows of a report as JSON objects, as PowerShell or a scanner writes them -> the CSV text that they were
(pure)."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from keyaudit.credentials.columns import ALIASES, KNOWN, shown
from keyaudit.credentials.refusals import refused
from keyaudit.schema import UNJUDGED_BOOLEANS
from keyaudit.texts import say

#: of several objects, where they are: in an answer of Steampipe, and of ConvertTo-Json in PowerShell 5
_WRAPPERS = ("rows", "value")
_USER = ("user", *(name for name, ours in ALIASES.items() if ours == "user"))


class TwiceError(ValueError):
    """A key that appears twice in one object: one of the two would be lost."""


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, no key of which appears twice."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise TwiceError(shown(key))
        found[key] = value
    return found


def rows_of(answer: Any) -> list[dict[str, Any]] | None:
    """The rows in a JSON value: a list of objects, one object, or what wraps these; None where there are none."""
    if isinstance(answer, dict):
        inside = [answer[name] for name in _WRAPPERS if isinstance(answer.get(name), list)]
        answer = inside[0] if len(inside) == 1 else [answer]
    if not isinstance(answer, list) or not all(isinstance(one, dict) for one in answer):
        return None
    return answer if any(key.lower() in _USER for one in answer for key in one) else None


def of_lines(text: str) -> list[dict[str, Any]] | None:
    """The rows in a text with one JSON object per line; None if it is not such a text."""
    try:
        return rows_of([json.loads(line, object_pairs_hook=once) for line in text.splitlines() if line.strip()])
    except (ValueError, RecursionError):
        return None


def as_csv(rows: list[dict[str, Any]], source: str) -> str:
    """The rows as CSV, row n in line n + 1. InputError for rows that do not have the same keys, or a value of a
    column of AWS's that cannot have stood in a report."""
    names = list(rows[0])
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for number, row in enumerate(rows, 1):
        if row.keys() != rows[0].keys():
            missing = min(row.keys() ^ rows[0].keys())
            place = say("read.row", source=source, row=number)
            raise refused(place, "other_keys", name=shown(missing))
        writer.writerow([_cell(name, row[name], source, number) for name in names])
    return text.getvalue()


def _cell(name: str, value: Any, source: str, number: int) -> str:
    column = ALIASES.get(name.lower(), name.lower())
    is_boolean = column in UNJUDGED_BOOLEANS or column.endswith("_active")
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if is_boolean and isinstance(value, bool):
        return "true" if value else "false"
    if column in KNOWN:
        place = say("read.row_place", source=source, row=number, column=column)
        raise refused(place, "no_text", kind=type(value).__name__)
    return ""
