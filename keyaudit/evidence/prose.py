"""The prose of keyaudit's notebooks: texts like every other sentence, under the ids of their cells.

The files hold it in English, for whoever opens one in JupyterLab, and ``make sample`` puts it there. Evidence in
another language has it in that language.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from keyaudit import resources
from keyaudit.texts import say

#: the tag of prose for whoever runs a notebook by hand, which is on no page
BY_HAND = "by-hand"


def new_notebook() -> bytes:
    """A notebook of one's own, to begin with, in the language that is spoken."""
    told = json.loads(resources.data("notebooks", "new.ipynb").read_bytes())
    whole = {**told, "cells": spoken_cells(told["cells"])}
    return f"{json.dumps(whole, indent=1, ensure_ascii=False)}\n".encode()


def spoken_cells(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The cells of a notebook of keyaudit's, with their prose in the language that is spoken; KeyError for a cell
    of prose that there is no text of."""
    return [_spoken(cell) if cell["cell_type"] == "markdown" else cell for cell in cells]


def is_by_hand(cell: Mapping[str, Any]) -> bool:
    """Whether a cell is prose that only whoever runs the notebook by hand reads."""
    return cell["cell_type"] == "markdown" and BY_HAND in cell["metadata"].get("tags", [])


def _spoken(cell: dict[str, Any]) -> dict[str, Any]:
    lines = say(f"notebook.{cell['id']}").splitlines(keepends=True)
    return {**cell, "source": lines}
