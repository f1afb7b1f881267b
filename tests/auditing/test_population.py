"""Several accounts as one population: folders, files, captures (DESIGN, "How conclusions are drawn")."""

from __future__ import annotations

import json
from itertools import permutations

import pytest
from conftest import ACCOUNT, AS_OF, CUT, FRESH, NO_KEY, OLD, OTHER, ROOT, capture, csv_of, report, row, said, write

import keyaudit
from keyaudit import InputError

THIRD = "777788889999"
GOOD = report(("bob", FRESH))
GOOD_TOO = report(("bob", FRESH), account=OTHER)
BAD_TOO = report(("bob", OLD), account=OTHER)


def conclusions(audit) -> dict[str, str]:
    return {one.account_id: one.conclusion for one in audit.provenance}


def test_a_folder_is_judged_account_by_account_and_as_one(tmp_path):
    write(tmp_path, "a.csv", GOOD)
    write(tmp_path, "b.csv", BAD_TOO)
    audit = keyaudit.audit(tmp_path, "cis", AS_OF)
    assert conclusions(audit) == {ACCOUNT: "COMPLIANT", OTHER: "NON_COMPLIANT"}
    assert audit.conclusion == "NON_COMPLIANT"
    assert audit.conclusions == {
        "rotation": "NON_COMPLIANT",
        "unused": "COMPLIANT",
        "active-keys": "COMPLIANT",
        "root-key": "COMPLIANT",
    }


def test_several_files_are_one_population(tmp_path):
    paths = [write(tmp_path, "a.csv", GOOD), write(tmp_path, "b.csv", BAD_TOO)]
    assert conclusions(keyaudit.audit(paths, "cis", AS_OF)) == {ACCOUNT: "COMPLIANT", OTHER: "NON_COMPLIANT"}


def test_the_same_user_name_in_two_accounts_is_two_users(tmp_path):
    write(tmp_path, "a.csv", GOOD)
    write(tmp_path, "b.csv", BAD_TOO)
    audit = keyaudit.audit(tmp_path, "cis", AS_OF)
    found = audit.findings[(audit.findings["user"] == "bob") & (audit.findings["control"] == "rotation")]
    assert dict(zip(found["account_id"], found["compliance_type"], strict=True)) == {
        ACCOUNT: "COMPLIANT",
        OTHER: "NON_COMPLIANT",
    }
    assert set(audit.tallies["active-keys"]) == {"COMPLIANT"} and audit.tallies["active-keys"]["COMPLIANT"] == 2
    assert audit.findings["finding_id"].is_unique


@pytest.mark.parametrize("second", [report(("carol", OLD)), GOOD, GOOD + "\n"])
def test_two_reports_of_one_account_are_refused_naming_both(tmp_path, second):
    write(tmp_path, "monday.csv", GOOD)
    write(tmp_path, "tuesday.csv", second)
    with pytest.raises(InputError) as refused:
        keyaudit.audit(tmp_path, "cis", AS_OF)
    message = str(refused.value)
    assert "monday.csv" in message and "tuesday.csv" in message and ACCOUNT in message and "\n" not in message


def test_one_report_cut_to_columns_given_twice_is_refused(tmp_path):
    cut = report(("bob", FRESH), columns=CUT)
    with pytest.raises(InputError) as refused:
        keyaudit.audit([write(tmp_path, "a.csv", cut), write(tmp_path, "b.csv", cut)], "cis", AS_OF)
    assert "a.csv" in str(refused.value) and "b.csv" in str(refused.value)


def test_reports_without_arns_are_unknown_1_and_unknown_2_whatever_the_order_of_files(tmp_path):
    one, two = report(("ann", FRESH), columns=CUT), report(("bea", OLD), columns=CUT)
    found = []
    for names in (("1.csv", "2.csv"), ("2.csv", "1.csv")):
        folder = tmp_path / names[0]
        write(folder, names[0], one)
        write(folder, names[1], two)
        audit = keyaudit.audit(folder, "cis", AS_OF)
        assert [p.account_id for p in audit.provenance] == ["unknown-1", "unknown-2"]
        found.append(audit.findings[["account_id", "finding_id", "compliance_type"]].values.tolist())
    assert found[0] == found[1]


