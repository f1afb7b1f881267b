"""Since last time: what became of overdue keys, and what another policy or other accounts account for."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ACCOUNT, AS_OF, FRESH, OLD, OTHER, capture, examples, key, report, write
from evidence_helpers import WHOLE, keyaudit, made, manifest, once, refused, report_on, seal_again, verified
from hypothesis import given
from hypothesis import strategies as st

import keyaudit as ka
from keyaudit.compared import Earlier, earlier, read_earlier, since
from keyaudit.export.summary import summary_json
from keyaudit.export.tabular import findings_csv
from keyaudit.schema import InputError

LATER = "2026-11-30T00:00:00Z"
SLACK = 'title = "t"\nmax_access_key_age = 200\n'


def judged(
    tmp_path: Path, content: str, policy: object = "cis", as_of: str = AS_OF, name: str = "r.csv"
) -> ka.Audit:
    return ka.audit(write(tmp_path, name, content), policy, as_of)


def former(a: ka.Audit) -> Earlier:
    return read_earlier(findings_csv(a), summary_json(a))


def became(before: ka.Audit, after: ka.Audit) -> dict[str, Any]:
    found = since(former(before), after)
    return {name: n for name, n in found.became.items() if n} | {
        name: n for name in ("more", "fewer", "joined", "left", "unread") if (n := getattr(found, name))
    }


def test_each_overdue_key_is_told_once(tmp_path: Path) -> None:
    before = judged(
        tmp_path, report(("rotated", OLD), ("still", OLD), ("gone", OLD), ("off", OLD), ("late", key(88)))
    )
    now = report(
        ("rotated", "true 2026-11-25T00:00:00Z N/A", OLD.replace("true", "false")),
        ("still", OLD),
        ("off", OLD.replace("true", "false")),
        ("late", key(88)),
        ("new", OLD),
        ("fresh", FRESH),
    )
    after = judged(tmp_path, now, as_of=LATER)
    # an overdue key of a new user is newly overdue too: it was made long ago, and nobody had seen it
    assert became(before, after) == {"rotated": 1, "newly_overdue": 2, "still_overdue": 1, "gone": 2}
    said = ka.since(after, former(before)).paragraphs
    assert said == (
        "Since the previous evidence (as of 2026-11-23T00:00:00Z): 1 overdue key rotated, 2 newly overdue, "
        "1 still overdue, 2 deleted or deactivated without a new key.",
    )


def test_a_key_in_the_slot_of_another_is_a_rotation(tmp_path: Path) -> None:
    before = judged(tmp_path, report(("a", OLD)))
    assert became(before, judged(tmp_path, report(("a", FRESH)), as_of=LATER)) == {"rotated": 1}


def test_what_another_policy_causes_is_told_apart(tmp_path: Path) -> None:
    lax = write(tmp_path, "lax.toml", SLACK)
    content = report(("a", key(120)), ("b", key(300)))
    by_lax, by_cis = (judged(tmp_path, content, policy) for policy in (lax, "cis"))
    assert became(by_lax, replace(by_cis)) == {"still_overdue": 1, "more": 1}
    assert became(by_cis, by_lax) == {"still_overdue": 1, "fewer": 1}
    assert "By the policy of today, which is another one, 1 more is overdue." in repr(
        ka.since(by_cis, former(by_lax))
    )
    assert "although it was not rotated" in repr(ka.since(by_lax, former(by_cis)))


def test_an_exemption_that_ends_is_no_new_breach_of_the_period(tmp_path: Path) -> None:
    terms = 'title = "t"\nmax_access_key_age = 90\n[[exemption]]\nid = "E"\nusers = ["a"]\ncontrols = ["rotation"]\nreason = "r"\n'
    policy = write(tmp_path, "p.toml", f'{terms}approved_by = "x"\nexpires = 2026-11-24\n')
    content = report(("a", OLD))
    before, after = (judged(tmp_path, content, policy, at) for at in (AS_OF, LATER))
    assert became(before, after) == {"more": 1}
    assert became(after, replace(before, as_of=after.as_of)) == {"fewer": 1}


def test_accounts_that_come_go_or_were_not_read_are_told_apart(tmp_path: Path) -> None:
    third = "777788889999"
    of = {one: report(("bob", OLD), account=one) for one in (ACCOUNT, OTHER, third)}
    first = capture(tmp_path / "1", [ACCOUNT, OTHER], **{f"a{one}": of[one] for one in (ACCOUNT, OTHER)})
    unread = {f"a{ACCOUNT}": {"problems": ["not read"]}, f"a{third}": of[third]}
    second = capture(tmp_path / "2", [ACCOUNT, third], **unread)
    before, after = (ka.audit(folder, "cis", at) for folder, at in ((first, AS_OF), (second, LATER)))
    found = since(former(before), after)
    assert sum(found.became.values()) == 0
    assert (found.joined, found.joined_overdue, found.left, found.unread) == (1, 1, 1, 1)
    said = repr(ka.since(after, former(before)))
    assert "1 account has joined, with 1 overdue key." in said
    assert "1 account is no longer there" in said and "1 account was not read both times" in said


@examples(120)
@given(st.data())
def test_the_numbers_add_up_to_the_overdue_keys_of_both(
    tmp_path_factory: pytest.TempPathFactory, data: Any
) -> None:
    keys = st.sampled_from([FRESH, OLD, key(88), key(120), "false N/A N/A", OLD.replace("true", "false")])
    users = st.lists(st.tuples(st.sampled_from("abcde"), keys, keys), unique_by=lambda one: one[0])
    folder = tmp_path_factory.mktemp("since")
    before = judged(folder, report(*data.draw(users)), name="1.csv")
    policy = data.draw(st.sampled_from(["cis", write(folder, "lax.toml", SLACK)]))
    after = judged(folder, report(*data.draw(users)), policy, LATER, "2.csv")
    found = since(former(before), after)
    now, then = (one.counts.get("NON_COMPLIANT", 0) for one in (after, before))
    assert found.became["still_overdue"] + found.became["newly_overdue"] + found.more == now
    assert found.became["still_overdue"] + found.became["rotated"] + found.became["gone"] + found.fewer == then


def test_without_earlier_evidence_it_is_said_which(tmp_path: Path) -> None:
    a = judged(tmp_path, report(("a", OLD)))
    assert repr(ka.since(a, earlier(""))) == "No earlier evidence was given to compare with."
    assert "first evidence in its reports folder" in repr(ka.since(a, earlier("none")))


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"as_of": "x"}'])
def test_what_is_no_evidence_is_refused(tmp_path: Path, content: bytes) -> None:
    for name in ("findings.csv", "summary.json"):
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="name an evidence folder"):
        earlier(str(tmp_path))
    with pytest.raises(InputError, match=r"no evidence to compare with \(No such file"):
        earlier(str(tmp_path / "none"))


# --- in evidence ----------------------------------------------------------------------------------------------


def _make(folder: Path) -> None:
    reports = folder / "reports"
    write(folder, "1.csv", report(("alice", OLD), ("bob", OLD)))
    write(folder, "2.csv", report(("alice", FRESH), ("bob", OLD)))
    for number, at in ((1, "2026-11-20T00:00:00Z"), (2, AS_OF)):
        made(*report_on(reports, folder / f"{number}.csv", as_of=at, options=WHOLE), code=1)


@pytest.fixture
def two(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Evidence of one account, and later evidence of the same; copies."""
    reports = once(tmp_path_factory, "since", _make) / "reports"
    return sorted(path.parent for path in shutil.copytree(reports, tmp_path / "reports").glob("*/SHA256SUMS"))


