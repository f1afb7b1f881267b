"""What a report cannot tell: which controls conclude nothing for that."""

from __future__ import annotations

from typing import NamedTuple


class Gap(NamedTuple):
    """Controls of an account for which nothing is concluded, and the sentence that says why. ``is_usual``: evidence
    of its kind is never without it."""

    controls: tuple[str, ...]
    message: str
    is_usual: bool = False