def test_the_order_of_files_never_matters(tmp_path):
    contents = [GOOD, BAD_TOO, report(("eve", "true N/A N/A"), account=THIRD)]
    found = []
    for number, order in enumerate(permutations(contents)):
        paths = [write(tmp_path / str(number), f"{at}.csv", content) for at, content in enumerate(order)]
        audit = keyaudit.audit(paths, "cis", AS_OF)
        found.append(
            (
                audit.findings.drop(columns="annotation").astype(object).fillna("").values.tolist(),
                audit.conclusions,
                conclusions(audit),
                audit.users["user"].tolist(),
            )
        )
    assert all(one == found[0] for one in found)


def test_a_file_in_a_folder_that_is_no_report_is_missing_evidence(tmp_path):
    write(tmp_path, "a.csv", GOOD)
    write(tmp_path, "README.md", "# Reports of November")
    audit = keyaudit.audit(tmp_path, "cis", AS_OF)
    assert conclusions(audit) == {ACCOUNT: "COMPLIANT", "unknown-1": "INSUFFICIENT_DATA"}
    assert audit.conclusion == "INSUFFICIENT_DATA"
    assert "README.md" in said(audit)


def test_the_same_file_named_alone_is_refused(tmp_path):
    write(tmp_path, "a.csv", GOOD)
    with pytest.raises(InputError, match=r"README\.md"):
        keyaudit.audit([tmp_path / "a.csv", write(tmp_path, "README.md", "# Reports")], "cis", AS_OF)


def test_a_report_that_breaks_in_its_middle_is_missing_evidence_of_its_own_account(tmp_path):
    write(tmp_path, "a.csv", GOOD)
    write(tmp_path, "b.csv", GOOD_TOO[:-40])
    audit = keyaudit.audit(tmp_path, "cis", AS_OF)
    assert conclusions(audit) == {ACCOUNT: "COMPLIANT", OTHER: "INSUFFICIENT_DATA"}
    assert "b.csv, line 3" in said(audit)


def test_an_account_whose_rows_have_no_arn_never_ends_the_list_of_accounts(tmp_path):
    """What goes wrong in one account leaves the others in the population."""
    rows = [row(ROOT, account=OTHER), *(row(user, OLD, arn="N/A") for user in ("ann", "bea"))]
    write(tmp_path, "a.csv", GOOD)
    write(tmp_path, "b.csv", csv_of(rows))
    write(tmp_path, "c.csv", report(("bob", OLD), account=THIRD))
    audit = keyaudit.audit(tmp_path, "cis", AS_OF)
    assert list(conclusions(audit)) == [ACCOUNT, OTHER, THIRD]
    assert audit.conclusion == "NON_COMPLIANT"


def test_an_account_that_is_lost_on_the_way_is_noticed(tmp_path):
    write(tmp_path, "a.csv", GOOD)
    write(tmp_path, "b.csv", BAD_TOO)
    try:
        audit = keyaudit.audit(tmp_path, "cis", AS_OF, progress=lambda accounts, total: [next(accounts)])
    except keyaudit.KeyAuditError as noticed:
        assert "\n" not in str(noticed)
    else:
        assert audit.conclusion != "COMPLIANT"


def test_two_bad_files_of_one_name_in_two_folders_are_two_gaps(tmp_path):
    folders = [tmp_path / number / "reports" for number in "12"]
    for folder in folders:
        write(folder, "bad.csv", "nothing")
    audit = keyaudit.audit([*folders, write(tmp_path, "good.csv", GOOD)], "cis", AS_OF)
    assert sorted(conclusions(audit).values()) == ["COMPLIANT", "INSUFFICIENT_DATA", "INSUFFICIENT_DATA"]


def test_files_of_one_name_are_told_apart(tmp_path):
    paths = [write(tmp_path / "a" / "x", "r.csv", GOOD), write(tmp_path / "b" / "x", "r.csv", GOOD_TOO)]
    audit = keyaudit.audit(paths, "cis", AS_OF)
    assert len({one.source for one in audit.provenance}) == 2


def test_a_linked_folder_is_part_of_the_folder(tmp_path):
    """Evidence that is there and not read would read as clean."""
    write(tmp_path / "elsewhere", "b.csv", BAD_TOO)
    write(tmp_path / "reports", "a.csv", GOOD)
    (tmp_path / "reports" / "linked").symlink_to(tmp_path / "elsewhere")
    audit = keyaudit.audit(tmp_path / "reports", "cis", AS_OF)
    assert audit.conclusion != "COMPLIANT"


