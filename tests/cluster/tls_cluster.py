"""A scheduler and a worker with TLS: ``python tls_cluster.py FOLDER`` puts the certificates there and prints the
address."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import dask.config
from distributed import Scheduler, Security, Worker

security = Security.temporary()
files = {"ca.pem": security.tls_ca_file, "cert.pem": security.tls_client_cert, "key.pem": security.tls_client_key}
for name, text in files.items():
    Path(sys.argv[1], name).write_text(text, encoding="ascii")
for room in ("scheduler", "worker"):
    dask.config.set({f"distributed.{room}.http.routes": []})
dask.config.set({"distributed.worker.memory.target": False, "distributed.worker.memory.spill": False})
HERE = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "dashboard": False, "security": security}


async def serve() -> None:
    async with (
        Scheduler(protocol="tls", port=0, **HERE) as scheduler,
        Worker(scheduler.address, nthreads=1, protocol="tls", **HERE) as worker,
    ):
        print(scheduler.address, flush=True)
        await worker.finished()


asyncio.run(serve())
