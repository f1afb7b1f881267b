"""What each key is for (``--purpose``), on its whole way: from the tags of users over HTTP to pages, lists and tables."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from aws import Aws, add_user, aws, report_of  # noqa: F401
from evidence_helpers import WITHOUT_CHARTS, keyaudit, refused, verified
from faults import Fault, Scenario
from moto.iam.models import iam_backends

from keyaudit.texts import say

ID, OTHER_ID = "700000100001", "700000100002"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
NOW = datetime.now(UTC).replace(microsecond=0)
OLD, OLDER, FRESH = (NOW - timedelta(days=days) for days in (200, 300, 20))
HTML, FORMULA = "<b>backup</b> & <script>alert(1)</script>", "=cmd|' /C calc'!A0"
LONG = "Uploads the invoices of the day to the archive in Frankfurt, from the ERP system; replaced with roles in May 2027."
#: what people wrote of the keys of users -> what is kept
WRITTEN: dict[str, list[tuple[str | None, str | None]]] = {
    "ada": [(None, None)],
    "bob": [("nightly", "nightly")],
    "cem": [(FORMULA, FORMULA)],
    "dan": [(HTML, HTML)],
    "eva": [(f"ERP, the secret is {SECRET}", f"ERP, the secret is {say('secret')}")],
    "fay": [("גיבוי לילי 🚀 نسخ", "גיבוי לילי 🚀 نسخ")],
    "gus": [("long " * 51 + "x", ("long " * 51)[:119] + "…")],
    "hal": [("", None)],
    "ivy": [("reads the queue of invoices", "reads the queue of invoices"), (LONG, LONG)],
    "jon": [("takes the place of AKIAIOSFODNN7EXAMPLE", "takes the place of ****MPLE")],
}


@dataclass(frozen=True)
class Made:
    """The account's scenario and the ids of its keys by user; the capture, and the evidence with what is beside it."""

    scenario: Scenario
    keys: dict[str, list[str]]
    capture: Path
    evidence: Path
    book: Path
    owners: Path

    def read(self, name: str) -> str:
        return (self.evidence / name).read_text(encoding="utf-8")


def _account(aws: Aws) -> tuple[Scenario, dict[str, list[str]]]:  # noqa: F811
    used = NOW - timedelta(days=2)
    keys = {}
    for user, told in WRITTEN.items():
        made = [OLDER, OLD][: len(told)] if user != "bob" else [FRESH]
        tags = {"Owner": "erp@example.com"} if user in ("eva", "ivy") else {}
        keys[user] = add_user(ID, user, OLDER - timedelta(days=9), [(at, "Active", used) for at in made], tags)
    said = {user: dict(zip(keys[user], (text for text, _ in told), strict=True)) for user, told in WRITTEN.items()}
    # of nobody's keys, and of another user's
    said["ada"] |= {
        "CostCentre": "centre-4711",
        keys["jon"][0]: "a stranger's word",
        "AKIAIOSFODNN7EXAMPLE": "nobody's",
    }
    for user, tags in said.items():
        backend = iam_backends[ID]["aws"]
        backend.tag_user(user, [{"Key": key, "Value": text} for key, text in tags.items() if text is not None])
    return aws.scenario(account=ID, reports={ID: report_of(ID, NOW - timedelta(minutes=5))}), keys


