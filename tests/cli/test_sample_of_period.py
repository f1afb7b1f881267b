"""``keyaudit sample`` of evidence of a period: the keys that may have been active in it."""

from __future__ import annotations

import csv
import io
import shlex
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import ACCOUNT, NO_KEY, report, write
from evidence_helpers import digest, keyaudit, made, refused, report_on
from runs_made import Reports
from years import at, key, snapshot, verdict

from keyaudit.evidence.sampled_keys import over_period
from keyaudit.model.operated import Operated, SubjectOperated
from keyaudit.model.sampled import MAYBE, NO_BREACH, PROVED
from keyaudit.schema import NOT_APPLICABLE

#: made on 1 June, of a limit of 90 days: in time in June, overdue from 30 August on
FRESH = "true 2026-06-01T00:00:00Z 2026-06-01T00:00:00Z"
LATE = "true 2026-01-01T00:00:00Z 2026-06-01T00:00:00Z"
OFF = "false 2026-06-01T00:00:00Z 2026-06-01T00:00:00Z"
POLICY = 'title = "Standard"\nmax_access_key_age = 90\ncontrols = ["rotation"]\n'
DAYS = ("2026-06-01", "2026-06-08", "2026-06-15")
ASKED = ("--notebook", "period", "--from", "2026-06-01", "--to", "2026-06-21")


