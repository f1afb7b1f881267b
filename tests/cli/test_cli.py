"""The commands: exit codes, one line of error, machine output on stdout alone, a table for people."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from conftest import FRESH, report, write
from evidence_helpers import SECRET, UNSEEN, keyaudit

from keyaudit.cli import cli
from keyaudit.texts import all_masked, line, masked

REPORTS = Path(__file__).parents[1] / "data" / "reports"
BAD = Path(__file__).parents[1] / "data" / "bad"
AS_OF = "2026-11-23T00:00:00Z"
POLICY = Path(__file__).parents[2] / "keyaudit" / "data" / "policies" / "cis.toml"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["check", str(REPORTS / "002_file-real.csv"), "--policy", "cis", "--as-of", "2025-01-29T17:00:00Z"], 0),
        (["check", str(REPORTS / "001_file-real.csv"), "--policy", "cis", "--as-of", "2023-01-03T10:30:00Z"], 1),
        (["check", str(REPORTS / "002_file-real.csv"), "--as-of", "2025-01-29T17:00:00Z"], 3),
        (["check", "no-such-file.csv"], 2),
        (["check"], 2),
        (["check", str(BAD / "json_truncated.json")], 2),
        (["check", str(REPORTS / "002_file-real.csv"), "--policy", "no-such-policy.toml"], 2),
        (["check", str(REPORTS / "002_file-real.csv"), "--as-of", "2025-01-29"], 2),
        (["check", "--no-such-option"], 2),
        (["no-such-command"], 2),
        (["verify", "no-such-folder"], 2),
        (["--help"], 0),
        (["check", "-h"], 0),
        (["--version"], 0),
        ([], 2),
    ],
    ids=lambda value: (
        " ".join(Path(part).name for part in value) or "nothing" if isinstance(value, list) else str(value)
    ),
)
def test_exit_codes(arguments: list[str], code: int) -> None:
    done = keyaudit(*arguments)
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr
    if code == 2:
        assert done.stdout == b""
        assert done.stderr.strip()


def test_an_error_is_one_line_on_stderr() -> None:
    done = keyaudit("check", str(BAD / "truncated_last_line_on_field_border.csv"))
    assert done.stderr.decode() == (
        "keyaudit: truncated_last_line_on_field_border.csv, line 4: has 14 of 22 fields; the file is cut off, "
        "or the line is no part of the report: fetch it again\n"
    )


def test_json_is_one_object_with_the_keys_of_the_contract() -> None:
    done = keyaudit(
        "check",
        str(REPORTS / "001_file-real.csv"),
        "--policy",
        "cis",
        "--as-of",
        "2023-01-03T10:30:00Z",
        "-f",
        "json",
    )
    told = json.loads(done.stdout)
    assert done.stderr == b""
    assert {
        "as_of", "as_of_source", "rule", "policy", "conclusion", "conclusions", "accounts", "counts", "findings", "warnings",
        "notes",
    } <= set(told)  # fmt: skip
    assert {"title", "version", "sha256"} <= set(told["policy"])
    assert set(told["accounts"][0]) == {"account_id", "generated_time", "users", "keys", "conclusion", "problems"}
    assert (told["as_of"], told["as_of_source"], told["conclusion"]) == (
        "2023-01-03T10:30:00Z",
        "given",
        "NON_COMPLIANT",
    )
    assert told["counts"] == {"NON_COMPLIANT": 2, "COMPLIANT": 1}
    worst = told["findings"][0]
    assert (worst["user"], worst["age_days"], worst["days_over"], worst["limit"]) == ("user04", 230, 140, 90)
    assert worst["annotation"] == "active for 230 days, 140 over the limit of 90"
    assert worst["due"] == "2022-08-16T09:51:58Z"


def test_csv_has_every_finding_and_neutralises_formulas() -> None:
    done = keyaudit(
        "check", str(BAD / "formula_injection_names.csv"), "--policy", "cis", "--as-of", AS_OF, "-f", "csv"
    )
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert {row["control"] for row in rows} == {"rotation", "unused", "active-keys", "root-key"}
    assert {row["user"] for row in rows} >= {"'=cmd|' /C calc'!A0", "'+SUM(1+1)", "'-2+3", "'@SUM(1+1)"}
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


def test_standard_input_can_be_given_once() -> None:
    content = (REPORTS / "018_literal-in-a-test-synthetic.csv").read_bytes()
    assert keyaudit("check", "-", stdin=content).returncode == 1
    done = keyaudit("check", "-", "-", stdin=content)
    assert (done.returncode, done.stdout) == (2, b"")


def test_the_verdict_survives_a_reader_that_leaves(tmp_path: Path) -> None:
    command = f"{sys.executable} -m keyaudit check {REPORTS / '001_file-real.csv'} --policy cis --as-of 2023-01-03T10:30:00Z"
    script = f"set -o pipefail; {command} | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "1"
    assert done.stderr == ""


def test_the_table_is_coloured_on_a_terminal_only() -> None:
    arguments = ["check", str(REPORTS / "001_file-real.csv"), "--policy", "cis", "--as-of", "2023-01-03T10:30:00Z"]
    assert b"\x1b[" not in keyaudit(*arguments).stdout
    ours, theirs = pty.openpty()
    done = keyaudit(
        *arguments, first=f"import os; os.dup2(os.open({os.ttyname(theirs)!r}, os.O_RDWR | os.O_NOCTTY), 1)"
    )
    assert done.returncode == 1
    shown = os.read(ours, 65536)
    for end in (ours, theirs):
        os.close(end)
    assert shown.startswith(b"\x1b[31mNON_COMPLIANT")


def test_columns_stay_aligned_with_wide_and_long_names() -> None:
    for name in ("unicode_names.csv", "very_long_user_name_64plus.csv"):
        text = keyaudit("check", str(BAD / name), "--policy", "cis", "--as-of", AS_OF).stdout.decode()
        lines = text.splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith("Keys not rotated")) + 1
        table = lines[start : lines.index("", start)]
        positions = {_column_of(line, "111122223333") for line in table[1:]}
        assert len(positions) == 1, table


def _column_of(line: str, text: str) -> int:
    from keyaudit.present.grid import width_of

    return width_of(line[: line.index(text)])


def test_control_characters_in_a_name_do_not_reach_the_terminal(tmp_path: Path) -> None:
    text = (REPORTS / "018_literal-in-a-test-synthetic.csv").read_text(encoding="utf-8")
    path = tmp_path / "report.csv"
    path.write_text(text.replace("bob", "b\x1b[2Job\u202e"), encoding="utf-8")
    shown = keyaudit("check", str(path), "--policy", "cis", "--as-of", AS_OF).stdout.decode()
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert r"b\x1b[2Job\u202e" in shown


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from keyaudit.cli import _run; _run(['--help']); print(sorted({'pandas','numpy','matplotlib','pydantic','papermill','jupyter_client','tqdm','importlib.metadata'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_check_imports_no_notebook_machinery_and_no_charts() -> None:
    code = (
        "import sys; from keyaudit.cli import _run; "
        f"_run(['check', {str(REPORTS / '002_file-real.csv')!r}]); "
        "print(sorted({'matplotlib','papermill','nbconvert','jupyter_client','IPython','boto3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "arguments", [("report", "report.csv", "--policy", "cis", "--also", "xlsx,owners"), ("demo",)]
)
def test_the_kernel_begins_before_anything_heavy_is_imported(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """It imports the same, at the same time, and would be waited for."""
    write(tmp_path, "report.csv", report(("alice", FRESH)))
    heavy = {"pandas", "numpy", "matplotlib", "boto3", "papermill", "nbconvert", "jupyter_client", "IPython"}
    code = f"""
