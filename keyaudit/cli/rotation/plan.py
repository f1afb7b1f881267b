"""``keyaudit rotation plan``: who must do what, by when, in which order."""

from __future__ import annotations

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keyaudit.cli.common import as_of_option, policy_option, progress, say, sources_argument, write
from keyaudit.cli.live import Live, capture_option, live_options
from keyaudit.cli.reading import resolve

if TYPE_CHECKING:
    pass

TO_DO, NOTHING, UNSEEN = 1, 0, 3


@click.command()
@sources_argument
@policy_option
@as_of_option
@click.option(
    "-f", "--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", help="Default: table."
)
@capture_option
@live_options
def plan(sources: tuple[str, ...], policy: str, as_of: str, form: str, folder: Path | None, live: Live) -> int:
    """Print what to do with which key, by when, worst first, with the commands.

    SOURCE is as for check. Nothing is changed. From evidence that is over 24 hours old, no command is printed that
    would change anything. Exits with 0 if there is nothing to do, 1 if there is something to do, 3 if nothing was
    found to be done but something was not seen.
    """
    from keyaudit.auditing import audit
    from keyaudit.rotation.fresh import freshness
    from keyaudit.rotation.handed_on import as_csv, as_json
    from keyaudit.rotation.plan import plan as plan_of
    from keyaudit.rotation.printed import as_text, first_lines, incomplete, without_changes

    judged = audit(resolve(sources, policy, as_of, folder, live), policy, as_of, progress=progress("judging"))
    fresh = freshness(judged, datetime.now(UTC))
    tasks = without_changes(plan_of(judged), fresh)
    unseen = sorted({one.account_id for one in judged.problems})
    if form == "table":
        again = shlex.join(["keyaudit", *sys.argv[1:], "-f", "csv"])
        write(as_text(judged, tasks, unseen, fresh, again))
    elif form == "csv":
        for line in (*first_lines(judged), incomplete(unseen) if unseen else "", fresh.sentence if tasks else ""):
            if line:
                say(line)
        write(as_csv(tasks))
    else:
        write(as_json(judged, tasks, unseen, fresh))
    if tasks or judged.policy.max_access_key_age is None:
        return TO_DO
    return UNSEEN if unseen else NOTHING
