"""Evidence that verified -> the sheets of a workbook, as values (pure); ``xlsx`` writes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from keyaudit.export.cells import Cell, Lines, Sheet, Verdict, flag, moment, number, sheet, text
from keyaudit.export.key_rows import keys_sheet
from keyaudit.model import Audit, Proved, Provenance, names_of
from keyaudit.present import Table, exemptions, first_lines, headline, in_accounts, policy_in_force, rule
from keyaudit.present.claims import accounts_of, moment_of, verdict_of, worst_first
from keyaudit.schema import COMPLIANCE_TYPES, CONTROLS, FINDING_COLUMNS, TIME, UNREAD
from keyaudit.texts import listed, say

#: what a table of ours has where there is nothing
_NONE = "–"


def sheets(proved: Proved) -> list[Sheet]:
    """All sheets, in their order: the answer, what to do with which key, and then what both rest on."""
    audit = proved.audit
    return [
        summary_sheet(proved),
        keys_sheet(audit, proved.advice),
        findings_sheet(audit.findings),
        accounts_sheet(audit),
        _of_table("exemptions", exemptions(audit), 1),
        policy_sheet(audit),
        sources_sheet(proved),
    ]


def summary_sheet(proved: Proved) -> Sheet:
    """The answer, how sure it is, of which keys, by which policy; and how to verify the evidence."""
    audit = proved.audit
    policy, label = audit.policy, "workbook.summary.label"
    line = headline(audit)
    others = [one for one in first_lines(audit) if one != line]
    first = others[:1] if audit.is_sample else []
    facts: list[tuple[str, Cell]] = [("sample", one) for one in first]
    facts += [("conclusion", Verdict(audit.conclusion)), ("answer", line)]
    facts += [("reach", tuple(others[len(first) :]) or None)]
    facts += [("as_of", moment(audit.as_of)), ("as_of_from", moment_of(audit)), ("population", _population(audit))]
    facts += [("policy", tuple(_policy(audit))), ("rule", rule(audit))]
    rows: list[Sequence[Cell]] = [(say(f"{label}.{name}"), value) for name, value in facts if value is not None]
    rows += [(say(f"control.{control}"), _control(audit, control)) for control in CONTROLS]
    seal: list[tuple[str, Cell]] = [("tasks", say("workbook.summary.fetch_first"))] if proved.advice else []
    seal += [("evidence", proved.name), ("seal", proved.sha256), ("policy_sha256", policy.sha256)]
    seal += [("verify", say("workbook.summary.verify", name=proved.name))]
    seal += [("remarks", proved.remarks)] if proved.remarks else []
    return Sheet(say("workbook.summary.name"), (), rows + [(say(f"{label}.{name}"), value) for name, value in seal])


def _population(audit: Audit) -> str:
    return listed(
        "words",
        (
            in_accounts(accounts_of(audit)),
            say("count.principals", n=sum(one.users for one in audit.provenance)),
            say("count.keys", n=sum(one.keys for one in audit.provenance)),
        ),
    )


def _policy(audit: Audit) -> Iterator[str]:
    policy = audit.policy
    yield say("workbook.summary.policy", title=policy.title, version=policy.version, file=policy.label)
    if policy.approved_by:
        yield say("workbook.summary.approved", by=policy.approved_by)
    if policy.effective:
        yield say("workbook.summary.effective", date=policy.effective.isoformat())


def _control(audit: Audit, control: str) -> Cell:
    """The conclusion of a control, with its findings counted; whether it counts."""
    if control not in audit.conclusions:
        return say("verdict.no_conclusion")
    conclusion, tally = audit.conclusions[control], audit.tallies[control]
    numbers = [say("verdict.number", n=tally[kind], kind=kind) for kind in COMPLIANCE_TYPES if tally.get(kind)]
    told = say(
        "workbook.summary.control",
        conclusion=conclusion,
        numbers=listed("words", numbers) or say("verdict.nothing"),
    )
    if control not in audit.policy.controls:
        told = say("verdict.does_not_count", line=told)
    return Verdict(conclusion, told)


def findings_sheet(findings: pd.DataFrame) -> Sheet:
    """Every finding, under the names of the columns of findings.csv; times are times."""
    columns = [_column(findings, name, dtype) for name, dtype in FINDING_COLUMNS.items()]
    headings = tuple(
        say("workbook.findings.time", name=name) if dtype == TIME else name
        for name, dtype in FINDING_COLUMNS.items()
    )
    return Sheet(say("workbook.findings.name"), headings, list(zip(*columns, strict=True)), 4)


def _column(findings: pd.DataFrame, name: str, dtype: str) -> list[Cell]:
    cells = findings[name]
    if dtype == TIME:
        return [moment(one) for one in cells]
    if name == "compliance_type":
        return [Verdict(one) for one in cells]
    convert = {"Int64": number, "boolean": flag}.get(dtype, text)
    return [convert(one) for one in cells.astype(object)]


def accounts_sheet(audit: Audit) -> Sheet:
    """The accounts, worst first: their keys by verdict, what the evidence of each is worth, what is missing."""
    counts = {one["account_id"]: one for one in audit.accounts.to_dict("records")}
    names = names_of(audit.provenance)
    rows = [_account(one, counts[one.account_id], names.get(one.account_id), audit) for one in worst_first(audit)]
    return sheet("accounts", rows, 2)


def _account(one: Provenance, counts: dict[str, object], name: str | None, audit: Audit) -> list[Cell]:
    head: list[Cell] = [one.account_id, name]
    gaps: Lines | None = one.problems or None
    if not one.form:
        return [*head, Verdict(UNREAD, say("table.not_read")), *[None] * 16, gaps]
    active, failing, exempt, unknown = (number(counts[n]) or 0 for n in ("active", "failing", "exempt", "unknown"))
    by_age: list[Cell] = [failing, exempt, unknown, active - failing - exempt - unknown, one.due_soon]
    if audit.policy.max_access_key_age is None:
        by_age = [None] * 5
    return [
        *head, Verdict(verdict_of(one)), Verdict(one.rotation), say(f"assurance.{one.assurance}"),
        say(f"completeness.{one.completeness.outcome}"), one.users, one.keys, active, *by_age, one.oldest_days,
        moment(one.generated_time), moment(one.received_time), one.caller, one.source, gaps,
    ]  # fmt: skip


def policy_sheet(audit: Audit) -> Sheet:
    """The terms that were applied, and then the policy's own text, line by line."""
    terms = _of_table("policy", policy_in_force(audit), 1)
    written = audit.policy.content.decode("utf-8", "backslashreplace").splitlines()
    lines = [
        (say("workbook.policy.line", number=n, file=audit.policy.label), line) for n, line in enumerate(written, 1)
    ]
    return Sheet(terms.name, terms.columns, [*terms.rows, *lines], terms.frozen)


