"""An evidence folder, looked at: what it says of its keys, or what is wrong with it."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import ACCOUNT
from evidence_helpers import failing

from keyaudit.evidence.ledger import entry
from keyaudit.evidence.reports import look
from keyaudit.policy import parse_policy
from keyaudit.schema import COMPLIANT, NON_COMPLIANT


def test_a_folder_says_what_its_evidence_gives(tmp_path_factory: pytest.TempPathFactory) -> None:
    one = entry(failing(tmp_path_factory))
    seen = look(one)
    assert seen.faults == () and seen.snapshot is not None
    found = seen.snapshot
    assert (found.subject, found.folder, found.as_of, found.conclusion) == (
        ACCOUNT, one.path.name, one.as_of, NON_COMPLIANT,
    )  # fmt: skip
    assert [(each.account, each.is_read, each.is_whole) for each in found.accounts] == [(ACCOUNT, True, True)]
    assert [(each.user, each.created, each.is_active, each.is_root) for each in found.keys] == [
        ("alice", datetime(2026, 11, 1, tzinfo=UTC), True, False),
        ("bob", datetime(2026, 3, 1, tzinfo=UTC), True, False),
        ("legacy-etl", datetime(2026, 3, 1, tzinfo=UTC), True, False),
    ]
    # another policy changes the conclusion, and not the policy that was sealed
    loose = parse_policy(b'title = "loose"\nmax_access_key_age = 3650\n', "loose.toml")
    given = look(one, loose).snapshot
    assert given is not None and (given.conclusion, given.policy.name) == (COMPLIANT, "policy.toml")


def test_a_folder_with_a_fault_says_nothing(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    folder = shutil.copytree(failing(tmp_path_factory), tmp_path / "changed")
    one = entry(folder)
    (folder / "findings.csv").write_text("changed", encoding="utf-8")
    seen = look(one)
    assert seen.snapshot is None and any("findings.csv" in fault for fault in seen.faults)