import os, sys
def hook(event, facts):
    if event == "subprocess.Popen" and "keyaudit.evidence.warm" in facts[1]:
        print(sorted({heavy!r} & set(sys.modules)), flush=True)
        os._exit(0)
sys.addaudithook(hook)
from keyaudit.cli import main
main({list(arguments)!r})
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]"]


def test_an_unforeseen_failure_is_exit_4_in_one_line(tmp_path: Path) -> None:
    # a broken installation: the texts are gone
    code = (
        "import sys, pathlib, keyaudit.resources as r; r.PACKAGE = pathlib.Path('nowhere'); from keyaudit.cli import _run; "
        f"sys.exit(_run(['check', {str(REPORTS / '001_file-real.csv')!r}, '--policy', {str(POLICY)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert done.stderr.startswith("keyaudit: keyaudit itself failed (")
    assert len(done.stderr.splitlines()) == 1


def test_many_accounts_are_judged_in_several_processes_with_the_same_outcome(tmp_path: Path) -> None:
    content = (REPORTS / "018_literal-in-a-test-synthetic.csv").read_text(encoding="utf-8")
    for number in range(45):
        (tmp_path / f"{number}.csv").write_text(
            content.replace("123456789012", f"1234567890{number:02}"), encoding="utf-8"
        )
    (tmp_path / "broken.csv").write_text("no report", encoding="utf-8")
    arguments = ["check", str(tmp_path), "--policy", "cis", "--as-of", "2026-07-31T00:00:00Z"]
    table, whole = keyaudit(*arguments), json.loads(keyaudit(*arguments, "-f", "json").stdout)
    assert table.returncode == 1, table.stderr
    assert whole["counts"] == {"NON_COMPLIANT": 45, "INSUFFICIENT_DATA": 1, "COMPLIANT": 90}
    assert b"NON_COMPLIANT: 45 of 135 active access keys were not rotated within their limit" in table.stdout
    assert b", in each of 45 accounts (1 more was not read)." in table.stdout
    assert b"Missing (unknown-1): broken.csv" in table.stdout


def test_verify_goes_on_after_a_folder_that_is_not_there() -> None:
    sample = next(p for p in (Path(__file__).parents[2] / "reports" / "sample").iterdir() if p.is_dir())
    done = keyaudit("verify", "no-such-folder", str(sample))
    assert done.returncode == 2
    assert done.stdout.decode() == f"OK  {sample}\n"
    assert done.stderr == b"keyaudit: no-such-folder: no such evidence folder\n" + UNSEEN


def test_a_notebook_that_names_no_kernel_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.ipynb"
    path.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', encoding="utf-8")
    done = keyaudit(
        "report", str(REPORTS / "002_file-real.csv"), "--notebook", str(path), "-o", str(tmp_path / "reports")
    )
    assert done.returncode == 2
    assert b"odd.ipynb: its metadata name no Python kernel" in done.stderr
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["check", SECRET],
        [f"--{SECRET}"],
        ["check", str(REPORTS / "001_file-real.csv"), "--as-of", SECRET],
        ["report", "-o", "r", "-p", "as", SECRET],
    ],
)
def test_a_secret_among_the_arguments_is_not_said_again(tmp_path: Path, words: list[str]) -> None:
    done = keyaudit(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert b"looks like a secret" in done.stderr and SECRET.encode() not in done.stderr + done.stdout


def test_a_path_is_no_secret() -> None:
    for path in (
        "/home/User1/Documents/Reports/Quarter202",
        "reports/2026-11-23T080000Z-key_rotation-sample",
        "f" * 40,
    ):
        assert masked(path) == path
    assert masked(f"in {SECRET}, twice {SECRET}").count("secret") == 2


@pytest.mark.parametrize(
    "text",
    [
        f"AWS_SECRET_ACCESS_KEY={SECRET}",
        f"aws_secret_access_key: {SECRET}",
        f'{{"SecretAccessKey": "{SECRET}"}}',
        f'{{\\"SecretAccessKey\\": \\"{SECRET}\\"}}',
        f"https://example.com/?key={SECRET.replace('/', '%2F')}&x=1",
        f"https://auditor:{SECRET}@example.com/",
        json.dumps({"value": SECRET}).replace("/", "\\/"),
        f"({SECRET})",
        f"'{SECRET}',",
        "password=correct-horse-battery",
        'session_token: "FwoGZXIvYXdzEJr"',
        "https://auditor:short@example.com/",
    ],
)
def test_a_secret_is_masked_in_whatever_way_it_is_written(text: str) -> None:
    shown = line(f"cannot read {text}")
    assert "looks like a secret" in shown
    for part in (SECRET, SECRET.replace("/", "%2F"), "correct-horse", "FwoGZX", ":short@", SECRET[-12:]):
        assert part not in shown


@pytest.mark.parametrize(
    "name",
    [
        "passwd", "PASSWD", "paſſwd", "password", "secretKey", "ſecret-Key", "Secret_Access_Key", "sessionToken",
        "security_toKen", "X-Amz-Signature", "private-key", "prıvate_key",
    ],
)  # fmt: skip
def test_the_shortest_secrets_are_masked_by_their_names(name: str) -> None:
    """In whatever case, which some letters beyond ASCII share with others."""
    assert masked(f"{name}=abcdefgh") == f"{name}={masked(SECRET)}" != masked(f"{name}=abcdefg")
    assert all_masked({name: ["abcdefgh", {name: "abcdefgh", "n": 1}]}) == {
        name: ["abcdefgh", {name: masked(SECRET), "n": 1}]
    }
    assert masked("://a:b@") == f"://a:{masked(SECRET)}@"


@pytest.mark.parametrize(
    "text",
    ["--fields accesskey=AWS_ACCESS_KEY_ID,secretkey=AWS_SECRET_ACCESS_KEY.", "secretkey=apiSecretKey,user=x"],
)
def test_the_name_of_a_field_is_no_secret(text: str) -> None:
    assert masked(text) == text


def test_no_summary_of_a_command_is_cut() -> None:
    for group in ((), ("rotation",), ("policy",)):
        lines = keyaudit(*group, "--help").stdout.decode().partition("Commands:\n")[2].splitlines()
        summaries = [line for line in lines if re.match(r"  \w+  ", line)]
        assert summaries and not [line for line in summaries if line.endswith("...")]


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["check", "none.csv"], "--as-of"),
        (["report", "none.csv"], "--as-of"),
        (["rotation", "plan", "none.csv"], "--as-of"),
        (["rotation", "status"], "--as-of"),
        (["series", "none", "--every", "week"], "--since"),
    ],
)
def test_a_day_is_refused_with_the_two_instants_that_it_may_mean(words: list[str], option: str) -> None:
    """Before anything is read, AWS included; both can be copied."""
    done = keyaudit(*words, option, "2026-11-23")
    said = "2026-11-23T00:00:00Z (the day's beginning) or 2026-11-23T23:59:59Z (its end)"
    assert done.returncode == 2
    assert done.stderr.decode() == f"keyaudit: {option} 2026-11-23: say which instant: {said}\n"


def _commands(command: click.Command, *names: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield names, command
    if isinstance(command, click.Group):
        with click.Context(command) as context:
            found = {name: command.get_command(context, name) for name in command.list_commands(context)}
        for name, one in found.items():
            assert one is not None
            yield from _commands(one, *names, name)


@pytest.mark.parametrize("width", [80, 100])
def test_every_help_fits_and_no_summary_is_cut(width: int) -> None:
    for names, command in _commands(cli, "keyaudit"):
        with click.Context(command, info_name=" ".join(names), terminal_width=width) as context:
            told = command.get_help(context)
        assert max(map(len, told.splitlines())) <= width, names
        assert "..." not in told.partition("\nCommands:\n")[2], names


def test_every_command_says_what_it_means_and_every_option_what_it_is() -> None:
    for names, command in _commands(cli, "keyaudit"):
        assert command.get_short_help_str(200).count(" ") >= 3, names
        for one in command.params:
            said = getattr(one, "help", "") or ""
            assert isinstance(one, click.Argument) or (said and not said.startswith("Default")), (names, one.name)
