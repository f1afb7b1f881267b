"""Choosing what is explored: what a walk through folders shows and lets one choose, and what a choice does."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import AS_OF, OLD, report, write
from evidence_helpers import SECRET, failing, manifest

import keyaudit as ka
from keyaudit.explore.browse import EVIDENCE, MOST, POLICY, Listing, is_inside, leads_out, listing, served
from keyaudit.explore.chooser import Chooser
from keyaudit.explore.chosen import Chosen, judge
from keyaudit.explore.desk import Desk
from keyaudit.explore.selection import Selection
from keyaudit.explore.show import command
from keyaudit.explore.widgets import Panel
from keyaudit.schema import InputError

YOUNG = "true 2026-11-20T00:00:00Z N/A"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is served, with a workbook's folder in it, where one begins."""
    served_folder = tmp_path / "served"
    (served_folder / "work").mkdir(parents=True)
    monkeypatch.chdir(served_folder / "work")
    return served_folder


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return failing(tmp_path_factory)


def names(found: Listing) -> list[str]:
    return [one.name for one in found.entries]


# --- a folder, as it is listed -------------------------------------------------------------------------------------
def test_folders_come_first_then_all_by_name_in_any_letters(root: Path) -> None:
    for name in ("b.csv", "A.csv", "ä.json", "보고서.csv", "2.txt", "report", "x.csv (1)", ".hidden.csv"):
        write(root, name, "x")
    for name in ("z", "Y"):
        (root / name).mkdir()
    found = listing(root, root, EVIDENCE)
    assert names(found) == [
        "work",
        "Y",
        "z",
        "2.txt",
        "A.csv",
        "b.csv",
        "report",
        "x.csv (1)",
        "ä.json",
        "보고서.csv",
    ]
    assert all(not one.why for one in found.entries) and found.hidden == 1
    assert ".hidden.csv" in names(listing(root, root, EVIDENCE, with_hidden=True))
    # the same letter in two ways of writing it
    assert names(listing(root, root, EVIDENCE, words="A\u0308")) == ["ä.json"]


def test_what_cannot_be_chosen_is_listed_with_the_reason(root: Path) -> None:
    for name in ("explore.ipynb", "report.csv", "ours.toml", "book.xlsx"):
        write(root, name, "x")
    os.mkfifo(root / "pipe.csv")
    why = {one.name: one.why for one in listing(root, root, EVIDENCE).entries}
    by_name = "not a report, by its name"
    assert why == {
        "work": "", "report.csv": "", "explore.ipynb": by_name, "ours.toml": by_name, "book.xlsx": by_name,
        "pipe.csv": "neither a file nor a folder",
    }  # fmt: skip
    why = {one.name: one.why for one in listing(root, root, POLICY).entries}
    assert [name for name in why if not why[name]] == ["ours.toml"]
    assert why["work"] == "a folder; the policy is a file"


def test_folders_say_what_they_are(root: Path, evidence: Path) -> None:
    shutil.copytree(evidence, root / "sealed")
    shutil.copytree(evidence / "raw", root / "captured")
    kinds = {one.name: one.kind for one in listing(root, root, EVIDENCE).entries}
    assert kinds == {"captured": "capture", "sealed": "evidence", "work": "folder"}


def test_nobody_leaves_the_root_by_a_link(root: Path, tmp_path: Path) -> None:
    outside = write(tmp_path, "outside.csv", report(("a", OLD)))
    (root / "inside").mkdir()
    (root / "file.csv").symlink_to(outside)
    (root / "up").symlink_to(tmp_path)
    (root / "round").symlink_to(root / "inside")
    (root / "nowhere.csv").symlink_to(root / "none.csv")
    (root / "itself").symlink_to(root / "itself")
    found = {one.name: (one.is_open, bool(one.why)) for one in listing(root, root, EVIDENCE).entries}
    assert found["round"] == found["inside"] == (True, False)
    assert all(found[name] == (False, True) for name in ("file.csv", "up", "nowhere.csv", "itself"))
    with pytest.raises(InputError, match="outside of"):
        listing(root, root / "up", EVIDENCE)
    assert not is_inside(root, root / ".." / "outside.csv")
    assert leads_out(root, root / "inside") is None
    (root / "inside" / "deep").mkdir()
    (root / "inside" / "deep" / "one.csv").symlink_to(outside)
    assert leads_out(root, root / "round") == root / "round" / "deep" / "one.csv"


def test_of_thousands_the_first_are_listed_and_words_find_the_others(root: Path) -> None:
    for number in range(MOST + 5):
        (root / "work" / f"{number:05}.csv").touch()
    found = listing(root, root / "work", EVIDENCE)
    assert (len(found.entries), found.more) == (MOST, 5)
    assert names(listing(root, root / "work", EVIDENCE, words=f"{MOST + 4:05}")) == [f"{MOST + 4:05}.csv"]


def test_without_a_server_the_root_is_the_working_folder(root: Path) -> None:
    assert served() == root / "work"


