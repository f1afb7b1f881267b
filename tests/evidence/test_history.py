"""An evidence folder, looked at: what it says of its keys, or what is wrong with it."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import ACCOUNT, OTHER, write
from evidence_helpers import failing, manifest, seal_again

from keyaudit.evidence.ledger import entry
from keyaudit.evidence.reports import look
from keyaudit.policy import parse_policy
from keyaudit.schema import COMPLIANT, INSUFFICIENT_DATA, NON_COMPLIANT

#: evidence of one account, by 0.3.0
EARLY = Path(__file__).parents[1] / "data/evidence/0.3.0/2026-11-23T080000Z-key_rotation-sample"


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


def test_a_folder_of_a_later_version_is_a_fault_and_says_nothing(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    folder = shutil.copytree(failing(tmp_path_factory), tmp_path / "later")
    seal_again(folder, rules=99)
    seen = look(entry(folder))
    assert seen.snapshot is None and len(seen.faults) == 1 and "upgrade" in seen.faults[0]


@pytest.mark.parametrize(
    ("told", "incomplete"),
    [
        ({"conclusion": COMPLIANT}, 0),
        ({"conclusion": NON_COMPLIANT}, 0),
        ({"conclusion": INSUFFICIENT_DATA}, 1),
        # of several accounts it does not follow, and a manifest of today says it
        ({"conclusion": INSUFFICIENT_DATA, "accounts": {"expected": [ACCOUNT, OTHER], "failed": []}}, None),
        ({"conclusion": COMPLIANT, "incomplete": 3}, 3),
    ],
)
def test_how_many_accounts_were_incomplete_follows_in_early_evidence_of_one_account(
    tmp_path: Path, told: dict[str, object], incomplete: int | None
) -> None:
    folder = shutil.copytree(EARLY, tmp_path / "early")
    write(folder, "manifest.json", json.dumps(manifest(folder) | told))
    assert entry(folder).incomplete == incomplete


def test_a_folder_with_a_fault_says_nothing(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    folder = shutil.copytree(failing(tmp_path_factory), tmp_path / "changed")
    one = entry(folder)
    (folder / "findings.csv").write_text("changed", encoding="utf-8")
    seen = look(one)
    assert seen.snapshot is None and any("findings.csv" in fault for fault in seen.faults)
