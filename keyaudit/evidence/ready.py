"""Processes that begin with everything imported: forks of one that does nothing else, which is begun before it is
needed. It is never a fork of the command, which may have threads: such a fork may hang.
"""

from __future__ import annotations

import signal
from multiprocessing import get_all_start_methods, get_context, resource_tracker
from multiprocessing.context import BaseContext

FORKS = "forkserver"


def get_ready() -> None:
    """Begin to import, in the process whose forks will make evidence, while this one does something else; nothing
    where there are no forks."""
    if FORKS in get_all_start_methods():
        from multiprocessing.forkserver import ensure_running, set_forkserver_preload

        set_forkserver_preload(["keyaudit.evidence.rehearsed"])
        resource_tracker.ensure_running()  # it lets Ctrl-C in again
        # what is begun waits with Ctrl-C until it can end without a traceback; here nothing is lost
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def forks() -> BaseContext | None:
    """How to start such processes; None where there are no forks."""
    if FORKS not in get_all_start_methods():
        return None
    get_ready()
    return get_context(FORKS)
