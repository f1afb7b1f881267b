"""The expected runs against the present ones: what is missing, failed or broken is named."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import ACCOUNT, IS_NIGHTLY, OLD, report, write
from evidence_helpers import (
    BRIEF,
    BRIEFLY,
    FAILING,
    LONG,
    POLICY,
    failing,
    files,
    keyaudit,
    made,
    manifest,
    once,
    refused,
    report_on,
    seal_again,
)
from runs_made import NOT_TOLD, NOW, WEEK, Reports

from keyaudit.dues.counting import counting, not_of
from keyaudit.evidence.failed import fail
from keyaudit.evidence.ledger import entries
from keyaudit.evidence.undated import digests_of
from keyaudit.files import make_staging
from keyaudit.policy import parse_policy
from keyaudit.schedule.series import Series, series

#: of the evidence below, by day and at nightly depth
SUBJECT = f"key_rotation-{ACCOUNT}" if IS_NIGHTLY else f"brief-{ACCOUNT}"


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evidence of an account that fails. By day it has the bottom line alone: eighty folders of it are verified."""

    def make(folder: Path) -> None:
        write(folder, "policy.toml", POLICY)
        write(folder, "report.csv", FAILING)
        made(*report_on(folder / "reports", folder / "report.csv", policy=folder / "policy.toml"), code=1)

    if IS_NIGHTLY:
        return failing(tmp_path_factory)
    return once(tmp_path_factory, "failing-brief", make) / "reports" / f"{BRIEFLY}-{ACCOUNT}"


@pytest.fixture
def reports(tmp_path: Path, evidence: Path) -> Reports:
    """An empty folder for copies of evidence, as runs without an instant would have left it."""
    return Reports(tmp_path / "reports", evidence)


