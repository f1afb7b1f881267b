"""``--bom``: CSV on stdout that Excel reads as UTF-8, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import AS_OF, OLD, report, write
from evidence_helpers import failing, keyaudit, refused

BOM = b"\xef\xbb\xbf"


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("bom"), "report.csv", report(("bob", OLD)))


@pytest.mark.parametrize("command", [("check",), ("rotation", "plan")])
def test_a_mark_is_before_the_csv_and_nothing_else_changes(command, source):
    words = [*command, source, "--policy", "cis", "--as-of", AS_OF]
    plain, marked = (keyaudit(*words, "-f", "csv", *more) for more in ((), ("--bom",)))
    assert marked.stdout == BOM + plain.stdout and plain.stdout[:3] != BOM
    assert (marked.returncode, marked.stderr) == (plain.returncode, plain.stderr)
    for form in ("table", "json"):
        assert "--bom: only with -f csv" in refused(keyaudit(*words, "-f", form, "--bom"), 2)


def test_a_series_has_it_too(tmp_path_factory):
    words = ["series", failing(tmp_path_factory).parent, "--every", "3650d"]
    plain, marked = (keyaudit(*words, "-f", "csv", *more).stdout for more in ((), ("--bom",)))
    assert marked == BOM + plain
    assert "--bom: only with -f csv" in refused(keyaudit(*words, "--bom"), 2)


def test_what_marked_csv_says_can_be_deployed(source, tmp_path):
    words = ["rotation", "plan", source, "--policy", "cis", "--as-of", AS_OF, "-f", "csv", "--bom"]
    users = write(tmp_path, "plan.csv", keyaudit(*words).stdout)
    done = keyaudit("rotation", "template", "--users", users, "--every", "30")
    assert b"byte order" not in done.stderr and b"columns" not in done.stderr, done.stderr
