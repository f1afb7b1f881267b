"""What runs in a worker of Dask: a thread that hands its task to the worker's hand, and waits for the answer."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from keyaudit.cluster.hand import DONE as ENDED
from keyaudit.cluster.hand import SIZE
from keyaudit.cluster.order import DIED, DONE, FAILED, REFUSED, Answer, Order, Payload, difference

#: seconds between two looks whether anybody still wants the answer
LOOK = 0.25
#: processes for one task: what kills the first may kill the second as well
ATTEMPTS = 3
#: how a worker is started that puts nothing on its disk
NO_SPILLING = "DASK_DISTRIBUTED__WORKER__MEMORY__SPILL=False DASK_DISTRIBUTED__WORKER__MEMORY__TARGET=False"


class _GoneError(Exception):
    """The process of a task has ended without an answer."""


class _UnwantedError(Exception):
    """The task was cancelled, or its worker closes."""


class _Holder:
    """The hand of this process, as this process sees it: a socket on which it takes tasks."""

    def __init__(self, warm: str) -> None:
        self._control, theirs = socket.socketpair()
        command = [sys.executable, "-P", "-m", "keyaudit.cluster.hand", str(theirs.fileno()), warm]
        with theirs:
            # not waited for: it ends when this process does, and its number is not used
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)

    def begin(self) -> socket.socket:
        """The socket of a new task; OSError if the hand has ended."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._control, [b"."], [theirs.fileno()])
            except OSError:
                ours.close()
                raise
        return ours

    def close(self) -> None:
        """End it, and what it has begun."""
        self._control.close()
        self._process.wait()


_lock = threading.Lock()
_holders: dict[str, _Holder] = {}


def prepare(warm: str, same: Mapping[str, str], dask_worker: Any) -> tuple[str, str, int]:
    """(its name, why the worker must not be used, its threads); if it may be used, its hand begins to warm up."""
    name = _name(dask_worker)
    wrong = _why_not(dask_worker, same)
    if not wrong:
        with _lock:
            _holder(warm)
    return name, wrong, int(dask_worker.state.nthreads)


def run(order: Order) -> Answer:
    """Run an order, and say what came of it: as a value, for an exception would be shown on its way."""
    from distributed import get_worker

    worker = get_worker()
    if wrong := _why_not(worker, dict(order.same)):
        return Answer(REFUSED, Payload(b""), words=wrong, worker=_name(worker))
    key = worker.get_current_task()
    for _ in range(ATTEMPTS):
        try:
            with _begun(order.warm) as channel:
                content = _Exchange(channel, lambda: _is_wanted(worker, key)).answer(order)
        except (_GoneError, OSError):
            continue
        except _UnwantedError:
            break
        return _answer(content, _name(worker))
    return Answer(DIED, Payload(b""), worker=_name(worker))


def _answer(content: bytes, worker: str) -> Answer:
    if content[:1] == ENDED:
        return Answer(DONE, Payload(content[1:]), worker=worker)
    error, words = json.loads(content[1:])
    return Answer(FAILED, Payload(b""), error, words, worker)


def _name(worker: Any) -> str:
    """The worker's name and address, which are often the same."""
    return worker.address if str(worker.name) == worker.address else f"{worker.name} ({worker.address})"


def _why_not(worker: Any, same: Mapping[str, str]) -> str:
    if wrong := difference(_name(worker), same):
        return wrong
    if not hasattr(os, "fork"):
        return f"the worker {_name(worker)} runs on a system that cannot fork; use workers on Linux"
    # what it holds is a plain dict, unless it may write that to its disk
    if not isinstance(worker.data, dict):
        return f"the worker {_name(worker)} may write to its disk what it is given; start it with {NO_SPILLING}"
    return ""


def _is_wanted(worker: Any, key: object) -> bool:
    task = worker.state.tasks.get(key)
    is_open = worker.status.name in ("running", "paused", "init", "closing_gracefully")
    return is_open and task is not None and task.state != "cancelled"


def _holder(warm: str) -> _Holder:
    """The hand that was warmed up in this way; to be called with the lock held."""
    if warm not in _holders:
        _holders[warm] = _Holder(warm)
    return _holders[warm]


@contextmanager
def _begun(warm: str) -> Iterator[socket.socket]:
    """The socket of a new task; closing it ends the task."""
    with _lock:
        try:
            channel = _holder(warm).begin()
        except OSError:
            _holders.pop(warm).close()
            channel = _holder(warm).begin()
    with channel:
        channel.settimeout(LOOK)
        yield channel


class _Exchange:
    """A task's side of its socket, which looks up now and then whether the answer is still wanted."""

    def __init__(self, channel: socket.socket, is_wanted: Callable[[], bool]) -> None:
        self._channel, self._is_wanted = channel, is_wanted

    def answer(self, order: Order) -> bytes:
        """The answer to an order. _GoneError if the process has ended, _UnwantedError if nobody wants it."""
        for content in (order.function.encode(), order.payload.content):
            self._send(SIZE.pack(len(content)))
            self._send(content)
        (size,) = SIZE.unpack(self._exactly(SIZE.size))
        return self._exactly(size)

    def _send(self, content: bytes) -> None:
        left = memoryview(content)
        while left:
            try:
                left = left[self._channel.send(left) :]
            except TimeoutError:
                self._look()

    def _exactly(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            try:
                part = self._channel.recv(min(size - len(found), 2**20))
            except TimeoutError:
                self._look()
                continue
            if not part:
                raise _GoneError
            found += part
        return bytes(found)

    def _look(self) -> None:
        if not self._is_wanted():
            raise _UnwantedError
