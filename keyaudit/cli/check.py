"""``keyaudit check``: the verdict on the terminal, no notebook."""

from __future__ import annotations

import os
import sys

import click

from keyaudit.cli.common import (
    EXIT_OF,
    as_of_option,
    policy_option,
    progress,
    require_sources,
    sources_argument,
    write,
)


@click.command()
@sources_argument
@policy_option
@as_of_option
@click.option(
    "-f", "--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", help="Default: table."
)
def check(sources: tuple[str, ...], policy: str, as_of: str, form: str) -> int:
    """Judge credential reports and print the verdict.

    SOURCE is a credential report as CSV (whole, or cut to some columns), base64 or the AWS CLI's JSON, a folder
    of them, a capture folder, or - for standard input.
    """
    from keyaudit.auditing import audit
    from keyaudit.present.table import MOST_ROWS

    table = form == "table"
    judged = audit(
        require_sources(sources),
        policy,
        as_of,
        keep=MOST_ROWS if table else None,
        progress=progress("judging"),
        jobs=os.cpu_count() or 1,
    )
    if table:
        from keyaudit.present import as_text

        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        write(as_text(judged, colour))
    else:
        from keyaudit.export import findings_csv, summary_json

        write(summary_json(judged) if form == "json" else findings_csv(judged))
    return EXIT_OF[judged.conclusion]
