"""Sealed evidence of a period: what is in it, that it is reached again from its copies, and that nobody can change
it unseen (DESIGN.md, "Evidence folder")."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import ACCOUNT, report, write
from evidence_helpers import digest, files, keyaudit, made, manifest, once, refused, seal_again, verified
from runs_of_weeks import JUNE, KEY, WEEKLY, Runs, terms, weeks_of_june

from keyaudit.evidence import copies
from keyaudit.evidence.contents import EXPECTED_OF_PERIOD, MANIFEST, SUMS
from keyaudit.evidence.ledger import entries
from keyaudit.evidence.over_time import over_period
from keyaudit.evidence.reports import of_reports
from keyaudit.evidence.verify import ElsewhereError, verify
from keyaudit.present.over_period import period_line
from keyaudit.schema import COMPLIANT, InputError

DAYS = ("--from", "2026-06-01", "--to", "2026-06-28")
PERIOD = ("--notebook", "period", *DAYS)
FOLDERS = [f"{day}T060000Z-brief-{ACCOUNT}" for day in JUNE]


@pytest.fixture(scope="module")
def june(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return weeks_of_june(tmp_path_factory)


def make(*options: object) -> Callable[[Path], None]:
    def into(folder: Path) -> None:
        # in a folder beside it, because the overview of a reports folder is made again
        made("report", *options, "-o", folder / "made", code=0).rename(folder / "evidence")
        shutil.rmtree(folder / "made")

    return into


@pytest.fixture(scope="module")
def whole(june: Runs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evidence of June, with all that it was concluded from; it is renamed. Never write in it."""
    return once(tmp_path_factory, "of-june", make(june.folder, *PERIOD)) / "evidence"


@pytest.fixture
def evidence(whole: Path, tmp_path: Path) -> Path:
    """The same, to be tampered with; under the name under which it was sealed."""
    return shutil.copytree(whole, tmp_path / manifest(whole)["name"])


@pytest.fixture(scope="module")
def referring(june: Runs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return once(tmp_path_factory, "by-reference", make(june.folder, *PERIOD, "--by-reference")) / "evidence"


def faults(folder: Path, series: Path | None = None) -> list[str]:
    return verify(folder, series=series)[0]


# --- what is in it --------------------------------------------------------------------------------------------------
def test_it_holds_what_it_was_concluded_from_byte_for_byte(whole: Path, june: Runs) -> None:
    told = files(whole)
    for name in FOLDERS:
        own = {f"raw/{name}/{path}": content for path, content in files(june.folder / name).items()}
        kept = {path: content for path, content in own.items() if path in told}
        assert {path: told[path] for path in kept} == kept
        raw = {path for path in own if path.startswith(f"raw/{name}/raw/")}
        assert set(kept) == raw | {f"raw/{name}/{one}" for one in (MANIFEST, SUMS, "policy.toml")}
    assert {name for name in told if not name.startswith("raw/")} == {
        *(name for name in EXPECTED_OF_PERIOD if not name.startswith("raw/")),
        MANIFEST,
        SUMS,
    }


def test_its_data_are_what_the_command_says(whole: Path, june: Runs) -> None:
    for name, form in (("summary.json", "json"), ("keys.csv", "csv")):
        assert (whole / name).read_bytes() == keyaudit("period", june.folder, *DAYS, "-f", form).stdout


def test_its_manifest_states_the_period(whole: Path) -> None:
    facts = manifest(whole)
    assert facts["period"] == {"from": "2026-06-01", "to": "2026-06-28"}
    assert (facts["conclusion"], facts["as_of_source"], facts["overdue"], facts["incomplete"]) == (
        COMPLIANT, "period", 0, 0,
    )  # fmt: skip
    assert facts["accounts"] == {"expected": [ACCOUNT], "read": [ACCOUNT], "failed": []}
    assert facts["parameters"] == {
        "source": "raw", "first": "2026-06-01", "last": "2026-06-28", "every": "", "policy": "", "anchors": "",
    }  # fmt: skip
    assert facts["policy"]["sha256"] == digest(terms()) and facts["organization"] is None


def test_it_verifies_and_its_page_and_its_run_are_the_same_again(evidence: Path) -> None:
    assert verify(evidence) == ([], [])
    code, told = verified(evidence)
    assert code == 0 and "OK" in told
    done = keyaudit("verify", evidence, "--page", "--run")
    assert done.returncode == 0 and done.stdout.count(b"the same page, byte for byte") == 2


def test_a_folder_of_its_own_makes_the_same_answer_in_a_workbook(whole: Path, june: Runs) -> None:
    of_copies = over_period(str(whole / "raw"), "2026-06-01", "2026-06-28")
    of_reports_folder = over_period(str(june.folder), "2026-06-01", "2026-06-28")
    assert period_line(of_copies).metadata == period_line(of_reports_folder).metadata
    assert of_copies == of_reports_folder


def test_it_is_no_evidence_of_a_moment(whole: Path, june: Runs, tmp_path: Path) -> None:
    reports = shutil.copytree(june.folder, tmp_path / "reports")
    shutil.copytree(whole, reports / manifest(whole)["name"])
    assert [one.path.name for one in entries(reports)[0]] == FOLDERS
    assert (
        over_period(str(reports), "2026-06-01", "2026-06-28").subjects
        == over_period(str(june.folder), "2026-06-01", "2026-06-28").subjects
    )
    folder = reports / manifest(whole)["name"]
    assert "is evidence of a period" in refused(keyaudit("export", folder, "-f", "xlsx"), 2)
    write(tmp_path, "report.csv", report(("alice", KEY)))
    before = ("report", tmp_path / "report.csv", "--policy", "cis", "--before", folder)
    assert "evidence of a period" in refused(keyaudit(*before, "-o", tmp_path / "out"), 2)


# --- who changes it -------------------------------------------------------------------------------------------------
def told_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "raw" / "period.json").read_bytes())


