"""``keyaudit sample``: from sealed evidence to a table, and from the filled table to an exit code."""

from __future__ import annotations

import csv
import io
import shlex
import shutil
from pathlib import Path

import pytest
from conftest import ACCOUNT, AS_OF, FRESH, OLD, OTHER, capture, report
from evidence_helpers import failing, keyaudit, refused, report_on

import keyaudit as ka
from keyaudit.evidence.sampled_keys import judged_by
from keyaudit.schema import NON_COMPLIANT, NOT_APPLICABLE


@pytest.fixture
def evidence(tmp_path, tmp_path_factory) -> Path:
    found = failing(tmp_path_factory)
    return Path(shutil.copytree(found, tmp_path / "reports" / found.name))


def fill(table: Path, *results: str) -> None:
    """The results of the first rows, and ok for all that follow."""
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    for place, row in enumerate(rows):
        row["result"] = results[place] if place < len(results) else "ok"
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    table.write_text(text.getvalue())


def test_a_sample_is_drawn_filled_in_and_evaluated_by_the_command_that_was_said(evidence, tmp_path):
    table = tmp_path / "my sample.csv"
    done = keyaudit("sample", evidence, "--seed", "it's ours", "--size", 2, "-o", table)
    assert (done.returncode, done.stderr) == (0, b"")
    *terms, command, path = done.stdout.decode().splitlines()
    assert path == str(table) and table.stat().st_mode & 0o077 == 0
    assert any(line.startswith("Seed: it's ours (as given)") for line in terms)
    program, *words = shlex.split(command.partition(": ")[2])
    assert program == "keyaudit"
    for results, code in ((("ok",), 0), (("deviation", "not tested"), 1), (("", "ok"), 3)):
        fill(table, *results)
        done = keyaudit(*words)
        assert (done.returncode, done.stderr) == (code, b""), done.stdout.decode()
    # what was filled in is never written over, and another sample is not this one
    filled = table.read_bytes()
    assert str(table) in refused(keyaudit("sample", evidence, "-o", table), 2)
    assert table.read_bytes() == filled
    others = [
        (("--size", 99), "is not the rank of finding"),
        (("--size", 1, "--seed", "it's ours"), "is not in this sample"),
    ]
    for options, told in others:
        assert told in refused(keyaudit("sample", evidence, *options, "--evaluate", table), 2)


def test_a_sample_without_deviations_of_what_is_not_complete_does_not_read_as_clean(tmp_path):
    # of two accounts one was not read
    source = capture(tmp_path / "capture", [ACCOUNT, OTHER], **{f"a{ACCOUNT}": report(("alice", FRESH))})
    done = keyaudit(*report_on(tmp_path / "reports", source))
    evidence, table = done.stdout.decode().strip(), tmp_path / "sample.csv"
    assert keyaudit("sample", evidence, "-o", table).returncode == 0
    fill(table)
    done = keyaudit("sample", evidence, "--evaluate", table)
    assert done.returncode == 3 and b"NOT SHOWN TO BE COMPLETE" in done.stdout
    fill(table, "deviation")
    assert keyaudit("sample", evidence, "--evaluate", table).returncode == 1


def test_nothing_is_drawn_from_evidence_that_does_not_verify_and_nothing_is_put_into_it(evidence, tmp_path):
    said = refused(keyaudit("sample", evidence, "-o", evidence / "sample.csv"), 2)
    assert "is inside of evidence" in said
    findings = evidence / "findings.csv"
    findings.write_bytes(findings.read_bytes().replace(b"NON_COMPLIANT", b"COMPLIANT"))
    said = refused(keyaudit("sample", evidence), 2)
    assert "does not verify (" in said and "keyaudit verify names all that is wrong" in said
    assert "no such" in refused(keyaudit("sample", tmp_path / "absent"), 2)


def test_a_workbook_needs_the_extra_and_says_so(evidence, tmp_path):
    table = tmp_path / "sample.xlsx"
    for library, option in (("xlsxwriter", "-o"), ("openpyxl", "--evaluate")):
        without = f"import sys\nsys.modules[{library!r}] = None\n"
        said = refused(keyaudit("sample", evidence, option, table, first=without), 2)
        assert f'{library}, which is not installed: pip install "keyaudit[xlsx]"' in said
        done = keyaudit("sample", evidence, option, table)
        assert done.returncode == (3 if option == "--evaluate" else 0), done.stderr.decode()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--confidence", "none"), "give percents below 100"),
        (("--tolerable", "100"), "give percents below 100"),
        (("--confidence", "40"), "at least 50"),
        (("--size", "5", "--tolerable", "5"), "one of --size and --tolerable"),
        (("-o", "sample.pdf"), "ends with .csv or .xlsx"),
        (("-o", "a.csv", "--evaluate", "b.csv"), "leave out -o"),
    ],
)  # fmt: skip
def test_mistakes_are_told_before_anything_is_read(options, told, tmp_path):
    assert told in refused(keyaudit("sample", tmp_path / "absent", *options), 2)


def test_the_population_is_what_the_control_judged_by_the_ids_of_findings_csv(tmp_path):
    users = [("alice", FRESH), ("bob", OLD, FRESH), ("gone", OLD.replace("true", "false"))]
    # of two accounts one was not read
    source = capture(tmp_path / "capture", [ACCOUNT, OTHER], **{f"a{ACCOUNT}": report(*users)})
    audit = ka.audit(source, "cis", AS_OF)
    found = judged_by(audit, "rotation", "name", "0" * 64)
    assert [(one.user, one.key, one.verdict) for one in found.items] == [
        ("bob", "access_key_1", NON_COMPLIANT),
        ("alice", "access_key_1", "COMPLIANT"),
        ("bob", "access_key_2", "COMPLIANT"),
    ]
    assert (dict(found.left_out), found.gaps) == ({NOT_APPLICABLE: 1}, 1)
    rows = audit.findings.set_index("finding_id")
    assert all(rows.loc[one.id, "user"] == one.user for one in found.items)
    # another control has findings of its own, here on users
    users_too = judged_by(audit, "active-keys", "name", "0" * 64)
    assert {one.key for one in users_too.items} == {""}
    assert not {one.id for one in users_too.items} & {one.id for one in found.items}
