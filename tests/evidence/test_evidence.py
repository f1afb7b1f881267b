"""The evidence folder: what is in it, how it gets there, and what happens when there is none (DESIGN.md, "Evidence
folder" and the exit codes). Finished folders are made once and shared; see evidence_helpers."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import platform
import re
import shutil
import stat
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from conftest import ACCOUNT, AS_OF, CUT, FRESH, HEADER, OLD, OTHER, ROOT, capture, report, row, write
from evidence_helpers import (
    CHANGING,
    CLEAN,
    FAILING,
    JUDGED,
    NAME,
    PARAMETERS,
    POLICY,
    PROCESS_DEADLINE,
    SECRET,
    WHOLE,
    digest,
    failing,
    files,
    keyaudit,
    leftovers,
    made,
    manifest,
    notebook,
    once,
    refused,
    report_on,
    seal_again,
    summary,
    verified,
)
from forked import forked

from keyaudit.evidence.contents import EXPECTED, MANIFEST, ORDER, SUMS, Manifest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
THIRD = "777788889999"
TOP = ["SHA256SUMS", "findings.csv", "manifest.json", "policy.toml", "raw", "report.html", "report.ipynb"]
COMPARED = ("findings.csv", "summary.json", "report.html")


def raw(folder: Path) -> dict[str, bytes]:
    return files(folder / "raw")


def wrapped(text: str, generated: str = AS_OF) -> bytes:
    """The answer of ``aws iam get-credential-report``."""
    content = base64.b64encode(text.encode()).decode()
    return json.dumps({"Content": content, "ReportFormat": "text/csv", "GeneratedTime": generated}).encode()


# --- one account that fails: every file, mode and fact -----------------------------------------------------------


@pytest.fixture(scope="module")
def evidence(tmp_path_factory) -> Path:
    return failing(tmp_path_factory)


def test_the_folder_is_named_for_instant_notebook_and_account(evidence):
    assert evidence.name == f"2026-11-23T000000Z-key_rotation-{ACCOUNT}"
    assert sorted(path.name for path in evidence.parent.iterdir() if path.name not in CHANGING) == [evidence.name]


def test_the_folder_holds_every_file_of_the_design_and_no_other(evidence):
    assert sorted(path.name for path in evidence.iterdir()) == sorted([*TOP, "summary.json"])
    assert set(raw(evidence)) == {
        "accounts.json",
        f"{ACCOUNT}/capture.json",
        f"{ACCOUNT}/credential-report.csv",
    }


def test_folders_are_0700_and_files_0600(evidence):
    for path in (evidence, *evidence.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_sha256sum_verifies_the_folder_without_keyaudit(evidence):
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=evidence, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.count(": OK\n") == len(files(evidence)) - 1


def test_sha256sums_are_what_the_manifest_implies_and_the_manifest_itself(evidence):
    sums = {one["path"]: one["sha256"] for one in manifest(evidence)["files"]}
    sums["manifest.json"] = digest((evidence / "manifest.json").read_bytes())
    lines = "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))
    assert (evidence / "SHA256SUMS").read_text() == lines


def test_the_manifest_lists_every_file_with_its_size_and_hash(evidence):
    expected = [
        {"path": name, "bytes": len(content), "sha256": digest(content)}
        for name, content in sorted(files(evidence).items())
        if name not in ("manifest.json", "SHA256SUMS")
    ]
    assert manifest(evidence)["files"] == expected


def test_the_manifest_is_the_definition_field_by_field_in_its_order(evidence):
    fields = [*manifest(evidence)]
    assert fields == [name for name in ORDER if name not in ("schedule", "insecure_cluster", "period")]
    assert set(ORDER) == set(get_type_hints(Manifest))
    known = {one.name for one in evidence.iterdir()}
    assert known == {name.split("/")[0] for name in EXPECTED} | {MANIFEST, SUMS}


def test_the_manifest_states_instant_parameters_versions_notebook_and_accounts(evidence):
    facts = manifest(evidence)
    assert (facts["as_of"], facts["as_of_source"], facts["conclusion"]) == (AS_OF, "given", "NON_COMPLIANT")
    assert facts["parameters"] == {"source": "raw", "policy": "policy.toml", "as_of": AS_OF, "previous": "none"}
    assert facts["tool"]["keyaudit"] == version("keyaudit")
    assert facts["tool"]["python"] == platform.python_version()
    assert {name: facts["libraries"][name] for name in ("pandas", "papermill", "nbconvert")} == {
        name: version(name) for name in ("pandas", "papermill", "nbconvert")
    }
    source = (NOTEBOOKS / "key_rotation.ipynb").read_bytes()
    assert facts["notebook"] == {"name": "key_rotation", "sha256": digest(source), "ours": True}
    assert facts["accounts"] == {"expected": [ACCOUNT], "read": [ACCOUNT], "failed": []}
    assert facts["policy"]["sha256"] == digest(POLICY.encode()) and facts["policy"]["given"] is True
    assert facts["previous"] is None and facts["sample"] is False


def test_raw_holds_the_report_byte_for_byte_and_says_where_and_when_it_was_read(evidence):
    content = FAILING.encode()
    found = raw(evidence)
    assert found[f"{ACCOUNT}/credential-report.csv"] == content
    facts = json.loads(found[f"{ACCOUNT}/capture.json"])
    assert (facts["source"], facts["account_id"]) == ("report.csv", ACCOUNT)
    assert (facts["sha256"], facts["bytes"]) == (digest(content), len(content))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", facts["received_time"])


def test_policy_toml_is_the_policy_as_it_was_given(evidence):
    assert (evidence / "policy.toml").read_bytes() == POLICY.encode()


def test_summary_is_what_check_prints_of_the_same_source(evidence):
    source, policy = evidence.parents[1] / "report.csv", evidence.parents[1] / "policy.toml"
    done = keyaudit("check", source, "--policy", policy, "--as-of", AS_OF, "-f", "json")
    assert done.returncode == 1
    assert done.stdout == (evidence / "summary.json").read_bytes()


def test_findings_are_what_check_prints_of_the_same_source(evidence):
    source, policy = evidence.parents[1] / "report.csv", evidence.parents[1] / "policy.toml"
    done = keyaudit("check", source, "--policy", policy, "--as-of", AS_OF, "-f", "csv")
    assert done.stdout == (evidence / "findings.csv").read_bytes()


def test_the_findings_say_who_fails_and_who_is_exempt(evidence):
    rows = csv.DictReader(io.StringIO((evidence / "findings.csv").read_text()))
    found = {row["user"]: row["compliance_type"] for row in rows if row["control"] == "rotation"}
    assert found == {"alice": "COMPLIANT", "bob": "NON_COMPLIANT", "legacy-etl": "EXEMPT"}


def test_report_html_asks_nothing_of_anywhere_and_hides_nothing(evidence):
    page = (evidence / "report.html").read_text()
    assert "default-src 'none'" in page
    assert not re.search(r"<(script|iframe|object|embed|form|link|details|base)\b", page, re.IGNORECASE)
    assert not re.search(r"""<[^>]*\s(src|href|action)\s*=\s*(?!["']?(data:|#))""", page, re.IGNORECASE)
    assert not re.search(r"@import|url\((?!['\"]?data:)", page)


def test_report_html_holds_no_path_and_no_clock(evidence):
    page, facts = (evidence / "report.html").read_text(), manifest(evidence)
    received = json.loads(raw(evidence)[f"{ACCOUNT}/capture.json"])["received_time"]
    for told in (str(evidence.parents[1]), str(Path.cwd()), ".staging", facts["sealed_at"], received[:16]):
        assert told not in page


def test_report_html_states_the_bottom_line_and_the_sources_hash(evidence):
    page = (evidence / "report.html").read_text()
    assert "NON_COMPLIANT: 1 of 3 active access keys" in page
    assert digest(FAILING.encode()) in page and digest(POLICY.encode()) in page and "CISO" in page


def test_the_executed_notebook_ran_from_first_to_last_cell_with_the_parameters_of_the_manifest(evidence):
    executed = json.loads((evidence / "report.ipynb").read_bytes())
    code = [cell for cell in executed["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in code if cell["source"])
    assert executed["metadata"]["papermill"]["parameters"] == manifest(evidence)["parameters"]
    assert executed["metadata"]["papermill"]["exception"] is None


def test_no_output_of_the_notebook_is_an_error_or_a_warning(evidence):
    executed = json.loads((evidence / "report.ipynb").read_bytes())
    outputs = [output for cell in executed["cells"] for output in cell.get("outputs", [])]
    assert {output["output_type"] for output in outputs} <= {"display_data", "execute_result"}


# --- the same again: twice from elsewhere, then two at once ------------------------------------------------------


@pytest.fixture(scope="module")
def repeated(tmp_path_factory, evidence) -> list[Path]:
    """The folder of ``evidence``, then three more of the same inputs and instant beside it: one made in another
    working directory from a source at another place, then two at once."""

    def make(folder: Path) -> None:
        elsewhere = folder / "elsewhere"
        shutil.copytree(evidence.parent, folder / "reports")
        write(elsewhere / "in", "report.csv", FAILING)
        write(elsewhere, "policy.toml", POLICY)
        asked = report_on(folder / "reports", "in/report.csv", policy="policy.toml", options=WHOLE)
        made(*asked, code=1, cwd=elsewhere)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: made(*asked, code=1, cwd=elsewhere), range(2)))

    reports = once(tmp_path_factory, "repeated", make) / "reports"
    return [reports / f"{NAME}-{ACCOUNT}{number}" for number in ("", "-2", "-3", "-4")]


def test_a_further_run_for_the_same_instant_gets_a_number_and_overwrites_nothing(repeated, evidence):
    assert sorted(path.name for path in repeated[0].parent.iterdir() if path.is_dir()) == [
        path.name for path in repeated
    ]
    assert files(repeated[0]) == files(evidence)


@pytest.mark.parametrize("name", COMPARED)
def test_the_same_inputs_and_instant_give_the_same_bytes(repeated, name):
    assert len({(folder / name).read_bytes() for folder in repeated}) == 1


def test_each_folder_points_to_the_seal_of_the_one_before_also_when_two_run_at_once(repeated):
    seals = {digest((folder / "SHA256SUMS").read_bytes()): folder for folder in repeated}
    previous = [manifest(folder)["previous"] for folder in repeated]
    assert previous[:2] == [None, digest((repeated[0] / "SHA256SUMS").read_bytes())]
    assert set(previous) == {None, *list(seals)[:3]} and len(set(previous)) == 4


def test_runs_at_once_leave_nothing_but_finished_folders_that_verify(repeated):
    assert leftovers(repeated[0].parent) == []
    assert verified(*repeated) == (0, "".join(f"OK  {folder}\n" for folder in repeated))


# --- the forms of a source, and the other exit codes -------------------------------------------------------------


@pytest.fixture(scope="module")
def forms(tmp_path_factory) -> Path:
    """Evidence from an AWS CLI answer (COMPLIANT), bare base64 without a policy (INSUFFICIENT_DATA), standard input
    with two cut reports, and the sample; two runs at a time."""

    def make(folder: Path) -> None:
        write(folder, "answer.json", wrapped(CLEAN))
        write(folder, "report.b64", base64.encodebytes(CLEAN.encode()))
        write(folder, "cut-1.csv", report(("ann", FRESH), columns=CUT))
        write(folder, "cut-2.csv", report(("bea", OLD), columns=CUT))
        several = report_on(folder / "several", "-", "cut-2.csv", "cut-1.csv", options=WHOLE)
        # as_of is the generated time only where none is given, and then the age of the answer counts
        write(folder, "patient.toml", POLICY.replace("version", "max_report_age_hours = 87600\nversion", 1))
        runs = [
            (report_on(folder / "json", "answer.json", policy="patient.toml", as_of="", options=WHOLE), 0, b""),
            (report_on(folder / "none", "report.b64", policy=""), 3, b""),
            (several, 1, CLEAN.encode()),
            (["demo", "-o", folder / "demo"], 0, b""),
        ]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda run: made(*run[0], code=run[1], cwd=folder, stdin=run[2]), runs))

    return once(tmp_path_factory, "forms", make)


