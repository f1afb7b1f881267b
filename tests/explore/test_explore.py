"""The explorer: the verdicts are those of the audit by another limit, and no choice makes a conclusion better."""

from __future__ import annotations

import csv
import io
import re
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path

import nbformat
import pytest
from conftest import ACCOUNT, AS_OF, OLD, OTHER, capture, examples, report, write
from evidence_helpers import POLICY, keyaudit, made, refused
from hypothesis import given
from hypothesis import strategies as st
from jupyter_client.manager import start_new_kernel

import keyaudit as ka
from keyaudit.explore import explore, show, side_by_side
from keyaudit.explore.drawing import Drawing
from keyaudit.explore.selection import Selection, with_limit
from keyaudit.explore.show import Static
from keyaudit.explore.view import Explorer
from keyaudit.policy import Policy, load_policy
from keyaudit.schema import (
    COMPLIANT,
    CONTROLS,
    EXEMPT,
    INSUFFICIENT_DATA,
    NON_COMPLIANT,
    ROTATION,
    UNUSED,
    InputError,
)

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "explore.ipynb"
OVERRIDES = (
    POLICY
    + """
[[override]]
users = ["svc-*"]
max_access_key_age = 30
max_credential_usage_age = 10

[[override]]
accounts = ["444455556666"]
max_access_key_age = 60
max_active_keys = 0
"""
)


def key(days: int, active: bool = True) -> str:
    from datetime import datetime, timedelta

    made_at = datetime.fromisoformat(AS_OF) - timedelta(days=days)
    return f"{str(active).lower()} {made_at:%Y-%m-%dT%H:%M:%SZ} N/A"


