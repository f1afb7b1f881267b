"""The pages (README.md, and those of the rooms): every command in them runs as written and prints what the page says
("..." stands for what varies), every link leads somewhere, and every path that is named is there.
"""

from __future__ import annotations

import ast
import json
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
from program import program, warm_program  # noqa: F401
from rotating import Lambda, Rotated, fill, function  # noqa: F401
from test_notebook import shows_the_verdict_and_the_charts
from test_operate import invoked, secrets_manager, under_rotation

from keyaudit.evidence.notebook import find_notebook

ROOT = Path(__file__).resolve().parents[2]
FIRST = ROOT / "README.md"
BIN = Path(sys.executable).parent
PATIENCE = 120  # seconds for one command
#: what a kernel may say as it ends, after its answer: it writes to what another of its threads has just closed
#: (ipykernel's pull request 1518, which did not mend all of it); stock papermill shows it, and no socket is ours
AT_ITS_END = re.compile(
    r"Traceback \(most recent call last\):\n(?: .*\n)+zmq\.error\.ZMQError: Socket operation on non-socket\n"
)
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
    """A fenced block: the page that it is on, what marks it, its language, its text."""

    page: Path
    mark: str
    kind: str
    body: str


def pages() -> Iterator[Path]:
    """Every page of the checkout, found by its name."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(names) if name.endswith(".md"))


def blocks_of(page: Path) -> list[Block]:
    text = TEXTS[page]
    return [Block(page, found["mark"] or "", found["kind"], found["body"]) for found in BLOCK.finditer(text)]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


PAGES = list(pages())
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
README = TEXTS[FIRST]
BLOCKS = [block for page in PAGES for block in blocks_of(page)]
COMMANDS = [block for block in BLOCKS if block.kind == "console"]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, program: str) -> Path:  # noqa: F811
    """The checkout in another folder, with the programs of the environment that runs these tests in its ``.venv``
    (set up, as far as make can tell), the policies of the pages, and on the path an ``aws`` that prints what the real
    one does; ``keyaudit`` is one that is warm, there and on the path."""
    folder = tmp_path_factory.mktemp("readme") / "keyaudit"
    ignored = shutil.ignore_patterns(".git", ".venv", ".hypothesis", ".*_cache", "__pycache__", "demo")
    shutil.copytree(ROOT, folder, ignore=ignored, symlinks=True)
    (folder / ".git").mkdir()
    # a folder of its own: make must never install this copy into the environment that runs the tests
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for one in BIN.iterdir():
        if one.name != "keyaudit":
            (programs / one.name).symlink_to(one)
    for stamp in ("core", "lab", "dev"):
        (programs.parent / stamp).touch()
    # test_packaging runs the program itself
    for made, text in (
        (folder / "bin" / "aws", AWS),
        *((one / "keyaudit", program) for one in (folder / "bin", programs)),
    ):
        made.parent.mkdir(exist_ok=True)
        made.write_text(text, encoding="utf-8")
        made.chmod(made.stat().st_mode | stat.S_IXUSR)
    for block in BLOCKS:
        if block.mark.startswith("file: "):
            (folder / block.mark.removeprefix("file: ")).write_text(block.body, encoding="utf-8")
    return folder


@pytest.fixture
def live(aws: Aws) -> dict[str, str]:  # noqa: F811
    """The environment of an organization of two accounts, in each a user with an overdue key."""
    now = datetime.now(UTC)
    aws.reset()
    scenario = aws.scenario()
    for account in [MANAGEMENT, *make_organization(1)]:
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


#: what commands gave that take AWS from nowhere but the ``aws`` on the path: those need to run only once
_done: dict[str, subprocess.CompletedProcess[str]] = {}


def run(command: str, folder: Path, live: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    if live is None and command in _done:
        return _done[command]
    # a make that runs these tests is not to be heard in the make that is tested, and nothing is measured
    own = {name: value for name, value in (live or os.environ).items() if not name.startswith(("MAKE", "COV"))}
    environment = own | {
        "PATH": f"{folder / 'bin'}:{BIN}:{os.environ['PATH']}",
        "REPORT": str(ROOT / "tests" / "data" / "reports" / "018_literal-in-a-test-synthetic.csv"),
    }
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    if live is None:
        _done[command] = done
    return done


def steps(block: Block) -> list[tuple[str, str]]:
    """(command, what it should print) of a console block."""
    parts = re.split(r"^\$ ", block.body, flags=re.MULTILINE)[1:]
    return [(command, output) for part in parts for command, _, output in [part.partition("\n")]]


def matches(output: str, expected: str) -> bool:
    pattern = r".*".join(re.escape(part) for part in expected.strip().split("..."))
    return re.fullmatch(pattern, output.strip(), flags=re.DOTALL) is not None


def shown(block: Block) -> str:
    return f"{name_of(block.page)}: {steps(block)[0][0][:40]}"


# --- commands ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_each_command_of_a_page_is_in_a_block_that_is_run(page: Path) -> None:
    blocks = blocks_of(page)
    assert len(re.findall(r"^```", TEXTS[page], re.MULTILINE)) == 2 * len(blocks)
    assert {block.kind for block in blocks} <= {"console", "python", "text", "toml"}
    marks = {block.mark.split(":")[0] for block in blocks}
    assert marks <= {"", "aws", "airflow", "file", "live", "live many", "live rotation"}
    commands = sum(len(steps(block)) for block in blocks if block.kind == "console")
    assert len(re.findall(r"^\s*\$ ", TEXTS[page], re.MULTILINE)) == commands
    assert all(steps(block) for block in blocks if block.kind == "console")


@pytest.mark.parametrize("block", COMMANDS, ids=shown)
def test_commands_run_as_written(block: Block, checkout: Path, request: pytest.FixtureRequest) -> None:
    live = request.getfixturevalue(block.mark.replace(" ", "_")) if block.mark.startswith("live") else None
    for command, expected in steps(block):
        done = run(command, checkout, live)
        assert done.returncode in (0, 1, 3), f"$ {command}\n{done.stdout}"
        is_stock = command.startswith("papermill ")
        assert "Traceback" not in (AT_ITS_END.sub("", done.stdout) if is_stock else done.stdout)
        if live:
            assert "missing" not in done.stdout, done.stdout
            assert ("sealed: " in done.stdout) == (" report " in command), done.stdout
        if is_stock:
            shows_the_verdict_and_the_charts(json.loads((checkout / "out.ipynb").read_bytes()))
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


# --- links and names ---------------------------------------------------------------------------------------------------
def prose_of(page: Path) -> str:
    """The text without its blocks."""
    return BLOCK.sub("", TEXTS[page])


def anchors(page: Path) -> set[str]:
    """What GitHub calls the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> list[tuple[Path, str]]:
    """(file or folder, anchor) of each link within the checkout."""
    found = re.findall(r"\]\(([^)\s]+)\)", prose_of(page))
    parts = [link.partition("#") for link in found if "://" not in link]
    return [((page.parent / path).resolve() if path else page, anchor) for path, _, anchor in parts]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_each_link_leads_to_a_file_and_a_heading_that_are_there(page: Path) -> None:
    for path, anchor in links(page):
        assert path.is_relative_to(ROOT) and path.exists(), path
        assert not anchor or anchor in anchors(path), f"{name_of(path)}#{anchor}"