def only(reports: Path) -> Path:
    """The one finished folder of a reports folder, beside which nothing else may lie."""
    found = [path for path in reports.iterdir() if path.name not in CHANGING]
    assert len(found) == 1 and not found[0].name.startswith(".")
    return found[0]


def test_evidence_of_a_compliant_account_exits_with_0_and_is_its_answer_byte_for_byte(forms):
    folder = only(forms / "json")
    assert folder.name == f"{NAME}-{OTHER}"
    assert raw(folder)[f"{OTHER}/credential-report.json"] == wrapped(CLEAN)
    assert summary(folder)["conclusion"] == manifest(folder)["conclusion"] == "COMPLIANT"
    assert (summary(folder)["as_of"], summary(folder)["as_of_source"]) == (AS_OF, "generated_time")


def test_summary_is_what_check_prints_when_as_of_is_the_generated_time(forms):
    done = keyaudit("check", forms / "answer.json", "--policy", forms / "patient.toml", "-f", "json")
    assert done.stdout == (only(forms / "json") / "summary.json").read_bytes()


def test_without_a_policy_nothing_better_than_insufficient_data_and_every_output_says_so(forms):
    folder = only(forms / "none")
    assert summary(folder)["conclusion"] == "INSUFFICIENT_DATA"
    assert summary(folder)["policy"]["given"] is manifest(folder)["policy"]["given"] is False
    said = "no policy was given"
    assert said in (folder / "summary.json").read_text()
    assert said in (folder / "findings.csv").read_text()
    assert said in (folder / "report.html").read_text()


