"""A sample is drawn by rank, and by nothing else; and a filled table is that sample, or it is refused."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from fractions import Fraction

import openpyxl
import pytest
from conftest import examples
from drawing import SEED, drawn, filled, ids, items, lines, source, terms, workbook
from hypothesis import given
from hypothesis import strategies as st

from keyaudit.export.filled import read_filled
from keyaudit.export.sample_table import COLUMNS, EMPTY, sample_csv
from keyaudit.model.sampled import (
    BINOMIAL,
    BY_ACCOUNT,
    BY_CONCLUSION,
    BY_STRATA,
    DEVIATION,
    HYPERGEOMETRIC,
    INCOMPLETE,
    MORE,
    NO_MORE,
    NOT_TESTED,
    WHOLE,
    Stratum,
)
from keyaudit.period.evaluating import evaluate
from keyaudit.period.sampling import allocated, draw, limit
from keyaudit.present.sample_terms import evaluated_text, percent, percent_up, sample_text
from keyaudit.schema import COMPLIANT, NON_COMPLIANT, InputError

FIVE = Fraction(5, 100)


# --- selection -----------------------------------------------------------------------------------------------------
def test_the_lowest_ranks_are_drawn_and_a_rank_is_a_sha_256_of_seed_and_id():
    found = drawn(40, 5)
    ranks = sorted((hashlib.sha256(f"audit 2026,{one.id}".encode()).hexdigest(), one.id) for one in items(40))
    assert [(rank, one.id) for rank, one in found.rows] == ranks[:5]


@given(population=st.integers(2, 60), data=st.data(), by=st.sampled_from(["", BY_CONCLUSION, BY_ACCOUNT]))
@examples(120)
def test_the_order_of_rows_never_matters_and_a_larger_sample_contains_the_smaller(population, data, by):
    mixed = [*items(population)]
    random.Random(population).shuffle(mixed)
    n = data.draw(st.integers(min(3, population), population))
    first, shuffled = drawn(population, n, stratify=by), drawn(mixed, n, stratify=by)
    assert first.rows == shuffled.rows
    assert set(ids(first)) <= set(ids(drawn(population, n + 5, stratify=by)))


def test_another_seed_draws_others_and_the_seal_is_the_seed_that_nobody_chose():
    assert ids(drawn(40, 20)) != ids(drawn(40, 20, seed="another"))
    found = drawn(40, 20, seed="")
    assert (found.seed, found.is_own_seed) == (source(1).sha256, False)
    assert found.rows == drawn(40, 20, seed=found.seed).rows


@pytest.mark.parametrize("seed", [" a", "a ", "a\nb", "\u202ea"])
def test_a_seed_that_cannot_be_read_off_is_refused(seed):
    with pytest.raises(InputError, match="--seed"):
        drawn(40, 5, seed=seed)


def test_without_anything_that_was_judged_nothing_is_drawn():
    with pytest.raises(InputError, match="--control"):
        drawn(0, 5)


def test_findings_that_cannot_be_told_apart_are_refused():
    with pytest.raises(InputError, match="the same id"):
        drawn([*items(3), items(1)[0]], 2)


# --- sizes ---------------------------------------------------------------------------------------------------------
def test_a_size_is_that_of_the_exact_hypergeometric_and_says_what_it_shows():
    found = drawn(40)
    assert (found.size, found.accepted, found.excluded) == (21, 0, 4)
    assert (found.limit.most, found.limit.method) == (3, HYPERGEOMETRIC)
    told = sample_text(found)
    assert "n = 21 of N = 40: the smallest n with P(X <= 0) <= 5 %" in told
    assert "0 deviations in 21 of 40: with 95 % confidence at most 3 of 40 deviate (7.5 %)." in told
    assert f"Seed: {SEED} (as given)" in told and found.source.sha256 in told


def test_expected_deviations_are_allowed_for():
    found = drawn(200, tolerable=10, expected="3")
    assert found.accepted == 2 == -(-found.size * 3 // 100)
    assert found.limit.most < 20 and found.limit.deviations == 2
    told = sample_text(found)
    assert "0 deviations in" in told and "2 deviations in" in told


def test_a_size_that_is_given_says_what_it_shows():
    found = drawn(40, 10)
    assert (found.size, found.excluded, found.limit.most) == (10, 0, 9)
    assert "n = 10 of N = 40, as given." in sample_text(found)


@pytest.mark.parametrize(("population", "of"), [(28, {"size": 500}), (5, {}), (10, {"expected": "1"})])
def test_more_than_there_is_or_what_no_smaller_sample_shows_is_everything(population, of):
    found = drawn(population, **of)
    assert (found.size, found.limit.method, found.limit.most) == (population, WHOLE, found.accepted)
    assert f"n = N = {population}: everything" in sample_text(found)


def test_of_everything_no_more_is_accepted_than_is_tolerable():
    assert drawn(5, expected="1").accepted == 0
    assert drawn(10, expected="1").accepted == 1


def test_a_population_that_is_not_counted_out_has_the_limit_of_clopper_and_pearson():
    found = limit(0, (Stratum("", 200_000, 29),), FIVE)
    assert (found.method, percent_up(found.rate), found.most) == (BINOMIAL, "9.9", 19_629)


def test_what_no_sample_shows_is_refused():
    for expected in ("10", "12"):
        with pytest.raises(InputError, match="less than --tolerable"):
            drawn(40, expected=expected)


def test_percents_are_said_as_given_and_limits_are_rounded_up():
    assert (percent(Fraction(95, 100)), percent(Fraction(25, 10_000))) == ("95", "0.25")
    assert (percent_up(Fraction(1, 10)), percent_up(Fraction(1001, 10_000))) == ("10.0", "10.1")


def test_what_was_not_seen_and_what_verify_remarks_is_said_with_the_sample_and_its_evaluation(tmp_path):
    more = {"gaps": 2, "left_out": {"NOT_APPLICABLE": 3}, "is_sample_data": True, "remarks": ("another name",)}
    found = draw(source(40, **more), terms(5), SEED)
    told = sample_text(found)
    evaluated = evaluated_text(evaluate(found, filled(tmp_path / "a.csv", found), "a.csv"))
    assert evaluated.startswith("SAMPLE DATA") and "NOT SHOWN TO BE COMPLETE: 2 findings" in evaluated
    assert "Verified, with remarks: another name" in told and "\nanother name\n" in evaluated
    assert "NOT SHOWN TO BE COMPLETE: 2 findings speak of whole accounts" in told
    assert "3 that are NOT_APPLICABLE are not in it." in told
    assert told.startswith("Note: SAMPLE DATA")


# --- strata --------------------------------------------------------------------------------------------------------
def test_of_each_stratum_there_is_one_and_the_smallest_share_is_as_large_as_it_can_be():
    assert allocated({"a": 19, "b": 8, "c": 1}, 3) == {"a": 1, "b": 1, "c": 1}
    assert allocated({"a": 19, "b": 8, "c": 1}, 10) == {"a": 6, "b": 3, "c": 1}
    assert allocated({"a": 19, "b": 8, "c": 1}, 28) == {"a": 19, "b": 8, "c": 1}
    with pytest.raises(InputError, match="there are 3 strata"):
        allocated({"a": 19, "b": 8, "c": 1}, 2)


def test_a_stratified_sample_has_the_lowest_ranks_of_each_stratum():
    found = drawn(40, 10, stratify=BY_CONCLUSION)
    assert [(one.name, one.items, one.drawn) for one in found.strata] == [
        (COMPLIANT, 32, 8),
        (NON_COMPLIANT, 8, 2),
    ]
    for one in found.strata:
        alone = drawn([each for each in items(40) if each.verdict == one.name], one.drawn)
        assert [each for each in ids(found) if each in ids(alone)] == ids(alone)


def test_a_stratified_sample_is_not_evaluated_as_a_simple_one():
    simple, found = drawn(40), drawn(40, stratify=BY_ACCOUNT)
    assert found.size > simple.size
    assert (found.limit.method, found.limit.most) == (BY_STRATA, 3)
    assert "the limit of a simple sample would not" in sample_text(found)
    # with the same size, it shows less
    assert drawn(40, 21, stratify=BY_ACCOUNT).limit.most > simple.limit.most


@given(
    population=st.integers(2, 80),
    tolerable=st.integers(5, 40),
    part=st.integers(0, 5),
    by=st.sampled_from(["", BY_CONCLUSION, BY_ACCOUNT]),
)
@examples(120)
def test_a_sample_that_is_sized_excludes_what_it_was_sized_to_exclude(population, tolerable, part, by):
    found = drawn(population, tolerable=tolerable, expected=str(tolerable * part / 10), stratify=by)
    assert found.limit.rate <= found.terms.tolerable
    if found.size < population:
        assert found.limit.most < found.excluded == max(1, population * tolerable // 100)
    assert found.clean.most <= found.limit.most


# --- the table -----------------------------------------------------------------------------------------------------
def test_the_table_has_what_was_drawn_and_empty_columns():
    found = drawn(40, 5)
    header, *rows = lines(found)
    assert tuple(header) == COLUMNS and len(rows) == 5
    rank, one = found.rows[0]
    assert rows[0][:8] == ["1", one.id, rank, one.account, one.user, one.key, one.created, one.verdict]
    assert all(row[-len(EMPTY) :] == [""] * len(EMPTY) for row in rows)


def test_all_that_is_as_it_was_drawn_and_found_fine_is_no_deviation(tmp_path):
    found = evaluate(drawn(40), filled(tmp_path / "a.csv", drawn(40)), "a.csv")
    assert (found.outcome, found.limit.most) == (NO_MORE, 3)
    told = evaluated_text(found)
    assert told.startswith("0 of 21 rows deviate; up to 0 were expected. All were tested.\n")
    assert "at most 3 of 40 deviate (7.5 %)" in told and "within the tolerable 10 %" in told


def test_more_deviations_than_expected_are_named_with_their_limit(tmp_path):
    def change(rows):
        rows[3][COLUMNS.index("result")], rows[3][COLUMNS.index("remark")] = " Deviation ", "rotated a day late"

    found = evaluate(drawn(40), filled(tmp_path / "a.csv", drawn(40), change=change), "a.csv")
    assert (found.outcome, found.number(DEVIATION)) == (MORE, 1)
    told = evaluated_text(found)
    assert told.startswith("MORE DEVIATIONS THAN EXPECTED: 1 of 21")
    assert "NOT within the tolerable 10 %" in told and "rotated a day late" in told


@pytest.mark.parametrize("left", ["", "not-tested", "NOT  TESTED"])
def test_what_was_not_tested_is_incomplete_and_counts_as_a_deviation(tmp_path, left):
    def change(rows):
        rows[1][COLUMNS.index("result")] = left

    found = evaluate(drawn(40), filled(tmp_path / "a.csv", drawn(40), change=change), "a.csv")
    assert (found.outcome, found.number(NOT_TESTED), found.limit.deviations) == (INCOMPLETE, 1, 1)
    assert found.limit == limit(1, found.sample.strata, FIVE)
    assert "it counts as a deviation" in evaluated_text(found)


def test_rows_may_stand_in_another_order_and_empty_ones_are_none(tmp_path):
    def change(rows):
        rows[1:] = [*reversed(rows[1:]), [""] * len(COLUMNS)]

    found = evaluate(drawn(40), filled(tmp_path / "a.csv", drawn(40), change=change), "a.csv")
    assert [one.number for one in found.rows] == [*range(1, 22)]


def cell(row: int, column: str, text: str):
    """A change of one cell; row 0 is the headings."""

    def change(rows):
        rows[row][COLUMNS.index(column)] = text

    return change


def exchanged(rows):
    """A row for the next one in the order of ranks."""
    rows[5][: len(COLUMNS) - len(EMPTY)] = lines(drawn(40, 22))[22][: len(COLUMNS) - len(EMPTY)]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (cell(2, "user", "user-x"), r"row 3, user: 'user-x', and the sample says 'user-"),
        (cell(2, "verdict", "EXEMPT"), r"row 3, verdict: 'EXEMPT'"),
        (cell(2, "account", "1.11E+11"), r"a spreadsheet changes ids and dates"),
        (cell(2, "sample_no", "7"), r"row 3, sample_no: '7'"),
        (cell(2, "rank_hex", "0" * 64), r"row 3, rank_hex: .* is not the rank of finding"),
        (cell(2, "result", "passed"), r"row 3, result: 'passed' is none of ok, deviation, not-tested"),
        (cell(2, "finding_id", "f" * 16), r"row 3: finding 'f+' is not in this sample"),
        (exchanged, r"row 6: finding '[0-9a-f]+' is not in this sample"),
        (lambda rows: rows.pop(4), r"rows of the sample are missing \(1\), first sample_no 4"),
        (lambda rows: rows.append(rows[1]), r"row 23: finding [0-9a-f]+ stands there a second time"),
        (lambda rows: rows[1].append("more"), r"row 2: has cells beyond the column remark"),
        (cell(0, "user", "name"), r"row 1: has not the columns of a sample"),
        (lambda rows: rows.clear() or rows.append(["x;y"]), r"row 1: has not the columns of a sample"),
    ],
)  # fmt: skip
def test_a_table_that_is_not_the_sample_is_refused_by_name(tmp_path, change, told):
    with pytest.raises(InputError, match=told):
        evaluate(drawn(40), filled(tmp_path / "a.csv", drawn(40), change=change), "a.csv")


def test_the_table_of_another_seed_or_size_is_refused(tmp_path):
    rows = filled(tmp_path / "a.csv", drawn(40, 40, seed="another"))
    with pytest.raises(InputError, match=r"row 2, rank_hex: .* is not the rank of finding"):
        evaluate(drawn(40, 40), rows, "a.csv")
    with pytest.raises(InputError, match="it has 21 rows by seed audit 2026"):
        evaluate(drawn(40), filled(tmp_path / "b.csv", drawn(40, 26)), "b.csv")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.txt", b"", "is neither .csv nor .xlsx"),
        ("a.csv", b"", "row 1: has not the columns"),
        ("a.csv", b"\xff\xfe\x00", "is not UTF-8"),
        ("a.csv", b'"open', "line 1: cannot be read as CSV"),
        ("a.xlsx", b"no archive", "cannot be read as XLSX"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, name, content, told):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=told):
        read_filled(tmp_path / name)
    with pytest.raises(InputError, match="cannot be read"):
        read_filled(tmp_path / "absent.csv")


HOSTILE = ("=1+1", "-2", "@a", "'a", "=cmd|' /C calc'!A0", "한글", "a,b", 'a"b', "007", "1e5", "a\x00b")


def hostile():
    return [replace(one, user=name) for one, name in zip(items(len(HOSTILE)), HOSTILE, strict=True)]


def test_text_that_a_spreadsheet_would_run_is_kept_and_known_again(tmp_path):
    found = drawn(hostile(), 11)
    assert b",=" not in sample_csv(found) and b",'=1+1," in sample_csv(found)
    assert evaluate(found, filled(tmp_path / "a.csv", found), "a.csv").outcome == NO_MORE


def test_a_workbook_is_filled_in_and_read_again(tmp_path):
    found = drawn(hostile(), 11)
    path = tmp_path / "a.xlsx"
    path.write_bytes(workbook(found))
    assert workbook(found) == path.read_bytes()
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Sample", "How it was drawn"]
    sheet = book["Sample"]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}  # no formula
    (choice,) = sheet.data_validations.dataValidation
    assert choice.formula1 == '"ok,deviation,not-tested"'
    facts = dict(book["How it was drawn"].iter_rows(values_only=True))
    assert facts["Seed"] == f"{SEED} (as given)"
    for row in range(2, 13):
        sheet.cell(row, COLUMNS.index("result") + 1, "ok")
        sheet.cell(row, COLUMNS.index("tested_on") + 1, source(1).as_of.replace(tzinfo=None))
    sheet.cell(4, COLUMNS.index("result") + 1, "deviation")
    book.save(path)
    told = evaluate(found, read_filled(path), "a.xlsx")
    assert (told.outcome, told.number(DEVIATION)) == (MORE, 1)
    # what is computed is no result
    sheet.cell(5, COLUMNS.index("result") + 1, '=IF(1=1,"ok","")')
    book.save(path)
    with pytest.raises(InputError, match="row 5, result: '=IF"):
        evaluate(found, read_filled(path), "a.xlsx")
