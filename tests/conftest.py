"""Shared by the tests: credential reports from literal rows, and a judgement in one line.

``report(("alice", "true 2026-08-25T00:00:00Z N/A"))`` is a whole report: AWS's 22 columns, a root user without
keys, then one row a user. A key is written as three words: active, last rotated, last used.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, settings

import keyaudit
from keyaudit.imports import leave_out_grammar

# as the command does
leave_out_grammar()

ACCOUNT = "111122223333"
OTHER = "444455556666"
AS_OF = "2026-11-23T00:00:00Z"
NO_KEY = "false N/A N/A"
FRESH = "true 2026-11-01T00:00:00Z 2026-11-20T00:00:00Z"
OLD = "true 2026-03-01T00:00:00Z 2026-11-20T00:00:00Z"
ROOT = "<root_account>"
#: every example and every sequence of faults, instead of some of each kind (make test-all)
IS_NIGHTLY = os.environ.get("KEYAUDIT_DEPTH") == "nightly"
KEY_FIELDS = ("active", "last_rotated", "last_used_date")
CUT = ("user", *(f"access_key_{slot}_{field}" for slot in (1, 2) for field in KEY_FIELDS))
AWS_HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,"
    "password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,"
    "access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,"
    "access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,"
    "cert_2_active,cert_2_last_rotated"
)
HEADER = AWS_HEADER.split(",")


def examples(number: int) -> settings:
    """So many examples at nightly depth, a tenth of them otherwise; always the same."""
    return settings(
        max_examples=number if IS_NIGHTLY else max(number // 10, 7),
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],  # accounts are small; add Phase.shrink to make one smaller
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def row(
    user: str, key_1: str = NO_KEY, key_2: str = NO_KEY, account: str = ACCOUNT, **cells: str
) -> dict[str, str]:
    """One row as AWS writes it: column name -> cell; ``cells`` replace single ones."""
    resource = "root" if user == ROOT else f"user/{user}"
    found = dict.fromkeys(HEADER, "N/A") | {
        "user": user,
        "arn": f"arn:aws:iam::{account}:{resource}",
        "user_creation_time": "2020-01-01T00:00:00Z",
        **dict.fromkeys(("password_enabled", "mfa_active", "cert_1_active", "cert_2_active"), "false"),
    }
    for slot, key in ((1, key_1), (2, key_2)):
        for field, cell in zip(KEY_FIELDS, key.split(), strict=True):
            found[f"access_key_{slot}_{field}"] = cell
    return found | cells


def key(age: float | None, used: float | None = 1, active: bool = True) -> str:
    """A key's cells: so many days old, last used so many days ago (None: never)."""
    cells = [
        f"{datetime.fromisoformat(AS_OF) - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}" if days is not None else "N/A"
        for days in (age, used)
    ]
    return " ".join([str(active).lower(), *cells])


def csv_of(rows: list[dict[str, str]], columns: list[str] | tuple[str, ...] = tuple(HEADER)) -> str:
    """Rows as CSV without a final newline, as AWS sends it."""
    return "\n".join([",".join(columns), *(",".join(found[name] for name in columns) for found in rows)])


def report(
    *users: tuple[str, ...],
    root: tuple[str, ...] | None = (),
    account: str = ACCOUNT,
    columns: tuple[str, ...] = (),
) -> str:
    """A report of some users, ``(name, key 1, key 2)``; ``root`` are the root user's keys, None for no root row."""
    rows = [] if root is None else [row(ROOT, *root, account=account)]
    return csv_of([*rows, *(row(*user, account=account) for user in users)], columns or tuple(HEADER))


def write(folder: Path, name: str, content: str | bytes) -> Path:
    """A file with exactly these bytes (text in UTF-8, line ends as given)."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def capture(folder: Path, expected: object, **accounts: str | dict[str, object]) -> Path:
    """A capture folder: ``accounts.json``, and a folder an account (named as ``a111122223333``) with its report, or
    with facts for ``capture.json`` alone where its report is missing."""
    write(folder, "accounts.json", json.dumps({"expected": expected, "read_time": AS_OF}))
    for name, content in accounts.items():
        facts = {"account_id": name[1:], "generated_time": AS_OF, "received_time": AS_OF}
        facts |= content if isinstance(content, dict) else {"sha256": hashlib.sha256(content.encode()).hexdigest()}
        write(folder / name[1:], "capture.json", json.dumps(facts))
        if isinstance(content, str):
            write(folder / name[1:], "credential-report.csv", content)
    return folder


def verdicts(audit: keyaudit.Audit, control: str) -> dict[tuple[str, int | None], str]:
    """(user, slot) -> compliance type of one control; an account's own row is under ("", None)."""
    found = audit.findings[audit.findings["control"] == control]
    users = ["" if user is None or user != user else user for user in found["user"]]
    slots = [None if slot is pd.NA else int(slot) for slot in found["key_slot"]]
    return dict(zip(zip(users, slots, strict=True), found["compliance_type"], strict=True))


