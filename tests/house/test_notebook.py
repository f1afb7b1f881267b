"""The notebook: its craft, and the ways to run it (JupyterLab's is in test_lab)."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell

import keyaudit as ka
from keyaudit.schema import InputError

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
KEY_ROTATION = ROOT / "notebooks" / "key_rotation.ipynb"
REPORT = ROOT / "tests" / "data" / "reports" / "001_file-real.csv"


def cells(path: Path, kind: str) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def test_the_tests_own_workbook_is_ours_without_its_charts() -> None:
    """Else: leave them out of it anew."""
    ours, tables = (
        [cell.source for cell in nbformat.read(path, as_version=4).cells]
        for path in (KEY_ROTATION, ROOT / "tests" / "data" / "notebooks" / "tables.ipynb")
    )
    assert tables == [source for source in ours if "ka.plot_" not in source]


def python(cell: nbformat.NotebookNode) -> ast.Module:
    return ast.parse("\n".join(line for line in cell.source.splitlines() if not line.startswith("%")))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_committed_notebooks_are_valid_and_carry_no_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert [cell for cell in cells(path, "code") if cell.outputs or cell.execution_count] == []
    assert "papermill" not in notebook.metadata


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_cells_are_calls_and_prose_is_no_less_than_code(path: Path) -> None:
    code, prose = cells(path, "code"), cells(path, "markdown")
    assert 18 <= len(code) + len(prose) <= 28
    banned = (ast.FunctionDef, ast.ClassDef, ast.If, ast.For, ast.While, ast.Try, ast.Lambda)
    assert [cell.source for cell in code if any(isinstance(n, banned) for n in ast.walk(python(cell)))] == []
    assert sum(len(cell.source.split()) for cell in prose) >= sum(len(cell.source.split()) for cell in code)
    assert sorted(len(cell.source.splitlines()) for cell in code)[len(code) // 2] <= 2


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_each_says_before_its_parameters_how_it_is_run(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    at = next(n for n, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", []))
    told = notebook.cells[at - 1]
    assert told.metadata["tags"] == ["by-hand"] and "*Run*, *Run All Cells*" in told.source


def test_what_is_said_to_whoever_runs_a_notebook_is_on_no_page() -> None:
    (folder,) = (path for path in (ROOT / "reports" / "sample").iterdir() if path.is_dir())
    page, executed = ((folder / name).read_text(encoding="utf-8") for name in ("report.html", "report.ipynb"))
    assert "Run All Cells" in executed and "Run All Cells" not in page
    assert "application/javascript" not in executed


def test_headings_come_in_the_order_in_which_an_auditor_reads() -> None:
    lines = [
        line
        for cell in cells(KEY_ROTATION, "markdown")
        for line in cell.source.splitlines()
        if line.startswith("#")
    ]
    assert lines == [
        "# Are the access keys rotated in time?",
        "## Keys to act on",
        "## How old the active keys are",
        "## Control by control",
        "## Exemptions",
        "## Accounts",
        "## Where the evidence comes from",
        "## Complete and accurate?",
        "## What was odd, missing, or not checked",
        "## The question, and how far it reaches",
        "## Method",
    ]


def test_each_parameter_is_a_typed_scalar_with_a_default_and_a_comment() -> None:
    tagged = [cell for cell in cells(KEY_ROTATION, "code") if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    statements = python(tagged[0]).body
    assert [s.target.id for s in statements if isinstance(s, ast.AnnAssign)] == [
        "source",
        "policy",
        "as_of",
        "previous",
    ]
    assert all(isinstance(s, ast.AnnAssign) and ast.literal_eval(s.value) == "" for s in statements)
    assert all("  # " in line for line in tagged[0].source.splitlines())


def papermill(folder: Path, *parameters: str) -> tuple[subprocess.CompletedProcess[str], dict[str, object]]:
    out = folder / "out.ipynb"
    pairs = [word for pair in zip(parameters[::2], parameters[1::2], strict=True) for word in ("-p", *pair)]
    command = [sys.executable, "-m", "papermill", str(KEY_ROTATION), str(out), "--no-progress-bar", *pairs]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done, json.loads(out.read_text(encoding="utf-8"))


def outputs(notebook: dict[str, object]) -> str:
    return json.dumps([cell.get("outputs", []) for cell in notebook["cells"]], ensure_ascii=False)  # type: ignore[index,attr-defined]


def shows_the_verdict_and_the_charts(notebook: dict[str, object]) -> None:
    """As papermill leaves it, by itself: nothing of what is for JupyterLab, and no warning."""
    shown = outputs(notebook)
    assert "NON_COMPLIANT: " in shown and "of 3 active access keys in 1 account" in shown
    assert "SAMPLE DATA" not in shown
    assert shown.count("data:image/png;base64,iVBOR") == 3
    assert '"name": "stderr"' not in shown
    assert "application/javascript" not in shown and "keyaudit-notebook" not in shown


@pytest.mark.sampled(0)  # by day test_readme looks at what the page's own command leaves
def test_plain_papermill_runs_it_on_a_report(tmp_path: Path) -> None:
    done, notebook = papermill(tmp_path, "source", str(REPORT), "policy", "cis", "as_of", "2023-01-03T10:30:00Z")
    assert done.returncode == 0, done.stderr
    assert "NON_COMPLIANT: 2 of 3 active access keys in 1 account were not rotated" in outputs(notebook)
    shows_the_verdict_and_the_charts(notebook)


@pytest.mark.sampled(0)  # a second run of papermill: for a nightly run
def test_a_mistyped_value_is_refused_by_the_notebook(tmp_path: Path) -> None:
    """papermill makes a number of what looks like one."""
    done, notebook = papermill(tmp_path, "as_of", "2023")
    assert done.returncode != 0 and "InputError" in done.stderr
    assert "as_of: cannot use" in outputs(notebook)


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        ('ka.audit("none.csv", "cis", "")', "InputError: none.csv: "),
        ('ka.audit("", "none.toml", "")', "PolicyError: policy none.toml: no such file; name"),
        ('ka.over_period("none")', "InputError: none: no such reports folder; name one"),
    ],
)
def test_a_mistake_of_the_user_is_shown_in_one_line_and_not_where_it_was_noticed(
    call: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = InteractiveShell()
    shell.run_cell("import keyaudit as ka")
    assert not shell.run_cell(call).success
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(shown)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"as_of": "yesterday"}, "as_of: cannot use 'yesterday'"),
        ({"as_of": 2023}, "as_of: cannot use"),
        (
            {"as_of": "2026-11-23"},
            "as_of 2026-11-23: say which instant: 2026-11-23T00:00:00Z (the day's beginning) or 2026-11-23T23:59:59Z",
        ),
        ({"source": 7}, "source: expected the path of a report or folder, found int"),
        ({"policy": 0.5}, "policy: expected the path of a TOML file or a preset, found float"),
    ],
)
def test_what_papermill_made_of_a_value_is_named(given: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        ka.audit(**{"source": "", "policy": "", "as_of": "", **given})
