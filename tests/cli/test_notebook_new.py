"""``keyaudit notebook new``: a notebook of one's own that keeps the rules of ours, and is sealed as ours are."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
import pytest
from conftest import FRESH, OLD, report, write
from evidence_helpers import keyaudit, made, manifest, refused

AS_OF = "2026-11-23T12:00:00Z"


def new(folder: Path, name: str) -> Path:
    done = keyaudit("notebook", "new", name, cwd=folder)
    assert done.returncode == 0, done.stderr
    said = done.stderr.decode()
    assert "Run, Run All Cells" in said
    assert f"keyaudit report SOURCE --policy POLICY --notebook {done.stdout.decode().strip()}" in said
    return folder / done.stdout.decode().strip()


def test_it_keeps_the_rules_of_our_notebooks(tmp_path: Path) -> None:
    found = nbformat.read(new(tmp_path, "ours"), as_version=4)
    nbformat.validate(found)
    code = [cell for cell in found.cells if cell.cell_type == "code"]
    prose = [cell for cell in found.cells if cell.cell_type == "markdown"]
    assert 6 <= len(found.cells) <= 10 and all(cell.source for cell in found.cells)
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert sum(len(cell.source.split()) for cell in prose) >= sum(len(cell.source.split()) for cell in code)
    (parameters,) = (cell for cell in code if "parameters" in cell.metadata.get("tags", []))
    assert all("  # " in line for line in parameters.source.splitlines())
    assert all(isinstance(one, ast.AnnAssign) for one in ast.parse(parameters.source).body)
    shown = "".join(cell.source for cell in code)
    assert all(call in shown for call in ("ka.audit(", "ka.bottom_line(a)", "ka.offenders(a)", "ka.plot_ages("))


def test_it_runs_as_it_is_over_sealed_raw_evidence_and_verifies(tmp_path: Path) -> None:
    new(tmp_path, "our-keys.ipynb")
    write(tmp_path, "report.csv", report(("alice", OLD), ("bob", FRESH)))
    options = ("--policy", "cis", "--as-of", AS_OF, "--notebook", "our-keys.ipynb")
    folder = made("report", "report.csv", *options, code=1, cwd=tmp_path)
    assert "-our-keys-" in folder.name and manifest(folder)["notebook"]["ours"] is False
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "1 of 2 active" in page and "<figure>" in page and "Keys that fail" in page
    assert "not one of keyaudit" in page and "Run All Cells" not in page and "by-hand" not in page
    done = keyaudit("verify", folder)
    assert done.returncode == 0 and b"NOT KEYAUDIT'S NOTEBOOK" in done.stdout


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kept", "kept.ipynb: is there already"),
        ("none/ours", "No such file"),
        ("key_rotation", "keyaudit has a notebook of that name"),
        ("our keys", "letters, digits, _ and -"),
        ("", "letters, digits, _ and -"),
    ],
)
def test_what_is_there_is_left_as_it_is_and_a_name_must_do(tmp_path: Path, name: str, said: str) -> None:
    write(tmp_path, "kept.ipynb", "kept")
    assert said in refused(keyaudit("notebook", "new", name, cwd=tmp_path), 2)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("kept.ipynb", "kept")]
