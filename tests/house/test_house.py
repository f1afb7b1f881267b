"""The house: arrows run downward only, modules stay small, nothing committed that must not be."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import keyaudit

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "keyaudit"
#: from the ground up; a module may import what stands on a lower floor, or is part of its own package
FLOORS = (
    ("imports", "resources", "schema"),
    ("frontend", "instants", "texts"),
    ("engine", "files"),
    ("cluster", "credentials", "parcel", "policy", "retiring"),
    ("model",),
    ("captured",),
    ("aws",),
    ("changed", "charts", "compared", "sources"),
    ("present",),
    ("assess", "export", "reconcile"),
    ("auditing", "capture", "period"),
    ("dues", "rotation"),
    ("evidence",),
    ("explore", "schedule"),
    ("cli",),
    ("__main__",),
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def imported_rooms(path: Path) -> set[str]:
    """Rooms of ours that a module imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {parts[1] for name in names if (parts := name.split("."))[0] == "keyaudit" and len(parts) > 1}


def test_every_module_has_a_floor() -> None:
    rooms = {room(path) for path in MODULES} - {"__init__"}
    assert rooms == set(FLOOR_OF)


def test_arrows_run_downward_only() -> None:
    paths = [path for path in MODULES if path != PACKAGE / "__init__.py"]
    assert {str(path.relative_to(ROOT)): found for path in paths if (found := not_below(path))} == {}


def not_below(path: Path) -> set[str]:
    """The rooms that a module imports from its own floor or from above."""
    own = room(path)
    others = {other for other in imported_rooms(path) if other in FLOOR_OF and other != own}
    return {other for other in others if FLOOR_OF[other] >= FLOOR_OF[own]}


def test_no_module_hides_a_name_of_the_face() -> None:
    """Importing ``keyaudit.changes`` would put the module where notebooks find ``ka.changes``."""
    assert set(FLOOR_OF) & set(keyaudit.__all__) == {"explore"}  # a room that nothing imports but by that name


#: modules of one name where they are about one thing: a command and what it does, what is written and read, a chart
#: and what it says
ONE_THING = frozenset(
    ("accounts", "ages", "capture", "cluster", "deadlines", "deploy", "export", "function", "gantt", "idle", "inventory", "options", "over_period",
     "over_time", "period", "plan", "replaced", "report", "rotated", "rotation", "rotations", "schedule", "series", "share", "standing",
     "strip", "template", "verify")
)  # fmt: skip
#: and those that say as little in one room as in another
PLAIN = frozenset(("__init__", "folder", "frame", "limits", "notebook", "population", "rows"))


def test_one_name_has_one_meaning() -> None:
    names = Counter(path.parent.name if path.name == "__init__.py" else path.stem for path in MODULES)
    assert {name for name, number in names.items() if number > 1} <= ONE_THING | PLAIN


def test_the_ground_floor_imports_nothing_of_ours() -> None:
    assert imported_rooms(PACKAGE / "schema.py") == set()


@pytest.mark.parametrize("name", ["model", "evidence", "aws.permissions", "captured.layout"])
def test_rooms_that_others_share_import_nothing_heavy(name: str) -> None:
    heavy = "boto3", "matplotlib", "numpy", "pandas", "pydantic"
    told = f"import sys, keyaudit.{name}; print(*sorted({set(heavy)!r} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


#: types that have a name: ``Any`` stands for none of them
NAMED = re.compile(r"(?<!\w)(a|audit|judged|policy|evidence|population|origin|live): (dict\[str, )?Any")


def test_no_any_stands_for_a_type_that_has_a_name() -> None:
    sources = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in MODULES}
    assert [name for name, text in sources.items() if NAMED.search(text) or "Audit = Any" in text] == []
    assert [name for name, text in sources.items() if "type: ignore" in text] == []


#: what is deployed: parts that are put together
DEPLOYED = PACKAGE / "rotation" / "function"


def test_no_module_is_over_250_lines() -> None:
    long = {
        str(p.relative_to(ROOT)): n for p in MODULES if (n := len(p.read_text(encoding="utf-8").splitlines())) > 250
    }
    assert long == {}


def test_what_is_deployed_imports_the_standard_library_boto3_and_its_own_parts_alone() -> None:
    names = {name for path in DEPLOYED.glob("*.py") for name in _all_names(path)}
    others = {name for name in names if not name.startswith("keyaudit.rotation.function.")}
    assert {name.split(".")[0] for name in others} <= sys.stdlib_module_names | {"boto3", "botocore"}


def test_boto3_is_imported_by_one_room_and_by_what_is_deployed() -> None:
    found = {
        room(p)
        for p in MODULES
        if p.parent != DEPLOYED and {"boto3", "botocore"} & {n.split(".")[0] for n in _all_names(p)}
    }
    assert found == {"aws"}


@pytest.mark.parametrize("what", ["--print-policy", "--print-role"])
def test_what_is_printed_before_aws_is_asked_imports_no_boto3(what: str) -> None:
    told = f"import sys; from keyaudit.cli import _run; _run(['capture', {what!r}]); print('boto3' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "False"


def test_modules_that_only_posix_has_are_not_imported_at_top_level() -> None:
    posix = {"fcntl", "resource", "pwd", "grp", "termios", "pty"}
    for path in MODULES:
        tops = [
            node
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        names = {alias.name for node in tops for alias in node.names} | {
            getattr(node, "module", "") for node in tops
        }
        assert not names & posix, path


def test_charts_and_the_rest_of_the_library_never_import_pyplot() -> None:
    assert [p for p in MODULES if "pyplot" in {n for name in _all_names(p) for n in name.split(".")}] == []


def _all_names(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def test_nothing_committed_names_a_registry_or_a_path_of_this_machine() -> None:
    forbidden = re.compile(
        rb"--(extra-)?index-url|pypi\.org|registry\.npmjs|files\.pythonhosted|" + re.escape(f"{ROOT}/".encode())
    )
    guilty = [
        str(p)
        for p in committed()
        if p.suffix != ".png" and forbidden.search(p.read_bytes()) and p != Path(__file__)
    ]
    assert guilty == []


def test_top_level_is_as_designed() -> None:
    allowed = {
        "notebooks", "keyaudit", "reports", "tests", "environment.yml", "README.md", "LICENSE", "pyproject.toml",
        "constraints.txt", "Makefile", ".ci", ".gitignore", ".gitattributes", "CHANGELOG.md",
    }  # fmt: skip
    assert {p.relative_to(ROOT).parts[0] for p in committed()} <= allowed


def test_types_agree() -> None:
    """mypy, as the project is set up for it; among the tests, so that it takes its ten seconds beside them."""
    done = subprocess.run([sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
