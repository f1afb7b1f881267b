"""Any account and any policy: what hypothesis draws for the tests of properties."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

from conftest import ACCOUNT, OTHER, ROOT, row
from hypothesis import strategies as st

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
NAMES = ("alice", "bob", "svc-1", "svc-22", "NA", "root", "legacy-etl")
PATTERNS = ("*", "svc-*", "svc-?", "alice", "?????", "*o*", "<*", "NA")
CONTROLS = ("rotation", "unused", "active-keys", "root-key")
KINDS = ("COMPLIANT", "EXEMPT", "INSUFFICIENT_DATA", "NON_COMPLIANT")


# --- any account, any policy ----------------------------------------------------------------------------------
def cell(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


#: ages around the limits that policies set, and around whole days
AGES = st.one_of(
    st.sampled_from([0, 1, 29, 30, 31, 44, 45, 46, 60, 89, 90, 91, 92, 365, 366, 2000]).flatmap(
        lambda days: st.sampled_from([-1, 0, 1, 3600, 86399]).map(lambda s: timedelta(days=days, seconds=s))
    ),
    st.integers(-5, 200 * 86400).map(lambda seconds: timedelta(seconds=seconds)),
)
PAST_AGES = AGES.map(lambda age: abs(age))


@st.composite
def keys(draw: st.DrawFn, ages: st.SearchStrategy[timedelta] = AGES) -> str:
    active = draw(st.sampled_from(["true", "true", "true", "false", "TRUE", "False"]))
    dated = st.builds(lambda age: cell(NOW - age), ages)
    words = ["N/A"] if active.lower() == "false" else ["N/A", "no_information"]
    rotated = draw(st.one_of(dated, dated, dated, st.sampled_from(words)))
    used = draw(st.one_of(dated, dated, st.sampled_from(["N/A", "no_information"])))
    return f"{active} {rotated} {used}"


@st.composite
def accounts(draw: st.DrawFn, ages: st.SearchStrategy[timedelta] = AGES) -> list[dict[str, str]]:
    users = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=5))
    rows = [row(user, draw(keys(ages)), draw(keys(ages))) for user in users]
    if draw(st.integers(0, 9)):
        empty = st.just("false N/A N/A")
        rows.insert(
            draw(st.integers(0, len(rows))), row(ROOT, draw(empty | keys(ages)), draw(empty | empty | keys(ages)))
        )
    return rows


def scopes(draw: st.DrawFn) -> dict:
    return {"users": draw(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2))} | draw(
        st.sampled_from([{}, {}, {"accounts": [ACCOUNT]}, {"accounts": [OTHER]}])
    )


@st.composite
def exemptions(draw: st.DrawFn, identifier: str) -> dict:
    cap = draw(st.sampled_from([None, 91, 100, 365]))
    controls = draw(st.lists(st.sampled_from(CONTROLS), min_size=1, unique=True))
    return {
        "id": identifier,
        **scopes(draw),
        "controls": controls,
        **({"max_access_key_age": cap} if cap and "rotation" in controls else {}),
        "reason": "r",
        "approved_by": "CISO",
        "expires": draw(
            st.sampled_from([date(2026, 11, 22), date(2026, 11, 23), date(2026, 11, 24), date(2027, 1, 1)])
        ),
    }


@st.composite
def policies(draw: st.DrawFn) -> dict:
    limits = {
        "max_access_key_age": draw(st.sampled_from([90, 90, 30, 365, None])),
        "max_credential_usage_age": draw(st.sampled_from([45, 45, 90, None])),
        "max_active_keys": draw(st.sampled_from([1, 1, 0, 2, None])),
    }
    limits = {name: limit for name, limit in limits.items() if limit is not None}
    overrides = []
    for _ in range(draw(st.integers(0, 2))):
        chosen = draw(st.lists(st.sampled_from(sorted(limits)), min_size=1, unique=True)) if limits else []
        tighter = {name: draw(st.integers(0 if name == "max_active_keys" else 1, limits[name])) for name in chosen}
        if tighter:
            overrides.append(scopes(draw) | tighter)
    return {
        "title": "generated",
        **limits,
        "age_comparison": draw(st.sampled_from(["elapsed", "whole_days"])),
        "controls": draw(st.lists(st.sampled_from(CONTROLS), min_size=1, unique=True)),
        "override": overrides,
        "exemption": [draw(exemptions(f"E{number}")) for number in range(draw(st.integers(0, 2)))],
    }


def toml(terms: dict) -> str:
    """A policy as TOML: JSON's strings, numbers and lists are TOML's too."""

    def line(name: str, value: object) -> str:
        return f"{name} = {value.isoformat() if isinstance(value, date) else json.dumps(value)}"

    tables = ("override", "exemption")
    lines = [line(name, value) for name, value in terms.items() if name not in tables]
    for table in tables:
        for one in terms.get(table, []):
            lines += [f"[[{table}]]", *(line(name, value) for name, value in one.items())]
    return "\n".join(lines)
