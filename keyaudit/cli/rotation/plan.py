"""``keyaudit rotation plan``: who must do what, by when, in which order."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keyaudit.cli.common import as_of_option, policy_option, progress, say, sources_argument, write
from keyaudit.cli.live import capture_option, live_options, resolve

if TYPE_CHECKING:
    from keyaudit.auditing import Audit
    from keyaudit.rotation.plan import Task

COLUMNS = (
    "rank", "account_id", "user", "key", "status", "case", "action", "by_when", "owner", "administrator",
    "made", "age_days", "limit", "due", "days_over", "last_used", "steps", "commands",
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
def plan(
    sources: tuple[str, ...], policy: str, as_of: str, form: str, folder: Path | None, live: dict[str, Any]
) -> int:
    """Print what to do with which key, by when, worst first, with the commands.

    SOURCE is as for check. Nothing is changed. Exits with 0 if there is nothing to do, 1 if there is, 3 if nothing
    was seen to be done but something was not seen.
    """
    from keyaudit.auditing import audit
    from keyaudit.rotation.plan import plan as plan_of

    judged = audit(resolve(sources, policy, as_of, folder, live), policy, as_of, progress=progress("judging"))
    tasks = plan_of(judged)
    unseen = sorted({one.account_id for one in judged.problems})
    if form == "table":
        write(_text(judged, tasks, unseen))
    elif form == "csv":
        from keyaudit.export import table_csv

        if unseen:
            say(_incomplete(unseen))
        write(table_csv(COLUMNS, (_row(rank, task) for rank, task in enumerate(tasks, 1))))
    else:
        write(_json(judged, tasks, unseen))
    return TO_DO if tasks else UNSEEN if unseen else NOTHING


def _incomplete(unseen: list[str]) -> str:
    from keyaudit import texts

    return texts.say("plan.incomplete", n=len(unseen), accounts=", ".join(unseen))


def _text(judged: Audit, tasks: tuple[Task, ...], unseen: list[str]) -> str:
    from keyaudit.present.table import Table
    from keyaudit.present.terminal import grid
    from keyaudit.texts import say as told
    from keyaudit.texts import utc, visible

    head = told("plan.head", n=len(tasks), as_of=utc(judged.as_of), policy=judged.policy.title)
    lines = [head if tasks else told("plan.none")] if tasks or not unseen else []
    lines += [_incomplete(unseen)] if unseen else []
    rows = tuple(
        (
            str(rank), one.account_id, visible(one.user), one.key, utc(one.made)[:10], _cell(one.age_days),
            _cell(one.days_over), utc(one.last_used)[:10], one.by_when, one.action,
        )
        for rank, one in enumerate(tasks, 1)
    )  # fmt: skip
    columns = tuple(told("plan.columns").split(","))
    blocks = ["\n".join(lines)]
    if rows:
        blocks.append(grid(Table(told("plan.caption"), columns, rows, frozenset((columns[0], *columns[5:7])))))
    alike: dict[tuple[str, ...], list[tuple[int, Task]]] = {}
    for rank, one in enumerate(tasks, 1):
        alike.setdefault((one.action, *(step.text for step in one.steps)), []).append((rank, one))
    blocks += [_how(action, texts, ranked) for (action, *texts), ranked in alike.items()]
    blocks += _together(tasks)
    return "\n\n".join(blocks) + "\n"


def _together(tasks: tuple[Task, ...]) -> list[str]:
    """Where several users of an account are to be put under rotation: one stack for them all."""
    from keyaudit.rotation.plan import crowds
    from keyaudit.rotation.steps import together
    from keyaudit.texts import say as told

    blocks = []
    for account, (users, limit) in crowds(tasks).items():
        steps = together(limit)
        lines = [told("plan.together.head", n=users, account=account)] if steps else []
        for number, step in enumerate(steps, 1):
            lines.append(told("plan.step_line", number=number, text=step.text))
            lines.append(told("plan.command", number=number, command=step.command))
        blocks += ["\n".join(lines)] if lines else []
    return blocks


def _how(action: str, texts: list[str], ranked: list[tuple[int, Task]]) -> str:
    """The steps of an action, said once, and the commands for each key, with the numbers of the steps."""
    from keyaudit.texts import say as told
    from keyaudit.texts import visible

    lines = [told("plan.how", action=action)]
    lines += [told("plan.step_line", number=number, text=text) for number, text in enumerate(texts, 1)]
    for rank, one in ranked:
        lines.append(told("plan.task", rank=rank, user=visible(one.user), which=one.key, account=one.account_id))
        lines += [
            told("plan.command", number=number, command=step.command)
            for number, step in enumerate(one.steps, 1)
            if step.command
        ]
    return "\n".join(lines)


def _cell(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _row(rank: int, task: Task) -> list[Any]:
    facts = _facts(rank, task)
    facts["steps"] = " ".join(f"{number}) {step.text}" for number, step in enumerate(task.steps, 1))
    facts["commands"] = " ; ".join(step.command for step in task.steps if step.command)
    return [facts[name] for name in COLUMNS]


def _facts(rank: int, task: Task) -> dict[str, Any]:
    from keyaudit.texts import utc

    facts = {"rank": rank, **asdict(task), "action": task.action, "by_when": task.by_when}
    return facts | {name: utc(facts[name]) or None for name in ("made", "due", "last_used")}


def _json(judged: Audit, tasks: tuple[Task, ...], unseen: list[str]) -> str:
    from keyaudit.texts import utc

    found = {
        "as_of": utc(judged.as_of),
        "policy": {"title": judged.policy.title, "sha256": judged.policy.sha256, "given": judged.policy.given},
        "sample": judged.is_sample,
        "incomplete": unseen,
        "tasks": [_facts(rank, task) for rank, task in enumerate(tasks, 1)],
    }
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"
