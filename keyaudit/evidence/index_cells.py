"""The cells, rows and tables of the overview, and those of evidence of periods."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from keyaudit.evidence import seal
from keyaudit.evidence.contents import PAGE, Manifest
from keyaudit.evidence.subjects import KINDS
from keyaudit.present.table import LONGEST_WHOLE
from keyaudit.texts import say, visible

UNKNOWN = "–"


@dataclass(frozen=True)
class Cell:
    """A cell: its text, which may come from outside; where it leads to, if anywhere; its class, which otherwise
    follows from the text."""

    told: str
    link: str = ""
    kind: str = ""

    @property
    def text(self) -> str:
        return visible(self.told)

    @property
    def style(self) -> str:
        """A date, an id or a short name stays whole; a longer one may be broken anywhere."""
        return self.kind or ("" if " " in self.text else "whole" if len(self.text) <= LONGEST_WHOLE else "long")


@dataclass(frozen=True)
class Row:
    """A row, and the numbers of its account and of its conclusion, by which it is chosen (0: by none)."""

    cells: tuple[Cell, ...]
    whose: int = 0
    kind: int = 0


@dataclass(frozen=True)
class Section:
    """A table of the page under its title; ``numeric``: which columns are of numbers."""

    name: str
    title: str
    columns: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: list[Row]


def headings(columns: str) -> list[str]:
    """The headings of a table."""
    return [heading.strip("#") for heading in say(f"index.{columns}").split("|")]


def section(name: str, columns: str, rows: list[Row]) -> Section:
    """A table under the title of its name."""
    numeric = tuple(heading.startswith("#") for heading in say(f"index.{columns}").split("|"))
    return Section(name, say(f"index.{name}", n=len(rows)), tuple(headings(columns)), numeric, rows)


def kind_of(conclusion: str) -> int:
    """By what number a conclusion is chosen, and has its colour; 0 for one that keyaudit does not know."""
    return KINDS.index(conclusion) + 1 if conclusion in KINDS else 0


def link_of(folder: Path) -> str:
    """Where the page of evidence is."""
    return f"{quote(os.fsencode(folder.name))}/{PAGE}"


def number(known: int | None) -> str:
    """A number, or that it is not known."""
    return UNKNOWN if known is None else f"{known:,}"


def periods(found: dict[Path, Manifest]) -> list[Row]:
    """Evidence of periods, the latest first; rows that no choice hides. What keyaudit did not write is in none:
    ``verify`` says so."""
    rows = []
    for folder, manifest in sorted(found.items(), key=lambda one: str(one[1].get("as_of")), reverse=True):
        with suppress(*seal.NOT_OURS):
            rows.append(Row(tuple(_cells(folder, manifest))))
    return rows


def _cells(folder: Path, manifest: Manifest) -> Iterator[Cell]:
    days, conclusion = manifest["period"], str(manifest["conclusion"])
    accounts = [*map(str, manifest["accounts"]["expected"])]
    of_accounts = accounts[0] if len(accounts) == 1 else say("count.accounts", n=len(accounts))
    yield Cell(str(manifest.get("organization") or of_accounts))
    yield Cell(say("index.days", first=str(days["from"]), last=str(days["to"])), link_of(folder))
    yield Cell(conclusion, kind=f"verdict{kind_of(conclusion)}")
    yield Cell(str(manifest["sealed_at"]))
    yield Cell(seal.digest_of(folder)[:8])
