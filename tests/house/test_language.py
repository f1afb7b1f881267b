"""Every sentence that reaches a report is in data/texts: code emits ids and facts (DESIGN.md, "Language").

What code puts together by itself is found here in the code, and in ``test_second_language`` on whole pages.
"""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from evidence_helpers import failing, manifest

from keyaudit.assess.rotated_grace_1 import IN_GRACE as IN_GRACE_1
from keyaudit.assess.rotated_proof import BECAME_CURRENT, IN_GRACE, MADE, STORED
from keyaudit.evidence.prose import spoken_cells
from keyaudit.present.rotation import EVENTS
from keyaudit.texts import languages, template

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "keyaudit"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
#: rooms and modules whose words stand in reports, and in what is read beside them
ROOMS = (
    "assess", "auditing", "capture", "captured", "changed.py", "charts", "credentials", "evidence/index.py",
    "evidence/page.py", "evidence/prose.py", "evidence/sheet.py", "evidence/trend.py", "explore", "export", "model",
    "present",
    "reconcile", "rotation/cases.py", "rotation/fresh.py", "rotation/handed_on.py", "rotation/keys.py",
    "rotation/plan.py", "rotation/printed.py", "rotation/steps.py", "schedule/told.py", "sources",
)  # fmt: skip
MODULES = sorted(
    path
    for room in ROOMS
    for path in ([PACKAGE / room] if room.endswith(".py") else sorted((PACKAGE / room).rglob("*.py")))
)
#: those whose errors become gaps of a report, where the file that they refuse lies in a folder
GAPS = ("credentials/", "sources/origin.py", "auditing/account.py")
#: what reaches no report: what is said to whoever gave the command, or wrote the code that called
COMMANDS = {"InputError", "PolicyError", "EvidenceError", "TypeError", "ValueError", "AssertionError"}
CALLED = {"TypeError", "ValueError", "AssertionError"}
#: two words in a row are English; so is a word beside a fact, and what joins two texts
WORDS = re.compile(r"[A-Za-z]{2,},? [a-z]{2,}|\0,? [a-z]{2,}|[a-z]{2,},? \0")
JOINT = re.compile(r"[,;:.]? +\(?[A-Za-z]|.*[A-Za-z][,;:]? +\Z")
#: commands to be typed, and markup
COMMAND = re.compile(
    r"\A(--[a-z]+|aws [a-z0-9]+ [a-z]+-[a-z-]+|keyaudit (rotation|report|capture) ?(deploy|now|plan|status)?)\b"
)
MARKUP = re.compile(r"<[^<>]*>| [a-z-]+=\"[^\"]*\"")
ENDINGS = {"s", "es", "ies", "y"}
#: words that are not ours: a deployed function's log, the same in every language; what matplotlib calls places; by
#: which files are known that are no report
FOREIGN = {
    *EVENTS, *STORED, *MADE, *BECAME_CURRENT, *IN_GRACE, *IN_GRACE_1,
    "axes fraction", "lower left", "offset points",
    "Unterminated string", "access key id", r"An error occurred \((\w{1,64})\)", "unable to locate credentials",
    "error when retrieving token",
}  # fmt: skip
#: the name of a preset in data, and a class of the style sheet
NAMES = {"preset ", "verdict \0"}


def found_in(source: str, commands: set[str] = COMMANDS) -> list[str]:
    """The English of a module, but for docstrings and the messages of commands; and texts that it joins itself."""
    tree = ast.parse(source)
    return [text for text in _literals(tree, commands) if _is_english(text)] + _endings(tree) + _glued(tree)


def _is_english(text: str) -> bool:
    if text in FOREIGN | NAMES or COMMAND.match(text):
        return False
    bare = MARKUP.sub("", text)
    return bool(WORDS.search(bare) or JOINT.match(bare))


def _literals(node: ast.AST, commands: set[str]) -> Iterator[str]:
    if _called(node) in commands:
        return
    if isinstance(node, ast.keyword) and node.arg == "help":
        return
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(one.value) if isinstance(one, ast.Constant) else "\0" for one in node.values)
        for one in node.values:
            yield from () if isinstance(one, ast.Constant) else _literals(one, commands)
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):  # a docstring
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from _literals(child, commands)


def _endings(tree: ast.AST) -> list[str]:
    """Plurals by the rules of English."""
    branches = [one for node in ast.walk(tree) if isinstance(node, ast.IfExp) for one in (node.body, node.orelse)]
    return [str(one.value) for one in branches if isinstance(one, ast.Constant) and one.value in ENDINGS]


