"""How progress is shown to whoever waits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """The same items, one after the other, while something tells how many of the ``total`` are done."""

    def __call__(self, items: Iterator[T], total: int) -> Iterable[T]: ...
