"""A worker that keyaudit must refuse: ``python strange_worker.py SCHEDULER NAME VERSION IS_SPILLING``."""

from __future__ import annotations

import asyncio
import sys

import dask.config

import keyaudit

address, name, version, is_spilling = sys.argv[1:]
keyaudit.__version__ = version or keyaudit.__version__
if is_spilling == "no":
    dask.config.set({"distributed.worker.memory.target": False, "distributed.worker.memory.spill": False})
dask.config.set({"distributed.worker.http.routes": []})


async def work() -> None:
    from distributed import Worker

    here = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "dashboard": False}
    async with Worker(address, nthreads=1, name=name, **here) as worker:
        print("up", flush=True)
        await worker.finished()


asyncio.run(work())
