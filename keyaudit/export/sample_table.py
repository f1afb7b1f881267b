"""A sample as the table that an auditor fills in: as CSV, and as the sheets of a workbook."""

from __future__ import annotations

from collections.abc import Sequence

from keyaudit.export.cells import Cell, Sheet, Verdict
from keyaudit.export.tabular import table_csv
from keyaudit.model.sampled import RESULTS, Sample
from keyaudit.present.sample_terms import terms_of
from keyaudit.schema import COMPLIANCE_TYPES
from keyaudit.texts import say, visible

#: what stands there, and must still stand there when the table is evaluated
GIVEN = ("sample_no", "finding_id", "rank_hex", "account", "user", "key", "created", "verdict")
#: what is filled in; only the result decides
RESULT, REMARK = "result", "remark"
EMPTY = ("tested_on", "tested_by", "source_inspected", RESULT, "reference", REMARK)
COLUMNS = (*GIVEN, *EMPTY)


def given(sample: Sample) -> list[tuple[str, ...]]:
    """The cells that stand there, as text that can be seen, row by row in the order of ranks."""
    return [
        (str(number), one.id, rank, *map(visible, (one.account, one.user, one.key)), one.created, one.verdict)
        for number, (rank, one) in enumerate(sample.rows, 1)
    ]


def sample_csv(sample: Sample) -> bytes:
    return table_csv(COLUMNS, [(*cells, *[""] * len(EMPTY)) for cells in given(sample)])


def sample_sheets(sample: Sample) -> list[Sheet]:
    """The table, and how it was drawn."""
    rows = [_cells(cells) for cells in given(sample)]
    facts: list[Sequence[Cell]] = [(label, text) for label, text in terms_of(sample)]
    return [
        Sheet(say("workbook.sample.name"), COLUMNS, rows, 2, ((RESULT, RESULTS),)),
        Sheet(say("workbook.drawn.name"), (), facts),
    ]


def _cells(cells: tuple[str, ...]) -> list[Cell]:
    number, *texts, verdict = cells
    return [int(number), *(text or None for text in texts), _shown(verdict), *[None] * len(EMPTY)]


def _shown(verdict: str) -> Cell:
    """A verdict on a key; what became of it over a period has no colour of its own."""
    return Verdict(verdict) if verdict in COMPLIANCE_TYPES else verdict