@pytest.fixture
def ours(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """The same of keyaudit's own notebook, where what is remarked of a run is counted."""
    return Reports(tmp_path / "reports", failing(tmp_path_factory))


@pytest.fixture
def whole(tmp_path: Path, evidence: Path, tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """The same with a run in each of three weeks."""

    def make(folder: Path) -> None:
        runs = Reports(folder, evidence)
        for day in ("2026-11-24", "2026-11-30", "2026-12-07"):
            runs.run(day)

    return Reports(shutil.copytree(once(tmp_path_factory, "series", make), tmp_path / "reports"), evidence)


def test_a_series_without_a_gap_is_whole(whole: Reports) -> None:
    assert whole.states() == [("2026-W48", "present"), ("2026-W49", "present"), ("2026-W50", "present")]
    assert whole.found().is_whole and whole.found().is_conclusive
    assert [one.conclusion for one in whole.found().dues] == ["NON_COMPLIANT"] * 3


def test_a_period_without_evidence_is_missing_once_it_is_over(reports: Reports) -> None:
    reports.run("2026-11-24")
    assert reports.states() == [("2026-W48", "present"), ("2026-W49", "missing"), ("2026-W50", "open")]
    assert not reports.found().is_whole
    since = reports.found("2026-11-09T00:00:00+00:00").dues
    assert [one.state for one in since] == ["missing", "missing", "present", "missing", "open"]


def test_a_run_that_failed_is_named_with_its_reason(ours: Reports) -> None:
    ours.run("2026-11-24")
    staging = make_staging(ours.folder)
    fail(staging, "2026-12-01T060000Z-key_rotation", "no such file")
    other = make_staging(ours.folder)
    fail(other, "2026-12-01T060000Z-rotation", "of another notebook")
    due = ours.found().dues[1]
    assert (due.state, due.evidence) == ("failed", None)
    assert len(due.remarks) == 1 and due.remarks[0].endswith(": no such file")
    # a run that went well afterwards mends the period; the failure is still told
    ours.run("2026-12-02")
    due = ours.found().dues[1]
    assert (due.state, len(due.remarks)) == ("present", 1)


def test_changed_evidence_is_broken(whole: Reports) -> None:
    (whole.folder / f"2026-11-30T060000Z-{SUBJECT}" / "findings.csv").write_text("changed", encoding="utf-8")
    assert [state for _, state in whole.states()] == ["present", "broken", "present"]
    assert not whole.found().is_whole


def test_evidence_that_was_sealed_anew_breaks_what_follows_it(whole: Reports) -> None:
    second = whole.folder / f"2026-11-30T060000Z-{SUBJECT}"
    seal_again(second, libraries={})
    found = whole.found()
    assert [one.state for one in found.dues] == ["present", "present", "broken"]
    assert "not here, or was sealed anew" in found.dues[2].remarks[0]


def test_evidence_that_was_taken_away_is_missing_and_breaks_the_chain(whole: Reports) -> None:
    shutil.rmtree(whole.folder / f"2026-11-30T060000Z-{SUBJECT}")
    assert [state for _, state in whole.states()] == ["present", "missing", "broken"]


def test_a_chain_that_forks_or_begins_anew_is_broken(whole: Reports) -> None:
    first = manifest(whole.folder / f"2026-11-30T060000Z-{SUBJECT}")["previous"]
    whole.run("2026-12-08", previous=first)
    whole.run("2026-12-09", previous=None)
    found = whole.found()
    assert [one.state for one in found.dues] == ["present", "broken", "broken"]
    told = "\n".join(found.dues[2].remarks)
    assert "another folder follows the same one" in told and "follows nothing" in told


def test_evidence_of_the_past_counts_for_no_period_but_is_verified(whole: Reports) -> None:
    given = whole.folder / f"2026-11-01T000000Z-{SUBJECT}"
    shutil.copytree(whole.evidence, given)
    seal_again(
        given,
        conclusion="COMPLIANT",
        started_at="2026-10-01T00:00:00Z",
        sealed_at="2026-12-09T00:00:00Z",
        previous=whole.last,
    )
    assert len(whole.found().dues) == 3
    # what it states is not what its evidence gives
    assert any(given.name in fault for fault in whole.found().faults)


def periods(found: Series) -> dict[str, tuple[str, str]]:
    """Period -> its state, and the last thing that is to be known of it."""
    return {one.period: (one.state, one.remarks[-1] if one.remarks else "") for one in found.dues}


@pytest.mark.parametrize(
    ("generated", "counts"),
    [
        ("2026-11-23T00:00:00Z", False),  # of the week before
        ("2026-11-28T23:59:59Z", False),
        ("2026-11-29T00:00:00Z", True),  # a run on Monday morning may judge the report of Sunday
        ("2026-12-01T06:00:00Z", True),
        ("2026-12-01T06:00:01Z", False),  # after it was sealed
    ],
)
def test_evidence_counts_for_a_period_only_if_what_it_judges_is_of_it(
    reports: Reports, generated: str, counts: bool
) -> None:
    """A week from Monday 30 November; the policy allows a report of 24 hours."""
    reports.run("2026-11-24")
    reports.run("2026-12-01", generated=generated)
    state, remark = periods(reports.found())["2026-W49"]
    assert (state, "does not count" in remark) == (("present", False) if counts else ("missing", True))


def test_evidence_that_a_lax_policy_lets_be_old_counts_no_more(ours: Reports) -> None:
    policy = ours.folder.parent / "lax.toml"
    policy.write_text("""title = "t"\nmax_access_key_age = 90\nmax_report_age_hours = 2000\n""", encoding="utf-8")
    lax = shutil.copytree(ours.evidence, ours.folder.parent / "lax")
    (lax / "policy.toml").write_bytes(policy.read_bytes())
    terms = parse_policy(policy.read_bytes(), "policy.toml")
    seal_again(lax, policy={"name": "policy.toml", "given": True, "sha256": terms.sha256})
    ours.evidence = lax
    ours.run("2026-11-24")
    ours.run("2026-12-01", generated="2026-11-24T00:00:00Z")
    assert periods(ours.found())["2026-W48"] == ("present", "")
    state, remark = periods(ours.found())["2026-W49"]
    assert state == "missing" and "judges 2026-11-24T00:00:00Z, before the period" in remark


def test_a_file_that_tells_no_time_is_evidence_of_one_period_alone(reports: Reports) -> None:
    """Read every week, it is judged as of that week; nothing shows that it is not still the file of the first."""
    reports.run("2026-11-24", generated=NOT_TOLD)
    reports.run("2026-11-25", generated=NOT_TOLD)
    reports.run("2026-12-01", generated=NOT_TOLD)
    found = periods(reports.found())
    assert found["2026-W48"][0] == "present"
    assert (
        found["2026-W49"][0] == "missing"
        and "is the same file that is evidence of 2026-W48" in found["2026-W49"][1]
    )


def test_a_folder_counts_once(reports: Reports) -> None:
    first = reports.run("2026-11-24")
    shutil.copytree(first, reports.folder / f"2026-11-25T060000Z-{SUBJECT}")
    runs, unreadable = entries(reports.folder)
    assert len(runs) == 2 and not unreadable
    refused_folders = counting(runs, WEEK, digests_of)
    assert len(refused_folders) == 1 and "is a copy of" in next(iter(refused_folders.values()))


def test_what_judges_no_moment_of_a_run_counts_for_no_period(reports: Reports) -> None:
    reports.run("2026-11-24")
    ((run,), _) = entries(reports.folder)
    period = WEEK.start(run.started), WEEK.end(run.started)
    assert not_of(run, *period) == ""
    assert "an instant that was given" in not_of(replace(run, is_present=False), *period)
    assert "sample data" in not_of(replace(run, is_present=False, is_sample=True), *period)


@pytest.mark.parametrize("damage", ["{", "[]", "{}", '{"previous": 1}'])
def test_a_manifest_that_cannot_be_read_is_named(whole: Reports, damage: str) -> None:
    folder = whole.folder / f"2026-11-30T060000Z-{SUBJECT}"
    (folder / "manifest.json").write_text(damage, encoding="utf-8")
    found = whole.found()
    assert not found.is_whole and folder.name in found.faults[0]


def test_a_second_folder_of_one_instant_is_of_the_same_account(whole: Reports) -> None:
    whole.run("2026-12-09", name=f"2026-12-07T060000Z-{SUBJECT}-2")
    assert {one.subject for one in whole.found().dues} == {SUBJECT}
    assert whole.found().is_whole


def test_nothing_is_never_whole(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    found = series(tmp_path / "reports", WEEK, NOW)
    assert not found.is_whole and "no evidence" in found.faults[0]


def test_the_command(reports: Reports) -> None:
    now = datetime.now(UTC)
    for weeks in (2, 1, 0):
        reports.run(f"{now - timedelta(weeks=weeks):%Y-%m-%d}")
    before = files(reports.folder)
    done = keyaudit("series", reports.folder, "--every", "week")
    assert done.returncode == 0, done.stdout.decode()
    assert done.stdout.decode().count("present") == 3 and done.stderr == b""
    shutil.rmtree(max(reports.folder.iterdir()))
    told = json.loads(keyaudit("series", reports.folder, "--every", "day", "-f", "json").stdout)
    assert told["whole"] is False and [one["state"] for one in told["periods"]].count("missing") >= 12
    csv = keyaudit("series", reports.folder, "--every", "day", "-f", "csv")
    assert csv.returncode == 1 and len(csv.stdout.splitlines()) == len(told["periods"]) + 1
    assert set(files(reports.folder)) <= set(before)


def test_mistakes_in_a_command(tmp_path: Path) -> None:
    assert "no such reports folder" in refused(keyaudit("series", tmp_path / "none", "--every", "week"), 2)
    assert "give day, week" in refused(keyaudit("series", tmp_path, "--every", "weekly"), 2)
    assert "--every" in refused(keyaudit("series", tmp_path), 2)


def test_evidence_by_another_policy_does_not_hide_a_failure(tmp_path: Path) -> None:
    write(tmp_path, "report.csv", report(("bob", OLD)))
    write(tmp_path, "loose.toml", "title = 'loose'\nmax_access_key_age = 3650\n")
    asked = ["report", tmp_path / "report.csv", "-o", tmp_path / "reports", *BRIEF, "--policy"]
    strict, loose = made(*asked, "cis", code=1), made(*asked, tmp_path / "loose.toml", code=0)
    told = json.loads(keyaudit("series", tmp_path / "reports", "--every", LONG, "-f", "json").stdout)
    (period,) = told["periods"]
    assert (period["state"], period["conclusion"], period["evidence"]) == ("present", "NON_COMPLIANT", strict.name)
    # the other remarks are that the notebook is not keyaudit's
    (remark,) = [one for one in period["remarks"] if f"{loose.name}: COMPLIANT (" in one]
    assert f"{strict.name}: NON_COMPLIANT (preset cis (" in remark and f"{loose.name}: COMPLIANT (" in remark
    page = (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    assert page.count(">NON_COMPLIANT</td>") == 2 and page.count(">COMPLIANT</td>") == 2


def test_since_is_an_instant_of_the_past(reports: Reports) -> None:
    for since, said in (
        ("2999-01-01T00:00:00Z", "--since 2999-01-01T00:00:00Z: lies in the future"),
        ("x", "--since: "),
    ):
        done = keyaudit("series", reports.folder, "--every", "week", "--since", since)
        assert said in refused(done, 2)


def test_evidence_of_a_later_version_is_named_and_stops_nothing(whole: Reports) -> None:
    newest = sorted(path for path in whole.folder.iterdir() if path.is_dir())[-1]
    seal_again(newest, rules=99)
    states = dict(whole.states())
    assert list(states.values()).count("broken") == 1
    (due,) = [one for one in whole.found().dues if one.state == "broken"]
    assert "upgrade keyaudit" in str(due)
