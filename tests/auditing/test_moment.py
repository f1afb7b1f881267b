"""The moment of judgement, and how sure it is that a population is today's: nothing old reads as of now.

What a source says of an earlier reading is believed only of evidence whose seal was just verified (DESIGN, "How
conclusions are drawn").
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import ACCOUNT, AS_OF, FRESH, NO_KEY, OTHER, ROOT, capture, csv_of, report, row, said, write
from evidence_helpers import BRIEF, made, manifest, summary
from evidence_helpers import keyaudit as command
from forked import forked
from forms import cli_json

import keyaudit
from keyaudit import InputError, sources
from keyaudit.evidence.verify import verify
from keyaudit.present import as_text
from keyaudit.rotation.fresh import freshness
from keyaudit.schema import GRADES

NOW = datetime.now(UTC).replace(microsecond=0)


def ago(**time: float) -> str:
    return f"{NOW - timedelta(**time):%Y-%m-%dT%H:%M:%SZ}"


def key_of(days: float) -> str:
    return f"true {ago(days=days)} {ago(hours=1)}"


# --- as_of ----------------------------------------------------------------------------------------------------
def test_as_of_is_the_latest_moment_of_all_so_that_another_account_never_makes_a_key_younger(
    tmp_path: Path,
) -> None:
    """A key of 90.5 days fails; beside a report of yesterday it was judged as of yesterday, and passed."""
    write(tmp_path, "a.csv", report(("alice", key_of(90.5))))
    write(tmp_path, "b.json", cli_json(report(("bob", key_of(1)), account=OTHER), GeneratedTime=ago(hours=23)))
    for source in (tmp_path / "a.csv", tmp_path, [tmp_path / "b.json", tmp_path / "a.csv"]):
        audit = keyaudit.audit(source, "cis")
        assert audit.conclusions["rotation"] == "NON_COMPLIANT"
        assert audit.as_of_source == "received_time" and audit.as_of >= NOW


def test_a_report_generated_later_than_another_was_read_is_the_latest_moment(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", report(("alice", FRESH)))
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=4)
    write(
        tmp_path,
        "b.json",
        cli_json(report(("bob", FRESH), account=OTHER), GeneratedTime=f"{later:%Y-%m-%dT%H:%M:%SZ}"),
    )
    audit = keyaudit.audit(tmp_path, "cis")
    assert audit.as_of_source == "generated_time" and audit.as_of == later


def test_a_file_that_could_not_be_read_was_read_now_and_evidence_of_it_verifies(tmp_path: Path) -> None:
    write(tmp_path / "in", "a.json", cli_json(report(("alice", FRESH)), GeneratedTime=ago(hours=2)))
    write(tmp_path / "in", "broken.csv", report(("bob", FRESH), account=OTHER)[:-40])
    write(tmp_path / "in", "notes.txt", "no report")
    evidence = made("report", tmp_path / "in", "--policy", "cis", "-o", tmp_path / "out", *BRIEF, code=3)
    assert summary(evidence)["as_of_source"] == "received_time" and verify(evidence)[0] == []


def test_an_account_that_was_not_read_makes_no_moment(tmp_path: Path) -> None:
    folder = capture(tmp_path, [ACCOUNT, OTHER], a111122223333=report(("alice", FRESH)))
    write(folder / OTHER, "capture.json", json.dumps({"account_id": OTHER, "problems": ["AccessDenied"]}))
    assert keyaudit.audit(folder, "cis").as_of.isoformat() == "2026-11-23T00:00:00+00:00"


@pytest.mark.parametrize("text", ["2026-11-23", "20261123"])
def test_a_bare_day_is_refused_with_the_two_instants_that_it_may_mean(text: str) -> None:
    with pytest.raises(InputError, match=r"2026-11-23T00:00:00Z .* or 2026-11-23T23:59:59Z"):
        keyaudit.audit("", "cis", text)


# --- what a source says of an earlier reading -----------------------------------------------------------------
def told(tmp_path: Path, **facts: object) -> Path:
    """A capture that says of itself that it was read long ago, when its report was fresh."""
    folder = capture(tmp_path, [ACCOUNT], a111122223333=report(("alice", FRESH)))
    name = folder / ACCOUNT / "capture.json"
    name.write_text(json.dumps(json.loads(name.read_bytes()) | facts), encoding="utf-8")
    return folder


def test_a_source_does_not_say_itself_that_it_was_read_long_ago(tmp_path: Path) -> None:
    audit = keyaudit.audit(told(tmp_path), "cis")
    assert audit.conclusion == "INSUFFICIENT_DATA" and "before it was read" in said(audit)


def test_a_source_does_not_say_itself_of_when_its_keys_are_to_be_judged(tmp_path: Path) -> None:
    audit = keyaudit.audit(told(tmp_path, generated_time=None), "cis")
    assert audit.as_of_source == "received_time" and audit.as_of >= NOW


def test_the_sample_is_never_stale_and_is_judged_alone(tmp_path: Path) -> None:
    assert "before it was read" not in said(keyaudit.audit())
    with pytest.raises(InputError, match="the sample account is not evidence"):
        keyaudit.audit([sources.sample(), write(tmp_path, "a.csv", report(("alice", FRESH)))], "cis", AS_OF)


def test_a_folder_that_calls_itself_a_sample_is_judged_like_any_other(tmp_path: Path) -> None:
    """It is marked as one, and that is all: it may be stale, and its policy is nobody's."""
    folder = shutil.copytree(sources.sample(), tmp_path / "mine")
    same = keyaudit.audit(folder)  # a copy is the sample still
    assert same.is_sample and same.policy.given and "it is stale" not in said(same)
    facts = json.loads((folder / "accounts.json").read_bytes())
    write(folder, "accounts.json", json.dumps(facts | {"read_time": "2026-11-23T08:00:01Z"}))
    audit = keyaudit.audit(folder)
    assert audit.is_sample and audit.conclusion != "COMPLIANT" and "it is stale" in said(audit)
    assert not audit.policy.given and "longer ago" not in said(audit)
    assert freshness(audit, datetime.now(UTC)).old and not freshness(keyaudit.audit(), datetime.now(UTC)).old
    # a report that tells no time is of the moment of reading, whatever the folder says of its own
    now = datetime.now(UTC)
    content = report(("alice", key_of(2)))
    own = capture(tmp_path / "own", [ACCOUNT], a111122223333=content)
    facts = json.loads((own / ACCOUNT / "capture.json").read_bytes()) | {"generated_time": None}
    write(own / ACCOUNT, "capture.json", json.dumps(facts))
    told = {"expected": [ACCOUNT], "read_time": "2026-09-01T00:00:00Z", "sample": True}
    write(own, "accounts.json", json.dumps(told))
    assert keyaudit.audit(own, "cis").as_of >= now


