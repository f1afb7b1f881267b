"""Whether the tests notice what is wrong: faults are put into the code one at a time, and some test must fail for each.

``make mutants``: forty comparisons, constants, returns and guards, drawn from the rooms that protect a verdict, a
secret or a seal, by the hash of the committed tree: everyone draws the same from the same code. Each is tried in a
clone of HEAD with an environment of its own: by the tests that name its module first, then by those of its room, and
then by all. Exit code 1 if one survives: either a test is missing, or the mutant means the same as the code, which a
person must see.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from run_checks import TESTS, checking

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("assess", "credentials", "auditing", "reconcile", "evidence", "captured", "rotation", "policy")
KINDS = ("comparison", "constant", "return", "guard")
#: seconds; a run that takes longer hangs, and that is noticed too
PATIENCE = 900
OPPOSITE: dict[type[ast.cmpop], str] = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.In: "not in", ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is",
}  # fmt: skip


class Mutant(NamedTuple):
    """What to write in place of a node: at these byte offsets of a module."""

    kind: str
    path: str
    line: int
    start: int
    end: int
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.kind} {self.path}:{self.line}: {_short(self.before)} -> {_short(self.after)}"


def mutants_of(path: str, source: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def mutant(kind: str, node: ast.expr, after: str) -> Mutant:
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        return Mutant(kind, path, node.lineno, start, end, source.encode()[start:end].decode(), after)

    tree = ast.parse(source)
    said = {id(text) for text in _annotations(tree)}
    for node in ast.walk(tree):
        if id(node) in said:
            continue
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            left, right = ast.unparse(node.left), ast.unparse(node.comparators[0])
            yield mutant("comparison", node, f"({left} {OPPOSITE[type(node.ops[0])]} {right})")
        elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            is_bool = isinstance(node.value, bool)
            yield mutant("constant", node, f"({not node.value if is_bool else node.value + 1})")
        elif isinstance(node, ast.Return) and node.value and not _is_none(node.value):
            is_truth = isinstance(node.value, ast.Compare | ast.BoolOp) or _is_not(node.value)
            yield mutant("return", node.value, f"(not ({ast.unparse(node.value)}))" if is_truth else "None")
        elif isinstance(node, ast.If) and isinstance(node.body[-1], ast.Raise | ast.Return | ast.Continue):
            yield mutant("guard", node.test, "False")


def _annotations(tree: ast.Module) -> Iterator[ast.AST]:
    """Nodes that only a type checker reads, and parts of f-strings, which cannot be replaced by themselves."""
    for node in ast.walk(tree):
        found = [getattr(node, name, None) for name in ("annotation", "returns")]
        found += [node] if isinstance(node, ast.JoinedStr) else []
        for one in found:
            yield from ast.walk(one) if isinstance(one, ast.AST) else ()


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_not(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _short(text: str) -> str:
    return text if len(text := " ".join(text.split())) <= 60 else f"{text[:57]}..."


def drawn(tree: Path, seed: str, number: int) -> list[Mutant]:
    """So many mutants of the rooms, as many of each kind, in the order of their places."""
    modules = [path for room in ROOMS for path in sorted((tree / "keyaudit" / room).rglob("*.py"))]
    found = [
        one for path in modules for one in mutants_of(path.relative_to(tree).as_posix(), path.read_text("utf-8"))
    ]
    dice = random.Random(seed)
    picked = [dice.sample([one for one in found if one.kind == kind], number // len(KINDS)) for kind in KINDS]
    return sorted((one for some in picked for one in some), key=lambda one: (one.path, one.start))


def killed_by(tree: Path, mutant: Mutant, environment: dict[str, str]) -> str:
    """The first test that failed with a mutant in the code; empty if it survived."""
    path = tree / mutant.path
    source = path.read_bytes()
    path.write_bytes(source[: mutant.start] + mutant.after.encode() + source[mutant.end :])
    try:
        found = (_failed(tree, tests, environment) for tests in _in_turn(tree, mutant))
        return next(filter(None, found), "")
    finally:
        path.write_bytes(source)


def _in_turn(tree: Path, mutant: Mutant) -> Iterator[list[Path]]:
    """What to run for a mutant, one after the other: all tests, those that are likely to fail first."""
    _, room, *parts = Path(mutant.path).with_suffix("").parts
    module = re.compile(
        rf"\bkeyaudit\.{'.'.join([room, *parts])}\b|\bfrom keyaudit\.{room} import .*\b{parts[-1]}\b"
    )
    if named := [one for one in sorted(tree.glob("tests/*/test_*.py")) if module.search(one.read_text("utf-8"))]:
        yield named
    yield from ([tree / "tests" / room], [tree / "tests"])


def _failed(tree: Path, tests: list[Path], environment: dict[str, str]) -> str:
    python = tree / ".venv" / "bin" / "python"
    command = [python, "-m", *TESTS, "-x", "-p", "no:cacheprovider", *tests]
    with subprocess.Popen(
        command,
        cwd=tree,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as run:
        try:
            told, _ = run.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)  # its workers too
            return "the run did not end"
    if run.returncode == 0:
        return ""
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", told, re.MULTILINE)
    return failed[1] if failed else f"pytest ended with {run.returncode}"


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--number", type=int, default=40, help="how many, a quarter of each kind")
    words.add_argument("--seed", default="", help="in place of the hash of the committed tree")
    words.add_argument("--first", type=int, default=1, help="begin with this one of them")
    words.add_argument("--list", action="store_true", help="only say which")
    asked = words.parse_args()
    head = subprocess.run(
        ["git", "rev-parse", "HEAD^{tree}"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    with tempfile.TemporaryDirectory(prefix="keyaudit-mutants-") as folder, checking() as environment:
        tree = Path(folder, "keyaudit")
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, tree], check=True)
        mutants = drawn(tree, asked.seed or head, asked.number)
        if asked.list:
            print("\n".join(map(str, mutants)))
            return 0
        subprocess.run(["make", "--quiet", ".venv/dev", f"PYTHON={sys.executable}"], cwd=tree, check=True)
        survived = 0
        for number, mutant in enumerate(mutants[asked.first - 1 :], asked.first):
            begun = time.monotonic()
            test = killed_by(tree, mutant, environment)
            survived += not test
            print(f"{number:3} {mutant}\n    {test or 'SURVIVED'} ({time.monotonic() - begun:.0f} s)", flush=True)
        print(f"{survived} survived")
        return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
