"""Where the files that are not code are: the package's data, and the notebooks in a wheel or a checkout."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
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


@cache
def references() -> dict[str, dict[str, Any]]:
    """What reports may cite: name -> control numbers, and days where it states them."""
    return tomllib.loads(data("references.toml").read_text(encoding="utf-8"))
