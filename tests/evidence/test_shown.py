"""What notebook and page say is compared with the judgement: a seal that was made again does not help whoever changed
them (DESIGN.md, "Evidence folder")."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from conftest import write
from evidence_helpers import (
    FAILING,
    JUDGED,
    POLICY,
    failing,
    keyaudit,
    made,
    manifest,
    notebook,
    once,
    report_on,
    seal_again,
)

from keyaudit import resources
from keyaudit.auditing import parse_as_of
from keyaudit.evidence import released
from keyaudit.evidence.notebook import _drop_warnings, find_notebook
from keyaudit.evidence.page import render
from keyaudit.evidence.prose import spoken_cells
from keyaudit.evidence.sheet import title_of
from keyaudit.evidence.verify import markup as pages
from keyaudit.evidence.verify import verify
from keyaudit.texts import languages, spoken

ROOT = Path(__file__).resolve().parents[2]
RELEASED = ROOT / "tests" / "data" / "evidence"
BOX = '<div class="verdict compliant"><p>COMPLIANT: all active access keys were rotated in time.</p></div>'


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    return failing(tmp_path_factory)


@pytest.fixture
def folder(original, tmp_path) -> Path:
    return shutil.copytree(original, tmp_path / original.name)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def edit_outputs(folder: Path, change: Callable[[list[dict[str, Any]]], None]) -> None:
    """Change the cells of the executed notebook."""
    path = folder / "report.ipynb"
    told = json.loads(path.read_bytes())
    change(told["cells"])
    path.write_text(json.dumps(told))


def found(folder: Path) -> str:
    seal_again(folder)
    return "\n".join(verify(folder)[0])


# --- the page ---------------------------------------------------------------------------------------------------------

PAGE_EDITS = {
    "the answer": ("NON_COMPLIANT: ", "COMPLIANT: "),
    "a name in a table": (">bob<", ">bert<"),
    "a number": ("1 of 3 active access keys", "0 of 3 active access keys"),
    "a label on a phone": ('data-label="What to do"', 'data-label="Done"'),
    "the contents": (">Accounts</a>", ">All is well</a>"),
    "where the contents lead": ('href="#part-1"', 'href="#part-2"'),
    "the name of the contents": ('aria-label="Contents"', 'aria-label="COMPLIANT"'),
    "a part twice": ('id="part-2"', 'id="part-1"'),
    "contents in the text": ("<main>", '<main><nav aria-label="Contents">COMPLIANT</nav>'),
    "a further box": ("<main>", f"<main>{BOX}"),
    "a box at the end": ("</main>", f"{BOX}</main>"),
    "a box behind the text": ("</main>", f"</main>{BOX}"),
    "in the last line": ("<footer><p>", "<footer><p>COMPLIANT. "),
    "the title": ("<title>", "<title>COMPLIANT: "),
    "the prose": ("A control fails if any key fails it.", "A control fails if all keys fail it."),
    "hidden by an attribute": ('<div class="verdict non-compliant">', '<div class="verdict" hidden>'),
    "hidden by its style": ('<div class="verdict non-compliant">', '<div class="verdict" style="display:none">'),
    "hidden in a template": ('<div class="output">', '<template></template><div class="output">'),
    "hidden in a comment": ("<main>", "<main><!-- x -->"),
    "hidden by the style sheet": ("<style>", "<style>.verdict { display: none }"),
    "words by the style sheet": ("<style>", "<style>main::before { content: 'COMPLIANT' }"),
    "a second style sheet": ("</head>", "<style>.verdict { display: none }</style></head>"),
    "a script": ("</body>", "<script>1</script></body>"),
    "a frame": ("<main>", "<main><iframe src='x'></iframe>"),
    "another picture": ('<img src="data:image/png;base64,i', '<img src="data:image/png;base64,j'),
    "a picture from elsewhere": ('<img src="data:image/png;base64,', '<img src="https://example.com/'),
    "its alternative text": ('alt="', 'alt="COMPLIANT. '),
    "leads elsewhere": ("<head>", '<head><meta http-equiv="refresh" content="0; url=../fake.html">'),
    "leads elsewhere in its text": ("<main>", '<main><meta http-equiv="refresh" content="0; url=x.html">'),
    "leads elsewhere in place of its policy": (
        'http-equiv="Content-Security-Policy" content="default-src',
        'http-equiv="refresh" content="0; url=default-src',
    ),
    "no policy": ('<meta http-equiv="Content-Security-Policy"', '<meta name="Content-Security-Policy"'),
    "another policy": ("default-src 'none'", "default-src *"),
    "a policy of another style": ("style-src 'sha256-", "style-src 'unsafe-inline' 'sha256-"),
    "its policy in its text": ("<head>", "<head></head><body>"),
    "another page width": ("initial-scale=1", "initial-scale=9"),
    "a link that runs": ("<main>", '<main><a href="javascript:document.body.innerHTML=1"></a>'),
    "a link that runs, in capitals": ("<main>", '<main><a href=" JavaScript:1"></a>'),
    "a link to data": ("<main>", '<main><a href="data:text/html,COMPLIANT"></a>'),
    "a link to a share": ("<main>", '<main><a href="//example.com/x"></a>'),
    "a link that its notebook has not": ("<main>", '<main><a href="https://example.com/report.html"></a>'),
    "a link to a file": ("<main>", '<main><a href="CONCLUSION.html"></a>'),
    "the colour of the answer": ('class="verdict non-compliant"', 'class="verdict compliant"'),
    "an attribute twice": ('<div class="verdict', '<div class="x" class="verdict'),
}


@pytest.mark.parametrize("what", PAGE_EDITS)
def test_a_page_that_says_something_else_is_found(folder, what):
    edit(folder / "report.html", *PAGE_EDITS[what])
    assert "report.html" in found(folder)


@pytest.mark.sampled(12)
@pytest.mark.parametrize("what", [one for one in PAGE_EDITS if one != "the title"])
def test_a_page_of_an_older_version_that_says_something_else_is_found(folder, what):
    """Its sentences may differ, as that of the title; but the page still shows its notebook, and nothing besides."""
    edit(folder / "report.html", *PAGE_EDITS[what])
    seal_again(folder, tool={"keyaudit": "0.1.0"}, rules=1)
    assert "report.html" in found(folder)


@pytest.mark.parametrize("content", [b"", b"\xff", b"<html></html>", BOX.encode()])
def test_a_page_that_is_another_file_is_found(folder, content):
    (folder / "report.html").write_bytes(content)
    assert "report.html" in found(folder)


# --- the notebook, and the page with it -------------------------------------------------------------------------------


def both(folder: Path, old: str, new: str) -> None:
    """The same words changed in page and notebook."""
    edit(folder / "report.html", old, new)

    def change(cells: list[dict[str, Any]]) -> None:
        text = json.dumps(cells)
        escaped = json.dumps(old)[1:-1]
        assert escaped in text
        cells[:] = json.loads(text.replace(escaped, json.dumps(new)[1:-1]))

    edit_outputs(folder, change)


BOTH_EDITS = {
    "the answer": ("NON_COMPLIANT: ", "COMPLIANT: "),
    "a number": ("1 of 3 active access keys", "0 of 3 active access keys"),
    "a name": ("bob", "bert"),
    "an exemption": ("vendor appliance", "approved by the board"),
    "prose": ("A control fails if any key fails it.", "A control fails if all keys fail it."),
}


@pytest.mark.parametrize("what", BOTH_EDITS)
def test_a_page_and_notebook_that_say_something_else_alike_are_found(folder, what):
    both(folder, *BOTH_EDITS[what])
    # prose that differs: then it is not the notebook that the manifest tells of
    assert ("report.ipynb: is not the notebook" if what == "prose" else "report.ipynb") in found(folder)


@pytest.mark.parametrize("what", ["the answer", "a name"])
def test_the_facts_of_an_older_version_are_compared_all_the_same(folder, what):
    both(folder, *BOTH_EDITS[what])
    seal_again(folder, tool={"keyaudit": "0.1.0"}, rules=1)
    assert "report.ipynb" in found(folder)


@pytest.mark.parametrize("what", ["the answer", "a name"])
def test_those_of_evidence_that_was_released_too(tmp_path, what):
    (sample,) = (RELEASED / "0.2.0").glob("*-sample")
    folder = shutil.copytree(sample, tmp_path / sample.name)
    both(folder, *{"the answer": ("NON_COMPLIANT: ", "COMPLIANT: "), "a name": ("build-agent", "nobody")}[what])
    assert "report.ipynb" in found(folder)


# --- evidence of released versions: every output, its facts and its kind -----------------------------------------------


def edit_shown(folder: Path, change: Callable[[str, list[dict[str, Any]]], None]) -> None:
    """Change (source, outputs) of every cell of the notebook, and render the page of it as its version would."""
    executed = nbformat.read(folder / "report.ipynb", 4)
    before = executed.copy()
    for cell in executed.cells:
        if cell.cell_type == "code":
            change(cell.source, cell.outputs)
    nbformat.write(executed, folder / "report.ipynb")
    facts = manifest(folder)
    as_of = parse_as_of(facts["as_of"])
    (folder / "report.html").write_bytes(
        render(before, title_of(facts["accounts"]["expected"], as_of, facts["sample"]))
    )


def released_at(tmp_path: Path, name: str) -> Path:
    (folder,) = RELEASED.glob(name)
    return shutil.copytree(folder, tmp_path / folder.name)


SAMPLES = ("0.2.0/*-sample", "0.3.0/*-sample")


@pytest.mark.parametrize("name", [*SAMPLES, "0.2.0/*-rotation-*", "0.3.0/*-organization"])
def test_evidence_of_a_released_version_made_again_as_it_is_verifies(tmp_path, name):
    folder = released_at(tmp_path, name)
    edit_shown(folder, lambda source, outputs: None)
    seal_again(folder)
    assert verify(folder)[0] == []


SAID = {
    "the rule": ("more than 90 days have elapsed", "more than 900 days have elapsed"),
    "its instant": ("before 2026-08-25", "before 2024-08-25"),
    "the headline": ("8 of 28 active", "0 of 28 active"),
    "the headline's words": ("were not rotated within their limits", "were rotated within their limits"),
    "a headline of its own": (
        "8 of 28 active access keys in 1 account were not rotated within their limit (the policy sets 90 days).",
        "only by an error of the tool; every access key was in fact rotated in time, as the CISO confirms.",
    ),
    "exempt": ("1 finding is exempt", "11 findings are exempt"),
    "that it is a sample": ("SAMPLE DATA: a made-up account", "A real account"),
    "a name": ("iot-gateway", "nobody"),
    "an account": ("123456789012", "123456789013"),
    "an age": ("1,320", "20"),
    "a date": ("2025-03-22", "2026-11-22"),
    "a reason": ("2 active keys, over the limit of 1", "2 active keys, over the limit of 3"),
    "who approved": ("CISO", "CEO"),
    "the state of an exemption": ("expired: its findings stand again", "in use"),
    "the policy": ("max_access_key_age\t90", "max_access_key_age\t30"),
    "a conclusion of an account": ("30\t30\t8\t0\t1\t19\t2", "30\t30\t0\t0\t9\t19\t2"),
    "a source": ("credential-report.csv (sample)", "the CISO"),
    "a limit of audit": ("up to 4 hours", "up to 14 hours"),
}


@pytest.mark.sampled(12)
@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("what", SAID)
def test_a_fact_that_a_released_version_would_not_have_shown_is_found(tmp_path, name, what):
    folder, (old, new) = released_at(tmp_path, name), SAID[what]

    def change(_: str, outputs: list[dict[str, Any]]) -> None:
        for output in outputs:
            for kind, text in output["data"].items():
                marks = [(old, new)]
                if "\t" in old and kind == "text/html":
                    words = zip(old.split("\t"), new.split("\t"), strict=True)
                    marks = [
                        (f">{a}</td>", f">{b}</td>") for a, b in words if a != b and old.split("\t")[0] in text
                    ]
                for one, other in marks:
                    text = text.replace(one, other)
                output["data"][kind] = text

    edit_shown(folder, change)
    seal_again(folder)
    if what == "the headline's words":  # which it does not say
        assert verify(folder)[0] == []
    else:
        assert "report.ipynb" in found(folder)


CALLS = [
    ("0.2.0/*-sample", call)
    for call in (
        "bottom_line", "accounts", "provenance", "completeness", "plot_ages", "plot_idle", "offenders", "unused",
        "exemptions", "problems", "boundary",
    )
] + [("0.2.0/*-rotation-*", call) for call in ("changes", "plot_ages", "rotated", "rotation_keys", "to_do")]  # fmt: skip


@pytest.mark.sampled(8)
@pytest.mark.parametrize(("name", "call"), CALLS)
def test_outputs_taken_out_of_released_evidence_are_found(tmp_path, name, call):
    folder = released_at(tmp_path, name)
    edit_shown(folder, lambda source, outputs: outputs.clear() if f"ka.{call}(" in source else None)
    assert "report.ipynb" in found(folder)


WORDS = "<p>Every access key was rotated in time.</p>"
NONE = '<p class="none"><b>Keys:</b> None found.</p>'


@pytest.mark.sampled(20)
@pytest.mark.parametrize("html", [WORDS, NONE, BOX, "", "<div></div>"])
@pytest.mark.parametrize(("name", "call"), CALLS)
def test_outputs_replaced_by_words_are_found(tmp_path, name, call, html):
    folder = released_at(tmp_path, name)

    def change(source: str, outputs: list[dict[str, Any]]) -> None:
        if f"ka.{call}(" in source:
            outputs[0]["data"] = {"text/html": html, "text/plain": pages.read(html).texts.get("", "")}

    edit_shown(folder, change)
    assert "report.ipynb" in found(folder)


@pytest.mark.parametrize(
    ("start", "change"),
    [
        ("Access keys of the root user", lambda text: "Access keys of the root user: None found."),
        ("Exemptions in the policy", lambda text: "Exemptions in the policy: None found."),
        ("Judged as of", lambda text: text.replace("4 access keys", "4,000 access keys")),
        ("Reports compared", lambda text: text.replace("–", "7")),
        ("Reports compared", lambda text: text.replace("Explained\tUnproved", "Unproved\tExplained")),
        ("COMPLIANT", lambda text: text.replace("all 4 active", "all 40 active")),
        ("COMPLIANT", lambda text: text.replace("Rotation: COMPLIANT", "Rotation: EXEMPT")),
        ("COMPLIANT", lambda text: f"{text}\n- and every key was seen by the CISO"),
        ("Judged as of", lambda text: f"{text}\nThe CISO has seen every key."),
    ],
    ids=[
        "root",
        "exemptions",
        "scope",
        "compared",
        "headings",
        "headline",
        "control",
        "a line more",
        "a paragraph more",
    ],
)
def test_facts_of_released_evidence_of_an_organization_are_compared(tmp_path, start, change):
    folder, seen = released_at(tmp_path, "0.3.0/*-organization"), []

    def edit(_: str, outputs: list[dict[str, Any]]) -> None:
        for output in outputs:
            text = output["data"]["text/plain"]
            if text.startswith(start) and text != change(text):
                seen.append(text)
                lines = "".join(f"<p>{line}</p>" for line in change(text).replace("\t", " ").split("\n"))
                kind = output["data"]["text/html"].partition(">")[0]
                output["data"] = {"text/plain": change(text), "text/html": f"{kind}>{lines}"}

    edit_shown(folder, edit)
    assert seen and "report.ipynb" in found(folder)


def add_output(cells: list[dict[str, Any]], output: dict[str, Any]) -> None:
    next(cell for cell in cells if cell.get("outputs"))["outputs"].append(output)


@pytest.mark.parametrize(
    "output",
    [
        {"output_type": "display_data", "metadata": {}, "data": {"text/html": BOX, "text/plain": ""}},
        {"output_type": "stream", "name": "stdout", "text": "COMPLIANT"},
        {"output_type": "stream", "name": "stderr", "text": "COMPLIANT: all keys were rotated in time."},
        {"output_type": "stream", "name": "stderr", "text": []},
        {"output_type": "error", "ename": "E", "evalue": "", "traceback": []},
    ],
    ids=["box", "printed", "warned", "warned of nothing", "error"],
)
def test_an_output_added_to_the_notebook_is_found(folder, output):
    edit_outputs(folder, lambda cells: add_output(cells, output))
    assert "report.ipynb" in found(folder)


def test_a_warning_added_to_released_evidence_is_found(tmp_path):
    folder = released_at(tmp_path, "0.3.0/*-sample")
    warning = {"output_type": "stream", "name": "stderr", "text": "COMPLIANT: all keys were rotated in time."}
    edit_outputs(folder, lambda cells: add_output(cells, warning))
    assert "report.ipynb" in found(folder)


def test_what_libraries_say_on_stderr_is_no_part_of_evidence():
    """As matplotlib does of its fonts."""
    shell = {"outputs": [{"output_type": "stream", "name": "stderr", "text": "findfont"}], "cell_type": "code"}
    cells = [nbformat.from_dict(shell), nbformat.from_dict({"cell_type": "markdown"})]
    _drop_warnings(cells)
    assert cells[0].outputs == []


def test_content_that_a_viewer_would_prefer_is_found(folder):
    def change(cells: list[dict[str, Any]]) -> None:
        for cell in cells:
            for output in cell.get("outputs", []):
                output["data"]["text/markdown"] = "# COMPLIANT"

    edit_outputs(folder, change)
    assert "report.ipynb" in found(folder)


WORDED = {
    "words": {"text/html": BOX, "text/plain": "COMPLIANT: all active access keys were rotated in time."},
    "words beside another text": {"text/html": BOX, "text/plain": "x"},
    "words without HTML": {"text/plain": "COMPLIANT"},
    "nothing": {"text/html": "", "text/plain": ""},
    "no content": {},
    "a picture with words": {
        "text/html": '<figure><img src="data:image/png;base64,iVBO" alt="x" width="1" height="1"></figure><p>x</p>',
        "text/plain": "x",
    },
}


@pytest.mark.sampled(9)
@pytest.mark.parametrize("data", WORDED.values(), ids=WORDED)
@pytest.mark.parametrize("name", ["", "0.2.0/*-sample", "0.3.0/*-organization"])
def test_a_chart_in_whose_place_is_anything_else_is_found(folder, tmp_path, name, data):
    folder = released_at(tmp_path, name) if name else folder

    def change(_: str, outputs: list[dict[str, Any]]) -> None:
        for output in outputs:
            if "<figure>" in output["data"].get("text/html", ""):
                output["data"] = data

    edit_shown(folder, change)
    assert "report.ipynb: ka.plot_ages does not show what the evidence gives" in found(folder)


def cell_that_looks_given(kind: str) -> dict[str, Any]:
    source = "# COMPLIANT: every key was rotated in time"
    code = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "id": "x", "metadata": {"tags": ["injected-parameters"]}, "source": source, **code}


@pytest.mark.parametrize("kind", ["code", "markdown", "raw"])
@pytest.mark.parametrize("at", [0, 1, 2, 3, -1])
def test_a_second_cell_that_is_tagged_as_the_given_parameters_is_found(folder, kind, at):
    edit_outputs(folder, lambda cells: cells.insert(at, cell_that_looks_given(kind)))
    assert "report.ipynb: is not the notebook that the manifest tells of" in found(folder)


def given(cells: list[dict[str, Any]]) -> dict[str, Any]:
    return next(cell for cell in cells if "injected-parameters" in cell["metadata"].get("tags", []))


@pytest.mark.parametrize(
    "change",
    [
        lambda cell: cell.update(cell_type="markdown"),
        lambda cell: cell["metadata"].update(tags=["injected-parameters", "more"]),
        lambda cell: cell["metadata"].update(tags=[]),
    ],
    ids=["markdown", "a further tag", "no tag"],
)
def test_the_cell_of_given_parameters_that_is_no_such_cell_is_found(folder, change):
    edit_outputs(folder, lambda cells: change(given(cells)))
    assert "report.ipynb: is not the notebook that the manifest tells of" in found(folder)


def test_the_cell_of_given_parameters_at_another_place_is_found(folder):
    edit_outputs(folder, lambda cells: cells.append(cells.pop(cells.index(given(cells)))))
    assert "report.ipynb: is not the notebook that the manifest tells of" in found(folder)


@pytest.mark.parametrize("told", ["nothing", None, 1, "True"])
def test_a_manifest_that_does_not_say_whose_the_notebook_is_is_found(folder, told):
    facts = manifest(folder)["notebook"] | {"ours": told}
    seal_again(folder, notebook={name: value for name, value in facts.items() if value != "nothing"})
    assert "not as keyaudit writes it" in found(folder)


def test_our_notebook_that_is_told_to_be_somebody_s_must_say_so_on_its_page(folder):
    seal_again(folder, notebook=manifest(folder)["notebook"] | {"ours": False})
    assert "report.html: does not say that its notebook is not one of keyaudit's" in found(folder)


@pytest.mark.parametrize("kind", ["code", "markdown"])
@pytest.mark.parametrize("at", [1, 2])
def test_a_notebook_to_be_run_that_has_such_a_cell_is_not_ours(tmp_path, kind, at):
    told = json.loads((resources.notebooks() / "key_rotation.ipynb").read_bytes())
    told["cells"].insert(at, cell_that_looks_given(kind))
    assert not find_notebook(str(write(tmp_path, "key_rotation.ipynb", json.dumps(told)))).is_ours


def test_evidence_by_a_notebook_that_had_a_run_before_verifies_as_somebody_s(original, tmp_path):
    shutil.copy(original / "report.ipynb", tmp_path / "key_rotation.ipynb")
    write(tmp_path, "report.csv", FAILING)
    options = ("--notebook", tmp_path / "key_rotation.ipynb")
    done = made(*report_on(tmp_path / "r", tmp_path / "report.csv", options=options), code=1)
    faults, remarks = verify(done)
    assert faults == [] and remarks[0].startswith("NOT KEYAUDIT'S NOTEBOOK: key_rotation")


@pytest.mark.parametrize(
    "source",
    [
        'source = "raw"\nprint(1)',
        "import os",
        "source = open('x')",
        "(" * 5000,
        pytest.param(lambda told: f"# COMPLIANT: every key was rotated in time\n{told}", id="a comment"),
        pytest.param(lambda told: f"{told}# Parameters # of the CISO", id="a comment at the end"),
        pytest.param(lambda told: f"source = 'COMPLIANT'\n{told}", id="twice"),
        pytest.param(lambda told: told.replace("source = ", "a = source = "), id="a further name"),
    ],
)
def test_a_cell_of_parameters_that_does_something_else_is_found(folder, source):
    def change(cells: list[dict[str, Any]]) -> None:
        cell = given(cells)
        cell["source"] = source if isinstance(source, str) else source("".join(cell["source"]))

    edit_outputs(folder, change)
    assert "report.ipynb" in found(folder)


def test_parameters_other_than_the_manifest_s_are_found(folder):
    seal_again(folder, parameters=manifest(folder)["parameters"] | {"policy": ""})
    assert "report.ipynb: its parameters are not those of the manifest" in found(folder)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"cells": 5}', b'{"cells": [{"cell_type": 1}]}', b"[" * 100_000])
def test_a_notebook_that_is_none_is_found(folder, content):
    (folder / "report.ipynb").write_bytes(content)
    assert "report.ipynb" in found(folder)


# --- facts that a claimed older version may not skip ------------------------------------------------------------------

OLDER = {"keyaudit": "0.1.0"}


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: facts.update(rule=facts["rule"].replace("90", "900")),
        lambda facts: facts["warnings"].append("alice has 12 keys"),
        lambda facts: facts["notes"].append("judged on 2026-01-01"),
    ],
    ids=["rule", "warning", "note"],
)
def test_the_facts_in_sentences_of_an_older_version_are_compared(folder, change):
    facts = json.loads((folder / "summary.json").read_bytes())
    change(facts)
    write(folder, "summary.json", json.dumps(facts, ensure_ascii=False, indent=1) + "\n")
    seal_again(folder, tool=OLDER, rules=1)
    assert "summary.json" in found(folder)


@pytest.mark.parametrize(("version", "rules"), [("0.1.0", 2), ("0.3.0", 1), ("0.3.0", 3), ("0.4.0", 2)])
def test_rules_by_which_a_version_did_not_judge_are_found(folder, version, rules):
    seal_again(folder, tool={"keyaudit": version}, rules=rules)
    assert f"keyaudit {version} did not judge by the rules {rules}" in found(folder)


def test_overdue_taken_out_of_the_manifest_is_found(folder):
    facts = manifest(folder)
    del facts["overdue"]
    (folder / "manifest.json").write_text(json.dumps(facts))
    assert "overdue is not what the evidence gives" in found(folder)


@pytest.mark.parametrize(
    "change",
    [lambda facts: facts["rotations"][0].update(compliance_type="EXEMPT"), lambda facts: facts.pop("rotations")],
    ids=["changed", "gone"],
)
def test_verdicts_on_rotations_of_an_older_version_are_compared(tmp_path, change):
    name = "2026-11-26T071105Z-rotation-123456789012"
    folder = shutil.copytree(RELEASED / "0.2.0" / name, tmp_path / name)
    facts = json.loads((folder / "summary.json").read_bytes())
    change(facts)
    write(folder, "summary.json", json.dumps(facts, ensure_ascii=False, indent=1) + "\n")
    assert "summary.json" in found(folder)


# --- notebooks that are not ours --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def foreign(tmp_path_factory) -> Path:
    """Evidence by a doctored copy of keyaudit's own notebook, which says first that all is well."""

    def make(folder: Path) -> None:
        told = json.loads((resources.notebooks() / "key_rotation.ipynb").read_bytes())
        told["cells"].insert(0, {"cell_type": "markdown", "metadata": {}, "id": "x", "source": "# COMPLIANT"})
        write(folder, "key_rotation.ipynb", json.dumps(told))
        write(folder, "policy.toml", POLICY)
        write(folder, "report.csv", FAILING)
        options = ("--notebook", folder / "key_rotation.ipynb")
        made(
            *report_on(folder / "r", folder / "report.csv", policy=folder / "policy.toml", options=options), code=1
        )

    (found,) = (one for one in (once(tmp_path_factory, "foreign", make) / "r").iterdir() if one.is_dir())
    return found


