"""The findings, section by section: worst first, at most 20 rows, "None found" if there are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pandas as pd

from keyaudit.model import Audit
from keyaudit.present.account_names import named
from keyaudit.present.table import Table, table
from keyaudit.schema import (
    ACTIVE,
    ACTIVE_KEYS,
    COMPLIANT,
    EXEMPT,
    INACTIVE,
    INSUFFICIENT_DATA,
    NON_COMPLIANT,
    ROOT_KEY,
    ROTATION,
    UNUSED,
)
from keyaudit.texts import say


def _day(moment: Any) -> str | None:
    return None if pd.isna(moment) else moment.strftime("%Y-%m-%d")


def _or_none(value: Any) -> Any:
    return None if pd.isna(value) else value


def _yes_or_no(value: Any) -> str | None:
    return None if pd.isna(value) else say("table.yes" if value else "table.no")


def _of(a: Audit, control: str, *types: str) -> pd.DataFrame:
    findings = a.findings
    return findings[(findings["control"] == control) & findings["compliance_type"].isin(types)]


def _rows(a: Audit, findings: pd.DataFrame, *columns: str) -> list[list[Any]]:
    """Cells of the named columns: a time is shown by its day, an account by its name and id."""
    names = named(a)
    shown: dict[str, Callable[[Any], Any]] = dict.fromkeys(_TIMES, _day)
    shown |= {"administrator": _yes_or_no, "account_id": lambda cell: names.get(cell, cell)}
    cells = [
        [
            shown.get(name, _or_none)(cell)
            for cell in (findings[name] if name in _TIMES else findings[name].astype(object))
        ]
        for name in columns
    ]
    return [list(row) for row in zip(*cells, strict=True)]


_TIMES = ("last_rotated", "due", "last_used_date", "user_creation_time")
#: which key it is; and, if a capture asked for these, its id, what it is for, its owner, and whether that is an
#: administrator
_KEY = ("user", "account_id", "key_slot")
_KEY_MORE = (*_KEY, "access_key_id", "purpose", "owner", "administrator")


def offenders(a: Audit, is_brief: bool = True) -> Table:
    """Keys that fail rotation and are not exempt, or cannot be judged by it, the longest overdue first. A sentence
    says why only where numbers do not, unless ``is_brief`` is False."""
    found = _of(a, ROTATION, NON_COMPLIANT, INSUFFICIENT_DATA)
    if is_brief:
        # age, limit and days over say why; of less than a day over, or of what is not known, words do
        over = found["days_over"]
        why = found["annotation"].mask(over.fillna(0) > 0).mask(over.fillna(1) == 0, say("table.by_hours"))
        found = found.assign(annotation=why)
    return table(
        "offenders", _rows(a, found, *_KEY_MORE, "last_rotated", "age_days", "limit", "days_over", "annotation")
    )


def others(a: Audit) -> Table:
    """What fails or cannot be judged by the other controls, in one list."""
    found = a.findings[
        (a.findings["control"] != ROTATION) & a.findings["compliance_type"].isin([NON_COMPLIANT, INSUFFICIENT_DATA])
    ]
    names = [[say(f"control.{control}")] for control in found["control"]]
    rows = [name + row for name, row in zip(names, _rows(a, found, *_KEY_MORE, "annotation"), strict=True)]
    return table("others", rows)


def due_soon(a: Audit) -> Table:
    """Keys still within their limit that pass their deadline within the policy's ``warn_before`` days."""
    found = _of(a, ROTATION, COMPLIANT)
    near = found["due"] <= a.as_of + timedelta(days=a.policy.warn_before)
    soonest = found[near].sort_values(["due", "account_id", "user", "key_slot"])
    return table(
        "due_soon",
        _rows(a, soonest, *_KEY_MORE, "last_rotated", "age_days", "limit", "due"),
        days=say("charts.days", n=a.policy.warn_before),
    )


