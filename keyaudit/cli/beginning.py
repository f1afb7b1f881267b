"""``keyaudit policy``: a policy to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from keyaudit import resources
from keyaudit.cli.common import say, write_names
from keyaudit.files import why
from keyaudit.schema import InputError


@click.group(short_help="Write a policy to begin with: the period and who set it.")
def policy() -> None:
    """The policy by which keyaudit judges."""


@policy.command(short_help="Write a policy to fill in.")
@click.argument(
    "file", required=False, default="policy.toml", type=click.Path(path_type=Path, readable=False, writable=False)
)
def new(file: Path) -> None:
    """Write a policy to fill in, with every setting explained; print its file.

    FILE is policy.toml unless another is named; a file that is there is left as it is.
    """
    content = resources.data("policies", "new.txt").read_bytes()
    try:
        with file.open("xb") as to:
            to.write(content)
    except FileExistsError:
        raise InputError(f"{file}: is there already; name another file") from None
    except OSError as error:
        raise InputError(f"{why(error)}; name another file") from None
    write_names([file])
    say(
        "fill in max_access_key_age, approved_by and effective; until then it sets no period, and every check fails"
    )
    say(f"then: keyaudit check SOURCE --policy {file}")