def sources_sheet(proved: Proved) -> Sheet:
    """What is sealed, which calls the captures made, and by which programs the evidence was made."""
    kind = {name: say(f"workbook.sources.{name}") for name in ("file", "call", "version")}
    rows: list[list[Cell]] = [
        [kind["file"], one.path, None, one.bytes, one.sha256, *[None] * 6] for one in proved.files
    ]
    rows += [
        [
            kind["call"], one.api, one.account_id or None, None, None, moment(one.at), one.user or None,
            one.result or None, one.request_id or None, one.retries, None,
        ]
        for one in proved.calls
    ]  # fmt: skip
    rows += [[kind["version"], name, *[None] * 8, version] for name, version in proved.versions]
    return sheet("sources", rows, 2)


def _of_table(name: str, shown: Table, frozen: int) -> Sheet:
    """A table of a page as a sheet: its numbers are numbers, and what is absent is an empty cell."""
    numeric = [column in shown.numeric for column in shown.columns]
    rows = [[_cell(cell, is_number) for cell, is_number in zip(row, numeric, strict=True)] for row in shown.rows]
    return Sheet(say(f"workbook.{name}.name"), shown.columns, rows, frozen)


def _cell(cell: str, is_number: bool) -> Cell:
    if cell == _NONE:
        return None
    return int(cell.replace(",", "")) if is_number else cell