def tell(folder: Path, told: dict[str, Any]) -> None:
    (folder / "raw" / "period.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def change_raw(folder: Path) -> None:
    (report,) = (folder / "raw" / FOLDERS[0] / "raw").glob("*/credential-report.csv")
    report.write_bytes(report.read_bytes().replace(b"2026-06-01T00:00:00Z", b"2026-06-01T00:00:01Z"))


def change_raw_and_seal(folder: Path) -> None:
    change_raw(folder)
    place = folder / "raw" / FOLDERS[0]
    own = manifest(place)
    for one in own["files"]:
        if one["path"].endswith("credential-report.csv"):
            content = (place / one["path"]).read_bytes()
            one |= {"bytes": len(content), "sha256": digest(content)}
    seal_again(place, files=own["files"])
    told = told_of(folder)
    told["folders"][0]["sha256"] = digest((place / SUMS).read_bytes())
    tell(folder, told)


def take_a_week(folder: Path) -> None:
    shutil.rmtree(folder / "raw" / FOLDERS[1])
    told = told_of(folder)
    del told["folders"][1]
    tell(folder, told)


def take_a_week_quietly(folder: Path) -> None:
    shutil.rmtree(folder / "raw" / FOLDERS[1])


def blame_a_week(folder: Path) -> None:
    told = told_of(folder)
    told["folders"][1]["faults"] = ["report.html: changed"]
    tell(folder, told)


def add_to_raw(folder: Path) -> None:
    (folder / "raw" / FOLDERS[0] / "raw" / "more.csv").write_text("more", encoding="utf-8")


def add_beside_raw(folder: Path) -> None:
    write(folder / "raw" / "other", "file", "x")


def say_another_number(folder: Path) -> None:
    content = (folder / "summary.json").read_text(encoding="utf-8")
    (folder / "summary.json").write_text(content.replace('"keys": 1,', '"keys": 2,'), encoding="utf-8")


def loosen_the_policy(folder: Path) -> None:
    (folder / "policy.toml").write_bytes(terms(3650))


def change_the_page(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    (folder / "report.html").write_text(page.replace("operated throughout", "operated always"), encoding="utf-8")


def change_the_notebook(folder: Path) -> None:
    page = (folder / "report.ipynb").read_text(encoding="utf-8")
    (folder / "report.ipynb").write_text(page.replace("operated throughout", "operated always"), encoding="utf-8")


def ask_earlier(folder: Path) -> None:
    tell(folder, told_of(folder) | {"now": "2026-06-15T00:00:00Z"})


def add_anchors(folder: Path) -> None:
    own = {"anchors": [["2026-06-01", "0" * 64]], "anchors_name": "anchors.txt"}
    tell(folder, told_of(folder) | own)


def blame_and_date_back(folder: Path) -> None:
    """A manifest that is not that of its seal is of no week."""
    blame_a_week(folder)
    place = folder / "raw" / FOLDERS[1] / "manifest.json"
    place.write_bytes(place.read_bytes().replace(b'"started_at": "2026', b'"started_at": "2024'))


def name_a_week_twice(folder: Path) -> None:
    told = told_of(folder)
    tell(folder, told | {"folders": [*told["folders"], told["folders"][0]]})


def refer_to_what_is_there(folder: Path) -> None:
    tell(folder, told_of(folder) | {"by_reference": True})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (blame_and_date_back, "is not the evidence that period.json names"),
        (name_a_week_twice, "is not the evidence that period.json names"),
        (change_raw, "changed"),
        (change_raw_and_seal, ""),
        (take_a_week, ""),
        (take_a_week_quietly, ""),
        (blame_a_week, ""),
        (add_to_raw, ""),
        (add_beside_raw, "raw/other/file"),
        (say_another_number, "summary.json: is not what raw/ gives"),
        (loosen_the_policy, "policy.toml: is not the policy of the evidence"),
        (change_the_page, "report.html"),
        (change_the_notebook, "report.ipynb"),
        (ask_earlier, "was made after the moment of the question"),
        (add_anchors, ""),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_change_is_found_whoever_seals_it_again(
    evidence: Path, change: Callable[[Path], None], said: str
) -> None:
    change(evidence)
    assert any("SHA-256" in one or "missing" in one or "not in the manifest" in one for one in faults(evidence))
    seal_again(evidence)
    found = faults(evidence)
    assert found and any(said in one for one in found), found


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"conclusion": "NON_COMPLIANT"}, "conclusion is not what the evidence gives"),
        ({"period": {"from": "2026-06-08", "to": "2026-06-28"}}, "period is not what the evidence gives"),
        ({"period": {"from": "2026-06-01"}}, "period"),
        ({"accounts": {"expected": [], "read": [], "failed": []}}, "accounts is not what the evidence gives"),
        ({"overdue": 1}, "overdue"),
        ({"assurance": "compared"}, "assurance"),
        ({"organization": "o-abcdefghij"}, "organization"),
        ({"remark": "all is well"}, "remark"),
        (
            {"tool": {"keyaudit": "0.3.0", "python": "3.11.7", "system": "Linux"}, "rules": 2},
            "0.3.0 made no evidence",
        ),
        ({"rules": 2}, "by these rules"),
    ],
)
def test_a_manifest_that_says_more_is_found(evidence: Path, facts: dict[str, Any], said: str) -> None:
    seal_again(evidence, **facts)
    assert any(said in one for one in faults(evidence))


