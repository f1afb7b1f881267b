"""A report against the live account (DOMAIN.md, "Identity of a key"; DESIGN.md, "a gap in reconciliation").

Reports and inventories are literal, written as a capture would: ``live(("alice", "A1 Active 2026-11-01T00:00:00Z"))``
is the inventory of an account with one user and one key. What nobody could have captured so must never end as
COMPLIANT, and never in a traceback.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import (
    ACCOUNT,
    AS_OF,
    FRESH,
    IS_NIGHTLY,
    OLD,
    OTHER,
    ROOT,
    csv_of,
    examples,
    report,
    row,
    said,
    verdicts,
    write,
)
from evidence_helpers import keyaudit as command
from evidence_helpers import report_on, verified
from hypothesis import given
from hypothesis import strategies as st

import keyaudit
from keyaudit.captured.inventory import Listed
from keyaudit.export.summary import summary_json
from keyaudit.export.tabular import findings_csv
from keyaudit.present import as_text
from keyaudit.present.completeness import completeness, differences
from keyaudit.reconcile.match import Reported, match
from keyaudit.schema import CONTROLS

G, SINCE = "2026-11-22T20:00:00Z", "2026-11-22T20:00:01Z"
CREATED, MARCH, MAY, NOV = (f"20{day}T00:00:00Z" for day in ("20-01-01", "26-03-01", "26-05-01", "26-11-01"))
#: the key of the account that conftest's FRESH is, and OLD; the same inactive; and one made since
A_FRESH, AN_OLD, A_COLD, NEW = (
    f"A1 Active {NOV}",
    f"A1 Active {MARCH}",
    f"A1 Inactive {MARCH}",
    f"N1 Active {SINCE}",
)
COLD = f"false {MARCH} N/A"
INSUFFICIENT, FAILS, PASSES = "INSUFFICIENT_DATA", "NON_COMPLIANT", "COMPLIANT"
EXPLAINED = {"user_made", "user_remade", "user_deleted", "key_made"}


def key_id(name: str) -> str:
    return f"AKIA{name:0>16}"


def masked(name: str) -> str:
    return f"****{key_id(name)[-4:]}"


def live_user(name: str, created: str = CREATED, account: str = ACCOUNT) -> dict[str, str]:
    arn = f"arn:aws:iam::{account}:user/{name}"
    return {"UserName": name, "UserId": f"AIDA{name}", "Arn": arn, "CreateDate": created}


def live_key(user: str, words: str) -> dict[str, str]:
    name, status, made = words.split()
    return {"UserName": user, "AccessKeyId": key_id(name), "Status": status, "CreateDate": made}


def totals(users: int, root: int = 0) -> dict[str, int]:
    return {"Users": users, "UsersQuota": 5000, "AccountAccessKeysPresent": root}


def live(*users: tuple[str, ...], root: int = 0, created: Any = None, **parts: Any) -> dict[str, Any]:
    """An inventory as a capture writes it; a key is three words: id, status, creation. ``created`` are the users' own
    dates; ``parts`` replace whole parts."""
    return {
        "mode": "keys",
        "taken_time": "2026-11-22T20:05:00Z",
        "summary": totals(len(users), root),
        "users": [live_user(name, (created or {}).get(name, CREATED)) for name, *_ in users],
        "access_keys": {name: [live_key(name, one) for one in keys] for name, *keys in users},
        "gone": [],
    } | parts


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def captured(folder: Path, text: str, inventory: Any, asked: str = "keys", **facts: Any) -> Path:
    """A capture of one account with its report and inventory (an object, or bytes), sealed as a capture is; ``facts``
    of capture.json replace these, and ``...`` leaves one out."""
    raw = inventory if isinstance(inventory, bytes) else json.dumps(inventory).encode()
    what = {"reconcile": asked, "owner_tag": None}
    known = {
        "format": 1,
        "account_id": ACCOUNT,
        "source": f"AWS, account {ACCOUNT}",
        "file": "credential-report.csv",
        "bytes": len(text.encode()),
        "sha256": sha256(text.encode()),
        "generated_time": G,
        "received_time": G,
        "asked": what,
        "complete": True,
        "problems": [],
        "remarks": [],
        "inventory_sha256": sha256(raw),
    } | facts
    known = {name: value for name, value in known.items() if value is not ...}
    write(folder, "accounts.json", json.dumps({"expected": [ACCOUNT], "asked": {"what": "account", **what}}))
    write(folder / ACCOUNT, "capture.json", json.dumps(known))
    write(folder / ACCOUNT, "credential-report.csv", text)
    write(folder / ACCOUNT, "inventory.json", raw)
    return folder


@pytest.fixture
def judged(tmp_path):
    """``judged(report, inventory, **facts)``: the Audit of this capture, by the preset cis."""

    def _judged(text: str, inventory: Any, policy: Any = "cis", **facts: Any) -> keyaudit.Audit:
        return keyaudit.audit(captured(tmp_path / "capture", text, inventory, **facts), policy, AS_OF)

    return _judged


@pytest.fixture
def age(tmp_path) -> Path:
    """A policy that allows two active keys."""
    return write(tmp_path, "age.toml", 'title = "age"\nmax_access_key_age = 90\n')


def found(audit: keyaudit.Audit) -> list[str]:
    """Each difference as its kind, user and the end of the key's id: "key_made alice N1"."""
    told = [(one.kind, one.user, one.access_key_id) for _, one in audit.differences]
    assert all(one is None or (len(one) == 8 and one.startswith("****")) for *_, one in told)
    return [" ".join(filter(None, (kind, user, one and one.lstrip("*0")))) for kind, user, one in told]


def outcome(audit: keyaudit.Audit) -> str:
    return audit.provenance[0].completeness.outcome


def ids(audit: keyaudit.Audit) -> list[str | None]:
    return [None if one is None or one != one else one for one in audit.keys["access_key_id"]]


