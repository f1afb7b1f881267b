"""A verdict over a period, as sentences and tables: each reason with its facts, bounds as they are known."""

from __future__ import annotations

from datetime import timedelta

import pytest
from years import key, snapshot, terms, verdict

from keyaudit.model.operated import Cadence, Operated, SubjectOperated
from keyaudit.model.over_period import PeriodVerdict
from keyaudit.present.durations import between, in_days
from keyaudit.present.effectiveness import headline, operating_text
from keyaudit.present.period_tables import keys_table
from keyaudit.present.shortfalls import shortfalls

DAY = timedelta(days=1)


def told(v: PeriodVerdict) -> str:
    return operating_text(Operated((SubjectOperated(v, (Cadence("week", None),), False, ()),), (), ()))


@pytest.mark.parametrize(
    ("least", "most", "said"),
    [
        (3 * DAY, 10 * DAY, "3 to 10"),
        (3 * DAY, 3 * DAY, "3"),
        (DAY * 1.26, DAY * 1.31, "1.2 to 1.4"),  # never more than the least, nor less than the most
        (3 * DAY, None, "at least 3"),
    ],
)
def test_bounds_are_said_as_they_are_known(least: timedelta, most: timedelta | None, said: str) -> None:
    assert between(least, most) == said
    assert in_days(DAY * 1.25) == "1.2"


def test_a_breach_is_in_the_headline_the_table_and_the_numbers() -> None:
    old = key("alice", "2025-12-01", key_id="AKIAIOSFODNN7EXAMPLE", owner="ops")
    shown = [snapshot(day, old) for day in ("02-22", "03-01", "03-08", "03-15")]
    v = verdict([*shown, snapshot("03-22"), snapshot("03-29")], "02-22", "03-29")
    assert "NON_COMPLIANT: 1 of 1 access keys was active beyond its limit" in headline(v)
    (row,) = keys_table([v]).rows
    assert row[:2] + row[3:5] == ("alice", "ops", "****MPLE", "proved") and row[6] == "14 to 21"
    text = told(v)
    assert "1 breach is proved." in text and "deviation rate 100.0%" in text
    assert "median 14 to 21; 90 % within 14 to 21" in text
    assert (
        text.index("After that nothing is concluded") < text.index("dated by its maker alone") < text.index("alice")
    )


def test_what_is_missing_is_named() -> None:
    v = verdict([snapshot("01-01"), snapshot("06-01")], "01-01", "06-01")
    (gap,) = [line for line in shortfalls(v) if "no snapshot for" in line]
    assert "no snapshot for 151 days, from 2026-01-01T00:00:00Z to 2026-06-01T00:00:00Z" in gap
    assert "INSUFFICIENT_DATA" in headline(v)
    late = verdict([snapshot("01-01"), snapshot("01-08", key("alice", "2025-12-01"))], "01-01", "01-08")
    assert any("alice, created 2025-12-01T00:00:00Z, must have been there" in line for line in shortfalls(late))


def test_many_keys_are_cut_and_counted() -> None:
    keys = [key(f"user-{number:02}", "2025-12-01") for number in range(25)]
    v = verdict([snapshot("03-08", *keys), snapshot("03-15", *keys)], "03-08", "03-15")
    assert "20 of 25 shown; -f csv or -f json gives all" in told(v)


def test_text_from_outside_can_be_seen() -> None:
    v = verdict([snapshot("03-08", key("a\x1b[31m", "2025-12-01"), policy=terms())], "03-08", "03-08")
    assert "\x1b" not in told(v) and "a\\x1b[31m" in told(v)