@pytest.mark.parametrize("name", ["source", "policy", "anchors"])
def test_a_notebook_that_reads_elsewhere_is_refused(evidence: Path, name: str) -> None:
    seal_again(evidence, parameters={**manifest(evidence)["parameters"], name: "../elsewhere"})
    assert any("elsewhere" in one or name in one for one in faults(evidence))


def test_what_is_stated_beside_the_copies_is_read_strictly(evidence: Path) -> None:
    good = told_of(evidence)
    for bad in (
        {"folders": [{"name": "../../x", "sha256": "", "faults": []}]},
        {"folders": 3},
        {"now": "soon"},
        {"by_reference": "no"},
        {"anchors": [["yesterday", "0"]]},
        {"failed": [{}]},
        {"unreadable": []},
        {"remark": "the auditor has seen all of it"},
        {"folders": [one | {"remark": "fine"} for one in good["folders"]]},
        {"folders": good["folders"][::-1]},
        {"policy": "stricter.toml"},
        {"anchors_name": "bucket.csv"},
    ):
        tell(evidence, good | bad)
        seal_again(evidence)
        assert faults(evidence), bad
    (evidence / "raw" / "period.json").write_text("[]", encoding="utf-8")
    seal_again(evidence)
    assert faults(evidence)


# --- what was wrong with folders when it was made ---------------------------------------------------------------------
def test_a_folder_with_a_fault_is_stated_and_its_raw_evidence_left_out(june: Runs, tmp_path: Path) -> None:
    reports = shutil.copytree(june.folder, tmp_path / "reports")
    (reports / FOLDERS[2] / "findings.csv").write_text("changed", encoding="utf-8")
    folder = made("report", reports, *PERIOD, "-o", tmp_path / "out", code=3)
    assert faults(folder) == []
    (bad,) = [one for one in told_of(folder)["folders"] if one["faults"]]
    assert bad["name"] == FOLDERS[2] and "findings.csv" in bad["faults"][0]
    assert not (folder / "raw" / FOLDERS[2] / "raw").exists()
    # to say that nothing was wrong with it would take its raw evidence
    tell(folder, told_of(folder) | {"folders": [one | {"faults": []} for one in told_of(folder)["folders"]]})
    seal_again(folder)
    assert faults(folder)


