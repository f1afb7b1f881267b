"""The command as a process of its own, many times over: all is imported once, and each run is a fork of that, from
``main`` to the interpreter's end.

Coverage is begun after other people's packages were imported, since it would double what that costs, and kernels are
not measured: their cells are calls that tests make themselves.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

#: where pytest-cov tells other processes how to measure
COVERAGE = "COVERAGE_PROCESS_CONFIG"
SERVER = """
import atexit, gc, json, os, signal, sys, threading
config = os.environ.pop("MEASURE", "")
sys.modules.setdefault("rfc3987_syntax", None)
import boto3, jinja2, jupyter_client, matplotlib.figure, nbclient, nbconvert, pandas, papermill.cli, pydantic
import time_machine, tqdm
import matplotlib.backends.backend_agg, nbconvert.exporters.html
if config:
    import coverage
    os.environ["COVERAGE_PROCESS_CONFIG"] = config
    coverage.process_startup()
from keyaudit.cli import main
import keyaudit.auditing, keyaudit.capture, keyaudit.evidence, keyaudit.export, keyaudit.present, keyaudit.evidence.verify
from keyaudit.evidence import forked
forked.import_all()
gc.freeze()
signal.signal(signal.SIGINT, signal.default_int_handler)
while line := sys.stdin.readline():
    told = json.loads(line)
    if (child := os.fork()) == 0:
        break
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()
os.setsid()
for path, number in ((told["in"], 0), (told["out"], 1), (told["err"], 2)):
    os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
sys.argv = ["keyaudit", *told["arguments"]]
os.environ.clear()
os.environ.update(told["env"])
os.chdir(told["cwd"])
if told["at"]:
    time_machine.travel(told["at"], tick=True).start()
exec(told["first"], {})
try:
    main(told["arguments"])
except SystemExit as end:
    # all that an interpreter does at its end, but for freeing a memory that is gone anyway, which takes 0.3 s
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(end.code)
"""


#: what a run executes first to send itself a signal (to all that it started, if the number is negative) when a file of
#: this name is opened for writing (``open``), something is renamed to this name (``os.rename``), or at the next file
#: after that (``renamed``): Python's own audit events
SIGNALLED = """
import os, sys
number, event, name = {number}, {event!r}, {name!r}
seen = []
def hook(happens, facts):
    if happens == "os.rename" and os.path.basename(os.fspath(facts[1])) == name:
        seen.append("os.rename")
        if event == "os.rename":
            send()
    elif happens == "open" and isinstance(facts[0], (str, os.PathLike)) and facts[2] & 3:
        if event == "renamed" and seen or event == "open" and os.path.basename(os.fspath(facts[0])) == name:
            send()
def send():
    if "sent" not in seen:
        seen.append("sent")
        os.kill(os.getpid(), number) if number > 0 else os.killpg(os.getpgrp(), -number)
sys.addaudithook(hook)
"""


class Running:
    """One run, in a session of its own; whatever happens in the block, it and what it started have ended after it."""

    def __init__(self, told: Any, arguments: list[str], folder: tempfile.TemporaryDirectory[str]) -> None:
        self._told, self._arguments, self._folder = told, arguments, folder
        self.pid = int(self._line(60))
        self.code: int | None = None

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        if self.code is None:
            self._line(60)
        self._folder.cleanup()

    def send_signal(self, number: int, whole_group: bool = False) -> None:
        """Send it to the run, or to all that it started, as a terminal does."""
        (os.killpg if whole_group else os.kill)(self.pid, number)

    def ended(self, patience: float) -> subprocess.CompletedProcess[bytes]:
        """What came of it; TimeoutExpired if it takes longer than so many seconds."""
        try:
            self.code = int(self._line(patience))
        except TimeoutError:
            err = Path(self._folder.name, "err").read_bytes()
            raise subprocess.TimeoutExpired(self._arguments, patience, stderr=err) from None
        out, err = (Path(self._folder.name, name).read_bytes() for name in ("out", "err"))
        return subprocess.CompletedProcess(self._arguments, self.code, out, err)

    def _line(self, patience: float) -> bytes:
        if not select.select([self._told], [], [], patience)[0]:
            raise TimeoutError
        return self._told.readline()  # type: ignore[no-any-return]


class Server:
    """The process that all runs are forks of, one after the other."""

    def __init__(self, is_measured: bool) -> None:
        environment = _unmeasured(os.environ)
        if is_measured and COVERAGE in os.environ:
            environment["MEASURE"] = os.environ[COVERAGE]
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # what select tells of is all there is
            start_new_session=True,
        )

    def start(
        self,
        arguments: list[str],
        env: dict[str, str],
        cwd: Path | None = None,
        stdin: bytes = b"",
        at: float | None = None,
        first: str = "",
    ) -> Running:
        """``keyaudit ARGUMENTS`` as it runs, until which has ended no other is started. ``at``: what its clock says
        (seconds since 1970); ``first``: Python that its process executes before anything else."""
        folder = tempfile.TemporaryDirectory()
        places = {name: Path(folder.name, name) for name in ("in", "out", "err")}
        places["in"].write_bytes(stdin)
        told = {"arguments": arguments, "env": _unmeasured(env), "cwd": str(cwd or Path.cwd()), "at": at}
        told |= {"first": first, **{name: str(path) for name, path in places.items()}}
        self._process.stdin.write(json.dumps(told).encode() + b"\n")  # type: ignore[union-attr]
        return Running(self._process.stdout, arguments, folder)

    def run(
        self, arguments: list[str], env: dict[str, str], patience: float, **more: Any
    ) -> subprocess.CompletedProcess[bytes]:
        """A run (see ``start``) to its end; TimeoutExpired if that takes longer than ``patience`` seconds."""
        with self.start(arguments, env, **more) as running:
            return running.ended(patience)

    def close(self) -> None:
        """End it; what it runs is ended too."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()


def _unmeasured(env: object) -> dict[str, str]:
    return {name: value for name, value in dict(env).items() if not name.startswith("COV")}  # type: ignore[call-overload]


#: those that run nothing just now
_idle: list[Server] = []


def forked(
    arguments: list[str], env: dict[str, str], patience: float, **more: Any
) -> subprocess.CompletedProcess[bytes]:
    """A run to its end (see ``Server``) by a server of this test process; as many as there are runs at once."""
    with _server() as server:
        return server.run(arguments, env, patience, **more)


@contextmanager
def running(arguments: list[str], env: dict[str, str], **more: Any) -> Iterator[Running]:
    """A run as it runs (see ``Server.start``), by a server of this test process."""
    with _server() as server, server.start(arguments, env, **more) as found:
        yield found


@contextmanager
def _server() -> Iterator[Server]:
    try:
        server = _idle.pop()
    except IndexError:
        server = Server(is_measured=True)
        atexit.register(server.close)
    try:
        yield server
    finally:
        _idle.append(server)
