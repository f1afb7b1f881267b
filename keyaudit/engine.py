"""Who does the work: this process, or several processes of this machine (``concurrent.futures.Executor``).

Whoever has work for many hands takes an engine and gives it functions of plain values; results come in the order of
the items, whoever computed them.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from keyaudit.imports import seldom_collect
from keyaudit.texts import language, speak

if TYPE_CHECKING:
    from concurrent.futures import Executor

#: the number of folders from which further processes pay off
WORTH_PROCESSES = 8
T = TypeVar("T")
R = TypeVar("R")


def can_fork() -> bool:
    """Whether a fork of this process is safe: in it, a lock that another thread holds is never given back."""
    return sys.platform == "linux" and threading.active_count() == 1


@contextmanager
def processes(number: int) -> Iterator[Executor | None]:
    """So many processes of this machine; None for one, which is this process itself.

    They are forks of this process where that is safe: what was imported need not be imported again. Elsewhere they
    are spawned.
    """
    if number <= 1:
        yield None
        return
    # a start-up does not pay for what one process does not need
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    try:
        pool = ProcessPoolExecutor(number, get_context("fork" if can_fork() else "spawn"), _begin, (language(),))
    except (OSError, ImportError):  # a system without semaphores, as some containers are
        yield None
        return
    with pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def each(engine: Executor | None, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """``function`` of each item, in the order of the items."""
    return map(function, items) if engine is None else engine.map(function, items)


def spread(function: Callable[[T], R], folders: Sequence[T], jobs: int | None = None) -> Iterator[R]:
    """``function`` of each folder, in their order; by so many processes, or else by as many as there are
    processors, if that pays."""
    worth = os.cpu_count() or 1 if len(folders) >= WORTH_PROCESSES else 1
    with processes(min(jobs or worth, len(folders))) as engine:
        yield from each(engine, function, folders)


def _begin(spoken: str) -> None:
    """Speak the language of the process that asks. Ctrl-C is meant for that one: this one finishes what it is
    doing."""
    seldom_collect()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    speak(spoken)