# --- capture folders ------------------------------------------------------------------------------------------
def test_a_capture_of_all_that_was_expected_is_judged(tmp_path):
    folder = capture(tmp_path, [ACCOUNT, OTHER], a111122223333=GOOD, a444455556666=GOOD_TOO)
    audit = keyaudit.audit(folder, "cis", sealed=True)
    assert conclusions(audit) == {ACCOUNT: "COMPLIANT", OTHER: "COMPLIANT"}
    assert audit.conclusion == "COMPLIANT"
    assert audit.as_of_source == "generated_time" and audit.as_of.isoformat() == "2026-11-23T00:00:00+00:00"


def test_an_expected_account_that_was_not_read_is_missing_evidence(tmp_path):
    folder = capture(tmp_path, [ACCOUNT, OTHER], a111122223333=GOOD)
    audit = keyaudit.audit(folder, "cis", sealed=True)
    assert conclusions(audit) == {ACCOUNT: "COMPLIANT", OTHER: "INSUFFICIENT_DATA"}
    assert set(audit.conclusions.values()) == {"INSUFFICIENT_DATA"}
    assert f"account {OTHER} was expected and not read" in said(audit)


@pytest.mark.parametrize("as_of", [AS_OF, ""])
def test_a_capture_of_which_nothing_was_read_is_insufficient_data_with_and_without_an_instant(tmp_path, as_of):
    audit = keyaudit.audit(capture(tmp_path, [ACCOUNT]), "cis", as_of)
    assert conclusions(audit) == {ACCOUNT: "INSUFFICIENT_DATA"}
    assert audit.conclusion == "INSUFFICIENT_DATA"


def test_an_account_whose_report_is_missing_is_missing_evidence(tmp_path):
    folder = capture(tmp_path, [ACCOUNT, OTHER], a111122223333=GOOD, a444455556666={"problems": ["AccessDenied"]})
    audit = keyaudit.audit(folder, "cis", sealed=True)
    assert conclusions(audit) == {ACCOUNT: "COMPLIANT", OTHER: "INSUFFICIENT_DATA"}
    assert "AccessDenied" in said(audit)


def test_what_a_capture_could_not_get_is_missing_evidence(tmp_path):
    folder = capture(tmp_path, [ACCOUNT], a111122223333=GOOD)
    facts = {"account_id": ACCOUNT, "generated_time": AS_OF, "problems": ["ListUsers was denied"]}
    write(folder / ACCOUNT, "capture.json", json.dumps(facts))
    audit = keyaudit.audit(folder, "cis")
    assert audit.conclusion == "INSUFFICIENT_DATA" and "ListUsers was denied" in said(audit)


def test_an_account_without_a_capture_file_is_not_clean(tmp_path):
    folder = capture(tmp_path, [ACCOUNT], a111122223333=GOOD)
    write(folder / OTHER, "credential-report.csv", GOOD_TOO)
    audit = keyaudit.audit(folder, "cis", sealed=True)
    assert conclusions(audit) == {ACCOUNT: "COMPLIANT", OTHER: "INSUFFICIENT_DATA"}


def test_a_report_that_is_not_of_the_account_that_was_asked_is_not_clean(tmp_path):
    folder = capture(tmp_path, [ACCOUNT], a111122223333=GOOD_TOO)
    audit = keyaudit.audit(folder, "cis")
    assert conclusions(audit) == {ACCOUNT: "INSUFFICIENT_DATA", OTHER: "INSUFFICIENT_DATA"}


def test_an_account_beside_those_expected_is_judged_too(tmp_path):
    folder = capture(tmp_path, [ACCOUNT], a111122223333=GOOD, a444455556666=BAD_TOO)
    assert conclusions(keyaudit.audit(folder, "cis", sealed=True)) == {ACCOUNT: "COMPLIANT", OTHER: "NON_COMPLIANT"}


def test_a_loose_report_in_a_capture_folder_is_never_left_unread_in_silence(tmp_path):
    folder = capture(tmp_path, [ACCOUNT], a111122223333=GOOD)
    write(folder, "444455556666.csv", BAD_TOO)
    try:
        audit = keyaudit.audit(folder, "cis")
    except InputError as refused:
        assert "444455556666.csv" in str(refused)
    else:
        assert audit.conclusion != "COMPLIANT"