def test_each_page_is_reached_from_the_first() -> None:
    reached, new = {FIRST}, [FIRST]
    while new:
        found = {path for path, _ in links(new.pop()) if path in TEXTS} - reached
        reached |= found
        new += found
    assert reached == set(PAGES)


#: a path within the checkout; ``*`` and ``<...>`` stand for names
PATH = re.compile(r"(?:keyaudit|notebooks|reports|tests|\.ci)/[\w./-]*|[\w./-]+\.(?:py|ipynb)")
#: what runs make
MADE = re.compile(r"reports/(?!sample|README)")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_each_path_that_a_page_names_is_there(page: Path) -> None:
    named = {name for name in re.findall(r"`([^`\n]+)`", prose_of(page)) if PATH.fullmatch(name)}
    assert {name for name in named if not MADE.match(name) and not (ROOT / name).exists()} == set()


# --- what the pages say ------------------------------------------------------------------------------------------------
def test_the_first_page_is_short() -> None:
    assert len(README.split()) <= 1700


def policy_text(name: str) -> str:
    return next(block.body for block in BLOCKS if block.mark == f"file: {name}")


def test_the_policies_of_the_pages_are_valid_and_one_has_every_setting() -> None:
    from keyaudit.policy import Policy, parse_policy

    for name in ("our-policy.toml", "whole-policy.toml"):
        assert parse_policy(policy_text(name).encode(), name).max_access_key_age == 90
    whole = policy_text("whole-policy.toml")
    assert all(f"{name} = " in whole or f"[[{name}]]" in whole for name in Policy.model_fields)


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
