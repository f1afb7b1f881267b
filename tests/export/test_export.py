"""What a judgement is as files: JSON as the standard library writes it, CSV that a spreadsheet runs nothing of."""

from __future__ import annotations

import csv
import io
import json

import pytest
from conftest import AS_OF, FRESH, OLD, csv_of, examples, report, row, write
from generated import accounts
from hypothesis import given
from hypothesis import strategies as st

from keyaudit import audit
from keyaudit.export.summary import summary_json
from keyaudit.export.tabular import columns, findings_csv, may_run, table_csv
from keyaudit.schema import FINDING_COLUMNS, TIME
from keyaudit.texts import utc

#: names that IAM would not take, but a file may have
ODD = ("=1+1", "-x", "Ünï\u2028x", 'a\\\\"b', "%s", '"findings": []', "\u200b=x", "＝1", "x=1", "1-2")


@given(
    rows=accounts(), names=st.lists(st.sampled_from(ODD), unique=True, max_size=4), keep=st.sampled_from([None, 1])
)
@examples(60)
def test_json_is_written_as_the_standard_library_writes_it(tmp_path, rows, names, keep):
    quoted = [row(f'"{name.replace(chr(34), chr(34) * 2)}"', OLD, arn="") for name in names]
    judged = audit(write(tmp_path, "report.csv", csv_of([*rows, *quoted])), "cis", AS_OF, keep=keep)
    text = summary_json(judged).decode()
    told = json.loads(text)
    assert json.dumps(told, ensure_ascii=False, indent=2) + "\n" == text
    assert [list(one) for one in told["findings"]] == [list(FINDING_COLUMNS)] * len(judged.findings)
    for name, dtype in FINDING_COLUMNS.items():
        cells = judged.findings[name]
        expected = (
            [utc(cell) or None for cell in cells]
            if dtype == TIME
            else [None if missing else cell for cell, missing in zip(cells, cells.isna(), strict=True)]
        )
        assert [one[name] for one in told["findings"]] == expected == columns(judged.findings)[name], name


def test_csv_has_the_same_cells_and_a_spreadsheet_runs_none(judge):
    judged = judge(report(*((name, OLD, FRESH) for name in ("=1+1", "-x", "＝1", "x=1", "plain"))))
    rows = list(csv.DictReader(io.StringIO(findings_csv(judged).decode())))
    assert {one["user"] for one in rows if one["user"]} >= {"'=1+1", "'-x", "'＝1", "x=1", "plain"}
    for one, told in zip(rows, json.loads(summary_json(judged))["findings"], strict=True):
        assert {n: c.removeprefix("'") for n, c in one.items()} == {
            n: "" if c is None else str(c) for n, c in told.items()
        }


def test_csv_is_written_as_the_standard_library_writes_it(judge):
    names = ('a"b', "a,b", "a", "=1", "@a,b", '"', "é")
    judged = judge(csv_of([row(f'"{name.replace(chr(34), chr(34) * 2)}"', OLD, arn="") for name in names]))
    cells = zip(*columns(judged.findings).values(), strict=True)
    assert findings_csv(judged) == table_csv(FINDING_COLUMNS, cells)


@pytest.mark.parametrize("cell", ["", "a", "Z", "0", "9", "x=1", "é", " ", "한글"])
def test_what_is_no_formula_stays_as_it_is(cell):
    assert not may_run(cell)
