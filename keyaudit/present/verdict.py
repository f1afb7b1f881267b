"""The bottom line, and the rule by which it was reached."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from keyaudit.present.table import Prose, Table, table
from keyaudit.schema import (
    COMPLIANT,
    CONTROLS,
    EXEMPT,
    INSUFFICIENT_DATA,
    NON_COMPLIANT,
    NOT_APPLICABLE,
    ROTATION,
)
from keyaudit.texts import say, utc

#: the Audit of ``auditing``, a floor above: what is shown is read off its attributes
Audit = Any

#: accounts named one by one where many were not read
MOST_NAMED = 10


def headline(a: Audit) -> str:
    """The answer in one sentence: the conclusion, and what it rests on."""
    tally = a.counts
    active = sum(tally.values()) - tally.get(NOT_APPLICABLE, 0) - _account_rows(a)
    facts = {
        "n": overdue(a),
        "active": active,
        "exempt": tally.get(EXEMPT, 0),
        "limit": a.policy.max_access_key_age,
        "accounts": accounts_read(a),
    }
    failing = [c for c in a.policy.controls if a.conclusions.get(c) == NON_COMPLIANT]
    if a.conclusion == NON_COMPLIANT and a.policy.max_access_key_age is None:
        text = say("verdict.no_period", **facts)
    elif a.conclusion == NON_COMPLIANT and ROTATION in failing:
        text = say("verdict.over", **facts)
    elif a.conclusion == NON_COMPLIANT:
        text = say("verdict.others", controls=", ".join(failing), **facts)
    elif a.conclusion == INSUFFICIENT_DATA:
        text = say("verdict.insufficient", **facts)
    else:
        text = say("verdict.compliant", **facts)
    exempt = sum(one.get(EXEMPT, 0) for one in a.tallies.values())
    return f"{a.conclusion}: {text}" + (" " + say("verdict.exempt", n=exempt) if exempt else "")


def overdue(a: Audit) -> int:
    """How many active keys are over their limit and not exempt; none where no period is defined."""
    return a.counts.get(NON_COMPLIANT, 0) if a.policy.max_access_key_age is not None else 0


def overdue_known(a: Audit) -> int | None:
    """The same for who does not look further: None where none was seen, and evidence or a period is missing."""
    is_unknown = a.policy.max_access_key_age is None or a.conclusions.get(ROTATION) == INSUFFICIENT_DATA
    return overdue(a) or (None if is_unknown else 0)


def _account_rows(a: Audit) -> int:
    """Rotation findings that speak of an account and not of a key."""
    no_period = len(a.provenance) if a.policy.max_access_key_age is None else 0
    return no_period + len({problem.account_id for problem in a.problems if ROTATION in problem.controls})


def reasons(a: Audit, most: int = 5) -> list[str]:
    """Why the evidence is not enough, the first few."""
    found = _by_message(a)
    undated = [c for c in a.tallies if a.tallies[c].get(INSUFFICIENT_DATA)]
    if not found and undated:
        found = [say("verdict.undated", controls=", ".join(undated))]
    return found[:most] + ([say("verdict.more_reasons", n=len(found) - most)] if len(found) > most else [])


def accounts_read(a: Audit) -> str:
    """How many accounts there are, and how many of them were read, if not all were."""
    read = sum(bool(one.form) for one in a.provenance)
    if read == len(a.provenance):
        return say("count.accounts", n=read)
    return say("count.accounts_read", n=len(a.provenance), read=read)


def unread(a: Audit) -> str:
    """The accounts that were expected and not read, which head every report; empty where there are none."""
    missing = [one for one in a.provenance if not one.form]
    if not missing or len(a.provenance) == 1:
        return ""
    names = [one.account_id if one.is_account else say("verdict.organization") for one in missing]
    accounts = ", ".join(names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        accounts = say("verdict.unread_more", accounts=accounts, more=len(names) - MOST_NAMED)
    return say("verdict.unread", n=len(missing), total=len(a.provenance), accounts=accounts)


def _by_message(a: Audit) -> list[str]:
    """What is missing, each thing once, with its account or the number of them, where there are several."""
    accounts: dict[str, list[str]] = {}
    for problem in a.problems:
        accounts.setdefault(problem.message, []).append(problem.account_id)
    if len(a.provenance) == 1:
        return list(accounts)
    return [
        say("verdict.of_account", reason=message, account=ids[0])
        if len(ids) == 1
        else say("verdict.of_accounts", reason=message, n=len(ids))
        for message, ids in accounts.items()
    ]


def bottom_line(a: Audit) -> Prose:
    """The conclusion in a box: the answer, what is missing, and the controls one by one. Its metadata carries a
    digest of the findings, by which evidence proves that the page and the data say the same."""
    paragraphs = [headline(a)]
    if line := unread(a):
        paragraphs.insert(0, line)
    if a.is_sample:
        paragraphs.insert(0, say("verdict.sample"))
    items = [_control_line(a, control) for control in CONTROLS]
    missing = [say("verdict.missing", reason=reason) for reason in reasons(a)]
    return Prose(
        tuple(paragraphs),
        f"verdict {a.conclusion.lower().replace('_', '-')}",
        tuple(items + missing),
        metadata={"keyaudit": {"conclusion": a.conclusion, "findings_sha256": findings_digest(a)}},
    )


def findings_digest(a: Audit) -> str:
    """SHA-256 over the ids, verdicts and annotations of all findings, in their order."""
    columns = (a.findings[name] for name in ("finding_id", "compliance_type", "annotation"))
    lines = ("\x1f".join(row) for row in zip(*columns, strict=True))
    return hashlib.sha256("\n".join([a.conclusion, *lines]).encode()).hexdigest()


def _control_line(a: Audit, control: str) -> str:
    name = say(f"control.{control}")
    if control not in a.conclusions:
        return say("verdict.not_assessed", control=name)
    tally = a.tallies[control]
    parts = [f"{number:,} {kind}" for kind, number in tally.items()] or [say("verdict.nothing")]
    aside = "" if control in a.policy.controls else " " + say("verdict.does_not_count")
    return f"{name}: {a.conclusions[control]} ({', '.join(parts)}){aside}"


def controls(a: Audit) -> Table:
    """The conclusion and the numbers of findings, control by control."""
    kinds = (NON_COMPLIANT, INSUFFICIENT_DATA, EXEMPT, COMPLIANT, NOT_APPLICABLE)
    rows = [
        [say(f"control.{c}"), _limit(a, c), a.conclusions[c], *(a.tallies[c].get(kind, 0) for kind in kinds)]
        for c in CONTROLS
        if c in a.conclusions
    ]
    return table("controls", rows)


def _limit(a: Audit, control: str) -> str:
    limit = a.policy.limit(control)
    return say(f"limit.{control}", n=limit) if limit is not None else say("limit.none")


def rule(a: Audit) -> str:
    """The age rule in one sentence, with its cut-off instant where the policy sets a period."""
    limit = a.policy.max_access_key_age
    if limit is None:
        return say("rule.no_period")
    whole = a.policy.age_comparison == "whole_days"
    cutoff = a.as_of - timedelta(days=limit + whole)
    return say(f"rule.{a.policy.age_comparison}", limit=limit, next=limit + 1, cutoff=utc(cutoff))
