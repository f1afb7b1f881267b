"""Work in forks of this process, each with threads of its own: threads of one interpreter compute one at a time,
and a call through boto3 computes for milliseconds.

A fork has the function and all that it refers to, credentials included, in its copy of this process's memory: only
numbers of items go to it, and results come back. It ends when this process does, or no longer wants its results,
whatever its threads wait for.
"""

from __future__ import annotations

import gc
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, count
from multiprocessing.connection import Connection, Pipe
from typing import Generic, NoReturn, TypeVar, cast

from keyaudit.aws.workers import each
from keyaudit.engine import can_fork

PROCESSORS = os.cpu_count() or 1
#: items for each process from which it pays off
WORTH = 4
#: items after which a fork looks for garbage: clients of boto3 go only then
TIDY = 16
T = TypeVar("T")
R = TypeVar("R")


@contextmanager
def by_forks(
    function: Callable[[T], R], items: Sequence[T], at_once: int, processors: int = PROCESSORS
) -> Iterator[Iterator[R]]:
    """``function`` of each item, in the order in which they are done, so many at once: by as many processes as
    there are processors if that pays and the system lets this one be forked, or else by threads of this one.

    An exception of ``function`` is raised where the results are read, and no further item is begun. So is
    ChildProcessError, if a process was ended by somebody else.
    """
    number = min(processors, at_once, len(items) // WORTH)
    forks = _begun(lambda place: function(items[place]), number, -(-at_once // number)) if number > 1 else None
    if forks is None:
        yield (result for _, result in each(function, items, at_once))
        return
    with forks:
        yield (result for _, result in each(forks.ask, range(len(items)), at_once))


def _begun(function: Callable[[int], R], number: int, threads: int) -> _Forks[R] | None:
    """So many forks, or None where there can be none."""
    try:
        return _Forks(function, number, threads) if can_fork() else None
    except OSError:  # too many processes, or open files
        return None


class _Forks(Generic[R]):
    """So many forks, each of which works on so many items at once."""

    def __init__(self, function: Callable[[int], R], number: int, threads: int) -> None:
        self._pids: list[int] = []
        over, self._end = os.pipe()
        lanes: list[list[Connection]] = []
        gc.freeze()  # a fork copies what it looks through for garbage
        # Ctrl-C is meant for this process: forks never let it in
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            for _ in range(number):
                pairs = [Pipe() for _ in range(threads)]
                pid = os.fork()
                if pid == 0:
                    os.close(self._end)
                    for one in chain(*lanes, (ours for ours, _ in pairs)):
                        one.close()
                    _serve(function, [theirs for _, theirs in pairs], over)
                self._pids.append(pid)
                for _, theirs in pairs:
                    theirs.close()
                lanes.append([ours for ours, _ in pairs])
        except OSError:
            self._leave()
            raise
        finally:
            os.close(over)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._idle: queue.SimpleQueue[Connection] = queue.SimpleQueue()
        for lane in chain.from_iterable(zip(*lanes, strict=True)):
            self._idle.put(lane)

    def __enter__(self) -> _Forks[R]:
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def _leave(self) -> None:
        os.close(self._end)
        for pid in self._pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)  # one that was stopped does not see that it may end
        for pid in self._pids:
            with suppress(ChildProcessError):  # where ends of children are ignored, nothing is left to wait for
                os.waitpid(pid, 0)

    def ask(self, place: int) -> R:
        """What the function gives or raises for the item at the place, from the fork that has been idle longest."""
        lane = self._idle.get()
        try:
            lane.send(place)
            found, error = lane.recv()
        except (EOFError, OSError):
            raise ChildProcessError from None
        self._idle.put(lane)
        if error is not None:
            raise error
        return cast(R, found)


def _serve(function: Callable[[int], R], lanes: Sequence[Connection], over: int) -> NoReturn:
    """A fork's whole life: a thread for each lane, until nobody holds the other end of the pipe any more."""
    try:
        done = count(1)
        for one in lanes:
            threading.Thread(target=_answer, args=(function, one, done), daemon=True).start()
        os.read(over, 1)
    finally:
        os._exit(0)


def _answer(function: Callable[[int], R], lane: Connection, done: Iterator[int]) -> NoReturn:
    try:
        while True:
            lane.send(_outcome(function, lane.recv()))
            if next(done) % TIDY == 0:
                gc.collect()
    finally:
        os._exit(0)


def _outcome(function: Callable[[int], R], place: int) -> tuple[R | None, BaseException | None]:
    try:
        return function(place), None
    except BaseException as error:  # it is raised where the results are read
        return None, error
