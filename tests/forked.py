"""The command as a process of its own, many times over: all is imported once, and each run is a fork of that, from
``main`` to the interpreter's end.

Coverage is begun after other people's packages were imported, since it would double what that costs, and kernels are
not measured: their cells are calls that tests make themselves.
"""

from __future__ import annotations

import atexit
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import quick_boto
from filelock import FileLock

#: where pytest-cov tells other processes how to measure
COVERAGE = "COVERAGE_PROCESS_CONFIG"
#: seconds for a process to be forked, or to be gone when it is killed
SOON = 60
SERVER = """
import atexit, ctypes, gc, importlib, json, os, pathlib, runpy, select, signal, socket, sys, tempfile, threading
config = os.environ.pop("MEASURE", "")
listening = socket.socket(fileno=int(sys.argv[2]))

def collapse():
    # into pages of two megabytes: each fork copies the table of all pages, which took a fifth of the time of a short
    # command. Where a system has no such pages (before Linux 6.1), nothing changes
    huge, madvise = 2 << 20, getattr(ctypes.CDLL(None), "madvise", None)
    try:
        with open("/proc/self/maps") as file:
            maps = [line.split() for line in file]
    except OSError:
        return
    for place, may, _, _, _, *name in maps if madvise else ():
        if may == "rw-p" and name in ([], ["[heap]"]):
            begin, end = (int(one, 16) for one in place.split("-"))
            for at in range(-(-begin // huge) * huge, end - huge + 1, huge):
                madvise(ctypes.c_void_p(at), ctypes.c_size_t(huge), 25)

sys.modules.setdefault("rfc3987_syntax", None)
import boto3, botocore.session, filelock, jinja2, jupyter_client, matplotlib.figure, nbclient, nbconvert, pandas
import papermill.cli, pydantic, time_machine, tqdm
import matplotlib.backends.backend_agg, nbconvert.exporters.html
import pandas.core.methods.to_dict
if config:
    import coverage
    os.environ["COVERAGE_PROCESS_CONFIG"] = config
    coverage.process_startup()
import keyaudit
from keyaudit.cli import main
# all of keyaudit but for what runs elsewhere (the function), wants an extra, does its work when it is imported, or
# would stand in the place of a call of the same name (ka.explore)
ELSEWHERE = "__main__", "rotation.function", "export.xlsx", "export.pdf", "explore", "cluster."
root = pathlib.Path(keyaudit.__file__).parent
for path in sorted(root.rglob("*.py")):
    name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
    if not name.startswith(("__init__", *ELSEWHERE)):
        importlib.import_module(f"keyaudit.{name}")
keyaudit.evidence.forked.warm_up()
keyaudit.rotation.code.function_code()
quick = runpy.run_path(sys.argv[1])["quicken"]
quick("iam", "sts", "organizations", "secretsmanager", "lambda", "logs", "cloudformation", "s3")
gc.collect()
gc.freeze()
collapse()

clients, asked_by = {}, {}  # what of a line is here already; who asked for a process

def tell(client, *words):
    try:
        client.sendall(" ".join(map(str, words)).encode() + b"\\n")
    except OSError:
        pass  # it has gone

def reap():
    try:
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            tell(asked_by.pop(found[0]), "ended", found[0], os.waitstatus_to_exitcode(found[1]))
    except ChildProcessError:
        pass

# whichever thread a signal is given to (numpy has some): it ends the wait of this one
woken, wake = os.pipe()
os.set_blocking(wake, False)
signal.set_wakeup_fd(wake)
signal.signal(signal.SIGCHLD, lambda *_: None)
signal.signal(signal.SIGINT, signal.default_int_handler)

def asked():
    while True:
        for one in select.select([listening, woken, *clients], [], [])[0]:
            if one is listening:
                clients[listening.accept()[0]] = b""
            elif one == woken:
                os.read(woken, 4096)
                reap()
            elif more := one.recv(65_536):
                *lines, clients[one] = (clients[one] + more).split(b"\\n")
                for line in lines:
                    yield one, line
            else:
                del clients[one]
                one.close()
                if not clients:
                    for path in (place := listening.getsockname(), place + ".lock"):
                        os.unlink(path)
                    return

for client, line in asked():
    told = json.loads(line)
    if (child := os.fork()) == 0:
        break
    asked_by[child] = client
    tell(client, "begun", child)
else:
    sys.exit()
signal.set_wakeup_fd(-1)
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
for descriptor in (woken, wake):
    os.close(descriptor)
for one in (listening, *clients):
    one.close()
os.setsid()
for path, number in ((told["in"], 0), (told["out"], 1), (told["err"], 2)):
    os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
sys.argv = ["keyaudit", *told["arguments"]]
os.environ.clear()
os.environ.update(told["env"])
os.chdir(told["cwd"])
tempfile.tempdir = None  # it depends on the environment
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
#: what a run executes first so that its standard input comes through a pipe
PIPED = """
import os
content = os.read(0, 65_536)
end, begin = os.pipe()
assert os.write(begin, content) == len(content) < 65_536
os.close(begin)
os.dup2(end, 0)
os.close(end)
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

    def __init__(self, server: Server, pid: int, arguments: list[str], folder: Path) -> None:
        self.pid = pid
        self._server, self._arguments, self._folder = server, arguments, folder
        self._code: int | None = None

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._wait(SOON)

    def send_signal(self, number: int, whole_group: bool = False) -> None:
        """Send it to the run, or to all that it started, as a terminal does."""
        (os.killpg if whole_group else os.kill)(self.pid, number)

    def ended(self, patience: float) -> subprocess.CompletedProcess[bytes]:
        """What came of it; TimeoutExpired if it takes longer than so many seconds."""
        try:
            code = self._wait(patience)
        except queue.Empty:
            err = (self._folder / "err").read_bytes()
            raise subprocess.TimeoutExpired(self._arguments, patience, stderr=err) from None
        out, err = ((self._folder / name).read_bytes() for name in ("out", "err"))
        return subprocess.CompletedProcess(self._arguments, code, out, err)

    def _wait(self, patience: float) -> int:
        if self._code is None:
            self._code = self._server.code_of(self.pid, patience)
        return self._code


