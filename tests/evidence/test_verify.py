"""``keyaudit verify``: no change to a finished folder goes unseen, and a seal that was made again to fit does not
help, because the verdict is reached again from the raw evidence (DESIGN.md, "Evidence folder")."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ACCOUNT, FRESH, OTHER, report, write
from evidence_helpers import (
    CLEAN,
    FAILING,
    JUDGED,
    POLICY,
    SECRET,
    WHOLE,
    digest,
    failing,
    files,
    keyaudit,
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
from forms import cli_json

from keyaudit.cli import main
from keyaudit.evidence.verify import verify
from keyaudit.evidence.verify.older import told_digest
from keyaudit.schema import NewerError
from keyaudit.texts import say

REPORT = f"raw/{ACCOUNT}/credential-report.csv"
#: every file of a finished folder
FILES = (
    "SHA256SUMS",
    "findings.csv",
    "manifest.json",
    "policy.toml",
    f"raw/{ACCOUNT}/capture.json",
    REPORT,
    "raw/accounts.json",
    "report.html",
    "report.ipynb",
    "summary.json",
)


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    return failing(tmp_path_factory)


@pytest.fixture
def folder(original, tmp_path) -> Path:
    """A copy to tamper with."""
    return shutil.copytree(original, tmp_path / original.name)


def exit_code(*folders: Path) -> int:
    """The exit code of the command, in this process."""
    with pytest.raises(SystemExit) as left:
        main(["verify", *map(str, folders)])
    return left.value.code


def found(folder: Path) -> str:
    """The faults of a folder in which something is wrong: they are also what the command says, and it exits 1."""
    faults, _ = verify(folder)
    assert faults, "nothing was found"
    assert exit_code(folder) == 1
    return "\n".join(faults)


def rewrite(path: Path, change: Callable[[str], str]) -> None:
    before = path.read_text()
    assert change(before) != before
    path.write_text(change(before))


# --- untouched -----------------------------------------------------------------------------------------------------


def test_an_untouched_folder_is_ok(original):
    assert verified(original) == (0, f"OK  {original}\n")


def test_verifying_writes_nothing(original):
    before = {path: path.stat().st_mtime_ns for path in (original, *original.rglob("*"))}
    verify(original)
    assert {path: path.stat().st_mtime_ns for path in (original, *original.rglob("*"))} == before


def test_the_files_named_here_are_all_there_are(original):
    assert sorted(files(original)) == sorted(FILES)


def test_a_folder_may_be_moved_and_renamed(original, tmp_path):
    moved = shutil.copytree(original, tmp_path / "archive" / "quarter 4")
    faults, remarks = verify(moved)
    assert faults == [] and remarks == [f"ANOTHER NAME: this is the evidence that was sealed as {original.name}"]


def test_modes_are_not_looked_at(folder):
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert verify(folder) == ([], [])


def test_it_imports_neither_papermill_nor_nbconvert(original):
    code = (
        "import sys\nfrom pathlib import Path\nfrom keyaudit.evidence.verify import verify\n"
        "assert verify(Path(sys.argv[1])) == ([], [])\n"
        "heavy = {'papermill', 'nbconvert', 'nbformat', 'jupyter_client', 'matplotlib', 'boto3'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, original], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# --- a file changed, gone or added: seen by the seal alone --------------------------------------------------------


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("change", [flip, truncate, append, empty, Path.unlink])
def test_any_file_changed_or_removed_is_found(folder, name, change):
    change(folder / name)
    assert name in found(folder) or name in ("manifest.json", "SHA256SUMS")


@pytest.mark.parametrize("name", FILES)
def test_a_file_replaced_by_a_link_to_the_same_bytes_is_found(folder, tmp_path, name):
    """Whoever owns the file outside may change it at any time."""
    outside = write(tmp_path / "outside", "file", (folder / name).read_bytes())
    (folder / name).unlink()
    (folder / name).symlink_to(outside)
    assert name in found(folder)


@pytest.mark.parametrize(
    "name",
    ["extra.txt", ".hidden", "raw/extra.csv", f"raw/{ACCOUNT}/extra.json", "more/extra.txt", "SHA256SUMS.bak"],
)
def test_a_file_added_anywhere_is_found(folder, name):
    write(folder, name, "")
    assert name in found(folder)


@pytest.mark.parametrize("name", ["extra", "raw/444455556666", "raw/extra/deeper"])
def test_an_empty_folder_added_is_found(folder, name):
    (folder / name).mkdir(parents=True)
    assert name in found(folder)


@pytest.mark.parametrize("target", ["/etc/hostname", "/etc", "raw", "findings.csv", "nowhere"])
@pytest.mark.parametrize("place", ["", "raw"])
def test_a_link_added_is_found(folder, target, place):
    (folder / place / "link").symlink_to(target)
    assert "link" in found(folder)


def test_an_added_file_whose_name_is_not_utf_8_is_found(folder):
    write(folder, os.fsdecode(b"extra-\xff"), "")
    done = keyaudit("verify", folder)
    assert done.returncode == 1, done.stderr.decode(errors="replace")
    assert done.stdout.startswith(b"WRONG  ") and b"extra-" in done.stdout


def test_a_folder_in_the_place_of_a_file_is_found(folder):
    (folder / "report.html").unlink()
    (folder / "report.html").mkdir()
    assert "report.html" in found(folder)


# --- the seal itself edited -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + f"{'0' * 64}  other.txt\n",
        lambda text: "".join(sorted(text.splitlines(keepends=True))),
        lambda text: text.replace("  ", " *"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.partition("\n")[2],
    ],
)
def test_sha256sums_that_are_not_the_manifests_are_found(folder, change):
    lines = (folder / "SHA256SUMS").read_text()
    changed = change(lines)
    if changed == lines:
        changed = "".join(reversed(lines.splitlines(keepends=True)))
    (folder / "SHA256SUMS").write_bytes(changed.encode())
    assert "SHA256SUMS" in found(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"conclusion": "COMPLIANT"},
        {"as_of": "2026-11-22T00:00:00Z"},
        {"as_of_source": "generated_time"},
        {"sample": True},
        {"accounts": {"expected": [OTHER], "read": [OTHER], "failed": []}},
        {"accounts": {"expected": [ACCOUNT, OTHER], "read": [ACCOUNT, OTHER], "failed": []}},
        {"accounts": {"expected": [ACCOUNT], "read": [ACCOUNT, OTHER], "failed": []}},
        {"accounts": {"expected": [ACCOUNT], "read": [], "failed": [ACCOUNT]}},
        {"policy": {"name": "policy.toml", "given": False, "sha256": digest(POLICY.encode())}},
        {"policy": {"name": "policy.toml", "given": True, "sha256": "0" * 64}},
        {"parameters": {"source": "raw", "policy": "policy.toml", "as_of": "2026-06-01T00:00:00Z"}},
        {"parameters": {"source": "raw", "policy": "policy.toml", "as_of": ""}},
        {"parameters": {"source": "raw", "policy": "policy.toml", "as_of": 5}},
        {"parameters": None},
        {"policy": {}},
        {"tool": []},
        {"accounts": "all"},
    ],
    ids=lambda changes: json.dumps(changes)[:70],
)
def test_a_manifest_that_misstates_the_judgement_is_found_though_the_seal_fits(folder, changes):
    seal_again(folder, **changes)
    assert found(folder)


@pytest.mark.parametrize("name", ["name", "started_at", "sealed_at", "previous", "language", "sources"])
def test_a_field_taken_out_of_a_manifest_of_this_version_is_found(folder, name):
    facts = manifest(folder)
    del facts[name]
    write(folder, "manifest.json", json.dumps(facts))
    seal_again(folder)
    assert name in found(folder) or "not as keyaudit writes it" in found(folder)


ASKED = {"every": "week", "period": "2026-W48", "asked": "0" * 64}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in ("started_at", "sealed_at") for value in (
            "zzz", "", None, 5, "2026-11-23", "2026-02-31T00:00:00Z", "2026-11-23T00:00:00+00:00", "2026-11-23T00:00:00.5Z",
        )),
        *(("name", value) for value in ("", None, 5, "../x", "a/b", ["x"])),
        *(("previous", value) for value in ("", "x", "0" * 63, "0" * 64 + "\n", "A" * 64)),
        *(("schedule", value) for value in (
            None, {}, "week", ASKED | {"more": "x"}, ASKED | {"asked": "x"}, ASKED | {"every": 7}, ASKED | {"period": ""},
        )),
        *(("policy", {"name": value, "given": True, "sha256": digest(POLICY.encode())}) for value in ("", None, 5, "a/b")),
        ("sources", "report.csv"),
        ("sources", [5]),
        ("tool", {"keyaudit": "0.4.0"}),
        ("approved_by", "CISO"),
    ],
    ids=repr,
)  # fmt: skip
def test_garbage_in_a_field_of_this_version_is_found(folder, name, value):
    seal_again(folder, **{name: value})
    faults = found(folder)
    assert f"manifest.json: {name} is not as keyaudit writes it" in faults or "not as keyaudit writes" in faults


def test_what_keyaudit_writes_in_these_fields_is_right(folder):
    seal_again(folder, schedule=ASKED, previous="0" * 64, libraries={})
    assert verify(folder) == ([], [])


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "raw/../../evil", "./findings.csv", "a\\b", ""]
)
def test_a_path_out_of_the_folder_in_the_manifest_is_found_and_not_read(folder, name):
    entries = manifest(folder)["files"]
    seal_again(folder, files=[*entries, {"path": name, "bytes": 1, "sha256": "0" * 64}])
    said = found(folder)
    assert "root:" not in said and "a path out of the folder" in said


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"1",
        b'{"files": 1}',
        b'{"files": [1]}',
        b'{"files": [{}]}',
        b"\xff",
        b"[" * 100_000,
    ],
    ids=lambda content: repr(content[:20]),
)
def test_a_manifest_that_is_none_is_found(folder, content):
    (folder / "manifest.json").write_bytes(content)
    assert "manifest.json" in found(folder)


def test_a_manifest_with_a_key_twice_is_found(folder):
    rewrite(
        folder / "manifest.json",
        lambda text: text.replace('"conclusion":', '"conclusion": "COMPLIANT",\n "conclusion":', 1),
    )
    sums = (folder / "SHA256SUMS").read_text().splitlines()
    kept = [line for line in sums if not line.endswith("  manifest.json")]
    kept.append(f"{digest((folder / 'manifest.json').read_bytes())}  manifest.json")
    kept.sort(key=lambda line: line.split("  ")[1])
    (folder / "SHA256SUMS").write_text("\n".join(kept) + "\n")
    assert "manifest.json" in found(folder)


# --- data changed and the seal made to fit: seen by judging again ---------------------------------------------------


def turned_compliant(content: str) -> str:
    rows = list(csv.DictReader(io.StringIO(content)))
    for row in rows:
        if row["compliance_type"] == "NON_COMPLIANT":
            row["compliance_type"] = "COMPLIANT"
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def test_a_seal_made_again_over_untouched_files_is_ok(folder):
    """So that the tests below fail for the right reason."""
    seal_again(folder)
    assert verify(folder) == ([], [])


def test_a_finding_turned_compliant_is_found_though_the_seal_fits(folder):
    rewrite(folder / "findings.csv", turned_compliant)
    seal_again(folder)
    assert found(folder) == "findings.csv: is not what raw/ and policy.toml give"


def test_an_annotation_changed_is_found_though_the_seal_fits(folder):
    rewrite(folder / "findings.csv", lambda text: text.replace("over the limit", "within the limit"))
    seal_again(folder)
    assert "findings.csv" in found(folder)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("NON_COMPLIANT", "COMPLIANT"),
        ('"warnings": [', '"warnings": [\n  "x"'),
        ('"given": true', '"given": false'),
        (ACCOUNT, OTHER),
        ("\n}\n", "\n}"),
    ],
)
def test_a_summary_changed_is_found_though_the_seal_fits(folder, old, new):
    rewrite(folder / "summary.json", lambda text: text.replace(old, new))
    seal_again(folder)
    assert "summary.json" in found(folder)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("max_access_key_age = 90", "max_access_key_age = 900"),
        ('users = ["legacy-*"]', 'users = ["*"]'),
        ("expires = 2026-12-31", "expires = 2027-12-31"),
        ('title = "Access key standard"', 'title = "Access key standard, loosened"'),
        ('approved_by = "CISO"', 'approved_by = "CEO"'),
    ],
)
def test_a_policy_changed_is_found_though_the_seal_fits(folder, old, new):
    rewrite(folder / "policy.toml", lambda text: text.replace(old, new))
    seal_again(folder)
    assert found(folder)


def test_a_policy_that_is_none_is_found(folder):
    (folder / "policy.toml").write_text("title = ")
    seal_again(folder)
    assert "cannot be judged again" in found(folder)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("bob,arn:aws:iam", "bert,arn:aws:iam"),
        ("2026-03-01T00:00:00Z", "2026-11-01T00:00:00Z"),
        ("bob", "bob\0"),
        (ACCOUNT, OTHER),
    ],
)
def test_a_report_changed_is_found_though_the_seal_fits(folder, old, new):
    rewrite(folder / REPORT, lambda text: text.replace(old, new))
    seal_again(folder)
    assert found(folder)


@pytest.mark.parametrize("name", [REPORT, f"raw/{ACCOUNT}/capture.json", "raw/accounts.json"])
def test_raw_evidence_removed_is_found_though_the_seal_fits(folder, name):
    (folder / name).unlink()
    seal_again(folder)
    assert found(folder)


def test_an_account_removed_with_all_its_files_is_found_though_the_seal_fits(folder):
    shutil.rmtree(folder / "raw" / ACCOUNT)
    seal_again(folder)
    assert found(folder)


def test_a_second_report_put_into_raw_is_found_though_the_seal_fits(folder):
    facts = json.loads((folder / f"raw/{ACCOUNT}/capture.json").read_bytes())
    write(folder / "raw" / OTHER, "capture.json", json.dumps({**facts, "account_id": OTHER}))
    write(folder / "raw" / OTHER, "credential-report.csv", CLEAN)
    seal_again(folder)
    assert found(folder)


@pytest.mark.parametrize("file", ["../../../secret", "/etc/passwd", "..", 5, None])
def test_a_capture_that_names_a_file_elsewhere_is_found_and_that_file_is_not_read(folder, tmp_path, file):
    write(tmp_path, "secret", f"{FAILING}\n{SECRET}")
    path = folder / f"raw/{ACCOUNT}/capture.json"
    write(path.parent, path.name, json.dumps({**json.loads(path.read_bytes()), "file": file}))
    seal_again(folder)
    said = found(folder)
    assert SECRET not in said and "root:" not in said


@pytest.mark.parametrize("name", [f"raw/{ACCOUNT}/capture.json", "raw/accounts.json"])
@pytest.mark.parametrize("content", ["", "[]", "null", "{", '{"problems": 5, "expected": 5}', "[" * 100_000])
def test_json_in_raw_that_is_not_as_keyaudit_writes_it_is_found(folder, name, content):
    write(folder, name, content)
    seal_again(folder)
    assert found(folder)


@pytest.mark.parametrize("name", ["findings.csv", "summary.json", "report.html", "report.ipynb", "policy.toml"])
def test_a_file_that_every_folder_has_is_missed_also_where_the_manifest_does_not_list_it(folder, name):
    (folder / name).unlink()
    seal_again(folder)
    assert f"{name}: missing" in found(folder)


@pytest.fixture(scope="module")
def compared(tmp_path_factory) -> Path:
    """Evidence that compares two reports."""

    def make(place: Path) -> None:
        earlier = cli_json(report(("alice", FRESH), ("bob", FRESH)), GeneratedTime="2026-11-10T00:00:00Z")
        write(place, "before.json", earlier)
        write(place, "after.csv", FAILING)
        options = ["--notebook", "rotation", "--before", place / "before.json"]
        made(*report_on(place / "r", place / "after.csv", options=options), code=1)

    (found,) = (one for one in (once(tmp_path_factory, "compared", make) / "r").iterdir() if one.is_dir())
    return found


def lead(folder: Path, name: str, value: object) -> None:
    """A parameter that says something else, in the manifest and in the notebook."""
    told = json.loads((folder / "report.ipynb").read_bytes())
    parameters = manifest(folder)["parameters"] | {name: value}
    cell = next(one for one in told["cells"] if "injected-parameters" in one["metadata"].get("tags", []))
    cell["source"] = "".join(f"{one} = {each!r}\n" for one, each in parameters.items())
    write(folder, "report.ipynb", json.dumps(told))
    seal_again(folder, parameters=parameters)


@pytest.mark.parametrize(
    "value", ["{tmp}/elsewhere", "../elsewhere", "raw", "./before", "before/", "{tmp}/pipe", 5, ["before"]]
)
def test_earlier_evidence_that_is_not_in_the_folder_is_not_read(compared, tmp_path, value):
    folder = shutil.copytree(compared, tmp_path / compared.name)
    shutil.copytree(folder / "before", tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "pipe")
    lead(folder, "before", value.format(tmp=tmp_path) if isinstance(value, str) else value)
    assert "its parameter before does not name what this folder holds for it" in found(folder)


def test_earlier_evidence_in_the_folder_is_what_was_sealed(compared, tmp_path):
    assert verify(compared) == ([], [])
    folder = shutil.copytree(compared, tmp_path / compared.name)
    (name,) = (path for path in (folder / "before" / ACCOUNT).iterdir() if path.name != "capture.json")
    flip(name)
    assert "before/" in found(folder)
    seal_again(folder)
    assert found(folder)


@pytest.mark.parametrize(
    ("name", "value"), [("source", "/tmp"), ("source", ""), ("policy", "raw"), ("policy", None)]
)
def test_parameters_that_lead_elsewhere_are_found(folder, name, value):
    lead(folder, name, value)
    assert f"its parameter {name} does not name what this folder holds for it" in found(folder)


# --- what a folder may hold ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "CONCLUSION.html",
        "approval.txt",
        "more/data.csv",
        "before/accounts.json",
        ".hidden",
    ],
)
def test_a_file_that_keyaudit_does_not_write_is_found_though_the_seal_fits(folder, name):
    write(folder, name, "<h1>COMPLIANT</h1>")
    seal_again(folder)
    assert f"{name}: keyaudit writes no such file" in found(folder)


@pytest.mark.parametrize(
    "name",
    [
        "approval.txt",
        f"{ACCOUNT}/approval.txt",
        f"{ACCOUNT}/inventory.json",
        f"{ACCOUNT}/rotation.json",
        f"{ACCOUNT}/more/capture.json",
        "policy.toml",
    ],
)
def test_a_file_among_the_raw_evidence_that_no_judgement_reads_is_found_though_the_seal_fits(folder, name):
    write(folder, f"raw/{name}", "{}")
    seal_again(folder)
    assert f"raw/{name}" in found(folder)


def test_a_file_beside_earlier_evidence_is_found_though_the_seal_fits(compared, tmp_path):
    folder = shutil.copytree(compared, tmp_path / compared.name)
    write(folder, f"before/{ACCOUNT}/approval.txt", "COMPLIANT")
    seal_again(folder)
    assert f"before/{ACCOUNT}/approval.txt: no judgement reads it" in found(folder)


@pytest.mark.parametrize("version", ["0.2.0", "0.3.0"])
@pytest.mark.parametrize("name", ["CONCLUSION.html", "raw/123456789012/approval.txt"])
def test_a_file_added_to_released_evidence_is_found_though_the_seal_fits(tmp_path, version, name):
    (sample,) = (RELEASED / version).glob("*-sample")
    folder = shutil.copytree(sample, tmp_path / sample.name)
    write(folder, name, "COMPLIANT")
    seal_again(folder)
    assert name in found(folder)


def test_what_a_notebook_of_one_s_own_wrote_is_named(tmp_path):
    write(tmp_path, "report.csv", report(("alice", FRESH)))
    write_own = "open('own.csv', 'w').write('1')\nopen('table.xlsx', 'w').write('1')"
    options = ["--notebook", notebook(tmp_path, "own", JUDGED, write_own)]
    folder = made(*report_on(tmp_path / "r", tmp_path / "report.csv", options=options), code=0)
    faults, remarks = verify(folder)
    assert faults == [] and "also holds own.csv, table.xlsx: by the notebook" in remarks


def test_a_notebook_of_one_s_own_adds_nothing_to_the_evidence_that_it_reads(tmp_path):
    write(tmp_path, "report.csv", report(("alice", FRESH)))
    options = ["--notebook", notebook(tmp_path, "own", JUDGED, "open('raw/approval.txt', 'w').write('1')")]
    done = keyaudit(*report_on(tmp_path / "r", tmp_path / "report.csv", options=options))
    assert "the notebook added to the evidence that it reads: raw/approval.txt" in refused(done, 4)


# --- another version --------------------------------------------------------------------------------------------------

RELEASED = Path(__file__).parents[1] / "data" / "evidence"


@pytest.fixture
def older(tmp_path) -> Path:
    """Evidence of 0.3.0, to tamper with."""
    (sample,) = (RELEASED / "0.3.0").glob("*-sample")
    return shutil.copytree(sample, tmp_path / sample.name)


def test_evidence_of_another_version_is_ok_and_the_difference_is_stated(older):
    code, said = verified(older)
    assert code == 0 and said.startswith(f"OK  {older}\n")
    assert "0.3.0" in said and "annotations were not compared" in said


@pytest.mark.parametrize("version", ["9.9.9", "0.4.10", "1.0.0"])
def test_evidence_of_a_later_version_number_is_refused_with_upgrade(folder, version):
    seal_again(folder, tool={"keyaudit": version})
    with pytest.raises(NewerError, match=f"made by keyaudit {version}, which is later than this one: upgrade"):
        verify(folder)
    assert exit_code(folder) == 2


@pytest.mark.parametrize(
    "version", ["0.1.9", "x", "", "0.4.0 ", "0.4.0.1", "0.4", "0.4.0a1", "v9.9.9", None, 4, []]
)
@pytest.mark.parametrize("rules", [1, 3])
def test_a_version_that_there_never_was_is_found(folder, version, rules):
    seal_again(folder, tool={"keyaudit": version}, rules=rules)
    assert f"manifest.json: there is no keyaudit {version}" in found(folder)


@pytest.mark.parametrize("version", ["0.2.0", "0.3.0", "0.4.0", "0.4.1", "x"])
def test_overdue_taken_out_of_the_manifest_is_found_whatever_version_is_claimed(folder, version):
    facts = manifest(folder) | {"tool": {"keyaudit": version}}
    del facts["overdue"]
    (folder / "manifest.json").write_text(json.dumps(facts))
    seal_again(folder)
    if version == "0.4.1":
        with pytest.raises(NewerError):
            verify(folder)
    else:
        assert ("overdue" if version != "x" else "there is no keyaudit") in found(folder)


def test_annotations_of_another_version_may_differ(older):
    folder = older
    rewrite(folder / "findings.csv", lambda text: text.replace("over the limit of", "more than the limit,"))
    rewrite(folder / "summary.json", lambda text: text.replace("over the limit of", "more than the limit,"))
    # that version's page carries the digest of its own sentences
    told = next(re.finditer('"findings_sha256": "([0-9a-f]{64})"', (folder / "report.ipynb").read_text()))[1]
    rewrite(
        folder / "report.ipynb",
        lambda text: text.replace(told, told_digest((folder / "summary.json").read_bytes())),
    )
    seal_again(folder)
    faults, remarks = verify(folder)
    assert faults == [] and len(remarks) == 2


@pytest.mark.parametrize("column", ["compliance_type", "age_days", "due", "exemption_id", "user", "limit"])
def test_any_other_column_of_another_version_may_not(older, column):
    folder = older
    rows = list(csv.DictReader(io.StringIO((folder / "findings.csv").read_text())))
    rows[0][column] = "1"
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    (folder / "findings.csv").write_text(text.getvalue())
    seal_again(folder)
    assert "findings.csv" in found(folder)


def without(folder: Path, *columns: str, **changes: object) -> None:
    """Findings without these columns, as a version that did not have them made them."""
    rows = list(csv.DictReader(io.StringIO((folder / "findings.csv").read_text())))
    text = io.StringIO(newline="")
    names = [name for name in rows[0] if name not in columns]
    writer = csv.DictWriter(text, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    (folder / "findings.csv").write_text(text.getvalue())
    facts = summary(folder)
    for finding in facts["findings"]:
        for column in columns:
            del finding[column]
    write(folder, "summary.json", json.dumps(facts, ensure_ascii=False, indent=1) + "\n")
    seal_again(folder, **changes)


def test_columns_that_an_older_version_did_not_have_are_not_missed(older):
    without(older, "owner", "administrator", tool={"keyaudit": "0.1.0"}, rules=1)
    assert verify(older)[0] == []


def test_columns_that_it_had_are_missed(older):
    without(older, "owner", "administrator")
    assert "findings.csv" in found(older) and "summary.json" in found(older)


@pytest.mark.parametrize("column", ["compliance_type", "user", "annotation"])
def test_columns_that_every_version_has_are_missed(older, column):
    without(older, column)
    assert "findings.csv" in found(older) and "summary.json" in found(older)


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: facts["findings"].pop(),
        lambda facts: facts["findings"][0].update(compliance_type="COMPLIANT"),
        lambda facts: facts.update(conclusion="COMPLIANT"),
        lambda facts: facts["conclusions"].update(rotation="COMPLIANT"),
        lambda facts: facts["counts"].update(NON_COMPLIANT=0),
        lambda facts: facts["accounts"][0].update(conclusion="COMPLIANT"),
        lambda facts: facts["policy"].update(sha256="0" * 64),
        lambda facts: facts["policy"].update(given=False),
        lambda facts: facts.update(sample=False),
    ],
    ids=["row", "finding", "conclusion", "control", "count", "account", "policy", "given", "sample"],
)
def test_a_summary_of_another_version_must_agree_in_all_but_sentences(older, change):
    folder = older
    facts = summary(folder)
    change(facts)
    write(folder, "summary.json", json.dumps(facts, ensure_ascii=False, indent=1) + "\n")
    seal_again(folder)
    assert "summary.json" in found(folder)


@pytest.mark.parametrize("name", ["summary.json", "findings.csv"])
@pytest.mark.parametrize("content", [b"", b"null", b"{}", b"\xff", b"[" * 100_000])
def test_data_of_another_version_that_cannot_be_read_are_found(older, name, content):
    (older / name).write_bytes(content)
    seal_again(older)
    assert found(older)


# --- numbered rules and formats ---------------------------------------------------------------------------------------

#: by which rules each version that is kept here judged
RULES_OF = {"0.2.0": 1, "0.3.0": 2}
GRACE = "2026-11-26T071105Z-rotation-123456789012"


@pytest.mark.parametrize(
    "released", sorted(RELEASED.glob("*/*Z-*")), ids=lambda path: f"{path.parent.name}-{path.name}"
)
def test_evidence_of_every_released_version_verifies(released):
    """As it was committed; by its own rules."""
    faults, remarks = verify(released)
    assert faults == [] and exit_code(released) == 0
    rules = RULES_OF[released.parent.name]
    assert any(f"by the rules {rules}" in remark for remark in remarks)


def test_where_today_s_rules_give_the_same_it_is_said():
    (sample,) = (RELEASED / "0.2.0").glob("*-sample")
    _, remarks = verify(sample)
    assert remarks[-1] == "judged by the rules 1 that it was made by; today's rules 3 give the same verdicts"


def test_a_grace_of_85_days_that_rules_1_exempted_verifies_and_what_today_s_rules_say_is_remarked():
    """A key of 70 days, just replaced, of a function that leaves it for 85 more."""
    faults, remarks = verify(RELEASED / "0.2.0" / GRACE)
    assert faults == []
    assert remarks[1:] == [
        "judged by the rules 1 that it was made by; today's rules 3 give other verdicts:",
        "- conclusion: COMPLIANT, by today's rules NON_COMPLIANT",
        "- active-keys: COMPLIANT, by today's rules NON_COMPLIANT",
        "- active-keys, svc-billing in account 123456789012: EXEMPT, by today's rules NON_COMPLIANT",
    ]


def test_what_rules_2_let_pass_verifies_and_what_today_s_rules_say_is_remarked():
    """The first override that matches, an exemption of every user that meant root too."""
    faults, remarks = verify(RELEASED / "0.3.0" / "2026-11-23T090000Z-key_rotation-organization")
    assert faults == []
    assert remarks[1:] == [
        "judged by the rules 2 that it was made by; today's rules 3 give other verdicts:",
        "- conclusion: COMPLIANT, by today's rules NON_COMPLIANT",
        "- root-key: COMPLIANT, by today's rules NON_COMPLIANT",
        "- rotation, key 1 of svc-billing in account 111122223333: COMPLIANT, by today's rules EXEMPT",
        "- root-key, key 1 of <root_account> in account 111122223333: EXEMPT, by today's rules NON_COMPLIANT",
    ]


@pytest.mark.parametrize("told", [{"rules": 2}, {"rules": 2, "tool": {"keyaudit": "0.3.0"}}])
def test_evidence_of_rules_1_that_is_said_to_be_of_rules_2_is_found(tmp_path, told):
    folder = shutil.copytree(RELEASED / "0.2.0" / GRACE, tmp_path / GRACE)
    seal_again(folder, **told)
    assert "findings.csv" in found(folder)


def test_a_rotation_turned_compliant_in_the_summary_of_an_older_version_is_found(tmp_path):
    folder = shutil.copytree(RELEASED / "0.2.0" / GRACE, tmp_path / GRACE)
    rewrite(folder / "summary.json", lambda text: text.replace('"age_days": 0,', '"age_days": 1,'))
    seal_again(folder)
    assert "summary.json" in found(folder)


def test_a_manifest_tells_the_rules_and_the_format(original):
    assert (manifest(original)["format"], manifest(original)["rules"]) == (1, 3)


@pytest.mark.parametrize("newer", [{"rules": 4}, {"format": 2}, {"rules": 99, "files": "in a way not known yet"}])
def test_evidence_of_a_later_version_is_refused_with_upgrade(folder, original, newer):
    """Neither right nor wrong: the others are verified all the same."""
    write(folder, "manifest.json", json.dumps(manifest(folder) | newer))
    with pytest.raises(NewerError, match="upgrade keyaudit"):
        verify(folder)
    done = keyaudit("verify", folder, original)
    assert (done.returncode, done.stdout.decode()) == (2, f"OK  {original}\n")
    line, _ = done.stderr.decode().splitlines()
    assert str(folder) in line and line.endswith("upgrade keyaudit")


@pytest.mark.parametrize("rules", [0, -1, True, None, "2", 2.0, [2]])
def test_rules_that_are_no_number_are_found(folder, rules):
    seal_again(folder, rules=rules)
    assert "manifest.json" in found(folder)


def test_a_report_is_not_compared_with_evidence_of_a_later_version(folder, tmp_path):
    seal_again(folder, rules=4)
    write(tmp_path, "report.csv", CLEAN)
    done = keyaudit(
        *report_on(
            tmp_path / "reports", tmp_path / "report.csv", options=("--notebook", "rotation", "--before", folder)
        )
    )
    assert done.returncode == 2 and "upgrade keyaudit" in done.stderr.decode()


# --- no evidence folder at all ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_no_such_folder_exits_with_2_and_one_line(tmp_path, name):
    write(tmp_path, "file", "")
    done = keyaudit("verify", tmp_path / name)
    assert done.returncode == 2 and done.stdout == b""
    assert done.stderr.decode().count("\n") == 1 and name in done.stderr.decode()


@pytest.mark.parametrize("name", ["SHA256SUMS", "manifest.json"])
def test_an_unsealed_folder_is_wrong(folder, name):
    staging = folder.rename(folder.with_name(".staging-0123456789ab"))
    (staging / name).unlink()
    assert "not a finished evidence folder" in found(staging)


def test_an_empty_folder_and_one_of_something_else_are_wrong(tmp_path):
    write(tmp_path / "other", "README", "")
    (tmp_path / "empty").mkdir()
    assert exit_code(tmp_path / "other") == exit_code(tmp_path / "empty") == 1


def test_one_wrong_folder_among_several_exits_with_1_and_each_is_named(folder, original):
    append(folder / "findings.csv")
    code, said = verified(original, folder, original)
    assert code == 1
    assert [line.split()[0] for line in said.splitlines() if not line.startswith("  ")] == ["OK", "WRONG", "OK"]
    assert "  findings.csv: changed" in said


def test_a_folder_that_is_not_there_exits_with_2_also_beside_one_that_holds(original, tmp_path):
    done = keyaudit("verify", original, tmp_path / "nowhere")
    assert done.returncode == 2 and b"nowhere" in done.stderr


# --- evidence that was made where verify must not cry wolf --------------------------------------------------------------


def test_evidence_without_an_instant_given_is_judged_again_by_the_moment_at_which_it_was_read(tmp_path_factory):
    """A bare CSV tells no time: as_of is the moment of reading, and stays so."""

    def make(folder: Path) -> None:
        write(folder, "report.csv", report(("alice", "true 2020-01-01T00:00:00Z N/A")))
        made(*report_on(folder / "reports", folder / "report.csv", as_of="", options=WHOLE), code=1)

    reports = once(tmp_path_factory, "received", make) / "reports"
    (folder,) = [path for path in reports.iterdir() if path.is_dir()]
    assert manifest(folder)["as_of_source"] == "received_time"
    assert verify(folder) == ([], [])


@pytest.mark.parametrize("language", ["zz", "", None, ["en"]])
def test_a_language_that_there_is_not_is_named_and_not_guessed_at(folder, language):
    seal_again(folder, language=language)
    assert verify(folder) == ([say("verify.unknown_language", manifest="manifest.json")], [])


def test_many_folders_are_verified_by_several_processes_and_told_in_their_order(original, tmp_path):
    folders = [shutil.copytree(original, tmp_path / f"{number}" / original.name) for number in range(10)]
    (folders[3] / "findings.csv").write_bytes(b"")
    told = json.loads((folders[5] / "manifest.json").read_bytes())
    write(folders[5], "manifest.json", json.dumps(told | {"format": 99}))
    done = keyaudit("verify", tmp_path)
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 2
    assert [line for line in lines if line.startswith(("OK", "WRONG"))] == [
        f"{'WRONG' if number == 3 else 'OK'}  {folder}" for number, folder in enumerate(folders) if number != 5
    ]
    assert lines[lines.index(f"WRONG  {folders[3]}") + 1].startswith("  findings.csv")
    assert f"{folders[5]}: " in done.stderr.decode() and "Traceback" not in done.stderr.decode()


#: as in containers that have no /dev/shm
WITHOUT_SEMAPHORES = """
import multiprocessing.synchronize
def no(*_, **__):
    raise OSError(38, "Function not implemented")
multiprocessing.synchronize.SemLock.__init__ = no
"""


def test_where_there_can_be_no_processes_this_one_does_the_work(original, tmp_path):
    for number in range(9):
        shutil.copytree(original, tmp_path / f"{number}" / original.name)
    done = keyaudit("verify", tmp_path, first=WITHOUT_SEMAPHORES)
    assert done.returncode == 0 and done.stdout.count(b"OK  ") == 9, done.stderr
