"""A plan as CSV, for lists and ``--users``, and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from keyaudit.export.tabular import table_csv
from keyaudit.files import json_text
from keyaudit.model import Audit
from keyaudit.rotation.fresh import Freshness
from keyaudit.rotation.planned import Task
from keyaudit.rotation.printed import first_lines, remarks, told
from keyaudit.texts import utc

COLUMNS = (
    "rank", "account_id", "account_name", "user", "key", "status", "case", "action", "by_when", "owner",
    "administrator", "made", "age_days", "limit", "due", "days_over", "last_used", "not_before",
    "keys", "steps", "commands", "purpose",
)  # fmt: skip
#: what a task says of itself, in the order of the JSON
_FACTS = (
    "account_id", "account_name", "user", "key", "status", "case", "action", "owner", "administrator", "made",
    "age_days", "limit", "due", "days_over", "last_used", "by", "not_before", "by_when",
    "purpose",
)  # fmt: skip


def as_csv(tasks: tuple[Task, ...]) -> bytes:
    """One row per task, in the order of the tasks."""
    return table_csv(COLUMNS, (_row(rank, task) for rank, task in enumerate(tasks, 1)))


def _row(rank: int, task: Task) -> list[Any]:
    facts = _facts(rank, task)
    # for two keys, the dates of each; the row itself has the worse of both
    facts["keys"] = "; ".join(map(told, task.keys))
    facts["steps"] = _numbered([step.text for step in task.steps])
    # numbered, so that no cell runs as a whole if it is pasted into a shell
    facts["commands"] = _numbered([step.command for step in task.steps])
    return [facts[name] for name in COLUMNS]


def _numbered(lines: list[str]) -> str:
    return " ".join(f"{number}) {line}" for number, line in enumerate(lines, 1) if line)


def _facts(rank: int, task: Task) -> dict[str, Any]:
    facts: dict[str, Any] = {"rank": rank, **{name: getattr(task, name) for name in _FACTS}}
    facts["keys"] = [_dated(asdict(key), ("made", "last_used")) for key in task.keys]
    facts["steps"] = [asdict(step) for step in task.steps]
    return _dated(facts, ("made", "due", "last_used", "by", "not_before"))


def _dated(facts: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return facts | {name: utc(facts[name]) or None for name in names}


def as_json(judged: Audit, tasks: tuple[Task, ...], unseen: list[str], fresh: Freshness) -> str:
    """The plan for machines: ``tasks`` with their keys, steps and commands, and what must be known beforehand."""
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
