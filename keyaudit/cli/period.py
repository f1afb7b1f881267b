"""``keyaudit period``: did the control operate throughout?"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keyaudit.cli.common import (
    EXIT_OF,
    bom_option,
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
from keyaudit.schema import InputError

if TYPE_CHECKING:
    from keyaudit.period import Window

DAY = click.DateTime(["%Y-%m-%d"])
#: there is no evidence of other years
YEARS = range(2000, 3000)


@click.command(short_help="Did the control operate throughout a period?")
@click.argument("reports", type=click.Path(path_type=Path, readable=False), default=Path("reports"))
@click.option(
    "--from", "first", metavar="DAY", type=DAY, help="The first day (UTC). Default: the first of this year."
)
@click.option("--to", "last", metavar="DAY", type=DAY, help="The last day (UTC). Default: today.")
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
@format_option("table", "json", "csv")
@bom_option
def period(
    reports: Path,
    first: datetime | None,
    last: datetime | None,
    every: str,
    policy: str,
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
    from keyaudit.dues.calendar import parse_every
    from keyaudit.evidence.operating import operating
    from keyaudit.policy import load_policy

    refuse_bom(bom, form)
    now = datetime.now(UTC)
    found = operating(
        reports,
        _window(first, last, now),
        now,
        parse_every(every) if every else None,
        load_policy(policy) if policy else None,
        progress("verifying", "folder"),
    )
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


def _window(first: datetime | None, last: datetime | None, now: datetime) -> Window:
    from keyaudit.period import Window

    start = first.date() if first else now.date().replace(month=1, day=1)
    end = last.date() if last else now.date()
    for option, day in (("--from", start), ("--to", end)):
        if day.year not in YEARS:
            raise InputError(f"{option} {day}: give a day from {YEARS[0]} to {YEARS[-1]}")
    if start > now.date():
        raise InputError(f"--from {start}: lies in the future; give a day from which there is evidence")
    if start > end:
        raise InputError(f"--from {start}: is after --to {end}; give the first day, and then the last")
    return Window.of_days(start, end)
