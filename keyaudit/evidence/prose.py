"""The prose of keyaudit's notebooks. It is a text like every other sentence, under the id of its cell; the files hold
it in English, so that it is there for who opens one in JupyterLab, and are made again from the texts by
``make sample``. Evidence in another language has it in that one."""

from __future__ import annotations

from typing import Any

from keyaudit.texts import say


def spoken_cells(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The cells of a notebook of keyaudit's, with their prose in the language that is spoken; KeyError for a cell
    of prose that there is no text of."""
    return [_spoken(cell) if cell["cell_type"] == "markdown" else cell for cell in cells]


def _spoken(cell: dict[str, Any]) -> dict[str, Any]:
    lines = say(f"notebook.{cell['id']}").splitlines(keepends=True)
    return {**cell, "source": lines}
