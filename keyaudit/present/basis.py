"""What the judgement rests on: scope, provenance, accounts, problems, references, the policy that was applied."""

from __future__ import annotations

from typing import Any

import pandas as pd

from keyaudit import resources
from keyaudit.model import Audit, Provenance
from keyaudit.policy import Exemption, Override
from keyaudit.present.account_names import account_of
from keyaudit.present.claims import Setter, accounts_of, moment_of, preset_of, setter_of, worst_first
from keyaudit.present.completeness import captured
from keyaudit.present.headline import in_accounts, not_in_force, remarks
from keyaudit.present.table import MOST_ACCOUNTS, Prose, Table, table
from keyaudit.present.verdict import rule
from keyaudit.schema import CONTROLS
from keyaudit.texts import listed, say, utc


def scope(a: Audit) -> Prose:
    """What was judged, at which instant, by which policy."""
    facts = {
        "as_of": utc(a.as_of),
        "how": moment_of(a),
        "accounts": in_accounts(accounts_of(a)),
        "users": say("count.principals", n=sum(one.users for one in a.provenance)),
        "keys": say("count.keys", n=sum(one.keys for one in a.provenance)),
    }
    named = {"title": a.policy.title, "version": a.policy.version, "preset": preset_of(a.policy)}
    policy = say(f"scope.{setter_of(a.policy)}", **named)
    paragraphs = [say("scope.judged", **facts, policy=policy), rule(a)]
    paragraphs += captured(a)
    return Prose(tuple(paragraphs), "scope")


def provenance(a: Audit) -> Table:
    """Where each report came from, when AWS generated it, its hash, and how much was read."""
    rows = [
        [
            account_of(one),
            one.source or None,
            utc(one.generated_time) or say("provenance.unknown"),
            one.users,
            one.keys,
            one.bytes,
            one.sha256 if one.bytes else None,
            one.caller,
        ]
        for one in worst_first(a)
    ]
    return table("provenance", rows)


def accounts(a: Audit) -> Table:
    """The accounts, worst first by what fails, with their active keys by rotation finding."""
    counts = a.accounts.set_index("account_id")
    rows = [_account(one, counts.loc[one.account_id]) for one in worst_first(a) if one.is_account]
    if a.policy.max_access_key_age is None:
        # without a period, no key is judged by one
        rows = [[*row[:3], *[None] * 5, *row[8:]] for row in rows]
    return table("accounts", rows, most=MOST_ACCOUNTS)


def _account(one: Provenance, counts: pd.Series) -> list[Any]:
    if not one.form:
        return [account_of(one), say("table.not_read"), *[None] * 8]
    active, failing, exempt, unknown = (int(counts[name]) for name in ("active", "failing", "exempt", "unknown"))
    in_time = active - failing - exempt - unknown
    judged = [failing, exempt, unknown, in_time, one.due_soon]
    return [account_of(one), one.conclusion, active, *judged, one.keys - active, one.oldest_days]


def problems(a: Audit) -> Prose:
    """Everything odd or missing in the input, and what was not assessed."""
    listed = remarks(a)
    most = 40
    more = [say("problems.more", n=len(listed) - most)] if len(listed) > most else []
    return Prose(
        (say("problems.some") if listed else say("problems.none"),), "problems", tuple(listed[:most] + more)
    )


def limits_of_audit() -> Prose:
    """What a credential report cannot show, whatever it says."""
    return Prose(
        (say("limits.intro"),),
        "limits",
        tuple(say(f"limits.{name}") for name in ("ids", "cached", "cut", "uses", "services", "passwords")),
    )


def references(a: Audit) -> Table:
    """What the policy cites, by control; says so if a period is longer than the reference allows."""
    rows = []
    for name in a.policy.references:
        entry = resources.references()[name]
        numbers = [_cited(entry, control) for control in CONTROLS]
        rows.append([name, *numbers, entry.get("days"), _compared(a, entry)])
    return table("references", rows, most=None, what=say(f"table.references.{_policy_or_preset(a)}"))


def _cited(entry: dict[str, Any], control: str) -> str | None:
    """The numbers of a control; one that allows another number of days with these."""
    numbers, other = entry.get(control), entry.get(f"{control}_of_days")
    aside = [
        say("references.with_days", number=one, days=say("charts.days", n=n)) for one, n in (other or {}).items()
    ]
    return listed("words", [numbers, *aside]) if numbers else None


def _compared(a: Audit, entry: dict[str, Any]) -> str | None:
    remarks = [say(f"references.note.{entry['note']}")] if "note" in entry else []
    days, limit = entry.get("days"), a.policy.max_access_key_age
    if days is not None and limit is not None:
        kind = "longer" if limit > days else "within"
        remarks.append(say(f"references.{_policy_or_preset(a)}_{kind}", n=limit, days=days))
    return listed("remarks", remarks) or None


def _policy_or_preset(a: Audit) -> str:
    return "policy" if setter_of(a.policy) is Setter.POLICY else "preset"


def policy_in_force(a: Audit) -> Table:
    """Every term of the policy or preset that was applied, who approved it, when, and its file's hash."""
    policy = a.policy
    rows: list[list[Any]] = [
        [key, _term(value)] for key, value in policy.model_dump(exclude={"override", "exemption"}).items()
    ]
    rows += [[say("policy.override", number=n), _terms(one)] for n, one in enumerate(policy.override, 1)]
    rows += [[say("policy.exemption", id=one.id), _terms(one)] for one in policy.exemption]
    rows += [[say("policy.file"), policy.label], ["sha256", policy.sha256]]
    kind = "not_in_force" if not_in_force(a) else setter_of(policy)
    return table("policy", rows, most=None, what=say(f"table.policy.{kind}"))


def _term(value: Any) -> str:
    if value is None:
        return say("policy.not_set")
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)


def _terms(one: Override | Exemption) -> str:
    return "; ".join(
        f"{key} = {_term(value)}" for key, value in one.model_dump(exclude_none=True).items() if key != "id"
    )
