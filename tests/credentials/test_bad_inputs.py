"""Every report of tests/data: what is no good report is refused by name, place and remedy; the rest is judged.

The files, and what is expected of each, are described in tests/data/*/INDEX.tsv.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
from conftest import AS_OF, FRESH, OTHER, report, said, verdicts, write

import keyaudit
from keyaudit import InputError

DATA = Path(__file__).parents[1] / "data"


def index(folder: str) -> dict[str, dict[str, str]]:
    lines = (DATA / folder / "INDEX.tsv").read_text(encoding="utf-8").splitlines()
    return {one["file"]: one for one in csv.DictReader(lines, delimiter="\t")}


INDEX, REPORTS = index("bad"), index("reports")
WHEN = "2026-11-23T08:00:00Z"

REJECTED = {
    "base64_cut_on_quantum_partial_last_row.txt": ("line 4", "11 of 22 fields", "cut off"),
    "binary_gzip_of_report.csv": ("gzip", "gunzip"),
    "boolean_localised_WAHR.csv": ("line 2", "access_key_1_active", "FALSCH", "true or false", "spreadsheet"),
    "certutil_encoded_with_begin_certificate.txt": ("PEM", "certutil", "base64"),
    "cli_stderr_access_denied.txt": ("AWS CLI", "AccessDenied", "iam:GetCredentialReport"),
    "cli_stderr_report_not_present.txt": ("AWS CLI", "ReportNotPresent", "generate-credential-report"),
    "column_t_whitespace_aligned.txt": ("line 1", "not separated by commas", "column -t"),
    "cut_without_header.csv": ("line 1", "no column user", "header row missing"),
    "duplicate_column_names.csv": ("line 1", "access_key_1_active", "twice"),
    "duplicated_user_rows_conflicting.csv": ("line 5", "alice", "line 3"),
    "empty_file_0_bytes.csv": ("empty", "0 bytes"),
    "epoch_seconds_timestamp.csv": ("line 3", "access_key_1_last_rotated", "1772355600", "ISO 8601"),
    "excel_resave_de_dates.csv": ("line 3", "access_key_1_last_rotated", "15.03.2026 09:00", "ISO 8601"),
    "excel_resave_korean_dates_cp949.csv": ("line 3", "not UTF-8", "CP949"),
    "header_misspelt_column.csv": ("line 1", "access_key_1_last_rotated", "nearest: access_key_1_last_rotate)"),
    "header_repeated_mid_file_concatenated_reports.csv": ("line 5", "header", "two reports"),
    "html_sso_login_page.csv": ("HTML", "sign-in"),
    "json_truncated.json": ("JSON is cut off",),
    "json_wrapper_bytes_repr_boto3.json": ("boto3", "repr", "response['Content']"),
    "json_wrapper_content_not_string.json": ("Content is null",),
    "latin1_bytes_in_name.csv": ("line 5", "not UTF-8", "0xE9"),
    "literal_backslash_n_line_ends.csv": ("line 1", "literal \\n"),
    "missing_active_columns.csv": ("line 1", "access_key_1_active, access_key_2_active"),
    "multiple_root_rows.csv": ("line 3", "second root row"),
    "newline_inside_quoted_field.csv": ("line 3", "line break inside a field"),
    "plain_text_garbage.csv": ("line 1", "no column user"),
    "row_with_too_many_fields.csv": ("line 3", "23 of 22 fields"),
    "trailing_total_footer_line.csv": ("line 5", "1 of 22 fields"),
    "truncated_last_line_on_field_border.csv": ("line 4", "14 of 22 fields", "cut off"),
    "user_name_empty.csv": ("line 5", "user", "empty"),
    "user_name_with_comma_unquoted.csv": ("line 3", "23 of 22 fields", "comma", "export the report whole"),
    "utf16le_no_bom.csv": ("NUL", "UTF-16"),
    "wrong_file_access_key_download.csv": ("access key download",),
    "wrong_file_account_authorization_details.json": (
        "without the key Content",
        "get-account-authorization-details",
    ),
}
# the three rows that most files are made from: root, alice (old), bob (fresh)
USUAL = {("alice", 1): "NON_COMPLIANT", ("bob", 1): "COMPLIANT"}
OLD_ALICE = {("alice", 1): "NON_COMPLIANT"}
UNKNOWN_ALICE = {("alice", 1): "INSUFFICIENT_DATA"}
# file -> (rows, verdict of rotation by key and slot)
ACCEPTED = {
    "arn_with_path.csv": (4, {**USUAL, ("dev", 1): "NON_COMPLIANT"}),
    "base64_in_quotes.txt": (3, USUAL),
    "base64_wrapped_at_76.txt": (3, USUAL),
    "blanks_after_commas.csv": (3, USUAL),
    "boolean_True_False_pandas.csv": (3, USUAL),
    "columns_reordered.csv": (3, USUAL),
    "crlf_line_ends.csv": (3, USUAL),
    "cut_1_9_10_11_14_15_16_good.csv": (3, USUAL),
    "gov_and_china_partitions.csv": (3, USUAL),
    "iam_user_named_root.csv": (4, {**USUAL, ("root", 1): "NON_COMPLIANT"}),
    "json_wrapper_good.json": (3, USUAL),
    "last_used_before_last_rotated.csv": (2, {("alice", 1): "COMPLIANT"}),
    "mixed_line_ends.csv": (3, {("alice", 1): "NON_COMPLIANT", ("bob", 1): "NON_COMPLIANT"}),
    "non_utc_offset_crosses_day.csv": (2, {("alice", 1): "COMPLIANT"}),
    "quoted_all_fields.csv": (3, USUAL),
    "root_named_root_without_brackets.csv": (2, OLD_ALICE),
    "root_only.csv": (1, {}),
    "user_name_NA_nan_null_None.csv": (
        8,
        USUAL | {(name, 1): "NON_COMPLIANT" for name in ("NA", "nan", "null", "None", "N")},
    ),
    "utf16le_base64_powershell_redirect.txt": (3, USUAL),
}
# file -> (rows, verdict of rotation, words of one warning)
WARNED = {
    "active_not_supported_on_root.csv": (2, OLD_ALICE, "line 2, access_key_1_active: not_supported"),
    "active_true_last_rotated_NA.csv": (2, UNKNOWN_ALICE, "active without a date"),
    "active_true_last_rotated_no_information.csv": (2, UNKNOWN_ALICE, "active without a date"),
    "banner_line_on_top_sep_equals.csv": (3, USUAL, "'sep=,'"),
    "formula_injection_names.csv": (
        7,
        USUAL | {(name, 1): "NON_COMPLIANT" for name in ("=cmd|' /C calc'!A0", "+SUM(1+1)", "@SUM(1+1)", "-2+3")},
        "line 5, user",
    ),
    "header_only.csv": (0, {("", None): "INSUFFICIENT_DATA"}, "looks incomplete"),
    "semicolon_separated_excel_de.csv": (3, USUAL, "semicolons"),
    "timestamp_9999_out_of_ns_range.csv": (2, UNKNOWN_ALICE, "after the instant of judgement"),
    "timezoneless_timestamp.csv": (2, OLD_ALICE, "line 3, access_key_1_last_rotated: a time without a zone"),
    "unicode_names.csv": (
        6,
        USUAL | {(name, 1): "NON_COMPLIANT" for name in ("홍길동", "müller", "𝒶lice")},
        "line 5, user",
    ),
    "very_long_user_name_64plus.csv": (4, {**USUAL, ("a" * 5000, 1): "NON_COMPLIANT"}, "line 5, user"),
    "zero_time_0001.csv": (2, UNKNOWN_ALICE, "line 3, access_key_1_last_rotated: a date before the year 2000"),
}
# of a file that may hold a secret, or is no report at all, nothing may be repeated
NOT_TO_BE_ECHOED = {
    "wrong_file_access_key_download.csv": ("AKIAEXAMPLE", "REDACTED"),
    "cut_without_header.csv": ("alice", "2026-03-01"),
    "html_sso_login_page.csv": ("<",),
    "json_wrapper_bytes_repr_boto3.json": ("b'dXNl", "dXNlcix"),
    "latin1_bytes_in_name.csv": ("Ã", "\xe9"),
    "user_name_with_comma_unquoted.csv": ("smith", "alice"),
}
# the rows of one file lie around the limit at an instant of its own
BOUNDARY = "boundary_as_of_2026-11-23T00_00_00Z.csv"
AT_THE_BOUNDARY = {
    ("age_89d23h59m59s", 1): "COMPLIANT",
    ("age_90d0s", 1): "COMPLIANT",
    ("age_90d1s", 1): "NON_COMPLIANT",
    ("age_90d12h", 1): "NON_COMPLIANT",
    ("age_90d23h", 1): "NON_COMPLIANT",
    ("age_90d23h59m59s", 1): "NON_COMPLIANT",
    ("age_91d0s", 1): "NON_COMPLIANT",
    ("age_91d1s", 1): "NON_COMPLIANT",
    ("age_0s", 1): "COMPLIANT",
    ("age_minus1s", 1): "INSUFFICIENT_DATA",
}


def test_every_file_of_the_index_has_an_expectation_and_the_same_outcome():
    outcomes = {
        **dict.fromkeys(REJECTED, "reject"),
        **dict.fromkeys(ACCEPTED, "accept"),
        **dict.fromkeys(WARNED, "accept with warning"),
        BOUNDARY: "accept",
    }
    assert outcomes == {name: one["expected_outcome"] for name, one in INDEX.items()}
    assert len(outcomes) == len(REJECTED) + len(ACCEPTED) + len(WARNED) + 1


@pytest.mark.parametrize("name", sorted(REJECTED))
def test_what_is_no_good_report_is_refused_in_one_line_that_names_file_and_cause(name):
    with pytest.raises(InputError) as refusal:
        keyaudit.audit(DATA / "bad" / name, "cis", WHEN)
    message = str(refusal.value)
    assert message.startswith(name)
    assert "\n" not in message
    assert [words for words in REJECTED[name] if words not in message] == []
    assert [words for words in NOT_TO_BE_ECHOED.get(name, ()) if words in message] == []


@pytest.mark.parametrize("name", sorted(ACCEPTED))
def test_what_people_normally_have_is_read_without_a_warning(name):
    rows, expected = ACCEPTED[name]
    audit = keyaudit.audit(DATA / "bad" / name, "cis", WHEN)
    assert audit.warnings == ()
    assert len(audit.users) == rows
    assert verdicts(audit, "rotation") == expected


def test_the_rows_around_90_days_are_judged_by_elapsed_time_and_a_later_date_is_warned_of():
    audit = keyaudit.audit(DATA / "bad" / BOUNDARY, "cis", AS_OF)
    found = verdicts(audit, "rotation")
    found.pop(("", None), None)  # the account's own row: the report knows of a key made after this instant
    assert found == AT_THE_BOUNDARY
    assert [warning for warning in audit.warnings if "after the instant of judgement" in warning]


def test_the_rows_around_90_days_in_whole_days_agree_with_prowler_and_the_console(policy):
    terms = policy('max_access_key_age = 90\nage_comparison = "whole_days"')
    found = verdicts(keyaudit.audit(DATA / "bad" / BOUNDARY, terms, AS_OF), "rotation")
    assert {user for (user, _), kind in found.items() if kind == "NON_COMPLIANT"} == {"age_91d0s", "age_91d1s"}


@pytest.mark.parametrize("name", sorted(WARNED))
def test_what_is_odd_is_read_with_a_warning_that_says_what(name):
    rows, expected, words = WARNED[name]
    audit = keyaudit.audit(DATA / "bad" / name, "cis", WHEN)
    assert any(words in warning for warning in audit.warnings), audit.warnings
    assert all(warning.startswith(name) and "\n" not in warning for warning in audit.warnings)
    assert len(audit.users) == rows
    found = verdicts(audit, "rotation")
    if name.startswith("timestamp_9999"):  # whatever knows of the year 9999 was made after this instant
        found.pop(("", None), None)
    assert found == expected


def test_the_wrapper_s_generated_time_is_the_default_instant():
    audit = keyaudit.audit(DATA / "bad" / "json_wrapper_good.json", "cis")
    assert audit.as_of.isoformat() == "2026-11-23T08:00:00+00:00"
    assert audit.as_of_source == "generated_time"


def test_an_offset_that_crosses_the_day_is_the_same_instant():
    audit = keyaudit.audit(DATA / "bad" / "non_utc_offset_crosses_day.csv", "cis", WHEN)
    assert audit.keys["last_rotated"].iloc[0].isoformat() == "2026-08-26T07:30:00+00:00"


@pytest.mark.sampled(22)
@pytest.mark.parametrize("name", sorted(INDEX))
def test_in_a_folder_the_good_report_is_judged_and_the_bad_account_is_never_clean(tmp_path, name):
    write(tmp_path, "good.csv", report(("dave", FRESH), account=OTHER))
    write(tmp_path, name, (DATA / "bad" / name).read_bytes())
    audit = keyaudit.audit(tmp_path, "cis", WHEN)
    conclusions = {one.account_id: one.conclusion for one in audit.provenance}
    assert conclusions.pop(OTHER) == "COMPLIANT"
    if name in REJECTED:
        assert list(conclusions.values()) == ["INSUFFICIENT_DATA"]
        assert audit.conclusion == "INSUFFICIENT_DATA"
        assert name in said(audit)
    alone = None if name in REJECTED else keyaudit.audit(DATA / "bad" / name, "cis", WHEN).conclusion
    if alone:
        assert list(conclusions.values()) == [alone] and audit.conclusion == alone


# file -> (rows, tally of rotation, conclusions of rotation, unused, active-keys, root-key)
REAL = {
    "001_file-real.csv": (
        5,
        {"NON_COMPLIANT": 2, "COMPLIANT": 1},
        ("NON_COMPLIANT", "COMPLIANT", "COMPLIANT", "COMPLIANT"),
    ),
    "002_file-real.csv": (3, {}, ("COMPLIANT", "COMPLIANT", "COMPLIANT", "COMPLIANT")),
    "015_bare-base64-real.b64": (3, {"COMPLIANT": 1}, ("COMPLIANT", "COMPLIANT", "COMPLIANT", "COMPLIANT")),
    "018_literal-in-a-test-synthetic.csv": (
        4,
        {"NON_COMPLIANT": 1, "COMPLIANT": 2},
        ("NON_COMPLIANT", "NON_COMPLIANT", "COMPLIANT", "COMPLIANT"),
    ),
    # cut without last_used_date: whether a key is used cannot be told
    "049_literal-in-a-test-synthetic.csv": (
        3,
        {"NON_COMPLIANT": 1, "COMPLIANT": 1, "INSUFFICIENT_DATA": 0},
        ("NON_COMPLIANT", "INSUFFICIENT_DATA", "COMPLIANT", "COMPLIANT"),
    ),
}


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_real_reports_are_read_whole_and_without_a_warning(name):
    rows, tally, conclusions = REAL[name]
    audit = keyaudit.audit(DATA / "reports" / name, "cis", REPORTS[name]["suggested_as_of"])
    assert audit.warnings == ()
    assert len(audit.users) == rows == int(REPORTS[name]["rows"])
    assert Counter(audit.counts) == Counter({kind: number for kind, number in tally.items() if number})
    assert tuple(audit.conclusions.values()) == conclusions
