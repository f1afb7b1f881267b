"""``keyaudit verify``: does the evidence still hold?"""

from __future__ import annotations

from pathlib import Path

import click

from keyaudit.cli.common import say, write
from keyaudit.schema import InputError

WRONG_INPUT = 2


@click.command()
@click.argument("evidence", nargs=-1, required=True, type=click.Path(path_type=Path))
def verify(evidence: tuple[Path, ...]) -> int:
    """Check the seal of evidence folders, and reach their verdict again from the raw evidence.

    Exits with 0 if all holds, 1 if anything inside is wrong, 2 if there is no such folder.
    """
    from keyaudit.verify import verify as verify_folder

    code = 0
    for folder in evidence:
        try:
            faults, remarks = verify_folder(folder)
        except InputError as error:
            # the other folders are verified all the same
            say(f"keyaudit: {error}")
            code = WRONG_INPUT
            continue
        code = max(code, int(bool(faults)))
        lines = [f"{'WRONG' if faults else 'OK'}  {folder}", *(f"  {line}" for line in (*faults, *remarks))]
        write("\n".join(lines) + "\n")
    return code