def everything(audit: keyaudit.Audit) -> str:
    """All that people and machines are told; none of it may fail."""
    shown = [as_text(audit), repr(completeness(audit)), repr(differences(audit)), said(audit)]
    return "\n".join([*shown, summary_json(audit).decode(), findings_csv(audit).decode()])


# --- no difference ----------------------------------------------------------------------------------------------
def test_a_report_that_the_account_confirms_is_proved_and_its_keys_have_ids(judged):
    audit = judged(
        report(("alice", FRESH), ("bob", COLD)), live(("bob", f"B1 Inactive {MARCH}"), ("alice", A_FRESH))
    )
    assert (audit.conclusion, outcome(audit), found(audit)) == (PASSES, "proved", [])
    assert dict(zip(audit.keys["user"], ids(audit), strict=True)) == {"alice": masked("A1"), "bob": masked("B1")}
    one = audit.provenance[0].completeness
    assert (one.mode, one.users, one.keys, one.reported_users, one.reported_keys) == ("keys", 2, 2, 2, 2)


def test_nothing_is_compared_where_nobody_asked(judged):
    audit = judged(report(("alice", FRESH)), {"mode": "off"}, asked="off")
    assert (audit.conclusion, outcome(audit), ids(audit)) == (PASSES, "unknown", [None])


@pytest.mark.parametrize(
    ("summary", "conclusion", "listed"),
    [
        (totals(1), PASSES, []),
        (totals(2), INSUFFICIENT, ["users_total"]),
        (totals(0), INSUFFICIENT, ["users_total"]),
        (totals(1, root=1), FAILS, [f"root_key_missing {ROOT}"]),
    ],
)
def test_only_totals_are_compared_where_only_these_were_asked_for(judged, summary, conclusion, listed):
    audit = judged(report(("alice", FRESH)), {"mode": "totals", "summary": summary}, asked="totals")
    assert (audit.conclusion, found(audit), ids(audit)[0]) == (conclusion, listed, None)
    assert outcome(audit) == ("unproved" if listed else "unknown")


# --- each kind of difference ------------------------------------------------------------------------------------
KEPT, K = ("carol", FRESH), ("carol", f"C1 Active {NOV}")
BOTH = {"users": [live_user("carol"), live_user("old")], "summary": totals(2)}
REMADE = {"created": {"bob": SINCE}}
#: what happened -> report, inventory, conclusion, differences
CASES = {
    "a user made since": (
        report(KEPT),
        live(K, ("new", NEW), created={"new": SINCE}),
        PASSES,
        "key_made new N1, user_made new",
    ),
    "a user deleted": (report(KEPT, ("old", OLD)), live(K, gone=["old"]), PASSES, "user_deleted old"),
    "a user deleted in between": (
        report(KEPT, ("old", OLD)),
        live(K, gone=["old"]) | BOTH,
        PASSES,
        "user_deleted old",
    ),
    "the only user deleted": (report(("old", OLD)), live(gone=["old"]), PASSES, "user_deleted old"),
    "a user made again": (
        report(KEPT, ("bob", OLD)),
        live(K, ("bob", NEW), **REMADE),
        PASSES,
        "key_made bob N1, user_remade bob",
    ),
    "a user made again, and older than its key": (
        report(KEPT, ("bob", FRESH)),
        live(K, ("bob", f"B1 Active {MAY}"), **REMADE),
        FAILS,
        "key_missing bob B1, user_remade bob",
    ),
    "a user not reported": (report(KEPT), live(K, ("bob",)), INSUFFICIENT, "user_missing bob"),
    "a user not reported, overdue": (
        report(KEPT),
        live(K, ("bob", f"B1 Active {MAY}")),
        FAILS,
        "user_missing bob, key_missing bob B1",
    ),
    "a user not listed": (report(KEPT, ("bob",)), live(K), INSUFFICIENT, "user_unlisted bob"),
    "a user not listed, overdue": (report(KEPT, ("bob", OLD)), live(K), FAILS, "user_unlisted bob"),
    "a user made a second later": (
        report(KEPT),
        live(K, created={"carol": "2020-01-01T00:00:01Z"}),
        INSUFFICIENT,
        "user_other carol",
    ),
    "a key made": (report(KEPT), live((*K, NEW)), PASSES, "key_made carol N1"),
    "a key not reported": (
        report(("carol", COLD)),
        live(("carol", f"A2 Inactive {MARCH}", A_FRESH)),
        INSUFFICIENT,
        "key_missing carol A1",
    ),
    "a key not reported, overdue": (report(KEPT), live((*K, f"N1 Active {MAY}")), FAILS, "key_missing carol N1"),
    "an inactive key not reported": (
        report(KEPT),
        live((*K, f"N1 Inactive {MAY}")),
        INSUFFICIENT,
        "key_missing carol N1",
    ),
    "a key gone": (report(KEPT), live(("carol",)), INSUFFICIENT, "key_gone carol"),
    "an inactive key gone": (report(("carol", COLD)), live(("carol",)), INSUFFICIENT, "key_gone carol"),
    "a key gone, overdue": (report(("carol", OLD)), live(("carol",)), FAILS, "key_gone carol"),
    "a key rotated": (report(("carol", OLD)), live(("carol", NEW)), FAILS, "key_gone carol, key_made carol N1"),
    "a key deactivated": (report(KEPT), live(("carol", f"C1 Inactive {NOV}")), INSUFFICIENT, "key_status carol C1"),
    "a key deactivated, overdue": (report(("carol", OLD)), live(("carol", A_COLD)), FAILS, "key_status carol A1"),
    "a key activated, overdue": (report(("carol", COLD)), live(("carol", AN_OLD)), FAILS, "key_status carol A1"),
    "a key older than reported": (report(KEPT), live(("carol", f"C1 Active {MAY}")), FAILS, "key_date carol C1"),
    "a key younger than reported": (report(("carol", OLD)), live(K), FAILS, "key_date carol C1"),
    "a key older by a second": (
        report(KEPT),
        live(("carol", "C1 Active 2026-10-31T23:59:59Z")),
        INSUFFICIENT,
        "key_date carol C1",
    ),
    "a key reported without a date": (
        report(("carol", "true N/A N/A")),
        live(K),
        INSUFFICIENT,
        "key_date carol C1",
    ),
    "another number of users": (report(KEPT), live(K, summary=totals(2)), INSUFFICIENT, "users_total"),
    "a root key not reported": (report(KEPT), live(K, root=1), FAILS, f"root_key_missing {ROOT}"),
    "a root key gone": (report(KEPT, root=(FRESH,)), live(K), FAILS, f"root_key_gone {ROOT}"),
    "a root key in both": (report(KEPT, root=(FRESH,)), live(K, root=1), FAILS, ""),
}


