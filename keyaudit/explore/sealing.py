"""Sealed evidence of a view: by the command, in a process of its own, for a kernel cannot run a notebook inside of
itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from keyaudit.evidence.contents import PAGE


@dataclass(frozen=True)
class Made:
    """The page of the evidence, relative to the working directory, if there is any; and what the command said."""

    page: Path | None
    said: str


def make(arguments: Sequence[str]) -> Made:
    """Give the command; its evidence goes to ``reports`` in the working directory, beside the notebook."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    folders = done.stdout.splitlines()
    pages = [Path(one) / PAGE for one in folders if (Path(one) / PAGE).is_file()]
    return Made(pages[0] if pages else None, done.stderr.strip())
