"""A capture folder from somebody else: what it has no digest of, or is no plain file in it, is neither read nor
copied (DESIGN.md, "Capture folder"). A link there may lead to the credentials of whoever reads it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from conftest import ACCOUNT, AS_OF, FRESH, OTHER, report, write
from evidence_helpers import SECRET, digest, files, keyaudit, report_on

import keyaudit as ka
from keyaudit.schema import InputError

CLEAN = report(("alice", FRESH))
CREDENTIALS = f"[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {SECRET}\n"


@pytest.fixture
def secret(tmp_path) -> Path:
    """What the reader has and nobody else should."""
    return write(tmp_path / "home", "credentials", CREDENTIALS)


@pytest.fixture
def folder(tmp_path) -> Path:
    """A capture of one account, by hand, with the digest of its report."""
    facts = {
        "account_id": ACCOUNT,
        "source": "their report",
        "file": "credential-report.csv",
        "sha256": digest(CLEAN.encode()),
        "generated_time": AS_OF,
        "received_time": AS_OF,
    }
    folder = tmp_path / "capture"
    write(folder, "accounts.json", json.dumps({"expected": [ACCOUNT], "read_time": AS_OF}))
    write(folder / ACCOUNT, "capture.json", json.dumps(facts))
    write(folder / ACCOUNT, "credential-report.csv", CLEAN)
    return folder


def told(folder: Path, **facts: object) -> None:
    path = folder / ACCOUNT / "capture.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | facts))


def sealed(folder: Path, reports: Path) -> tuple[int, str, dict[str, bytes]]:
    """(exit code, stderr, every file that a report of it leaves behind), none of which holds the secret."""
    done = keyaudit(*report_on(reports, folder))
    kept = files(reports) if reports.exists() else {}
    assert not [name for name, content in kept.items() if SECRET.encode() in content]
    assert SECRET.encode() not in done.stdout + done.stderr
    assert not [path for path in reports.rglob("*") if path.is_symlink()]
    return done.returncode, done.stderr.decode(), kept


def link(place: Path, target: Path) -> None:
    place.unlink(missing_ok=True)
    place.symlink_to(target)


@pytest.mark.parametrize("name", ["inventory.json", "rotation.json", "credential-report.csv", "capture.json"])
def test_a_link_to_a_secret_is_refused_by_name(folder, secret, tmp_path, name):
    link(folder / ACCOUNT / name, secret)
    if name == "inventory.json":  # also where whoever made it knows what is in the secret
        told(folder, inventory_sha256=digest(secret.read_bytes()))
    code, said, kept = sealed(folder, tmp_path / "reports")
    assert code == 2 and f"{folder / ACCOUNT / name}: a link in a capture folder" in said and not kept


@pytest.mark.parametrize("name", ["inventory.json", "rotation.json", "credential-report.csv"])
def test_a_hard_link_to_a_secret_has_no_digest(folder, secret, tmp_path, name):
    """Which is what an archive can unpack; whoever made it does not know what is in the secret."""
    (folder / ACCOUNT / name).unlink(missing_ok=True)
    os.link(secret, folder / ACCOUNT / name)
    assert sealed(folder, tmp_path / "reports")[0] == (3 if name.endswith("csv") else 0)


@pytest.mark.parametrize("name", ["accounts.json", OTHER, "policy.toml", "notes.txt"])
def test_a_link_in_the_capture_folder_itself_is_refused_by_name(folder, secret, tmp_path, name):
    target = folder / ACCOUNT if name == OTHER else secret
    link(folder / name, target)
    code, said, kept = sealed(folder, tmp_path / "reports")
    assert code == 2 and f"{folder / name}: a link in a capture folder" in said and not kept


@pytest.mark.parametrize(
    "place",
    [f"{ACCOUNT}/inventory.json", f"{ACCOUNT}/credential-report.csv", f"{ACCOUNT}/capture.json", "accounts.json"],
)
def test_nobody_is_waited_for_at_the_other_end_of_a_pipe(folder, place):
    (folder / place).unlink(missing_ok=True)
    os.mkfifo(folder / place)
    with pytest.raises(InputError, match="a device or a pipe inside a folder"):
        ka.audit(folder, "cis", AS_OF)


def test_a_report_without_a_digest_is_no_evidence(folder):
    told(folder, sha256=None)
    judged = ka.audit(folder, "cis", AS_OF)
    assert judged.conclusion == "INSUFFICIENT_DATA" and len(judged.keys) == 0
    assert "capture.json has no digest of a report" in judged.problems[0].message


@pytest.mark.parametrize("file", [None, 3])
def test_a_capture_without_a_report_is_named_by_what_says_so(folder, file):
    told(folder, file=file, source="")
    (judged,) = ka.audit(folder, "cis", AS_OF).provenance
    assert judged.source == f"{ACCOUNT}/capture.json" and judged.conclusion == "INSUFFICIENT_DATA"


def test_a_document_is_parsed_from_the_bytes_that_were_hashed(folder, monkeypatch):
    """Read twice, it could be another the second time."""
    content = b'{"mode": "off"}'
    write(folder / ACCOUNT, "inventory.json", content)
    told(folder, inventory_sha256=digest(content))
    opened = []
    real = os.open
    monkeypatch.setattr(
        os, "open", lambda path, *more, **named: opened.append(str(path)) or real(path, *more, **named)
    )
    ka.audit(folder, "cis", AS_OF)
    assert sum(path.endswith("inventory.json") for path in opened) == 1


def test_links_in_a_plain_folder_of_reports_are_followed(tmp_path):
    write(tmp_path, "report.csv", CLEAN)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "linked.csv").symlink_to(tmp_path / "report.csv")
    assert len(ka.audit(tmp_path / "reports", "cis", AS_OF).keys) == 1


def test_a_named_folder_may_be_reached_by_a_link(folder, tmp_path):
    (tmp_path / "latest").symlink_to(folder)
    assert ka.audit(tmp_path / "latest", "cis", AS_OF).conclusion == "COMPLIANT"


def test_a_link_is_refused_also_where_the_word_of_the_capture_is_that_it_is_the_sample(folder, secret):
    """A sample has a policy of its own."""
    write(folder, "accounts.json", json.dumps({"expected": [ACCOUNT], "read_time": AS_OF, "sample": True}))
    link(folder / "policy.toml", secret)
    with pytest.raises(InputError, match="a link in a capture folder"):
        ka.audit(folder, "", AS_OF)
