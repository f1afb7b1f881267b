"""``keyaudit export`` and ``report --also``: evidence is verified first, and what is made of it lies beside it and
decides nothing."""

from __future__ import annotations

import csv
import io
import shutil
import stat
from pathlib import Path

import openpyxl
import pytest
from conftest import AS_OF
from evidence_helpers import (
    BRIEF,
    CLEAN,
    FAILING,
    POLICY,
    digest,
    failing,
    files,
    keyaudit,
    leftovers,
    manifest,
    once,
    refused,
    report_on,
    verified,
    write,
)

#: what a process executes first so that it has no xlsxwriter
WITHOUT = "import sys\nsys.modules['xlsxwriter'] = None\n"


@pytest.fixture
def evidence(tmp_path, tmp_path_factory) -> Path:
    """A folder of evidence in a reports folder of its own."""
    found = failing(tmp_path_factory)
    return Path(shutil.copytree(found, tmp_path / "reports" / found.name))


def make_twice(folder: Path) -> None:
    """A reports folder in which two runs made evidence, and what they exported."""
    write(folder, "policy.toml", POLICY)
    for name, text in (("a.csv", FAILING), ("b.csv", CLEAN)):
        write(folder / "both", name, text)
    options = ["--also", "xlsx,owners,pdf"]
    first = report_on(folder / "reports", folder / "both" / "a.csv", policy=folder / "policy.toml", options=options)
    each = report_on(
        folder / "reports",
        folder / "both",
        policy=folder / "policy.toml",
        options=[*BRIEF, "--per-account", "--jobs", "1", "--also", "owners, xlsx"],
    )
    for name, arguments in (("first", first), ("each", each)):
        done = keyaudit(*arguments)
        assert done.returncode == 1, done.stderr.decode()
        write(folder, f"{name}.out", done.stdout)
        write(folder, f"{name}.err", done.stderr)


@pytest.fixture(scope="module")
def twice(tmp_path_factory) -> Path:
    return once(tmp_path_factory, "exported", make_twice)


def test_it_prints_what_it_made_beside_the_evidence_private_and_the_same_again(evidence):
    before = files(evidence)
    done = keyaudit("export", evidence, "-f", "xlsx,owners")
    book, lists = (evidence.with_name(f"{evidence.name}{ending}") for ending in (".xlsx", "-owners"))
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().splitlines() == [str(book), str(lists)]
    made = [book, lists, *lists.iterdir()]
    assert {one.name for one in lists.iterdir()} == {"unowned.csv", "unowned.eml"}
    assert {stat.S_IMODE(one.stat().st_mode) for one in made if one.is_file()} == {0o600}
    assert stat.S_IMODE(lists.stat().st_mode) == 0o700
    contents = {one: one.read_bytes() for one in made if one.is_file()}
    again = keyaudit("export", evidence, "-f", "owners,xlsx")
    assert (again.returncode, len(again.stdout.splitlines())) == (0, 2)
    assert {one: one.read_bytes() for one in contents} == contents
    assert files(evidence) == before and leftovers(evidence.parent) == []
    elsewhere = keyaudit("export", ".", "-f", "xlsx", "-o", "../../out/new", cwd=evidence)
    assert elsewhere.stdout.decode() == f"../../out/new/{book.name}\n", elsewhere.stderr.decode()
    assert (evidence.parents[1] / "out" / "new" / book.name).read_bytes() == contents[book]


def test_the_workbook_says_what_the_evidence_says(evidence):
    assert keyaudit("export", evidence, "-f", "xlsx").returncode == 0
    book = openpyxl.load_workbook(evidence.with_name(f"{evidence.name}.xlsx"))
    told = dict(book["Summary"].iter_rows(values_only=True))
    assert told["Conclusion"] == manifest(evidence)["conclusion"]
    assert told["Evidence folder"] == evidence.name
    listed = {cells[1]: cells[3] for cells in book["Sources"].iter_rows(values_only=True, min_row=2) if cells[3]}
    assert listed == {one["path"]: one["sha256"] for one in manifest(evidence)["files"]}


def test_evidence_that_does_not_verify_gives_no_file(evidence):
    with (evidence / "findings.csv").open("ab") as file:
        file.write(b"one more\n")
    done = keyaudit("export", evidence, "-f", "xlsx,owners")
    assert (done.returncode, done.stdout) == (1, b"")
    lines = done.stderr.decode().splitlines()
    assert lines[0] == f"WRONG  {evidence}" and "findings.csv: changed" in lines[1]
    assert [one.name for one in evidence.parent.iterdir()] == [evidence.name]


@pytest.mark.parametrize("form", ["xlsx", "owners"])
def test_nothing_is_written_over_something_else(evidence, form):
    ending = {"xlsx": ".xlsx", "owners": "-owners"}[form]
    path = evidence.with_name(f"{evidence.name}{ending}")
    write(*((path.parent, path.name) if form == "xlsx" else (path, "notes.txt")), "mine")
    said = refused(keyaudit("export", evidence, "-f", form), 2)
    assert f"{path}: holds something else" in said and "remove it, or name another folder with -o" in said
    assert leftovers(evidence.parent) == []
    assert (path if form == "xlsx" else path / "notes.txt").read_text() == "mine"


