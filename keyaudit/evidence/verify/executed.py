"""An executed notebook as JSON: its cells, what each cell shows, and what it should show of a judgement.

What a cell of keyaudit's own notebooks should show follows from the calls in it, which are made again. Charts are
an exception, because drawing them takes longer than all the rest.
"""

from __future__ import annotations

import ast
import io
import json
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keyaudit
from keyaudit.evidence.contents import NOTEBOOK
from keyaudit.evidence.prose import is_by_hand
from keyaudit.evidence.released import executed_digest, given_at, source_of
from keyaudit.evidence.verify import markup

#: the format of notebooks that keyaudit writes
FORMAT = 4
#: what papermill writes over the parameters
HEADING = "# Parameters"
#: rooms whose values are made again, because they draw nothing
REMADE = ("keyaudit.present", "keyaudit.present.over_period", "keyaudit.rotation.plan")
#: the room whose values are charts
DRAWN = "keyaudit.charts"


@dataclass(frozen=True)
class Output:
    """What a cell shows, as text and as HTML, and its metadata. ``kind`` is nbformat's, with the stream if it is
    one."""

    kind: str
    text: str
    html: str
    metadata: Mapping[str, Any]
    others: tuple[str, ...]  # further kinds of content that a viewer might prefer

    @cached_property
    def seen(self) -> markup.Seen:
        """What its HTML shows."""
        return markup.read(self.html)


@dataclass(frozen=True)
class Cell:
    """A cell of an executed notebook; one ``is_by_hand`` is on no page."""

    kind: str
    source: str
    is_injected: bool
    is_by_hand: bool
    outputs: tuple[Output, ...]


@dataclass(frozen=True)
class Expected:
    """What an output should be. ``call`` names the call that made it; ``text`` is None if it was not made again,
    and ``is_chart`` tells that this is because it is drawn."""

    call: str
    text: str | None = None
    html: str = ""
    value: Any = None
    is_chart: bool = False


def read(content: bytes) -> tuple[list[Cell], str]:
    """(the cells of a notebook, their digest); ValueError, KeyError or TypeError if it is not a notebook."""
    notebook = json.loads(content)
    if type(notebook["nbformat"]) is not int or notebook["nbformat"] != FORMAT:
        raise ValueError("nbformat")
    told = list(notebook["cells"])
    at = given_at(told)
    cells = [
        Cell(
            str(one["cell_type"]),
            source_of(one),
            number == at,
            is_by_hand(one),
            tuple(_output(output) for output in one.get("outputs", [])),
        )
        for number, one in enumerate(told)
    ]
    return cells, executed_digest(told)


def _output(told: Mapping[str, Any]) -> Output:
    data = told.get("data", {})
    stream = f" {told['name']}" if "name" in told else ""
    return Output(
        f"{told['output_type']}{stream}",
        _joined(data.get("text/plain", "")),
        _joined(data.get("text/html", "")),
        told.get("metadata", {}),
        tuple(sorted(set(data) - {"text/plain", "text/html"})),
    )


def _joined(text: Any) -> str:
    return text if isinstance(text, str) else "".join(text)


def parameters_of(cell: Cell) -> dict[str, Any]:
    """The parameters that a run was given; ValueError if the cell does anything but set each of them once."""
    found: dict[str, Any] = {}
    for statement in ast.parse(cell.source).body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if not isinstance(statement, ast.Assign) or len(targets) != 1 or not isinstance(targets[0], ast.Name):
            raise ValueError("no parameter")
        if targets[0].id in found:
            raise ValueError("twice")
        found[targets[0].id] = ast.literal_eval(statement.value)
    if not _comments(cell.source) <= {HEADING}:
        raise ValueError("words")
    return found


def odd_parameters(cells: list[Cell], told: Mapping[str, Any]) -> list[str]:
    """What is wrong with the cell of parameters, which must set those that the manifest tells."""
    injected = [cell for cell in cells if cell.is_injected]
    try:
        given: dict[str, Any] = {}
        for cell in injected:
            given |= parameters_of(cell)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return [f"{NOTEBOOK}: the cell of its parameters does something else"]
    if given != told or any(cell.outputs for cell in injected):
        return [f"{NOTEBOOK}: its parameters are not those of the manifest"]
    return []


