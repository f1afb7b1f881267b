"""``keyaudit series``: is there evidence for every period, and does it hold?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from keyaudit.cli.common import (
    bom_option,
    doing,
    format_option,
    no_day,
    progress,
    refuse_bom,
    say,
    width,
    write,
    write_csv,
)
from keyaudit.schema import InputError

WHOLE, WRONG, INCONCLUSIVE = 0, 1, 3


@click.command(short_help="Is there evidence for every period, and does it hold?")
@click.argument("reports", type=click.Path(path_type=Path, readable=False), default=Path("reports"))
@click.option(
    "--every", metavar="day|week|month|quarter|Nd", required=True, help="How often evidence is due (UTC)."
)
@click.option(
    "--since",
    metavar="TIME",
    default="",
    callback=no_day,
    help="The first moment that counts. Default: the first run of each account.",
)
@click.option("--notebook", metavar="NAME", default="", help="Only evidence of this notebook.")
@format_option("table", "json", "csv")
@bom_option
def series(reports: Path, every: str, since: str, notebook: str, form: str, bom: bool) -> int:
    """Compare the runs that a schedule should have made with the evidence in REPORTS (default: reports), and verify
    it.

    Exits with 0 if each period that is over has evidence that holds, 1 if any evidence is missing, failed or
    broken, 2 if there is no such folder, 3 if all the evidence of a period is INSUFFICIENT_DATA.
    """
    doing("reading")
    from keyaudit.auditing import parse_as_of
    from keyaudit.dues.calendar import parse_every
    from keyaudit.schedule.series import series as find
    from keyaudit.schedule.told import as_csv, as_json, as_text

    refuse_bom(bom, form)
    period, now = parse_every(every), datetime.now(UTC)
    try:
        begins = parse_as_of(since)
    except InputError as error:
        raise InputError(str(error).replace("as_of", "--since", 1)) from None
    if begins and begins > now:
        raise InputError(f"--since {since}: lies in the future; give the instant from which evidence was due")
    found = find(reports, period, now, begins, notebook, progress("verifying", "folder"))
    if form == "table":
        write(as_text(found, width()))
    elif form == "json":
        write(as_json(found, every))
    else:
        write_csv(as_csv(found), bom)
        for fault in found.faults:
            say(f"keyaudit: {fault}")
    return WRONG if not found.is_whole else WHOLE if found.is_conclusive else INCONCLUSIVE
