"""A sample and the table that was filled in -> what it says. The sample is drawn again: a table in which anything
that stood there was changed, left out or exchanged is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from keyaudit.export.sample_table import GIVEN, REMARK, RESULT, given
from keyaudit.export.tabular import may_run
from keyaudit.model.sampled import NOT_TESTED, OK, RESULTS, Evaluated, Sample, Tested
from keyaudit.period.sampling import limit
from keyaudit.schema import InputError

#: a row: its number in the file, and its cells by their columns
Row = tuple[int, Mapping[str, str]]
ID, RANK = "finding_id", "rank_hex"


def evaluate(sample: Sample, rows: Sequence[Row], file: str) -> Evaluated:
    """What the rows of a filled table say of the sample that they must be; ``file``: its name, for errors. Rows may
    stand in another order. InputError names the first row that is not of this sample, was changed, or says
    something else than one of RESULTS."""
    expected = {cells[1]: (number, cells) for number, cells in enumerate(given(sample))}
    found: dict[str, Tested] = {}
    for line, cells in rows:
        place = f"{file}, row {line}"
        told = expected.get(_bare(cells[ID]))
        if told is None:
            raise InputError(f"{place}: finding {cells[ID]!r} is not in this sample; {_remedy(sample)}")
        number, wanted = told
        if wanted[1] in found:
            raise InputError(f"{place}: finding {wanted[1]} stands there a second time; remove one of the rows")
        _refuse_changed(place, cells, wanted)
        item = sample.rows[number][1]
        found[wanted[1]] = Tested(number + 1, item, _result(place, cells[RESULT]), cells[REMARK])
    _refuse_missing(file, expected.values(), found)
    tested = tuple(sorted(found.values(), key=lambda one: one.number))
    doubtful = sum(one.result != OK for one in tested)
    return Evaluated(sample, tested, limit(doubtful, sample.strata, sample.terms.risk))


def _remedy(sample: Sample) -> str:
    return (
        f"it has {sample.size} rows by seed {sample.seed}: give the options with which it was drawn, and the "
        "evidence that it is of"
    )


def _refuse_changed(place: str, cells: Mapping[str, str], wanted: Sequence[str]) -> None:
    """InputError for a cell that is not as it was; of another seed it is the rank that tells."""
    right_by = dict(zip(GIVEN, wanted, strict=True))
    if cells[RANK] != right_by[RANK]:
        raise InputError(
            f"{place}, {RANK}: {cells[RANK]!r} is not the rank of finding {right_by[ID]} by this seed "
            f"({right_by[RANK]}); give the seed with which the sample was drawn"
        )
    for name, right in right_by.items():
        told = cells[name]
        if told != right.strip() and not (may_run(right) and _bare(told) == right.strip()):
            raise InputError(
                f"{place}, {name}: {told!r}, and the sample says {right!r}; take the row as it was drawn (a "
                "spreadsheet changes ids and dates of a CSV that it opens: use XLSX)"
            )


def _bare(told: str) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from running it."""
    return told.removeprefix("'")


def _result(place: str, told: str) -> str:
    """One of RESULTS; an empty cell is a row that was not tested."""
    word = "-".join(told.casefold().split())
    if word and word not in RESULTS:
        raise InputError(
            f"{place}, {RESULT}: {told!r} is none of {', '.join(RESULTS)}; an empty cell is {NOT_TESTED}"
        )
    return word or NOT_TESTED


def _refuse_missing(file: str, expected: Iterable[tuple[int, Sequence[str]]], found: Mapping[str, Tested]) -> None:
    missing = [(number + 1, cells[1]) for number, cells in expected if cells[1] not in found]
    if missing:
        number, finding = missing[0]
        raise InputError(
            f"{file}: rows of the sample are missing ({len(missing)}), first sample_no {number}, {finding}: "
            f"a row that cannot be tested stays, with the result {NOT_TESTED!r}"
        )
