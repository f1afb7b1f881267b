"""Runs of a schedule: once a period, alone, and with word of what went wrong."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import FRESH, OLD, OTHER, report, write
from evidence_helpers import BRIEF, LONG, files, keyaudit, leftovers, made, manifest, notebook, refused, seal_again
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from keyaudit.dues.calendar import parse_every
from keyaudit.schedule.occasion import find_done, occasion
from keyaudit.schema import InputError


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("every", "moment", "name", "start", "end"),
    [
        ("day", "2026-11-24T23:59:59", "2026-11-24", "2026-11-24", "2026-11-25"),
        ("week", "2026-11-24T08:00:00", "2026-W48", "2026-11-23", "2026-11-30"),
        ("week", "2027-01-03T23:59:59", "2026-W53", "2026-12-28", "2027-01-04"),
        ("month", "2026-12-31T00:00:00", "2026-12", "2026-12-01", "2027-01-01"),
        ("month", "2028-02-29T12:00:00", "2028-02", "2028-02-01", "2028-03-01"),
        ("quarter", "2026-01-01T00:00:00", "2026-Q1", "2026-01-01", "2026-04-01"),
        ("quarter", "2026-12-31T23:59:59", "2026-Q4", "2026-10-01", "2027-01-01"),
        ("1d", "2026-11-24T08:00:00", "2026-11-24+1d", "2026-11-24", "2026-11-25"),
        ("30d", "1970-01-31T00:00:00", "1970-01-31+30d", "1970-01-31", "1970-03-02"),
    ],
)
def test_periods_by_hand(every: str, moment: str, name: str, start: str, end: str) -> None:
    period = parse_every(every)
    found = period.name(at(moment)), period.start(at(moment)), period.end(at(moment))
    assert found == (name, at(start), at(end))


@given(
    st.sampled_from(["day", "week", "month", "quarter", "1d", "7d", "30d", "3660d"]),
    st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_periods_cover_time_without_gap_or_overlap(every: str, moment: datetime) -> None:
    period = parse_every(every)
    start, end = period.start(moment), period.end(moment)
    assert start <= moment < end
    assert (period.start(end), period.end(start)) == (end, end)
    last = end - timedelta(microseconds=1)
    assert period.name(start) == period.name(last) == period.name(moment) != period.name(end)


@pytest.mark.parametrize("text", ["", "Week", "weekly", "0d", "3661d", "d", "-1d", "7 d", "٧d", "1.5d", "x" * 100])
def test_other_periods_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="give day, week, month, quarter"):
        parse_every(text)


def source(folder: Path) -> Path:
    """A report without a date of its own, one key of which is overdue: judged as of now."""
    return write(folder, "report.csv", report(("alice", FRESH), ("bob", OLD)))


def run(tmp_path: Path, *options: object, policy: object = "cis") -> list[object]:
    return [
        "report",
        tmp_path / "report.csv",
        "--policy",
        policy,
        "-o",
        tmp_path / "reports",
        "--every",
        LONG,
        *BRIEF,
        *options,
    ]


def test_a_run_is_made_once_a_period_and_answers_the_same_again(tmp_path: Path) -> None:
    source(tmp_path)
    first = made(*run(tmp_path), code=1)
    before = files(tmp_path / "reports")
    again = keyaudit(*run(tmp_path))
    assert (again.returncode, again.stdout.decode()) == (1, f"{first}\n")
    assert b"made before for 20" in again.stderr
    assert files(tmp_path / "reports") == before
    # asked for, or another policy: evidence of its own, chained to the first; the first is not touched
    second = made(*run(tmp_path, "--again"), code=1)
    third = made(*run(tmp_path, policy="skshieldus"), code=1)
    assert len({first, second, third}) == 3
    assert before.items() <= files(tmp_path / "reports").items()
    told = manifest(first)["schedule"]
    assert (told["every"], told["period"]) == (LONG, parse_every(LONG).name(datetime.now(UTC)))
    assert manifest(second)["schedule"] == told != manifest(third)["schedule"]


def test_a_policy_that_was_tightened_is_asked_anew(tmp_path: Path) -> None:
    source(tmp_path)
    policy = write(tmp_path, "policy.toml", "title = 'ours'\nmax_access_key_age = 90\n")
    first = made(*run(tmp_path, policy=policy), code=1)
    write(tmp_path, "policy.toml", "title = 'ours'\nmax_access_key_age = 3650\n")
    second = made(*run(tmp_path, policy=policy), code=0)
    write(tmp_path, "policy.toml", "title = 'ours'\nmax_access_key_age = 90\n")
    assert made(*run(tmp_path, policy=policy), code=1) == first != second


def test_other_input_under_the_same_name_is_asked_anew(tmp_path: Path) -> None:
    """What had no overdue key says nothing of what has one now."""
    folder = tmp_path / "in"
    write(folder, "a.csv", report(("alice", FRESH)))
    words = ["report", folder, "--policy", "cis", "-o", tmp_path / "reports", "--every", LONG, *BRIEF]
    first = made(*words, code=0)
    assert made(*words, code=0) == first
    write(folder, "b.csv", report(("bob", OLD), account=OTHER))
    assert made(*words, code=1) != first
    done = keyaudit("report", "-", *words[2:], stdin=report(("bob", OLD)).encode())
    assert "-: can be read only once" in refused(done, 2)


def test_evidence_of_a_later_version_stands_in_for_no_run_and_stops_none(tmp_path: Path) -> None:
    source(tmp_path)
    first = made(*run(tmp_path), code=1)
    seal_again(first, rules=99)
    assert made(*run(tmp_path), code=1) != first


def test_only_evidence_that_holds_and_concludes_something_counts(tmp_path: Path) -> None:
    source(tmp_path)
    first = made(*run(tmp_path), code=1)
    reports, seen = tmp_path / "reports", occasion(parse_every(LONG), {})
    same = type(seen)(seen.every, seen.started, manifest(first)["schedule"]["asked"])
    assert find_done(reports, same) == (first, "NON_COMPLIANT")
    assert find_done(reports, seen) is None  # something else was asked for
    later = type(seen)(seen.every, seen.started + timedelta(days=3650), same.asked)
    assert find_done(reports, later) is None
    (first / "findings.csv").write_text("changed", encoding="utf-8")
    assert find_done(reports, same) is None
    shutil.rmtree(first)
    # nothing fails, but no period was shown
    yesterday = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    write(tmp_path, "report.csv", report(("alice", f"true {yesterday} {yesterday}")))
    unknown = made(*run(tmp_path, policy=""), code=3)
    assert made(*run(tmp_path, policy=""), code=3) != unknown


def test_a_verdict_made_better_by_hand_is_not_taken_for_one(tmp_path: Path) -> None:
    source(tmp_path)
    first = made(*run(tmp_path), code=1)
    seal_again(first, conclusion="COMPLIANT")
    assert made(*run(tmp_path), code=1) != first


def test_runs_do_not_overlap(tmp_path: Path) -> None:
    source(tmp_path)
    first = made(*run(tmp_path), code=1)
    lock = tmp_path / "reports" / f".run-{manifest(first)['schedule']['asked'][:16]}.lock"
    with FileLock(lock):
        assert "still going" in refused(keyaudit(*run(tmp_path)), 4)
        made(*run(tmp_path, policy="skshieldus"), code=1)  # another schedule need not wait
    assert [name for name in leftovers(tmp_path / "reports") if not name.startswith(".run-")] == []


def test_a_run_that_fails_leaves_its_reason(tmp_path: Path) -> None:
    write(tmp_path, "policy.toml", "max_access_key_age = -1\n")
    source(tmp_path)
    said = refused(keyaudit(*run(tmp_path, policy=tmp_path / "policy.toml")), 2)
    (failed,) = (tmp_path / "reports").glob(".failed-*-brief-*")
    assert said == f"keyaudit: {(failed / 'failure.txt').read_text(encoding='utf-8')}"


def test_a_notebook_that_fails_is_told_once(tmp_path: Path) -> None:
    source(tmp_path)
    refused(keyaudit(*run(tmp_path, "-p", "as_off", "x")), 2)
    (failed,) = (tmp_path / "reports").glob(".failed-*")
    shutil.rmtree(failed)
    broken = notebook(tmp_path, "broken", "raise RuntimeError('on purpose')")
    refused(keyaudit(*run(tmp_path, "--notebook", broken)), 4)
    (failed,) = (tmp_path / "reports").glob(".failed-*")
    assert (failed / "report.ipynb").is_file()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--again"], "--again: only with --every"),
        (["--every", "weekly"], "--every weekly: give day"),
        (["--every", "week", "--as-of", "2026-11-24T00:00:00Z"], "--as-of and --every exclude"),
        (["--every", "week", "--per-account"], "--per-account and --every exclude"),
    ],
)
def test_mistakes_are_said_at_once(tmp_path: Path, options: list[str], said: str) -> None:
    done = keyaudit("report", source(tmp_path), "-o", tmp_path / "reports", *options)
    assert said in refused(done, 2)
    assert not (tmp_path / "reports").exists()