def test_base64_is_kept_byte_for_byte(forms):
    found = raw(only(forms / "none"))
    assert found[f"{OTHER}/credential-report.b64"] == base64.encodebytes(CLEAN.encode())


def test_several_accounts_are_one_folder_named_organization(forms):
    folder = only(forms / "several")
    assert folder.name == f"{NAME}-organization"
    assert manifest(folder)["accounts"]["read"] == [OTHER, "unknown-1", "unknown-2"]
    assert raw(folder)[f"{OTHER}/credential-report.csv"] == CLEAN.encode()
    assert json.loads(raw(folder)[f"{OTHER}/capture.json"])["source"] == "standard input"


def charts_of_accounts(folder: Path) -> list[dict[str, Any]]:
    """What the cell of the chart by account shows, in the notebook of a folder."""
    cells = json.loads((folder / "report.ipynb").read_bytes())["cells"]
    (cell,) = [one for one in cells if "ka.plot_accounts(" in "".join(one["source"])]
    return list(cell["outputs"])


def test_several_accounts_have_a_chart_and_one_has_none(forms, tmp_path):
    """And evidence of several that lost it does not verify, though its seal fits."""
    folder = shutil.copytree(only(forms / "several"), tmp_path / only(forms / "several").name)
    assert charts_of_accounts(only(forms / "json")) == charts_of_accounts(only(forms / "demo")) == []
    (chart,) = charts_of_accounts(folder)
    picture = "".join(chart["data"]["text/html"])
    told = json.loads((folder / "report.ipynb").read_bytes())
    for cell in told["cells"]:
        if chart in cell.get("outputs", []):
            cell["outputs"].remove(chart)
    (folder / "report.ipynb").write_text(json.dumps(told))
    page = (folder / "report.html").read_text()
    assert picture in page
    (folder / "report.html").write_text(page.replace(picture, ""))
    seal_again(folder)
    code, said = verified(folder)
    assert code == 1 and "does not show what its calls do" in said


def test_reports_cut_to_columns_are_kept_as_unknown_1_and_unknown_2_in_order_of_their_hash(forms):
    cuts = [(forms / f"cut-{number}.csv").read_bytes() for number in (1, 2)]
    found = raw(only(forms / "several"))
    kept = [found[f"unknown-{number}/credential-report.csv"] for number in (1, 2)]
    assert kept == sorted(cuts, key=digest)
    assert json.loads(found["unknown-1/capture.json"])["account_id"] is None