@pytest.mark.parametrize("case", CASES)
def test_each_kind_of_difference_is_listed_and_judged_by_the_worse(judged, case):
    text, inventory, conclusion, told = CASES[case]
    listed = told.split(", ") if told else []
    audit = judged(text, inventory)
    assert (audit.conclusion, sorted(found(audit))) == (conclusion, sorted(listed))
    unproved = [one for one in listed if one.split()[0] not in EXPLAINED]
    assert outcome(audit) == ("unproved" if unproved else "proved")
    assert [one.is_explained for _, one in audit.differences] == [
        one.split()[0] in EXPLAINED for one in found(audit)
    ]
    gaps = audit.findings[audit.findings["user"].isna()]
    assert set(gaps["control"]) == (set(CONTROLS) if unproved else set())
    assert set(gaps["compliance_type"]) <= {INSUFFICIENT}
    count = audit.provenance[0].completeness
    assert (count.unproved, count.explained) == (len(unproved), len(listed) - len(unproved))
    assert "AKIA" not in everything(audit)


def test_unproved_differences_come_first_and_say_what_both_sides_say(judged):
    text = report(("alice", FRESH), ("bob", COLD), ("carol", FRESH))
    audit = judged(text, live(("alice", A_FRESH, NEW), ("bob", f"B1 Active {MAY}"), ("carol",)))
    assert [(one.kind, one.reported, one.listed) for _, one in audit.differences] == [
        ("key_date", f"Inactive, {MARCH}", f"Active, {MAY}"),
        ("key_gone", f"Active, {NOV}", None),
        ("key_made", None, f"Active, {SINCE}"),
    ]
    assert "differ in 2 things that no date explains" in said(audit)


def test_a_key_that_the_report_lacks_is_a_row_of_its_own_in_every_control(judged):
    audit = judged(report(("alice", FRESH)), live(("alice", A_FRESH, f"A2 Active {MAY}")))
    assert verdicts(audit, "rotation") == {("alice", 1): PASSES, ("alice", None): FAILS, ("", None): INSUFFICIENT}
    assert verdicts(audit, "unused")["alice", None] == INSUFFICIENT  # its last use is not known
    assert verdicts(audit, "active-keys")["alice", None] == FAILS
    one = audit.findings[audit.findings["access_key_id"] == masked("A2")].iloc[0]
    assert (one["account_id"], one["arn"], one["status"]) == (ACCOUNT, live_user("alice")["Arn"], "Active")
    assert (one["last_rotated"].isoformat(), one["age_days"]) == ("2026-05-01T00:00:00+00:00", 206)
    assert audit.findings["finding_id"].is_unique


def test_the_worse_status_and_the_older_date_are_in_the_keys(judged):
    audit = judged(report(("alice", COLD), ("bob", FRESH)), live(("alice", AN_OLD), ("bob", f"B1 Inactive {MAY}")))
    keys = audit.keys.set_index("user")
    assert keys["status"].to_dict() == {"alice": "Active", "bob": "Active"}
    assert keys.loc["bob", "last_rotated"].isoformat() == "2026-05-01T00:00:00+00:00"
    assert verdicts(audit, "rotation") == {("alice", 1): FAILS, ("bob", 1): FAILS, ("", None): INSUFFICIENT}


def test_a_root_key_that_the_report_lacks_is_of_unknown_age_and_fails_its_control(judged):
    audit = judged(report(KEPT), live(K, root=1))
    assert verdicts(audit, "root-key")[ROOT, None] == FAILS
    assert verdicts(audit, "rotation")[ROOT, None] == INSUFFICIENT


def test_a_user_deleted_since_leaves_no_finding_and_is_listed(judged):
    audit = judged(report(KEPT, ("old", OLD, OLD)), live(K, gone=["old"]))
    assert "old" not in set(audit.findings["user"].dropna()) and "old" not in set(audit.keys["user"])
    assert "old\t" in repr(differences(audit)) and "has been deleted since" in repr(differences(audit))
    assert audit.provenance[0].completeness.reported_keys == 3


def test_nobody_s_deletion_takes_a_root_key_away(judged):
    audit = judged(report(KEPT, root=(FRESH,)), live(K, root=1, gone=[ROOT, ""]))
    assert verdicts(audit, "root-key")[ROOT, 1] == FAILS


@pytest.mark.parametrize("made", ["2026-11-22T19:59:59Z", G])
@pytest.mark.parametrize("generated", [G, "2026-11-22T20:00:00.900Z", "2026-11-23T05:00:00+09:00"])
def test_a_key_made_by_the_generated_second_is_not_explained_one_made_after_is(judged, generated, made):
    text = report(("alice", COLD))
    audit = judged(text, live(("alice", A_COLD, f"N1 Active {made}")), generated_time=generated)
    assert (audit.conclusion, found(audit)) == (INSUFFICIENT, ["key_missing alice N1"])
    audit = judged(text, live(("alice", A_COLD, NEW)), generated_time=generated)
    assert (audit.conclusion, found(audit)) == (PASSES, ["key_made alice N1"])


@pytest.mark.parametrize("generated", [None, ...])
def test_without_a_generated_time_nothing_is_explained(judged, age, generated):
    clean = judged(report(KEPT), live(K), generated_time=generated)
    assert (clean.conclusion, outcome(clean)) == (PASSES, "proved")
    for inventory in (live((*K, NEW)), live(K, ("new",), created={"new": SINCE})):
        assert judged(report(KEPT), inventory, age, generated_time=generated).conclusion == INSUFFICIENT
    again = judged(report(("bob", OLD)), live(("bob",), **REMADE), generated_time=generated)
    assert again.conclusion == FAILS


