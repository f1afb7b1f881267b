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
from contextlib import suppress
from pathlib import Path
from typing import Any

#: where pytest-cov tells other processes how to measure
COVERAGE = "COVERAGE_PROCESS_CONFIG"
SERVER = """
import atexit, functools, gc, json, os, sys, threading
config = os.environ.pop("MEASURE", "")
sys.modules.setdefault("rfc3987_syntax", None)
import boto3, botocore.session, jinja2, jupyter_client, matplotlib.figure, nbclient, nbconvert, pandas, papermill.cli, pydantic
import time_machine, tqdm
import matplotlib.backends.backend_agg, nbconvert.exporters.html
if config:
    import coverage
    os.environ["COVERAGE_PROCESS_CONFIG"] = config
    coverage.process_startup()
from keyaudit.cli import main
import keyaudit.auditing, keyaudit.capture, keyaudit.evidence, keyaudit.export, keyaudit.present, keyaudit.evidence.verify
import keyaudit.capture.inventory, keyaudit.capture.rotations, keyaudit.evidence.folder, keyaudit.evidence.page
import keyaudit.rotation.code, keyaudit.rotation.many, keyaudit.rotation.once, keyaudit.rotation.printed
import keyaudit.rotation.update, keyaudit.schedule
keyaudit.rotation.code.function_code()
# AWS's models are read once, for all sessions
botocore.session.create_loader = functools.cache(botocore.session.create_loader)
for service in ("iam", "sts", "organizations", "secretsmanager", "lambda", "logs", "cloudformation", "s3"):
    boto3.session.Session("x", "x", region_name="us-east-1").client(service)
gc.collect()
gc.freeze()
while line := sys.stdin.readline():
    told = json.loads(line)
    if (child := os.fork()) == 0:
        break
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()
for path, number in ((told["in"], 0), (told["out"], 1), (told["err"], 2)):
    os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
sys.argv = ["keyaudit", *told["arguments"]]
os.environ.clear()
os.environ.update(told["env"])
os.chdir(told["cwd"])
if told["at"]:
    time_machine.travel(told["at"], tick=True).start()
try:
    main(told["arguments"])
except SystemExit as end:
    # all that an interpreter does at its end, but for freeing a memory that is gone anyway, which takes 0.3 s
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(end.code)
"""


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

    def run(
        self,
        arguments: list[str],
        env: dict[str, str],
        patience: float,
        cwd: Path | None = None,
        stdin: bytes = b"",
        at: float | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """``keyaudit ARGUMENTS``, run to its end; TimeoutExpired if that takes longer than ``patience`` seconds.
        ``at``: what its clock says (seconds since 1970)."""
        with tempfile.TemporaryDirectory() as folder:
            places = {name: Path(folder, name) for name in ("in", "out", "err")}
            places["in"].write_bytes(stdin)
            told = {"arguments": arguments, "env": _unmeasured(env), "cwd": str(cwd or Path.cwd()), "at": at}
            told |= {name: str(path) for name, path in places.items()}
            self._process.stdin.write(json.dumps(told).encode() + b"\n")  # type: ignore[union-attr]
            child = int(self._line(patience))
            try:
                code = int(self._line(patience))
            except TimeoutError:
                os.kill(child, signal.SIGKILL)
                self._line(patience)
                raise subprocess.TimeoutExpired(arguments, patience, stderr=places["err"].read_bytes()) from None
            out, err = places["out"].read_bytes(), places["err"].read_bytes()
            return subprocess.CompletedProcess(arguments, code, out, err)

    def _line(self, patience: float) -> bytes:
        out = self._process.stdout
        if not select.select([out], [], [], patience)[0]:
            raise TimeoutError
        return out.readline()  # type: ignore[union-attr]

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
    """A run (see ``Server.run``) by a server of this test process; as many as there are runs at once."""
    try:
        server = _idle.pop()
    except IndexError:
        server = Server(is_measured=True)
        atexit.register(server.close)
    try:
        return server.run(arguments, env, patience, **more)
    finally:
        _idle.append(server)