def test_demo_exits_with_0_and_says_sample_data_on_its_face(forms):
    folder = only(forms / "demo")
    assert folder.name.endswith("-key_rotation-sample")
    page = (folder / "report.html").read_text()
    assert page.count("SAMPLE DATA") >= 3 and "<title>SAMPLE DATA" in page
    assert summary(folder)["sample"] is manifest(folder)["sample"] is True
    assert summary(folder)["conclusion"] == "NON_COMPLIANT"


@pytest.mark.parametrize("reports", ["json", "none", "several", "demo"])
def test_evidence_from_every_form_verifies(forms, reports):
    folder = only(forms / reports)
    code, said = verified(folder)
    assert code == 0 and said.startswith(f"OK  {folder}\n")
    assert said.count("\n") == 1 or "-brief-" in folder.name


# --- what could not be read: never clean, never copied -----------------------------------------------------------

UNREADABLE = {
    "credentials": f"[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {SECRET}\n",
    "accessKeys.csv": f"Access key ID,Secret access key\nAKIAIOSFODNN7EXAMPLE,{SECRET}\n",
    "header.csv": f"user,access_key_1_active,{SECRET},access_key_1_last_rotated{SECRET}\n",
    "misspelt.csv": report(("zoe", FRESH), account="1" * 12).replace("access_key_1_active", f"{SECRET}-active"),
    "date.csv": report(("zoe", f"true {SECRET} N/A"), account="2" * 12),
    "boolean.csv": report(("zoe", f"{SECRET} {AS_OF} N/A"), account="3" * 12),
    "twice.csv": report((SECRET, FRESH), (SECRET, OLD), account="4" * 12),
    "tail.csv": report(("zoe", FRESH), account="5" * 12) + "\n" + SECRET,
    "lone.txt": SECRET,
    "create.json": json.dumps({"AccessKey": {"SecretAccessKey": SECRET}}),
    "content.json": json.dumps({"Content": SECRET}),
    "cut.json": '{"Content": "' + SECRET,
    "time.json": json.dumps({"Content": base64.b64encode(CLEAN.encode()).decode(), "GeneratedTime": SECRET}),
    "bytes.bin": b"\xff\x00" + SECRET.encode(),
    "<b>markup.csv": SECRET,
}


@pytest.fixture(scope="module")
def unreadable(tmp_path_factory) -> Path:
    """Evidence of a folder with one good report and many files that are none, each with a secret in it."""

    def make(folder: Path) -> None:
        write(folder / "in", "good.csv", CLEAN)
        for name, content in UNREADABLE.items():
            write(folder / "in", name, content)
        done = keyaudit(*report_on(folder / "reports", folder / "in", options=WHOLE))
        assert done.returncode == 3, done.stderr.decode()
        write(folder, "said.txt", done.stdout + done.stderr)

    return once(tmp_path_factory, "unreadable", make)


def test_unreadable_files_make_their_accounts_insufficient_data_and_leave_the_others_judged(unreadable):
    folder = only(unreadable / "reports")
    found = {one["account_id"]: one["conclusion"] for one in summary(folder)["accounts"]}
    assert found.pop(OTHER) == "COMPLIANT"
    assert set(found.values()) == {"INSUFFICIENT_DATA"} and len(found) == len(UNREADABLE)
    accounts = manifest(folder)["accounts"]
    assert accounts["read"] == [OTHER] and sorted(accounts["failed"]) == sorted(found)
    assert summary(folder)["conclusion"] == "INSUFFICIENT_DATA"


def test_what_could_not_be_read_is_described_by_name_size_and_hash_and_not_copied(unreadable):
    found = raw(only(unreadable / "reports"))
    facts = [json.loads(content) for name, content in found.items() if name.endswith("/capture.json")]
    told = {one["source"]: one for one in facts}
    assert sorted(path for path in found if not path.endswith("capture.json")) == [
        f"{OTHER}/credential-report.csv",
        "accounts.json",
    ]
    for name, content in UNREADABLE.items():
        bytes_ = content.encode() if isinstance(content, str) else content
        assert (told[name]["bytes"], told[name]["sha256"]) == (len(bytes_), digest(bytes_)), name
        assert told[name]["file"] is None and told[name]["problems"]


def test_a_secret_in_an_unreadable_file_is_nowhere_in_the_evidence_nor_in_what_was_said(unreadable):
    outputs = {**files(unreadable / "reports"), "said": (unreadable / "said.txt").read_bytes()}
    forms_ = (SECRET, base64.b64encode(SECRET.encode()).decode(), SECRET.lower(), SECRET[:20], SECRET[-20:])
    for name, content in outputs.items():
        for form in forms_:
            assert form.encode() not in content, name


def test_evidence_with_unreadable_files_verifies(unreadable):
    folder = only(unreadable / "reports")
    assert verified(folder) == (0, f"OK  {folder}\n")


def test_the_name_of_a_file_is_text_in_the_page_not_markup(unreadable):
    page = (only(unreadable / "reports") / "report.html").read_text()
    assert "&lt;b&gt;markup.csv" in page and "<b>markup" not in page


# --- hostile names -----------------------------------------------------------------------------------------------

HOSTILE = (
    "<script>alert(1)</script>",
    "</style></title><img src=x onerror=alert(1)>",
    "=cmd|'/C calc'!A0",
    "+1",
    "-2",
    "@SUM(A1)",
    " =1+1",
    'o"neil',
    "a,b",
    "{{ 7*7 }}",
    "{% raw %}",
    "a&amp;b",
    "NA",
    "007",
)