def test_what_a_capture_could_not_list_is_a_gap_and_the_rest_is_compared(judged):
    """ListAccessKeys failed for bob; alice's key has its id all the same."""
    inventory = live(("alice", A_FRESH), ("bob",))
    del inventory["access_keys"]["bob"]
    for facts in ({"problems": ["denied"], "complete": False}, {}):
        audit = judged(report(("alice", FRESH), ("bob", COLD)), inventory, **facts)
        assert (audit.conclusion, outcome(audit), ids(audit)) == (INSUFFICIENT, "unproved", [masked("A1"), None])


def test_keys_of_a_user_that_listusers_left_out_are_judged_too(judged):
    """AWS answered ListAccessKeys for a user that it had not listed: an overdue key there is an overdue key."""
    inventory = live(("alice", A_FRESH, f"A2 Active {MAY}"), users=[], summary=totals(0))
    audit = judged(report(("alice", FRESH)), inventory)
    assert "user_unlisted alice" in found(audit) and audit.conclusion == FAILS


# --- which key is which: two made in the same second --------------------------------------------------------------
STATUS = {"A": "Active", "I": "Inactive"}


def matched(reported: str, live_keys: str) -> str:
    """``matched("A1 I2", "x:A1 y:I9")``: keys by status and second, of a report generated at second 50; told are the
    pairs as "row id difference", ``?`` after an id that may be a twin's, and the ids made later."""

    def key(text: str) -> tuple[np.datetime64, str]:
        return np.datetime64("NaT" if text[1:] == "-" else int(text[1:]), "s"), STATUS[text[0]]

    rows = [Reported(number, *key(one)) for number, one in enumerate(reported.split())]
    listed = [Listed(one[0], *key(one[2:])) for one in live_keys.split()]
    pairs, later = match(rows, listed, np.datetime64(50, "s"))
    assert sorted(one.reported.row for one in pairs if one.reported) == list(range(len(rows)))
    assert sorted([one.listed.key_id for one in pairs if one.listed] + [one.key_id for one in later]) == [
        one.key_id for one in listed
    ]
    told = []
    for one in pairs:
        row = str(one.reported.row) if one.reported else ""
        key_id = (
            one.listed.key_id + "?" * (one.reported is not None and not one.is_told_apart) if one.listed else ""
        )
        told.append(" ".join(filter(None, (row, key_id, one.difference))))
    return ", ".join([*sorted(told), *(f"later {one.key_id}" for one in later)])


@pytest.mark.parametrize(
    ("reported", "listed", "told"),
    [
        ("", "", ""),
        ("A1", "x:A1", "0 x"),
        ("A1 A2", "x:A2 y:A1", "0 y, 1 x"),
        ("A1 A2", "x:A2", "0 key_gone, 1 x"),
        ("A1", "x:A1 y:A2", "0 x, y key_missing"),
        ("A1", "x:I1", "0 x key_status"),
        ("I1", "x:A1", "0 x key_status"),
        ("A1", "x:A2", "0 x key_date"),
        ("A-", "x:A2", "0 x key_date"),
        ("", "x:A50 y:A51", "x key_missing, later y"),
        ("A51", "x:A51", "0 x"),
        ("A1", "x:A60 y:A1", "0 y, later x"),
        # twins that their status tells apart
        ("A1 I1", "x:I1 y:A1", "0 y, 1 x"),
        ("A1 I1", "x:I1", "0 key_gone, 1 x"),
        ("A1", "x:I1 y:A1", "0 y, x key_missing"),
    ],
)
def test_keys_are_told_apart_by_second_and_status(reported, listed, told):
    assert matched(reported, listed) == told


@pytest.mark.parametrize(
    ("reported", "listed", "kinds"),
    [
        ("A1 A1", "x:A1 y:A1", []),
        ("I1 I1", "x:I1 y:I1", []),
        ("A1 A1", "x:A1", ["key_gone"]),
        ("A1 A1", "x:A1 y:I1", ["key_status"]),
        ("A1 A1", "x:I1", ["key_gone", "key_status"]),
        ("A1 A1", "x:I1 y:I1", ["key_status", "key_status"]),
        ("A1", "x:A1 y:A1", ["key_missing"]),
        ("A1 A1", "x:A1 y:A1 z:A1", ["key_missing"]),
        ("A1 A1", "x:A1 y:I1 z:A1", ["key_missing"]),
    ],
)
def test_of_twins_that_cannot_be_told_apart_no_row_has_an_id(reported, listed, kinds):
    told = matched(reported, listed).split(", ")
    assert sorted(one.split()[-1] for one in told if "key_" in one) == kinds
    assert [one for one in told if one[0].isdigit() and {"x", "y", "z"} & set(one.split())] == []


@pytest.mark.parametrize("reported", ["A1 A-", "A- A1", "I- A1", "A- A-"])
@pytest.mark.parametrize("listed", ["", "x:A1", "x:A2 y:I3", "x:I3 y:A2 z:A1", "x:A60"])
def test_keys_without_a_date_are_each_in_one_pair_and_unproved(reported, listed):
    assert "key_" in matched(reported, listed)


def test_twins_of_one_status_are_proved_and_have_no_ids(judged, age):
    audit = judged(report(("alice", FRESH, FRESH)), live(("alice", A_FRESH, f"A2 Active {NOV}")), age)
    assert (audit.conclusion, outcome(audit), found(audit), ids(audit)) == (PASSES, "proved", [], [None, None])


def test_twins_of_different_status_have_their_ids_in_whatever_order_they_are_listed(judged, age):
    for keys in ((A_FRESH, f"A2 Inactive {NOV}"), (f"A2 Inactive {NOV}", A_FRESH)):
        audit = judged(report(("alice", FRESH, f"false {NOV} N/A")), live(("alice", *keys)), age)
        assert (audit.conclusion, outcome(audit), ids(audit)) == (PASSES, "proved", [masked("A1"), masked("A2")])


