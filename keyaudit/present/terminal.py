"""The verdict as text for a terminal: aligned, worst first, coloured only if asked."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import replace

from keyaudit.model import Audit, Provenance, RotationVerdict
from keyaudit.present.account_names import account_of
from keyaudit.present.claims import moment_of, setter_of, verdict_of, worst_first
from keyaudit.present.findings import due_soon, offenders, others
from keyaudit.present.headline import after, before, headline, remarks
from keyaudit.present.rotation import outdated_functions, rotated, rotation_keys, rotation_log, rotation_schedules
from keyaudit.present.table import Table
from keyaudit.present.verdict import controls, reasons, rule
from keyaudit.schema import ACCOUNT_VERDICTS, COMPLIANT, INSUFFICIENT_DATA, NON_COMPLIANT, ROTATION
from keyaudit.texts import listed, say, utc, visible

WIDEST_CELL = 44
MOST_ACCOUNTS = 10
_COLOURS = {NON_COMPLIANT: "31", INSUFFICIENT_DATA: "33", COMPLIANT: "32"}


def as_text(a: Audit, colour: bool = False) -> str:
    """Headline, rule, controls, the worst findings of each control, what is due soon, warnings and notes."""
    blocks = [_head(a, colour), grid(controls(a), colour)]
    if len(a.provenance) > 1:
        blocks.append(_accounts(a))
    blocks += [grid(table, colour) for table in _sections(a) if table.rows]
    blocks.append("\n".join(_first(remarks(a), 15)))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _head(a: Audit, colour: bool) -> str:
    lines = [*before(a), _coloured(headline(a), a.conclusion, colour), *after(a)]
    lines += [say("verdict.missing", reason=visible(reason)) for reason in reasons(a)]
    facts = {
        "title": visible(a.policy.title),
        "version": visible(a.policy.version or ""),
        "sha256": a.policy.sha256[:12],
    }
    lines.append(say(f"terminal.{setter_of(a.policy)}", **facts))
    lines.append(say("terminal.as_of", as_of=utc(a.as_of), how=moment_of(a)))
    lines.append(say("terminal.rule", rule=rule(a)))
    return "\n".join(lines)


def _accounts(a: Audit) -> str:
    """How many accounts have each verdict, and the first few of those that are not compliant, worst first."""
    rows = [_account(one) for one in worst_first(a) if one.conclusion != COMPLIANT]
    counts = Counter(verdict_of(one) for one in a.provenance if one.is_account)
    said = [say(f"terminal.verdict.{one.lower()}", n=counts[one]) for one in ACCOUNT_VERDICTS if counts[one]]
    title = say("terminal.accounts", n=counts.total(), verdicts=listed("words", said))
    title = say(f"terminal.{'accounts_worst' if rows else 'accounts_met'}", accounts=title)
    return "\n".join([title, *_first(rows, MOST_ACCOUNTS, "terminal.more_accounts")])


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


def grid(table: Table, colour: bool = False) -> str:
    """The table in columns of even width."""
    cells = [table.columns, *(tuple(_cut(cell, i, len(row)) for i, cell in enumerate(row)) for row in table.rows)]
    widths = [max(_width(row[i]) for row in cells) for i in range(len(table.columns))]
    lines = [table.caption]
    for row in cells:
        padded = (
            " " * (width - _width(cell)) + cell if name in table.numeric else cell + " " * (width - _width(cell))
            for cell, width, name in zip(row, widths, table.columns, strict=True)
        )
        text = "  ".join(padded).rstrip()
        kind = next((kind for kind in _COLOURS if kind in row), "")
        lines.append("  " + _coloured(text, kind, colour))
    if table.total > len(table.rows):
        lines.append("  " + say("terminal.more", shown=len(table.rows), total=table.total))
    return "\n".join(lines)


def _cut(cell: str, position: int, columns: int) -> str:
    if position == columns - 1 or len(cell) <= WIDEST_CELL:
        return cell
    return cell[: WIDEST_CELL - 1] + "…"


def _width(text: str) -> int:
    """Columns on a terminal: East Asian wide characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _coloured(text: str, kind: str, colour: bool) -> str:
    return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if colour and kind in _COLOURS else text


def _first(lines: list[str], most: int, rest: str = "verdict.more_reasons") -> list[str]:
    more = [say(rest, n=len(lines) - most)] if len(lines) > most else []
    return [visible(line) for line in lines[:most]] + more


def rotations_text(judged: Audit, found: list[RotationVerdict], unseen: list[str]) -> str:
    """The verdicts on secrets under rotation, each with its dates, its keys and what its function logged."""
    blocks = [say("plan.incomplete", n=len(unseen), accounts=", ".join(unseen))] if unseen else []
    blocks += [say("rotated.none")] if not found and not unseen else []
    older = outdated_functions(replace(judged, rotations=tuple(found)))
    blocks += [repr(older)] if older.items else []
    for one in found:
        alone = replace(judged, rotations=(one,))
        # one secret has too many columns for a terminal: one line per column
        told = [table for table in (rotated(alone), rotation_schedules(alone)) if isinstance(table, Table)]
        facts = {name: cell for table in told for name, cell in zip(table.columns, table.rows[0], strict=True)}
        wide = max(map(len, facts))
        blocks.append("\n".join(f"{name:<{wide}}  {cell}" for name, cell in facts.items()))
        blocks += [grid(table) for table in (rotation_keys(alone), rotation_log(alone)) if isinstance(table, Table)]
    return "\n\n".join(blocks) + "\n"