def test_raw_evidence_is_not_in_a_folder_that_refers_to_it(evidence: Path, june: Runs) -> None:
    """It would be read there, and another verified."""
    refer_to_what_is_there(evidence)
    seal_again(evidence)
    assert any("/raw/" in one for one in faults(evidence, june.folder))


def test_another_file_in_the_place_of_a_policy_is_not_copied(june: Runs, tmp_path: Path) -> None:
    reports = shutil.copytree(june.folder, tmp_path / "reports")
    write(reports / FOLDERS[1], "policy.toml", "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n")
    folder = made("report", reports, *PERIOD, "-o", tmp_path / "out", code=3)
    assert faults(folder) == [] and not any(b"wJalr" in content for content in files(folder).values())


def test_a_question_of_another_time_than_that_of_its_making_is_found(evidence: Path) -> None:
    seal_again(evidence, started_at="2026-12-24T00:00:00Z", sealed_at="2026-12-24T00:00:01Z")
    assert any("not of the time in which it was made" in one for one in faults(evidence))


# --- by reference -----------------------------------------------------------------------------------------------------
def test_evidence_by_reference_is_reached_again_from_the_reports_folder(referring: Path, june: Runs) -> None:
    assert not any("/raw/" in name.removeprefix("raw/") for name in files(referring))
    with pytest.raises(ElsewhereError, match="--series"):
        verify(referring)
    assert "name the reports folder that has it with --series" in refused(keyaudit("verify", referring), 2)
    assert faults(referring, june.folder) == []
    done = keyaudit("verify", referring, "--series", june.folder, "--page", "--run")
    assert done.returncode == 0 and b"was not run again, because the evidence" in done.stdout


def test_a_reports_folder_that_lacks_or_changes_what_is_referred_to_is_found(
    referring: Path, june: Runs, tmp_path: Path
) -> None:
    reports = shutil.copytree(june.folder, tmp_path / "reports")
    shutil.rmtree(reports / FOLDERS[3])
    assert faults(referring, reports)
    shutil.copytree(june.folder / FOLDERS[3], reports / FOLDERS[3])
    assert faults(referring, reports) == []
    (report,) = (reports / FOLDERS[3] / "raw").glob("*/credential-report.csv")
    report.write_bytes(report.read_bytes() + b"\n")
    assert faults(referring, reports)


