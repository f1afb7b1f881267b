"""What changed between two judgements."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ACCOUNT, OTHER, capture, key, report
from evidence_helpers import BRIEF
from evidence_helpers import keyaudit as command

import keyaudit
from keyaudit.changed import Change, changes
from keyaudit.schema import InputError

BEFORE, AFTER = "2026-11-23T00:00:00Z", "2026-11-23T12:00:00Z"


def audits(tmp_path: Path, before: str, after: str) -> tuple[keyaudit.Audit, keyaudit.Audit]:
    found = []
    for name, text, as_of in (("before", before, BEFORE), ("after", after, AFTER)):
        path = tmp_path / f"{name}.csv"
        path.write_text(text)
        found.append(keyaudit.audit(str(path), "cis", as_of))
    return found[0], found[1]


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ((key(100),), (key(100),), []),
        ((key(100),), (key(100, active=False), key(0.5)), [("rotated", True, False), ("deactivated", True, False)]),
        ((key(100),), (key(0.5),), [("rotated", True, False)]),
        ((key(100), key(50)), (key(100), key(0.5)), [("rotated", True, False)]),
        ((key(100), key(50)), (key(0.5),), [("rotated", True, False), ("gone", False, False)]),
        ((key(100), key(50)), (key(0.5), key(0.4)), [("rotated", True, False), ("rotated", True, False)]),
        ((key(100),), (key(100), key(0.5)), [("rotated", True, False)]),
        ((), (key(0.5),), [("new", False, False)]),
        ((key(100, active=False),), (key(100, active=False), key(0.5)), [("new", False, False)]),
        ((key(100),), (), [("gone", True, False)]),
        ((key(90),), (key(90),), [("became_overdue", False, True)]),
        ((key(100, active=False),), (key(100),), [("activated", False, True)]),
        ((key(20), key(100)), (key(100), key(20)), []),
    ],
)
def test_what_happened_to_a_key_is_told_by_its_time_of_creation(
    tmp_path: Path, before: tuple[str, ...], after: tuple[str, ...], kinds: list[tuple[str, bool, bool]]
) -> None:
    found = changes(*audits(tmp_path, report(("alice", *before)), report(("alice", *after))))
    assert [(one.kind, one.was_overdue, one.is_overdue) for one in found] == kinds


def test_an_account_that_only_one_of_them_read_is_left_out(tmp_path: Path) -> None:
    one = capture(tmp_path / "one", [ACCOUNT], a111122223333=report(("alice", key(5))))
    two = capture(
        tmp_path / "two",
        [ACCOUNT, OTHER],
        a111122223333=report(("alice", key(5))),
        **{f"a{OTHER}": report(("bob", key(5)), account=OTHER)},
    )
    pair = (keyaudit.audit(str(one), "cis", BEFORE), keyaudit.audit(str(two), "cis", AFTER))
    assert changes(*pair) == ()


def test_the_earlier_must_come_first(tmp_path: Path) -> None:
    before, after = audits(tmp_path, report(("alice", key(5))), report(("alice", key(5))))
    with pytest.raises(InputError, match="earlier evidence must come first"):
        changes(after, before)


def test_a_change_names_account_user_and_both_times(tmp_path: Path) -> None:
    (found,) = changes(*audits(tmp_path, report(("alice", key(100))), report(("alice", key(100), key(0.5)))))
    assert isinstance(found, Change) and (found.account_id, found.user) == (ACCOUNT, "alice")
    assert found.before and found.after and found.after > found.before


# --- in evidence ----------------------------------------------------------------------------------------------------------
def test_evidence_holds_what_it_was_compared_with(tmp_path: Path) -> None:
    for name, text in (("before", report(("alice", key(100)))), ("after", report(("alice", key(100), key(0.5))))):
        (tmp_path / f"{name}.csv").write_text(text)
    first = command(
        "report", tmp_path / "before.csv", "--policy", "cis", "--as-of", BEFORE, "-o", tmp_path / "r", *BRIEF
    )
    before = first.stdout.decode().strip()
    options = ("--policy", "cis", "--as-of", AFTER, "-o", tmp_path / "r", "--notebook", "rotation")
    done = command("report", tmp_path / "after.csv", *options, "--before", before)
    assert done.returncode == 1, done.stderr
    folder = Path(done.stdout.decode().strip())
    original = Path(before, "raw", ACCOUNT, "credential-report.csv").read_bytes()
    kept = folder / "before" / ACCOUNT / "credential-report.csv"
    assert kept.read_bytes() == original and "rotated" in (folder / "report.html").read_text()
    assert command("verify", folder).returncode == 0
    kept.write_bytes(original + b"\n")
    assert command("verify", folder).returncode == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--before", "none"), "no such file"),
        (("--before", "after.csv", "--notebook", "key_rotation"), "no such evidence folder"),
        (("-p", "before", "after.csv"), "--before"),
    ],
)
def test_a_mistake_in_what_came_before_is_exit_2(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    (tmp_path / "after.csv").write_text(report(("alice", key(5))))
    words = ("report", "after.csv", "--policy", "cis", "--as-of", AFTER, "--notebook", "rotation", *options)
    done = command(*words, cwd=tmp_path)
    assert (done.returncode, said in done.stderr.decode()) == (2, True), done.stderr
    assert not (tmp_path / "reports").exists()
