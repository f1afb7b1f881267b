"""What is asked of ``keyaudit report``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Request:
    """What the user asked for. ``parameters`` are further ones of the notebook, by name; ``before``: earlier
    evidence, or a source, that a notebook compares with."""

    sources: Sequence[str]
    policy: str = ""
    as_of: str = ""
    notebook: str = "key_rotation"
    parameters: dict[str, Any] | None = None
    before: str = ""
    reports: Path = Path("reports")
    progress: bool = False