@pytest.mark.parametrize("left", [(), (A_FRESH,), (f"A1 Inactive {NOV}",)])
def test_a_twin_that_is_gone_is_unproved_and_both_are_judged(judged, age, left):
    audit = judged(report(("alice", FRESH, FRESH)), live(("alice", *left)), age)
    assert audit.conclusion == INSUFFICIENT and "key_gone alice" in found(audit)
    assert list(audit.keys["status"]) == ["Active", "Active"]


# --- any account, whatever happens after its report: a judge of their own -----------------------------------------
NOW, AT = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 22, 20, tzinfo=UTC)
SECOND, LIMIT = timedelta(seconds=1), timedelta(days=90)
#: over the limit, next to that, at the limit and next to it, within it, the generated second itself: twins are usual
TIMES = [NOW - timedelta(days=200), NOW - timedelta(days=200) + SECOND, NOW - LIMIT, NOW - LIMIT - SECOND, AT]
TIMES += [NOW - timedelta(days=3)] * 2
NAMES = ("alice", "bob", "NA", "svc-1")
MADE = ("make user", "make key")
EVENTS = (*MADE, "delete user", "make user again", "delete key", "flip", "unseen key", "unseen user", "other date",
          "root key")  # fmt: skip
STATUSES = st.sampled_from(["Active", "Active", "Inactive"])


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class World:
    """An account as IAM knows it: name -> (created, {id: (made, status)})."""

    def __init__(self) -> None:
        self.users: dict[str, tuple[datetime, dict[str, tuple[datetime, str]]]] = {}
        self.number, self.root = 0, 0

    def make_key(self, name: str, made: datetime, status: str) -> None:
        self.number += 1
        self.users[name][1][f"K{self.number}"] = (made, status)

    def text(self) -> str:
        rows = [row(ROOT)]
        for name, (created, keys) in self.users.items():
            cells = [
                f"{'true' if status == 'Active' else 'false'} {stamp(made)} N/A" for made, status in keys.values()
            ]
            rows.append(row(name, *cells, user_creation_time=stamp(created)))
        return csv_of(rows)

    def inventory(self, before: World, backwards: bool) -> dict[str, Any]:
        step = -1 if backwards else 1
        users = [
            (name, *[f"{one} {status} {stamp(made)}" for one, (made, status) in list(keys.items())[::step]])
            for name, (_, keys) in list(self.users.items())[::step]
        ]
        created = {name: stamp(made) for name, (made, _) in self.users.items()}
        return live(*users, created=created, root=self.root, gone=sorted(before.users.keys() - self.users.keys()))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    world = World()
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=3)):
        world.users[name] = (TIMES[0], {})
        for _ in range(draw(st.integers(0, 2))):
            world.make_key(name, draw(st.sampled_from(TIMES)), draw(STATUSES))
    return world


def happen(draw: st.DrawFn, world: World, event: str) -> None:
    """One event; nothing where it cannot happen."""
    name, since = draw(st.sampled_from(NAMES)), AT + SECOND * draw(st.integers(1, 3))
    created, keys = world.users.get(name, (None, {}))
    chosen = draw(st.sampled_from(sorted(keys))) if keys else ""
    if event == "root key":
        world.root = 1
    elif created is None:
        if event in ("make user", "unseen user"):
            world.users[name] = (since if event == "make user" else TIMES[0], {})
    elif event == "make user again":
        world.users[name] = (since, {})
    elif event == "delete user":
        del world.users[name]
    elif event == "other date":
        world.users[name] = (created - SECOND, keys)
    elif event in ("make key", "unseen key") and len(keys) < 2:
        world.make_key(name, since if event == "make key" else draw(st.sampled_from(TIMES)), draw(STATUSES))
    elif chosen and event == "delete key":
        del keys[chosen]
    elif chosen and event == "flip":
        keys[chosen] = (keys[chosen][0], "Inactive" if keys[chosen][1] == "Active" else "Active")


def naively(before: World, after: World) -> str:
    """What must be concluded, user by user; INSUFFICIENT_DATA stands for anything but COMPLIANT."""
    is_over, is_proved = bool(after.root), True
    for name, (created, keys_now) in after.users.items():
        created_then, keys_then = before.users.get(name, (None, {}))
        if created > AT:
            keys_then = {}
        elif created != created_then:
            is_proved = False
        listed = [(made, status) for made, status in keys_now.values() if made <= AT]
        is_proved &= Counter(keys_then.values()) == Counter(listed)
        is_over |= any(s == "Active" and NOW - made > LIMIT for made, s in [*keys_then.values(), *listed])
    return FAILS if is_over else PASSES if is_proved else INSUFFICIENT


@examples(200)
@given(st.data())
def test_whatever_happens_after_the_report_a_naive_judge_agrees(judged, age, data):
    before = data.draw(worlds())
    after = copy.deepcopy(before)
    events = data.draw(st.lists(st.sampled_from(EVENTS), max_size=3))
    for event in events:
        happen(data.draw, after, event)
    audit = judged(before.text(), after.inventory(before, data.draw(st.booleans())), age)
    expected, told = naively(before, after), (events, before.users, after.users, found(audit))
    assert audit.conclusion in ({INSUFFICIENT, FAILS} if expected == INSUFFICIENT else {expected}), told
    is_proved = all(one.is_explained for _, one in audit.differences)
    assert outcome(audit) == ("proved" if is_proved else "unproved"), told
    assert is_proved or audit.conclusion != PASSES, told
    gone = before.users.keys() - after.users.keys()
    assert {f"user_deleted {name}" for name in gone} <= set(found(audit)), told