def said(audit: keyaudit.Audit) -> str:
    """Everything that an audit says of its input, one remark a line."""
    return "\n".join([*audit.warnings, *audit.notes, *(problem.message for problem in audit.problems)])


@pytest.fixture
def judge(tmp_path):
    """``judge(text, policy, as_of)``: the Audit of one report."""

    def _judge(content: str | bytes, policy: object = "cis", as_of: str = AS_OF, name: str = "report.csv"):
        return keyaudit.audit(write(tmp_path, name, content), policy, as_of)

    return _judge


@pytest.fixture
def policy(tmp_path):
    """``policy("max_access_key_age = 90")``: the path of a policy file with a title and these lines."""

    def _policy(text: str = "", title: str = 'title = "standard"') -> Path:
        return write(tmp_path / "policies", f"{len(list(tmp_path.glob('policies/*')))}.toml", f"{title}\n{text}\n")

    return _policy


#: under which the tests of faults record their columns of the table of outcomes, as JSON
FAULTS_PROPERTY = "faults"
#: and how many sequences of failures and retries a test of the rotation survived
SEQUENCES_PROPERTY = "sequences"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the tests of faults found, also where xdist ran them."""
    reports = [one for kind in ("passed", "failed") for one in terminalreporter.getreports(kind)]
    told: dict[str, list[Any]] = {}
    for name, value in (pair for one in reports for pair in one.user_properties):
        told.setdefault(name, []).append(value)
    if FAULTS_PROPERTY in told:
        terminalreporter.section("outcome of each fault of each call", "-")
        for line in faults_table([json.loads(text) for text in told[FAULTS_PROPERTY]]):
            terminalreporter.write_line(line)
    if SEQUENCES_PROPERTY in told:
        terminalreporter.section("rotation", "-")
        terminalreporter.write_line(f"{sum(told[SEQUENCES_PROPERTY]):,} sequences of failures and retries survived")


def faults_table(columns: list[dict[str, Any]]) -> list[str]:
    """A row a fault, a column a call."""
    columns.sort(key=lambda column: column["number"])
    rows = [("", [str(column["number"]) for column in columns])]
    rows += [(row, [column["cells"].get(row, ".") for column in columns]) for row in columns[0]["rows"]]
    lines = [f"{column['number']:>2}  {column['name']}" for column in columns]
    lines += [" ".join([f"{row:<14}", *(f"{cell:<9}" for cell in cells)]).rstrip() for row, cells in rows]
    return [*lines, *columns[0]["legend"]]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of the cases of a test that is marked ``sampled(n)``, n that lie evenly among them; at nightly depth all."""
    cases: dict[tuple[Path, str], list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("sampled") and not IS_NIGHTLY:
            cases.setdefault((item.path, item.name.partition("[")[0]), []).append(item)
    left_out = set()
    for found in cases.values():
        number = found[0].get_closest_marker("sampled").args[0]
        kept = {round(place * (len(found) - 1) / max(number - 1, 1)) for place in range(number)}
        left_out |= {item for place, item in enumerate(found) if place not in kept}
    if left_out:
        config.hook.pytest_deselected(items=sorted(left_out, key=lambda item: item.nodeid))
        items[:] = [item for item in items if item not in left_out]


def pytest_sessionstart(session: pytest.Session) -> None:
    """All is imported without a look for garbage, but by the process that hands out tests. Of several workers each
    begins with modules of its own: what pytest makes of a module's assertions is kept on disk, and in a fresh clone
    each would make it of all of them."""
    if not session.config.pluginmanager.hasplugin("dsession"):
        gc.disable()
    if (told := getattr(session.config, "workerinput", None)) and session.config.args == session.config.getini(
        "testpaths"
    ):
        number, count = int(told["workerid"].removeprefix("gw")), told["workercount"]
        for path in sorted(Path(__file__).parent.glob("*/test_*.py"))[number::count]:
            importlib.import_module(path.stem)


def pytest_collection_finish() -> None:
    """What was imported stays: it is not looked through for garbage again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()
