"""The prose of keyaudit's notebooks: texts like every other sentence, under the ids of their cells.

The files hold it in English, for whoever opens one in JupyterLab, and ``make sample`` puts it there. Evidence in
another language has it in that language.
"""

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
