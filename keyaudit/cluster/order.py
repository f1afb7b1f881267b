"""What goes to a worker, and what comes back: bytes that nothing shows, and plain values."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from keyaudit import __version__
from keyaudit.schema import EvidenceError, InputError

#: what an answer is: the bytes that were asked for, an error of the function, a worker that must not be used, or
#: nothing, because the process that computed it has died
DONE, FAILED, REFUSED, DIED = "done", "failed", "refused", "died"


class RefusedError(InputError):
    """A worker must not be used: its words name it."""


class LostError(EvidenceError):
    """The scheduler has gone, or has ended a task by itself."""


class TaskError(Exception):
    """A task failed for good. ``kind`` is the class of keyaudit's own error that its function raised, if it was
    one; ``words`` are what that says."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind, self.words = kind, words


class Payload:
    """Bytes. Whatever shows, logs or lists them shows only how many they are."""

    __slots__ = ("content",)

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __repr__(self) -> str:
        return f"Payload({len(self.content):,} bytes)"

    def __reduce__(self) -> tuple[type[Payload], tuple[bytes]]:
        return Payload, (self.content,)

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + len(self.content)


@dataclass(frozen=True)
class Order:
    """A function ``module:function`` of bytes, the function that warms up the process for it, what a worker must
    have by name and version, and the bytes."""

    function: str
    warm: str
    same: tuple[tuple[str, str], ...]
    payload: Payload


@dataclass(frozen=True)
class Answer:
    """What came of an order: a kind (as above), the bytes if it was done, else the kind of error and its words; and
    by which worker."""

    kind: str
    payload: Payload
    error: str = ""
    words: str = ""
    worker: str = ""


def versions_of(distributions: Iterable[str]) -> dict[str, str]:
    """keyaudit's version, Python's without its last part, and those of distributions; empty for one that is not
    installed."""
    found = {"keyaudit": __version__, "Python": ".".join(platform.python_version_tuple()[:2])}
    for name in distributions:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


def difference(worker: str, same: Mapping[str, str]) -> str:
    """Why the worker of this process must not be used; empty if nothing is in the way."""
    own = versions_of(name for name in same if name not in ("keyaudit", "Python"))
    for name, wanted in same.items():
        if own[name] != wanted:
            has = f"has {name} {own[name]}" if own[name] else f"has no {name}"
            return f"the worker {worker} {has}, and this is {name} {wanted}; install the same on each worker"
    return ""
