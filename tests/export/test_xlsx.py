"""The workbook: text is text whatever it looks like, times are times, nothing runs, and it is what findings.csv says."""

from __future__ import annotations

import csv
import io
import subprocess
from dataclasses import replace
from datetime import UTC, datetime

import openpyxl
import pytest
from conftest import ACCOUNT, FRESH, OLD, OTHER, capture, report
from handing import NAME, SEAL, proved, renamed

import keyaudit
from keyaudit.export.cells import Sheet
from keyaudit.export.tabular import findings_csv
from keyaudit.export.xlsx import made, refuse_long
from keyaudit.model import Call
from keyaudit.schema import COMPLIANCE_TYPES, FINDING_COLUMNS, InputError

POLICY = """\
max_access_key_age = 90
max_credential_usage_age = 45
max_active_keys = 1
[[exemption]]
id = "EXC-1"
users = ["legacy"]
controls = ["rotation"]
reason = "vendor appliance"
approved_by = "CISO"
expires = 2026-12-31
"""
#: what a spreadsheet might run, follow, count or not show; and what XLSX itself has a meaning for
HOSTILE = (
    "=1+1", "@SUM(A1)", "+1", "-2", "'apostrophe", "007", "1e5", "TRUE", "2026-01-01", "https://example.com",
    "mailto:a@example.com", "_x0041_", "<b>&amp;", '"quoted"', "{=1}", "＝1", "한글 이름", "x" * 40_000,
    "한" * 40_000, "\U0001f511" * 20_000,
)  # fmt: skip
#: what cannot be seen is shown by its code
UNSEEN = {"a\x00b": "a\\x00b", "a\nb": "a\\nb", "a\x1b[31mb": "a\\x1b[31mb", "\u202eabc": "\\u202eabc"}


