"""One evidence folder an account, for its owner, beside that of them all; in several processes.

Each is made as ``keyaudit report`` would make it of that account alone, by a process of its own. On POSIX that is a
fork of one that has imported everything and does nothing else, so that neither an import is repeated nor anything
left of the account before; elsewhere processes are spawned. It is never a fork of this process, which may have
threads: such a fork may hang.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path

from keyaudit.evidence.request import Request
from keyaudit.model import Audit
from keyaudit.schema import EvidenceError, InputError


def sources_of(judged: Audit) -> tuple[list[Path], list[str]]:
    """(what each account was read from, accounts of which there is nothing). InputError for standard input."""
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


def make_each(request: Request, sources: list[Path], jobs: int) -> Iterator[Path]:
    """The finished folder of each source, in the order in which they are done.

    EvidenceError at the end, if some could not be made, with their number and the first reason.
    """
    failures: list[str] = []
    with _pool(jobs) as pool:
        try:
            tasks = [
                pool.submit(_make_one, replace(request, sources=[str(one)], progress=False)) for one in sources
            ]
            for task in as_completed(tasks):
                try:
                    yield task.result()
                except (EvidenceError, InputError) as error:
                    failures.append(str(error))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if failures:
        raise EvidenceError(f"{len(failures)} of {len(sources)} account folders could not be made: {failures[0]}")


def _pool(jobs: int) -> ProcessPoolExecutor:
    if "forkserver" not in get_all_start_methods():
        return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_leave_interrupts)
    context = get_context("forkserver")
    context.set_forkserver_preload(["keyaudit.evidence.ready"])
    return ProcessPoolExecutor(jobs, context, _leave_interrupts, max_tasks_per_child=1)


def _leave_interrupts() -> None:
    """Ctrl-C is for the command; its processes finish what they are doing."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _make_one(request: Request) -> Path:
    from keyaudit.evidence import make_evidence

    return make_evidence(request).path
