"""One evidence folder per account, for its owner, beside the folder of all accounts; made by several processes.

Each is made as ``keyaudit report`` would make it of that account alone, by a process of its own. On POSIX that is a
fork of one that has imported everything and does nothing else, so no import is repeated, and nothing is left of the
account before. Elsewhere processes are spawned.

With a cluster, threads of this process judge, check and seal, and its workers run the notebooks.
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from keyaudit.cluster.client import Cluster
from keyaudit.cluster.order import LostError, RefusedError
from keyaudit.evidence.notebook_task import by_cluster
from keyaudit.evidence.ready import forks
from keyaudit.evidence.request import Request, Runner
from keyaudit.model import Audit
from keyaudit.schema import EvidenceError, InputError
from keyaudit.texts import spoken

#: seconds between two looks for Ctrl-C
LOOK = 0.5
#: threads of this process: more of them only wait for each other
MOST_THREADS = 64


def sources_of(judged: Audit) -> tuple[list[Path], list[str]]:
    """(what each account was read from, the accounts of which there is nothing). InputError for standard input."""
    sources, missing = [], []
    for one in judged.provenance:
        if one.origin is None:
            missing.append(one.account_id)
            continue
        source = one.origin.folder or one.origin.path
        if source is None:
            raise InputError("--per-account: standard input cannot be read twice; name a folder or a capture")
        sources.append(source)
    return sources, missing


def make_each(request: Request, sources: list[Path], jobs: int, cluster: Cluster | None = None) -> Iterator[Path]:
    """The finished folder of each source, in their order: by so many processes, or by this one with a cluster that
    runs the notebooks.

    At the end, EvidenceError with their number and the first reason, if some could not be made. RefusedError and
    LostError at once, if the cluster cannot be used any more.
    """
    failures: list[str] = []
    make = partial(_make_one, run=None if cluster is None else by_cluster(cluster))
    # threads of one process speak one language, which none of them may change
    with spoken(request.language), _pool(jobs) if cluster is None else _threads(cluster) as pool:
        try:
            tasks = deque(
                pool.submit(make, replace(request, sources=[str(one)], progress=False)) for one in sources
            )
            while tasks:
                try:
                    yield _done(tasks.popleft())
                except (RefusedError, LostError):
                    raise
                except (EvidenceError, InputError) as error:
                    failures.append(str(error))
        except BaseException:
            if cluster is not None:
                cluster.shutdown()  # its threads wait for it
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if failures:
        raise EvidenceError(f"{len(failures)} of {len(sources)} account folders could not be made: {failures[0]}")


def _done(task: Future[Path]) -> Path:
    """Its result; a signal that the system gave to another thread is noticed meanwhile."""
    while True:
        try:
            return task.result(LOOK)
        except TimeoutError:
            if task.done():  # the task's own
                raise


def _threads(cluster: Cluster) -> ThreadPoolExecutor:
    """Threads that judge, wait, check and seal; as many as keep the workers busy."""
    return ThreadPoolExecutor(min(cluster.ahead, MOST_THREADS))


def _pool(jobs: int) -> Executor:
    if context := forks():
        return ProcessPoolExecutor(jobs, context, _leave_interrupts, max_tasks_per_child=1)
    return ProcessPoolExecutor(jobs, get_context("spawn"), _leave_interrupts)


def _leave_interrupts() -> None:
    """Ignore Ctrl-C, which is meant for the command; its processes finish what they are doing."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _make_one(request: Request, run: Runner | None = None) -> Path:
    from keyaudit.evidence import make_evidence

    return make_evidence(request, run).path
