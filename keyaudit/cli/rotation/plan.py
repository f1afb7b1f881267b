"""``keyaudit rotation plan``: who must do what, by when, in which order."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keyaudit.cli.common import as_of_option, policy_option, progress, say, sources_argument, write
from keyaudit.cli.live import Live, capture_option, live_options
from keyaudit.cli.reading import resolve
from keyaudit.files import json_text

if TYPE_CHECKING:
    from keyaudit.model import Audit
    from keyaudit.rotation.fresh import Freshness
    from keyaudit.rotation.plan import Task

COLUMNS = (
    "rank", "account_id", "account_name", "user", "key", "status", "case", "action", "by_when", "owner",
    "administrator", "made", "age_days", "limit", "due", "days_over", "last_used", "not_before",
    "keys", "steps", "commands",
)  # fmt: skip
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

    SOURCE is as for check. Nothing is changed. By evidence that is over 24 hours old no command is printed that
    would change anything. Exits with 0 if there is nothing to do, 1 if there is, 3 if nothing was seen to be done
    but something was not seen.
    """
    from keyaudit.auditing import audit
    from keyaudit.rotation.fresh import freshness
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
        from keyaudit.export import table_csv

        for line in (*first_lines(judged), incomplete(unseen) if unseen else "", fresh.sentence if tasks else ""):
            if line:
                say(line)
        write(table_csv(COLUMNS, (_row(rank, task) for rank, task in enumerate(tasks, 1))))
    else:
        write(_json(judged, tasks, unseen, fresh))
    if tasks or judged.policy.max_access_key_age is None:
        return TO_DO
    return UNSEEN if unseen else NOTHING


def _row(rank: int, task: Task) -> list[Any]:
    from keyaudit.rotation.printed import told

    facts = _facts(rank, task)
    # of two keys, each with its own dates: those of the row are the worse of both
    facts["keys"] = "; ".join(map(told, task.keys))
    facts["steps"] = _numbered([step.text for step in task.steps])
    # numbered, so that no cell runs as a whole where it is pasted
    facts["commands"] = _numbered([step.command for step in task.steps])
    return [facts[name] for name in COLUMNS]


def _numbered(lines: list[str]) -> str:
    return " ".join(f"{number}) {line}" for number, line in enumerate(lines, 1) if line)


def _facts(rank: int, task: Task) -> dict[str, Any]:
    facts = {"rank": rank, **asdict(task), "by_when": task.by_when}
    facts["keys"] = [_dated(key, ("made", "last_used")) for key in facts["keys"]]
    return _dated(facts, ("made", "due", "last_used", "by", "not_before"))


def _dated(facts: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    from keyaudit.texts import utc

    return facts | {name: utc(facts[name]) or None for name in names}


def _json(judged: Audit, tasks: tuple[Task, ...], unseen: list[str], fresh: Freshness) -> str:
    from keyaudit.rotation.printed import first_lines, remarks
    from keyaudit.texts import utc

    found = {
        "as_of": utc(judged.as_of),
        "policy": {"title": judged.policy.title, "sha256": judged.policy.sha256, "given": judged.policy.given},
        "sample": judged.is_sample,
        "caveats": first_lines(judged),
        "incomplete": unseen,
        "capture_again": {"accounts": sorted(fresh.old), "why": fresh.sentence or None},
        "remarks": remarks(judged),
        "tasks": [_facts(rank, task) for rank, task in enumerate(tasks, 1)],
    }
    return json_text(found)
