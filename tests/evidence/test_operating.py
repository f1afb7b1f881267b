"""A reports folder over a period: by which schedule evidence was due, which folders count, what each subject
concludes, and what the command says of it."""

from __future__ import annotations

import csv
import io
import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from conftest import ACCOUNT, OTHER, report, write
from evidence_helpers import keyaudit, made, refused, report_on, seal_again
from runs_of_weeks import JUNE, KEY, MONTHLY, NOW, WEEKLY, Runs, one_key, scheduled, terms, weeks_of_june

from keyaudit.evidence.failed import fail
from keyaudit.evidence.operating import Question, operating
from keyaudit.evidence.reports import of_reports
from keyaudit.files import make_staging
from keyaudit.model.operated import Operated
from keyaudit.model.over_period import BREACH, INCOMPLETE
from keyaudit.period import Window
from keyaudit.policy import parse_policy
from keyaudit.present.effectiveness import operating_text
from keyaudit.schema import COMPLIANT, INSUFFICIENT_DATA, NON_COMPLIANT, InputError


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evidence of two accounts, as of an organization."""
    folder = tmp_path_factory.mktemp("of-two")
    for account in (ACCOUNT, OTHER):
        write(folder / "source", f"{account}.csv", report(("alice", KEY), account=account))
    write(folder, "policy.toml", terms())
    return made(*report_on(folder / "reports", folder / "source", policy=folder / "policy.toml"), code=1)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return one_key(tmp_path_factory)


@pytest.fixture(scope="module")
def june(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return weeks_of_june(tmp_path_factory)


@pytest.fixture
def runs(june: Runs, tmp_path: Path) -> Runs:
    """The same four weeks, to be added to and taken from."""
    return Runs(shutil.copytree(june.folder, tmp_path / "reports"), june.evidence)


@pytest.fixture
def empty(evidence: Path, tmp_path: Path) -> Runs:
    return Runs(tmp_path / "reports", evidence)


def states(found: Operated) -> list[tuple[str, str]]:
    (one,) = found.subjects
    return [(period.name, period.state) for period in one.verdict.coverage.periods]


def concluded(found: Operated) -> tuple[str, tuple[str, ...]]:
    (one,) = found.subjects
    return one.verdict.conclusion, one.verdict.reasons


# --- what counts ----------------------------------------------------------------------------------------------
def test_a_period_with_evidence_for_each_week_operated_throughout(june: Runs) -> None:
    found = june.over("2026-06-01", "2026-06-28")
    assert concluded(found) == (COMPLIANT, ()) and found.conclusion == COMPLIANT
    assert states(found) == [(f"2026-W{week}", "present") for week in (23, 24, 25, 26)]
    (one,) = found.subjects
    assert (one.subject, one.is_by_hand, [each.every for each in one.cadences]) == (ACCOUNT, False, ["week"])
    assert one.verdict.concluded is not None
    # the instant is that of the report, which was made at midnight
    assert one.verdict.concluded[1] == datetime(2026, 6, 22, tzinfo=UTC)


def test_a_week_without_evidence_is_missing_also_after_the_last_one(runs: Runs) -> None:
    found = runs.over("2026-05-25", "2026-07-05")
    assert states(found)[0] == ("2026-W22", "missing") and states(found)[-1] == ("2026-W27", "missing")
    assert concluded(found) == (INSUFFICIENT_DATA, (INCOMPLETE,))


def test_a_folder_that_was_taken_away_is_missing_and_breaks_what_followed_it(runs: Runs) -> None:
    shutil.rmtree(runs.folder / f"2026-06-08T060000Z-brief-{ACCOUNT}")
    found = runs.over("2026-06-01", "2026-06-28")
    assert [state for _, state in states(found)] == ["present", "missing", "broken", "present"]
    assert concluded(found)[0] == found.conclusion == INSUFFICIENT_DATA


def test_a_changed_folder_breaks_its_week_and_tells_nothing(runs: Runs) -> None:
    (runs.folder / f"2026-06-15T060000Z-brief-{ACCOUNT}" / "findings.csv").write_text("changed", encoding="utf-8")
    found = runs.over("2026-06-01", "2026-06-28")
    assert [state for _, state in states(found)] == ["present", "present", "broken", "present"]
    (one,) = found.subjects
    assert len(one.verdict.snapshots) == 3 and any("findings.csv" in remark for _, remark in one.remarks)


def test_a_folder_that_cannot_be_read_may_be_of_any_subject(runs: Runs) -> None:
    torn = shutil.copytree(runs.folder / f"2026-06-15T060000Z-brief-{ACCOUNT}", runs.folder / "torn")
    (torn / "manifest.json").write_text("{", encoding="utf-8")
    found = runs.over("2026-06-01", "2026-06-28")
    assert concluded(found)[0] == COMPLIANT and found.conclusion == INSUFFICIENT_DATA
    assert len(found.faults) == 1 and "torn" in found.faults[0]
    assert "nothing is concluded to be COMPLIANT" in operating_text(found)


def test_a_failed_run_is_told_apart_from_none(runs: Runs) -> None:
    fail(make_staging(runs.folder), f"2026-06-30T060000Z-brief-{ACCOUNT}", "no such file")
    found = runs.over("2026-06-01", "2026-07-05")
    assert states(found)[-1] == ("2026-W27", "failed")


def test_a_copy_and_an_instant_that_was_given_do_not_count(runs: Runs) -> None:
    first = runs.folder / f"2026-06-01T060000Z-brief-{ACCOUNT}"
    shutil.copytree(first, runs.folder / f"{first.name}-2")
    shutil.copytree(runs.evidence, runs.folder / "given")
    seal_again(runs.folder / "given", name="given", previous=runs.last)
    found = runs.over("2026-06-01", "2026-06-28")
    assert found.left_out == (("given", "it judges an instant that was given, and not that of its run"),)
    (one,) = found.subjects
    assert len(one.verdict.snapshots) == 4


def test_sample_data_is_left_out_and_concludes_nothing(tmp_path: Path) -> None:
    sample = sorted((Path(__file__).parents[2] / "reports" / "sample").glob("*/SHA256SUMS"))[0].parent
    shutil.copytree(sample, tmp_path / "reports" / sample.name)
    found = operating(
        of_reports(tmp_path / "reports"), Question(Window.of_days(date(2026, 1, 1), date(2026, 12, 31)), NOW)
    )
    assert (found.subjects, found.conclusion) == ((), INSUFFICIENT_DATA)
    assert found.left_out == ((sample.name, "it is of sample data"),)


# --- how often evidence was due -----------------------------------------------------------------------------------
def test_a_schedule_holds_until_evidence_has_another(runs: Runs) -> None:
    for day in ("2026-07-08", "2026-08-03"):
        runs.at(day, **MONTHLY)
    found = runs.over("2026-06-01", "2026-08-29")
    weeks = [(f"2026-W{week}", "present") for week in (23, 24, 25, 26)]
    # the week of 29 June was over before the schedule changed in the week after, which July takes the place of
    assert states(found) == [*weeks, ("2026-W27", "missing"), ("2026-07", "present"), ("2026-08", "present")]
    (one,) = found.subjects
    assert [(each.every, each.start) for each in one.cadences] == [
        ("week", None),
        ("month", datetime(2026, 7, 8, 6, tzinfo=UTC)),
    ]


def test_a_schedule_that_becomes_more_frequent_leaves_no_gap(empty: Runs) -> None:
    for day, every in (("2026-06-01", MONTHLY), ("2026-07-08", WEEKLY), ("2026-07-15", WEEKLY)):
        empty.at(day, **every)
    found = empty.over("2026-06-01", "2026-07-19")
    assert states(found) == [
        ("2026-06", "present"), ("2026-07", "present"), ("2026-W28", "present"), ("2026-W29", "present"),
    ]  # fmt: skip
    assert concluded(found) == (COMPLIANT, ())


def test_of_two_schedules_at_the_same_time_the_more_frequent_one_holds(runs: Runs) -> None:
    runs.at("2026-06-12", **MONTHLY)
    runs.at("2026-06-23", **MONTHLY)
    runs.at("2026-06-29", **WEEKLY)
    found = runs.over("2026-06-01", "2026-07-05")
    assert [name for name, _ in states(found)] == [f"2026-W{week}" for week in (23, 24, 25, 26, 27)]
    assert concluded(found) == (COMPLIANT, ())


def test_two_schedules_with_two_policies_need_one_that_is_chosen(empty: Runs, tmp_path: Path) -> None:
    strict, loose = empty.evidence, 365
    for number, day in enumerate(JUNE):
        if number % 2:
            empty.by(loose - number, tmp_path)
            empty.at(day, **scheduled("week", "loose"))
            empty.evidence = strict
        else:
            empty.at(day, **scheduled("week", "strict"))
    with pytest.raises(
        InputError, match=r"side by side by different policies: policy\.toml.*choose one with --policy"
    ):
        empty.over("2026-06-01", "2026-06-28")
    found = empty.over("2026-06-01", "2026-06-28", policy=parse_policy(terms(), "ours.toml"))
    assert concluded(found) == (COMPLIANT, ())
    assert "COMPLIANT, as if by ours.toml (" in operating_text(found)


def test_without_a_schedule_it_is_given_by_hand_and_only_then(empty: Runs, june: Runs) -> None:
    for day in JUNE[:2]:
        empty.at(day)
    with pytest.raises(InputError, match=f"{ACCOUNT}: no schedule is sealed.*--every day"):
        empty.over("2026-06-01", "2026-06-14")
    found = empty.over("2026-06-01", "2026-06-14", every="week")
    assert concluded(found) == (COMPLIANT, ()) and found.subjects[0].is_by_hand
    assert "as given with --every" in operating_text(found)
    with pytest.raises(InputError, match=r"--every day: the evidence of .* has a schedule of its own \(week\)"):
        june.over("2026-06-01", "2026-06-28", every="day")


# --- which policy, which subject ----------------------------------------------------------------------------------
def test_another_policy_judges_as_if(june: Runs) -> None:
    found = june.over("2026-06-01", "2026-06-28", policy=parse_policy(terms(10), "ten.toml"))
    assert concluded(found) == (NON_COMPLIANT, (BREACH,))
    (one,) = found.subjects
    # overdue from 11 June, and last seen on 22 June
    assert one.verdict.figures.breach_days == (timedelta(days=11), timedelta(days=11))


def test_each_subject_concludes_for_itself_and_the_worst_counts(of_two: Path, runs: Runs) -> None:
    others = Runs(runs.folder, of_two)
    others.last = None
    for day in JUNE:
        others.at(day, whose="organization", **WEEKLY)
    shutil.rmtree(others.folder / f"2026-06-22T060000Z-brief-{ACCOUNT}")
    found = others.over("2026-06-01", "2026-06-28")
    verdicts = {one.subject: one.verdict for one in found.subjects}
    assert {subject: v.conclusion for subject, v in verdicts.items()} == {
        ACCOUNT: INSUFFICIENT_DATA,
        "organization": COMPLIANT,
    }
    assert [one.account for one in verdicts["organization"].coverage.accounts] == [ACCOUNT, OTHER]
    assert found.conclusion == INSUFFICIENT_DATA


@pytest.mark.parametrize(
    ("days", "bad"),
    [(("2026-06-01", "2026-06-14"), JUNE[2]), (("2026-06-15", "2026-06-28"), JUNE[1])],
    ids=["after", "before"],
)
def test_a_fault_beside_the_period_is_said_for_what_it_would_have_shown_is_not_known(
    runs: Runs, days: tuple[str, str], bad: str
) -> None:
    assert runs.over(*days).conclusion == COMPLIANT
    (runs.folder / f"{bad}T060000Z-brief-{ACCOUNT}" / "findings.csv").write_text("changed", encoding="utf-8")
    found = runs.over(*days)
    assert found.conclusion == INSUFFICIENT_DATA and "findings.csv" in operating_text(found)


def test_a_fault_far_from_the_period_is_none_of_it(runs: Runs) -> None:
    (runs.folder / f"{JUNE[0]}T060000Z-brief-{ACCOUNT}" / "findings.csv").write_text("changed", encoding="utf-8")
    assert runs.over("2026-06-22", "2026-06-28").conclusion == COMPLIANT


# --- the command ----------------------------------------------------------------------------------------------------
WEEKS_OF_JUNE = ("--from", "2026-06-01", "--to", "2026-06-28")


def test_the_command_says_it_in_three_forms(june: Runs) -> None:
    done = keyaudit("period", june.folder, *WEEKS_OF_JUNE)
    told = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    assert told.startswith(
        f"{ACCOUNT}: COMPLIANT: the rotation of access keys operated throughout, from 2026-06-01T00:00:00Z"
        " to 2026-06-22T00:00:00Z."
    )
    assert "dated by its maker alone" in told.split("\n\n")[0] and "not judged over the period" in told
    data = json.loads(keyaudit("period", june.folder, *WEEKS_OF_JUNE, "-f", "json").stdout)
    (one,) = data["subjects"]
    assert (data["conclusion"], one["every"]) == (COMPLIANT, [{"every": "week", "from": None}])
    assert one["figures"]["active_days"] == [21, 21]
    rows = list(
        csv.DictReader(io.StringIO(keyaudit("period", june.folder, *WEEKS_OF_JUNE, "-f", "csv").stdout.decode()))
    )
    assert [(row["subject"], row["user"], row["breach"], row["due"]) for row in rows] == [
        (ACCOUNT, "alice", "none", "2026-08-30T00:00:00Z")
    ]


def test_the_exit_codes(june: Runs, tmp_path: Path) -> None:
    write(tmp_path, "ten.toml", terms(10))
    done = keyaudit("period", june.folder, *WEEKS_OF_JUNE, "--policy", tmp_path / "ten.toml")
    assert done.returncode == 1 and "NON_COMPLIANT, as if by ten.toml" in done.stdout.decode()
    assert "1 of 1 access key" in done.stdout.decode()
    assert keyaudit("period", june.folder, "--from", "2026-06-01", "--to", "2026-07-26").returncode == 3
    (tmp_path / "none").mkdir()
    done = keyaudit("period", tmp_path / "none")
    assert done.returncode == 3 and done.stdout.startswith(b"INSUFFICIENT_DATA: there is no evidence here")


def test_mistakes_in_a_command(tmp_path: Path) -> None:
    for options, said in (
        (("--from", "2999-01-01"), "--from 2999-01-01: lies in the future"),
        (("--from", "1999-01-01"), "give a day from 2000 to 2999"),
        (("--from", "2026-02-01", "--to", "2026-01-01"), "--from 2026-02-01: is after --to 2026-01-01"),
        (("--to", "soon"), "--to"),
        (("--every", "weekly"), "give day, week"),
        (("--policy", tmp_path / "none.toml"), "none.toml"),
        (("--bom",), "only with -f csv"),
    ):
        assert said in refused(keyaudit("period", tmp_path, *options), 2)
    assert "no such reports folder" in refused(keyaudit("period", tmp_path / "none"), 2)
