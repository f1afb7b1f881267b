"""``keyaudit export``, and ``--also`` of ``report``: files for offices, made of evidence that verifies."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from keyaudit import texts
from keyaudit.cli.common import say, write_names
from keyaudit.schema import KeyAuditError

if TYPE_CHECKING:
    from keyaudit.export.formats import Format
    from keyaudit.model import Proved

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
WRONG = 1


def also_option(command: F) -> F:
    """``--also``: what ``report`` makes of its evidence besides."""
    return click.option(
        "--also",
        metavar="xlsx,owners",
        default="",
        help="Afterwards, export the evidence in these formats. If that fails, the exit code stays the verdict's.",
    )(command)


@click.command(short_help="Make a workbook of evidence, or a list for each owner.")
@click.argument("evidence", type=click.Path(path_type=Path, readable=False))
@click.option("-f", "--format", "forms", metavar="xlsx|owners", required=True, help="One or several: xlsx,owners.")
@click.option(
    "-o",
    "--output",
    "into",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path, readable=False),
    help="Where to put them. Default: beside the evidence folder.",
)
def export(evidence: Path, forms: str, into: Path | None) -> int:
    """Verify an evidence folder, make files of it for those who do not use keyaudit, and print their paths.

    xlsx is a workbook: all keys, findings, accounts and sources. owners is a folder with a list and a draft of a
    mail for each owner of a key with which something is to be done. Made again from the same evidence, they are the
    same bytes. They are no evidence themselves, and lie beside it.

    Exits with 0 if they were made, 1 if the evidence does not verify, 2 if there is no such folder or the extra of
    a format is not installed, 4 if they cannot be written.
    """
    from keyaudit.evidence.exports import BrokenError, prove
    from keyaudit.export.formats import formats_of

    wanted = formats_of(forms)
    for form in wanted:
        form.load()  # what is not installed is told of first
    try:
        proved = prove(evidence)
    except BrokenError as error:
        say(f"WRONG  {evidence}")
        for fault in error.faults:
            say(f"  {fault}")
        return WRONG
    for form in wanted:
        _write(proved, form, evidence, into)
    return 0


def _write(proved: Proved, form: Format, evidence: Path, into: Path | None = None) -> None:
    from keyaudit.evidence.exports import write

    path, made = write(proved, form, evidence, into)
    if path:
        write_names([path])
    for remark in made.remarks:
        say(remark)


def also_of(also: str) -> tuple[Format, ...]:
    """The formats that are asked for; InputError for one that there is not."""
    from keyaudit.export.formats import formats_of

    return formats_of(also) if also else ()


def export_also(folder: Path, also: tuple[Format, ...]) -> None:
    """Export evidence that was just sealed. What cannot be made is said: the evidence and its verdict stand."""
    if not also:
        return
    from keyaudit.evidence.exports import prove

    proved = _tried(partial(prove, folder), folder, ",".join(one.id for one in also))
    if proved is None:
        return
    for form in also:
        _tried(partial(_write, proved, form, folder), folder, form.id)


def _tried(make: Callable[[], T], folder: Path, form: str) -> T | None:
    """What it gives; if it fails, that is said in one line."""
    try:
        return make()
    except KeyAuditError as error:
        why = str(error)
    except Exception as error:  # the evidence is sealed: nothing that is made of it decides the exit code
        why = type(error).__name__
    say(texts.say("export.failed", folder=folder, form=form, why=why))
    return None