def test_a_reports_folder_that_has_nothing_of_it_is_a_mistake_in_the_command(
    referring: Path, tmp_path: Path
) -> None:
    """And not evidence that is wrong."""
    for series in (tmp_path / "none", tmp_path, write(tmp_path, "a-file", "x")):
        for command in ("verify", "sample"):
            told = refused(keyaudit(command, referring, "--series", series), 2)
            assert f"--series {series}: has none of the evidence" in told and "does not verify" not in told


def test_too_much_evidence_is_referred_to(june: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    found = of_reports(june.folder)
    copies.refuse_large(found)
    monkeypatch.setattr(copies, "MOST_BYTES", 1000)
    with pytest.raises(InputError, match="give --by-reference"):
        copies.refuse_large(found)


# --- the command ------------------------------------------------------------------------------------------------------
def test_a_policy_that_is_given_judges_it_all_and_is_in_the_evidence(june: Runs, tmp_path: Path) -> None:
    write(tmp_path, "ten.toml", terms(10))
    write(
        tmp_path, "anchors.csv", anchors := f"2026-06-02,{digest((june.folder / FOLDERS[0] / SUMS).read_bytes())}\n"
    )
    asked = ("--policy", tmp_path / "ten.toml", "--anchors", tmp_path / "anchors.csv")
    folder = made("report", june.folder, *PERIOD, *asked, "-o", tmp_path / "out", code=1)
    assert faults(folder) == []
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "as if by ten.toml" in page and "1 of 4 evidence folders were anchored within 2 days" in page
    assert (folder / "policy.toml").read_bytes() == terms(10) and anchors.strip()[11:] in str(told_of(folder))
    done = keyaudit("period", june.folder, *DAYS, *asked)
    assert "1 of 4 evidence folders were anchored within 2 days" in done.stdout.decode()


def test_mistakes_in_a_command(june: Runs, tmp_path: Path) -> None:
    write(tmp_path, "bad.txt", "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n")
    (tmp_path / "none").mkdir()
    for options, said in (
        ((june.folder, june.folder, *PERIOD), "give one reports folder"),
        ((june.folder, *PERIOD, "--as-of", "2026-06-01T00:00:00Z"), "--as-of: is not for evidence of a period"),
        ((june.folder, *PERIOD, "--per-account"), "--per-account: is not for"),
        ((june.folder, *PERIOD, "--profile", "x"), "--profile: is not for"),
        ((june.folder / FOLDERS[0], *PERIOD), "is evidence itself"),
        ((tmp_path / "none", *PERIOD), "has no evidence of runs that judged their own moment"),
        ((june.folder, "--from", "2026-06-01"), "key_rotation has no parameter first"),
        ((june.folder, *PERIOD, "--every", "week"), "has a schedule of its own"),
        ((june.folder, "--notebook", "period", "--to", "soon"), "is no day"),
        ((june.folder, *PERIOD, "--anchors", tmp_path / "bad.txt"), "bad.txt"),
    ):
        told = refused(keyaudit("report", *options, "-o", tmp_path / "out"), 2)
        assert said in told and "wJalr" not in told
    assert not (tmp_path / "out").exists()


def test_half_a_year_of_weeks(june: Runs, tmp_path: Path) -> None:
    """Of one key that is never rotated: in time, then in breach from its deadline to the last snapshot."""
    runs = Runs(tmp_path / "reports", june.evidence)
    runs.has_pages = False
    for week in range(26):
        runs.at(f"{date(2026, 6, 1) + timedelta(weeks=week)}", **WEEKLY)
    found = over_period(str(runs.folder), "2026-06-01", "2026-11-01")
    (one,) = found.subjects
    assert [each.state for each in one.verdict.coverage.periods] == ["present"] * 22
    (key,) = one.verdict.keys
    assert key.is_open and [f"{moment:%Y-%m-%d}" for moment in key.proved[0]] == ["2026-08-30", "2026-11-02"]