def hostile_report() -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    users = [row(ROOT), *(row(name, OLD) for name in HOSTILE)]
    writer.writerows([one[column] for column in HEADER] for one in users)
    return text.getvalue()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Path:
    """Evidence of user names that are markup, formulas or quotes, by a policy whose title is markup."""

    def make(folder: Path) -> None:
        write(folder, "report.csv", hostile_report())
        policy = 'title = "<script>alert(2)</script>"\napproved_by = "<b>CISO</b>"\nmax_access_key_age = 90\n'
        write(folder, "policy.toml", policy)
        asked = report_on(folder / "reports", folder / "report.csv", policy=folder / "policy.toml", options=WHOLE)
        made(*asked, code=1)

    return only(once(tmp_path_factory, "hostile", make) / "reports")


def test_markup_in_names_is_text_in_the_page(hostile):
    page = (hostile / "report.html").read_text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "&lt;script&gt;alert(2)&lt;/script&gt;" in page
    assert not re.search(r"<script|<img src=x|<b>CISO|onerror=alert\(1\)>", page)
    assert "{{ 7*7 }}" in page and "49" not in re.findall(r"<th scope=\"row\"[^>]*>([^<]*)</th>", page)


def test_a_name_that_a_spreadsheet_would_run_is_neutralised_in_findings_csv(hostile):
    rows = list(csv.reader(io.StringIO((hostile / "findings.csv").read_text(), newline="")))
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.lstrip(" ")[:1] in tuple("=+-@\t\r") and cell.strip()]
    assert {"'=cmd|'/C calc'!A0", "'+1", "'-2", "'@SUM(A1)", 'o"neil', "NA", "007", "a,b"} <= set(cells)


def test_names_in_the_summary_are_as_aws_gave_them(hostile):
    found = {one["user"].strip() for one in summary(hostile)["findings"] if one["control"] == "rotation"}
    assert found == {name.strip() for name in HOSTILE}


def test_evidence_of_hostile_names_verifies(hostile):
    assert verified(hostile) == (0, f"OK  {hostile}\n")


# --- capture folders ---------------------------------------------------------------------------------------------


def captured(folder: Path, account: str, content: str | None, **facts: object) -> None:
    """The folder of one account in a capture."""
    told = {"account_id": account, "file": "credential-report.csv", "received_time": AS_OF, "generated_time": AS_OF}
    if content is not None:
        told["sha256"] = digest(content.encode())
    write(folder, "capture.json", json.dumps({**told, "problems": [], **facts}))
    if content is not None:
        write(folder, "credential-report.csv", content)


@pytest.fixture(scope="module")
def captures(tmp_path_factory) -> Path:
    """Evidence of five capture folders: as AWS sent it, with hostile ids, with nothing but a hostile id that was
    expected, with odd files, and with two accounts that give their reports the same source; and of two files of one
    name."""

    def make(folder: Path) -> None:
        captured(folder / "good" / ACCOUNT, ACCOUNT, FAILING, calls=[{"request_id": "r-1"}])
        write(folder / "good", f"{ACCOUNT}/inventory.json", '{"users": []}')
        captured(folder / "good" / OTHER, OTHER, None, problems=["iam:GetCredentialReport was denied"])
        write(folder / "good", "accounts.json", json.dumps({"expected": [ACCOUNT, OTHER, THIRD]}))
        captured(folder / "evil" / "prod", "../../evil", CLEAN, file="../../../secret.txt", source="../../x.csv")
        captured(folder / "evil" / "test", "/tmp/evil", report(("eve", FRESH), account=ACCOUNT))
        captured(folder / "evil" / "none", "../../evil", None)
        digits = "٤٤٤٤٥٥٥٥٦٦٦٦"  # digits, but not those of an account id
        captured(folder / "evil" / digits, digits, report(("eve", FRESH), account=digits))
        captured(folder / "odd" / OTHER, OTHER, CLEAN)
        for name in ("two\nlines.json", "back\\slash.json", "'quoted' \u202e.json"):
            write(folder / "odd" / OTHER, name, "{}")
        write(folder / "odd", "accounts.json", json.dumps({"expected": [OTHER]}))
        write(folder / "evil", "accounts.json", json.dumps({"expected": ["../../evil", "/etc/evil"]}))
        write(folder, "secret.txt", report(("mallory", FRESH), account=THIRD))
        write(folder / "void", "accounts.json", json.dumps({"expected": ["../../evil"]}))
        for name, account in (("prod", ACCOUNT), ("dev", OTHER)):
            content = report(("alice", FRESH), account=account)
            captured(folder / "twins" / name, account, content, source="report.csv", generated_time=None)
            write(folder / name / "same", "report.csv", content)
        runs = [
            (report_on(folder / "r-good", folder / "good", as_of="", options=WHOLE), 1),
            (report_on(folder / "r-evil", folder / "evil", options=WHOLE), 3),
            (report_on(folder / "r-void", folder / "void"), 3),
            (report_on(folder / "r-odd", folder / "odd"), 0),
            (report_on(folder / "r-twins", folder / "twins"), 0),
            (report_on(folder / "r-names", *(folder / n / "same" / "report.csv" for n in ("prod", "dev"))), 0),
        ]
        with ThreadPoolExecutor(2) as pool:
            done = pool.map(lambda run: keyaudit(*run[0]), runs)
        codes = {str(run[0][-1].name): [one.returncode, run[1]] for run, one in zip(runs, done, strict=True)}
        write(folder, "codes.json", json.dumps(codes))

    return once(tmp_path_factory, "captures", make)