ONE = report(
    ("alice", key(20), key(70)), ("svc-a", key(31)), ("svc-b", key(29)), ("legacy-x", key(400)),
    ("idle", key(80, active=False)), ("odd", "true N/A N/A"), ("late", key(-3)), root=(key(500, active=False),),
)  # fmt: skip
TWO = report(("alice", key(61)), ("svc-a", key(90)), ("bob", OLD), account=OTHER)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = capture(
        tmp_path_factory.mktemp("explore") / "cap",
        [ACCOUNT, OTHER, "777788889999"],
        **{f"a{ACCOUNT}": ONE, f"a{OTHER}": TWO},
    )
    (found.parent / "policy.toml").write_text(OVERRIDES, encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def audit(folder: Path) -> ka.Audit:
    return ka.audit(folder, folder.parent / "policy.toml", AS_OF)


def by_audit(judged: ka.Audit, control: str) -> Counter[str]:
    """Verdicts on keys and users, without those that speak of a whole account."""
    found = judged.findings[(judged.findings["control"] == control) & judged.findings["arn"].notna()]
    return Counter(found["compliance_type"])


@pytest.mark.parametrize("control", CONTROLS)
def test_without_a_choice_the_verdicts_are_the_audit_s(audit: ka.Audit, control: str) -> None:
    view = Explorer(audit).view(Selection(control, status="all"))
    assert view.then == view.now == by_audit(audit, control)
    # one report is from after the instant of judgement, one account was not read
    assert not view.is_what_if and view.missing == (ACCOUNT, "777788889999")


@examples(60)
@given(st.sampled_from(["rotation", "unused", "active-keys"]), st.integers(0, 500))
def test_another_limit_gives_what_an_audit_by_it_gives(
    audit: ka.Audit, folder: Path, control: str, limit: int
) -> None:
    limit = limit % 3 if control == "active-keys" else max(limit, 1)
    view = Explorer(audit).view(Selection(control, limit, "all"))
    judged = ka.audit(folder, with_limit(audit.policy, control, limit), AS_OF)
    assert view.then == by_audit(judged, control)
    assert view.now == by_audit(audit, control)
    if control == ROTATION:
        names = ["account_id", "user", "key_slot", "compliance_type", "limit", "due"]
        ordered = [frame[names].sort_values(names[:3]).reset_index(drop=True) for frame in (view.keys, judged.keys)]
        assert ordered[0].equals(ordered[1].astype(ordered[0].dtypes))


def test_an_override_only_tightens_and_an_exemption_holds_up_to_its_own_limit(folder: Path) -> None:
    policy = load_policy(folder.parent / "policy.toml")
    loose, tight = with_limit(policy, ROTATION, 365), with_limit(policy, ROTATION, 10)
    assert [one.max_access_key_age for one in loose.override] == [30, 60]
    assert [one.max_access_key_age for one in tight.override] == [10, 10]
    assert (loose.exemption, loose.sha256) == (policy.exemption, policy.sha256)
    assert with_limit(policy, ROTATION, 90) is policy


def test_filters_narrow_and_the_worst_comes_first(audit: ka.Audit) -> None:
    explorer = Explorer(audit)
    view = explorer.view(Selection(users="SVC"))
    assert list(zip(view.keys["user"], view.keys["account_id"], view.keys["verdict"], strict=True)) == [
        ("svc-a", OTHER, NON_COMPLIANT), ("svc-a", ACCOUNT, NON_COMPLIANT), ("svc-b", ACCOUNT, COMPLIANT),
    ]  # fmt: skip
    assert set(explorer.view(Selection(accounts=OTHER)).keys["user"]) == {"alice", "svc-a", "bob"}
    assert explorer.view(Selection(accounts=OTHER)).missing == ()
    assert set(explorer.view(Selection(users="b?b, odd")).keys["user"]) == {"bob", "odd"}
    assert len(explorer.view(Selection(users="[b]ob")).keys) == 0
    whole = explorer.view(Selection(status="all")).keys
    assert len(whole) == len(audit.keys) and len(explorer.view(Selection()).keys) == len(audit.keys) - 2
    assert set(explorer.view(Selection()).then) == {NON_COMPLIANT, COMPLIANT, EXEMPT, INSUFFICIENT_DATA}


def test_an_inactive_root_key_is_never_filtered_away(audit: ka.Audit) -> None:
    view = Explorer(audit).view(Selection("root-key"))
    assert view.then == {NON_COMPLIANT: 1}
    assert list(view.keys["user"]) == ["<root_account>"]


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"control": "rotations"}, "control 'rotations': give one of rotation, unused"),
        ({"status": "Active"}, "status 'Active': give one of active, all"),
        ({"limit": 0}, "limit 0: give a whole number from 1 to 36500"),
        ({"limit": 36_501}, "limit 36501"),
        ({"limit": 60.0}, "limit 60.0"),
        ({"limit": True}, "limit True"),
        ({"control": "active-keys", "limit": 3}, "from 0 to 2"),
        ({"control": "root-key", "limit": 1}, "root keys have none"),
        ({"users": 1.5}, "users 1.5: give a text"),
    ],
)
def test_what_cannot_be_asked_is_refused(choice: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Selection(**choice)  # type: ignore[arg-type]


def test_an_account_id_that_begins_with_0_stays_whole() -> None:
    assert Selection(accounts=12345678901).accounts == "012345678901"  # type: ignore[arg-type]


def test_what_is_told_is_no_conclusion(audit: ka.Audit) -> None:
    explorer = Explorer(audit)
    loose = show.words(explorer.view(Selection(limit=36_500, users="alice")))
    assert "1 of 3 selected keys would fail" in repr(loose) and "and no conclusion" in repr(loose)
    assert f"The conclusion stays: {NON_COMPLIANT}" in repr(loose)
    assert f"Evidence is missing for 2 accounts: {ACCOUNT}, 777788889999. No limit changes that." in repr(loose)
    assert "COMPLIANT: " not in repr(loose).replace("NON_COMPLIANT: ", "")


def test_the_chart_of_a_what_if_says_what_would_be_and_that_of_the_limit_as_it_is_set_what_is() -> None:
    explorer = Explorer(ka.audit())
    asked, is_set = explorer.view(Selection(limit=60)), explorer.view(Selection())
    assert show.chart(asked).get_title(loc="left").startswith("16 of 28 active keys would be overdue at 60 days")
    assert show.chart(is_set).get_title(loc="left").startswith("8 of 28 active keys are overdue")
    assert show.keys_table(asked).note == (
        "Verdicts are by the limit asked about (at most 60 days), and not by the one that is set."
    )
    assert not show.keys_table(is_set).note
    idle = show.chart(explorer.view(Selection(UNUSED, 20))).get_title(loc="left")
    assert re.match(r"\d+ of 28 active\skeys\swould be\sunused \(idle\sfor 20\sdays or\smore", idle)
    # ages are judged by the limit that is set where another control is asked about
    assert "are overdue" in show.chart(explorer.view(Selection("active-keys", 0))).get_title(loc="left")


def test_what_a_preset_sets_is_not_called_the_policy_s(audit: ka.Audit, tmp_path: Path) -> None:
    source = write(tmp_path, "report.csv", report(("alice", key(20))))
    for policy, said in (
        ("", "Rotation: no policy was given; the preset cis sets at most 90 days."),
        ("cis", "Rotation: the preset cis sets at most 90 days."),
    ):
        explorer = Explorer(ka.audit(source, policy, AS_OF))
        assert show.words(explorer.view(Selection())).paragraphs[0] == said
        asked = show.words(explorer.view(Selection(limit=60))).paragraphs[0]
        assert asked.endswith(f"? {said[10].upper()}{said[11:]}")
    own = show.words(Explorer(audit).view(Selection(limit=60))).paragraphs[0]
    assert own.endswith("? The policy sets at most 90 days.")


def test_names_are_text_wherever_they_are_shown(tmp_path: Path) -> None:
    bad = "<img src=x onerror=alert(1)>"
    path = tmp_path / "report.csv"
    path.write_text(report((bad, OLD), ("=1+1", OLD)), encoding="utf-8")
    judged = ka.audit(path, "cis", AS_OF)
    view = Explorer(judged).view(Selection())
    html = Static(view, {})._repr_mimebundle_()["text/html"]
    assert bad not in html and "&lt;img src=x" in html
    assert all(bad not in one._repr_html_() for one in show.user_tables(judged, bad))
    rows = list(csv.DictReader(io.StringIO(show.selection_csv(view).decode())))
    assert {row["user"] for row in rows} == {bad, "'=1+1"}
    assert tuple(rows[0]) == show.COLUMNS


def test_a_user_s_keys_and_what_the_policy_says(audit: ka.Audit) -> None:
    keys, says = show.user_tables(audit, "alice")
    assert [row[:2] for row in keys.rows] == [(ACCOUNT, "1"), (ACCOUNT, "2"), (OTHER, "1")]
    assert {row[0] for row in says.rows} == {"Rotation", "Unused keys", "Active keys per user"}
    assert any("2 active keys" in row[-1] or "2" in row[-1] for row in says.rows)


def test_the_command_makes_evidence_of_the_view_and_judges_everything(folder: Path, tmp_path: Path) -> None:
    asked = {"source": str(folder), "policy": str(folder.parent / "policy.toml"), "as_of": AS_OF}
    selection = Selection(limit=60, status="all", accounts=ACCOUNT, users="svc-b")
    line = show.command(selection, asked)
    words = shlex.split(line)
    assert words[:2] == ["keyaudit", "report"]
    evidence = made(*words[1:], "-o", tmp_path / "reports", code=1)
    page = (evidence / "report.html").read_text(encoding="utf-8")
    assert (
        "What if the limit of Rotation were at most 60 days?" in page and "0 of 1 selected keys would fail." in page
    )
    # a command that named its raw files would be run in the folder, and break its seal
    assert "keyaudit report" not in page and str(tmp_path) not in page
    assert (evidence / "findings.csv").read_text(encoding="utf-8").count("\n") > 10
    assert keyaudit("verify", evidence).returncode == 0


def test_without_a_source_the_command_names_the_sample_and_not_aws() -> None:
    words = shlex.split(show.command(Selection(), {}))
    assert Path(words[2]).is_dir() and words[3:] == ["--notebook", "explore"]


def test_a_mistyped_parameter_is_refused_by_the_notebook(folder: Path, tmp_path: Path) -> None:
    done = keyaudit("report", folder, "--notebook", "explore", "-p", "control", "age", "-o", tmp_path / "reports")
    assert "control 'age': give one of" in refused(done, 4)


@pytest.mark.sampled(0)  # another notebook by papermill alone: for a nightly run
def test_papermill_alone_shows_a_static_view(tmp_path: Path) -> None:
    out = tmp_path / "out.ipynb"
    command = [sys.executable, "-m", "papermill", str(NOTEBOOK), str(out), "-p", "limit", "60", "--no-progress-bar"]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    told = [
        output.data.get("text/html", "")
        for cell in nbformat.read(out, 4).cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "data" in output
    ]
    assert any("16 of 28 selected keys would fail" in html and "<img " in html for html in told)
    assert not any("widget" in html for html in told)


def test_without_the_widgets_the_view_stands_still_and_says_why() -> None:
    """In a kernel that cannot find them, with somebody in front of it."""
    hidden = (
        "import sys, importlib.machinery as m\n"
        "class Without(m.PathFinder):\n"
        "    @classmethod\n"
        "    def find_spec(cls, name, *rest):\n"
        "        return None if name.split('.')[0] in ('ipywidgets', 'itables') else super().find_spec(name, *rest)\n"
        "sys.meta_path[sys.meta_path.index(m.PathFinder)] = Without\n"
    )
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        told: list[dict[str, str]] = []
        for code in (hidden, "import keyaudit as ka\nka.explore().look()"):
            reply = client.execute_interactive(
                code, allow_stdin=True, output_hook=lambda m: told.append(m["content"].get("data", {})), timeout=60
            )
            assert reply["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    text = "".join(one.get("text/plain", "") for one in told)
    assert "8 of 28 selected keys fail" in text and "the widgets are not installed" in text


def test_two_reports_side_by_side(folder: Path) -> None:
    policy = Policy(title="ours", max_access_key_age=90)
    before, after = (ka.audit(folder, policy, moment) for moment in ("2026-11-01T00:00:00Z", AS_OF))
    table = side_by_side(before, after)
    assert table.rows[0] == ("judged as of", "2026-11-01T00:00:00Z", AS_OF)
    assert {row[0] for row in table.rows} >= {"conclusion", NON_COMPLIANT, COMPLIANT}
    assert "No earlier evidence" in repr(side_by_side(None, after))


def test_an_audit_without_keys_is_shown_too(tmp_path: Path) -> None:
    (tmp_path / "report.csv").write_text(report(), encoding="utf-8")
    judged = ka.audit(tmp_path / "report.csv", "cis", AS_OF)
    for control in CONTROLS:
        view = Explorer(judged).view(Selection(control))
        assert "0 of 0 selected keys fail" in Static(view, {})._repr_mimebundle_()["text/plain"]
    assert isinstance(explore(str(tmp_path / "report.csv"), "cis", AS_OF).look(), Static)


def test_a_chart_that_is_drawn_again_stands_where_a_first_drawing_would_put_it(audit: ka.Audit) -> None:
    explorer, again = Explorer(audit), Drawing()
    for limit in (60, 61, 10, 200):
        view = explorer.view(Selection(limit=limit))
        drawn, first = show.chart(view), show.chart(view)
        html = again.html(drawn)
        Drawing().html(first)
        assert f'alt="{drawn.get_label()}"' in html and "data:image/svg+xml;base64," in html
        # to a pixel or two: the widest label of a tick may be another
        ours, theirs = (one.get_window_extent().extents for one in (drawn, first))
        assert abs(ours - theirs).max() < 3


def test_a_selection_of_nothing_does_not_say_that_nothing_was_read(audit: ka.Audit) -> None:
    view = Explorer(audit).view(Selection(users="nobody"))
    said = show.chart(view).get_label()
    assert "No access key is in this selection" in said and "other keys were read" in said
