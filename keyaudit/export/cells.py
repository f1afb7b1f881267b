"""Sheets of a workbook as values: what stands in their cells, whatever library writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from keyaudit.texts import say


@dataclass(frozen=True)
class Verdict:
    """A cell that is told by its colour as well: a compliance type, or a state of an account; ``text``: the words,
    if they are not those of the type itself."""

    kind: str
    text: str = ""


#: several lines in one cell; each passes ``visible`` by itself
Lines = tuple[str, ...]
#: times are instants in UTC, and the heading says so
Cell = str | int | bool | datetime | Verdict | Lines | None


@dataclass(frozen=True)
class Sheet:
    """A sheet of rows under headings, with so many columns ``frozen`` at the left; without headings, a sheet of
    facts: what each is called, and its value. ``choices``: columns that are filled in, each by one of its words."""

    name: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    frozen: int = 0
    choices: tuple[tuple[str, tuple[str, ...]], ...] = ()


def sheet(name: str, rows: Sequence[Sequence[Cell]], frozen: int, *more: str) -> Sheet:
    """The sheet whose name and headings are the texts under ``workbook.<name>``, with ``more`` headings in place of
    ``*``. A column whose heading has ? is left out where it is empty."""
    told = say(f"workbook.{name}.columns").split("|")
    at = told.index("*") if "*" in told else len(told)
    headings = [*told[:at], *more, *told[at + 1 :]]
    kept = [i for i, h in enumerate(headings) if "?" not in h or any(row[i] is not None for row in rows)]
    return Sheet(
        say(f"workbook.{name}.name"),
        tuple(headings[i].strip("?") for i in kept),
        [[row[i] for i in kept] for row in rows],
        frozen - sum(i not in kept for i in range(frozen)),
    )


def moment(value: Any) -> datetime | None:
    """An instant of a frame, to the second; None where there is none."""
    if value is None or pd.isna(value):
        return None
    found: datetime = value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
    return found.replace(microsecond=0)


def text(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else str(value)


def number(value: Any) -> int | None:
    return None if value is None or pd.isna(value) else int(value)


def flag(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else say("table.yes" if value else "table.no")
