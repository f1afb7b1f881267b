"""What keyaudit itself made, as data (``data/released.toml``): its notebooks, the style of its pages, and the rules
by which each version judged. What is not in that file was made by somebody else."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from keyaudit import __version__, resources
from keyaudit.schema import RULES

PARAMETERS, INJECTED = "parameters", "injected-parameters"
#: the numbers of a version, which say what its evidence has
Version = tuple[int, ...]
_NUMBER = re.compile(r"(0|[1-9][0-9]{0,5})(\.(0|[1-9][0-9]{0,5})){2}", re.ASCII)


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(resources.data("released.toml").read_text(encoding="utf-8"))


def cells_digest(cells: Iterable[Mapping[str, Any]]) -> str:
    """The SHA-256 of what a notebook says and does: kind, source and tags of all its cells, but not what it showed
    when it was last run."""
    told = [[cell["cell_type"], source_of(cell), sorted(_tags(cell))] for cell in cells]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


def executed_digest(cells: Sequence[Mapping[str, Any]]) -> str:
    """The digest of a notebook as it was before the run: without the one cell that gave it its parameters."""
    at = given_at(cells)
    return cells_digest(cell for number, cell in enumerate(cells) if number != at)


def given_at(cells: Sequence[Mapping[str, Any]]) -> int | None:
    """Where an executed notebook was given its parameters: in the code cell that has only that tag and comes
    directly after the (first) cell of parameters. Anywhere else, a cell with that tag is a cell like any other."""
    places = [number for number, cell in enumerate(cells) if PARAMETERS in _tags(cell)]
    at = places[0] + 1 if places else len(cells)
    is_given = at < len(cells) and cells[at]["cell_type"] == "code" and _tags(cells[at]) == [INJECTED]
    return at if is_given else None


def _tags(cell: Mapping[str, Any]) -> list[str]:
    return list(cell["metadata"].get("tags", []))


def source_of(cell: Mapping[str, Any]) -> str:
    """The text of a cell, which a file may hold line by line."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def is_ours(name: str, cells: str) -> bool:
    """Whether a notebook with this digest of its cells is keyaudit's own of that name, in any version."""
    return cells in _data()["notebooks"].get(name, [])


def is_our_style(style: str) -> bool:
    """Whether a style sheet, without its title, is one of keyaudit's."""
    return hashlib.sha256(style.encode()).hexdigest() in _data()["styles"]


def rules_of(version: str) -> list[int]:
    """The rules by which a version of keyaudit judged; none, if there is no such version."""
    return list(_data()["rules"].get(version, [])) + ([RULES] if version == __version__ else [])


def is_known(version: str) -> bool:
    """Whether such a version of keyaudit exists, as far as this one can know."""
    return bool(rules_of(version))


def is_later(version: str) -> bool:
    """Whether this is the number of a version later than this one and than all that it knows."""
    known = max(map(version_of, [*_data()["rules"], __version__]))
    return not is_known(version) and bool(_NUMBER.fullmatch(version)) and version_of(version) > known


def tells(version: str, fact: str) -> bool:
    """Whether the manifests of a version have a fact that earlier ones lack."""
    return version_of(version) >= version_of(_data()["since"][fact])


def words(key: str, **facts: Any) -> str:
    """A sentence as versions before 0.4.0 worded it, with its facts filled in."""
    text = _data()["words"][key]
    if isinstance(text, dict):
        text = text["one" if facts.get("n") == 1 else "other"]
    return str(text).format(**facts)


def version_of(text: str) -> Version:
    """``0.2.0`` as numbers that can be compared."""
    return tuple(int(number) for number in re.findall(r"\d{1,6}", text)[:3])