def _glued(tree: ast.AST) -> list[str]:
    """Texts that stand beside others in the order of English; blanks around one are for its place in a line."""
    found: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            sides = [one for one in (node.left, node.right) if not _is_blank(one)]
            found += [node] if len(sides) == 2 and any(map(_is_text, sides)) else []
        if isinstance(node, ast.JoinedStr):
            parts = [one for one in node.values if not _is_blank(one)]
            found += (
                [node] if len(parts) > 1 and any(_is_text(one) for part in parts for one in ast.walk(part)) else []
            )
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "join":
            by = node.func.value
            is_lines = isinstance(by, ast.Constant) and "\n" in str(by.value)
            found += [node] if not is_lines and any(map(_is_text, ast.walk(node))) else []
    return [ast.unparse(node) for node in found]


def _is_text(node: ast.AST) -> bool:
    if isinstance(node, ast.IfExp):
        return _is_text(node.body) or _is_text(node.orelse)
    return _called(node) in ("say", "listed")


def _is_blank(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and not str(node.value).strip()


def _called(node: ast.AST) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def test_no_sentence_of_a_report_is_in_code() -> None:
    sentences = {}
    for path in MODULES:
        name = path.relative_to(PACKAGE).as_posix()
        sentences[name] = found_in(path.read_text(encoding="utf-8"), CALLED if name.startswith(GAPS) else COMMANDS)
    assert {name: found for name, found in sentences.items() if found} == {}


@pytest.mark.parametrize(
    "code",
    [
        'warn("an empty cell is here")',
        'warn(f"{place}: the name is not that of {arn}")',
        'X = {"a": "no such row there"}',
        'say("a" if b else "it was not read")',
        'title = f"{number} overdue keys"',
        'label = "active keys"',
        'text = f"{number} {what} overdue"',
        "text = f\"key{'s' if n != 1 else ''}\"",
        '" and ".join(names)',
        'first + ", of which" + more',
        'say("a.b") + say("a.c")',
        'text = first + (say("a.c") if more else "")',
        "f\"{say('a.b')} ({number})\"",
        '"; ".join(say("a.b", n=n) for n in numbers)',
    ],
)
def test_a_sentence_is_found(code: str) -> None:
    assert found_in(code)


@pytest.mark.parametrize(
    "code",
    [
        '"""A word on this."""',
        'say("read.no_zone")',
        'raise InputError("give one of both")',
        '", ".join(names)',
        "f\"{say('a.b')}\\n\"",
        '"\\n".join([say("a.b"), say("a.c")])',
        '"  " + say("a.b")',
        'f"aws iam list-access-keys {user}"',
        "f'<p class=\"note\">{text}</p>'",
        'listed("clauses", [say("a.b"), *more])',
    ],
)
def test_ids_docstrings_layout_and_messages_of_commands_are_none(code: str) -> None:
    assert not found_in(code)


def test_of_a_file_in_a_folder_the_message_is_a_sentence_of_a_report() -> None:
    assert found_in('raise InputError(f"{source}: it is empty")', CALLED)


# --- notebooks ---------------------------------------------------------------------------------------------------


def cells(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_bytes())["cells"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_the_prose_of_notebooks_is_that_of_the_texts(path: Path) -> None:
    """``make sample`` puts it there."""
    assert [one["source"] for one in spoken_cells(cells(path))] == [one["source"] for one in cells(path)]


def prose_of(cell: dict[str, Any]) -> list[str]:
    """The English in a cell of code. What a parameter means is told beside it, for whoever sets it."""
    source = "".join(line for line in cell["source"] if not line.startswith("%"))
    if "parameters" in cell["metadata"].get("tags", []):
        return found_in(source)
    told = [one for one in tokenize.generate_tokens(io.StringIO(source).readline) if one.type == tokenize.COMMENT]
    return found_in(source) + [one.string for one in told]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_no_cell_of_code_has_prose(path: Path) -> None:
    code = [one for one in cells(path) if one["cell_type"] == "code"]
    assert len(code) > 5
    assert [found for one in code for found in prose_of(one)] == []


@pytest.mark.parametrize(
    "line", ['print("the keys are old")', "ka.scope(a)  # what was judged", 'display("old keys")']
)
def test_prose_in_a_cell_of_code_is_found(line: str) -> None:
    assert prose_of({"source": [line], "metadata": {}})


def test_evidence_names_its_language(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert manifest(failing(tmp_path_factory))["language"] == "en"


def test_texts_that_are_read_in_parts_are_the_texts_of_the_whole_file() -> None:
    for language in languages():
        whole = tomllib.loads((PACKAGE / "data" / "texts" / f"{language}.toml").read_text(encoding="utf-8"))
        assert {name: template(name, language) for name in whole} == whole
        with pytest.raises(KeyError, match="no text 'nothing"):
            template("nothing.of.the_kind", language)