def test_evidence_compares_with_the_latest_before_it_and_verifies_so(two: list[Path]) -> None:
    first, second = two
    assert manifest(first)["compared"] is None and manifest(first)["parameters"]["previous"] == "none"
    assert manifest(second)["compared"]["name"] == first.name
    names = sorted(path.name for path in (second / "previous").iterdir())
    assert names == ["SHA256SUMS", "findings.csv", "summary.json"]
    for name in names:
        assert (second / "previous" / name).read_bytes() == (first / name).read_bytes()
    page = (second / "report.html").read_text()
    assert "1 overdue key rotated, 0 newly overdue, 1 still overdue, 0 deleted" in page
    assert "first evidence in its reports folder" in (first / "report.html").read_text()
    assert verified(first, second)[0] == 0


@pytest.mark.parametrize("name", ["findings.csv", "summary.json", "SHA256SUMS"])
def test_other_earlier_evidence_than_the_manifest_says_is_found(two: list[Path], name: str) -> None:
    place = two[1] / "previous" / name
    place.write_bytes(place.read_bytes().replace(b"bob", b"rob") + b"\n")
    seal_again(two[1])
    code, said = verified(two[1])
    assert code == 1 and "previous/" in said and "is not of the evidence that manifest.json says" in said


def test_earlier_evidence_cannot_be_left_out(two: list[Path]) -> None:
    shutil.rmtree(two[1] / "previous")
    seal_again(two[1])
    assert verified(two[1])[0] == 1
    seal_again(two[0], compared={"name": "x", "sha256": "0" * 64})
    assert verified(two[0])[0] == 1


