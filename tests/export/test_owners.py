"""Lists for owners: each gets its own keys and no others, as a table that nothing runs and a mail that is not sent."""

from __future__ import annotations

import csv
import io
from email import policy as rules
from email.parser import BytesParser

import pytest
from conftest import FRESH, report
from handing import NAME, SEAL, proved, renamed
from hypothesis import given
from hypothesis import strategies as st

from keyaudit.export.owner_lists import COLUMNS, UNOWNED, made, names
from keyaudit.present import headline

USERS = ("alice", "bob", "carol", "dave", "erin")
OWNERS = {
    "alice": "team@example.com",
    "bob": "=HYPERLINK(1)",
    "carol": "Team@Example.com",
    "dave": "../../etc/passwd\r\nBcc: x@example.com",
}
AGED = "true 2026-08-01T00:00:00Z 2026-11-20T00:00:00Z"


@pytest.fixture
def owned(judge):
    return proved(renamed(judge(report(*((user, AGED) for user in USERS), ("fine", FRESH))), owner=OWNERS))


def rows(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def read(content: bytes):
    return BytesParser(policy=rules.default).parsebytes(content)


def test_each_owner_has_a_list_of_its_own_keys(owned):
    files = made(owned).content
    lists = {name: rows(content) for name, content in files.items() if name.endswith(".csv")}
    assert {name.removesuffix(".csv") for name in lists} == {
        name.removesuffix(".eml") for name in files if name.endswith(".eml")
    }
    assert len(lists) == 5
    assert sorted(one["user"] for rows_ in lists.values() for one in rows_) == list(USERS)
    assert [one["user"] for one in lists[f"{UNOWNED}.csv"]] == ["erin"]
    (bob,) = [one for told in lists.values() for one in told if one["user"] == "bob"]
    assert list(bob) == list(COLUMNS)
    assert bob["owner"] == "'=HYPERLINK(1)"
    assert (bob["age_days"], bob["days_over"], bob["by_when"]) == ("114", "24", "now")


def test_the_mail_is_a_draft_to_the_owner_with_the_list_attached(owned):
    files = made(owned).content
    (name,) = [one for one in files if one.lower().startswith("team@example.com") and b"To: team@" in files[one]]
    mail = read(files[name])
    assert (mail["To"], mail["X-Unsent"], mail["From"]) == ("team@example.com", "1", None)
    assert mail["Date"] == "Mon, 23 Nov 2026 00:00:00 +0000"
    assert mail["Message-ID"].endswith("@keyaudit.invalid>")
    body = mail.get_body().get_content()
    assert headline(owned.audit) in body
    assert "user alice" in body and "bob" not in body.replace("NON_COMPLIANT", "")
    assert "fetch a new report" in body and NAME in body and SEAL in body and "by when: now" in body
    (attached,) = mail.iter_attachments()
    assert attached.get_filename() == name.replace(".eml", ".csv")
    assert attached.get_payload(decode=True) == files[name.replace(".eml", ".csv")]
    assert b"\r\n" in files[name] and b"\n" not in files[name].replace(b"\r\n", b"")
    assert all(len(line) <= 998 for line in files[name].split(b"\r\n"))


def test_what_is_no_address_is_no_recipient_and_that_is_said(owned):
    found = made(owned)
    mails = [read(content) for name, content in found.content.items() if name.endswith(".eml")]
    assert sorted(str(one["To"]) for one in mails) == [
        "None",
        "None",
        "None",
        "Team@Example.com",
        "team@example.com",
    ]
    assert not any(one["Bcc"] for one in mails)
    assert found.remarks[0] == f"of 1 task no owner is known: it is in {UNOWNED}.csv"
    assert "2 owners" in found.remarks[1] and "=HYPERLINK(1)" in found.remarks[1] and "\n" not in found.remarks[1]


def test_the_same_evidence_gives_the_same_bytes(owned):
    assert made(owned) == made(owned)


def test_nothing_to_do_gives_no_list(judge):
    found = made(proved(judge(report(("fine", FRESH)))))
    assert found.content is None and "no list" in found.remarks[0]


@given(st.lists(st.text(max_size=90), unique=True, max_size=8))
def test_files_of_owners_are_safe_and_no_two_are_one(owners):
    found = names([*owners, None])
    assert found[None] == UNOWNED
    assert len({name.casefold() for name in found.values()}) == len(owners) + 1
    for name in found.values():
        assert name and not name.startswith((".", "-")) and not set(name) & set('/\\:*?"<>|\r\n\0')
        assert len(f"{name}.csv".encode()) <= 255 and name.isprintable()


@pytest.mark.parametrize(
    "owner", ["con", "NUL.txt", "..", ".ssh", "a/b", "unowned", "x " * 100, "한글", "trailing."]
)
def test_a_name_that_had_to_be_changed_ends_with_a_digest(owner):
    name = names([owner])[owner]
    assert name != owner or owner == "한글"
    assert name.split(".")[0].lower() not in ("con", "nul", "unowned")
