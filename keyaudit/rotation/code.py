"""The function's code as it is deployed: ``handler.py`` without its comments, so that a stack of many users fits
in a template that is sent with the call.

The lines are those of ``handler.py``, each indented by one space a level; the syntax tree is the same but for the
docstrings, the annotations of functions and what is imported for them, and the tests run this text.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from keyaudit.resources import PACKAGE

HANDLER = PACKAGE / "rotation" / "handler.py"
HEAD = "# keyaudit/rotation/handler.py, version {version}, without its comments: read it there\n"


def function_code() -> str:
    """The code, with a first line that says where to read it with its comments."""
    source = HANDLER.read_text(encoding="utf-8")
    version = re.search(r'^VERSION = "(\w+)"$', source, re.MULTILINE)
    assert version
    return HEAD.format(version=version[1]) + compact(source)


def compact(source: str) -> str:
    """Python without docstrings, annotations of functions, comments and empty lines, indented by one space for each
    four.

    Only for code like the handler's: ASCII, which has no string of several lines but docstrings.
    """
    lines = source.splitlines()
    for line, start in _comments(source):
        lines[line - 1] = lines[line - 1][:start].rstrip()
    for line, start, end in sorted(set(_annotations(ast.parse(source))), reverse=True):
        lines[line - 1] = lines[line - 1][:start] + lines[line - 1][end:]
    for first, last, stands_alone in _docstrings(ast.parse(source)):
        indent = lines[first - 1][: len(lines[first - 1]) - len(lines[first - 1].lstrip())]
        lines[first - 1 : last] = [f"{indent}..." if stands_alone else ""] + [""] * (last - first)
    kept = [line for line in lines if line.strip()]
    kept = [line for line in kept if _is_needed(line, kept)]
    return "".join(" " * ((len(line) - len(line.lstrip())) // 4) + line.lstrip() + "\n" for line in kept)


def _is_needed(line: str, lines: list[str]) -> bool:
    """Whether a line imports something that the others use, or is none of these: annotations need no more."""
    found = re.fullmatch(r"from [\w.]+ import (\w+)", line)
    return not found or any(re.search(rf"\b{found[1]}\b", other) for other in lines if other is not line)


def _comments(source: str) -> Iterator[tuple[int, int]]:
    """Line and first column of each comment."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start


def _docstrings(tree: ast.Module) -> list[tuple[int, int, bool]]:
    """First and last line of each docstring, and whether the body is nothing else."""
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef)
    found = [(one, one.body[0]) for one in ast.walk(tree) if isinstance(one, owners) and ast.get_docstring(one)]
    return [(text.lineno, text.end_lineno or text.lineno, len(one.body) == 1) for one, text in found]


def _annotations(tree: ast.Module) -> Iterator[tuple[int, int, int]]:
    """Line, first and last column of each annotation of an argument, of what is returned, and of a local name."""
    for one in ast.walk(tree):
        if isinstance(one, ast.FunctionDef):
            arguments = [
                *one.args.posonlyargs,
                *one.args.args,
                *one.args.kwonlyargs,
                one.args.vararg,
                one.args.kwarg,
            ]
            for argument in arguments:
                if argument and (said := argument.annotation):
                    yield said.lineno, argument.col_offset + len(argument.arg), said.end_col_offset or 0
            if one.returns:
                yield one.returns.lineno, one.returns.col_offset - len(" -> "), one.returns.end_col_offset or 0
            for local in (inner for inner in ast.walk(one) if isinstance(inner, ast.AnnAssign) and inner.value):
                yield local.lineno, local.target.end_col_offset or 0, local.annotation.end_col_offset or 0
