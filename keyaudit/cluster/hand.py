"""The hand of a worker: one process with one thread that has imported everything, and forks for each task.

A worker of Dask has threads, so a fork of it may hang; a fork of this process cannot. Run as ``python -P -m
keyaudit.cluster.hand DESCRIPTOR MODULE:FUNCTION``: the worker's end of the socket is the only other thing that it
knows, and the function warms it up. For each task, the worker passes a socket. The fork reads from it the name of a
function and its bytes, and answers there. If the worker closes the socket, because nobody wants the answer or
because it has died, the fork and all that it started are killed.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import struct
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NoReturn

from keyaudit.schema import KeyAuditError

#: before the bytes of an answer: whether they are the answer, or say why there is none
DONE, FAILED = b"+", b"-"
SIZE = struct.Struct("!Q")


@dataclass(frozen=True)
class _Task:
    """A fork, the socket on which it answers, and the folder of its temporary files."""

    pid: int
    channel: socket.socket
    folder: str


def main() -> None:
    """Warm up, then fork for each task until the worker has gone."""
    control = socket.socket(fileno=int(sys.argv[1]))
    # what ends the worker ends this process too: its end of the socket is closed then
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    named(sys.argv[2])()
    with tempfile.TemporaryDirectory(prefix="keyaudit-hand-", ignore_cleanup_errors=True) as folder:
        _Hand(control, folder).serve()


def named(name: str) -> Callable[..., Any]:
    """The function ``module:function``."""
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found


class _Hand:
    def __init__(self, control: socket.socket, folder: str) -> None:
        self._control, self._folder = control, folder
        self._tasks: dict[int, _Task] = {}
        self._ended, ends = socket.socketpair()  # written to when a fork ends
        for one in (self._ended, ends):
            one.setblocking(False)
        self._ends = ends
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(ends.fileno(), warn_on_full_buffer=False)

    def serve(self) -> None:
        poll = select.poll()
        for one in (self._control, self._ended):
            poll.register(one, select.POLLIN)
        while True:
            for descriptor, event in poll.poll():
                if descriptor == self._ended.fileno():
                    with suppress(BlockingIOError):
                        self._ended.recv(4096)
                elif descriptor == self._control.fileno():
                    if not self._begin(poll):
                        self._end_all()
                        return
                elif event:  # the worker has closed its end
                    _kill(self._tasks[descriptor])
                    poll.unregister(descriptor)
            self._reap(poll)

    def _begin(self, poll: select.poll) -> bool:
        """Fork for the next task; whether there is a worker that may have more."""
        asked, descriptors, *_ = socket.recv_fds(self._control, 1, 1)
        if not asked or not descriptors:
            return False
        channel = socket.socket(fileno=descriptors[0])
        folder = tempfile.mkdtemp(prefix="t", dir=self._folder)
        pid = os.fork()
        if pid == 0:
            others = [self._control, self._ended, self._ends, *(one.channel for one in self._tasks.values())]
            _work(channel, folder, others)
        self._tasks[channel.fileno()] = _Task(pid, channel, folder)
        poll.register(channel, 0)  # only that the other end was closed
        return True

    def _reap(self, poll: select.poll) -> None:
        """Clean up after the forks that have ended."""
        for descriptor, task in list(self._tasks.items()):
            if not os.waitid(os.P_PID, task.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                continue
            with suppress(KeyError):
                poll.unregister(descriptor)
            del self._tasks[descriptor]
            _clean(task)

    def _end_all(self) -> None:
        for task in self._tasks.values():
            _kill(task)
        for task in self._tasks.values():
            _clean(task)


def _kill(task: _Task) -> None:
    """End a fork and what it has started; not yet waited for, so that its number is still its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(task.pid, signal.SIGKILL)
    with suppress(ProcessLookupError):  # if it was not yet the leader of its group
        os.kill(task.pid, signal.SIGKILL)


def _clean(task: _Task) -> None:
    _kill(task)  # a kernel that it left behind
    os.waitpid(task.pid, 0)
    task.channel.close()
    shutil.rmtree(task.folder, ignore_errors=True)


def _work(channel: socket.socket, folder: str, others: list[socket.socket]) -> NoReturn:
    """A fork's whole life."""
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        for one in others:
            one.close()
        # what libraries print may name what is read, and a worker's log is not the caller's
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        tempfile.tempdir = os.environ["TMPDIR"] = folder
        os.chdir(folder)
        send(channel, _answer(receive(channel).decode(), receive(channel)))
    finally:
        os._exit(0)


def _answer(function: str, content: bytes) -> bytes:
    """The answer of a function, or what it raised: the words of our own errors, and of others only their type."""
    try:
        return DONE + bytes(named(function)(content))
    except KeyAuditError as error:
        return FAILED + json.dumps([type(error).__name__, str(error)]).encode()
    except BaseException as error:
        return FAILED + json.dumps(["", type(error).__name__]).encode()


def send(channel: socket.socket, content: bytes) -> None:
    """Bytes, and before them how many they are."""
    channel.sendall(SIZE.pack(len(content)))
    channel.sendall(content)


def receive(channel: socket.socket) -> bytes:
    """The bytes that were sent; EOFError if the other side closes before their end."""
    (size,) = SIZE.unpack(_exactly(channel, SIZE.size))
    return _exactly(channel, size)


def _exactly(channel: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        part = channel.recv(min(size - len(found), 2**20))
        if not part:
            raise EOFError
        found += part
    return bytes(found)


if __name__ == "__main__":
    main()
