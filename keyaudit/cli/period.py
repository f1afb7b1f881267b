"""``keyaudit period``: did the control operate throughout?"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from keyaudit.cli.common import (
    EXIT_OF,
    anchors_option,
    bom_option,
    days_options,
    doing,
    format_option,
    progress,
    refuse_bom,
    say,
    width,
    write,
    write_csv,
    write_data,
)


@click.command(short_help="Did the control operate throughout a period?")
@click.argument("reports", type=click.Path(path_type=Path, readable=False), default=Path("reports"))
@days_options
@click.option(
    "--every",
    metavar="day|week|month|quarter|Nd",
    default="",
    help="How often evidence was due (UTC), where no schedule is sealed in it.",
)
@click.option(
    "--policy",
    metavar="FILE|PRESET",
    default="",
    help="Judge the whole period by this policy. Default: the policies that are sealed in the evidence.",
)
@anchors_option
@format_option("table", "json", "csv")
@bom_option
def period(
    reports: Path,
    first: str,
    last: str,
    every: str,
    policy: str,
    anchors: str,
    form: str,
    bom: bool,
) -> int:
    """Conclude from the evidence in REPORTS (default: reports) whether access keys were rotated in time throughout
    a period; each organization or account for itself.

    Every folder is verified and judged again. Samples, and evidence of an instant that was given, do not count.

    Exits as check does, by the worst of them: 0 if the control operated throughout, 1 if a key was in breach, 3 if
    the evidence does not show it; 2 if the command or its input is wrong.
    """
    doing("reading")
    from keyaudit.evidence import PeriodAsked
    from keyaudit.evidence.over_time import of_folder
    from keyaudit.policy import load_policy

    refuse_bom(bom, form)
    given = load_policy(policy) if policy else None
    asked = PeriodAsked(first, last, every, anchors)
    found = of_folder(reports, asked, given, progress("verifying", "folder")).operated
    if form == "table":
        from keyaudit.present.effectiveness import operating_text

        write(operating_text(found, sys.stdout.isatty() and "NO_COLOR" not in os.environ, width()))
        return EXIT_OF[found.conclusion]
    from keyaudit.export.over_time import operated_csv, operated_json

    if form == "json":
        write_data(operated_json(found).encode())
    else:
        write_csv(operated_csv(found), bom)
        for fault in found.faults:
            say(f"keyaudit: {fault}")
    return EXIT_OF[found.conclusion]
