"""``keyaudit rotation plan``: who must do what, by when, in which order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keyaudit.cli.common import (
    as_of_option,
    bom_option,
    doing,
    format_option,
    is_given,
    policy_option,
    progress,
    refuse_bom,
    say,
    sources_argument,
    width,
    write,
    write_csv,
)
from keyaudit.cli.live import Live, capture_option, live_options
from keyaudit.cli.reading import resolve
from keyaudit.texts import shell_line

if TYPE_CHECKING:
    from keyaudit.rotation.crowd import Again

TO_DO, NOTHING, UNSEEN = 1, 0, 3


@click.command(short_help="Print what to do with which key, and by when.")
@sources_argument
@policy_option
@as_of_option
@format_option("table", "json", "csv")
@bom_option
@capture_option
@live_options
def plan(
    sources: tuple[str, ...], policy: str, as_of: str, form: str, bom: bool, folder: Path | None, live: Live
) -> int:
    """Print what to do with which key, by when, worst first, with the commands.

    SOURCE is as for check. Nothing is changed. From evidence that is over 24 hours old, no command is printed that
    would change anything. Exits with 0 if there is nothing to do, 1 if there is something to do, 3 if nothing was
    found to be done but something was not seen.
    """
    doing("reading")
    from keyaudit.auditing import audit
    from keyaudit.rotation.fresh import freshness
    from keyaudit.rotation.handed_on import as_csv, as_json
    from keyaudit.rotation.plan import plan as plan_of
    from keyaudit.rotation.printed import as_text, first_lines, incomplete, without_changes

    refuse_bom(bom, form)
    judged = audit(resolve(sources, policy, as_of, folder, live), policy, as_of, progress=progress("judging"))
    doing("planning")
    fresh = freshness(judged, datetime.now(UTC))
    tasks = without_changes(plan_of(judged), fresh)
    unseen = sorted({one.account_id for one in judged.problems})
    if form == "table":
        write(as_text(judged, tasks, unseen, fresh, _again(sources, policy), width()))
    elif form == "csv":
        for line in (*first_lines(judged), incomplete(unseen) if unseen else "", fresh.sentence if tasks else ""):
            if line:
                say(line)
        write_csv(as_csv(tasks), bom)
    else:
        write(as_json(judged, tasks, unseen, fresh))
    if tasks or judged.policy.max_access_key_age is None:
        return TO_DO
    return UNSEEN if unseen else NOTHING


def _again(sources: tuple[str, ...], policy: str) -> Again:
    """How this plan is made once more, as CSV: with the options that were given, and before the sources."""
    from keyaudit.rotation.crowd import Again
    from keyaudit.sources import is_pipe

    if any(one == "-" or is_pipe(Path(one)) for one in (*sources, policy)):
        return Again("", "piped")
    words = ["keyaudit", "rotation", "plan", *_options(click.get_current_context()), "-f", "csv"]
    line = shell_line([*words, *(["--"] if any(one.startswith("-") for one in sources) else []), *sources])
    return Again(line) if line else Again("", "unsaid")


def _options(context: click.Context) -> Iterator[str]:
    """The options as they were given, but for the form of the output."""
    for one in context.command.params:
        if isinstance(one, click.Option) and one.name and one.name != "form" and is_given(context, one.name):
            value = context.params[one.name]
            for each in value if one.multiple else [value]:
                yield from [one.opts[0]] if one.is_flag else [one.opts[0], str(each)]