def test_a_sample_counts_for_no_period_and_says_what_it_is(tmp_path: Path) -> None:
    content = report(("alice", key_of(2)))
    folder = capture(tmp_path / "own", [ACCOUNT], a111122223333=content)
    facts = json.loads((folder / ACCOUNT / "capture.json").read_bytes()) | {"generated_time": ago(hours=1)}
    write(folder / ACCOUNT, "capture.json", json.dumps(facts))
    write(folder, "accounts.json", json.dumps({"expected": [ACCOUNT], "sample": True}))
    words = ("report", folder, "--policy", "cis", "-o", tmp_path / "reports", "--every", "3650d", *BRIEF)
    for _ in range(2):
        done = command(*words)
        said_of_it = done.stderr.decode()
        assert done.returncode == 3 and "this evidence does not count for" in said_of_it, said_of_it
        assert "it is of sample data" in said_of_it and said_of_it.startswith("SAMPLE DATA")
        evidence = Path(done.stdout.decode().strip())
        assert manifest(evidence)["conclusion"] == "COMPLIANT" and verify(evidence)[0] == []
    series = command("series", tmp_path / "reports", "--every", "3650d")
    assert series.returncode == 1 and b"no evidence here of runs" in series.stdout


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"r.csv": ""}, "the moment at which a report was read that does not tell when it was generated"),
        ({"r.json": ""}, "the time at which AWS generated the latest report"),
        ({"r.json": "", "readme.txt": "x"}, "the moment at which a file was read that is no report"),
        ({"r.csv": "", "readme.txt": "x"}, "the moment at which a report was read that does not tell"),
        ({"readme.txt": "x"}, "the moment of reading, for no report was read"),
    ],
)
def test_where_the_instant_comes_from_is_said_as_it_is(tmp_path: Path, files: dict[str, str], words: str) -> None:
    content = report(("alice", key_of(2)))
    forms = {"r.csv": content, "r.json": cli_json(content, GeneratedTime=ago(hours=1))}
    for name, text in files.items():
        write(tmp_path, name, text or forms[name])
    audit = keyaudit.audit(tmp_path, "cis")
    assert audit.as_of_source == ("generated_time" if "AWS generated" in words else "received_time")
    assert words in as_text(audit) and words in repr(keyaudit.scope(audit))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Evidence of an account, COMPLIANT, of a file that tells its time."""
    source = write(tmp_path / "in", "r.json", cli_json(report(("alice", key_of(2))), GeneratedTime=ago(hours=1)))
    return made("report", source, "--policy", "cis", "-o", tmp_path / "old", *BRIEF, code=0)


def test_evidence_verifies_as_of_the_reading_that_it_records(old: Path) -> None:
    assert verify(old)[0] == []
    assert summary(old)["assurance"] == "dated"


def test_old_evidence_given_again_is_stale_and_counts_for_no_period(tmp_path: Path) -> None:
    """Raw evidence of September, whose own capture says that it was read in September."""
    then = "2026-09-01T00:00:00Z"
    content = report(("alice", "true 2026-08-20T00:00:00Z N/A"))
    folder = capture(tmp_path / "raw", [ACCOUNT], a111122223333=content)
    told = {"account_id": ACCOUNT, "generated_time": then, "received_time": then}
    facts = told | {"sha256": hashlib.sha256(content.encode()).hexdigest()}
    write(folder / ACCOUNT, "capture.json", json.dumps(facts))
    write(folder, "accounts.json", json.dumps({"expected": [ACCOUNT], "read_time": then}))
    assert keyaudit.audit(folder, "cis", sealed=True).conclusion == "COMPLIANT"
    options = ("-o", tmp_path / "reports", "--every", "week", *BRIEF)
    made("report", folder, "--policy", "cis", *options, code=3)
    lax = write(tmp_path, "lax.toml", 'title = "t"\nmax_access_key_age = 90\nmax_report_age_hours = 87600\n')
    done = command("report", folder, "--policy", lax, *options)
    assert done.returncode == 3 and "does not count for" in done.stderr.decode()
    evidence = Path(done.stdout.decode().strip())
    assert manifest(evidence)["conclusion"] == "COMPLIANT"
    again = command("report", folder, "--policy", lax, *options)
    assert again.returncode == 3 and again.stdout != done.stdout


def test_a_report_that_its_capture_has_no_digest_of_is_told_and_the_evidence_verifies(tmp_path: Path) -> None:
    folder = capture(tmp_path / "raw", [ACCOUNT], a111122223333=report(("alice", key_of(2))))
    facts = {"account_id": ACCOUNT, "generated_time": ago(hours=1), "received_time": ago(hours=1)}
    write(folder / ACCOUNT, "capture.json", json.dumps(facts))
    evidence = made("report", folder, "--policy", "cis", "-o", tmp_path / "reports", *BRIEF, code=3)
    assert verify(evidence)[0] == []
    (account,) = summary(evidence)["accounts"]
    assert account["problems"] == [f"{ACCOUNT}: capture.json has no digest of a report: none is read"]


def test_before_is_believed_for_its_seal_alone(old: Path, tmp_path: Path) -> None:
    now = write(tmp_path / "in", "now.json", cli_json(report(("alice", key_of(0.5))), GeneratedTime=ago(minutes=1)))
    words = ("report", now, "--policy", "cis", "--notebook", "rotation", "-o", tmp_path / "reports")
    made(*words, "--before", old, code=0)
    name = old / "raw" / "accounts.json"
    name.write_text(json.dumps(json.loads(name.read_bytes()) | {"read_time": ago(hours=30)}), encoding="utf-8")
    done = command(*words, "--before", old)
    assert done.returncode == 2 and "does not verify" in done.stderr.decode()


# --- grades ---------------------------------------------------------------------------------------------------
def test_the_grades_of_files(tmp_path: Path) -> None:
    bare = write(tmp_path, "a.csv", report(("alice", FRESH)))
    timed = write(tmp_path, "b.json", cli_json(report(("bob", FRESH), account=OTHER)))
    for source, grade in ((bare, "supplied"), (timed, "dated"), ([bare, timed], "supplied")):
        audit = keyaudit.audit(source, "cis", AS_OF)
        assert audit.assurance == grade
        assert (audit.newest_date is None) == (grade == "dated")
    assert keyaudit.audit(bare, "cis", AS_OF).newest_date == datetime(2026, 11, 20, tzinfo=UTC)
    assert [one.assurance for one in keyaudit.audit([bare, timed], "cis", AS_OF).provenance] == [
        "supplied",
        "dated",
    ]


def test_where_nothing_was_read_that_is_its_grade(tmp_path: Path) -> None:
    assert keyaudit.audit(capture(tmp_path, [ACCOUNT]), "cis", AS_OF).assurance == "nothing_read"


@pytest.mark.parametrize("least", GRADES)
def test_below_min_assurance_there_is_no_conclusion(judge, policy, least: str) -> None:
    terms = policy(f'max_access_key_age = 90\nmin_assurance = "{least}"')
    bare, timed = judge(report(("alice", FRESH)), terms), judge(cli_json(report(("alice", FRESH))), terms)
    assert (bare.conclusion == "COMPLIANT") == (least == "supplied")
    assert (timed.conclusion == "COMPLIANT") == (least in ("dated", "supplied"))
    for audit in (bare, timed):
        assert ("min_assurance" in said(audit)) == (audit.conclusion != "COMPLIANT")


def test_min_assurance_makes_no_failure_better(judge, policy) -> None:
    terms = policy('max_access_key_age = 10\nmin_assurance = "compared"')
    assert judge(report(("alice", FRESH)), terms).conclusion == "NON_COMPLIANT"


def test_an_unknown_grade_is_refused(judge, policy) -> None:
    with pytest.raises(keyaudit.PolicyError, match="min_assurance"):
        judge(report(("alice", FRESH)), policy('max_access_key_age = 90\nmin_assurance = "high"'))


# --- times that do not fit ------------------------------------------------------------------------------------
@pytest.mark.parametrize(("minutes", "fits"), [(4, True), (10, False), (60 * 24 * 365, False)])
@pytest.mark.parametrize("given", [True, False])
def test_a_generated_time_later_than_its_reading_is_a_gap(
    tmp_path: Path, minutes: int, fits: bool, given: bool
) -> None:
    generated = datetime.now(UTC) + timedelta(minutes=minutes)
    path = write(tmp_path, "a.json", cli_json(report(("alice", FRESH)), GeneratedTime=generated.isoformat()))
    audit = keyaudit.audit(path, "cis", generated.isoformat() if given else "")
    assert ("more than 5 minutes after it was read" in said(audit)) != fits
    assert fits or audit.conclusion in ("INSUFFICIENT_DATA", "NON_COMPLIANT")
    assert fits or audit.conclusions["root-key"] == "INSUFFICIENT_DATA"


def test_a_file_of_unknown_age_that_knows_nothing_of_late_cannot_be_today_s(judge, policy) -> None:
    """The tightest limit of its active keys: whoever keeps to the policy touches a key within it."""
    terms = policy('max_access_key_age = 90\n[[override]]\nusers = ["svc-*"]\nmax_access_key_age = 30')
    key = "true 2026-10-01T00:00:00Z 2026-10-20T00:00:00Z"
    assert judge(report(("alice", key)), terms).conclusion == "COMPLIANT"
    stale = judge(report(("alice", key), ("svc-a", "true 2026-10-20T00:00:00Z N/A")), terms)
    assert stale.conclusions["root-key"] == "INSUFFICIENT_DATA" and "knows of nothing after" in said(stale)
    assert (
        judge(report(("alice", key), ("svc-a", "false 2026-10-20T00:00:00Z N/A")), terms).conclusion == "COMPLIANT"
    )
    assert judge(cli_json(report(("alice", key), ("svc-a", NO_KEY))), terms).conclusion == "COMPLIANT"


def test_without_active_keys_an_old_file_is_no_gap_and_its_grade_says_so(judge, policy) -> None:
    audit = judge(report(("alice", NO_KEY)), policy("max_access_key_age = 90"))
    assert audit.conclusion == "COMPLIANT" and audit.assurance == "supplied"
    assert audit.newest_date == datetime(2020, 1, 1, tzinfo=UTC)


# --- the names of files ---------------------------------------------------------------------------------------
CONSOLE = "status_reports_2025-01-29T17-00-00+00-00.csv"


@pytest.mark.parametrize("name", [CONSOLE, CONSOLE.replace(".csv", " (1).csv"), CONSOLE.replace("+00", "-00")])
def test_the_name_that_the_console_gives_is_the_generated_time_taken_and_stated(tmp_path: Path, name: str) -> None:
    case = Path(__file__).parents[1] / "data" / "cases" / "forms" / CONSOLE
    audit = keyaudit.audit(write(tmp_path, name, case.read_bytes()), "cis")
    assert audit.as_of.isoformat() == "2025-01-29T17:00:00+00:00" and audit.as_of_source == "generated_time"
    assert audit.conclusion == "INSUFFICIENT_DATA" and audit.assurance == "dated"
    assert "is taken from its name" in said(audit) and "it is stale" in said(audit)


def test_an_offset_in_the_name_is_kept() -> None:
    found = sources.time_in_name("status_reports_2025-01-29T17-00-00-05-30.csv")
    assert found == datetime(2025, 1, 29, 22, 30, tzinfo=UTC)
    for name in ("status_reports_2025-01-29.csv", "status_reports_2025-13-29T17-00-00+00-00.csv", "report.csv"):
        assert sources.time_in_name(name) is None


@pytest.mark.parametrize(
    ("name", "warns"),
    [
        ("999988887777.csv", True),
        (f"{ACCOUNT}.csv", False),
        (f"from-999988887777-to-{ACCOUNT}.csv", False),
        ("202611230800.csv", False),
        ("1234567890123.csv", False),
    ],
)
def test_a_name_with_another_account_s_id_is_warned_of(judge, name: str, warns: bool) -> None:
    audit = judge(report(("alice", FRESH)), name=name)
    assert ("its name gives account 999988887777" in said(audit)) == warns


def test_a_root_row_is_needed_unless_the_account_itself_tells(judge) -> None:
    audit = judge(csv_of([row("alice", FRESH)]))
    assert audit.conclusions["root-key"] == "INSUFFICIENT_DATA" and "looks incomplete" in said(audit)
    assert judge(csv_of([row(ROOT), row("alice", FRESH)])).conclusions["root-key"] == "COMPLIANT"


@pytest.mark.parametrize(
    "name",
    [
        "status_reports_{}.csv",
        "status_reports_{} (1).csv",
        "status_reports_{} - Copy.csv",
        "status_reports_{} - Copy (2).csv",
        "STATUS_REPORTS_{}.CSV",
    ],
)
@pytest.mark.parametrize("sign", ["-", "_", ":"])
def test_a_download_of_the_console_tells_its_time_whatever_became_of_its_name(
    tmp_path: Path, name: str, sign: str
) -> None:
    told = f"2026-11-10T10{sign}00{sign}00+00{sign}00"
    path = write(tmp_path, name.format(told), report(("alice", FRESH)))
    (one,) = keyaudit.audit(path, "cis", "2026-11-23T00:00:00Z").provenance
    assert one.generated_time == datetime(2026, 11, 10, 10, tzinfo=UTC)


def test_two_downloads_of_one_name_keep_their_time(tmp_path: Path) -> None:
    """Numbered by keyaudit to tell them apart, they were called of unknown age, and a month old report passed."""
    name = "status_reports_2026-11-10T10-00-00+00-00.csv"
    paths = [
        write(tmp_path / account, name, report(("alice", FRESH), account=account))
        for account in ("111122223333", "444455556666")
    ]
    audit = keyaudit.audit(list(map(str, paths)), "cis", "2026-11-23T00:00:00Z")
    assert {one.generated_time for one in audit.provenance} == {datetime(2026, 11, 10, 10, tzinfo=UTC)}
    assert audit.conclusion == "INSUFFICIENT_DATA" and audit.assurance == "dated"
    evidence = made("report", *paths, "--policy", "cis", "-o", tmp_path / "out", *BRIEF, code=3)
    assert verify(evidence)[0] == []


def test_no_policy_does_not_take_over_what_a_preset_has_concluded(tmp_path: Path) -> None:
    write(tmp_path, "r.json", cli_json(report(("alice", key_of(20))), GeneratedTime=ago(hours=1)))
    asked = ("report", tmp_path / "r.json", "--every", "week", "-o", tmp_path / "reports", *BRIEF)
    made(*asked, "--policy", "cis", code=0)
    made(*asked, code=3)


def test_an_undated_file_counts_once_whatever_it_is_given_with(tmp_path: Path) -> None:
    write(tmp_path / "in", "good.csv", report(("alice", f"true {ago(days=20)} {ago(days=3)}")))
    write(tmp_path, "other.json", cli_json(report(("bob", key_of(5)), account=OTHER), GeneratedTime=ago(hours=1)))
    first, reports = tmp_path / "in" / "good.csv", tmp_path / "reports"
    asked = ("--policy", "cis", "--every", "day", "-o", reports, *BRIEF)
    at = (datetime.now(UTC) - timedelta(days=1)).timestamp()
    done = forked(["report", *map(str, (first, *asked))], dict(os.environ), 60, at=at)
    assert done.returncode == 0, done.stderr
    made("report", first, *asked, code=3)
    made("report", first, tmp_path / "other.json", *asked, code=3)
    made("report", first, "--notebook", "rotation", *asked, code=3)
