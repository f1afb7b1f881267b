"""Where the files that are not code are: the package's data, and the notebooks in a wheel or a checkout."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from textwrap import indent
from typing import Any

PACKAGE = Path(__file__).resolve().parent


def data(*parts: str) -> Path:
    """A file of ``keyaudit/data``, for example ``data("policies", "cis.toml")``."""
    return PACKAGE.joinpath("data", *parts)


def notebooks() -> Path:
    """The folder of the notebooks: inside the package in a wheel, beside it in a checkout."""
    packaged = PACKAGE / "notebooks"
    return packaged if packaged.is_dir() else PACKAGE.parent / "notebooks"


def names(folder: str, suffix: str) -> list[str]:
    """The stems of the data files of a folder, sorted: the presets, the languages."""
    return sorted(path.stem for path in data(folder).glob(f"*{suffix}"))


def filled(template: Path, values: dict[str, str]) -> str:
    """The text of a template with each ``<<Name>>`` replaced by its value. If a name is alone on its line, its
    value gets the line's indent; if the value is empty, the line is removed. What was filled in is not looked at
    again."""

    def alone(found: re.Match[str]) -> str:
        value = values[found[2]]
        return indent(value.removesuffix("\n"), found[1]) + "\n" if value else ""

    text = template.read_text(encoding="utf-8")
    parts = re.split(r"^( *<<\w+>>\n)", text, flags=re.MULTILINE)
    whole = re.compile(r"( *)<<(\w+)>>\n")
    return "".join(
        alone(found) if (found := whole.fullmatch(part)) else re.sub(r"<<(\w+)>>", lambda one: values[one[1]], part)
        for part in parts
    )


@cache
def references() -> dict[str, dict[str, Any]]:
    """What reports may cite: name -> control numbers, and days if the reference states them."""
    return tomllib.loads(data("references.toml").read_text(encoding="utf-8"))
