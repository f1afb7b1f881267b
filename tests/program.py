"""A program ``keyaudit`` for the PATH of a shell, which starts in no time: each run is a fork (see forked)."""

from __future__ import annotations

import json
import os
import socketserver
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forked import COVERAGE, server

PATIENCE = 120  # seconds for a run
#: ``keyaudit`` by its name alone: what it was given goes to a process that has imported everything, which runs it in a
#: fork of itself
KEYAUDIT = """#!{python} -SE
import json, os, socket, sys
told = {{"arguments": sys.argv[1:], "cwd": os.getcwd(), "env": dict(os.environ), "stdin": sys.stdin.buffer.read().hex()}}
told["first"] = {first!r}
if os.path.sameopenfile(1, 2):  # what is said stays in its order
    told["first"] = "import os; os.dup2(1, 2)\\n" + told["first"]
with socket.socket(socket.AF_UNIX) as server:
    server.connect({socket!r})
    server.sendall(json.dumps(told).encode() + b"\\n")
    done = json.loads(server.makefile().readline())
for name, out in (("stdout", sys.stdout.buffer), ("stderr", sys.stderr.buffer)):
    out.write(bytes.fromhex(done[name]))
    out.flush()
sys.exit(done["code"])
"""


@pytest.fixture(scope="session")
def warm_program() -> Iterator[Callable[[str], str]]:
    """The text of a program that starts in no time (see KEYAUDIT), and executes this Python before it is
    ``keyaudit``."""
    # measuring would double what it costs
    warm = server(is_measured=False) if COVERAGE in os.environ else server()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            told = json.loads(self.rfile.readline())
            stdin, cwd = bytes.fromhex(told["stdin"]), Path(told["cwd"])
            done = warm.run(told["arguments"], told["env"], PATIENCE, cwd=cwd, stdin=stdin, first=told["first"])
            said = {"code": done.returncode, "stdout": done.stdout.hex(), "stderr": done.stderr.hex()}
            self.wfile.write(json.dumps(said).encode() + b"\n")

    with tempfile.TemporaryDirectory() as folder:  # not pytest's: the name of a socket must be short
        place = str(Path(folder, "keyaudit"))
        with socketserver.UnixStreamServer(place, Handler) as listening:
            threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}).start()
            yield lambda first: KEYAUDIT.format(python=sys.executable, socket=place, first=first)
            listening.shutdown()


@pytest.fixture(scope="session")
def program(warm_program: Callable[[str], str]) -> str:
    """The text of a program ``keyaudit`` that starts in no time."""
    return warm_program("")
