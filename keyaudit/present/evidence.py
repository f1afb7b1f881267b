"""What the judgement rests on: scope, provenance, accounts, problems, references, the policy in force."""

from __future__ import annotations

from typing import Any

from keyaudit import resources
from keyaudit.present.completeness import captured
from keyaudit.present.table import Prose, Table, table
from keyaudit.present.verdict import accounts_read, rule
from keyaudit.schema import COMPLIANCE_TYPES, CONTROLS, ROTATION
from keyaudit.texts import say, utc

Audit = Any


def scope(a: Audit) -> Prose:
    """What was judged, at which instant, by which policy; SAMPLE DATA on its face where it is the sample."""
    facts = {
        "as_of": utc(a.as_of),
        "how": say(f"as_of.{a.as_of_source}"),
        "accounts": accounts_read(a),
        "users": say("count.principals", n=sum(one.users for one in a.provenance)),
        "keys": say("count.keys", n=sum(one.keys for one in a.provenance)),
        "policy": a.policy.title,
        "version": a.policy.version,
    }
    paragraphs = [say("scope.judged", **facts), rule(a)]
    if not a.policy.given:
        paragraphs.append(say("problem.no_policy", name=a.policy.name))
    paragraphs += captured(a)
    if a.is_sample:
        paragraphs.insert(0, say("verdict.sample"))
    return Prose(tuple(paragraphs), "scope")


def provenance(a: Audit) -> Table:
    """Where each report came from, when AWS generated it, its hash, and how much was read."""
    rows = [
        [
            one.account_id,
            one.source or None,
            utc(one.generated_time) or say("provenance.unknown"),
            one.users,
            one.keys,
            one.bytes,
            one.sha256 if one.bytes else None,
            one.caller,
        ]
        for one in sorted(a.provenance, key=_worst)
    ]
    return table("provenance", rows)


def accounts(a: Audit) -> Table:
    """The accounts, those not read first and then the worst, with their rotation findings by compliance type."""
    rotation = a.findings[a.findings["control"] == ROTATION]
    counts = rotation.groupby(["account_id", "compliance_type"]).size().to_dict()
    rows = [
        [
            one.account_id,
            one.conclusion,
            one.users,
            one.keys,
            *(counts.get((one.account_id, kind), 0) for kind in COMPLIANCE_TYPES),
        ]
        for one in sorted(a.provenance, key=_worst)
    ]
    return table("accounts", rows)


def _worst(one: Any) -> tuple[bool, int, str]:
    """An account that was not read comes first, whatever the others say."""
    return bool(one.form), COMPLIANCE_TYPES.index(one.conclusion), one.account_id


def problems(a: Audit) -> Prose:
    """Everything odd or missing in the input, and what was not assessed."""
    items = [say("problems.missing", account=one.account_id, message=one.message) for one in a.problems]
    items += [say("problems.warning", message=message) for message in a.warnings]
    items += [say("problems.note", message=message) for message in a.notes]
    listed = list(dict.fromkeys(items))
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
        tuple(say(f"limits.{name}") for name in ("ids", "cached", "cut", "uses", "passwords")),
    )


def references(a: Audit) -> Table:
    """What the policy cites, by control; a period longer than the reference allows is said so."""
    rows = []
    for name in a.policy.references:
        entry = resources.references()[name]
        numbers = [entry.get(control) for control in CONTROLS]
        rows.append([name, *numbers, entry.get("days"), _compared(a, entry)])
    return table("references", rows, most=None)


def _compared(a: Audit, entry: dict[str, Any]) -> str | None:
    remarks = [entry["note"]] if "note" in entry else []
    days, limit = entry.get("days"), a.policy.max_access_key_age
    if days is not None and limit is not None:
        remarks.append(say("references.longer" if limit > days else "references.within", limit=limit, days=days))
    return "; ".join(remarks) or None


def policy_in_force(a: Audit) -> Table:
    """Every term of the policy, who approved it, since when, and the hash of its file."""
    policy = a.policy
    rows: list[list[Any]] = [
        [key, _term(value)] for key, value in policy.model_dump(exclude={"override", "exemption"}).items()
    ]
    rows += [[say("policy.override", number=n), _terms(one)] for n, one in enumerate(policy.override, 1)]
    rows += [[say("policy.exemption", id=one.id), _terms(one)] for one in policy.exemption]
    rows += [[say("policy.file"), policy.name], ["sha256", policy.sha256]]
    return table("policy", rows, most=None)


def _term(value: Any) -> str:
    if value is None:
        return say("policy.not_set")
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)


def _terms(one: Any) -> str:
    return "; ".join(
        f"{key} = {_term(value)}" for key, value in one.model_dump(exclude_none=True).items() if key != "id"
    )