def test_evidence_that_does_not_verify_is_compared_with_by_nobody(two: list[Path]) -> None:
    reports = two[0].parent
    summary = two[1] / "summary.json"
    summary.write_bytes(summary.read_bytes().replace(b"NON_COMPLIANT", b"COMPLIANT"))
    write(reports.parent, "3.csv", report(("alice", FRESH), ("bob", FRESH)))
    third = made(*report_on(reports, reports.parent / "3.csv", as_of=LATER, options=WHOLE), code=0)
    assert manifest(third)["compared"]["name"] == two[0].name
    chosen = two[0]
    summary = two[0] / "findings.csv"
    write(reports.parent, "4.csv", report(("alice", FRESH), ("bob", OLD)))
    kept = summary.read_bytes()
    summary.write_bytes(kept + b"x")
    alone = made(*report_on(reports, reports.parent / "4.csv", as_of="2026-11-21T00:00:00Z", options=WHOLE), code=1)
    assert manifest(alone)["compared"] is None
    assert "but none that verifies: nothing is compared" in (alone / "report.html").read_text()
    assert verified(alone)[0] == 0
    summary.write_bytes(kept)
    options = [*WHOLE, "--before", chosen]
    fourth = made(*report_on(reports, reports.parent / "3.csv", as_of=LATER, options=options), code=0)
    assert manifest(fourth)["compared"]["name"] == chosen.name


def test_a_mistake_in_what_is_to_be_compared_with_is_exit_2_and_leaves_nothing(two: list[Path]) -> None:
    reports = two[0].parent
    source = write(reports.parent, "3.csv", report(("alice", FRESH)))
    for before, at, why in (
        (source, LATER, "no such evidence folder"),
        (two[1], AS_OF, "is not as of an earlier instant"),
    ):
        said = refused(keyaudit(*report_on(reports, source, as_of=at, options=[*WHOLE, "--before", before])), 2)
        assert why in said
    for name in ("findings.csv", "report.html"):  # not even where it is not compared with
        with (changed := shutil.copytree(two[1], reports.parent / name) / name).open("ab") as file:
            file.write(b"x")
        options = [*WHOLE, "--before", changed.parent]
        said = refused(keyaudit(*report_on(reports, source, as_of=LATER, options=options)), 2)
        assert f"does not verify: {name}" in said and "name other evidence" in said
    said = refused(keyaudit(*report_on(reports, source, options=["--before", two[0]])), 2)
    assert "brief compares with nothing" in said
    assert [path for path in reports.iterdir() if path.name.startswith((".staging", ".failed"))] == []


def test_evidence_of_another_account_is_not_compared_with(two: list[Path]) -> None:
    reports = two[0].parent
    source = write(reports.parent, "o.csv", report(("alice", OLD), account=OTHER))
    folder = made(*report_on(reports, source, as_of=LATER, options=WHOLE), code=1)
    assert manifest(folder)["compared"] is None
    assert json.loads((folder / "manifest.json").read_bytes())["parameters"]["previous"] == "none"