@pytest.mark.parametrize("reports", ["r-good", "r-evil", "r-void", "r-odd", "r-twins", "r-names"])
def test_a_capture_exits_with_the_code_of_its_conclusion(captures, reports):
    code, expected = json.loads((captures / "codes.json").read_text())[reports]
    assert code == expected


def test_a_capture_is_kept_file_by_file_as_it_is_but_for_what_it_has_no_digest_of(captures):
    folder = only(captures / "r-good")
    source = files(captures / "good" / ACCOUNT)
    del source["inventory.json"]
    kept = {name.partition("/")[2]: content for name, content in raw(folder).items() if name.startswith(ACCOUNT)}
    assert kept == source


def test_accounts_that_were_denied_or_are_not_there_are_failed_and_insufficient_data(captures):
    folder = only(captures / "r-good")
    assert manifest(folder)["accounts"] == {
        "expected": [ACCOUNT, OTHER, THIRD],
        "read": [ACCOUNT],
        "failed": [OTHER, THIRD],
    }
    found = {one["account_id"]: (one["conclusion"], one["problems"]) for one in summary(folder)["accounts"]}
    assert found[OTHER][0] == found[THIRD][0] == "INSUFFICIENT_DATA"
    assert "iam:GetCredentialReport was denied" in " ".join(found[OTHER][1])


def test_an_id_that_is_not_12_digits_never_becomes_part_of_a_path(captures):
    for reports in ("r-evil", "r-void"):
        folder = only(captures / reports)
        for path in (folder, *folder.rglob("*")):
            assert "evil" not in path.name.removeprefix("r-evil")
        assert {path.name for path in (folder / "raw").iterdir()} <= {
            "accounts.json",
            ACCOUNT,
            OTHER,
            *(f"unknown-{number}" for number in range(1, 6)),
        }
    assert not list(captures.parent.rglob("evil-*")) and not (captures.parent / "evil").exists()


def test_a_link_in_a_capture_is_refused_and_leaves_nothing(tmp_path):
    write(tmp_path, "secret.txt", report(("mallory", FRESH), account=THIRD))
    captured(tmp_path / "cap" / OTHER, OTHER, CLEAN)
    (tmp_path / "cap" / OTHER / "link.json").symlink_to(tmp_path / "secret.txt")
    done = keyaudit(*report_on(tmp_path / "reports", tmp_path / "cap"))
    assert "a link in a capture folder" in refused(done, 2)
    assert not (tmp_path / "reports").exists()


def test_sha256sum_verifies_a_capture_whatever_its_files_are_called(captures):
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"],
        cwd=only(captures / "r-odd"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_file_named_in_a_capture_is_never_followed_out_of_its_folder(captures):
    folder = only(captures / "r-evil")
    assert THIRD not in [one["account_id"] for one in summary(folder)["accounts"]]
    assert not [name for name, content in files(folder).items() if b"mallory" in content]


@pytest.mark.parametrize("reports", ["r-good", "r-evil", "r-void", "r-odd", "r-twins", "r-names"])
def test_evidence_of_a_capture_or_of_files_with_one_name_verifies(captures, reports):
    folder = only(captures / reports)
    code, said = verified(folder)
    assert code == 0 and said.startswith(f"OK  {folder}\n")
    assert said.count("\n") == 1 or "-brief-" in folder.name


# --- the command or its input is wrong: 2, and nothing is left behind --------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("-p", "polcy", "x"), ("polcy", "policy")),
        (("-p", "sauce", "x"), ("sauce", "source")),
        (("--notebook", "key_rotatoin"), ("key_rotatoin", "key_rotation")),
        (("--policy", "policy-that-is-not.toml"), ("policy-that-is-not.toml", "no such file")),
        (("--as-of", "2026-11-23"), ("--as-of", "2026-11-23T00:00:00Z", "2026-11-23T23:59:59Z")),
    ],
)
def test_what_the_command_does_not_know_is_refused_naming_it_and_leaves_nothing(tmp_path, options, words):
    write(tmp_path, "report.csv", CLEAN)
    said = refused(keyaudit("report", tmp_path / "report.csv", *options, "-o", tmp_path / "reports"), 2)
    assert all(word in said for word in words), said
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("value", ["2020", "2020-01-01", "soon"])
def test_a_mistyped_as_of_parameter_is_refused_and_not_dropped(tmp_path, value):
    write(tmp_path, "report.csv", CLEAN)
    asked = report_on(tmp_path / "reports", tmp_path / "report.csv", as_of="", options=("-p", "as_of", value))
    said = refused(keyaudit(*asked), 2)
    assert "as_of" in said
    assert not (tmp_path / "reports").exists()


def test_an_as_of_parameter_beside_another_as_of_is_not_dropped_in_silence(tmp_path):
    write(tmp_path, "report.csv", CLEAN)
    options = ("-p", "as_of", "2026-11-10T00:00:00Z")
    said = refused(keyaudit(*report_on(tmp_path / "reports", tmp_path / "report.csv", options=options)), 2)
    assert "as_of" in said


