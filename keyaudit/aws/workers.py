"""Work in threads that nobody has to wait for: a call that is never answered must hold up neither a run nor its
end.

Threads here are daemons, unlike those of ``concurrent.futures``, which are joined when the interpreter ends.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


#: seconds after which a thread that waits looks up: a signal that the system gave to another thread, as it may, is
#: noticed only then
LOOK = 0.5


class LateError(Exception):
    """The time allowed is over; what is still running is left to itself."""


def within(until: float, function: Callable[[], R]) -> R:
    """``function()``, or LateError once the monotonic clock reaches ``until``."""
    ((_, found),) = each(lambda _: function(), [None], 1, until)
    return found


def each(
    function: Callable[[T], R], items: Iterable[T], workers: int, until: float | None = None
) -> Iterator[tuple[T, R]]:
    """``(item, function(item))`` in the order in which they are done, by so many threads at once.

    An exception of ``function`` is raised here, and no further item is begun. LateError at ``until``.
    ChildProcessError if the system begins no thread at all; if it begins too few, these do the work.
    """
    todo = list(items)
    waiting = iter(todo)
    taking = threading.Lock()
    over = threading.Event()
    done: queue.SimpleQueue[tuple[T, R] | BaseException] = queue.SimpleQueue()

    def work() -> None:
        while not over.is_set():
            with taking:
                try:
                    item = next(waiting)
                except StopIteration:
                    return
            try:
                done.put((item, function(item)))
            except BaseException as error:  # the error is raised where the results are read
                done.put(error)

    threads = _started(work, min(workers, len(todo)))
    try:
        for _ in todo:
            found = _next(done, until)
            if isinstance(found, BaseException):
                raise found
            yield found
        for one in threads:
            one.join()  # at once: all is done. This process may be forked now, if it has no others
    finally:
        over.set()


def _started(work: Callable[[], None], number: int) -> list[threading.Thread]:
    threads: list[threading.Thread] = []
    for _ in range(number):
        one = threading.Thread(target=work, daemon=True)
        try:
            one.start()
        except RuntimeError:  # there are too many, or there is too little memory for its stack
            if not threads:
                raise ChildProcessError from None
            break
        threads.append(one)
    return threads


def _next(done: queue.SimpleQueue[T], until: float | None) -> T:
    """The next thing that is done; LateError at ``until``."""
    while True:
        left = LOOK if until is None else min(LOOK, until - time.monotonic())
        try:
            return done.get(timeout=max(0, left))
        except queue.Empty:
            if left < LOOK:
                raise LateError from None


class Pace:
    """At most so many calls per second, evenly spaced, whichever thread makes them."""

    def __init__(self, rate: float) -> None:
        self._gap = 1 / rate
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next call may be made."""
        with self._lock:
            now = time.monotonic()
            slot = max(now, self._next)
            self._next = slot + self._gap
        if slot > now:
            time.sleep(slot - now)
