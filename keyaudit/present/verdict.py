"""The bottom line, the conclusions by control, and the rule by which they were reached."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from keyaudit.model import Audit
from keyaudit.present.account_names import named
from keyaudit.present.claims import keys_of
from keyaudit.present.headline import before, first_lines, said_first
from keyaudit.present.table import Prose, Table, table
from keyaudit.schema import COMPLIANCE_TYPES, CONTROLS, INSUFFICIENT_DATA, LIMIT_OF, ROOT_KEY, ROTATION
from keyaudit.texts import listed, say, utc


def overdue_known(a: Audit) -> int | None:
    """How many active keys are overdue, for readers who look no further: None if none was seen, and evidence or a
    period is missing."""
    is_unknown = a.policy.max_access_key_age is None or a.conclusions.get(ROTATION) == INSUFFICIENT_DATA
    return keys_of(a).overdue or (None if is_unknown else 0)


def incomplete_known(a: Audit) -> int | None:
    """How many accounts are INSUFFICIENT_DATA; None if it is not known which accounts there are."""
    if not all(one.is_account for one in a.provenance):
        return None
    return sum(one.conclusion == INSUFFICIENT_DATA for one in a.provenance)


def reasons(a: Audit, most: int = 5) -> list[str]:
    """Why the evidence is not enough: the first few reasons."""
    found = _by_message(a)
    if undated := [control for control in a.tallies if _undated(a, control)]:
        found.append(say("verdict.undated", controls=listed("words", (say(f"control.{c}") for c in undated))))
    return found[:most] + ([say("verdict.more_missing", n=len(found) - most)] if len(found) > most else [])


def _undated(a: Audit, control: str) -> bool:
    """Whether some keys cannot be judged, apart from what is missing for whole accounts."""
    of_accounts = {one.account_id for one in a.problems if control in one.controls}
    return bool(a.tallies[control].get(INSUFFICIENT_DATA, 0) > len(of_accounts))


def _by_message(a: Audit) -> list[str]:
    """What is missing, each thing once, with its account, or the number of accounts if there are several."""
    accounts: dict[str, list[str]] = {}
    for problem in a.problems:
        accounts.setdefault(problem.message, []).append(problem.account_id)
    for message in said_first(a):
        accounts.pop(message, None)
    if len(a.provenance) == 1:
        return list(accounts)
    names = named(a)
    return [
        say("verdict.of_account", reason=message, account=names.get(ids[0], ids[0]))
        if len(ids) == 1
        else say("verdict.of_accounts", reason=message, n=len(ids))
        for message, ids in accounts.items()
    ]


def bottom_line(a: Audit) -> Prose:
    """The conclusion in a box: the answer, how sure it is, the controls one by one, and what is missing. Its
    metadata carries a digest of the findings, by which evidence proves that page and data say the same."""
    items = [control_line(a, control) for control in CONTROLS]
    missing = [say("verdict.missing", reason=reason) for reason in reasons(a)]
    return Prose(
        tuple(first_lines(a)),
        f"verdict {a.conclusion.lower().replace('_', '-')}",
        tuple(items + missing),
        lead=len(before(a)),
        metadata={"keyaudit": {"conclusion": a.conclusion, "findings_sha256": findings_digest(a)}},
    )


def findings_digest(a: Audit) -> str:
    """SHA-256 over the ids, verdicts and annotations of all findings, in their order."""
    columns = (a.findings[name] for name in ("finding_id", "compliance_type", "annotation"))
    lines = ("\x1f".join(row) for row in zip(*columns, strict=True))
    return hashlib.sha256("\n".join([a.conclusion, *lines]).encode()).hexdigest()


def control_line(a: Audit, control: str, has_unit: bool = True) -> str:
    """The conclusion on a control, and its numbers. Those of ``root-key`` are of accounts, and not of keys;
    ``has_unit``: whether that is said."""
    name, kind_of = say(f"control.{control}"), "accounts" if control == ROOT_KEY and has_unit else "number"
    if control not in a.conclusions:
        line = say("verdict.not_assessed", control=name)
    else:
        numbers = [say(f"verdict.{kind_of}", n=number, kind=kind) for kind, number in a.tallies[control].items()]
        told = listed("words", numbers) or say("verdict.nothing")
        line = say("verdict.control", control=name, conclusion=a.conclusions[control], numbers=told)
    return line if control in a.policy.controls else say("verdict.does_not_count", line=line)


def controls(a: Audit) -> Table:
    """The conclusion and the numbers of findings, control by control; which of them do not count, and which could
    not be assessed."""
    rows: list[list[Any]] = []
    all_count = set(a.policy.controls) >= set(CONTROLS)
    for control in CONTROLS:
        kind = "counts" if control in a.policy.controls else "counts_not"
        counts = None if all_count else say(f"verdict.{kind}")
        head = [say(f"control.{control}"), _limit(a, control)]
        if control in a.conclusions:
            numbers = [a.tallies[control].get(kind, 0) for kind in COMPLIANCE_TYPES]
            rows.append([*head, a.conclusions[control], counts, *numbers])
        else:
            rows.append([*head, say("verdict.no_conclusion"), counts, *[None] * len(COMPLIANCE_TYPES)])
    return table("controls", rows)


def _limit(a: Audit, control: str) -> str:
    limit = a.policy.limit(control) if control in LIMIT_OF else 0
    return say(f"limit.{control}", n=limit) if limit is not None else say("limit.none")


def rule(a: Audit) -> str:
    """The age rule in one sentence, with its cut-off instant if the policy sets a period."""
    limit = a.policy.max_access_key_age
    if limit is None:
        return say("rule.no_period")
    whole = a.policy.age_comparison == "whole_days"
    cutoff = a.as_of - timedelta(days=limit + whole)
    return say(f"rule.{a.policy.age_comparison}", n=limit, next=limit + 1, cutoff=utc(cutoff))