def _comments(source: str) -> set[str]:
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except tokenize.TokenError as error:
        raise ValueError(str(error)) from None
    return {token.string for token in tokens if token.type == tokenize.COMMENT}


def expected(cell: Cell, known: Mapping[str, Any]) -> list[Expected] | None:
    """What the last expression of a cell shows, one entry for each output; None if the number of outputs is not
    known. ``known``: the values of its names."""
    lines = [line for line in cell.source.splitlines() if not line.lstrip().startswith("%")]
    body = ast.parse("\n".join(lines)).body
    if not body or not isinstance(body[-1], ast.Expr):
        return []
    value = body[-1].value
    if isinstance(value, ast.IfExp):
        if not _holds(value.test, known):
            return []
        value = value.body
    is_display = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "display"
    shown = value.args if is_display and isinstance(value, ast.Call) else [value]
    made = [_made_of(each, known) for one in shown for each in _on_desk(one, known)]
    return None if any(one is None for one in made) else [each for one in made for each in one or []]


def _on_desk(shown: ast.expr, known: Mapping[str, Any]) -> list[ast.expr]:
    """The calls that a cell of the explorer stands for, ``desk.show(ka.scope)`` for ``ka.scope(a)``; of those that
    compare, the last one tells that there is nothing to compare with."""
    match shown:
        case ast.Call(func=ast.Attribute(value=ast.Name("desk"), attr="show"), args=tables, keywords=[]):
            return [ast.Call(one, [ast.Name("a")], []) for one in tables]
        case ast.Call(func=ast.Attribute(value=ast.Name("desk"), attr="compare"), args=tables, keywords=[]):
            meant = tables if known.get("b") is not None else tables[-1:]
            return [ast.Call(one, [ast.Name("b"), ast.Name("a")], []) for one in meant]
    return [shown]


def _holds(test: ast.expr, known: Mapping[str, Any]) -> bool:
    """Whether there is more than one of what a cell shows only then (``len(a.accounts) > 1``), or the judgement
    that it compares with (``b``); ValueError for any other condition."""
    match test:
        case ast.Name(name):
            return known.get(name) is not None
        case ast.Compare(
            left=ast.Call(func=ast.Name("len"), args=[ast.Attribute(value=ast.Name(name), attr=part)]),
            ops=[ast.Gt()],
            comparators=[ast.Constant(1)],
        ):
            return len(getattr(known[name], part)) > 1
    raise ValueError(ast.unparse(test))


def _made_of(shown: ast.expr, known: Mapping[str, Any]) -> list[Expected] | None:
    """What one argument shows: a starred argument shows one chart for each judgement that it goes through."""
    if not isinstance(shown, ast.Starred):
        return [_made(shown, known)]
    match shown.value:
        case ast.GeneratorExp(elt=ast.Call() as call, generators=[ast.comprehension(iter=ast.Tuple(elts=names))]):
            through = [known.get(one.id) for one in names if isinstance(one, ast.Name)]
            return [_made(call, {})] * sum(one is not None for one in through)
    return None


def _made(shown: ast.expr, known: Mapping[str, Any]) -> Expected:
    call = ast.unparse(shown.func) if isinstance(shown, ast.Call) else ast.unparse(shown)
    try:
        value = _value(shown, known)
    except LookupError:
        return Expected(call, is_chart=keyaudit.home_of(call.removeprefix("ka.")).startswith(DRAWN))
    is_shown = hasattr(value, "_repr_html_")
    return Expected(call, repr(value), value._repr_html_(), value) if is_shown else Expected(call)


def _value(shown: ast.expr, known: Mapping[str, Any]) -> Any:
    """The value of a call of ours with names as arguments; LookupError if it is not made again."""
    if isinstance(shown, ast.Name):
        return known[shown.id]
    if not isinstance(shown, ast.Call) or shown.keywords or not isinstance(shown.func, ast.Attribute):
        raise LookupError(ast.dump(shown))
    if keyaudit.home_of(shown.func.attr) not in REMADE:
        raise LookupError(shown.func.attr)
    return getattr(keyaudit, shown.func.attr)(*(_value(one, known) for one in shown.args))


def shown(cells: list[Cell]) -> Iterator[Output]:
    """The part of a notebook that is on its page."""
    return (one for cell in cells for one in cell.outputs if one.kind in ("display_data", "execute_result"))
