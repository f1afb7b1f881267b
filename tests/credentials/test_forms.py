"""Forms of a report beyond AWS's CSV, as people and tools write them; and what IAM cannot have written.

The files are in tests/data/cases/forms, each with its right value in the table of shared cases.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import ACCOUNT, AS_OF, CUT, FRESH, HEADER, OLD, OTHER, ROOT, csv_of, row, said, verdicts
from evidence_helpers import WITHOUT_CHARTS, made, summary
from forms import THREE, USUAL, base64_of, cli_json, refusal

import keyaudit
from keyaudit.evidence.verify import verify

CASES = Path(__file__).parents[1] / "data" / "cases"
TIME = "2026-11-23T08:00:00Z"
#: file -> whether its form carries the generated time
READ = {
    "cli_output_text.txt": True,
    "cli_output_yaml.yaml": True,
    "json_content_decoded.json": True,
    "powershell_export_csv_with_type_line.csv": False,
    "steampipe_export.csv": True,
}
RECORDS = [dict(zip(HEADER, line.split(","), strict=True)) for line in THREE.split("\n")[1:]]


@pytest.mark.parametrize("name", READ)
def test_the_forms_of_the_field_are_read_with_the_time_that_they_carry(name: str) -> None:
    audit = keyaudit.audit(CASES / "forms" / name, "cis", TIME)
    assert verdicts(audit, "rotation") == USUAL
    assert len(audit.users) == 3 and audit.provenance[0].account_id == ACCOUNT
    assert audit.conclusions["root-key"] == "COMPLIANT"
    generated = audit.provenance[0].generated_time
    assert (generated is not None and generated.isoformat() == "2026-11-23T08:00:00+00:00") == READ[name]
    assert audit.assurance == ("dated" if READ[name] else "supplied")


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", READ)
def test_evidence_of_each_form_verifies(name: str, tmp_path: Path) -> None:
    evidence = made(
        "report",
        CASES / "forms" / name,
        "--policy",
        "cis",
        "--as-of",
        TIME,
        "-o",
        tmp_path,
        *WITHOUT_CHARTS,
        code=1,
    )
    assert verify(evidence)[0] == [] and summary(evidence)["accounts"][0]["users"] == 3


def yaml_of(content: str, *more: str) -> str:
    return "\n".join([f"Content: {content}", f"GeneratedTime: '{AS_OF}'", "ReportFormat: text/csv", *more, ""])


def lines_of(text: str, width: int = 76) -> str:
    return "\n".join(f"  {text[at : at + width]}" for at in range(0, len(text), width))


ROWS = json.dumps(RECORDS)
FORMS = {
    "boto3's Content, decoded": json.dumps({"Content": THREE, "GeneratedTime": AS_OF}),
    "decoded, with CRLF": json.dumps({"Content": THREE.replace("\n", "\r\n")}),
    "decoded and quoted": json.dumps({"Content": THREE.replace("\nalice,", '\n"alice",')}),
    "an answer in a list": f"[{cli_json(THREE)}]",
    "text": f"{base64_of(THREE)}\t{AS_OF}\ttext/csv\n",
    "text, Content and time": f"{base64_of(THREE)}\t{AS_OF}",
    "text, time first": f"{AS_OF}\t{base64_of(THREE)}",
    "text in lines": f"{lines_of(base64_of(THREE))}\n{AS_OF}\n",
    "text, format alone": f"{base64_of(THREE)} text/csv",
    "yaml": yaml_of(base64_of(THREE)),
    "yaml in quotes": yaml_of(f'"{base64_of(THREE)}"'),
    "yaml of a stream": "- " + yaml_of(base64_of(THREE)).replace("\nG", "\n  G").replace("\nR", "\n  R"),
    "yaml, a block": yaml_of(f"|\n{lines_of(base64_of(THREE))}"),
    "yaml, binary": yaml_of(f"!!binary |\n{lines_of(base64_of(THREE))}"),
    "yaml, folded": yaml_of(f">-\n{lines_of(base64_of(THREE))}"),
    "yaml, a document": f"---\n{yaml_of(base64_of(THREE))}",
    "yaml, one value": f"{base64_of(THREE)}\n...\n",
    "rows": ROWS,
    "rows in lines": "\n".join(map(json.dumps, RECORDS)),
    "rows of ConvertTo-Json 5": json.dumps({"value": RECORDS, "Count": 3}),
    "rows of Steampipe": json.dumps({"rows": RECORDS, "columns": []}),
    "rows of a scanner": json.dumps(
        [{name: {"true": True, "false": False}.get(cell, cell) for name, cell in one.items()} for one in RECORDS]
    ),
    "rows with more": json.dumps([one | {"akas": ["x"], "tags": None, "n": 1} for one in RECORDS]),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_reads_the_same_without_a_warning(judge, form: str) -> None:
    audit = judge(FORMS[form])
    assert verdicts(audit, "rotation") == USUAL and len(audit.users) == 3
    assert audit.warnings == ()
    assert list(audit.users["user"]) == [ROOT, "alice", "bob"]


def test_nulls_of_rows_are_empty_cells_and_an_active_key_without_a_date_is_unknown(judge) -> None:
    rows = [{name: None if cell == "N/A" else cell for name, cell in one.items()} for one in RECORDS]
    audit = judge(json.dumps(rows))
    assert verdicts(audit, "rotation") == USUAL and any("an empty cell" in one for one in audit.warnings)
    rows[2]["access_key_1_last_rotated"] = None
    found = verdicts(judge(json.dumps(rows)), "rotation")
    assert found["bob", 1] == "INSUFFICIENT_DATA"


WARNED = {
    "a header in capitals": (THREE.split("\n", 1)[0].upper() + "\n" + THREE.split("\n", 1)[1], "in capitals"),
    "one name in capitals": (THREE.replace("access_key_1_active", "Access_Key_1_Active"), "in capitals"),
    "rows in capitals": (ROWS.replace('"user"', '"USER"'), "in capitals"),
    "PowerShell's #TYPE": (f"#TYPE System.Object\r\n{THREE}", "'#TYPE' of PowerShell was skipped"),
}


@pytest.mark.parametrize("kind", WARNED)
def test_what_a_tool_made_of_it_is_read_with_a_warning(judge, kind: str) -> None:
    content, words = WARNED[kind]
    audit = judge(content)
    assert verdicts(audit, "rotation") == USUAL
    assert [one for one in audit.warnings if words in one]


def changed(number: int, **cells: object) -> str:
    return json.dumps([one | cells if at == number else one for at, one in enumerate(RECORDS)])


TABLE = f"""----------------------------
|   GetCredentialReport    |
+---------------+----------+
|  Content      | {base64_of(THREE)} |
"""
REFUSED = {
    "the CLI's table": (TABLE, "is the output of the AWS CLI as a table: use --output json"),
    "the API's XML": ("<GetCredentialReportResponse xmlns='x'><a/></GetCredentialReportResponse>", "--output json"),
    "rows with a key twice": ('[{"user": "a", "user": "b"}]', "'user' appears twice"),
    "an answer with Content twice": ('{"Content": "x", "Content": "y"}', "'Content' appears twice"),
    "a row that lacks a key": (json.dumps([*RECORDS[:2], {"user": "bob"}]), "row 3: does not have the same keys"),
    "a row with a date of JSON": (changed(1, access_key_1_last_rotated=1772355600), "row 2, access_key_1_last_rot"),
    "a row with a user that is a number": (changed(1, user=7), "row 2, user: expected text, found int"),
    "a row with a user that is null": (changed(1, user=None), "an empty user name"),
    "a row with an active that is a number": (changed(1, access_key_1_active=1), "expected text, found int"),
    "a row with a list": (changed(1, arn=["x"]), "expected text, found list"),
    "rows with a secret": (json.dumps([one | {"SecretAccessKey": "x"} for one in RECORDS]), "holds a secret"),
    "no rows": ("[]", "nor rows of a report"),
    "rows of something else": ('[{"Account": "1"}]', "nor rows of a report"),
    "a list of two answers": (f"[{cli_json(THREE)}, {cli_json(THREE)}]", "nor rows of a report"),
    "yaml of CSV": (yaml_of('"user,arn"'), "YAML whose key Content is not base64"),
    "yaml cut off": (yaml_of(base64_of(THREE)[:-3]), "base64 is cut off or damaged"),
    "yaml with Content twice": (yaml_of(base64_of(THREE), f"Content: {base64_of(THREE)}"), "appears twice"),
    "yaml without a zone": (yaml_of(base64_of(THREE)).replace("00Z", "00"), "YAML key GeneratedTime"),
    "text cut off": (f"{base64_of(THREE)[:-3]}\t{AS_OF}\ttext/csv", "base64 is cut off or damaged"),
    "two columns of one name but for case": (
        csv_of([one | {"ARN": one["arn"]} for one in RECORDS], [*HEADER, "ARN"]),
        "the column arn appears twice",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_stays_refused_is_named(judge, kind: str) -> None:
    content, words = REFUSED[kind]
    assert words in refusal(judge, content)


# --- Steampipe ------------------------------------------------------------------------------------------------
STEAMPIPE = (CASES / "forms" / "steampipe_export.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("2026-11-23T08:00:00+00:00,arn:aws:iam::111122223333:user/bob", "2026-11-20T08:00:00+00:00,arn:aws:iam::111122223333:user/bob", "not one time"),
        ("2026-11-23T08:00:00+00:00,arn:aws:iam::111122223333:user/bob", ",arn:aws:iam::111122223333:user/bob", "not one time"),
        ("2026-11-23T08:00:00+00:00", "2026-11-23T08:00:00", "not one time"),
        ("2026-11-23T08:00:00+00:00", "yesterday", "not one time"),
        (",,111122223333\n", f",,{OTHER}\n", "is not the account of the ARNs"),
        ("111122223333\n", "11112222", "cut off"),
    ],
)  # fmt: skip
def test_a_steampipe_export_that_contradicts_itself_is_refused(judge, old: str, new: str, words: str) -> None:
    at = STEAMPIPE.rindex(old)
    text = STEAMPIPE[:at] + new + STEAMPIPE[at + len(old) :]
    assert text != STEAMPIPE and words in refusal(judge, text if words != "cut off" else text.rstrip("\n"))


# --- what IAM cannot have written -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"user": "mallory"}, "the name is not that of the ARN beside it"),
        ({"user": "a b", "arn": f"arn:aws:iam::{ACCOUNT}:user/a b"}, "a user name that IAM would refuse"),
        ({"user": "a/b", "arn": f"arn:aws:iam::{ACCOUNT}:user/a/b"}, "a user name that IAM would refuse"),
        ({"user": "josé", "arn": f"arn:aws:iam::{ACCOUNT}:user/josé"}, "a user name that IAM would refuse"),
        ({"user": "x" * 65, "arn": f"arn:aws:iam::{ACCOUNT}:user/{'x' * 65}"}, "a user name that IAM would refuse"),
    ],
)
def test_names_that_iam_has_not_are_read_with_a_warning(judge, cells: dict[str, str], words: str) -> None:
    audit = judge(csv_of([row(ROOT), row("alice", OLD) | cells]))
    assert [one for one in audit.warnings if words in one and "line 3, user" in one]
    assert audit.counts == {"NON_COMPLIANT": 1}


@pytest.mark.parametrize("name", ["a+b=c,d.e@f_g-h", "-", "x" * 64])
def test_every_character_that_iam_allows_is_usual(judge, name: str) -> None:
    rows = [row(ROOT), row(name, FRESH)]
    quoted = "\n".join(",".join(f'"{cell}"' for cell in one.values()) for one in rows)
    assert judge(f"{','.join(HEADER)}\n{quoted}").warnings == ()


@pytest.mark.parametrize("columns", [HEADER, CUT])
@pytest.mark.parametrize("escaped", ["&lt;root_account&gt;", "&#60;root_account&#62;"])
def test_an_escaped_root_account_is_root_with_a_warning(judge, escaped: str, columns: list[str]) -> None:
    audit = judge(csv_of([row(ROOT, OLD), row("alice", FRESH)], columns).replace(ROOT, escaped))
    assert audit.conclusions["root-key"] == "NON_COMPLIANT"
    assert [one for one in audit.warnings if "escaped for HTML" in one]
    assert list(audit.users["user"]) == [ROOT, "alice"]


# --- China ----------------------------------------------------------------------------------------------------
def test_a_report_of_china_is_not_called_incomplete_and_tells_nothing_of_root() -> None:
    audit = keyaudit.audit(CASES / "population" / "china_without_root_row.csv", "cis", TIME)
    assert audit.conclusions == {
        "rotation": "COMPLIANT",
        "unused": "COMPLIANT",
        "active-keys": "COMPLIANT",
        "root-key": "INSUFFICIENT_DATA",
    }
    assert audit.conclusion == "INSUFFICIENT_DATA"
    assert "incomplete" not in said(audit) and "no row for the root user" in said(audit)
    assert "(incomplete)" not in str(keyaudit.bottom_line(audit))
    # by the rules of before it is called so, as evidence of then does; and so is one that was cut elsewhere
    former = keyaudit.audit(CASES / "population" / "china_without_root_row.csv", "cis", TIME, rules=2)
    assert "(incomplete)" in str(keyaudit.bottom_line(former))


def test_a_report_without_a_row_for_root_of_another_partition_is_called_incomplete(judge) -> None:
    assert "(incomplete)" in str(keyaudit.bottom_line(judge(csv_of([row("alice", FRESH)]))))
