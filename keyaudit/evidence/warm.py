"""The kernel's side: import what the notebooks import, then wait for the connection file and be a kernel.

Run as ``python -P -m keyaudit.evidence.warm LANGUAGE``. The path of the connection file comes on standard input; if
that ends without a path, the command has gone.
"""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from pathlib import Path

from keyaudit.imports import leave_out_debugger, seldom_collect
from keyaudit.texts import speak

PRELOADED = (
    "keyaudit.auditing",
    "keyaudit.charts",
    "keyaudit.present",
    "keyaudit.charts.html",
    "matplotlib.backends.backend_agg",
    "ipykernel.kernelapp",
)


def main() -> None:
    """Become a kernel, warm."""
    seldom_collect()
    speak(sys.argv[1])
    for name in PRELOADED:
        import_module(name)
    become_kernel()


def become_kernel(parent: int = 0) -> None:
    """Be the kernel of this working directory, as soon as the connection file is named; it ends with the process
    ``parent``, which is by default the one that the environment names."""
    from keyaudit.sources import vouch_for

    # the process that started this one writes what is judged here; no source can say that about itself
    vouch_for(Path.cwd())
    leave_out_debugger()
    connection_file = sys.stdin.readline().strip()
    if connection_file:
        from ipykernel.kernelapp import IPKernelApp

        app = IPKernelApp.instance()
        # not as words of a command line: to read one takes a sixth of the time in which a kernel begins
        app.parse_command_line = lambda _: None
        # what is told by now comes before the files of settings that IPython reads
        own, history = app.config.IPKernelApp, app.config.HistoryManager
        own.connection_file, own.log_level, history.hist_file = connection_file, logging.ERROR, ":memory:"
        if parent:
            own.parent_handle = parent
        app.initialize()
        app.start()


if __name__ == "__main__":
    main()
