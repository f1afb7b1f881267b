"""Work in forks: each result comes back, and no fork outlives whoever wants it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

#: a process of its own, since this one has threads; ``work`` says what is done with each item
SCRIPT = """
import os, signal, sys, threading, time
from pathlib import Path
from keyaudit.aws.forks import by_forks

folder = Path(sys.argv[1])
# as at a terminal, also where the tests run in the background of a shell
signal.signal(signal.SIGINT, signal.default_int_handler)

def begun(item):
    (folder / f"{{os.getpid()}}-{{item}}").touch()

{work}

with by_forks(work, [*"abcdefgh"], {at_once}, processors={processors}) as results:
    {then}
"""
ALL = "print(*sorted(results), threading.active_count())"
NAMED = "def work(item):\n    begun(item)\n    return item + item"
HANGS = "def work(item):\n    begun(item)\n    time.sleep(600)"


@contextmanager
def running(
    folder: Path, work: str, then: str = ALL, at_once: int = 4, processors: int = 2
) -> Iterator[subprocess.Popen[bytes]]:
    code = SCRIPT.format(work=work, then=then, at_once=at_once, processors=processors)
    command = [sys.executable, "-c", code, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as one:
        try:
            yield one
        finally:
            one.kill()


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=30)
    return process.returncode, out.decode(), err.decode()


def seen(folder: Path) -> dict[int, set[str]]:
    """Which process had which items."""
    found: dict[int, set[str]] = {}
    for path in folder.iterdir():
        pid, _, item = path.name.partition("-")
        found.setdefault(int(pid), set()).add(item)
    return found


def wait_for(happened: Callable[[], object]) -> None:
    until = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.01)


def is_there(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False


def are_gone(folder: Path) -> bool:
    return not any(map(is_there, seen(folder)))


@pytest.mark.parametrize(
    ("at_once", "processors", "processes"), [(4, 2, 2), (3, 2, 2), (64, 8, 2), (1, 2, 1), (4, 1, 1)]
)
def test_every_result_comes_back_and_no_thread_stays(
    tmp_path: Path, at_once: int, processors: int, processes: int
) -> None:
    with running(tmp_path, NAMED, at_once=at_once, processors=processors) as process:
        assert ended(process) == (0, "aa bb cc dd ee ff gg hh 1\n", "")
        had = seen(tmp_path)
    assert sorted(item for items in had.values() for item in items) == [*"abcdefgh"]
    # one of them may have been quick enough to do all
    assert len(had) <= processes and (process.pid in had) is (processes == 1)


def test_items_are_dealt_out_in_turn_and_so_many_at_once(tmp_path: Path) -> None:
    with running(tmp_path, HANGS, at_once=4) as process:
        wait_for(lambda: sum(map(len, seen(tmp_path).values())) == 4)
        assert sorted(map(len, seen(tmp_path).values())) == [2, 2] and process.pid not in seen(tmp_path)


def test_a_process_with_threads_is_not_forked(tmp_path: Path) -> None:
    busy = "threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
    with running(tmp_path, busy + NAMED) as process:
        assert ended(process)[:2] == (0, "aa bb cc dd ee ff gg hh 2\n")
        assert set(seen(tmp_path)) == {process.pid}


def test_where_the_ends_of_children_are_ignored_all_is_as_ever(tmp_path: Path) -> None:
    """As a program may do that starts this one."""
    ignored = "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
    with running(tmp_path, ignored + NAMED) as process:
        assert ended(process) == (0, "aa bb cc dd ee ff gg hh 1\n", "")


def test_a_fork_holds_no_open_file_but_its_own(tmp_path: Path) -> None:
    """Its three standard ends, the one that tells it to end, a lane for each of eight threads, and what counts."""
    work = "def work(item):\n    begun(item)\n    return len(os.listdir('/proc/self/fd')) <= 3 + 1 + 8 + 8"
    with running(tmp_path, work, then="print(*results)", at_once=16) as process:
        assert ended(process) == (0, " ".join(["True"] * 8) + "\n", "")
        assert process.pid not in seen(tmp_path)


@pytest.mark.parametrize(("room", "told"), [(1500, "aa bb cc dd ee ff gg hh 1\n"), (500, "")])
def test_where_too_few_threads_can_be_begun_these_do_the_work(tmp_path: Path, room: int, told: str) -> None:
    """Each needs a gigabyte for its stack, and there is room for one of them, or for none."""
    few = f"""
import resource
threading.stack_size(1 << 30)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + ({room} << 20),) * 2)
"""
    with running(tmp_path, few + NAMED, processors=1) as process:
        code, out, err = ended(process)
    assert (code, out) == (0 if told else 1, told)
    assert told or err.splitlines()[-1] == "ChildProcessError"


@pytest.mark.parametrize("files", [8, 10])
def test_where_no_more_processes_can_be_begun_threads_do_the_work(tmp_path: Path, files: int) -> None:
    """So few files may be open that there are none for the first fork, or for the second."""
    few = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files}))\n"
    with running(tmp_path, few + NAMED) as process:
        assert ended(process) == (0, "aa bb cc dd ee ff gg hh 1\n", "")
        assert set(seen(tmp_path)) == {process.pid}


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        ("OSError(28, 'No space left on device', 'capture.json')", "OSError: [Errno 28] No space left on device"),
        ("KeyboardInterrupt()", "KeyboardInterrupt"),
    ],
)
def test_what_is_raised_is_raised_where_the_results_are_read(tmp_path: Path, raised: str, told: str) -> None:
    work = f"def work(item):\n    begun(item)\n    if item == 'c':\n        raise {raised}\n    time.sleep(600)"
    with running(tmp_path, work) as process:
        code, out, err = ended(process)
        assert code != 0 and out == "" and told in err.splitlines()[-1]
        assert are_gone(tmp_path)


@pytest.mark.parametrize(
    "end", ["os.kill(os.getpid(), 9)", "os._exit(0)", "return lambda: 0", "raise type('Own', (Exception,), {})"]
)
def test_a_process_without_an_answer_is_told_of(tmp_path: Path, end: str) -> None:
    work = f"def work(item):\n    begun(item)\n    if item == 'c':\n        {end}\n    time.sleep(600)"
    with running(tmp_path, work) as process:
        code, out, err = ended(process)
        assert (code, out) == (1, "") and err.splitlines()[-1] == "ChildProcessError"
        assert are_gone(tmp_path)


def test_whoever_wants_no_more_results_gets_rid_of_the_processes(tmp_path: Path) -> None:
    work = f"{HANGS} if item > 'a' else None"
    with running(tmp_path, work, then="next(results)") as process:
        assert ended(process) == (0, "", "")
        assert are_gone(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("group", [False, True])
def test_processes_end_with_the_one_that_asked(tmp_path: Path, number: int, group: bool) -> None:
    with running(tmp_path, HANGS) as process:
        wait_for(lambda: sum(map(len, seen(tmp_path).values())) == 4)
        (os.killpg if group and number != signal.SIGKILL else os.kill)(process.pid, number)
        code, out, err = ended(process)
        assert (code, out) == (-number, "") and err.count("Traceback") == (number == signal.SIGINT)
        wait_for(lambda: are_gone(tmp_path))


def test_a_fork_that_was_stopped_ends_as_well(tmp_path: Path) -> None:
    with running(tmp_path, HANGS) as process:
        wait_for(lambda: sum(map(len, seen(tmp_path).values())) == 4)
        for pid in seen(tmp_path):
            os.kill(pid, signal.SIGSTOP)
        process.send_signal(signal.SIGINT)
        assert ended(process)[0] == -signal.SIGINT
        assert are_gone(tmp_path)