def naive(*parts: int) -> datetime:
    """An instant as a spreadsheet has it: without a zone."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)


def opened(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def table(sheet) -> list[dict[str, object]]:
    """The rows of a sheet by their headings."""
    headings, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(headings, cells, strict=True)) for cells in rows]


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workbook")
    (folder / "policy.toml").write_text(f'title = "standard"\n{POLICY}')
    users = [("alice", FRESH), ("bob", OLD, FRESH), ("legacy", OLD), ("gone", OLD.replace("true", "false"))]
    text = report(*users, root=(FRESH,))
    reports = capture(folder / "capture", [ACCOUNT, OTHER], **{f"a{ACCOUNT}": text})
    return keyaudit.audit(reports, str(folder / "policy.toml"), "2026-11-23T00:00:00Z")


@pytest.fixture(scope="module")
def book(judged):
    at = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)
    calls = (Call(ACCOUNT, "iam:ListUsers", at, "", "ok", "request-1", 2),)
    return opened(made(proved(judged, calls)).content)


def test_its_sheets_answer_first_and_then_say_what_that_rests_on(book, judged):
    names = ["Summary", "Keys", "Findings", "Accounts", "Exemptions", "Policy", "Sources"]
    assert book.sheetnames == names
    told = dict(book["Summary"].iter_rows(values_only=True))
    assert told["Conclusion"] == judged.conclusion == "NON_COMPLIANT"
    assert told["In one sentence"].startswith("NON_COMPLIANT: 1 of 5 active access keys was not rotated within its")
    assert "in 1 account (1 more was not read)" in told["In one sentence"]
    assert "Assurance, " in told["How far it reaches"] and OTHER in told["How far it reaches"]
    assert told["Judged as of (UTC)"] == naive(2026, 11, 23)
    assert (told["Evidence folder"], told["SHA-256 of its seal"]) == (NAME, SEAL)
    assert f"keyaudit verify {NAME}" in told["How to verify"]
    assert "fetch a new report" in told["Before you act"]
    assert (
        told["Rotation"]
        == "NON_COMPLIANT (1 NON_COMPLIANT, 1 INSUFFICIENT_DATA, 1 EXEMPT, 3 COMPLIANT, 1 NOT_APPLICABLE)"
    )


def test_each_key_has_its_verdicts_and_what_to_do_by_when(book):
    keys = {(one["User"], one["Key"]): one for one in table(book["Keys"])}
    bob, twin, legacy, root = (keys[one] for one in (("bob", 1), ("bob", 2), ("legacy", 1), ("<root_account>", 1)))
    assert len(keys) == 6
    assert (bob["Account"], bob["Status"], bob["Rotation"]) == (ACCOUNT, "Active", "NON_COMPLIANT")
    assert bob["Active keys per user"] == twin["Active keys per user"] == "NON_COMPLIANT"
    assert bob["Root user keys"] is None and root["Root user keys"] == "NON_COMPLIANT"
    assert (legacy["Rotation"], keys["gone", 1]["Rotation"]) == ("EXEMPT", "NOT_APPLICABLE")
    assert bob["Last rotated (UTC)"] == naive(2026, 3, 1)
    assert bob["Due (UTC)"] == naive(2026, 5, 30)
    assert bob["Last used (UTC)"] == naive(2026, 11, 20)
    assert (bob["Age (days)"], bob["Limit (days)"], bob["Days over"]) == (267, 90, 177)
    assert legacy["What to do (fetch a new report first)"] is None
    assert root["By when"].startswith(("1) now", "now"))
    assert "key 1" in bob["What to do (fetch a new report first)"]
    assert next(iter(keys)) == ("bob", 1)


def test_its_findings_are_those_of_findings_csv(book, judged):
    rows = list(csv.DictReader(io.StringIO(findings_csv(judged).decode())))
    told = table(book["Findings"])
    assert [name.removesuffix(" (UTC)") for name in told[0]] == list(FINDING_COLUMNS)
    for one, cells in zip(rows, told, strict=True):
        for (name, cell), want in zip(cells.items(), one.values(), strict=True):
            seen = f"{cell.isoformat()}Z" if isinstance(cell, datetime) else "" if cell is None else str(cell)
            assert seen == want, name


def test_accounts_exemptions_policy_and_sources_are_there(book, judged):
    accounts = {one["Account"]: one for one in table(book["Accounts"])}
    assert accounts[ACCOUNT]["Overdue"] == 1 and accounts[ACCOUNT]["Conclusion"] == "NON_COMPLIANT"
    assert accounts[OTHER]["Conclusion"] == "not read" and OTHER in accounts[OTHER]["What is missing"]
    (exemption,) = table(book["Exemptions"])
    assert (exemption["Exemption"], exemption["State"], exemption["Findings"]) == ("EXC-1", "in use", 1)
    terms = {one["Term"]: one["Value"] for one in table(book["Policy"])}
    assert (terms["max_access_key_age"], terms["sha256"]) == ("90", judged.policy.sha256)
    lines = [value for term, value in terms.items() if ", line " in term]
    assert "\n".join(line or "" for line in lines) == judged.policy.content.decode().rstrip("\n")
    file, call, version = table(book["Sources"])
    assert (file["Name"], file["Bytes"], file["SHA-256"]) == ("findings.csv", 1234, SEAL)
    assert (call["Name"], call["Time (UTC)"], call["Retries"]) == (
        "iam:ListUsers",
        naive(2026, 11, 22, 23, 59),
        2,
    )
    assert (version["Name"], version["Version"]) == ("keyaudit", "0.4.0")


def test_nothing_in_it_runs_and_it_is_filtered_frozen_and_printed_with_its_seal(book):
    for sheet in book:
        assert {cell.data_type for cells in sheet.iter_rows() for cell in cells} <= {"s", "n", "d", "inlineStr"}
        assert not sheet._hyperlinks
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.oddHeader.left.text == NAME and SEAL in sheet.oddFooter.left.text
        assert all(one.width <= 61 for one in sheet.column_dimensions.values())
        if sheet.title != "Summary":
            assert sheet.auto_filter.ref == sheet.dimensions
            assert sheet.freeze_panes and sheet.print_title_rows == "$1:$1"
    assert book.properties.created == naive(2026, 11, 23)


def test_conclusions_have_a_colour_besides_the_word(book):
    seen = {}
    for cells in book["Keys"].iter_rows(min_row=2):
        seen |= {cell.value: cell.fill.fgColor.rgb for cell in cells if cell.value in COMPLIANCE_TYPES}
    assert len(seen) == len(set(seen.values())) == 4


def test_hostile_names_stay_text(judge, policy):
    users = [f"u{number}" for number in range(len(HOSTILE) + len(UNSEEN))]
    names = dict(zip(users, [*HOSTILE, *UNSEEN], strict=True))
    judged = judge(report(*((user, OLD) for user in users)), policy(POLICY))
    owned = renamed(renamed(judged, owner={user: names[user] for user in users}), user=names)
    book = opened(made(proved(owned)).content)
    for sheet in book:
        assert "f" not in {cell.data_type for cells in sheet.iter_rows() for cell in cells}
    told = table(book["Keys"])
    assert len(told) == len(users)
    for column in ("User", "Owner"):
        cells = {str(one[column]).replace("_x005F_", "_") for one in told}
        for name in HOSTILE:
            whole = {cell for cell in cells if cell == name or (" … (cut here: " in cell and cell[:9] == name[:9])}
            assert whole, name[:20]
            assert all(len(cell.encode("utf-16-le")) // 2 <= 32_767 for cell in whole)
        assert cells >= set(UNSEEN.values())


def test_the_same_evidence_gives_the_same_bytes(judged):
    first, second = made(proved(judged)), made(proved(judged))
    assert first == second and first.content[:2] == b"PK"


@pytest.mark.parametrize(
    ("due", "cell"),
    [
        (datetime(9999, 12, 31, tzinfo=UTC), naive(9999, 12, 31)),
        (datetime(1899, 1, 1, tzinfo=UTC), "1899-01-01T00:00:00Z"),
    ],
)
def test_a_date_that_no_spreadsheet_knows_is_text(judge, due, cell):
    judged = judge(report(("bob", OLD)), "cis")
    dated = replace(judged, keys=judged.keys.assign(due=[due] * len(judged.keys)))
    (told,) = table(opened(made(proved(dated)).content)["Keys"])
    assert told["Due (UTC)"] == cell


def test_more_rows_than_a_sheet_holds_are_refused_by_the_name_of_findings_csv():
    fits, long = (Sheet("Findings", ("user",), range(number)) for number in (1_048_575, 1_048_576))
    refuse_long([fits])
    with pytest.raises(InputError, match=r"1,048,576 rows \(Findings\).*: use findings.csv"):
        refuse_long([fits, long])


@pytest.mark.sampled(0)  # LibreOffice is 300 MB, which make test-all sets up: for a nightly run
def test_libreoffice_opens_it(judged, tmp_path):
    (tmp_path / "book.xlsx").write_bytes(made(proved(judged)).content)
    words = ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", "csv"]
    done = subprocess.run(
        [*words, "--outdir", tmp_path, tmp_path / "book.xlsx"], capture_output=True, check=False, timeout=110
    )
    told = (tmp_path / "book.csv").read_text(encoding="utf-8")
    assert "NON_COMPLIANT" in told and SEAL in told, done.stderr