@examples(100)
@given(st.data())
def test_what_is_made_since_changes_nothing_and_a_report_that_is_confirmed_is_judged_as_it_is(judged, age, data):
    before = data.draw(worlds())
    after = copy.deepcopy(before)
    for event in data.draw(st.lists(st.sampled_from(MADE), max_size=2)):
        happen(data.draw, after, event)
    audit = judged(before.text(), after.inventory(before, data.draw(st.booleans())), age)
    bare = judged(before.text(), {"mode": "off"}, age, asked="off")
    assert (audit.conclusion, audit.tallies, outcome(audit)) == (bare.conclusion, bare.tallies, "proved")
    same = [one.findings.drop(columns="access_key_id").astype(object).to_csv() for one in (audit, bare)]
    assert same[0] == same[1]
    for user, slot, one in zip(audit.keys["user"], audit.keys["key_slot"], ids(audit), strict=True):
        keys = before.users[user][1]
        has_twin = len(set(keys.values())) < len(keys)
        assert one == (None if has_twin else masked(list(keys)[slot - 1])), before.users


# --- inventories that no capture writes ---------------------------------------------------------------------------
CLEAN, CLEAN_LIVE = report(("alice", FRESH), ("bob",)), live(("alice", A_FRESH), ("bob",))
FAR = "2099-01-01T00:00:00Z"


def changed(*path: Any, to: Any) -> dict[str, Any]:
    """The clean inventory with one value replaced, or left out (``...``)."""
    inventory = place = copy.deepcopy(CLEAN_LIVE)
    for step in path[:-1]:
        place = place[step]
    if to is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return inventory


def with_user(*user: str, **parts: Any) -> dict[str, Any]:
    return live(("alice", A_FRESH), ("bob",), user, **parts)


def with_date(date: str) -> dict[str, Any]:
    return changed("access_keys", "alice", 0, "CreateDate", to=date)


def described(**purposes: Any) -> dict[str, Any]:
    """The clean inventory with what alice's keys are said to be for, by their names."""
    told = {key_id(name): text for name, text in purposes.items()}
    return CLEAN_LIVE | {"purposes": {"alice": told}}


ODD = {
    "an empty object": {},
    "an unknown mode": {"mode": "xyz"},
    "a mode that is a list": {"mode": ["keys"]},
    "keys without lists": {"mode": "keys", "summary": totals(2)},
    "totals without a summary": {"mode": "totals"},
    "totals of null": {"mode": "totals", "summary": None},
    "a user whose keys were not listed": changed("access_keys", "bob", to=...),
    "a user twice, and so counted": changed("users", to=[*CLEAN_LIVE["users"], live_user("bob")])
    | {"summary": totals(3)},
    "a user twice in place of another": changed("users", to=[live_user("alice")] * 2),
    "keys of a user that is nowhere": changed(
        "access_keys", "mallory", to=[live_key("mallory", f"M1 Active {MAY}")]
    ),
    "a key of the far future": changed("access_keys", "bob", to=[live_key("bob", f"B1 Active {FAR}")]),
    "a user of the far future": with_user("new", created={"new": FAR}),
    "a user made again in the far future": live(("alice",), ("bob",), created={"alice": FAR}),
    "users of another account": changed("users", to=[live_user(name, account=OTHER) for name in ("alice", "bob")]),
    "another account's, of the same names": live(("alice", f"Z1 Active {NOV}"), ("bob",), created={"alice": MAY}),
    "another account's": live(("dave", f"Z1 Active {NOV}")),
    "ten keys of a user": changed(
        "access_keys", "bob", to=[live_key("bob", f"B{n} Active {NOV}") for n in range(10)]
    ),
    "the same key twice": changed("access_keys", "alice", to=[live_key("alice", A_FRESH)] * 2),
    "a user gone that has keys": changed("gone", to=["alice"]),
    "gone is a word": live(("a", A_FRESH), ("bob",)) | {"gone": "a"},
    "a date without a zone": with_date("2026-11-01T00:00:00"),
    "a date with an offset": with_date("2026-11-01T00:00:00+00:00"),
    "a date of two zones": with_date("2026-11-01T00:00+09Z"),
    "a date of the year 9999": with_date("9999-12-31T23:59:59Z"),
    "a date of the year 1": with_date("0001-01-01T00:00:00Z"),
    "a date before Christ": with_date("-002026-11-01T00:00Z"),
    "a purpose of no key": described(Z9="nightly"),
    "a purpose of another user's key": live(
        ("alice", A_FRESH), ("bob",), purposes={"bob": {key_id("A1"): "nightly"}}
    ),
    "a purpose without keys": {"mode": "off"} | {"purposes": {"alice": {key_id("A1"): "nightly"}}},
    "a purpose longer than is kept": described(A1="x" * 121),
    "an empty purpose": described(A1=""),
    "a purpose of nothing but spaces": described(A1="  "),
    "a purpose that is a number": described(A1=7),
    "purposes in a list": live(("alice", A_FRESH), ("bob",), purposes=[["alice", "nightly"]]),
    "a huge name": with_user("x" * 100_000),
    "a name of signs": with_user("\x1b[31m\u202e漢字🙂", f"Z1 Active {MAY}"),
    "a name that is no text": with_user("\ud800"),
    "a name that is no text, with a key": with_user("\ud800", f"Z1 Active {MAY}"),
    "no name": with_user("", f"Z1 Active {MAY}"),
    "infinitely many users": changed("summary", "Users", to=float("inf")),
    "too many users to write": changed("summary", "Users", to=10**4000),
    "no object": [],
    "no JSON": b"{",
    "no bytes": b"",
    "deep": b'{"mode": "keys", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "no UTF-8": b'{"mode": "\xff"}',
}


@pytest.mark.parametrize("name", ODD)
def test_an_inventory_that_no_capture_writes_is_never_compliant_and_never_a_crash(judged, tmp_path, name):
    audit = judged(report(("a", FRESH), ("bob",)) if name == "gone is a word" else CLEAN, ODD[name])
    text = everything(audit)
    assert audit.conclusion != PASSES
    assert str(tmp_path) not in text  # evidence is judged elsewhere, and must say the same


