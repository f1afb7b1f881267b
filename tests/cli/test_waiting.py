"""What whoever waits sees on a terminal: at once that something is done, a bar before its first item, and no line of
the output in the line of a bar. The terminal is a pseudo-terminal; what is slow is a pipe that nobody has filled."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from conftest import AS_OF, FRESH, IS_NIGHTLY, OLD, report, write
from evidence_helpers import COMMAND, PROCESS_DEADLINE
from forked import server

from keyaudit.cli import common

GONE = "\r\x1b[K"


class Terminal:
    """A pseudo-terminal of 80 columns, and what was written to it."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.text = ""

    def until(self, word: str) -> str:
        """All of it as soon as the word is there; fails if it does not come."""
        while word not in self.text:
            assert select.select([self.master], [], [], PROCESS_DEADLINE)[0], self.text
            self.text += os.read(self.master, 65536).decode()
        return self.text

    def now(self) -> str:
        """All of it by now."""
        while select.select([self.master], [], [], 0)[0]:
            self.text += os.read(self.master, 65536).decode()
        return self.text


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    found = Terminal()
    yield found
    os.close(found.master)
    os.close(found.slave)


@contextmanager
def at(terminal: Terminal) -> Iterator[None]:
    """This process has the terminal as its standard output and error, as long as the block takes."""
    with (
        open(terminal.slave, "w", encoding="utf-8", closefd=False) as out,
        open(terminal.slave, "w", encoding="utf-8", closefd=False) as error,
        redirect_stdout(out),
        redirect_stderr(error),
    ):
        yield


#: what a run executes first to have a terminal for all of its ends
AT = "import os; at = os.open({place!r}, os.O_RDWR | os.O_NOCTTY); [os.dup2(at, end) for end in (0, 1, 2)]"


@contextmanager
def running(words: list[str], terminal: Terminal, cwd: Path, is_fresh: bool) -> Iterator[Callable[[float], object]]:
    """A command at a terminal, as long as the block takes; what is given waits for its end."""
    if is_fresh:
        ends = dict.fromkeys(("stdin", "stdout", "stderr"), terminal.slave)
        with subprocess.Popen([*COMMAND, *words], cwd=cwd, **ends) as process:
            yield process.wait
    else:
        first = AT.format(place=os.ttyname(terminal.slave))
        with server().start(words, dict(os.environ), cwd=cwd, first=first) as run:
            yield run.ended


@pytest.mark.parametrize(
    ("command", "at_first", "at_last"),
    [
        (["check"], "reading ...", "NON_COMPLIANT: "),
        (["rotation", "plan"], "reading ...", "1 thing to do"),
        (["report", "-o", "reports"], "judging ...", "is wrong"),
    ],
)
def test_something_is_seen_before_anything_is_read(
    terminal: Terminal, tmp_path: Path, command: list[str], at_first: str, at_last: str
) -> None:
    """The policy is a pipe: until it is filled, nothing can be judged. One command by an interpreter of its own."""
    write(tmp_path, "report.csv", report(("alice", FRESH), ("bob", OLD)))
    os.mkfifo(tmp_path / "policy.toml")
    words = [*command, "report.csv", "--policy", "policy.toml", "--as-of", AS_OF]
    with running(words, terminal, tmp_path, is_fresh=IS_NIGHTLY or command == ["check"]) as ended:
        before = terminal.until(at_first)
        assert at_last not in before
        policy = "title = 't'\nmax_access_key_age = 90\n" if command != ["report", "-o", "reports"] else "is wrong"
        (tmp_path / "policy.toml").write_text(policy, encoding="utf-8")
        ended(PROCESS_DEADLINE)
    told = terminal.now()
    assert "Traceback" not in told
    # what was said of the work is gone before the answer is there
    assert told.rindex(GONE) > told.rindex(at_first)
    assert told.rindex("keyaudit: " if command[0] == "report" else at_last) > told.index(GONE)


def test_a_bar_is_there_before_its_first_item(terminal: Terminal) -> None:
    seen: list[str] = []

    def slow() -> Iterator[int]:
        seen.append(terminal.now())
        yield 1

    with at(terminal):
        common.doing("reading")
        bar = common.progress("judging", "folder")
        assert bar
        assert list(bar(slow(), 30)) == [1]
    assert "reading ..." in seen[0]
    assert seen[0].index("judging:   0%") > seen[0].rindex(GONE)
    assert "0/30" in seen[0]


def test_no_bar_leaves_a_thread_behind_because_of_which_nothing_can_be_forked(terminal: Terminal) -> None:
    program = """
import threading
from keyaudit.capture import Captured
from keyaudit.cli.common import progress
from keyaudit.cli.reading import _progress
two = [Captured(name, True, (), ()) for name in "ab"]
assert list(_progress(iter(two), 2)) == two and list(progress("judging")(iter(two), 2)) == two
raise SystemExit(threading.active_count())
"""
    ends = {"stdin": terminal.slave, "stderr": terminal.slave}
    done = subprocess.run([sys.executable, "-c", program], timeout=PROCESS_DEADLINE, check=False, **ends)
    assert done.returncode == 1
    shown = terminal.now()
    assert "capturing:   0%" in shown and "judging:   0%" in shown


def test_no_line_of_the_output_stands_in_the_line_of_a_bar(terminal: Terminal) -> None:
    with at(terminal):
        bar = common.progress("verifying", "folder")
        assert bar
        for number in bar(iter(range(2)), 2):
            common.write(f"OK {number}\n")
            common.say(f"remark {number}")
    lines = terminal.now().replace("\r\n", "\n").split("\n")
    shown = [line.rpartition("\r")[2] for line in lines]
    assert [line for line in shown if line] == ["OK 0", "remark 0", "OK 1", "remark 1"]


def test_nothing_of_it_is_written_where_there_is_no_terminal(tmp_path: Path) -> None:
    with (tmp_path / "told").open("w", encoding="utf-8") as file, redirect_stderr(file):
        common.doing("reading")
        assert common.progress("judging") is None
    assert (tmp_path / "told").read_text(encoding="utf-8") == ""