@pytest.fixture(scope="module")
def weekly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reports folder of three weeks: a key in breach, two in time, one that is switched off."""
    folder = tmp_path_factory.mktemp("weekly")
    users = (("alice", FRESH), ("bob", LATE), ("carol", FRESH), ("dave", OFF), ("erin", NO_KEY))
    write(folder, "report.csv", report(*users))
    write(folder, "policy.toml", POLICY.encode())
    asked = report_on(folder / "made", folder / "report.csv", policy=folder / "policy.toml")
    runs = Reports(folder / "weekly", made(*asked, code=1))
    for day in DAYS:
        schedule = {"every": "week", "period": "-", "asked": digest(b"week")}
        runs.run(day, name=f"{day}T060000Z-brief-{ACCOUNT}", schedule=schedule)
    return runs.folder


def of_period(weekly: Path, into: Path, *options: str) -> Path:
    done = keyaudit("report", weekly, *ASKED, "-o", into, *options)
    assert done.returncode == 1, done.stderr.decode()
    return Path(done.stdout.decode().splitlines()[-1])


@pytest.fixture(scope="module")
def evidence(weekly: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return of_period(weekly, tmp_path_factory.mktemp("whole"))


def rows(table: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))


def test_all_keys_that_may_have_been_active_are_drawn_from_and_the_filled_table_is_evaluated(
    evidence: Path, tmp_path: Path
) -> None:
    table = tmp_path / "sample.csv"
    done = keyaudit("sample", evidence, "--size", 3, "--seed", "audit", "-o", table)
    assert (done.returncode, done.stderr) == (0, b"")
    said = done.stdout.decode()
    assert "Population: 3 keys that may have been active in the period" in said
    assert "1 that is NOT_APPLICABLE is not in it" in said and "NOT SHOWN TO BE COMPLETE" not in said
    drawn = rows(table)
    assert {row["user"]: row["verdict"] for row in drawn} == {"alice": NO_BREACH, "bob": PROVED, "carol": NO_BREACH}
    assert {row["account"] for row in drawn} == {ACCOUNT}
    assert {row["created"] for row in drawn} == {"2026-06-01T00:00:00Z", "2026-01-01T00:00:00Z"}
    assert [row["rank_hex"] for row in drawn] == sorted(
        digest(f"audit,{row['finding_id']}".encode()) for row in drawn
    )
    _, *words = shlex.split(next(line for line in said.splitlines() if "--evaluate" in line).partition(": ")[2])
    filled = [{**row, "result": "ok"} for row in drawn]
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, drawn[0])
        writer.writeheader()
        writer.writerows(filled)
    done = keyaudit(*words)
    assert (done.returncode, done.stderr) == (0, b""), done.stdout.decode()


def test_it_is_a_workbook_too(evidence: Path, tmp_path: Path) -> None:
    asked = (evidence, "--size", 3, "--seed", "audit")
    assert keyaudit("sample", *asked, "-o", tmp_path / "sample.xlsx").returncode == 0
    done = keyaudit("sample", *asked, "--evaluate", tmp_path / "sample.xlsx")
    assert done.returncode == 3 and b"3 of 3 rows were not tested" in done.stdout


def test_nothing_is_drawn_from_evidence_of_a_period_that_does_not_verify(evidence: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(evidence, tmp_path / evidence.name))
    keys = copied / "keys.csv"
    keys.write_bytes(keys.read_bytes().replace(b"alice", b"aline"))
    assert "does not verify (" in refused(keyaudit("sample", copied), 2)
    assert "rotation is judged" in refused(keyaudit("sample", evidence, "--control", "unused"), 2)


def test_evidence_by_reference_is_drawn_from_with_the_reports_folder_and_gives_the_same_keys(
    weekly: Path, evidence: Path, tmp_path: Path
) -> None:
    referring = of_period(weekly, tmp_path, "--by-reference")
    said = refused(keyaudit("sample", referring), 2)
    assert "--series" in said
    tables = [tmp_path / "whole.csv", tmp_path / "referring.csv"]
    options = ("--size", 3, "--seed", "audit", "-o")
    assert keyaudit("sample", evidence, *options, tables[0]).returncode == 0
    done = keyaudit("sample", referring, "--series", weekly, *options, tables[1])
    assert (done.returncode, done.stderr) == (0, b"")
    assert f"--series {weekly}" in done.stdout.decode()
    assert tables[0].read_bytes() == tables[1].read_bytes()
    some = next(one for one in weekly.iterdir() if one.name.startswith(DAYS[0]))
    assert "--series: " in refused(keyaudit("sample", some, "--series", weekly), 2)


# --- the population, of verdicts --------------------------------------------------------------------------------
def population(*verdicts, faults: tuple[str, ...] = ()):
    found = Operated(tuple(SubjectOperated(one, (), False, ()) for one in verdicts), (), faults)
    return over_period(found, "evidence", "0" * 64, at("12-31"))


SEEN = [
    snapshot("06-01", key("old", "01-01"), key("new", "05-01"), key("off", "05-01", False)),
    snapshot("06-30", key("old", "01-01"), key("new", "05-01"), key("off", "05-01", False)),
    # of one that is gone, nothing shows that it was still active after its deadline
    snapshot("08-30", key("old", "01-01")),
]


def test_each_key_has_what_became_of_it_and_those_that_were_never_active_are_counted() -> None:
    found = population(verdict(SEEN, "06-01", "08-30"))
    assert {one.user: one.verdict for one in found.items} == {"old": PROVED, "new": MAYBE}
    assert found.left_out == {NOT_APPLICABLE: 1} and found.is_of_period
    assert Counter(len(one.id) for one in found.items) == {16: 2}


def test_ids_are_of_the_key_alone_so_that_more_evidence_does_not_change_them() -> None:
    def ids(found) -> dict[str, str]:
        return {one.user: one.id for one in found.items}

    whole = ids(population(verdict(SEEN, "06-01", "08-30")))
    fewer = ids(population(verdict(SEEN[:2], "06-01", "06-30")))
    assert fewer == whole
    other = replace(verdict(SEEN, "06-01", "08-30"), subject="o-example")
    both = population(verdict(SEEN, "06-01", "08-30"), other)
    assert len({one.id for one in both.items}) == 4


def test_two_keys_that_nothing_tells_apart_have_ids_of_their_own() -> None:
    seen = [snapshot(day, key("twin", None), key("twin", None)) for day in ("06-01", "06-08")]
    found = population(verdict(seen, "06-01", "06-14"))
    assert len(found.items) == len({one.id for one in found.items}) > 1
    assert found.items == population(verdict(seen, "06-01", "06-14")).items


def test_subjects_of_which_something_was_not_seen_are_counted_and_breaches_are_no_gap() -> None:
    whole, lacking = verdict(SEEN[:2], "06-01", "06-30"), verdict([], "06-01", "06-30", due=[])
    assert population(whole).gaps == 0
    assert population(whole, lacking).gaps == 1
    assert population(whole, lacking, faults=("a folder",)).gaps == 2