JUNK = (None, True, 0, -1, 1.5, float("inf"), "", "x", "\ud800", [], {}, [[]], ["x"], {"x": None}, ...)
WITH_OWNERS = CLEAN_LIVE | {"owners": {"alice": {"owner": "pay", "administrator": True}}}
#: what of an inventory is not compared
UNCOMPARED = {"taken_time", "UsersQuota", "UserId", "Arn", "AccessKeyId", "owners"}


def places(value: Any, path: tuple = ()) -> list[tuple]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for step, one in inside for found in [(*path, step), *places(one, (*path, step))]]


@pytest.mark.sampled(11)
@pytest.mark.parametrize("place", places(WITH_OWNERS), ids=lambda place: ".".join(map(str, place)))
def test_no_single_value_of_an_inventory_can_be_replaced_or_lost_and_leave_it_compliant(judged, place):
    uncompared = UNCOMPARED & set(place) or (place[0], place[-1]) == ("access_keys", "UserName")
    compliant, crashes = [], []
    for junk in JUNK if IS_NIGHTLY else JUNK[sum(map(len, map(str, place))) % 3 :: 3]:
        inventory = inner = copy.deepcopy(WITH_OWNERS)
        for step in place[:-1]:
            inner = inner[step]
        if repr(junk) == repr(inner[place[-1]]):
            continue
        if junk is ...:
            del inner[place[-1]]
        else:
            inner[place[-1]] = junk
        try:
            audit = judged(CLEAN, inventory)
            everything(audit)
        except Exception as error:
            crashes.append((junk, repr(error)))
        else:
            compliant += [junk] if audit.conclusion == PASSES and not uncompared else []
    assert (compliant, crashes) == ([], [])


@pytest.mark.parametrize(
    "name",
    [
        "deep",
        "infinitely many users",
        "a name that is no text, with a key",
        "a date of two zones",
        "an unknown mode",
    ],
)
def test_the_command_says_of_an_odd_inventory_that_data_are_insufficient(tmp_path, name):
    done = command("check", captured(tmp_path / "capture", CLEAN, ODD[name]), "--policy", "cis", "--as-of", AS_OF)
    assert (done.returncode, done.stderr) in ((1, b""), (3, b""))


# --- captures that were changed, and not sealed again as a whole --------------------------------------------------
#: a report that hides the second key of alice, and what the account tells of it
HIDING, TELLING = report(("alice", FRESH)), live(("alice", A_FRESH, f"A2 Active {MAY}"))
OFF = b'{"mode": "off"}'
TOTALS = json.dumps({"mode": "totals", "summary": totals(1)}).encode()
#: what an auditee might do -> the inventory (... gone, None as it was), and the facts of capture.json
EDITS: dict[str, tuple[Any, dict[str, Any]]] = {
    "the inventory is gone": (..., {}),
    "and its hash": (..., {"inventory_sha256": ...}),
    "its hash is null": (None, {"inventory_sha256": None}),
    "and all that was asked of the account": (..., {"inventory_sha256": ..., "asked": ...}),
    "nothing was asked of the account": (
        ...,
        {"inventory_sha256": ..., "asked": {"reconcile": "off", "owner_tag": None}},
    ),
    "the inventory was changed": (json.dumps(live(("alice", A_FRESH))).encode(), {}),
    "nothing is in the inventory": (OFF, {"inventory_sha256": sha256(OFF)}),
    "only totals are in the inventory": (TOTALS, {"inventory_sha256": sha256(TOTALS)}),
}


def edited(folder: Path, edit: str) -> Path:
    captured(folder, HIDING, TELLING)
    inventory, facts = EDITS[edit]
    path = folder / ACCOUNT / "capture.json"
    known = json.loads(path.read_bytes()) | facts
    path.write_text(json.dumps({name: value for name, value in known.items() if value is not ...}))
    if inventory is ...:
        (folder / ACCOUNT / "inventory.json").unlink()
    elif inventory:
        write(folder / ACCOUNT, "inventory.json", inventory)
    return folder


def test_a_key_that_a_report_hides_is_found(judged):
    assert judged(HIDING, TELLING).conclusion == FAILS


@pytest.mark.parametrize("edit", EDITS)
def test_differences_do_not_vanish_with_the_inventory(tmp_path, edit):
    audit = keyaudit.audit(edited(tmp_path / "capture", edit), "cis", AS_OF)
    assert audit.conclusion == INSUFFICIENT and str(tmp_path) not in everything(audit)


@pytest.mark.parametrize("edit", ["the inventory is gone", "and its hash", "the inventory was changed"])
def test_the_command_notices_an_inventory_that_is_gone_or_changed(tmp_path, edit):
    done = command("check", edited(tmp_path / "capture", edit), "--policy", "cis", "--as-of", AS_OF)
    assert (done.returncode, done.stderr) == (3, b"")


@pytest.mark.parametrize("problems", [[], ...])
def test_a_capture_that_says_that_it_is_not_complete_is_believed_without_its_problems(judged, problems):
    assert judged(CLEAN, CLEAN_LIVE, complete=False, problems=problems).conclusion == INSUFFICIENT


def test_a_report_that_was_changed_is_noticed_also_where_its_hash_was_taken_out(judged):
    """Nothing of the live account tells of the last use, so that only the hash does."""
    asleep, awake = (report(("alice", f"true {day} {day}")) for day in ("2026-09-01T00:00:00Z", NOV))
    awake = awake.replace(f"true,{NOV}", "true,2026-09-01T00:00:00Z")
    inventory = live(("alice", "A1 Active 2026-09-01T00:00:00Z"))
    assert judged(asleep, inventory).conclusion == FAILS
    assert judged(awake, inventory, sha256=sha256(asleep.encode())).conclusion == INSUFFICIENT
    assert judged(awake, inventory, sha256=...).conclusion == INSUFFICIENT


