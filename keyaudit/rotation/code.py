"""The function's code as it is deployed: the parts in ``function`` put together, without their comments, so that a
stack of many users fits in a template that is sent with the call.

The lines are those of the parts, each indented by one space a level; the syntax tree is the same but for the
docstrings, the annotations of functions and what is imported or named for them, and the tests run this text.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator

from keyaudit.resources import PACKAGE
from keyaudit.schema import FUNCTION_VERSION

FOLDER = PACKAGE / "rotation" / "function"
#: the parts, each below those that it imports
PARTS = ("basics", "clients", "notices", "secret", "iam_keys", "spare", "four_steps", "daily", "entry")
OURS = "keyaudit.rotation.function."
HEAD = f"# keyaudit/rotation/function, version {FUNCTION_VERSION}, without its comments\n"


def function_code() -> str:
    """The code, with a first line that says where to read it with its comments."""
    return HEAD + put_together([(FOLDER / f"{name}.py").read_text(encoding="utf-8") for name in PARTS])


def put_together(sources: Iterable[str]) -> str:
    """Modules as one, compact: what all of them import from elsewhere, and then each. ValueError where one name is
    that of two things."""
    bodies, imports = [], set[tuple[str, str]]()
    for source in sources:
        lines = source.splitlines()
        for node in ast.parse(source).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports |= set(_imported(node))
                lines[node.lineno - 1 : node.end_lineno] = [""] * (1 + (node.end_lineno or 0) - node.lineno)
        bodies.append(compact("\n".join(lines)))
    text = "".join(bodies)
    names = [name for node in ast.parse(text).body for name in _named(node)] + [name for _, name in imports]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"one name for two things: {', '.join(sorted(twice))}")
    text = _without_types(text)
    return "".join(_import_lines(imports, text)) + text


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """(module or nothing, name) of what is imported from elsewhere. ValueError for another name for it, or for all,
    which would be lost where parts are put together."""
    module = (node.module or ".") if isinstance(node, ast.ImportFrom) else ""
    for one in node.names:
        if one.asname or one.name == "*" or module.startswith(".") or "." in one.name:
            raise ValueError(f"not as parts import: {ast.unparse(node)}")
        if not module.startswith(OURS):
            yield module, one.name


def _import_lines(imports: set[tuple[str, str]], text: str) -> Iterator[str]:
    """Imports of what the text uses: annotations need more."""
    used = sorted((module, name) for module, name in imports if re.search(rf"\b{name}\b", text))
    yield from (f"import {name}\n" for module, name in used if not module)
    for module in sorted({module for module, _ in used if module}):
        yield f"from {module} import {', '.join(name for one, name in used if one == module)}\n"


def _without_types(text: str) -> str:
    """Without names of types, which annotations alone used."""
    tree, lines = ast.parse(text), text.splitlines(keepends=True)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    for node in tree.body:
        names = _named(node) if isinstance(node, ast.Assign) and node.lineno == node.end_lineno else []
        if names and all(re.match(r"[A-Z][a-z]", name) and name not in used for name in names):
            lines[node.lineno - 1] = ""
    return "".join(lines)


def _named(node: ast.stmt) -> list[str]:
    """What a statement of a module names."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    return [one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)]


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
    kept = [" " * ((len(line) - len(line.lstrip())) // 4) + line.lstrip() for line in lines if line.strip()]
    # brackets that are opened at the end of a line, or closed at the start of one: never in a string
    text = re.sub(r"(?<=[(\[{])\n +|\n +(?=[)\]}])", "", "\n".join(kept))
    return f"{text}\n" if text else ""


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