def unused(a: Audit, is_brief: bool = True) -> Table:
    """Active keys that are idle for their limit or longer and not exempt, including keys that were never used; and
    those for which that is not known. A sentence says why only where numbers do not, unless ``is_brief`` is
    False."""
    found = _of(a, UNUSED, NON_COMPLIANT, INSUFFICIENT_DATA)
    if is_brief:
        # idle days and limit say why; of a key that was not used since it was made, words do
        used, fails = found["last_used_date"], found["compliance_type"] == NON_COMPLIANT
        why = found["annotation"].mask(fails)
        why = why.mask(fails & (used < found["last_rotated"]), say("table.not_since"))
        found = found.assign(annotation=why.mask(fails & used.isna(), say("table.never_used")))
    return _assessed(a, UNUSED, table("unused", _rows(a, found, *_KEY_MORE, "age_days", "limit", "annotation")))


def more_than_one(a: Audit) -> Table:
    """Users with more active keys than their limit, exempt ones included."""
    found = _of(a, ACTIVE_KEYS, NON_COMPLIANT, EXEMPT)
    return _assessed(a, ACTIVE_KEYS, table("more_than_one", _rows(a, found, "user", "account_id", "annotation")))


def _assessed(a: Audit, control: str, found: Table) -> Table:
    """The table of a control; it says so if no limit is set and nothing was looked for."""
    return found if control in a.conclusions else replace(found, none=say("table.not_assessed"))


def root(a: Audit) -> Table:
    """Access keys of the root user, active or not, and accounts in which it is not known whether there are any."""
    return table(
        "root",
        _rows(
            a,
            _of(a, ROOT_KEY, NON_COMPLIANT, INSUFFICIENT_DATA, EXEMPT),
            "account_id",
            "key_slot",
            "status",
            "annotation",
        ),
    )


def inactive(a: Audit) -> Table:
    """Inactive keys: not judged by age, but a key that is not needed should be deleted."""
    found = a.keys[a.keys["status"] == INACTIVE].sort_values(
        ["age_days", "account_id", "user"], ascending=[False, True, True]
    )
    return table("inactive", _rows(a, found, *_KEY_MORE, "last_rotated", "age_days", "last_used_date"))


def exemptions(a: Audit) -> Table:
    """Every exemption of the policy: in use, not used and why, or expired; with the findings that it exempts or,
    where it is expired, that stand again."""
    rows = [
        [
            one.id,
            _state(use),
            use.number,
            ", ".join(one.users),
            ", ".join(one.accounts or ["*"]),
            ", ".join(one.controls),
            one.expires.isoformat(),
            one.approved_by,
            one.reason,
        ]
        for use in a.exemptions
        for one in (use.exemption,)
    ]
    return table("exemptions", rows + _graces(a), most=None)


def _state(use: Any) -> str:
    if use.state == "expired" and not use.number:
        return say("exemption.expired_unused")
    if use.state in ("past_cap", "some_past_cap"):
        cap = say("charts.days", n=use.exemption.max_access_key_age)
        return say(f"exemption.{use.state}", n=use.past_cap, cap=cap)
    return say(f"exemption.{use.state}", n=use.number)


def _graces(a: Audit) -> list[list[Any]]:
    """Second keys in the grace of a proved rotation, which no exemption of the policy covers."""
    known = {use.exemption.id for use in a.exemptions}
    found = a.findings[a.findings["exemption_id"].notna() & ~a.findings["exemption_id"].isin(known)]
    state, why = say("exemption.in_use"), say("exemption.grace_reason")
    return [
        [one.exemption_id, state, 1, one.user, one.account_id, one.control, None, None, why]
        for one in found.itertuples()
    ]


def boundary(a: Audit) -> Table:
    """Active keys on which the two ways of comparing ages disagree: older than the limit, but by less than a
    whole day. Prowler, ScoutSuite and the console pass them; AWS's own sample rules fail them."""
    keys = a.keys
    limit = keys["limit"].fillna(-1).astype("int64")
    over = (a.as_of - keys["last_rotated"]) > pd.to_timedelta(limit, unit="D")
    found = keys[(keys["status"] == ACTIVE) & (keys["age_days"] == keys["limit"]) & over]
    names = named(a)
    rows = [
        [
            row["user"],
            names.get(row["account_id"], row["account_id"]),
            row["key_slot"],
            row["last_rotated"].strftime("%Y-%m-%d %H:%M:%S"),
            row["limit"],
        ]
        for _, row in found.iterrows()
    ]
    return table("boundary", rows)
