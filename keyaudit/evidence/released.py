"""What keyaudit itself made, as data (``data/released.toml``): its notebooks, the style of its pages, and by which
rules each version judged. What is not in there, somebody else made."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from keyaudit import __version__, resources
from keyaudit.schema import RULES

INJECTED = "injected-parameters"
#: the two parts of a version that say what evidence of it has
Version = tuple[int, ...]


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(resources.data("released.toml").read_text(encoding="utf-8"))


def cells_digest(cells: Iterable[Mapping[str, Any]]) -> str:
    """SHA-256 over what a notebook says and does: kind, source and tags of its cells; not what it showed when it
    was last run, nor the cell in which a run was given its parameters."""
    told = [
        [cell["cell_type"], source_of(cell), sorted(cell["metadata"].get("tags", []))]
        for cell in cells
        if INJECTED not in cell["metadata"].get("tags", [])
    ]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


def source_of(cell: Mapping[str, Any]) -> str:
    """The text of a cell; a file may hold it line by line."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def is_ours(name: str, cells: str) -> bool:
    """Whether a notebook with this digest of its cells is the one that keyaudit calls so, of any version."""
    return cells in _data()["notebooks"].get(name, [])


def is_our_style(style: str) -> bool:
    """Whether a style sheet, with its title taken out, is one of keyaudit's."""
    return hashlib.sha256(style.encode()).hexdigest() in _data()["styles"]


def rules_of(version: str) -> list[int]:
    """The rules by which a version of keyaudit judged; those of this one, if it is not known."""
    return list(_data()["rules"].get(version, [RULES])) + ([RULES] if version == __version__ else [])


def version_of(text: str) -> Version:
    """``0.2.0`` as numbers that can be compared."""
    return tuple(int(number) for number in re.findall(r"\d{1,6}", text)[:3])
