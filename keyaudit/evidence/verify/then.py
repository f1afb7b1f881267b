"""What versions before 0.4.0 showed of a judgement, if it differs from today (the words are data:
``data/released.toml``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import keyaudit
from keyaudit.evidence import released
from keyaudit.model import Audit, Provenance
from keyaudit.present.claims import accounts_of
from keyaudit.present.headline import in_accounts
from keyaudit.present.table import MOST_ROWS, Prose, Table
from keyaudit.present.verdict import control_line
from keyaudit.schema import COMPLIANCE_TYPES, CONTROLS, EXEMPT, INSUFFICIENT_DATA, NON_COMPLIANT, ROTATION
from keyaudit.texts import say, visible

#: what said nothing where the capture had not asked for rotations
SILENT = ("ka.rotation_keys", "ka.rotation_log")
MOST_LISTED, MOST_REASONS, MOST_NAMED = 40, 5, 10


@dataclass(frozen=True)
class BottomLine:
    """The lines of a bottom line."""

    before: tuple[str, ...]
    headline: str
    controls: tuple[str, ...]
    missing: tuple[str, ...]


def bottom_line(a: Audit) -> BottomLine:
    """The bottom line."""
    unread = [one for one in a.provenance if not one.form]
    first = [say("verdict.sample")] if a.is_sample else []
    if unread and len(a.provenance) > 1:
        first.append(_unread(a, unread))
    missing = tuple(visible(say("verdict.missing", reason=reason)) for reason in _reasons(a))
    controls = tuple(visible(control_line(a, control, has_unit=False)) for control in CONTROLS)
    return BottomLine(tuple(first), headline(a), controls, missing)


def headline(a: Audit) -> str:
    """The answer in one sentence."""
    tally, limit = a.counts, a.policy.max_access_key_age
    facts = {
        "n": tally.get(NON_COMPLIANT, 0) if limit is not None else 0,
        "active": sum(n for kind, n in tally.items() if kind != "NOT_APPLICABLE") - _of_accounts(a),
        "limit": limit,
        "accounts": _accounts_read(a),
    }
    failing = [control for control in a.policy.controls if a.conclusions.get(control) == NON_COMPLIANT]
    exempt = sum(one.get(EXEMPT, 0) for one in a.tallies.values())
    more = " " + released.words("exempt", n=exempt) if exempt else ""
    said = released.words(_case(a, failing), controls=", ".join(failing), **facts)
    return visible(f"{a.conclusion}: {said}{more}")


def _case(a: Audit, failing: list[str]) -> str:
    if a.conclusion == NON_COMPLIANT:
        if a.policy.max_access_key_age is None:
            return "no_period"
        return "over" if ROTATION in failing else "others"
    return "insufficient" if a.conclusion == INSUFFICIENT_DATA else "compliant"


def _of_accounts(a: Audit) -> int:
    """Rotation findings that speak of an account and not of a key."""
    no_period = len(a.provenance) if a.policy.max_access_key_age is None else 0
    return no_period + len({problem.account_id for problem in a.problems if ROTATION in problem.controls})


def _accounts_read(a: Audit) -> str:
    read, n = sum(bool(one.form) for one in a.provenance), len(a.provenance)
    return say("count.accounts", n=read) if read == n else released.words("accounts_read", n=n, read=read)


def _unread(a: Audit, unread: list[Provenance]) -> str:
    names = [one.account_id if one.is_account else "" for one in unread]
    accounts = ", ".join(names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        accounts = say("verdict.unread_more", accounts=accounts, more=len(names) - MOST_NAMED)
    return say("verdict.unread", n=len(unread), total=len(a.provenance), accounts=accounts)


def _reasons(a: Audit) -> list[str]:
    """Why the evidence was not enough: the first few reasons."""
    accounts: dict[str, list[str]] = {}
    for problem in a.problems:
        accounts.setdefault(problem.message, []).append(problem.account_id)
    found = list(accounts)
    if len(a.provenance) > 1:
        found = [f"{message} ({ids[0] if len(ids) == 1 else len(ids)})" for message, ids in accounts.items()]
    undated = [control for control in a.tallies if a.tallies[control].get(INSUFFICIENT_DATA)]
    if not found and undated:
        found = [say("verdict.undated", controls=", ".join(undated))]
    more = [released.words("more_reasons", n=len(found) - MOST_REASONS)] if len(found) > MOST_REASONS else []
    return found[:MOST_REASONS] + more


def prose(call: str, value: Prose, a: Audit) -> list[str]:
    """The lines of paragraphs."""
    lines = repr(value).split("\n")
    if call == "ka.limits_of_audit":
        return [line for line in lines if line != f"- {say('limits.services')}"]
    if call == "ka.scope":
        judged = visible(in_accounts(accounts_of(a)))
        lines = [line.replace(judged, _accounts_read(a), 1) for line in lines]
        lines = [say("verdict.sample"), *lines] if a.is_sample else lines
        return lines if a.policy.given else [*lines, visible(say("problem.no_policy", name=a.policy.label))]
    return _problems(a) if call == "ka.problems" else lines


def _problems(a: Audit) -> list[str]:
    items = [say("problems.missing", account=one.account_id, message=one.message) for one in a.problems]
    items += [say("problems.warning", message=message) for message in a.warnings]
    items += [say("problems.note", message=message) for message in a.notes]
    listed = list(dict.fromkeys(map(visible, items)))
    more = [say("problems.more", n=len(listed) - MOST_LISTED)] if len(listed) > MOST_LISTED else []
    return [say("problems.some" if listed else "problems.none"), *listed[:MOST_LISTED], *more]


def table(call: str, value: Table, a: Audit) -> Table:
    """A table with its former columns and rows."""
    made = _FORMER.get(call)
    return made(value, a) if made else value


def _controls(value: Table, a: Audit) -> Table:
    kept = [place for place, name in enumerate(value.columns) if name != "Counts"]
    names = {say(f"control.{control}") for control in CONTROLS if control in a.conclusions}
    rows = [[row[place] for place in kept] for row in value.rows if row[0] in names]
    no_key = say("limit.root-key")
    return _with(value, [value.columns[place] for place in kept], [
        [released.words("no_key") if cell == no_key else cell for cell in row] for row in rows
    ])  # fmt: skip


def _first(a: Audit) -> list[Any]:
    """The accounts in their former order: those that were not read first, then by conclusion."""
    return sorted(
        a.provenance, key=lambda one: (bool(one.form), COMPLIANCE_TYPES.index(one.conclusion), one.account_id)
    )


def _accounts(value: Table, a: Audit) -> Table:
    rotation = a.findings[a.findings["control"] == ROTATION]
    counts = rotation.groupby(["account_id", "compliance_type"]).size().to_dict()
    rows = [
        [one.account_id, one.conclusion, f"{one.users:,}", f"{one.keys:,}"]
        + [f"{counts.get((one.account_id, kind), 0):,}" for kind in COMPLIANCE_TYPES]
        for one in _first(a)[:MOST_ROWS]
    ]
    made = _with(value, released.words("accounts").split("|"), rows)
    return replace(made, total=len(a.provenance), note="")


def _provenance(value: Table, a: Audit) -> Table:
    shown = keyaudit.provenance(replace(a, provenance=tuple(_first(a)[:MOST_ROWS])))
    return replace(shown, total=value.total, caption=value.caption)


def _exemptions(value: Table, a: Audit) -> Table:  # noqa: ARG001
    """For an expired exemption no finding was counted; and it was not said why an exemption is not used, or not for
    some keys."""
    state, number = value.columns.index("State"), value.columns.index("Findings")
    rows = []
    for row in map(list, value.rows):
        head = next((one for one in ("expired", "not used", "in use") if row[state].startswith(one)), "")
        row[state] = released.words(head.replace(" ", "_")) if head else row[state]
        row[number] = "0" if head in ("expired", "not used") else row[number]
        rows.append(row)
    return _with(value, value.columns, rows)


def _policy(value: Table, a: Audit) -> Table:  # noqa: ARG001
    return _with(value, value.columns, [row for row in value.rows if row[0] != "min_assurance"])


def has_tasks(rows: list[tuple[str, ...]], columns: tuple[str, ...], a: Audit) -> bool:
    """Whether a table of tasks has its former columns, only users that have keys, and every user with an overdue
    key, as far as the table goes. What was to be done is not compared: the plan is another one today."""
    if columns != tuple(released.words("to_do").split("|")) or any(len(row) != len(columns) for row in rows):
        return False
    failing = a.findings[(a.findings["control"] == ROTATION) & (a.findings["compliance_type"] == NON_COMPLIANT)]
    told = {row[:2] for row in rows}
    return told <= _owners(a.keys) and (
        len(rows) == MOST_ROWS or told >= _owners(failing[failing["key_slot"].notna()])
    )


def has_changes(rows: list[tuple[str, ...]], value: Table) -> bool:
    """Whether a table of changes has the rows of this one: the oldest key of a user was said to be the one that was
    replaced, and one that was replaced and is gone was listed as gone as well."""
    rotated, gone = say("changes.rotated"), say("changes.gone")

    def others(told: Iterable[tuple[str, ...]]) -> Counter[tuple[str, ...]]:
        return Counter((*row[:3], "", *row[4:]) if row[2] == rotated else row for row in told if row[2] != gone)

    told, now = (Counter(row for row in these if row[2] == gone) for these in (rows, value.rows))
    users = {row[:2] for row in value.rows if row[2] == rotated}
    return others(rows) == others(value.rows) and now <= told and {row[:2] for row in told - now} <= users


def _owners(rows: Any) -> set[tuple[str, ...]]:
    return {(visible(user), account) for user, account in zip(rows["user"], rows["account_id"], strict=True)}


def _with(value: Table, columns: Any, rows: Any) -> Table:
    total = value.total - len(value.rows) + len(rows)
    return replace(value, columns=tuple(columns), rows=tuple(map(tuple, rows)), total=total)


def _offenders(value: Table, a: Audit) -> Table:
    return replace(keyaudit.offenders(a, is_brief=False), caption=value.caption)


def _unused(value: Table, a: Audit) -> Table:
    return replace(keyaudit.unused(a, is_brief=False), caption=value.caption)


def _skipped(value: Table, a: Audit) -> Table:
    """The names of accounts had a column of their own."""
    rows = [[one.account_id, one.name or None, one.reason] for one in a.skipped]
    return _with(
        value, released.words("skipped").split("|"), [[visible(cell or "–") for cell in row] for row in rows]
    )


def nameless(a: Audit) -> Audit:
    """The judgement as it was told of: accounts by their ids alone."""
    told = [replace(one, origin=one.origin and replace(one.origin, account_name="")) for one in a.provenance]
    return replace(a, provenance=tuple(told))


_FORMER = {
    "ka.to_do": lambda value, a: replace(value, caption=say("table.to_do.caption", n=value.total)),  # noqa: ARG005
    "ka.offenders": _offenders,
    "ka.unused": _unused,
    "ka.skipped": _skipped,
    "ka.controls": _controls,
    "ka.accounts": _accounts,
    "ka.provenance": _provenance,
    "ka.exemptions": _exemptions,
    "ka.policy_in_force": _policy,
}
