"""What is judged together does not matter: accounts in any parts give the same Audit, frame by frame."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
from conftest import ACCOUNT, AS_OF, HEADER, OTHER, csv_of, examples, row, write
from evidence_helpers import keyaudit
from generated import accounts, policies, toml
from hypothesis import given
from hypothesis import strategies as st
from make_reports import write_population

from keyaudit import sources
from keyaudit.auditing import WORTH_PROCESSES, parse_as_of, partitions
from keyaudit.auditing.fold import audit_of, fold
from keyaudit.auditing.partition import Terms, Unread, judge_accounts
from keyaudit.auditing.survey import survey
from keyaudit.model import ORGANIZATION, Audit, Population
from keyaudit.policy import load_policy
from keyaudit.schema import GIVEN

LABELS = (ACCOUNT, OTHER, "777788889999")
LACKING = ((), ("access_key_2_last_used_date", "mfa_active"), ("arn",))


def in_parts(population: Population, policy: Path, cuts: list[int], keep: int | None) -> Audit:
    """The Audit of a population whose accounts, one that is missing among them, are judged in these parts."""
    asked = [*survey(population), Unread("999988887777")]
    terms = Terms(load_policy(policy), parse_as_of(AS_OF), True, keep)
    parts = [asked[start:end] for start, end in zip([0, *cuts], [*cuts, len(asked)], strict=True) if start < end]
    found = fold([judge_accounts(part, terms) for part in parts], keep)
    return audit_of(found, terms.policy, terms.as_of, GIVEN, population, keep)


@given(
    each=st.lists(st.tuples(accounts(), st.sampled_from(LACKING)), min_size=3, max_size=3),
    terms=policies(),
    cuts=st.sets(st.integers(1, 3)),
    keep=st.sampled_from([None, 1, 3]),
)
@examples(100)
def test_accounts_in_any_parts_give_the_same_audit(tmp_path, each, terms, cuts, keep):
    for label, (rows, lacking) in zip(LABELS, each, strict=True):
        # a user of its own makes each report different from the others
        told = [{name: cell.replace(ACCOUNT, label) for name, cell in one.items()} for one in [*rows, row(label)]]
        write(tmp_path / "reports", f"{label}.csv", csv_of(told, [name for name in HEADER if name not in lacking]))
    policy = write(tmp_path, "policy.toml", toml(terms))
    population = sources.find(tmp_path / "reports")
    whole = in_parts(population, policy, [], keep)
    parts = in_parts(population, policy, sorted(cuts), keep)
    for name in ("users", "keys", "findings", "accounts"):
        pd.testing.assert_frame_equal(getattr(whole, name), getattr(parts, name))
    for name in ("conclusions", "tallies", "due_soon", "exemptions", "provenance", "problems", "warnings", "notes"):
        assert getattr(whole, name) == getattr(parts, name), name


def test_parts_are_cut_by_bytes_and_each_account_is_in_one(tmp_path):
    for label in LABELS:
        write(tmp_path, f"{label}.csv", csv_of([row("alice", account=label)]))
    asked = [replace(one, size=9_000_000) for one in survey(sources.find(tmp_path))]
    asked += [Unread(f"{number:012}") for number in range(20)]
    parts = partitions(asked)
    assert [one for part in parts for one in part] == asked
    assert [len(part) for part in parts] == [1, 1, 21]


def test_of_two_that_are_called_the_same_each_lacks_its_own_evidence():
    """An account that somebody expects under the name that stands for a list of accounts."""
    asked = [Unread(ORGANIZATION), Unread(ORGANIZATION, "the list ended early")]
    found = judge_accounts(asked, Terms(load_policy("cis"), parse_as_of(AS_OF), True))
    assert [one.conclusion for one in found.provenance] == ["INSUFFICIENT_DATA", "INSUFFICIENT_DATA"]
    assert [len(one.problems) for one in found.provenance] == [1, 1]


def test_the_verdict_is_the_same_by_however_many_processes(tmp_path: Path) -> None:
    folder = write_population(tmp_path / "many", WORTH_PROCESSES, 3)
    command = ("check", folder, "--policy", "cis", "-f", "json", "--as-of", AS_OF)
    told = [keyaudit(*command, *jobs) for jobs in ((), ("--jobs", 1), ("--jobs", 3))]
    assert len({(one.returncode, one.stdout, one.stderr) for one in told}) == 1
    assert len(json.loads(told[0].stdout)["accounts"]) == WORTH_PROCESSES
