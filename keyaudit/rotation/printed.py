"""A plan as text for a terminal: first the list, then how each task is done, with the commands for each key."""

from __future__ import annotations

from dataclasses import replace

from keyaudit.assess.limits import is_known
from keyaudit.model import Audit
from keyaudit.present.grid import grid, wrapped
from keyaudit.present.headline import caveats
from keyaudit.present.table import Table, leaving_of
from keyaudit.rotation.cases import NEVER, USED
from keyaudit.rotation.crowd import Again, together
from keyaudit.rotation.fresh import Freshness
from keyaudit.rotation.plan import crowds
from keyaudit.rotation.planned import Task, Told, harmless
from keyaudit.texts import say, utc, visible

AGAIN = Again("keyaudit rotation plan -f csv")


def without_changes(tasks: tuple[Task, ...], fresh: Freshness) -> tuple[Task, ...]:
    """The tasks, without the commands that would change anything because of old evidence."""
    return tuple(replace(one, is_harmless=True) if one.account_id in fresh.old else one for one in tasks)


def incomplete(unseen: list[str]) -> str:
    return say("plan.incomplete", n=len(unseen), accounts=", ".join(unseen))


def first_lines(judged: Audit) -> list[str]:
    """What must be known before anything in the plan."""
    no_period = [say("plan.no_period")] if judged.policy.max_access_key_age is None else []
    return [*caveats(judged), *no_period]


def as_text(
    judged: Audit,
    tasks: tuple[Task, ...],
    unseen: list[str],
    fresh: Freshness,
    again: Again = AGAIN,
    width: int | None = None,
) -> str:
    """The whole plan; a few lines if there is nothing to do. ``again``: how the plan is got as CSV; ``width``: of
    the terminal, None if there is none. A command stays in one line, whatever its length, to be copied."""
    lines = first_lines(judged)
    if tasks or not unseen:
        given = "policy" if judged.policy.given else "preset"
        facts = {"as_of": utc(judged.as_of), "by": say(f"plan.by_{given}", title=visible(judged.policy.title))}
        lines.append(say("plan.head", n=len(tasks), **facts) if tasks else say("plan.none"))
    lines += [incomplete(unseen)] if unseen else []
    lines += [fresh.sentence] if tasks and fresh.sentence else []
    blocks = [_fitted(lines, width, "  ")]
    if tasks:
        first = [say("plan.before"), *(say("plan.remark", text=one) for one in remarks(judged))]
        blocks += [_list(tasks, width), _fitted(first, width, "  ")]
    alike: dict[tuple[str, ...], list[tuple[int, Task]]] = {}
    for rank, one in enumerate(tasks, 1):
        alike.setdefault((one.action, *(step.text for step in one.steps)), []).append((rank, one))
    blocks += [_how(action, texts, ranked, width) for (action, *texts), ranked in alike.items()]
    blocks += _together(tasks, fresh, again, width)
    return "\n\n".join(blocks) + "\n"


def remarks(judged: Audit) -> list[str]:
    """What holds for every task, said once."""
    is_unasked = any(one.form and one.rotations is None for one in judged.provenance)
    nameless = sorted(one.account_id for one in judged.provenance if one.form and not is_known(one.account_id))
    found = [say("plan.remarks.ids"), say("plan.remarks.terraform")]
    found += [say("plan.remarks.account", accounts=", ".join(nameless))] if nameless else []
    return [*found, say("plan.remarks.rotation")] if is_unasked else found


def _list(tasks: tuple[Task, ...], width: int | None) -> str:
    rows = [
        (
            str(rank), visible(one.account_id), visible(one.account_name or ""), visible(one.user),
            visible(one.owner or ""), one.key, visible(one.purpose or ""), utc(one.made)[:10], _cell(one.age_days),
            _cell(one.days_over), utc(one.last_used)[:10], one.by_when, one.action,
        )
        for rank, one in enumerate(tasks, 1)
    ]  # fmt: skip
    headings = say("plan.columns").split("|")
    # a column about which nothing is known is left out
    kept = [i for i, name in enumerate(headings) if not name.startswith("?") or any(row[i] for row in rows)]
    columns = tuple(headings[i].strip("?") for i in kept)
    numeric = frozenset(headings[i] for i in (0, 8, 9))
    cells = tuple(tuple(row[i] for i in kept) for row in rows)
    return grid(Table(say("plan.caption"), columns, cells, numeric, leaving=leaving_of("plan")), width=width)


def _how(action: str, texts: list[str], ranked: list[tuple[int, Task]], width: int | None) -> str:
    """The steps, said once, and the commands for each task, with the numbers of the steps."""
    lines = [say("plan.how", action=action)]
    lines += [say("plan.step_line", number=number, text=text) for number, text in enumerate(texts, 1)]
    lines = [_fitted(lines, width)]
    for rank, one in ranked:
        lines.append(_fitted([_named(rank, one)], width))
        lines += [
            say("plan.command", number=number, command=step.command)
            for number, step in enumerate(one.steps, 1)
            if step.command
        ]
    return "\n".join(lines)


def _named(rank: int, one: Task) -> str:
    account = visible(one.account_id)
    if one.account_name:
        account = say("plan.account", account=account, name=visible(one.account_name))
    facts = {"rank": rank, "user": visible(one.user), "account": account}
    facts["keys"] = "; ".join(map(told, one.keys))
    return say("plan.task_later", at=utc(one.not_before), **facts) if one.not_before else say("plan.task", **facts)


def told(key: Told) -> str:
    """A key in words: which it is, when it was made and last used."""
    how = f"{key.use}_by" if key.use == USED and key.used_by else key.use
    how = "before" if key.use == NEVER and key.last_used else how
    use = say(f"plan.use.{how}", at=utc(key.last_used), by=visible(key.used_by))
    facts = {"name": key.name, "status": key.status, "made": utc(key.made) or say("plan.unknown"), "use": use}
    is_told = key.key_id and key.key_id != key.name
    return say("plan.key_with_id", key_id=key.key_id, **facts) if is_told else say("plan.key", **facts)


def _together(tasks: tuple[Task, ...], fresh: Freshness, again: Again, width: int | None) -> list[str]:
    """If several users of an account are to be put under rotation: one stack for all of them."""
    blocks = []
    for account, (users, limit) in crowds(tasks).items():
        steps = together(limit, again)
        if account in fresh.old:
            steps = [harmless(step) for step in steps]
        lines = [_fitted([say("plan.together.head", n=users, account=account)], width)] if steps else []
        for number, step in enumerate(steps, 1):
            lines.append(_fitted([say("plan.step_line", number=number, text=step.text)], width))
            if step.command:
                lines.append(say("plan.command", number=number, command=step.command))
        blocks += ["\n".join(lines)] if lines else []
    return blocks


def _fitted(lines: list[str], width: int | None, hanging: str = "   ") -> str:
    """``hanging``: by how much a line that goes on is further in: as far as the text after its number."""
    return "\n".join(part for line in lines for part in wrapped(line, width, hanging))


def _cell(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
