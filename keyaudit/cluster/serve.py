"""The processes of a local cluster: a scheduler, and workers that are forks of its process before it has threads.

Run as ``python -P -m keyaudit.cluster.serve FILE WORKERS``. The lock on ``FILE.lock`` is held as long as any of
them lives. FILE appears when all workers are there, and goes when the cluster ends, on SIGTERM.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import dask.config
from distributed import Scheduler, Worker

from keyaudit.cluster.address import LOOPBACK
from keyaudit.files import private

PAUSE = 0.05  # seconds between two looks whether all workers are there
#: nothing is shown, nothing is written to disk, nothing waits for memory
SETTINGS = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
}
#: also for what Dask calls a dashboard, which here has no pages
HERE: dict[str, Any] = {"host": LOOPBACK, "dashboard_address": f"{LOOPBACK}:0", "dashboard": False}


def main() -> None:
    """Be the cluster until it is told to end."""
    import fcntl

    file, number = Path(sys.argv[1]), int(sys.argv[2])
    lock = os.open(f"{file}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    dask.config.set(SETTINGS)
    pipes = [_fork(place) for place in range(1, number + 1)]
    asyncio.run(_schedule(file, pipes))


def _fork(number: int) -> int:
    """A worker, which waits for the address of the scheduler; the pipe on which it is told."""
    read, write = os.pipe()
    if os.fork():
        os.close(read)
        return write
    os.close(write)
    code = 1
    try:
        with os.fdopen(read) as told:
            address = told.readline().strip()
        if address:
            asyncio.run(_work(address, f"local-{number}"))
        code = 0
    finally:
        os._exit(code)


async def _schedule(file: Path, pipes: list[int]) -> None:
    ended = _told_to_end()
    async with Scheduler(port=0, **HERE) as scheduler:
        for pipe in pipes:
            with os.fdopen(pipe, "w") as to:
                to.write(f"{scheduler.address}\n")
        while len(scheduler.workers) < len(pipes) and not ended.is_set():
            await asyncio.sleep(PAUSE)
        told = {"type": "Scheduler", "id": scheduler.id, "address": scheduler.address, "process": os.getpid()}
        _write(file, json.dumps(told).encode())
        await ended.wait()
        file.unlink(missing_ok=True)


async def _work(address: str, name: str) -> None:
    ended = _told_to_end()
    with tempfile.TemporaryDirectory(prefix="keyaudit-worker-", ignore_cleanup_errors=True) as folder:
        async with Worker(address, nthreads=1, name=name, local_directory=folder, **HERE) as worker:
            over = [asyncio.ensure_future(one) for one in (ended.wait(), worker.finished())]
            await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)


def _told_to_end() -> asyncio.Event:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    return ended


def _write(file: Path, content: bytes) -> None:
    """The whole file at once, for its owner alone."""
    new = file.with_name(f".{file.name}")
    with suppress(FileNotFoundError):
        new.unlink()
    with open(new, "xb", opener=private) as to:
        to.write(content)
    new.replace(file)


if __name__ == "__main__":
    main()
