"""Every command of README.md runs as written, and prints what README.md says ("..." stands for what varies)."""

from __future__ import annotations

import ast
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aws import MANAGEMENT, Aws, add_user, aws, make_organization, report_of  # noqa: F401
from rotating import Lambda, Rotated, fill, function  # noqa: F401
from test_operate import invoked, secrets_manager, under_rotation

from keyaudit.evidence.notebook import find_notebook

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent
BLOCK = re.compile(r"(?:<!-- (?P<mark>[^>]*) -->\n)?```(?P<kind>\w+)\n(?P<body>.*?)```", re.DOTALL)
#: what the real one prints: JSON, or the text of --query Content; nothing for another operation but its state
AWS = """#!/bin/sh
case "$*" in
  "iam generate-credential-report") printf '{\\n    "State": "COMPLETE"\\n}\\n' ;;
  "iam get-credential-report --query Content --output text") base64 -w0 < "$REPORT"; echo ;;
  "iam get-credential-report --output json") printf '{\\n    "Content": "%s",\\n    "ReportFormat": "text/csv",\\n    "GeneratedTime": "%s"\\n}\\n' "$(base64 -w0 < "$REPORT")" "$(date -u +%Y-%m-%dT%H:%M:%S+00:00)" ;;
  *) echo "aws: error: argument operation: Invalid choice" >&2; exit 252 ;;
esac
"""


@dataclass
class Block:
    """A fenced block: what marks it, its language, its text."""

    mark: str
    kind: str
    body: str


