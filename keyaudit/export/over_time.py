"""What a reports folder says of a period: as JSON, and the keys as CSV. Times are ISO 8601 in UTC, lengths of time
are days as numbers, and pairs of numbers are a least and a most."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from keyaudit.export.tabular import table_csv
from keyaudit.files import json_text
from keyaudit.model.operated import Operated, SubjectOperated
from keyaudit.model.over_period import (
    AccountOverPeriod,
    Coverage,
    DuePeriod,
    HiddenKey,
    KeyOverPeriod,
    PeriodFigures,
    PeriodVerdict,
    Span,
    Spans,
    length,
)
from keyaudit.texts import utc

Lengths = tuple[timedelta, timedelta | None]
#: rows of CSV; the first are of the subject
COLUMNS = (
    "subject", "conclusion", "account", "user", "access_key_id", "owner", "breach", "created", "limit", "due",
    "breach_days_least", "breach_days_most", "begun", "remedied_earliest", "remedied_latest", "exempt_days",
    "first_seen", "last_seen", "evidence",
)  # fmt: skip
PROVED, POSSIBLE, NONE = "proved", "possible", "none"


def operated_json(found: Operated) -> str:
    told = {
        "conclusion": found.conclusion,
        "subjects": [_subject(one) for one in found.subjects],
        "left_out": [{"folder": folder, "reason": why} for folder, why in found.left_out],
        "faults": list(found.faults),
    }
    return json_text(told)


def operated_csv(found: Operated) -> bytes:
    """A row for each key of each subject."""
    return table_csv(COLUMNS, [_row(one.verdict, key) for one in found.subjects for key in one.verdict.keys])


def _row(v: PeriodVerdict, key: KeyOverPeriod) -> list[object]:
    told = _key(key)
    remedied = told["remedied"] or (None, None)
    cells = [
        told[name] for name in ("account", "user", "access_key_id", "owner", "breach", "created", "limit", "due")
    ]
    cells += [*told["breach_days"], told["begun"], *remedied, told["exempt_days"], told["first_seen"]]
    return [v.subject, v.conclusion, *cells, told["last_seen"], " ".join(key.proofs)]


def _subject(one: SubjectOperated) -> dict[str, Any]:
    v = one.verdict
    return {
        "subject": v.subject,
        "conclusion": v.conclusion,
        "reasons": list(v.reasons),
        "from": _time(v.start),
        "before": _time(v.end),
        "concluded": _span(v.concluded),
        "as_if": v.is_as_if,
        "policies": dict(v.policies),
        "every": [{"every": each.every, "from": _time(each.start)} for each in one.cadences],
        "every_given": one.is_by_hand,
        "figures": _figures(v.figures),
        "remarks": [{"period": period, "remark": remark} for period, remark in one.remarks],
        **_coverage(v.coverage),
        "keys": [_key(key) for key in v.keys],
        "rotations": [
            {"account": each.account, "user": each.user, "at": _time(each.at), "age": _in_days(each.age)}
            for each in v.replacements
        ],
        "snapshots": list(v.snapshots),
    }


def _figures(f: PeriodFigures) -> dict[str, Any]:
    return {
        "keys": f.keys,
        "inactive": f.inactive,
        "breaches": f.breaches,
        "possible": f.possible,
        "exempt": f.exempt,
        "open": f.open,
        "deviation_rate": f.deviation_rate,
        "breach_days": _bounds(f.breach_days),
        "active_days": _bounds(f.active_days),
        "exempt_days": _bounds(f.exempt_days),
        "remedy_median": _bounds(f.median),
        "remedy_90": _bounds(f.slowest),
        "rotations": f.replacements,
        "age_at_rotation": _in_days(f.age),
    }


def _coverage(c: Coverage) -> dict[str, Any]:
    return {
        "periods": [_period(one) for one in c.periods],
        "hidden_keys": [_hidden(one) for one in c.hidden],
        "unread_accounts": [{"period": one.period, "account": one.account, "kind": one.kind} for one in c.unread],
        "accounts": [_account(one) for one in c.accounts],
        "undated_keys": [
            {"account": account, "user": user, "evidence": folder} for account, user, folder in c.undated
        ],
    }


def _period(one: DuePeriod) -> dict[str, Any]:
    return {"period": one.name, "from": _time(one.start), "before": _time(one.end), "state": one.state}


def _hidden(one: HiddenKey) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "account": one.account,
        "user": one.user,
        "access_key_id": one.key_id,
        "created": _time(one.created),
        "absent": list(one.absent),
        "seen": one.seen,
        "once": one.once or None,
    }


def _account(one: AccountOverPeriod) -> dict[str, Any]:
    return {
        "account": one.account,
        "snapshots": one.snapshots,
        "joined": _span(one.joined),
        "left": _span(one.left),
        "away": _spans(one.away),
        "gap": _span(one.gap),
        "allowed": one.allowed,
        "hides": one.hides,
    }


def _key(one: KeyOverPeriod) -> dict[str, Any]:
    return {
        "account": one.account,
        "user": one.user,
        "users": list(one.users),
        "is_root": one.is_root,
        "access_key_id": one.key_id,
        "owner": one.owner,
        "breach": PROVED if one.is_breach else POSSIBLE if one.is_possible else NONE,
        "created": _time(one.created),
        "limit": one.limit,
        "due": _time(one.due),
        "first_seen": _time(one.first_seen),
        "last_seen": _time(one.last_seen),
        "ended": _time(one.ended),
        "active": [_spans(spans) for spans in one.active],
        "proved": _spans(one.proved),
        "possible": _spans(one.possible),
        "exempt": _spans(one.exempt),
        "exempt_days": _in_days(length(one.exempt)),
        "breach_days": _bounds(one.breach_days),
        "evidence": list(one.proofs),
        "begun": _time(one.begun),
        "remedied": _span(one.remedied),
        "remedy": _bounds(one.remedy),
    }


def _time(moment: datetime | None) -> str | None:
    return utc(moment) or None


def _span(span: Span | None) -> list[str | None] | None:
    return [_time(moment) for moment in span] if span else None


def _spans(spans: Spans) -> list[list[str | None] | None]:
    return [_span(one) for one in spans]


def _in_days(time: timedelta | None) -> float | None:
    return None if time is None else round(time / timedelta(days=1), 6)


def _bounds(lengths: Lengths | None) -> list[float | None] | None:
    return [_in_days(one) for one in lengths] if lengths else None