@pytest.fixture(scope="module")
def made(aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Made:  # noqa: F811
    folder = tmp_path_factory.mktemp("purposes")
    scenario, keys = _account(aws)
    words = "--policy", "cis", "--purpose", "--owner-tag", "Owner", "--also", "xlsx,owners"
    done = keyaudit(
        "report", *words, *WITHOUT_CHARTS, "--capture", folder / "cap", "-o", folder / "reports", env=scenario.env()
    )
    assert done.returncode == 1, done.stderr.decode()
    return Made(scenario, keys, folder / "cap" / ID, *map(Path, done.stdout.decode().splitlines()))


def test_purposes_of_a_users_own_keys_are_captured_and_no_other_tag(made: Made) -> None:
    told = json.loads((made.capture / "inventory.json").read_bytes())["purposes"]
    kept = {
        user: dict(zip(made.keys[user], (text for _, text in pairs), strict=True))
        for user, pairs in WRITTEN.items()
    }
    wanted = {user: {key: text for key, text in texts.items() if text} for user, texts in kept.items()}
    assert told == {user: texts for user, texts in wanted.items() if texts}
    assert json.loads((made.capture / "capture.json").read_bytes())["asked"]["purpose"] is True
    everything = [path for folder in (made.capture.parent, made.evidence.parent) for path in folder.rglob("*")]
    for path in (one for one in everything if one.is_file()):
        for secret in (SECRET, SECRET[:10], "centre-4711", "a stranger", "nobody's", "AKIAIOSFODNN7EXAMPLE"):
            assert secret.encode() not in path.read_bytes(), (path, secret)


def test_the_tags_are_asked_for_once_for_both_options(made: Made) -> None:
    assert made.scenario.operations.count("GetAccountAuthorizationDetails") == 1


def test_the_page_has_them_and_verifies(made: Made) -> None:
    assert verified(made.evidence)[0] == 0
    page = made.read("report.html")
    assert re.search(r"<th[^>]*>Purpose</th>", page)
    assert "<b>backup" not in page and "&lt;b&gt;backup&lt;/b&gt; &amp; &lt;script&gt;" in page
    first, second = (f"****{key[-4:]}" for key in made.keys["ivy"])
    assert all(text in page for text in ("גיבוי לילי 🚀 نسخ", f"{first}: reads the queue", f"{second}: {LONG}"))
    for name in ("report.html", "report.ipynb", "findings.csv", "summary.json"):
        assert not any(key in made.read(name) for keys in made.keys.values() for key in keys)


def test_findings_have_the_purpose_of_their_key(made: Made) -> None:
    rows = list(csv.DictReader(io.StringIO(made.read("findings.csv"))))
    told = {(one["user"], one["purpose"]) for one in rows if one["control"] == "rotation"}
    wanted = {(user, text or "") for user, pairs in WRITTEN.items() for _, text in pairs}
    assert told == {(user, f"'{text}" if text == FORMULA else text) for user, text in wanted}
    assert {one["purpose"] for one in rows if one["control"] == "active-keys"} <= {""}
    summary = json.loads(made.read("summary.json"))["findings"]
    assert {one["purpose"] for one in summary if one["user"] in ("ada", "cem")} == {None, FORMULA}


def test_the_workbook_and_the_lists_of_owners_have_them(made: Made) -> None:
    sheet = openpyxl.load_workbook(made.book)["Keys"]
    head, *rows = (list(cells) for cells in sheet.iter_rows())
    at = [cell.value for cell in head].index("Purpose")
    assert {cells[at].value for cells in rows} == {text for pairs in WRITTEN.values() for _, text in pairs}
    assert {cells[at].data_type for cells in rows} <= {"s", "n"}  # an empty cell is a number without a value
    (name,) = (path.name for path in made.owners.glob("erp*.csv"))
    lines = list(csv.DictReader(io.StringIO((made.owners / name).read_text("utf-8-sig"))))
    assert {one["purpose"] for one in lines if one["user"] == "eva"} == {WRITTEN["eva"][0][1]}
    unowned = list(csv.DictReader(io.StringIO((made.owners / "unowned.csv").read_text("utf-8-sig"))))
    assert {one["purpose"] for one in unowned if one["user"] == "cem"} == {f"'{FORMULA}"}
    mail = (made.owners / name.replace(".csv", ".eml")).read_text()
    assert "purpose, as the console has it:" in mail.replace("=\n", "")


def test_the_plan_has_them(made: Made) -> None:
    plan = [
        keyaudit("rotation", "plan", made.capture.parent, "--policy", "cis", "-f", form) for form in ("json", "csv")
    ]
    tasks = json.loads(plan[0].stdout)["tasks"]
    assert {one["purpose"] for one in tasks if one["user"] == "dan"} == {HTML}
    assert {key["purpose"] for one in tasks if one["user"] == "dan" for key in one["keys"]} == {HTML}
    rows = csv.DictReader(io.StringIO(plan[1].stdout.decode()))
    assert {one["purpose"] for one in rows if one["user"] == "cem"} == {f"'{FORMULA}"}


def test_a_description_changes_no_conclusion_and_no_advice(made: Made) -> None:
    bare = _without(made)

    def judged(folder: Path) -> tuple[Any, Any, Any]:
        check = keyaudit("check", folder, "--policy", "cis", "-f", "json")
        tasks = json.loads(keyaudit("rotation", "plan", folder, "--policy", "cis", "-f", "json").stdout)["tasks"]
        text = json.loads(check.stdout, object_hook=lambda one: {k: v for k, v in one.items() if k != "purpose"})
        told = [(one["user"], one["key"], one["action"], one["by_when"], one["steps"]) for one in tasks]
        return check.returncode, text, told

    assert judged(bare) == judged(made.capture.parent)


def _without(made: Made) -> Path:
    """The capture without purposes, as an earlier version made it, sealed again."""
    bare = made.capture.parents[1] / "bare"
    shutil.copytree(made.capture.parent, bare)
    inventory = json.loads((bare / ID / "inventory.json").read_bytes())
    del inventory["purposes"]
    (bare / ID / "inventory.json").write_text(json.dumps(inventory))
    facts = json.loads((bare / ID / "capture.json").read_bytes())
    facts["inventory_sha256"] = hashlib.sha256((bare / ID / "inventory.json").read_bytes()).hexdigest()
    del facts["asked"]["purpose"]
    (bare / ID / "capture.json").write_text(json.dumps(facts))
    return bare


# --- what stays unknown ----------------------------------------------------------------------------------------------


def _asked(aws: Aws, folder: Path, fault: Fault, *options: str) -> tuple[dict[str, Any], dict[str, Any]]:  # noqa: F811
    """What is judged of the other account where a call fails, and its inventory."""
    scenario = aws.scenario(account=OTHER_ID, faults=[fault], reports={OTHER_ID: report_of(OTHER_ID, NOW)})
    words = "--policy", "cis", "-f", "json", "--purpose", *options, "--capture", folder
    done = keyaudit("check", *words, env=scenario.env())
    return json.loads(done.stdout), json.loads((folder / OTHER_ID / "inventory.json").read_bytes())


@pytest.fixture(scope="module")
def other(aws: Aws) -> list[str]:  # noqa: F811
    """Another account, of two users whose keys are in time and described."""
    ids = []
    for user in ("kim", "lea"):
        ids += add_user(OTHER_ID, user, OLD, [(FRESH, "Active", NOW - timedelta(days=1))])
        iam_backends[OTHER_ID]["aws"].tag_user(user, [{"Key": ids[-1], "Value": f"what {user} does"}])
    return ids


@pytest.mark.parametrize("options", [(), ("--owner-tag", "Owner")])
def test_tags_that_may_not_be_read_are_stated_and_the_verdict_stands(
    aws: Aws,  # noqa: F811
    other: list[str],
    tmp_path: Path,
    options: tuple[str, ...],
) -> None:
    fault = Fault("GetAccountAuthorizationDetails", "denied")
    told, inventory = _asked(aws, tmp_path / "cap", fault, *options)
    notes = " ".join(told["notes"])
    assert told["conclusion"] == "COMPLIANT" and "purposes" not in inventory
    assert "what the access keys are for is unknown: iam:GetAccountAuthorizationDetails was denied" in notes
    assert ("owners and administrators are unknown" in notes) is bool(options)


def test_of_a_user_whose_keys_were_not_listed_it_is_said_that_their_purpose_is_unknown(
    aws: Aws,  # noqa: F811
    other: list[str],
    tmp_path: Path,
) -> None:
    told, inventory = _asked(aws, tmp_path / "cap", Fault("ListAccessKeys", "denied", first=1))
    assert told["conclusion"] == "INSUFFICIENT_DATA"
    unlisted = 2 - len(inventory["access_keys"])
    assert unlisted and inventory["purposes"].keys() == inventory["access_keys"].keys()
    assert re.search(
        rf"keys of {unlisted} users? are for is unknown: their ids were not listed", " ".join(told["notes"])
    )


def test_without_owners_no_policy_is_read(aws: Aws, other: list[str], tmp_path: Path) -> None:  # noqa: F811
    scenario = aws.scenario(account=OTHER_ID, reports={OTHER_ID: report_of(OTHER_ID, NOW)})
    done = keyaudit("capture", "--purpose", "-o", tmp_path / "cap", env=scenario.env())
    assert done.returncode == 0, done.stderr.decode()
    inventory = json.loads((tmp_path / "cap" / OTHER_ID / "inventory.json").read_bytes())
    assert "owners" not in inventory
    assert inventory["purposes"] == {"kim": {other[0]: "what kim does"}, "lea": {other[1]: "what lea does"}}


@pytest.mark.parametrize("words", [("check",), ("capture",), ("capture", "--print-policy"), ("report",)])
def test_without_ids_of_keys_there_are_no_purposes_to_ask_for(words: tuple[str, ...]) -> None:
    said = refused(keyaudit(*words, "--purpose", "--reconcile", "totals"), 2)
    assert "--purpose: only with --reconcile keys, and not totals" in said
