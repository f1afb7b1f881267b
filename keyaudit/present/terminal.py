"""The verdict as text for a terminal: aligned, worst first, coloured only if asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from keyaudit.model import Audit, Provenance, RotationVerdict
from keyaudit.present.account_names import account_of
from keyaudit.present.claims import moment_of, setter_of, verdict_of, worst_first
from keyaudit.present.findings import due_soon, offenders, others
from keyaudit.present.grid import coloured, grid, width_of, wrapped
from keyaudit.present.headline import after, before, headline, remarks
from keyaudit.present.rotation import outdated_functions, rotated, rotation_keys, rotation_log, rotation_schedules
from keyaudit.present.table import Table
from keyaudit.present.verdict import controls, reasons, rule
from keyaudit.schema import ACCOUNT_VERDICTS, COMPLIANT, INSUFFICIENT_DATA, NON_COMPLIANT, ROTATION
from keyaudit.texts import listed, say, visible

MOST_ACCOUNTS = 10
#: how a line goes on that is wider than the terminal
HANGING = "  "


def as_text(a: Audit, colour: bool = False, width: int | None = None) -> str:
    """Headline, rule, controls, the worst findings of each control, what is due soon, warnings and notes;
    ``width``: of the terminal, None if there is none."""
    blocks = [_head(a, colour, width), grid(controls(a), colour, width)]
    if len(a.provenance) > 1:
        blocks.append(_fitted(_accounts(a), width))
    blocks += [grid(table, colour, width) for table in _sections(a) if table.rows]
    blocks.append(_fitted(_first(remarks(a), 15), width))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _fitted(lines: list[str], width: int | None) -> str:
    return "\n".join(part for line in lines for part in wrapped(line, width, HANGING))


def _head(a: Audit, colour: bool, width: int | None) -> str:
    answer = [coloured(line, a.conclusion, colour) for line in wrapped(headline(a), width, HANGING)]
    lines = [*after(a)]
    lines += [say("verdict.missing", reason=visible(reason)) for reason in reasons(a)]
    facts = {
        "title": visible(a.policy.title),
        "version": visible(a.policy.version or ""),
        "sha256": a.policy.sha256[:12],
    }
    lines.append(say(f"terminal.{setter_of(a.policy)}", **facts))
    lines.append(say("terminal.as_of", how=moment_of(a)))
    lines.append(say("terminal.rule", rule=rule(a)))
    return "\n".join(block for block in (_fitted(before(a), width), *answer, _fitted(lines, width)) if block)


def _accounts(a: Audit) -> list[str]:
    """How many accounts have each verdict, and the first few of those that are not compliant, worst first."""
    rows = [_account(one) for one in worst_first(a) if one.conclusion != COMPLIANT]
    counts = Counter(verdict_of(one) for one in a.provenance if one.is_account)
    said = [say(f"terminal.verdict.{one.lower()}", n=counts[one]) for one in ACCOUNT_VERDICTS if counts[one]]
    title = say("terminal.accounts", n=counts.total(), verdicts=listed("words", said))
    title = say(f"terminal.{'accounts_worst' if rows else 'accounts_met'}", accounts=title)
    return [title, *_first(rows, MOST_ACCOUNTS, "terminal.more_accounts")]


def _account(one: Provenance) -> str:
    verdict = one.conclusion if one.form else say("terminal.unread")
    overdue = say("terminal.overdue", n=one.overdue) if one.overdue else ""
    return "  ".join(part for part in (account_of(one), verdict, overdue, one.source) if part)


def _sections(a: Audit) -> list[Table]:
    """The offenders of rotation, then those of the other controls, then the keys due soon; all counted, also
    where the Audit keeps the worst only."""
    failing = {
        control: tally.get(NON_COMPLIANT, 0) + tally.get(INSUFFICIENT_DATA, 0)
        for control, tally in a.tallies.items()
    }
    rotation = failing.pop(ROTATION)
    return [
        replace(offenders(a), total=rotation),
        replace(others(a), total=sum(failing.values())),
        replace(due_soon(a), total=a.due_soon),
    ]


def _first(lines: list[str], most: int, rest: str = "verdict.more_reasons") -> list[str]:
    more = [say(rest, n=len(lines) - most)] if len(lines) > most else []
    return [visible(line) for line in lines[:most]] + more


def rotations_text(judged: Audit, found: list[RotationVerdict], unseen: list[str], width: int | None = None) -> str:
    """The verdicts on secrets under rotation, each with its dates, its keys and what its function logged."""
    first = [say("plan.incomplete", n=len(unseen), accounts=", ".join(unseen))] if unseen else []
    first += [say("rotated.none")] if not found and not unseen else []
    older = outdated_functions(replace(judged, rotations=tuple(found)))
    blocks = [_fitted([line], width) for line in first]
    blocks += [_fitted(repr(older).splitlines(), width)] if older.items else []
    for one in found:
        alone = replace(judged, rotations=(one,))
        # one secret has too many columns for a terminal: one line per column
        told = [table for table in (rotated(alone), rotation_schedules(alone)) if isinstance(table, Table)]
        facts = {name: cell for table in told for name, cell in zip(table.columns, table.rows[0], strict=True)}
        blocks.append("\n".join(_facts(facts, width)))
        logged = (rotation_keys(alone), rotation_log(alone))
        blocks += [grid(table, width=width) for table in logged if isinstance(table, Table)]
    return "\n\n".join(blocks) + "\n"


def _facts(facts: dict[str, str], width: int | None) -> Iterator[str]:
    """Each name and what it is, in two columns."""
    wide = max(map(width_of, facts))
    for name, cell in facts.items():
        first, *others = wrapped(cell, width and max(width - wide - 2, 1))
        yield f"{name}{' ' * (wide - width_of(name))}  {first}"
        yield from (" " * (wide + 2) + line for line in others)
