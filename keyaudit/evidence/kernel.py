"""A Jupyter kernel that is started before it is needed, and has the imports of the notebooks behind it.

The kernel's process (``warm``) begins to import at once, while the command still reads and judges; jupyter_client
takes it over later through ``WarmProvisioner``, its own extension point, instead of starting another.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from keyaudit.evidence.contents import LOG
from keyaudit.evidence.forked import Forked, can_fork
from keyaudit.schema import EvidenceError
from keyaudit.texts import language

Process = subprocess.Popen[bytes] | Forked
#: bytes; the path of a socket has at most 103 on every system that has them
LONGEST_FOLDER = 95
GRACE = 3  # seconds for the kernel to end when told to


@contextmanager
def warm_kernel(folder: Path) -> Iterator[Process]:
    """A process on its way to be a kernel, with ``folder`` as its working directory and its complaints in
    ``kernel.log`` there; it is gone when the block ends, however that ends."""
    with (folder / LOG).open("wb") as log:
        process = Forked(folder, log) if can_fork() else _started(folder, log)
    try:
        yield process
    finally:
        # nothing of it is needed any more: it is not asked to say goodbye, which takes a third of a second
        process.terminate()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin:
            with suppress(OSError):
                process.stdin.close()


def _started(folder: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "JPY_PARENT_PID": str(os.getpid())}
    # -P keeps the working directory, where anyone may have put a pandas.py, off the path
    command = [sys.executable, "-P", "-m", "keyaudit.evidence.warm", language()]
    return subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log)


@contextmanager
def connected(process: Process) -> Iterator[Any]:
    """A kernel manager of jupyter_client for the warm process."""
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from jupyter_client.provisioning import LocalProvisioner
    from jupyter_core.utils import run_sync

    class WarmProvisioner(LocalProvisioner):
        async def launch_kernel(self, cmd: list[str], **_: Any) -> Any:
            self.process, self.pid, self.pgid = process, process.pid, None
            assert process.stdin is not None
            try:
                process.stdin.write(cmd[-1].encode() + b"\n")
                process.stdin.flush()
            except BrokenPipeError:
                raise EvidenceError(f"the kernel did not start: {LOG} says why") from None
            return self.connection_info

    class OurKernels(KernelSpecManager):
        def get_kernel_spec(self, kernel_name: str) -> Any:  # noqa: ARG002
            # what passes between us and the kernel is encrypted where both sides can
            curve = {"supported_encryption": ["curve"]}
            return KernelSpec(
                argv=["{connection_file}"], display_name="keyaudit", language="python", metadata=curve
            )

    with _channels() as where:
        # the asynchronous one: with the other, nbclient would wait for a dead kernel without end
        manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=OurKernels(), **where)
        # a manager that has a provisioner already, as at a restart, makes no other
        manager.provisioner = WarmProvisioner(kernel_id="warm", kernel_spec=manager.kernel_spec, parent=manager)
        run_sync(manager.start_kernel)()
        try:
            yield manager
        finally:
            run_sync(manager.cleanup_resources)()


@contextmanager
def _channels() -> Iterator[dict[str, str]]:
    """Where the kernel listens, as options of a kernel manager: at sockets in a folder of this run alone. Ports of
    TCP are chosen by the one process and taken by the other, and in between another run may have taken them."""
    with tempfile.TemporaryDirectory(prefix="keyaudit-", ignore_cleanup_errors=True) as folder:
        fits = sys.platform != "win32" and len(os.fsencode(folder)) <= LONGEST_FOLDER
        yield {"transport": "ipc", "ip": str(Path(folder) / "k")} if fits else {}