def test_a_notebook_that_is_not_ours_is_named_on_the_page_in_the_manifest_and_by_verify(foreign):
    page = (foreign / "report.html").read_text()
    first = page.partition("<main>")[2].partition("</p>")[0]
    sha256 = manifest(foreign)["notebook"]["sha256"]
    assert "not one of keyaudit's own: key_rotation" in first.replace("&#39;", "'") and sha256 in first
    assert manifest(foreign)["notebook"]["ours"] is False
    faults, remarks = verify(foreign)
    assert faults == [] and remarks[0].startswith("NOT KEYAUDIT'S NOTEBOOK: key_rotation")


def test_what_a_notebook_of_one_s_own_shows_may_bring_a_style_which_the_page_does_not_let_apply(tmp_path):
    """As pandas shows a frame."""
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><title>t</title><style>p { color: red }</style></svg>'
    shows = (
        "a.keys.head(3)",
        "a.keys.head(3).style.highlight_max()",
        "from IPython.display import HTML, SVG\nHTML('<style>.verdict { display: none }</style>')",
        f"SVG({svg!r})",
    )
    own = notebook(tmp_path, "own", JUDGED, *shows, JUDGED)
    write(tmp_path, "report.csv", FAILING)
    folder = made(*report_on(tmp_path / "r", tmp_path / "report.csv", options=("--notebook", own)), code=1)
    assert (folder / "report.html").read_text().count("<style") >= 4
    assert verify(folder)[0] == []
    assert keyaudit("verify", "--page", folder).returncode == 0
    policy = "style-src 'sha256-"
    for old, new in (
        ("</head>", "<style>.verdict { display: none }</style></head>"),
        ("<style>", "<style>.verdict { display: none }"),
        (policy, f"style-src 'unsafe-inline' {policy.partition(' ')[2]}"),
    ):
        copy = shutil.copytree(folder, tmp_path / "copy")
        edit(copy / "report.html", old, new)
        assert "its head is not one of keyaudit's" in found(copy)
        shutil.rmtree(copy)


