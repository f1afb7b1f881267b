"""What the commands share: their arguments, the progress bar, the exit code of a conclusion."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

import click

from keyaudit.schema import COMPLIANT, INSUFFICIENT_DATA, NON_COMPLIANT
from keyaudit.texts import line

if TYPE_CHECKING:
    from keyaudit.model import Progress

T = TypeVar("T")
EXIT_OF = {COMPLIANT: 0, NON_COMPLIANT: 1, INSUFFICIENT_DATA: 3}

policy_option = click.option(
    "--policy",
    metavar="FILE|PRESET",
    default="",
    help="The rotation policy: a TOML file, or the preset cis or skshieldus.",
)
as_of_option = click.option(
    "--as-of",
    metavar="TIME",
    default="",
    help="The instant of judgement, ISO 8601 with a zone. Default: when the latest report was generated.",
)
sources_argument = click.argument("sources", metavar="[SOURCE]...", nargs=-1)


def is_given(context: click.Context, name: str) -> bool:
    """Whether the user gave this option, rather than its default."""
    return context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def progress(description: str) -> Progress | None:
    """A bar on stderr for what takes long, on a terminal only."""
    if not sys.stderr.isatty():
        return None

    def bar(items: Iterator[T], total: int) -> Iterable[T]:
        from tqdm import tqdm

        return tqdm(items, total=total, desc=description, unit="account", leave=False, delay=0.5, file=sys.stderr)

    return bar


def open_all() -> None:
    """Standard input, output and error as something that can be read and written, also where they were closed: the
    next file to be opened would take their place, and what is said would be written into it."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            _to_nowhere(number)
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _to_nowhere(number: int) -> None:
    """Python flushes its streams once more at exit, which must find something to write to."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)


def write(text: str | bytes) -> None:
    """Machine output, on stdout; that it cannot be written does not change the verdict."""
    content = text.encode("utf-8", "backslashreplace") if isinstance(text, str) else text
    try:
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


def write_data(content: bytes) -> None:
    """Data with text from outside in it: byte for byte to a program; to a terminal, so that it can be seen."""
    if sys.stdout.isatty():
        lines = content.decode("utf-8", "backslashreplace").split("\n")
        content = "\n".join(map(line, lines)).encode()
    write(content)


def say(text: str) -> None:
    """A line for people, on stderr, with nothing secret or unseen in it; nobody need be listening."""
    told = line(text) + "\n"
    try:
        sys.stderr.write(told)
        sys.stderr.flush()
    except OSError:
        _to_nowhere(2)
