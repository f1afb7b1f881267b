"""``keyaudit check``: the verdict on the terminal, no notebook."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from keyaudit.cli.cluster import Shared, cluster_options
from keyaudit.cli.common import (
    EXIT_OF,
    as_of_option,
    bom_option,
    doing,
    format_option,
    policy_option,
    progress,
    refuse_bom,
    sources_argument,
    width,
    write,
    write_csv,
    write_data,
)
from keyaudit.cli.live import Live, capture_option, live_options
from keyaudit.cli.reading import resolve_captured
from keyaudit.schema import InputError


@click.command(short_help="Judge credential reports, and print the verdict.")
@sources_argument
@policy_option
@as_of_option
@format_option("table", "json", "csv")
@bom_option
@capture_option
@cluster_options
@live_options
def check(
    sources: tuple[str, ...],
    policy: str,
    as_of: str,
    form: str,
    bom: bool,
    folder: Path | None,
    shared: Shared,
    live: Live,
) -> int:
    """Judge credential reports and print the verdict.

    SOURCE is a credential report as CSV (whole, or cut to some columns), base64 or the AWS CLI's JSON, a folder
    of them, a capture folder, or - for standard input. Without a SOURCE, AWS itself is read into a capture folder.
    """
    doing("reading")
    from keyaudit.auditing import audit
    from keyaudit.present.table import MOST_ROWS

    refuse_bom(bom, form)
    table = form == "table"
    if shared.at and not live.is_many:
        raise InputError("--cluster: for --organization and --accounts; judging is done here")
    found, captured = resolve_captured(sources, policy, as_of, folder, live, shared=shared, with_jobs=True)
    judged = audit(
        found,
        policy,
        as_of,
        keep=MOST_ROWS if table else None,
        progress=progress("judging"),
        jobs=live.processes if sources else os.cpu_count() or 1,
        captured=captured,
    )
    if table:
        from keyaudit.present import as_text

        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        write(as_text(judged, colour, width()))
    else:
        from keyaudit.export.summary import summary_json
        from keyaudit.export.tabular import findings_csv

        if form == "json":
            write_data(summary_json(judged))
        else:
            write_csv(findings_csv(judged), bom)
    return EXIT_OF[judged.conclusion]