@pytest.mark.parametrize("place", ["</main>", "<footer>", "</footer>", "</body>"])
def test_a_style_planted_in_the_text_of_our_page_is_found(folder, place):
    edit(folder / "report.html", place, f"<style>.verdict {{ display: none }}</style>{place}")
    assert "has markup that no page of keyaudit has (<style> twice)" in found(folder)


def test_it_cannot_be_told_to_be_ours(foreign, tmp_path):
    folder = shutil.copytree(foreign, tmp_path / "copy")
    seal_again(folder, notebook=manifest(folder)["notebook"] | {"ours": True})
    assert "report.ipynb: is not the notebook that the manifest tells of" in found(folder)


def test_what_it_says_of_itself_cannot_be_taken_off_its_page(foreign, tmp_path):
    folder = shutil.copytree(foreign, tmp_path / "copy")
    edit(folder / "report.html", "This page was made by a notebook that is not", "This page was made by a notebook")
    assert "report.html" in found(folder)


def test_our_own_notebook_is_told_to_be_ours_and_its_page_has_no_such_line(original):
    assert manifest(original)["notebook"]["ours"] is True
    assert "was made by a notebook" not in (original / "report.html").read_text()
    assert verify(original) == ([], [])


def test_a_notebook_that_fakes_the_bottom_line_makes_no_evidence(tmp_path):
    """It carries the digest of the findings, and says something else in words."""
    fake = (
        "from IPython.display import publish_display_data\n"
        "line = ka.bottom_line(a)\n"
        f"publish_display_data({{'text/html': {BOX!r}, 'text/plain': ''}}, {{**line.metadata}})"
    )
    path = notebook(tmp_path, "fake", JUDGED.rpartition("\n")[0], fake)
    write(tmp_path, "report.csv", FAILING)
    done = keyaudit(*report_on(tmp_path / "r", tmp_path / "report.csv", options=("--notebook", path)))
    assert done.returncode == 4 and b"reached another judgement" in done.stderr


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_notebooks_here_are_among_those_released(path, language):
    """Else: make sample."""
    cells = json.loads(path.read_bytes())["cells"]
    with spoken(language):
        assert released.is_ours(path.stem, released.cells_digest(spoken_cells(cells)))


def test_the_style_sheet_here_is_among_those_released():
    """Else: make sample."""
    style = resources.data("templates", "keyaudit", "style.css").read_text(encoding="utf-8")
    assert released.is_our_style(style)
