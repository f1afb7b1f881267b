"""What an older version showed of a plan, which was another one: whom it named is compared, and not what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import ACCOUNT, FRESH, OLD, report

from keyaudit.evidence.released import words
from keyaudit.evidence.verify import former
from keyaudit.evidence.verify.executed import Expected, Output
from keyaudit.rotation.plan import to_do

COLUMNS = tuple(words("to_do").split("|"))


def task(user: str, account: str = ACCOUNT) -> tuple[str, ...]:
    return (user, account, "key 1", "2026-03-01", "267", "177", "2026-11-20", "now", "rotate it")


@pytest.mark.parametrize(
    ("columns", "rows", "agrees"),
    [
        (COLUMNS, [task("alice"), task("bob")], True),
        (COLUMNS, [task("bob"), task("alice"), task("carol")], True),
        # an overdue key that is left out, wherever it stood
        (COLUMNS, [task("alice")], False),
        (COLUMNS, [task("bob")], False),
        (COLUMNS, [task("alice"), task("bob"), task("mallory")], False),
        (COLUMNS, [task("alice"), task("bob", "999999999999")], False),
        (COLUMNS[::-1], [task("alice"), task("bob")], False),
    ],
)
def test_a_plan_of_before_names_everybody_with_an_overdue_key_and_nobody_without_a_key(
    judge, columns: tuple[str, ...], rows: list[tuple[str, ...]], agrees: bool
) -> None:
    audit = judge(report(("alice", OLD), ("bob", OLD), ("carol", FRESH)))
    now = to_do(audit)
    told = replace(now, columns=columns, rows=tuple(rows), total=len(rows))
    output = Output("display_data", repr(told), told._repr_html_(), {}, ())
    assert former.agrees(Expected("ka.to_do", repr(now), now._repr_html_(), now), output, audit) == agrees