def test_a_generated_time_before_what_the_report_tells_of_explains_nothing(judged):
    """The report tells of a use at noon: it was generated no earlier, whatever capture.json says by now."""
    text = report(("alice", f"true {NOV} 2026-11-22T12:00:00Z"), ("bob",))
    inventory = live(("alice", A_FRESH), ("bob", "B1 Active 2026-11-22T11:00:00Z"))
    for generated in (G, "2026-11-22T10:00:00Z"):
        assert judged(text, inventory, generated_time=generated).conclusion == INSUFFICIENT


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"account_id": OTHER},
        {"account_id": None},
        {"received_time": ...},
        {"sha256": ...},
        {"inventory_sha256": None},
        {"source": ..., "inventory_sha256": ...},
        {"received_time": ..., "sha256": ..., "complete": False},
    ],
)
def test_evidence_is_verified_with_the_inventory_that_it_was_judged_by(tmp_path, facts):
    """Also where the capture was asked of another account than its report is of, or lost a fact."""
    folder = captured(tmp_path / "capture", report(("alice", FRESH)), live(("alice", A_FRESH)), **facts)
    done = command(*report_on(tmp_path / "reports", folder))
    assert done.returncode in (0, 3), done.stderr
    (evidence,) = (path for path in (tmp_path / "reports").iterdir() if path.is_dir())
    assert verified(evidence)[0] == 0
    # what capture.json has no digest of may be anything, and is not copied; nor is what stands beside no report
    is_known = facts.get("inventory_sha256", "") == "" and "sha256" not in facts
    assert (evidence / "raw" / ACCOUNT / "inventory.json").is_file() is is_known


# --- owners and administrators ------------------------------------------------------------------------------------
OWNERS = {
    "alice": {"owner": None, "administrator": False},
    "bob": {"owner": "payments", "administrator": True},
}


def test_owner_and_administrator_reach_keys_and_findings(judged):
    text = report(("alice", FRESH), ("bob", FRESH), ("carol", FRESH), root=(FRESH,))
    inventory = live(("alice", A_FRESH), ("bob", f"B1 Active {NOV}"), K, root=1, owners=OWNERS)
    audit = judged(text, inventory)
    rotation = audit.findings[audit.findings["control"] == "rotation"].set_index("user")
    assert rotation["owner"].dropna().to_dict() == {"bob": "payments"}
    assert rotation["administrator"].dropna().to_dict() == {"alice": False, "bob": True, ROOT: True}
    assert audit.keys.set_index("user")["owner"].dropna().to_dict() == {"bob": "payments"}


def test_a_key_that_the_report_lacks_has_its_owner_too(judged):
    audit = judged(report(("bob",)), live(("bob", f"B1 Active {MAY}"), owners=OWNERS))
    one = audit.findings[audit.findings["access_key_id"] == masked("B1")].iloc[0]
    assert (one["owner"], one["administrator"]) == ("payments", True)


@pytest.mark.parametrize(("found", "order"), [({}, ["alice", "bob"]), ({"owners": OWNERS}, ["bob", "alice"])])
def test_administrators_come_first_within_a_control_whatever_the_age(judged, found, order):
    text = report(("alice", OLD), ("bob", f"true {MAY} 2026-11-20T00:00:00Z"))
    audit = judged(text, live(("alice", AN_OLD), ("bob", f"B1 Active {MAY}"), **found))
    assert list(audit.findings[audit.findings["control"] == "rotation"]["user"]) == order


def test_of_the_worst_findings_an_administrators_are_kept_first(tmp_path):
    text = report(("alice", OLD), ("bob", f"true {MAY} 2026-11-20T00:00:00Z"))
    folder = captured(tmp_path, text, live(("alice", AN_OLD), ("bob", f"B1 Active {MAY}"), owners=OWNERS))
    for kept in (1, 2):
        found = keyaudit.audit(folder, "cis", AS_OF, keep=kept).findings
        assert list(found[found["control"] == "rotation"]["user"]) == ["bob", "alice"][:kept]


@pytest.mark.parametrize("owners", [{}, OWNERS])
def test_the_root_user_is_an_administrator_wherever_owners_were_asked_for(judged, owners):
    audit = judged(report(root=(OLD,)), live(root=1, owners=owners))
    assert audit.keys.set_index("user")["administrator"].to_dict() == {ROOT: True}


def test_no_owner_is_known_where_nobody_asked(judged):
    audit = judged(report(("alice", FRESH), root=(FRESH,)), live(("alice", A_FRESH), root=1))
    assert audit.keys["owner"].isna().all() and audit.keys["administrator"].isna().all()


# --- purposes -----------------------------------------------------------------------------------------------------


def test_a_purpose_reaches_the_key_with_its_id_and_no_other(judged):
    text = report(("alice", OLD), ("bob", FRESH))
    told = {"alice": {key_id("A1"): "nightly"}, "bob": {key_id("B2"): "of a key that the report lacks"}}
    keys = ("alice", AN_OLD), ("bob", f"B1 Active {NOV}", f"B2 Active {MAY}")
    audit = judged(text, live(*keys, purposes=told))
    shown = audit.keys.set_index("access_key_id")["purpose"].dropna().to_dict()
    assert shown == {masked("A1"): "nightly", masked("B2"): "of a key that the report lacks"}
    found = audit.findings[audit.findings["purpose"].notna()]
    assert set(zip(found["access_key_id"], found["purpose"], strict=True)) == set(shown.items())


def test_twins_that_cannot_be_told_apart_have_no_purpose(judged):
    told = {"alice": {key_id("A1"): "one", key_id("A2"): "the other"}}
    twins = report(("alice", FRESH, FRESH))
    audit = judged(twins, live(("alice", A_FRESH, f"A2 Active {NOV}"), purposes=told))
    assert audit.keys["access_key_id"].isna().all() and audit.keys["purpose"].isna().all()


def test_a_secret_that_somebody_put_into_a_capture_is_not_shown(judged):
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    audit = judged(CLEAN, described(A1=f"it is {secret}"))
    assert audit.conclusion == PASSES and secret not in everything(audit)
    assert audit.keys["purpose"].dropna().tolist() == [f"it is {keyaudit.texts.say('secret')}"]


def test_without_purposes_there_is_none(judged):
    assert judged(CLEAN, CLEAN_LIVE).keys["purpose"].isna().all()