def test_a_source_that_is_no_report_is_refused_and_leaves_earlier_evidence_alone(tmp_path, evidence):
    reports = tmp_path / "reports"
    shutil.copytree(evidence.parent, reports)
    before = files(reports)
    write(tmp_path, "credentials", UNREADABLE["credentials"])
    said = refused(keyaudit(*report_on(reports, tmp_path / "credentials")), 2)
    assert "credentials" in said and SECRET not in said
    assert files(reports) == before and leftovers(reports) == []


def test_two_reports_of_one_account_are_refused_and_leave_nothing(tmp_path):
    write(tmp_path, "a.csv", CLEAN)
    write(tmp_path, "b.csv", CLEAN + "\n")
    said = refused(keyaudit(*report_on(tmp_path / "reports", tmp_path / "a.csv", tmp_path / "b.csv")), 2)
    assert "a.csv" in said and "b.csv" in said and not (tmp_path / "reports").exists()


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_an_instant_at_the_ends_of_the_calendar_is_no_failure_of_keyaudit(tmp_path, moment):
    write(tmp_path, "report.csv", CLEAN)
    done = keyaudit("check", tmp_path / "report.csv", "--policy", "cis", "--as-of", moment)
    assert done.returncode in (2, 3), done.stderr.decode()
    assert b"keyaudit itself failed" not in done.stderr


def test_a_source_whose_name_is_not_utf_8_is_judged_or_refused_but_no_failure_of_keyaudit(tmp_path):
    name = os.fsdecode(b"report-\xff.csv")
    write(tmp_path, name, CLEAN)
    done = keyaudit("check", "-f", "json", tmp_path / name, "--policy", "cis", "--as-of", AS_OF)
    assert done.returncode in (0, 2), done.stderr.decode(errors="replace")


# --- notebooks of one's own --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory) -> Path:
    """Runs of notebooks of one's own; ``<name>.json`` has exit code and stderr, ``r-<name>`` is the reports folder."""
    cells = {
        "fails": (JUDGED, "1 / 0"),
        "silent": ("import keyaudit as ka\na = ka.audit(source, policy, as_of)",),
        "elsewhere": (JUDGED.replace("as_of)", "'2026-01-01T00:00:00Z')"),),
        "extends": (JUDGED, "assert rows == 7\nopen('own.csv', 'w').write('1')"),
        "litters": (JUDGED, "import os\nos.mkdir('plots')\nos.symlink('/etc/hostname', 'host')"),
        "raw": (JUDGED, f"open('raw/{OTHER}/credential-report.csv', 'a').write('\\n')"),
        "data": (JUDGED, "for name in ('findings.csv', 'policy.toml'):\n    open(name, 'a').write('\\n')"),
    }

    def run(folder: Path, name: str) -> None:
        file = notebook(folder, name, *cells[name])
        options = ("--notebook", file, *(("-p", "rows", "7") if name == "extends" else ()))
        asked = report_on(folder / f"r-{name}", folder / "report.csv", policy=folder / "p.toml", options=options)
        done = keyaudit(*asked)
        told = {"code": done.returncode, "said": done.stderr.decode()}
        write(folder, f"{name}.json", json.dumps(told))

    def make(folder: Path) -> None:
        write(folder, "report.csv", CLEAN)
        write(folder, "p.toml", 'title = "standard"\nmax_access_key_age = 90\n')
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda name: run(folder, name), cells))

    return once(tmp_path_factory, "notebooks", make)


def ran(notebooks: Path, name: str) -> tuple[int, str, Path]:
    told = json.loads((notebooks / f"{name}.json").read_text())
    return told["code"], told["said"], notebooks / f"r-{name}"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("fails", "ZeroDivisionError"),
        ("silent", "no bottom line"),
        ("elsewhere", "another judgement"),
    ],
)
def test_a_notebook_that_fails_or_proves_nothing_exits_with_4_and_leaves_no_evidence(notebooks, name, reason):
    code, said, reports = ran(notebooks, name)
    assert code == 4 and said.count("\n") == 1 and "Traceback" not in said
    assert reason.lower() in said.lower()
    assert not list(reports.rglob("SHA256SUMS"))
    kept = leftovers(reports)
    assert len(kept) == 1 and re.fullmatch(rf"\.failed-2026-11-23T000000Z-{name}-{OTHER}-[0-9a-f]+", kept[0])
    assert kept[0] in said


def test_a_failed_run_is_kept_with_the_notebook_as_executed_and_the_error_in_it(notebooks):
    _, _, reports = ran(notebooks, "fails")
    executed = json.loads((reports / leftovers(reports)[0] / "report.ipynb").read_text())
    outputs = [output for cell in executed["cells"] for output in cell.get("outputs", [])]
    assert "ZeroDivisionError" in [output.get("ename") for output in outputs]


def test_a_notebook_of_ones_own_gives_the_folder_its_name_and_the_manifest_its_parameters(notebooks):
    code, _, reports = ran(notebooks, "extends")
    folder = only(reports)
    assert code == 0 and folder.name == f"2026-11-23T000000Z-extends-{OTHER}"
    assert manifest(folder)["parameters"]["rows"] == 7
    assert manifest(folder)["notebook"]["sha256"] == digest((notebooks / "extends.ipynb").read_bytes())
    assert "own.csv" in [one["path"] for one in manifest(folder)["files"]]


@pytest.mark.parametrize("name", ["extends", "litters", "raw", "data"])
def test_whatever_a_notebook_does_to_its_folder_what_is_sealed_verifies(notebooks, name):
    """A notebook may add files; where it has changed the data or left what verify refuses, there is no evidence."""
    code, _, reports = ran(notebooks, name)
    folders = [path.parent for path in reports.rglob("SHA256SUMS")]
    assert code == (0 if folders else 4)
    assert [verified(folder)[0] for folder in folders] == [0] * len(folders)


