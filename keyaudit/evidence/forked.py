"""A kernel that is a fork of the process that wants it: all is imported there, and nothing is imported again.

For processes that make one evidence folder after the other, each in a fork of its own (POSIX), and only where no
other thread runs: a lock that one holds at the moment of the fork is never given back.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import IO, NoReturn

from keyaudit.evidence.warm import PRELOADED, become_kernel
from keyaudit.imports import leave_out_debugger, leave_out_grammar, seldom_collect

PAUSE = 0.005  # seconds between two looks whether it has ended
#: what is imported late: by a run for its notebook and its page, and by a kernel as it starts
LATER = (
    "keyaudit.evidence.folder",
    "keyaudit.evidence.page",
    "keyaudit.frontend",
    "keyaudit.model.accounts_frame",
    "papermill",
    "nbconvert.exporters.html",
    "filelock",
    "IPython.extensions.storemagic",
    "sqlite3",
)
#: what these import as they begin to work, in the versions that are known; in others it may have another place
LATEST = (
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.magics.extension",
    "IPython.core.oinspect",
    "ipykernel.debugger",
    "mistune.plugins.def_list",
    "mistune.plugins.task_lists",
    "mistune.plugins.url",
    "tornado.platform.asyncio",
    "zmq.utils.garbage",
)
#: ``warm_up`` by its name, for a process that is told what to begin with
WARM = f"{__name__}:warm_up"
#: set where each run is to be a fork of this process
_warm = threading.Event()


def warm_up() -> None:
    """Import what a kernel needs, and what running it and making its page need, and do once what a run does: what
    this process, or a fork of it, starts as a kernel from now on is a fork of it."""
    seldom_collect()
    leave_out_grammar()
    leave_out_debugger()
    for name in (*PRELOADED, *LATER):
        import_module(name)
    for name in LATEST:
        with suppress(ImportError):
            import_module(name)
    _rehearse()
    # what is there stays: a fork that looked through it for garbage would copy every page of it
    gc.collect()
    gc.freeze()
    if hasattr(os, "fork"):
        _warm.set()


def _rehearse() -> None:
    """Judge, plan and draw the sample: the texts are read then, and the fonts, and what libraries work out only
    once, as the check of the format of notebooks; templates are compiled, and versions looked up."""
    from keyaudit.auditing import audit
    from keyaudit.charts import plot_ages, plot_deadlines, plot_idle
    from keyaudit.charts.html import picture
    from keyaudit.evidence import contents, index, notebook, page
    from keyaudit.export.summary import summary_json
    from keyaudit.export.tabular import findings_csv
    from keyaudit.present import boundary, completeness, controls, offenders
    from keyaudit.rotation.plan import asked, to_do

    a = audit("", "", "")
    asked(a)
    for table in (to_do, controls, offenders, completeness, boundary):
        table(a)._repr_html_()
    for write in (findings_csv, summary_json):
        write(a)
    for plot in (plot_ages, plot_deadlines, plot_idle):
        picture(plot(a.keys, a.policy, a.as_of).figure, "")
    notebook.find_notebook("key_rotation")
    page.exporter()
    index.template()
    for name in contents.LIBRARIES:
        contents.version_of(name)


def can_fork() -> bool:
    """Whether a kernel may be a fork of this process."""
    return _warm.is_set() and threading.active_count() == 1


class Forked:
    """A fork of this process on its way to be a kernel, with the part of subprocess.Popen's interface that
    jupyter_client uses of a kernel's process."""

    stdout = stderr = None

    def __init__(self, folder: Path, log: IO[bytes]) -> None:
        read, write = os.pipe()
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            _become_kernel(folder, read, log.fileno())
        os.close(read)
        self.stdin: IO[bytes] = os.fdopen(write, "wb")

    def poll(self) -> int | None:
        """Its exit code, as of subprocess.Popen; None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended; subprocess.TimeoutExpired after so many seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if until is not None and time.monotonic() >= until:
                raise subprocess.TimeoutExpired("the kernel", timeout or 0)
            time.sleep(PAUSE)
        return code

    def send_signal(self, number: int) -> None:
        """As of subprocess.Popen: nothing, once it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def _become_kernel(folder: Path, read: int, log: int) -> NoReturn:
    """The fork's whole life. What a new process would not have is laid down first: open files with the locks on
    them, handlers of signals, the terminal."""
    code = 1
    try:
        os.chdir(folder)
        for place, descriptor in enumerate((read, log, log)):
            os.dup2(descriptor, place)
        # not closed: an object that goes away later would close what has the number by then
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in [int(place.name) for place in Path("/dev/fd").iterdir()]:
            if descriptor not in (0, 1, 2, null):
                os.dup2(null, descriptor, inheritable=False)
        sys.stdin = os.fdopen(0)
        sys.stdout, sys.stderr = (os.fdopen(place, "w", errors="backslashreplace") for place in (1, 2))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        warnings.simplefilter("ignore")
        # ipykernel read the variable for that when it was imported
        become_kernel(parent=os.getppid())
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)
