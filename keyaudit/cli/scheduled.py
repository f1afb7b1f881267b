"""What ``keyaudit report`` says of a scheduled run, and of the overview."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyaudit import texts
from keyaudit.cli.common import EXIT_OF, say, write_names
from keyaudit.schema import INSUFFICIENT_DATA

if TYPE_CHECKING:
    from keyaudit.cli.live import Live
    from keyaudit.evidence import Evidence
    from keyaudit.model import Audit


def scheduled(
    reports: Path,
    every: str,
    again: bool,
    notebook: str,
    decides: dict[str, Any],
    make: Callable[[dict[str, str]], Evidence[Audit]],
    started: datetime,
) -> int:
    """Make evidence for this period, unless it exists: then give its folder and exit code, as if it had been made
    now."""
    from keyaudit.dues.calendar import parse_every
    from keyaudit.schedule.due import once
    from keyaudit.schedule.occasion import occasion

    run = occasion(parse_every(every), decides, started)
    try:
        found = once(reports, run, again, notebook, make)
    except Exception:
        if reports.is_dir():
            rebuild_index(reports)  # it names the runs that failed
        raise
    if not found.is_new:
        say(f"{found.conclusion}: made before for {run.period}; --again makes another")
        write_names([found.folder])
    if found.not_counted:
        say(texts.say("schedule.not_counted", period=run.period, why=found.not_counted))
    if found.unseen:
        say(texts.say("schedule.unseen", why=found.unseen))
    return EXIT_OF[found.conclusion] or (EXIT_OF[INSUFFICIENT_DATA] if found.not_counted else 0)


def rebuild_index(reports: Path) -> None:
    """Make the overview of the reports folder anew; the evidence does not depend on it."""
    from keyaudit.evidence.index import rebuild
    from keyaudit.files import why

    try:
        rebuild(reports)
    except OSError as error:
        say(texts.say("index.not_made", folder=reports, why=why(error)))
    except (
        Exception
    ) as error:  # whatever is in the folder: evidence that was sealed stays sealed, and its verdict holds
        say(texts.say("index.not_made", folder=reports, why=type(error).__name__))


def reads_of(live: Live) -> dict[str, Any]:
    """What a scheduled run reads of live AWS: the options, and the account that the credentials belong to."""
    from keyaudit.aws.session import account_of_caller
    from keyaudit.schedule.due import content

    caller = account_of_caller(live.profile, live.region)
    return live.asked() | {"accounts": content(str(live.accounts or "")), "caller": caller}
