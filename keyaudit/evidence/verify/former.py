"""What a notebook of an older version shows, compared with the same calls made today: its sentences may differ, but
not its facts. Facts are numbers, dates, ids, compliance types and the words SAMPLE DATA; in tables, every cell that
is not a sentence. If an older version showed other facts, ``then`` says which.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from keyaudit.evidence.verify import markup, then
from keyaudit.evidence.verify.executed import Expected, Output
from keyaudit.model import Audit
from keyaudit.present.table import Prose, Table
from keyaudit.schema import COMPLIANCE_TYPES
from keyaudit.texts import say

#: columns that hold sentences; in any other, each cell is a fact
WORDED = ("Why", "Remark", "What to do")
#: calls whose sentences tell more today than they did
RICHER = ("ka.rotated",)
PLAN, CHANGES = "ka.to_do", "ka.changes"
_FACT = re.compile(rf"[\w.:/+-]*\d[\w.:/+-]*|\b(?:{'|'.join(COMPLIANCE_TYPES)})\b|SAMPLE DATA")


def agrees(want: Expected, output: Output, former: Audit | None) -> bool:
    """Whether an output is what the same call gave in its version. ``former``: the judgement, if that version is
    before 0.4.0."""
    value = want.value
    if former and want.call in then.SILENT and isinstance(value, Prose):
        return not output.html and not output.text
    if not want.html or not output.html:
        return want.html == output.html and want.text == output.text
    if not (_kind(output.html) == _kind(want.html) and _same_words(output)):
        return False
    if isinstance(value, Table):
        return _table(want.call, value, output.text, former)
    if not isinstance(value, Prose):
        return False
    lines = output.text.split("\n")
    if value.kind.startswith("verdict"):
        return _verdict(lines, then.bottom_line(former)) if former else output.text == want.text
    wanted = then.prose(want.call, value, former) if former else repr(value).split("\n")
    return len(lines) == len(wanted) and Counter(_facts(lines)) == Counter(_facts(wanted))


def _kind(html: str) -> str:
    """What kind of output this is: which table, an empty table, or which paragraphs."""
    return re.sub(r'^<table class="(?:cards|short|cards short)"', "<table", html).partition(">")[0]


def _same_words(output: Output) -> bool:
    """Whether its HTML says what its text says, without markup that no page has."""
    seen = output.seen
    return (
        set(seen.texts) <= {"", "style"}
        and not seen.odd
        and markup.letters(seen.texts[""]) == markup.letters(output.text)
    )


def _facts(lines: Iterable[str]) -> list[str]:
    return [fact.strip(".:") for line in lines for fact in _FACT.findall(line)]


def _verdict(lines: list[str], wanted: then.BottomLine) -> bool:
    """Whether a bottom line is the headline of its version with the lines around it, and no others."""
    whole = [*wanted.before, wanted.headline, *(f"- {item}" for item in (*wanted.controls, *wanted.missing))]
    if len(lines) != len(whole):
        return False
    exact = len(whole) - len(wanted.missing)
    at = len(wanted.before)
    return (
        lines[at] == wanted.headline
        and _facts(lines[:at]) == _facts(whole[:at])
        and list(map(markup.letters, lines[at:exact])) == list(map(markup.letters, whole[at:exact]))
        and Counter(_facts(lines[exact:])) == Counter(_facts(whole[exact:]))
        and all(line.startswith("- Missing: ") for line in lines[exact:])
    )


def _table(call: str, value: Table, text: str, former: Audit | None) -> bool:
    wanted = then.table(call, value, former) if former else value
    caption, *lines = text.split("\n")
    if call == PLAN and former and lines:
        rows = [tuple(line.split("\t")) for line in lines[1:] if "\t" in line]
        return then.has_tasks(rows, tuple(lines[0].split("\t")), former)
    if call == CHANGES and former and lines:
        rows = [tuple(line.split("\t")) for line in lines[1:] if "\t" in line]
        return tuple(lines[0].split("\t")) == wanted.columns and then.has_changes(rows, wanted)
    none = f": {say('table.none')}"
    if Counter(_facts([caption.removesuffix(none)])) != Counter(_facts([wanted.caption])):
        return False
    if not wanted.rows or not lines:
        return not wanted.rows and not lines and text.endswith(none)
    rows = [tuple(line.split("\t")) for line in lines[1:] if "\t" in line]
    notes = lines[1 + len(rows) :]
    is_cut = wanted.total > len(wanted.rows)
    told = [f"{len(wanted.rows):,} {wanted.total:,}"] * is_cut + [wanted.note] * bool(wanted.note)
    if tuple(lines[0].split("\t")) != wanted.columns or any("\t" in note for note in notes):
        return False
    is_noted = len(notes) == len(told) and Counter(_facts(told)) == Counter(_facts(notes))
    return is_noted and _same_rows(call, wanted, rows)


def _same_rows(call: str, wanted: Table, rows: list[tuple[str, ...]]) -> bool:
    """Whether these are the same rows in any order, with sentences compared by their facts."""
    if len(rows) != len(wanted.rows) or any(len(row) != len(wanted.columns) for row in rows):
        return False
    worded = [place for place, name in enumerate(wanted.columns) if name in WORDED]
    told, now = ([_exact(row, worded) for row in these] for these in (rows, wanted.rows))
    if Counter(told) != Counter(now):
        return False
    said, says = (Counter(_facts(row[place] for row in these for place in worded)) for these in (rows, wanted.rows))
    return said <= says if call in RICHER else said == says


def _exact(row: tuple[str, ...], worded: list[int]) -> tuple[str, ...]:
    return tuple("" if place in worded else cell for place, cell in enumerate(row))
