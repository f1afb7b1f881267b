"""Every sentence that reaches a report is in data/texts: code emits ids and facts (DESIGN.md, "Language")."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from evidence_helpers import failing, manifest

from keyaudit.assess.rotated_proof import BECAME_CURRENT, IN_GRACE, MADE, STORED
from keyaudit.present.rotation import EVENTS

PACKAGE = Path(__file__).resolve().parents[1] / "keyaudit"
#: rooms whose words stand in reports
ROOMS = (
    "assess", "auditing", "captured", "changed.py", "charts", "credentials", "export.py", "model", "present",
    "reconcile", "sources",
)  # fmt: skip
#: modules whose messages are those of files that are refused, put together in pieces: still English, as every error
REFUSALS = {"credentials/answers.py", "credentials/columns.py", "credentials/unwrap.py"}
MODULES = sorted(
    path
    for room in ROOMS
    for path in ([PACKAGE / room] if room.endswith(".py") else sorted((PACKAGE / room).rglob("*.py")))
    if path.relative_to(PACKAGE).as_posix() not in REFUSALS
)
#: what a deployed function logs: words of a protocol, the same in every language
LOGGED = {*EVENTS, *STORED, *MADE, *BECAME_CURRENT, *IN_GRACE}
#: three words in a row are English
SENTENCE = re.compile(r"[A-Za-z]{2,},? [a-z]{2,},? [a-z]{2,}")
#: what reaches no report: help of options, and what is said to whoever gave the command (whose file is refused)
COMMANDS = {"InputError", "PolicyError", "EvidenceError", "TypeError", "ValueError", "AssertionError"}


def sentences(source: str) -> list[str]:
    """The literals of a module that read as English, but for docstrings and the messages of commands."""
    return [text for text in _literals(ast.parse(source)) if SENTENCE.search(text) and text not in LOGGED]


def _literals(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in COMMANDS:
        return
    if isinstance(node, ast.keyword) and node.arg == "help":
        return
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(one.value) if isinstance(one, ast.Constant) else "x" for one in node.values)
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):  # a docstring
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from _literals(child)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_sentence_of_a_report_is_in_code(path: Path) -> None:
    assert sentences(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "code",
    [
        'warn("an empty cell is here")',
        'warn(f"{place}: the name is not that of {arn}")',
        'X = {"a": "no such row there"}',
        'say("a" if b else "it was not read")',
    ],
)
def test_a_sentence_is_found(code: str) -> None:
    assert sentences(code)


@pytest.mark.parametrize(
    "code", ['"""A word on this."""', 'say("read.no_zone")', 'raise InputError("give one of both")']
)
def test_ids_docstrings_and_messages_of_commands_are_none(code: str) -> None:
    assert not sentences(code)


def test_evidence_names_its_language(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert manifest(failing(tmp_path_factory))["language"] == "en"