def test_one_account_of_a_capture_is_a_source_too(tmp_path):
    folder = capture(tmp_path, [ACCOUNT, OTHER], a111122223333=GOOD)
    assert conclusions(keyaudit.audit(folder / ACCOUNT, "cis", AS_OF)) == {ACCOUNT: "COMPLIANT"}


@pytest.mark.parametrize("name", ["../other.csv", "/etc/hostname", "..", ".", "", "a/b.csv", 5, None, ["x"]])
def test_a_capture_file_never_leads_out_of_its_folder(tmp_path, name):
    write(tmp_path, "other.csv", GOOD)
    folder = capture(tmp_path / "c", [ACCOUNT], a111122223333={"file": name})
    audit = keyaudit.audit(folder, "cis", AS_OF)
    assert conclusions(audit) == {ACCOUNT: "INSUFFICIENT_DATA"}


@pytest.mark.parametrize("expected", [OTHER, {OTHER: {}}, int(OTHER), [None], [[OTHER]], ["12345"]])
def test_an_expectation_that_cannot_be_read_is_refused_or_not_met_never_dropped(tmp_path, expected):
    folder = capture(tmp_path, expected, a111122223333=GOOD)
    try:
        audit = keyaudit.audit(folder, "cis")
    except InputError as refused:
        assert "accounts.json" in str(refused) and "\n" not in str(refused)
    else:
        assert audit.conclusion == "INSUFFICIENT_DATA"


@pytest.mark.parametrize(
    "facts",
    [
        {"problems": "AccessDenied"},
        {"problems": {"ListUsers": "AccessDenied"}},
        {"problems": 1},
        {"generated_time": "yesterday"},
        {"generated_time": "2026-11-23T00:00:00"},
        {"generated_time": 5},
    ],
)
def test_a_capture_fact_that_cannot_be_read_is_refused_or_missing_never_dropped(tmp_path, facts):
    folder = capture(tmp_path, [ACCOUNT], a111122223333=GOOD)
    write(folder / ACCOUNT, "capture.json", json.dumps({"account_id": ACCOUNT, "generated_time": AS_OF} | facts))
    try:
        audit = keyaudit.audit(folder, "cis", AS_OF)
    except InputError as refused:
        assert "capture.json" in str(refused) and "\n" not in str(refused)
    else:
        assert audit.conclusion == "INSUFFICIENT_DATA"


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '"x"', "[" * 100_000, "1" * 5000])
@pytest.mark.parametrize("file", ["accounts.json", "111122223333/capture.json"])
def test_capture_files_that_are_no_json_object_are_refused_by_name(tmp_path, file, text):
    folder = capture(tmp_path, [ACCOUNT], a111122223333=GOOD)
    write(folder, file, text)
    with pytest.raises(InputError) as refused:
        keyaudit.audit(folder, "cis", AS_OF)
    assert file.rsplit("/", 1)[-1] in str(refused.value)


def test_keeping_only_the_worst_changes_no_conclusion(tmp_path):
    users = [(f"u{number}", OLD if number % 2 else FRESH) for number in range(20)]
    write(tmp_path, "a.csv", report(*users))
    write(tmp_path, "b.csv", report(("root-like", NO_KEY, FRESH), account=OTHER))
    whole, cut = keyaudit.audit(tmp_path, "cis", AS_OF), keyaudit.audit(tmp_path, "cis", AS_OF, keep=3)
    assert (cut.conclusion, cut.conclusions, cut.tallies) == (whole.conclusion, whole.conclusions, whole.tallies)
    assert conclusions(cut) == conclusions(whole)
    assert set(cut.findings["finding_id"]) < set(whole.findings["finding_id"])


def test_progress_is_told_of_every_account(tmp_path):
    seen = []

    def progress(accounts, total):
        for one in accounts:
            seen.append((one.account_id, total))
            yield one

    folder = capture(tmp_path, [ACCOUNT, OTHER], a111122223333=GOOD)
    keyaudit.audit(folder, "cis", AS_OF, progress=progress)
    assert seen == [(ACCOUNT, 2), (OTHER, 2)]
