"""``keyaudit verify``: does the evidence still hold?"""

from __future__ import annotations

from pathlib import Path

import click

from keyaudit.cli.common import write


@click.command()
@click.argument("evidence", nargs=-1, required=True, type=click.Path(path_type=Path))
def verify(evidence: tuple[Path, ...]) -> int:
    """Check the seal of evidence folders, and reach their verdict again from the raw evidence.

    Exits with 0 if all holds, 1 if anything inside is wrong, 2 if there is no such folder.
    """
    from keyaudit.verify import verify as verify_folder

    wrong = False
    for folder in evidence:
        faults, remarks = verify_folder(folder)
        wrong = wrong or bool(faults)
        lines = [f"{'WRONG' if faults else 'OK'}  {folder}", *(f"  {line}" for line in (*faults, *remarks))]
        write("\n".join(lines) + "\n")
    return int(wrong)