class Server:
    """The process that all runs are forks of, whichever worker asks for them; several may run at once. It ends when
    nobody is left who may ask."""

    def __init__(self, is_measured: bool) -> None:
        self._asked = self._connected(is_measured)
        self._folder = tempfile.TemporaryDirectory(prefix="keyaudit-tests-")
        self._number, self._asking, self._codes_lock = 0, threading.Lock(), threading.Lock()
        self._begun: queue.Queue[int] = queue.Queue()
        self._codes: dict[int, queue.Queue[int]] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    def _connected(self, is_measured: bool) -> socket.socket:
        """To the one of this run of the tests, which is started if it is not there."""
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"{os.getpid()}")[:16]
        place = Path(tempfile.gettempdir(), f"forks-{run}-{'measured' if is_measured else 'plain'}")
        with FileLock(f"{place}.lock"):
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(place))
            except OSError:
                self._start(place, is_measured)
                connection.connect(str(place))
        return connection

    def _start(self, place: Path, is_measured: bool) -> None:
        environment = _unmeasured(os.environ)
        if is_measured and COVERAGE in os.environ:
            environment["MEASURE"] = os.environ[COVERAGE]
        place.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(place))
            listening.listen()
            self._process = subprocess.Popen(
                [sys.executable, "-c", SERVER, quick_boto.__file__, str(listening.fileno())],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[listening.fileno()],
                start_new_session=True,
            )

    def _listen(self) -> None:
        for line in self._asked.makefile("rb"):
            what, pid, *code = line.split()
            if what == b"begun":
                self._begun.put(int(pid))
            else:
                self._code_queue(int(pid)).put(int(code[0]))

    def _code_queue(self, pid: int) -> queue.Queue[int]:
        """Where the exit code of a process comes, whoever asks for it first."""
        with self._codes_lock:
            return self._codes.setdefault(pid, queue.Queue())

    def code_of(self, pid: int, patience: float) -> int:
        """The exit code of a run; queue.Empty if it takes longer."""
        code = self._code_queue(pid).get(timeout=patience)
        with self._codes_lock:
            del self._codes[pid]
        return code

    def start(
        self,
        arguments: list[str],
        env: dict[str, str],
        cwd: Path | None = None,
        stdin: bytes = b"",
        at: float | None = None,
        first: str = "",
    ) -> Running:
        """``keyaudit ARGUMENTS`` as it runs. ``at``: what its clock says (seconds since 1970); ``first``: Python that
        its process executes before anything else."""
        with self._asking:
            self._number += 1
            folder = Path(self._folder.name, str(self._number))
            folder.mkdir()
            (folder / "in").write_bytes(stdin)
            told = {"arguments": arguments, "env": _unmeasured(env), "cwd": str(cwd or Path.cwd()), "at": at}
            told |= {"first": first, **{name: str(folder / name) for name in ("in", "out", "err")}}
            self._asked.sendall(json.dumps(told).encode() + b"\n")
            return Running(self, self._begun.get(timeout=SOON), arguments, folder)

    def run(
        self, arguments: list[str], env: dict[str, str], patience: float, **more: Any
    ) -> subprocess.CompletedProcess[bytes]:
        """A run (see ``start``) to its end; TimeoutExpired if that takes longer than ``patience`` seconds."""
        with self.start(arguments, env, **more) as running:
            return running.ended(patience)

    def close(self) -> None:
        """Nothing more is asked."""
        self._asked.shutdown(socket.SHUT_RDWR)
        self._asked.close()
        self._folder.cleanup()


def _unmeasured(env: object) -> dict[str, str]:
    return {name: value for name, value in dict(env).items() if not name.startswith("COV")}  # type: ignore[call-overload]


@cache
def server(is_measured: bool = True) -> Server:
    """The one of this run of the tests."""
    found = Server(is_measured)
    atexit.register(found.close)
    return found


def forked(
    arguments: list[str], env: dict[str, str], patience: float, **more: Any
) -> subprocess.CompletedProcess[bytes]:
    """A run to its end (see ``Server``) by the server of this run of the tests."""
    return server().run(arguments, env, patience, **more)
