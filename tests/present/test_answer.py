"""The answer in numbers, what is asked, and where most overdue keys are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import ACCOUNT, AS_OF, FRESH, OLD, OTHER, capture, csv_of, key, report, row, write

import keyaudit as ka
from keyaudit.rotation.plan import plan

NO_PERIOD = 'title = "t"\nmax_credential_usage_age = 45\n'


def numbers(a: ka.Audit) -> dict[str, int | None]:
    return {one.what: one.number for one in ka.figures(a).numbers}


def test_four_numbers_and_of_how_many(tmp_path: Path) -> None:
    users = (("alice", FRESH), ("bob", OLD), ("late", key(88)), ("odd", "true N/A N/A"))
    a = ka.audit(write(tmp_path, "r.csv", report(*users)), "cis", AS_OF)
    assert numbers(a) == {
        "overdue": 1, "in time, due within 14 days": 1, "over the limit, exempt": 0, "could not be judged": 1,
    }  # fmt: skip
    assert ka.figures(a).of == "Of 4 active access keys in 1 account."


def test_missing_evidence_never_reads_as_clean(tmp_path: Path) -> None:
    unread = capture(
        tmp_path / "1", [ACCOUNT, OTHER], a111122223333={"problems": ["x"]}, a444455556666={"problems": ["x"]}
    )
    of_none = ka.audit(unread, "cis", AS_OF)
    assert ka.asked(of_none).paragraphs == (
        "No key that was seen needs an action; what was not seen, or not decided, is not known.",
    )
    assert numbers(of_none) == {
        "overdue": None, "in time, due within 14 days": 0, "over the limit, exempt": 0,
        "could not be judged, and 2 accounts not seen in full": 0,
    }  # fmt: skip
    assert "<b>\u2013</b> overdue" in ka.figures(of_none)._repr_html_()
    some = {f"a{ACCOUNT}": report(("alice", FRESH)), f"a{OTHER}": {"problems": ["x"]}}
    of_one = ka.audit(capture(tmp_path / "2", [ACCOUNT, OTHER], **some), "cis", AS_OF)
    assert numbers(of_one)["could not be judged, and 1 account not seen in full"] == 0
    assert numbers(of_one)["overdue"] is None


def test_without_a_period_no_key_is_called_overdue_or_verified(tmp_path: Path) -> None:
    policy = write(tmp_path, "p.toml", NO_PERIOD)
    a = ka.audit(write(tmp_path, "r.csv", report(("alice", FRESH), ("bob", OLD))), policy, AS_OF)
    assert [one.number for one in ka.figures(a).numbers] == [None, None, 0, 2]
    fresh = ka.audit(write(tmp_path, "f.csv", report(("alice", FRESH))), policy, AS_OF)
    assert ka.asked(fresh).paragraphs[0].startswith("The policy defines no rotation period")


def test_since_when_is_told_of_an_overdue_key_and_not_of_an_exempt_one(tmp_path: Path) -> None:
    terms = (
        'title = "t"\nmax_access_key_age = 90\n[[exemption]]\nid = "E"\nusers = ["old"]\ncontrols = ["rotation"]\n'
    )
    policy = write(tmp_path, "p.toml", f'{terms}reason = "r"\napproved_by = "x"\nexpires = 2026-12-31\n')
    a = ka.audit(write(tmp_path, "r.csv", report(("old", key(400)), ("late", key(100)))), policy, AS_OF)
    assert "was due on 2026-11-13, 10 days before 2026-11-23." in ka.asked(a).paragraphs[0]


def test_what_is_asked_counts_each_task_once(tmp_path: Path) -> None:
    users = (
        ("used", key(100)),
        ("never", key(100, None)),
        ("off", key(300, 200, active=False)),
        ("odd", "true N/A N/A"),
    )
    a = ka.audit(write(tmp_path, "r.csv", report(*users)), "cis", AS_OF)
    (said,) = ka.asked(a).paragraphs
    assert said == (
        "To do: 1 rotation now, 1 deactivation, 1 question to be answered first, 2 deletions later. "
        "The key that is overdue for longest was due on 2026-11-13, 10 days before 2026-11-23."
    )
    assert len(plan(a)) == 5


def test_the_earliest_deadline_is_that_of_the_rotations_alone(tmp_path: Path) -> None:
    # the key that a person may use is asked about until the 24th; those that programs use are rotated later
    rows = [row("person", key(89), password_enabled="true"), row("one", key(84)), row("two", key(80))]
    a = ka.audit(write(tmp_path, "r.csv", csv_of(rows)), "cis", AS_OF)
    assert (
        ka.asked(a)
        .paragraphs[0]
        .startswith("To do: 2 rotations before the keys fall due, the earliest of these by 2026-11-29, 1 question")
    )


def test_where_nothing_is_asked_that_is_said(tmp_path: Path) -> None:
    a = ka.audit(write(tmp_path, "r.csv", report(("alice", FRESH))), "cis", AS_OF)
    assert ka.asked(a).paragraphs == ("Nothing to do: no key needs an action.",)
    assert ka.worst(a).paragraphs == ()


@pytest.fixture
def several(tmp_path: Path) -> ka.Audit:
    accounts = [f"{n:012d}" for n in range(1, 8)]
    reports = {
        f"a{one}": report(*((f"u{n}", OLD) for n in range(number)), account=one)
        for number, one in enumerate(accounts)
    }
    folder = capture(tmp_path / "c", accounts, **reports)
    facts = json.loads((folder / "accounts.json").read_text())
    listed = [{"Id": accounts[6], "Name": "prod-billing"}]
    write(folder, "accounts.json", json.dumps(facts | {"listed": listed}))
    return ka.audit(folder, "cis", AS_OF)


def test_the_worst_five_accounts_by_their_names(several: ka.Audit) -> None:
    accounts, owners = ka.worst(several).paragraphs
    assert accounts == (
        "The overdue keys are in 6 accounts: prod-billing (000000000007) (6), 000000000006 (5), 000000000005 (4), "
        "000000000004 (3), 000000000003 (2), 1 more."
    )
    assert owners == "Whose the overdue keys are is not known: the evidence names no owners."
    tables = (ka.to_do(several), ka.offenders(several), ka.accounts(several), ka.provenance(several))
    assert all("prod-billing (000000000007)" in repr(table) for table in tables)


def test_the_worst_five_owners_and_the_keys_without_one(several: ka.Audit) -> None:
    users = several.findings["user"]
    owner = users.map({"u0": "team-b", "u1": "team-a", "u2": "team-a"})
    named = ka.worst(replace(several, findings=several.findings.assign(owner=owner))).paragraphs[1:]
    assert named == (
        "They have 2 known owners: team-a (9), team-b (6).",
        "6 overdue keys have no known owner.",
    )
