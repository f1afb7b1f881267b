"""Where the files that are not code are: the package's data, and the notebooks in a wheel or a checkout."""

from __future__ import annotations

from pathlib import Path

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
