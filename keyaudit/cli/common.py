"""What the commands share: their arguments, the progress bar, the exit code of a conclusion."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from keyaudit.instants import refuse_day
from keyaudit.schema import COMPLIANT, INSUFFICIENT_DATA, NON_COMPLIANT, InputError
from keyaudit.texts import line

if TYPE_CHECKING:
    from keyaudit.model import Progress

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
EXIT_OF = {COMPLIANT: 0, NON_COMPLIANT: 1, INSUFFICIENT_DATA: 3}

policy_option = click.option(
    "--policy",
    metavar="FILE|PRESET",
    default="",
    help="The rotation policy: a TOML file, or the preset cis or skshieldus.",
)


def no_day(_: click.Context, option: click.Parameter, text: str) -> str:
    """What an option was given that takes an instant; InputError for a day."""
    refuse_day(option.opts[0], text)
    return text


as_of_option = click.option(
    "--as-of",
    metavar="TIME",
    default="",
    callback=no_day,
    help="The instant of judgement, ISO 8601 with a zone. Default: when the latest report was generated.",
)
bom_option = click.option(
    "--bom", is_flag=True, help="With -f csv: begin with a byte order mark, so that Excel reads UTF-8."
)
sources_argument = click.argument("sources", metavar="[SOURCE]...", nargs=-1)


def days_options(command: F) -> F:
    """The period that is asked about."""
    told = "(UTC). Default:"
    first = click.option("--from", "first", metavar="DAY", default="", help=f"The first day {told} 1 January.")
    last = click.option("--to", "last", metavar="DAY", default="", help=f"The last day {told} today.")
    return first(last(command))


series_option = click.option(
    "--series",
    metavar="REPORTS",
    type=click.Path(path_type=Path, readable=False),
    default=None,
    help="The reports folder that evidence of a period refers to.",
)
anchors_option = click.option(
    "--anchors",
    metavar="FILE",
    default="",
    help="Days on which others saw the seals (a day and a SHA-256 in each line).",
)


def format_option(*forms: str) -> Callable[[F], F]:
    """The form of the output."""
    said = "The form of the output. Default: table."
    return click.option("-f", "--format", "form", type=click.Choice(forms), default="table", help=said)


def reports_option(default: str) -> Callable[[F], F]:
    """Where the evidence goes."""
    return click.option(
        "-o",
        "--output",
        "reports",
        metavar="DIR",
        type=click.Path(file_okay=False, path_type=Path, readable=False),
        help=f"The folder of all evidence. Default: {default}.",
    )


def is_given(context: click.Context, name: str) -> bool:
    """Whether the user gave this option, rather than its default."""
    return context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


#: whether the last line of the terminal says what is being done
_told_doing = False


def doing(what: str) -> None:
    """Say on a terminal what is being done, at once and before anything heavy is imported: a few short words, which
    go as soon as anything else is said, or a bar is there."""
    global _told_doing
    if sys.stderr.isatty():
        _told_doing = True
        _to_terminal(f"\r\x1b[K{what} ...")


def done() -> None:
    """Take away what ``doing`` said."""
    global _told_doing
    if _told_doing:
        _told_doing = False
        _to_terminal("\r\x1b[K")


def _to_terminal(text: str) -> None:
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


def progress(description: str, unit: str = "account") -> Progress | None:
    """A progress bar on stderr, and only on a terminal; it is there before the first item is."""
    if not sys.stderr.isatty():
        return None

    def bar(items: Iterator[T], total: int) -> Iterable[T]:
        return begin_bar(description, unit, total, items)

    return bar


def begin_bar(description: str, unit: str, total: int, items: Iterator[Any] | None = None) -> Any:
    """A bar of tqdm's on stderr, over the items if they are given."""
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # without its thread, processes can be forks of this one (see engine)
    done()
    return tqdm(items, total=total, desc=description, unit=unit, leave=False, file=sys.stderr)


@contextmanager
def _beside_bars() -> Iterator[None]:
    """What is written in the block does not stand in the line of a bar."""
    done()
    if "tqdm" not in sys.modules or not sys.stderr.isatty():
        yield
        return
    from tqdm import tqdm

    with tqdm.external_write_mode(sys.stderr):
        yield


def open_all() -> None:
    """Make sure that standard input, output and error are open. If one of them was closed, the next file to be
    opened would take its place, and our output would be written into that file."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            _to_nowhere(number)
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _to_nowhere(number: int) -> None:
    """Python flushes its streams once more at exit, and must then find something to write to."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)


def width() -> int | None:
    """How wide the terminal is that standard output goes to; None if it goes elsewhere, where no line is broken."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def write(text: str | bytes) -> None:
    """Machine output, on stdout; if it cannot be written, the verdict stays the same."""
    content = text.encode("utf-8", "backslashreplace") if isinstance(text, str) else text
    try:
        with _beside_bars():
            sys.stdout.flush()
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
    except OSError as error:
        _to_nowhere(1)
        if not isinstance(error, BrokenPipeError):
            say(f"keyaudit: cannot write the output ({error.strerror})")


def write_names(names: Iterable[object]) -> None:
    """Names from outside, one line each."""
    write_data(b"".join(os.fsencode(str(one).replace("\n", "\\n")) + b"\n" for one in names))


def write_csv(content: bytes, bom: bool) -> None:
    """CSV, as ``write_data``; with the mark by which a spreadsheet knows its encoding, if that is asked for."""
    from keyaudit.export.tabular import BOM

    write_data(BOM + content if bom else content)


def refuse_bom(bom: bool, form: str) -> None:
    """InputError for a mark where no CSV is written."""
    if bom and form != "csv":
        raise InputError("--bom: only with -f csv")


def write_data(content: bytes) -> None:
    """Data that contains text from outside: byte for byte to a program; to a terminal with unprintable characters
    shown."""
    if sys.stdout.isatty():
        lines = content.decode("utf-8", "backslashreplace").split("\n")
        content = "\n".join(map(line, lines)).encode()
    write(content)


def say(text: str) -> None:
    """A line for people, on stderr, with nothing secret or invisible in it; it does not matter whether anybody
    listens."""
    told = line(text) + "\n"
    try:
        with _beside_bars():
            sys.stderr.write(told)
            sys.stderr.flush()
    except OSError:
        _to_nowhere(2)