def test_a_link_in_its_place_is_not_followed(evidence, tmp_path):
    target = write(tmp_path, "elsewhere.xlsx", "mine")
    evidence.with_name(f"{evidence.name}.xlsx").symlink_to(target)
    assert "holds something else" in refused(keyaudit("export", evidence, "-f", "xlsx"), 2)
    assert target.read_text() == "mine"


@pytest.mark.parametrize("inside", [".", "raw", "raw/new"])
def test_nothing_is_put_inside_of_evidence(evidence, inside):
    said = refused(keyaudit("export", evidence, "-f", "owners", "-o", evidence / inside), 2)
    assert "inside of evidence" in said
    assert verified(evidence)[0] == 0


def test_what_is_wrong_with_the_command_is_one_line(evidence, tmp_path):
    assert "no such evidence folder" in refused(keyaudit("export", tmp_path / "none", "-f", "xlsx"), 2)
    assert "'docx': no such format; there are xlsx, owners, pdf" in refused(
        keyaudit("export", evidence, "-f", "docx"), 2
    )
    done = keyaudit("export", evidence, "-f", "owners,xlsx", first=WITHOUT)
    assert 'pip install "keyaudit[xlsx]"' in refused(done, 2)
    assert keyaudit("export", evidence, "-f", "owners", first=WITHOUT).returncode == 0
    file = write(tmp_path, "file", "")
    assert "cannot write" in refused(keyaudit("export", evidence, "-f", "owners", "-o", file / "in"), 4)


def test_a_report_also_exports_each_of_its_folders(twice):
    lines = (twice / "each.out").read_text().splitlines()
    folders = [Path(one) for one in lines if not one.endswith((".xlsx", "-owners"))]
    assert len(folders) == 3
    failing_ones = [one for one in folders if manifest(one)["overdue"]]
    assert {*lines} == {
        *map(str, folders),
        *(f"{one}.xlsx" for one in folders),
        *(f"{one}-owners" for one in failing_ones),
    }
    assert (twice / "each.err").read_text().count("no key that was seen needs an action") == 1
    (unowned,) = {one.read_bytes() for one in (twice / "reports").glob("*1111*-owners/unowned.csv")}
    tasks = list(csv.DictReader(io.StringIO(unowned.decode("utf-8-sig"))))
    assert tasks and {one["account_id"] for one in tasks} == {"111122223333"}


def test_what_a_report_also_exports_as_pdf_verifies(twice):
    folder, *_, document = (twice / "first.out").read_text().splitlines()
    assert document == f"{folder}.pdf"
    done = keyaudit("verify", document, folder)
    assert done.returncode == 0 and done.stdout.decode().startswith(f"OK  {document}\n  ONLY THE SEAL")


def test_what_lies_beside_evidence_is_not_evidence(twice, tmp_path):
    reports = Path(shutil.copytree(twice / "reports", tmp_path / "reports"))
    code, said = verified(reports)
    assert code == 0 and said.count("OK  ") == 4 and "-owners" not in said and ".xlsx" not in said
    assert verified(*sorted(one for one in reports.iterdir() if one.is_dir() and "owners" not in one.name))[0] == 0
    page = (reports / "index.html").read_text()
    assert ".xlsx" not in page and "-owners" not in page
    seen = keyaudit("series", reports, "--every", "3650d", "-f", "json")
    assert seen.returncode == 1 and b"-owners" not in seen.stdout and b".xlsx" not in seen.stdout
    # the chain goes from evidence to evidence, and past what lies between
    (again,) = (one for one in reports.iterdir() if one.name.endswith("111122223333-2"))
    first = reports / again.name.removesuffix("-2")
    assert manifest(again)["previous"] == digest((first / "SHA256SUMS").read_bytes())


def test_a_failed_export_changes_neither_the_verdict_nor_the_evidence(tmp_path):
    write(tmp_path, "report.csv", CLEAN)
    arguments = report_on(tmp_path / "reports", tmp_path / "report.csv", as_of=AS_OF, options=["--also", "xlsx"])
    done = keyaudit(*arguments, first=WITHOUT)
    (folder,) = (Path(one) for one in done.stdout.decode().splitlines())
    assert done.returncode == 0
    (line,) = [one for one in done.stderr.decode().splitlines() if "xlsx" in one]
    assert 'pip install "keyaudit[xlsx]"' in line and f"keyaudit export {folder} -f xlsx" in line
    assert verified(folder)[0] == 0
    bad = keyaudit(*report_on(tmp_path / "other", tmp_path / "report.csv", options=["--also", "docx"]))
    assert "no such format" in refused(bad, 2) and not (tmp_path / "other").exists()


def test_evidence_of_each_released_version_is_exported(tmp_path):
    released = Path(__file__).parents[1] / "data" / "evidence"
    for one in sorted(released.iterdir()):
        for folder in sorted(path.parent for path in one.rglob("SHA256SUMS")):
            done = keyaudit("export", folder, "-f", "xlsx,owners", "-o", tmp_path / one.name)
            assert done.returncode == 0, done.stderr.decode()
