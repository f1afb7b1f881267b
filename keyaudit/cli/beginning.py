"""``keyaudit policy`` and ``keyaudit notebook``: a policy, and a notebook of one's own, to begin with."""

from __future__ import annotations

import re
from pathlib import Path

import click

from keyaudit import resources
from keyaudit.cli.common import say, write_names
from keyaudit.files import why
from keyaudit.schema import InputError
from keyaudit.texts import shell_line

SUFFIX = ".ipynb"
#: evidence folders are named for their notebook
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")


@click.group(short_help="Write a policy to begin with: the period and who set it.")
def policy() -> None:
    """The policy by which keyaudit judges."""


@policy.command("new", short_help="Write a policy to fill in.")
@click.argument(
    "file", required=False, default="policy.toml", type=click.Path(path_type=Path, readable=False, writable=False)
)
def new_policy(file: Path) -> None:
    """Write a policy to fill in, with every setting explained; print its file.

    FILE is policy.toml unless another is named; a file that is there is left as it is.
    """
    _write(file, resources.data("policies", "new.txt").read_bytes())
    say(
        "fill in max_access_key_age, approved_by and effective; until then it sets no period, and every check fails"
    )
    say(f"then: keyaudit check SOURCE --policy {file}")


@click.group(short_help="Write a notebook of your own to begin with.")
def notebook() -> None:
    """Notebooks of your own, which keyaudit runs and seals like its own."""


@notebook.command("new", short_help="Write a notebook to make your own.")
@click.argument("name")
def new_notebook(name: str) -> None:
    """Write a small notebook that runs as it is, to make your own: the answer, a table and a chart; print its file.

    NAME is the notebook's name or file; a file that is there is left as it is.
    """
    from keyaudit.evidence.prose import new_notebook as content

    file = Path(name if name.endswith(SUFFIX) else f"{name}{SUFFIX}")
    if not _NAME.fullmatch(file.stem):
        raise InputError(f"{name}: evidence is named for its notebook; use letters, digits, _ and - in the name")
    if (resources.notebooks() / file.name).exists():
        raise InputError(f"{name}: keyaudit has a notebook of that name; choose another")
    _write(file, content())
    say("open it in JupyterLab (keyaudit lab --notebooks FOLDER): Run, Run All Cells; then change what you like")
    command = ["keyaudit", "report", "SOURCE", "--policy", "POLICY", "--notebook", str(file)]
    say(f"then, as sealed evidence: {shell_line(command)}")


def _write(file: Path, content: bytes) -> None:
    """Write a new file, and print its name; InputError if it is there, or cannot be written."""
    try:
        with file.open("xb") as to:
            to.write(content)
    except FileExistsError:
        raise InputError(f"{file}: is there already; name another file") from None
    except OSError as error:
        raise InputError(f"{why(error)}; name another file") from None
    write_names([file])