def test_the_root_is_what_the_server_above_the_kernel_serves(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    record = write(tmp_path, f"jpserver-{os.getppid()}.json", json.dumps({"root_dir": str(root)}))
    assert served() == root
    for broken in ("[]", "{", '{"root_dir": 7}', '{"root_dir": "/nowhere"}'):
        record.write_text(broken, encoding="utf-8")
        assert served() == root / "work"


# --- what is done in the browser ----------------------------------------------------------------------------------
class Walk:
    """A chooser, by what somebody does in the browser."""

    def __init__(self, desk: Desk, root: Path) -> None:
        self.chooser = Chooser(desk.judged, desk.choose, root)

    def do(self, action: str, name: str = "", **asked: Any) -> Walk:
        rows = [row["name"] for row in self.chooser.walk.get("rows", [])]
        at = {"at": rows.index(name)} if name else {}
        self.chooser.do({"do": action, "turn": self.chooser.walk.get("turn"), **at, **asked})
        return self

    @property
    def values(self) -> list[str]:
        return [one["value"] for one in self.chooser.things]


def test_a_report_is_chosen_and_judged_and_the_next_walk_begins_there(root: Path) -> None:
    write(root / "work", "ours.csv", report(("alice", OLD), ("bob", YOUNG)))
    desk = Desk(Chosen(as_of="2026-11-23T08:00:00Z"))
    walk = Walk(desk, root).do("walk", thing="source")
    assert walk.chooser.walk["crumbs"] == ["served", "work"]
    walk.do("choose", "ours.csv")
    assert (walk.chooser.kind, walk.chooser.walk) == ("done", {})
    # the instant was given for the evidence of the parameters, and this is other evidence
    assert desk.judged.audit.as_of_source == "received_time" and set(desk.judged.audit.keys["user"]) == {
        "alice",
        "bob",
    }
    assert walk.values == ["work/ours.csv", "none", "none given: the preset cis stands in"]
    assert "--as-of" not in command(Selection(), desk.judged.asked)
    walk.do("walk", thing="before").do("crumb", at=0)
    assert walk.chooser.walk["crumbs"] == ["served"]
    assert Walk(desk, root).do("walk", thing="policy").chooser.walk["crumbs"] == ["served"]


def test_a_preset_and_a_file_are_policies_and_a_wrong_file_changes_nothing(root: Path) -> None:
    write(root / "work", "ours.toml", 'title = "Ours"\nmax_access_key_age = 30\n')
    write(root / "work", "wrong.toml", f'title = "Ours"\nsecret_access_key = "{SECRET}"\n')
    desk = Desk(Chosen())
    walk = Walk(desk, root).do("preset", thing="policy", value="skshieldus")
    assert desk.judged.audit.policy.max_access_key_age == 60
    walk.do("walk", thing="policy").do("choose", "ours.toml")
    assert desk.judged.audit.policy.max_access_key_age == 30 and walk.values[2] == "Ours (work/ours.toml)"
    former = desk.judged
    walk.do("walk", thing="policy").do("choose", "wrong.toml")
    assert desk.judged is former and walk.values[2] == "Ours (work/ours.toml)" and walk.chooser.kind == "error"
    assert "policy wrong.toml, line 2, secret_access_key: unknown key" in walk.chooser.told
    assert "still shows the former choice (the bundled sample account" in walk.chooser.told
    assert SECRET not in walk.chooser.told
    walk.do("preset", thing="policy", value="")
    assert walk.values[2] == "none chosen: the sample's own, Access key standard (sample)"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "keys.csv",
            f"Access key ID,Secret access key\nAKIAIOSFODNN7EXAMPLE,{SECRET}\n",
            "keys.csv: is an access key",
        ),
        ("empty.csv", "", "empty.csv: "),
        ("wrong\u202e.json", f'{{"password": "{SECRET}"}}', "wrong\\u202e.json: "),
    ],
)
def test_a_wrong_file_is_named_and_not_echoed(root: Path, name: str, content: str, said: str) -> None:
    write(root / "work", name, content)
    desk = Desk(Chosen())
    former = desk.judged
    walk = Walk(desk, root).do("walk", thing="source")
    walk.do("choose", walk.chooser.walk["rows"][0]["name"])
    assert said in walk.chooser.told and SECRET not in walk.chooser.told and desk.judged is former
    assert walk.chooser.walk["rows"] and walk.values[0] == "the bundled sample account, which is made up"


def test_what_leads_out_is_not_chosen_even_if_the_browser_asks_for_it(root: Path, tmp_path: Path) -> None:
    outside = write(tmp_path, "outside.csv", report(("a", OLD)))
    (root / "work" / "link.csv").symlink_to(outside)
    (root / "work" / "many").mkdir()
    (root / "work" / "many" / "link.csv").symlink_to(outside)
    plain = write(root / "work", "plain.csv", report(("a", OLD)))
    desk = Desk(Chosen())
    walk = Walk(desk, root).do("walk", thing="source").do("choose", "link.csv")
    assert "leads out of the folder that JupyterLab serves" in walk.chooser.told
    walk.do("choose", "many")
    assert "many/link.csv: a link that leads out of" in walk.chooser.told
    walk.do("find", words="plain")
    plain.unlink()
    plain.symlink_to(outside)  # since it was listed
    walk.do("choose", "plain.csv")
    assert "outside of" in walk.chooser.told and desk.judged.audit.is_sample


