"""Reading credential reports: every form people have them in; nothing is coerced, dropped or repeated.

Facts about the report are from DOMAIN.md ("The credential report"), what is refused from DESIGN.md.
"""

from __future__ import annotations

import base64
import codecs
import gzip
import json
from datetime import date, datetime

import pytest
from conftest import (
    ACCOUNT,
    AS_OF,
    CUT,
    FRESH,
    HEADER,
    IS_NIGHTLY,
    NO_KEY,
    OLD,
    ROOT,
    csv_of,
    report,
    row,
    said,
    verdicts,
    write,
)
from evidence_helpers import SECRET
from forms import THREE, USUAL, base64_of, cli_json, refusal

import keyaudit
from keyaudit import InputError
from keyaudit.credentials.times import read_instants

# --- forms ----------------------------------------------------------------------------------------------------
FORMS = {
    "as AWS sends it": THREE,
    "final newline": THREE + "\n",
    "several final newlines": THREE + "\n\n\n",
    "CRLF": THREE.replace("\n", "\r\n") + "\r\n",
    "UTF-8 with a mark": codecs.BOM_UTF8 + THREE.encode(),
    "UTF-16 little end": codecs.BOM_UTF16_LE + THREE.encode("utf-16-le"),
    "UTF-16 big end": codecs.BOM_UTF16_BE + THREE.encode("utf-16-be"),
    "quoted": "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in THREE.split("\n")),
    "quoted, with a mark and CRLF": codecs.BOM_UTF8
    + THREE.replace("\nalice,", '\n"alice",').replace("\n", "\r\n").encode(),
    "base64": base64_of(THREE),
    "base64 in lines": "\r\n".join(base64_of(THREE)[at : at + 76] for at in range(0, len(base64_of(THREE)), 76)),
    "base64 in quotes": f'"{base64_of(THREE)}"\n',
    "base64 in UTF-16": codecs.BOM_UTF16_LE + base64_of(THREE).encode("utf-16-le"),
    "base64 of CRLF": base64_of(THREE.replace("\n", "\r\n")),
    "the CLI's JSON": cli_json(THREE),
    "the CLI's JSON, indented, with a mark": codecs.BOM_UTF8
    + json.dumps(json.loads(cli_json(THREE)), indent=4).encode(),
    "the CLI's JSON in UTF-16": codecs.BOM_UTF16_BE + cli_json(THREE).encode("utf-16-be"),
    "AWS's words in capitals": THREE.replace(",true,", ",TRUE,").replace(",false,", ",FALSE,"),
    "AWS's words as pandas writes them": THREE.replace(",true,", ",True,").replace(",false,", ",False,"),
    "old offsets": THREE.replace("00Z", "00+00:00"),
    "fractions of a second": THREE.replace("00Z", "00.123456Z"),
    "columns in any order": csv_of([row(ROOT), row("alice", OLD), row("bob", FRESH)], HEADER[::-1]),
    "unknown columns": csv_of(
        [one | {"new": "x"} for one in (row(ROOT), row("alice", OLD), row("bob", FRESH))], [*HEADER, "new"]
    ),
    "root in the last row": csv_of([row("alice", OLD), row("bob", FRESH), row(ROOT)]),
    "cut to seven columns": report(("alice", OLD), ("bob", FRESH), columns=CUT),
    "an empty 23rd column": csv_of(
        [one | {"additional_credentials_info": "N/A"} for one in (row(ROOT), row("alice", OLD), row("bob", FRESH))],
        [*HEADER, "additional_credentials_info"],
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_that_people_save_reads_the_same_without_a_warning(judge, form):
    audit = judge(FORMS[form])
    assert verdicts(audit, "rotation") == USUAL
    assert audit.warnings == ()
    assert list(audit.users["user"]).count(ROOT) == 1 and len(audit.users) == 3


def test_each_key_has_its_own_place_of_last_use_and_n_a_is_none(judge):
    where = {
        f"access_key_{slot}_last_used_{what}": f"{what}-{slot}" for slot in (1, 2) for what in ("region", "service")
    }
    nowhere = dict.fromkeys(where, "N/A")
    text = csv_of([row(ROOT), row("alice", FRESH, FRESH, **where), row("bob", FRESH, FRESH, **nowhere)])
    keys = judge(text).keys
    cells = list(zip(keys["last_used_region"].tolist(), keys["last_used_service"].tolist(), strict=True))
    assert cells[:2] == [("region-1", "service-1"), ("region-2", "service-2")]
    assert keys[["last_used_region", "last_used_service"]].isna().to_numpy().tolist()[2:] == [[True, True]] * 2


def test_rows_keep_the_names_and_values_of_the_report(judge):
    audit = judge(THREE.replace("\n", "\r\n"))
    assert list(audit.users["user"]) == [ROOT, "alice", "bob"]
    assert audit.users["mfa_active"].tolist() == [False, False, False]
    assert audit.users["cert_2_active"].notna().all()
    assert list(audit.users.columns[1:-1]) == HEADER
    assert audit.keys[["user", "key_slot", "status"]].values.tolist() == [
        ["alice", 1, "Active"],
        ["bob", 1, "Active"],
    ]


@pytest.mark.parametrize(
    "name", ["NA", "N/A", "null", "007", "nan", "NaN", "None", "1e5", "TRUE", "true", "inf", "-1", "", "2026-01-01"]
)
def test_a_user_name_is_a_string_whatever_it_looks_like(judge, name):
    if not name:
        assert "empty user name" in refusal(judge, report(("", OLD)))
        return
    audit = judge(report((name, OLD)))
    assert list(audit.users["user"]) == [ROOT, name]
    assert list(audit.keys["user"]) == [name]
    assert verdicts(audit, "rotation") == {(name, 1): "NON_COMPLIANT"}


def test_a_comma_in_a_quoted_name_is_part_of_the_name(judge):
    quoted = row('"smith,alice"', OLD, arn=f'"arn:aws:iam::{ACCOUNT}:user/smith,alice"')
    audit = judge(csv_of([row(ROOT), quoted]))
    assert list(audit.keys["user"]) == ["smith,alice"]
    assert list(audit.keys["arn"]) == [f"arn:aws:iam::{ACCOUNT}:user/smith,alice"]
    assert audit.warnings == ()


def test_a_comma_in_an_unquoted_name_is_refused_with_the_remedy(judge):
    message = refusal(judge, report(("smith,alice", OLD), columns=CUT))
    assert "line 3" in message and "8 of 7 fields" in message and "export the report whole" in message


INSTANTS = {
    "2026-08-25T00:00:00Z": "2026-08-25T00:00:00+00:00",
    "2026-08-25T00:00:00+00:00": "2026-08-25T00:00:00+00:00",
    "2026-08-25T09:00:00+09:00": "2026-08-25T00:00:00+00:00",
    "2026-08-25T09:00:00+0900": "2026-08-25T00:00:00+00:00",
    "2026-08-24T23:30:00-00:30": "2026-08-25T00:00:00+00:00",
    "2026-08-25T00:00:00.5Z": "2026-08-25T00:00:00.500000+00:00",
    "2026-08-25T00:00:00.000001Z": "2026-08-25T00:00:00.000001+00:00",
    "2026-08-25T00:00:00.123456789Z": "2026-08-25T00:00:00.123456+00:00",
    "2026-08-25T00:00:00z": "2026-08-25T00:00:00+00:00",
}


@pytest.mark.parametrize("cell", INSTANTS)
def test_a_time_with_a_zone_is_that_instant_in_utc(judge, cell):
    audit = judge(report(("alice", f"true {cell} N/A"), ("bob", FRESH)))
    assert audit.keys["last_rotated"].iloc[0].isoformat() == INSTANTS[cell]
    assert audit.warnings == ()


def test_a_time_without_a_zone_is_read_as_utc_and_said(judge):
    audit = judge(report(("alice", "true 2026-08-25T00:00:00 N/A"), ("bob", FRESH)))
    assert audit.keys["last_rotated"].iloc[0].isoformat() == "2026-08-25T00:00:00+00:00"
    assert "line 3, access_key_1_last_rotated: a time without a zone, read as UTC" in audit.warnings[0]


NO_TIMES = {
    "15.03.2026": "a day of a spreadsheet",
    "3/1/2026": "a day of a spreadsheet",
    "2026-03-01": "a day is not an instant",
    "2026-03-01T09:00Z": "no seconds",
    "2026-02-30T00:00:00Z": "no such day",
    "2026-13-01T00:00:00Z": "no such month",
    "2026-03-01T24:00:00Z": "no such hour",
    "2026-03-01T23:59:60Z": "a leap second",
    "2026-03-01T09:00:00+99:00": "no such offset",
    "１2026-3-1T00:00:00Z": "fullwidth digits",
    "２０２６-03-01T00:00:00Z": "fullwidth digits",
    "1772355600": "epoch seconds",
    "45717.375": "a serial date",
    "n/a": "not AWS's word",
    "NULL": "not AWS's word",
    "unknown": "not AWS's word",
    "-": "not AWS's word",
    "N/A\xa0": "a no-break space",
    "2026-03-01T00:00:00Z\xa0": "a no-break space",
    "2026-03-01T00:00:00Z\t": "a tab",
    "2026-03-01T00:00:00Z\x1a": "end of file of DOS",
    "2026-03-01T00:00:00\u2212 00:00": "a minus sign",
    "2026-03-01T00:00:00ZZ": "two zones",
    "2026-03-01T00:00:0 Z": "a blank for a digit",
    "2026-03-01T00:00:00+00:0 ": "a blank for a digit",
    "2026-03-01T00:00:0.Z": "a point for a digit",
    "2026 03 01T00:00:00Z": "blanks for hyphens",
}


@pytest.mark.parametrize("cell", NO_TIMES)
@pytest.mark.parametrize(
    "column", ["access_key_1_last_rotated", "access_key_2_last_used_date", "user_creation_time"]
)
def test_what_is_no_instant_is_refused_with_line_and_column_never_coerced(judge, cell, column):
    message = refusal(
        judge, csv_of([row(ROOT), row("bob", FRESH, FRESH), row("alice", OLD, OLD, **{column: cell})])
    )
    assert f"line 4, {column}: cannot read the date" in message and "ISO 8601" in message


@pytest.mark.parametrize(
    "cell", ["yes", "1", "0", "Y", "WAHR", "", "N/A", "tRUE", "true\xa0", " true", "no_information"]
)
@pytest.mark.parametrize("slot", [1, 2])
def test_an_active_cell_is_true_or_false_or_refused(judge, cell, slot):
    message = refusal(judge, csv_of([row(ROOT), row("alice", FRESH, **{f"access_key_{slot}_active": cell})]))
    assert f"line 3, access_key_{slot}_active" in message and "expected true or false" in message


@pytest.mark.parametrize("cell", ["N/A", "no_information", "not_supported", "", "1970-01-01T00:00:00Z"])
def test_an_active_key_without_a_date_is_unknown_never_compliant(judge, cell):
    audit = judge(csv_of([row(ROOT), row("alice", FRESH, access_key_1_last_rotated=cell)]))
    assert verdicts(audit, "rotation") == {("alice", 1): "INSUFFICIENT_DATA"}
    assert audit.conclusion == "INSUFFICIENT_DATA"
    assert audit.warnings != ()


@pytest.mark.parametrize(
    "column", ["user_creation_time", "access_key_1_last_rotated", "access_key_1_last_used_date"]
)
@pytest.mark.parametrize("cell", ["0001-01-01T00:00:00+09:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-09:00"])
def test_a_date_at_the_ends_of_the_calendar_is_refused_or_unknown_never_compliant_and_never_a_crash(
    judge, cell, column
):
    try:
        audit = judge(csv_of([row(ROOT), row("alice", FRESH, **{column: cell})]))
    except InputError as refused:
        assert f"line 3, {column}" in str(refused)
    else:
        assert audit.warnings or audit.problems
        assert audit.conclusion != "COMPLIANT" or (
            cell.startswith("0001") and column != "access_key_1_last_rotated"
        )


def test_an_empty_cell_is_read_as_n_a_and_said(judge):
    audit = judge(csv_of([row(ROOT), row("alice", FRESH, access_key_2_last_rotated="")]))
    assert len(audit.keys) == 1
    assert "line 3, access_key_2_last_rotated: an empty cell, read as N/A" in said(audit)


def test_inactive_with_a_date_is_a_key_and_without_one_is_none(judge):
    audit = judge(report(("alice", "false 2020-01-01T00:00:00Z N/A", NO_KEY)))
    assert audit.keys[["user", "key_slot", "status"]].values.tolist() == [["alice", 1, "Inactive"]]


@pytest.mark.parametrize("user", [ROOT, "alice"])
@pytest.mark.parametrize("text", ["3 access keys", "see console", "no_information"])
def test_a_value_in_additional_credentials_info_means_a_key_that_the_report_does_not_show(judge, user, text):
    rows = [row(ROOT), row("alice", FRESH)]
    rows = [one | {"additional_credentials_info": text if one["user"] == user else "N/A"} for one in rows]
    audit = judge(csv_of(rows, [*HEADER, "additional_credentials_info"]))
    counting = dict(audit.conclusions)
    assert counting.pop("root-key") == ("INSUFFICIENT_DATA" if user == ROOT else "COMPLIANT")
    assert set(counting.values()) == {"INSUFFICIENT_DATA"}
    assert audit.conclusion == "INSUFFICIENT_DATA"
    assert "additional_credentials_info" in said(audit) and audit.warnings


def test_a_report_without_a_root_row_does_not_tell_of_root_keys(judge):
    audit = judge(report(("alice", FRESH), root=None))
    assert audit.conclusions["root-key"] == "INSUFFICIENT_DATA"
    assert audit.conclusions["rotation"] == "COMPLIANT"
    assert audit.conclusion == "INSUFFICIENT_DATA"
    assert "root" in audit.warnings[0]


def test_a_root_slot_of_unknown_state_with_a_date_is_no_inactive_key(judge):
    """Unknown never becomes inactive: a key made in 2020 may well be active."""
    audit = judge(csv_of([row(ROOT, "not_supported 2020-01-01T00:00:00Z N/A"), row("alice", FRESH)]))
    assert audit.conclusions["rotation"] == "INSUFFICIENT_DATA"
    assert audit.conclusions["unused"] == "INSUFFICIENT_DATA"


# --- what is refused ------------------------------------------------------------------------------------------
REFUSED = {
    "nothing": ("", "empty (0 bytes)"),
    "blanks": (" \r\n\t\n", "empty"),
    "a mark only": (codecs.BOM_UTF8, "empty"),
    "a short row": (THREE + "\nbob,arn", "line 5: has 2 of 22 fields"),
    "a row cut behind a comma": (THREE.rsplit(",", 1)[0], "line 4: has 21 of 22 fields"),
    "a shifted row": (THREE.replace("\nbob,", "\nbob,,"), "line 4: has 23 of 22 fields"),
    "an empty line inside": (THREE.replace("\nbob", "\n\nbob"), "line 4: an empty line"),
    "a footer": (THREE + "\n3 users", "line 5: has 1 of 22 fields"),
    "end of file of DOS on its own line": (THREE + "\r\n\x1a", "line 5: has 1 of 22 fields"),
    "a very long line": (THREE + "\n" + "x" * 1_000_000, "line 5: has 1 of 22 fields"),
    "a very long field in quotes": (THREE.replace("alice,", '"' + "x" * 200_000 + '",'), "line 3"),
    "a quote that does not close": (THREE.replace("bob,", '"bob,'), "line 4: the quotes do not match"),
    "text behind a quote": (THREE.replace("bob,", '"bob"x,'), "line 4: the quotes do not match"),
    "a carriage return inside a line": (THREE.replace("bob", "b\rob"), "line 4: a carriage return"),
    "line ends of old Macs": (THREE.replace("\n", "\r"), "a carriage return"),
    "a second root": (THREE + "\n" + csv_of([row(ROOT, OLD)]).split("\n")[1], "line 5, user: a second root row"),
    "a second row of a user": (
        THREE + "\n" + csv_of([row("bob", OLD)]).split("\n")[1],
        "line 5, user: the same user",
    ),
    "the same ARN twice": (
        THREE.replace("\nbob,", "\nbobby,") + "\n" + csv_of([row("bob")]).split("\n")[1],
        "line 5, arn",
    ),
    "two accounts in one file": (
        THREE + "\n" + csv_of([row("dave", account="444455556666")]).split("\n")[1],
        "line 5, arn: account 444455556666 after account 111122223333",
    ),
    "two reports in one file": (THREE + "\n" + THREE, "line 5: the header is repeated"),
    "no header": (THREE.split("\n", 1)[1], "no column user"),
    "no active column": (THREE.replace("access_key_2_active", "key"), "missing column access_key_2_active"),
    "no date column": (
        THREE.replace("access_key_2_last_rotated", "key"),
        "missing column access_key_2_last_rotated",
    ),
    "UTF-16 without a mark": (THREE.encode("utf-16-le"), "NUL"),
    "UTF-16 cut at an odd byte": (codecs.BOM_UTF16_LE + THREE.encode("utf-16-le")[:-1], "UTF-16"),
    "UTF-32": (THREE.encode("utf-32"), "report.csv"),
    "NUL in a name": (THREE.replace("bob", "b\0b"), "NUL"),
    "latin-1": (report(("josé", OLD)).encode("latin-1"), "line 3: not UTF-8 (byte 0xE9)"),
    "half a character": (THREE.encode() + "é".encode()[:1], "line 4: not UTF-8"),
    "gzip": (gzip.compress(THREE.encode(), mtime=0), "gzip"),
    "a ZIP": (b"PK\x03\x04" + b"\0" * 40, "ZIP archive or an Excel workbook"),
    "Parquet": (b"PAR1" + b"\0" * 40, "Parquet"),
    "a PDF": (b"%PDF-1.7\n", "PDF"),
    "a JSON list": ("[1, 2]", "JSON, but not the object"),
    "a JSON number": ("12345", "no column user"),
    "a JSON object of something else": ('{"Users": []}', "list-users"),
    "the answer of generate-credential-report": (
        '{"State": "COMPLETE"}',
        "generate-credential-report, not the report",
    ),
    "deep JSON": ("[" * 200_000, "not valid JSON"),
    "deep JSON objects": ('{"a":' * 200_000, "not valid JSON"),
    "a JSON number of 5,000 digits": ('{"Content": ' + "1" * 5000 + "}", "JSON"),
    "JSON with two values": (cli_json(THREE) * 2, "not valid JSON"),
    "JSON with Content null": ('{"Content": null}', "Content is null"),
    "JSON with Content a list": ('{"Content": ["x"]}', "Content is list"),
    "JSON with Content half": (json.dumps({"Content": base64_of(THREE)[:-3]}), "base64 is cut off or damaged"),
    "JSON with Content twice over": (json.dumps({"Content": base64_of("x") + base64_of(THREE)}), "base64"),
    "JSON with Content of letters outside ASCII": (
        json.dumps({"Content": "\ud800é"}),
        "base64 is cut off or damaged",
    ),
    "JSON with an empty Content": ('{"Content": ""}', "empty"),
    "GeneratedTime without a zone": (cli_json(THREE, GeneratedTime="2026-11-23T08:00:00"), "GeneratedTime"),
    "GeneratedTime a day": (cli_json(THREE, GeneratedTime="2026-11-23"), "GeneratedTime"),
    "GeneratedTime true": (cli_json(THREE, GeneratedTime=True), "GeneratedTime"),
    "GeneratedTime a list": (cli_json(THREE, GeneratedTime=[]), "GeneratedTime"),
    "GeneratedTime huge": (cli_json(THREE, GeneratedTime=1e300), "GeneratedTime"),
    "GeneratedTime not a number": (cli_json(THREE, GeneratedTime=float("nan")), "GeneratedTime"),
    "base64 of garbage": (base64.b64encode(bytes(range(128, 256))).decode(), "decoded from base64, but"),
    "base64 of nothing but blanks": (base64_of(" " * 60), "decoded from base64, but the file is empty"),
    "base64 of gzip": (base64.b64encode(gzip.compress(THREE.encode(), mtime=0)).decode(), "gzip"),
    "base64 twice": (base64_of(base64_of(THREE)), "no column user"),
    "base64 cut off": (base64_of(THREE)[:-3], "base64 is cut off or damaged"),
    "a login page": ("<!DOCTYPE html><html><body>sign in, please</body></html>", "HTML"),
    "an error of the CLI": ("\nUnable to locate credentials. You can configure", "error of the AWS CLI"),
    "a Markdown table": ("| user | arn |\n|---|---|", "no column user"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_whole_report_is_refused_with_its_cause(judge, kind):
    content, words = REFUSED[kind]
    assert words in refusal(judge, content)


@pytest.mark.parametrize(
    "missing", ["user", *(f"access_key_{slot}_{name}" for slot in (1, 2) for name in ("active", "last_rotated"))]
)
def test_without_a_needed_column_the_question_is_not_answered(judge, missing):
    message = refusal(judge, csv_of([row(ROOT), row("alice", FRESH)], [name for name in HEADER if name != missing]))
    assert f"column {missing}" in message


@pytest.mark.parametrize("twice", ["user", "arn", "access_key_1_active", "access_key_2_last_rotated"])
def test_a_column_that_appears_twice_is_refused(judge, twice):
    assert f"the column {twice} appears twice" in refusal(
        judge, csv_of([row(ROOT), row("alice", OLD)], [*HEADER, twice])
    )


@pytest.mark.parametrize("arn", ["N/A", "", "arn:aws:iam::111122223333:group/x"])
def test_rows_without_a_usable_arn_are_warned_of_and_each_is_judged(judge, arn):
    audit = judge(csv_of([row(ROOT), row("alice", OLD, arn=arn), row("bob", FRESH, arn=arn)]))
    assert verdicts(audit, "rotation") == USUAL
    assert any("arn" in warning for warning in audit.warnings)
    assert audit.findings["finding_id"].is_unique


def test_an_account_id_is_twelve_ascii_digits(judge):
    """It becomes part of a path, and is compared with the ids in policies (DESIGN, words and frames)."""
    digits = "１１１１２２２２３３３３"
    audit = judge(report(("alice", FRESH), account=digits))
    assert digits not in {one.account_id for one in audit.provenance}


@pytest.mark.parametrize("separator", [";", "\t", "|", " ", '"', "'", "\r", "a", "\\", "\0", ""])
def test_a_spreadsheet_s_separator_line_is_never_an_uncaught_error(judge, separator):
    content = f"sep={separator}\r\n" + THREE.replace(",", separator or ",").replace("alice", '"alice"')
    try:
        audit = judge(content)
    except InputError as refused:
        assert "\n" not in str(refused)
    else:
        assert audit.warnings and verdicts(audit, "rotation") == USUAL


# --- a report that was cut short ------------------------------------------------------------------------------
CUT_SHORT = {
    "22 columns": THREE,
    "22 columns, CRLF": THREE.replace("\n", "\r\n"),
    "7 columns": report(("alice", FRESH, OLD), ("bob", NO_KEY, OLD), columns=CUT),
    "7 columns, old offsets": report(("alice", FRESH, OLD), ("bob", NO_KEY, OLD), columns=CUT).replace(
        "00Z", "00+00:00"
    ),
    "7 columns, last one N/A": report(("alice", FRESH), ("bob", FRESH), columns=CUT),
    "last column a switch": report(("alice", FRESH), ("bob", FRESH), columns=(*CUT[:4], *CUT[5:], CUT[4])),
    "quoted": THREE.replace("bob,", '"bob",'),
}


def middles(text: str) -> list[int]:
    """The lengths at which a report is cut inside a row: behind a row it looks like a shorter report."""
    ends = {at + behind for at, letter in enumerate(text) if letter in "\r\n" for behind in (0, 1)}
    return by_depth([at for at in range(text.index("\n") + 1, len(text)) if at not in ends])


def by_depth(lengths: list[int]) -> list[int]:
    """All of them at nightly depth, else every third."""
    return lengths[:: 1 if IS_NIGHTLY else 3]


@pytest.mark.parametrize("form", CUT_SHORT)
def test_a_report_cut_short_inside_a_row_is_never_accepted(tmp_path, form):
    """The rows behind the cut are missing, and with them perhaps the oldest key."""
    text = CUT_SHORT[form]
    accepted = []
    for length in middles(text):
        try:
            keyaudit.audit(write(tmp_path, "cut.csv", text[:length]), "cis", AS_OF)
        except InputError:
            continue
        accepted.append(text[:length].rsplit("\n", 1)[1])
    assert accepted == []


def test_a_report_cut_short_inside_its_header_is_never_clean(tmp_path):
    for length in by_depth([*range(1, THREE.index("\n") + 1)]):
        try:
            audit = keyaudit.audit(write(tmp_path, "cut.csv", THREE[:length]), "cis", AS_OF)
        except InputError:
            continue
        assert set(audit.conclusions.values()) == {"INSUFFICIENT_DATA"}


def test_the_cli_s_json_cut_short_anywhere_is_refused(tmp_path):
    text = cli_json(report(("alice", FRESH), columns=CUT))
    for length in range(1, len(text)):
        with pytest.raises(InputError):
            keyaudit.audit(write(tmp_path, "cut.json", text[:length]), "cis", AS_OF)


# --- no secret is ever repeated -------------------------------------------------------------------------------
def remarks(path) -> str:
    try:
        return said(keyaudit.audit(path, "cis", AS_OF))
    except InputError as refused:
        return str(refused)


@pytest.mark.parametrize("column", [*HEADER, "additional_credentials_info"])
def test_a_secret_in_any_cell_is_not_repeated(tmp_path, column):
    columns = [*HEADER, "additional_credentials_info"]
    rows = [
        row(ROOT) | {"additional_credentials_info": "N/A"},
        row("alice", OLD) | {"additional_credentials_info": "N/A"},
    ]
    for number in range(2):
        changed = [one | ({column: SECRET} if at == number else {}) for at, one in enumerate(rows)]
        assert SECRET not in remarks(write(tmp_path, "report.csv", csv_of(changed, columns)))


SECRETIVE = {
    "in the header": THREE.replace("cert_2_last_rotated", SECRET),
    "for a needed column": THREE.replace("access_key_1_last_rotated", SECRET),
    "as the header": f"{SECRET},{SECRET}\n1,2",
    "alone": SECRET,
    "alone in quotes": f'"{SECRET}"',
    "on a line of its own": f"{THREE}\n{SECRET}",
    "as further fields": f"{THREE},{SECRET}",
    "in an access key download": f"Access key ID,Secret access key\nAKIAIOSFODNN7EXAMPLE,{SECRET}",
    "in a credentials file": f"[default]\naws_access_key_id = AKIA\naws_secret_access_key = {SECRET}",
    "in the answer of create-access-key": json.dumps({"AccessKey": {"SecretAccessKey": SECRET}}),
    "in the answer of assume-role": json.dumps({"Credentials": {"SecretAccessKey": SECRET}}),
    "in broken JSON": f'{{"SecretAccessKey": "{SECRET}"',
    "as JSON Content": json.dumps({"Content": SECRET}),
    "as JSON Content of another type": json.dumps({"Content": {"SecretAccessKey": SECRET}}),
    "as GeneratedTime": cli_json(THREE, GeneratedTime=SECRET),
    "as a key of JSON": json.dumps({SECRET: 1}),
    "in base64": base64_of(f"Access key ID,Secret access key\nAKIAIOSFODNN7EXAMPLE,{SECRET}"),
    "in a cell, in base64": base64_of(THREE.replace("2026-03-01T00:00:00Z", SECRET)),
    "behind a separator line": f"sep={SECRET}\n{THREE}",
    "in a Python repr": f"{{'SecretAccessKey': '{SECRET}'}}",
    "in a page": f"<html><body>{SECRET}</body></html>",
    "in an error of the CLI": f"An error occurred (AccessDenied) when calling: {SECRET}",
    "beside a byte that is not UTF-8": f"{THREE}\n{SECRET}".encode() + b"\xff",
    "as a name twice": report((SECRET, OLD), (SECRET, OLD), columns=CUT),
    "as the name of an undated key": report((SECRET, "true N/A N/A"), columns=CUT),
    "as the name of a key used before it was rotated": report(
        (SECRET, "true 2026-10-01T00:00:00Z 2026-01-01T00:00:00Z"), columns=CUT
    ),
}


@pytest.mark.parametrize("place", SECRETIVE)
def test_a_secret_anywhere_in_a_file_is_not_repeated(tmp_path, place):
    found = remarks(write(tmp_path, "report.csv", SECRETIVE[place]))
    assert found and SECRET not in found and SECRET[:20] not in found


# --- places ---------------------------------------------------------------------------------------------------
def test_a_source_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.csv: no such file"):
        keyaudit.audit(tmp_path / "nowhere.csv", "cis", AS_OF)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no files in this folder"):
        keyaudit.audit(tmp_path, "cis", AS_OF)


def test_a_folder_inside_a_folder_is_read_too(tmp_path):
    write(tmp_path, "deep/er/alice.csv", report(("alice", OLD)))
    assert keyaudit.audit(tmp_path, "cis", AS_OF).conclusion == "NON_COMPLIANT"


def test_a_file_of_a_folder_that_cannot_be_read_is_missing_evidence(tmp_path):
    write(tmp_path, "good.csv", report(("bob", FRESH)))
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere")
    audit = keyaudit.audit(tmp_path, "cis", AS_OF)
    assert audit.conclusion == "INSUFFICIENT_DATA"
    assert "gone.csv: cannot be read" in said(audit)


@pytest.mark.parametrize("source", [5, 1.5, {}, b"report.csv", [None], [b"x"], object()])
def test_a_source_that_is_no_path_is_refused(source):
    with pytest.raises(InputError, match="source"):
        keyaudit.audit(source, "cis", AS_OF)


@pytest.mark.parametrize("source", ["a\0b", "x" * 5000])
def test_a_path_that_no_system_has_is_refused(source):
    with pytest.raises(InputError) as refused:
        keyaudit.audit(source, "cis", AS_OF)
    assert "\n" not in str(refused.value)


def test_standard_input_is_a_source(monkeypatch):
    class Stream:
        class buffer:
            read = staticmethod(THREE.encode)

    monkeypatch.setattr("sys.stdin", Stream)
    audit = keyaudit.audit("-", "cis", AS_OF)
    assert verdicts(audit, "rotation") == USUAL
    assert audit.provenance[0].source == "standard input"


#: those by day whose days that do not exist are tried: each is read by itself
YEARS = range(2000, 2105) if IS_NIGHTLY else (2000, 2024, 2025, 2026, 2100)


def test_every_day_of_the_calendar_is_read_and_no_other():
    """Also across a century that is no leap year; all at once as one by one."""
    written = [
        f"{year}-{month:02}-{day:02}" for year in range(2000, 2105) for month in range(14) for day in range(33)
    ]
    real = [day for day in written if _is_day(day)]
    assert len(real) == 105 * 365 + 26
    for zone in ("Z", "+00:00"):
        values = read_instants([f"{day}T23:59:58{zone}" for day in real]).values
        assert values.tolist() == [datetime.fromisoformat(f"{day}T23:59:58") for day in real]
    for day in {day for day in written if int(day[:4]) in YEARS} - set(real):
        assert read_instants([f"{day}T00:00:00Z"]).bad == 0
    # a program's zero time is none, whatever forms stand beside it
    for year in ("0000", "0001"):
        mixed = read_instants(
            [f"{year}-01-01T00:00:00Z", "2026-11-23T00:00:00+00:00", "N/A", "2026-11-23T00:00:00Z"]
        )
        assert mixed.bad is None and mixed.zero == 0 and mixed.values[1] == mixed.values[3] != mixed.values[0]
    for clock in ("24:00:00", "00:60:00", "00:00:60"):
        assert read_instants(["2026-11-23T00:00:00Z", f"2026-11-23T{clock}Z"]).bad == 1


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False
