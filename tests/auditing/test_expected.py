"""Which accounts are expected, whose keys a policy means, and what of a folder is read: nothing is left out unsaid."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import ACCOUNT, AS_OF, FRESH, OLD, OTHER, ROOT, capture, csv_of, report, row, said, verdicts, write
from evidence_helpers import BRIEF, LONG, made
from evidence_helpers import keyaudit as command

import keyaudit
from keyaudit import InputError
from keyaudit.evidence.verify import verify
from keyaudit.schedule.due import content, contents
from keyaudit.sources import content_digest

CASES = Path(__file__).parents[1] / "data" / "cases" / "population"
THIRD = "777788889999"
GOOD = report(("bob", FRESH))


# --- expected accounts ----------------------------------------------------------------------------------------
def organization(folder: Path, *listed: dict[str, Any], **facts: Any) -> Path:
    """A capture of ACCOUNT, with what AWS listed besides."""
    made_of = capture(folder, [ACCOUNT], a111122223333=GOOD)
    told = {"expected": [ACCOUNT], "listed": [{"Id": ACCOUNT, "State": "ACTIVE"}, *listed]} | facts
    write(made_of, "accounts.json", json.dumps(told))
    return made_of


@pytest.mark.parametrize(
    ("state", "is_expected"),
    [
        ({"State": "ACTIVE"}, True),
        ({"Status": "ACTIVE"}, True),
        ({}, True),
        ({"State": None}, True),
        ({"State": ""}, True),
        ({"State": "PENDING_CLOSURE"}, True),
        ({"State": "PAUSED"}, True),
        ({"State": "suspended"}, True),
        ({"State": "ACTIVE", "Status": "SUSPENDED"}, True),
        ({"State": "SUSPENDED"}, False),
        ({"Status": "SUSPENDED"}, False),
        ({"State": "CLOSED"}, False),
        ({"State": "PENDING_ACTIVATION"}, False),
    ],
)
def test_an_account_of_the_organization_is_expected_unless_aws_says_that_it_is_not_active(
    tmp_path: Path, state: dict[str, Any], is_expected: bool
) -> None:
    audit = keyaudit.audit(organization(tmp_path, {"Id": OTHER} | state), "cis", AS_OF)
    assert (OTHER in [one.account_id for one in audit.provenance]) == is_expected
    assert audit.conclusion == ("INSUFFICIENT_DATA" if is_expected else "COMPLIANT")
    assert (f"account {OTHER} was expected and not read" in said(audit)) == is_expected


@pytest.mark.parametrize(("reason", "is_expected"), [("unknown", True), ("ACTIVE", True), ("SUSPENDED", False)])
def test_what_a_capture_skipped_is_expected_where_the_reason_is_none(
    tmp_path: Path, reason: str, is_expected: bool
) -> None:
    skipped = [{"account_id": OTHER, "name": "x", "reason": reason}]
    audit = keyaudit.audit(organization(tmp_path, skipped=skipped), "cis", AS_OF)
    assert (audit.conclusion == "INSUFFICIENT_DATA") == is_expected


@pytest.mark.parametrize("states", [("ACTIVE", "SUSPENDED"), ("SUSPENDED", "ACTIVE"), ("CLOSED", None)])
def test_an_account_that_is_listed_twice_is_expected_if_any_entry_says_so(
    tmp_path: Path, states: tuple[str | None, ...]
) -> None:
    folder = organization(tmp_path, *({"Id": OTHER, "State": state} for state in states))
    audit = keyaudit.audit(folder, "cis", AS_OF)
    assert audit.conclusion == "INSUFFICIENT_DATA" and f"account {OTHER} was expected and not read" in said(audit)
    suspended = {"Id": OTHER, "State": "SUSPENDED", "Status": "ACTIVE"}
    assert keyaudit.audit(organization(tmp_path, suspended), "cis", AS_OF).conclusion == "INSUFFICIENT_DATA"
    twice = [{"account_id": OTHER, "name": "x", "reason": reason} for reason in ("unknown", "SUSPENDED")]
    assert keyaudit.audit(organization(tmp_path, skipped=twice), "cis", AS_OF).conclusion == "INSUFFICIENT_DATA"


def test_an_empty_list_of_accounts_is_not_taken_for_none(tmp_path: Path) -> None:
    """Without the file, a folder of reports may be what somebody put together; with it, it proves nothing."""
    folder = capture(tmp_path, [ACCOUNT], a111122223333=GOOD)
    (folder / "accounts.json").unlink()
    assert keyaudit.audit(folder, "cis", AS_OF).conclusion == "COMPLIANT"
    write(folder, "accounts.json", "{}")
    audit = keyaudit.audit(folder, "cis", AS_OF)
    assert audit.conclusion == "INSUFFICIENT_DATA" and "accounts.json" in said(audit)


def test_evidence_of_a_capture_whose_list_of_accounts_proves_nothing_verifies(tmp_path: Path) -> None:
    """No evidence was made of one: its notebook did not know what spoke against the list."""
    folder = capture(tmp_path / "c", [ACCOUNT], a111122223333=GOOD)
    write(folder, "accounts.json", "{}")
    other = write(tmp_path, "other.csv", report(("bob", FRESH), account=OTHER))
    for sources in ((folder,), (folder, other)):
        words = ("report", *sources, "--policy", "cis", "--as-of", AS_OF, "-o", tmp_path / "r", *BRIEF)
        evidence = made(*words, code=3)
        assert verify(evidence)[0] == []
        assert "does not say which accounts were expected" in (evidence / "report.html").read_text()


def test_a_list_of_those_expected_that_was_taken_out_is_missed(tmp_path: Path) -> None:
    folder = organization(tmp_path)
    facts = json.loads((folder / "accounts.json").read_bytes())
    del facts["expected"]
    write(folder, "accounts.json", json.dumps(facts))
    audit = keyaudit.audit(folder, "cis", AS_OF)
    assert audit.conclusion == "INSUFFICIENT_DATA" and "does not say which accounts were expected" in said(audit)


def test_a_capture_of_keyaudit_without_its_list_of_accounts_is_missed(tmp_path: Path) -> None:
    folder = organization(tmp_path)
    name = folder / ACCOUNT / "capture.json"
    name.write_text(json.dumps(json.loads(name.read_bytes()) | {"calls": []}), encoding="utf-8")
    (folder / "accounts.json").unlink()
    assert "the capture has no accounts.json" in said(keyaudit.audit(folder, "cis", AS_OF))
    assert "the capture has no accounts.json" not in said(keyaudit.audit(folder / ACCOUNT, "cis", AS_OF))


@pytest.mark.parametrize("listed", [5, "x", [5], [{"State": "ACTIVE"}], [["x"]]])
def test_a_list_of_aws_that_cannot_be_read_is_refused(tmp_path: Path, listed: object) -> None:
    with pytest.raises(InputError, match=r"accounts\.json"):
        keyaudit.audit(organization(tmp_path, listed=listed), "cis", AS_OF)


def test_evidence_of_an_account_that_is_missing_verifies(tmp_path: Path) -> None:
    folder = organization(tmp_path / "cap", {"Id": OTHER})
    evidence = made(
        "report", folder, "--policy", "cis", "--as-of", AS_OF, "-o", tmp_path / "reports", *BRIEF, code=3
    )
    assert verify(evidence)[0] == []


# --- whom a policy means --------------------------------------------------------------------------------------
def test_a_narrow_override_behind_a_broad_one_is_not_shadowed() -> None:
    source, terms = CASES / "override_shadowed.csv", CASES / "override_shadowed.toml"
    audit = keyaudit.audit(source, terms, "2026-11-23T08:00:00Z")
    assert audit.conclusion == "NON_COMPLIANT" and audit.counts == {"NON_COMPLIANT": 1}
    assert audit.keys["limit"].tolist() == [30]
    # evidence that was judged by rules 2 is judged by them again
    assert keyaudit.audit(source, terms, "2026-11-23T08:00:00Z", rules=2).conclusion == "COMPLIANT"


def test_a_pattern_does_not_exempt_the_root_user() -> None:
    source, terms = CASES / "star_exempts_root.csv", CASES / "star_exempts_root.toml"
    audit = keyaudit.audit(source, terms, "2026-11-23T08:00:00Z")
    assert verdicts(audit, "rotation") == {(ROOT, 1): "NON_COMPLIANT", ("alice", 1): "COMPLIANT"}
    assert verdicts(audit, "root-key") == {(ROOT, 1): "NON_COMPLIANT"}
    before = keyaudit.audit(source, terms, "2026-11-23T08:00:00Z", rules=2)
    assert verdicts(before, "root-key") == {(ROOT, 1): "EXEMPT"}


EXEMPTION = """max_access_key_age = 90
[[exemption]]
id = "E1"
users = [{users}]
controls = ["rotation", "root-key"]
reason = "r"
approved_by = "CISO"
expires = 2027-01-01
"""


@pytest.mark.parametrize(
    ("users", "kind"),
    [
        ('"*"', "NON_COMPLIANT"),
        ('"<root_*"', "NON_COMPLIANT"),
        ('"?root_account?"', "NON_COMPLIANT"),
        ('"root"', "NON_COMPLIANT"),
        ('"alice", "<root_account>"', "EXEMPT"),
    ],
)
@pytest.mark.parametrize("name", [ROOT, "root", "&lt;root_account&gt;"])
def test_root_is_exempt_by_its_own_name_alone(judge, policy, users: str, kind: str, name: str) -> None:
    text = csv_of([row(ROOT, OLD) | {"user": name}])
    audit = judge(text, policy(EXEMPTION.format(users=users)))
    assert {*verdicts(audit, "root-key").values(), *verdicts(audit, "rotation").values()} == {kind}


def test_nobody_else_is_exempt_by_the_name_of_root(judge, policy) -> None:
    """Whose row this is, is told by its ARN: no IAM user has this name."""
    text = csv_of([row("x", FRESH), row(ROOT, OLD, arn=f"arn:aws:iam::{ACCOUNT}:user/{ROOT}")])
    audit = judge(text, policy(EXEMPTION.format(users='"*"')))
    assert audit.conclusions["root-key"] == "INSUFFICIENT_DATA"


@pytest.mark.parametrize("users", ["*", "<root_account>"])
@pytest.mark.parametrize("name", [ROOT, "root"])
def test_an_override_reaches_root_by_a_pattern_and_by_its_name(judge, policy, users: str, name: str) -> None:
    terms = policy(f'max_access_key_age = 90\n[[override]]\nusers = ["{users}"]\nmax_access_key_age = 10')
    audit = judge(csv_of([row(ROOT, FRESH) | {"user": name}]), terms)
    assert set(verdicts(audit, "rotation").values()) == {"NON_COMPLIANT"}


# --- what of a folder is read ---------------------------------------------------------------------------------


@pytest.mark.parametrize("inside", ["", "deeper"])
def test_a_pipe_inside_a_folder_is_refused_and_never_waited_for(tmp_path: Path, inside: str) -> None:
    write(tmp_path, "a.csv", GOOD)
    (tmp_path / inside).mkdir(exist_ok=True)
    os.mkfifo(tmp_path / inside / "pipe.csv")
    with pytest.raises(InputError, match=r"pipe.csv: a device or a pipe inside a folder"):
        keyaudit.audit(tmp_path, "cis", AS_OF)


def test_a_device_behind_a_link_in_a_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", GOOD)
    (tmp_path / "b.csv").symlink_to("/dev/zero")
    with pytest.raises(InputError, match="a device or a pipe inside a folder"):
        keyaudit.audit(tmp_path, "cis", AS_OF)


def test_a_pipe_as_a_source_is_read_but_not_for_a_scheduled_run(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = command("report", tmp_path / "pipe", "--policy", "cis", "--every", "week", "-o", tmp_path / "reports")
    assert done.returncode == 2 and "pipe: can be read only once" in done.stderr.decode()


# --- what a scheduled run knows again -------------------------------------------------------------------------
def test_what_stands_for_a_folder_changes_with_all_that_is_read_of_it(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", "b.csv", GOOD)
    write(tmp_path / "in", "a.csv", GOOD)
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "elsewhere")
    seen = [content(str(tmp_path / "in"))]
    write(tmp_path / "elsewhere", "b.csv", report(("bob", OLD), account=OTHER))
    seen.append(content(str(tmp_path / "in")))
    write(tmp_path / "in" / "deeper", "c.csv", GOOD)
    seen.append(content(str(tmp_path / "in")))
    shutil.move(tmp_path / "in" / "deeper" / "c.csv", tmp_path / "in" / "c.csv")
    seen.append(content(str(tmp_path / "in")))
    assert len(set(seen)) == 4
    # what is not read does not count, and the same bytes elsewhere are the same
    write(tmp_path / "in", ".hidden", "x")
    assert content(str(tmp_path / "in")) == seen[-1]
    assert content(str(shutil.copytree(tmp_path / "in", tmp_path / "copy"))) == seen[-1]


def test_what_stands_for_a_capture_changes_with_all_that_is_read_of_it(tmp_path: Path) -> None:
    """And with nothing else: what a file manager leaves there, or somebody notes, is not read."""
    folder = capture(tmp_path, [ACCOUNT], a111122223333=GOOD)
    write(folder / ACCOUNT, "inventory.json", "{}")
    before = content(str(folder))
    for name in (".DS_Store", f"{ACCOUNT}/.DS_Store", f"{ACCOUNT}/notes.txt", f"{ACCOUNT}/inventory.json"):
        write(folder, name, "x")
        assert content(str(folder)) == before
    facts = json.loads((folder / ACCOUNT / "capture.json").read_bytes())
    write(folder / ACCOUNT, "capture.json", json.dumps(facts | {"inventory_sha256": "0" * 64}))
    seen = [before, content(str(folder))]
    for name in ("accounts.json", f"{ACCOUNT}/credential-report.csv", f"{ACCOUNT}/inventory.json"):
        write(folder, name, "{}")
        seen.append(content(str(folder)))
    assert len(set(seen)) == 5
    # reading it will say what is wrong with it
    write(folder, f"{ACCOUNT}/capture.json", "[")
    assert content(str(folder)) == str(folder)


def test_what_stands_for_a_notebook_or_preset_of_ours_is_its_content(tmp_path: Path) -> None:
    found = contents([], "", "key_rotation", "")
    assert len(found["notebook"]) == len(found["policy"].removeprefix("not given: ")) == 64
    # a preset that nobody gave concludes INSUFFICIENT_DATA at best
    assert found["policy"] == f"not given: {contents([], 'cis', 'key_rotation', '')['policy']}"
    assert found["policy"] != contents([], "skshieldus", "key_rotation", "")["policy"]
    assert found["notebook"] != contents([], "", "rotation", "")["notebook"]
    own = keyaudit_notebook()
    assert found["notebook"] == contents([], "", str(shutil.copy(own, tmp_path)), "")["notebook"]


def keyaudit_notebook() -> Path:
    from keyaudit import resources

    return resources.notebooks() / "key_rotation.ipynb"


def test_a_folder_behind_a_link_that_changed_is_asked_anew(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", "b.csv", report(("bob", FRESH), account=OTHER))
    write(tmp_path / "in", "a.csv", GOOD)
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "elsewhere")
    words = ["report", tmp_path / "in", "--policy", "cis", "-o", tmp_path / "reports", "--every", LONG, *BRIEF]
    first = made(*words, code=0)
    assert made(*words, code=0) == first
    write(tmp_path / "elsewhere", "b.csv", report(("bob", OLD), account=OTHER))
    assert made(*words, code=1) != first


@pytest.mark.parametrize("name", ["problems", "listed", "skipped", "expected"])
@pytest.mark.parametrize("value", [{}, "none", 7, {"a": 1}, [["x"]]])
def test_what_is_no_list_in_accounts_json_is_not_read_as_an_empty_one(
    tmp_path: Path, name: str, value: object
) -> None:
    folder = capture(tmp_path, [ACCOUNT], a111122223333=GOOD)
    facts = json.loads((folder / "accounts.json").read_text())
    write(folder, "accounts.json", json.dumps(facts | {name: value}))
    with pytest.raises(InputError, match=f"accounts.json: {'listed' if name == 'skipped' else name}|skipped"):
        keyaudit.audit(folder, "cis", AS_OF)


def test_a_file_is_asked_anew_under_a_name_that_tells_its_time(tmp_path: Path) -> None:
    plain = write(tmp_path, "report.csv", GOOD)
    dated = write(tmp_path, "status_reports_2026-11-10T10-00-00+00-00.csv", GOOD)
    assert content_digest(plain) != content_digest(dated)
    assert content_digest(plain) == content_digest(write(tmp_path / "elsewhere", "report.csv", GOOD))


def test_a_policy_from_a_pipe_is_not_for_a_scheduled_run(tmp_path: Path) -> None:
    write(tmp_path, "report.csv", GOOD)
    os.mkfifo(tmp_path / "policy.toml")
    asked = ("report", tmp_path / "report.csv", "--policy", tmp_path / "policy.toml", "--every", "week")
    done = command(*asked, "-o", tmp_path / "reports")
    assert done.returncode == 2 and "policy.toml: can be read only once" in done.stderr.decode()