def test_what_was_asked_of_an_older_listing_is_not_done(root: Path) -> None:
    write(root / "work", "a.csv", report(("a", OLD)))
    desk = Desk(Chosen())
    walk = Walk(desk, root).do("walk", thing="source")
    turn = walk.chooser.walk["turn"]
    walk.do("find", words="").do("choose", at=0, turn=turn)
    assert desk.judged.audit.is_sample
    walk.do("close")
    assert walk.chooser.walk == {}


def test_a_folder_that_cannot_be_read_any_more_is_an_error_and_no_end(root: Path) -> None:
    (root / "work" / "gone").mkdir()
    walk = Walk(Desk(Chosen()), root).do("walk", thing="source")
    (root / "work" / "gone").rmdir()
    walk.do("enter", "gone")
    assert walk.chooser.kind == "error" and "gone" in walk.chooser.told


def test_a_name_that_is_no_text_can_be_chosen(root: Path) -> None:
    path = root / "work" / os.fsdecode(b"\xff.csv")
    path.write_text(report(("a", OLD)), encoding="utf-8")
    desk = Desk(Chosen())
    walk = Walk(desk, root).do("walk", thing="source").do("choose", "\\udcff.csv")
    assert walk.chooser.kind == "done" and list(desk.judged.audit.keys["user"]) == ["a"]
    walk.values[0].encode()  # what a browser is sent can be written
    assert command(Selection(), desk.judged.asked) == ""  # and what cannot be pasted is not shown as a command


# --- evidence folders -----------------------------------------------------------------------------------------------
def test_evidence_is_judged_as_of_its_own_instant_as_report_would(evidence: Path) -> None:
    told = manifest(evidence)
    judged = judge(Chosen(str(evidence), str(evidence / "policy.toml"), before=str(evidence)))
    assert judged.audit.conclusion == told["conclusion"] and judged.before is not None
    assert judged.asked["source"] == str(evidence / "raw") and judged.asked["as_of"] == told["as_of"]
    again = ka.audit(judged.asked["source"], judged.asked["policy"], judged.asked["as_of"])
    assert again.findings.equals(judged.audit.findings) and again.assurance == judged.audit.assurance
    assert judged.asked["before"] == str(evidence)


def test_evidence_that_does_not_verify_is_not_chosen(evidence: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(evidence, broken)
    with (broken / "findings.csv").open("ab") as file:
        file.write(b"more\n")
    for chosen in (Chosen(str(broken)), Chosen(str(evidence), before=str(broken))):
        with pytest.raises(InputError, match="broken: does not verify"):
            judge(chosen)


def test_a_later_report_is_no_earlier_one(root: Path) -> None:
    for name in ("early.csv", "late.csv"):
        write(root, name, report(("a", OLD)))
    chosen = Chosen(str(root / "early.csv"), "cis", "2026-11-01T00:00:00Z", str(root / "late.csv"), AS_OF)
    with pytest.raises(InputError, match="the earlier evidence must come first"):
        judge(chosen)
    undated = replace(chosen, as_of="", before_as_of="")
    with pytest.raises(InputError, match=r"late.csv: does not tell when AWS generated it, so nothing shows"):
        judge(undated)
    swapped = replace(chosen, as_of=AS_OF, before_as_of="2026-11-01T00:00:00Z")
    assert judge(swapped).before is not None


# --- the panel ------------------------------------------------------------------------------------------------------
def test_the_panel_keeps_its_question_and_follows_the_policy_s_limit(root: Path) -> None:
    source = write(root, "ours.csv", report(("alice", OLD), ("bob", YOUNG)))
    desk = Desk(Chosen())
    panel = Panel(desk, Selection(users="ali"))
    panel.chooser.do({"do": "preset", "thing": "policy", "value": "skshieldus"})
    assert panel.limit.value == 60 and not panel.view.is_what_if
    panel.limit.value = 45
    desk_choice = replace(desk.judged.chosen, source=str(source))
    panel._choose(desk_choice)
    assert (panel.limit.value, panel.users.value, list(panel.view.keys["user"])) == (45, "ali", ["alice"])
    assert panel.view.is_what_if and "at most 45 days?" in panel.words.value
    assert panel._places()["source"] == str(source)


def test_nothing_is_sealed_that_is_not_what_is_shown(root: Path) -> None:
    source = write(root, "ours.csv", report(("alice", OLD)))
    desk = Desk(Chosen(str(source), "cis"))
    panel = Panel(desk, Selection())
    assert desk.is_current()
    source.write_text(report(("alice", YOUNG)), encoding="utf-8")
    panel.seal.click()
    assert "the files have changed since they were judged" in str(panel.sealed.outputs)
    source.write_text("no report", encoding="utf-8")
    panel.seal.click()
    assert "ours.csv, line 1: " in str(panel.sealed.outputs) and not Path("reports").exists()