@pytest.mark.parametrize("name", ["raw", "data"])
def test_a_notebook_that_changes_the_evidence_that_it_reads_leaves_none(notebooks, name):
    code, _, reports = ran(notebooks, name)
    assert code == 4
    assert not list(reports.rglob("SHA256SUMS"))


def test_files_that_a_notebook_writes_are_private_too(notebooks):
    _, _, reports = ran(notebooks, "extends")
    assert stat.S_IMODE((only(reports) / "own.csv").stat().st_mode) == 0o600


def test_a_notebook_that_is_none_is_refused(tmp_path):
    write(tmp_path, "report.csv", CLEAN)
    write(tmp_path, "mine.ipynb", "{")
    asked = report_on(tmp_path / "r", tmp_path / "report.csv", options=("--notebook", tmp_path / "mine.ipynb"))
    assert "mine.ipynb" in refused(keyaudit(*asked), 2)
    assert not (tmp_path / "r").exists()


def test_a_parameter_that_a_notebook_of_ones_own_does_not_know_is_refused_naming_the_nearest(tmp_path):
    write(tmp_path, "report.csv", CLEAN)
    options = ("--notebook", notebook(tmp_path, "mine", JUDGED, parameters=PARAMETERS), "-p", "row", "7")
    said = refused(keyaudit(*report_on(tmp_path / "r", tmp_path / "report.csv", options=options)), 2)
    assert "'row'" in said and "nearest: rows" in said
    assert not (tmp_path / "r").exists()


# --- the kernel -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("folder", "transport"), [("t", "ipc"), ("t" * 100, "tcp")])
def test_the_kernel_listens_where_no_other_run_can_be(tmp_path, folder, transport):
    """A port of TCP may be taken by another run before the kernel has it: many runs at once then fail now and then.
    The path of a socket has its longest, too."""
    write(tmp_path, "report.csv", FAILING)
    says = "from ipykernel.kernelapp import IPKernelApp\nprint('listens by', IPKernelApp.instance().transport)"
    asked = report_on(
        tmp_path / "reports",
        tmp_path / "report.csv",
        options=("--notebook", notebook(tmp_path, "where", says, JUDGED)),
    )
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        temporary = Path(short, folder)
        temporary.mkdir()
        evidence = made(*asked, code=1, env=os.environ | {"TMPDIR": str(temporary)})
        assert list(temporary.iterdir()) == []
    assert f"listens by {transport}" in (evidence / "report.ipynb").read_text(encoding="utf-8")


def test_a_forked_kernel_has_nothing_of_the_run_that_it_was_forked_from(tmp_path):
    """Neither its open files, and the locks with them, nor its modules' state, nor its terminal."""
    write(tmp_path, "report.csv", CLEAN)
    says = """
import os, pathlib, signal, sys
links = []
for place in pathlib.Path("/proc/self/fd").iterdir():
    if place.is_symlink():  # but for the one by which the list is read
        links.append(os.readlink(place))
assert links and not [one for one in links if one.endswith(".lock")], links
assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
assert "papermill" in sys.modules, "this kernel was not forked"
print(os.path.basename(os.getcwd()))
"""
    looks = notebook(tmp_path, "looks", JUDGED, says)
    folder = made(*report_on(tmp_path / "reports", tmp_path / "report.csv", options=["--notebook", looks]), code=0)
    assert ".staging-" in (folder / "report.ipynb").read_text()


def test_what_the_run_had_open_is_no_danger_to_a_forked_kernel_when_it_goes_away(tmp_path):
    """Connections of a capture, say: the kernel's own have other numbers."""
    write(tmp_path, "report.csv", CLEAN)
    opens = "import builtins, socket\nbuiltins.held = [socket.socket() for _ in range(50)]"
    closes = "import builtins, gc\nbuiltins.held.clear()\ngc.collect()"
    ends = notebook(tmp_path, "ends", JUDGED, closes, "print('alive')")
    asked = list(map(str, report_on(tmp_path / "r", tmp_path / "report.csv", options=["--notebook", ends])))
    done = forked(asked, dict(os.environ), PROCESS_DEADLINE, first=opens)
    assert done.returncode == 0, done.stderr


def without_arns(text: str) -> str:
    """A report that does not tell its account."""
    return "\n".join(
        ",".join(cell for place, cell in enumerate(line.split(",")) if place != 1) for line in text.split("\n")
    )


@pytest.mark.parametrize(
    "content",
    [
        "hello",
        without_arns(report(("bob", FRESH), ("bob", FRESH))),
        report(("bob", "true yesterday N/A"), account="777788889999"),
    ],
    ids=["no report", "refused, without ARNs", "refused, of another account than its capture says"],
)
def test_one_account_that_cannot_be_read_costs_no_evidence_of_the_others(tmp_path, content):
    folder = capture(
        tmp_path / "capture", [ACCOUNT, OTHER], a111122223333=report(("alice", FRESH)), a444455556666=content
    )
    evidence = made(*report_on(tmp_path / "reports", folder), code=3)
    assert verified(evidence)[0] == 0
    assert manifest(evidence)["conclusion"] == "INSUFFICIENT_DATA"
    # what it is cannot be known, so it is not here
    assert not [path for path in (evidence / "raw").rglob("*.csv") if path.parent.name != ACCOUNT]