BLOCKS = [Block(m["mark"] or "", m["kind"], m["body"]) for m in BLOCK.finditer(README)]
COMMANDS = [block for block in BLOCKS if block.kind == "console"]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout in another folder, with the programs of the environment that runs these tests in its ``.venv``
    (set up, as far as make can tell), the policy of the README, and an ``aws`` on the path that prints what the
    real one does."""
    folder = tmp_path_factory.mktemp("readme") / "keyaudit"
    ignored = shutil.ignore_patterns(".git", ".venv", ".hypothesis", ".*_cache", "__pycache__", "demo")
    shutil.copytree(ROOT, folder, ignore=ignored, symlinks=True)
    (folder / ".git").mkdir()
    # a folder of its own: make must never install this copy into the environment that runs the tests
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for program in BIN.iterdir():
        (programs / program.name).symlink_to(program)
    for stamp in ("core", "lab", "dev"):
        (programs.parent / stamp).touch()
    program = folder / "bin" / "aws"
    program.parent.mkdir()
    program.write_text(AWS, encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    for block in BLOCKS:
        if block.mark.startswith("file: "):
            (folder / block.mark.removeprefix("file: ")).write_text(block.body, encoding="utf-8")
    return folder


@pytest.fixture
def live(aws: Aws) -> dict[str, str]:  # noqa: F811
    """The environment of an organization of three accounts, in each a user with an overdue key."""
    now = datetime.now(UTC)
    aws.reset()
    scenario = aws.scenario()
    for account in [MANAGEMENT, *make_organization(2)]:
        add_user(account, "alice", now - timedelta(days=400), [(now - timedelta(days=200), "Active")])
        scenario.reports[account] = report_of(account, now - timedelta(minutes=5))
    return scenario.env()


@pytest.fixture
def live_rotation(aws: Aws, function: Lambda) -> Iterator[dict[str, str]]:  # noqa: F811
    """The environment of an account whose user billing has a secret of the template's name, and of a Secrets Manager
    that calls the function when a rotation is asked for."""
    one = Rotated(aws, function, "billing")
    fill(one)
    under_rotation(one)
    one.deploy()
    reports = {MANAGEMENT: report_of(MANAGEMENT, datetime.now(UTC) - timedelta(minutes=5))}
    scenario = aws.scenario(reports=reports, invoked=invoked(one))
    with secrets_manager(one):
        yield scenario.env()


@pytest.fixture
def live_many(aws: Aws) -> dict[str, str]:  # noqa: F811
    """The environment of an account with two users whose keys are overdue, and in use."""
    now = datetime.now(UTC)
    aws.reset()
    for user in ("alice", "bob"):
        add_user(MANAGEMENT, user, now - timedelta(days=400), [(now - timedelta(days=200), "Active", now)])
    return aws.scenario(reports={MANAGEMENT: report_of(MANAGEMENT, now - timedelta(minutes=5))}).env()


def run(command: str, folder: Path, live: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    # a make that runs these tests is not to be heard in the make that is tested
    # nor is it measured, which would double what it costs
    own = {name: value for name, value in (live or os.environ).items() if not name.startswith(("MAKE", "COV"))}
    environment = own | {
        "PATH": f"{folder / 'bin'}:{BIN}:{os.environ['PATH']}",
        "REPORT": str(ROOT / "tests" / "data" / "reports" / "018_literal-in-a-test-synthetic.csv"),
    }
    return subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False,
    )  # fmt: skip


def steps(block: Block) -> list[tuple[str, str]]:
    """(command, what it should print) of a console block."""
    parts = re.split(r"^\$ ", block.body, flags=re.MULTILINE)[1:]
    return [(command, output) for part in parts for command, _, output in [part.partition("\n")]]


def matches(output: str, expected: str) -> bool:
    pattern = r".*".join(re.escape(part) for part in expected.strip().split("..."))
    return re.fullmatch(pattern, output.strip(), flags=re.DOTALL) is not None


def test_the_readme_has_commands_and_each_block_is_of_a_known_kind() -> None:
    assert len(COMMANDS) >= 5
    assert {block.kind for block in BLOCKS} <= {"console", "python", "text", "toml"}


@pytest.mark.parametrize("block", COMMANDS, ids=lambda block: steps(block)[0][0][:40])
def test_commands_run_as_written(block: Block, checkout: Path, request: pytest.FixtureRequest) -> None:
    live = request.getfixturevalue(block.mark.replace(" ", "_")) if block.mark.startswith("live") else None
    for command, expected in steps(block):
        done = run(command, checkout, live)
        assert done.returncode in (0, 1, 3), f"$ {command}\n{done.stdout}"
        assert "Traceback" not in done.stdout
        if live:
            assert "missing" not in done.stdout, done.stdout
            assert ("sealed: " in done.stdout) == (" report " in command), done.stdout
        if expected.strip():
            assert matches(done.stdout, expected), f"$ {command}\n{done.stdout}"


def test_the_line_of_the_auditors_guide_works_as_typed(checkout: Path) -> None:
    line = (
        "aws iam get-credential-report --query Content --output text | base64 -d"
        " | cut -d, -f1,9,10,11,14,15,16 | keyaudit check -"
    )
    assert line in README
    done = run(line, checkout)
    assert done.returncode == 1
    assert done.stdout.startswith("NON_COMPLIANT: none of 3 active access keys")
    assert "no policy was given" in done.stdout


def test_the_policy_of_the_readme_is_valid_and_the_text_names_every_key() -> None:
    from keyaudit.policy import Policy, parse_policy

    text = next(block.body for block in BLOCKS if block.mark == "file: our-policy.toml")
    policy = parse_policy(text.encode(), "our-policy.toml")
    assert policy.max_access_key_age == 90
    assert all(f"{name} = " in text or f"[[{name}]]" in text for name in Policy.model_fields)


def test_the_lines_for_airflow_name_parameters_that_the_notebook_has() -> None:
    (block,) = [block for block in BLOCKS if block.mark == "airflow"]
    calls = [node for node in ast.walk(ast.parse(block.body)) if isinstance(node, ast.Call)]
    (operator,) = [call for call in calls if ast.unparse(call.func) == "PapermillOperator"]
    given = {word.arg: ast.literal_eval(word.value) for word in operator.keywords}
    notebook = find_notebook(Path(given["input_nb"]).stem)
    assert given["parameters"].keys() <= set(notebook.parameters)
    assert len(block.body.splitlines()) <= 12


def test_exit_codes_of_the_readme_are_those_of_the_help() -> None:
    from keyaudit.cli import EXIT_CODES

    for line in EXIT_CODES.splitlines()[2:]:
        code, meaning = line.split(maxsplit=1)
        assert code in README
        assert meaning.split(":")[0].split()[0].lower() in README.lower()
