"""Shared by the tests of evidence, verify and interruptions: the command as a process, finished folders that are
made once a test run, notebooks of one's own, and seals made again as somebody who tampers would.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from conftest import ACCOUNT, AS_OF, FRESH, OLD, OTHER, report, write
from filelock import FileLock
from forked import forked

COMMAND = [sys.executable, "-m", "keyaudit"]
NAME = "2026-11-23T000000Z-key_rotation"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
POLICY = """\
title = "Access key standard"
version = "2026.1"
approved_by = "CISO"
effective = 2026-01-01
max_access_key_age = 90
max_credential_usage_age = 45
max_active_keys = 1
references = ["CIS AWS Foundations 3.0"]

[[exemption]]
id = "EXC-1"
users = ["legacy-*"]
controls = ["rotation"]
reason = "vendor appliance"
approved_by = "CISO"
expires = 2026-12-31
"""
#: a report that fails (bob), with one key exempt
FAILING = report(("alice", FRESH), ("bob", OLD), ("legacy-etl", OLD))
CLEAN = report(("alice", FRESH), account=OTHER)
#: a period that no test run outlives: it began in 2022 and ends in 2032
LONG = "3650d"
#: the cells that a notebook of one's own needs at the least
PARAMETERS = 'source: str = ""\npolicy: str = ""\nas_of: str = ""\nrows: int = 20'
JUDGED = "import keyaudit as ka\na = ka.audit(source, policy, as_of)\nka.bottom_line(a)"
#: a notebook of the tests' own that has the bottom line alone: where the notebook is not what is tested, a run with
#: it takes a third of the time
BRIEF = ("--notebook", Path(__file__).parents[1] / "data" / "notebooks" / "brief.ipynb")
#: keyaudit's own notebook but for its charts, which take most of its time: where what its tables say is tested
WITHOUT_CHARTS = ("--notebook", Path(__file__).parents[1] / "data" / "notebooks" / "tables.ipynb")
#: where what keyaudit's own notebook shows is
WHOLE = ("--notebook", "key_rotation")
#: the name of its evidence, but for the account
BRIEFLY = "2026-11-23T000000Z-brief"
PROCESS_DEADLINE = 120  # seconds; a run takes about four, on a machine that has nothing else to do


def keyaudit(
    *arguments: object,
    cwd: Path | None = None,
    stdin: bytes = b"",
    env: dict[str, str] | None = None,
    is_fresh: bool = False,
    first: str = "",
) -> subprocess.CompletedProcess[bytes]:
    """``keyaudit ARGUMENTS`` as a process; its CompletedProcess, output in bytes. ``is_fresh``: by an interpreter of
    its own, where its start is part of what is tested; ``first``: Python that the process executes before anything
    else."""
    words = list(map(str, arguments))
    if not is_fresh:
        return forked(words, env or dict(os.environ), PROCESS_DEADLINE, cwd=cwd, stdin=stdin, first=first)
    return subprocess.run(
        [*COMMAND, *words],
        cwd=cwd,
        env=env,
        input=stdin,
        capture_output=True,
        timeout=PROCESS_DEADLINE,
        check=False,
    )


def report_on(reports: Path, *sources: object, policy: object = "cis", as_of: str = AS_OF, options: Iterable = ()):
    """The arguments of ``keyaudit report`` into a reports folder, with the brief notebook if no other is named; an
    empty policy or as_of is not given."""
    options = [*options]
    options += [] if "--notebook" in options else BRIEF
    given = [*(("--policy", policy) if policy else ()), *(("--as-of", as_of) if as_of else ())]
    return ["report", *sources, *given, *options, "-o", reports]


def made(*arguments: object, code: int, **more: Any) -> Path:
    """The folder that a report has made, which must end with this code and say its name alone on stdout."""
    done = keyaudit(*arguments, **more)
    assert done.returncode == code, done.stderr.decode()
    lines = done.stdout.decode().splitlines()
    assert len(lines) == 1
    folder = Path(more.get("cwd") or ".") / lines[0]
    assert (folder / "SHA256SUMS").is_file()
    return folder


def refused(done: subprocess.CompletedProcess[bytes], code: int) -> str:
    """What a command that failed with this code said: one line on stderr, no traceback, nothing on stdout."""
    said = done.stderr.decode()
    assert done.returncode == code, said
    assert done.stdout == b"" and said.count("\n") == 1 and said.startswith("keyaudit: "), said
    assert "Traceback" not in said
    return said


def once(tmp_path_factory, name: str, make: Callable[[Path], Any]) -> Path:
    """A folder filled by ``make(folder)`` once a test run, shared by all modules and workers; never write in it."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, ready = base / f"once-{name}", base / f"once-{name}.ready"
    with FileLock(base / f"once-{name}.lock"):
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            ready.touch()
    return folder


def make_failing(folder: Path) -> None:
    """Evidence of one account that fails, by a policy file, as of a given instant: ``reports/NAME-ACCOUNT``."""
    write(folder, "policy.toml", POLICY)
    write(folder, "report.csv", FAILING)
    asked = report_on(folder / "reports", folder / "report.csv", policy=folder / "policy.toml", options=WHOLE)
    made(*asked, code=1)


def failing(tmp_path_factory) -> Path:
    """The finished folder of ``make_failing``; copy it before you touch it."""
    return once(tmp_path_factory, "failing", make_failing) / "reports" / f"{NAME}-{ACCOUNT}"


UNSEEN = (
    b"pictures, and the texts that stand for them, are sealed but were not made again; verify --run does that\n"
)


def verified(*folders: Path) -> tuple[int, str]:
    """Exit code and output of ``keyaudit verify``, which says beside it what it has not compared."""
    done = keyaudit("verify", *folders)
    assert done.stderr in (b"", UNSEEN), done.stderr.decode()
    return done.returncode, done.stdout.decode()


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a folder and the folders in it: path -> bytes; not those of a reports folder that change."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in CHANGING
    }


def manifest(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_bytes())


def summary(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "summary.json").read_bytes())


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def seal_again(folder: Path, **changes: Any) -> None:
    """Manifest and SHA256SUMS of a folder made to fit what now lies in it, as somebody who tampers would (written
    from DESIGN.md, not with keyaudit); ``changes`` are facts of the manifest."""
    facts = manifest(folder) | changes
    if "files" not in changes:
        found = {name: content for name, content in files(folder).items() if name not in SEALS}
        facts["files"] = [
            {"path": name, "bytes": len(content), "sha256": digest(content)}
            for name, content in sorted(found.items())
        ]
    content = (json.dumps(facts, ensure_ascii=False, indent=1) + "\n").encode()
    sums = {one["path"]: one["sha256"] for one in facts["files"]} | {"manifest.json": digest(content)}
    (folder / "manifest.json").write_bytes(content)
    (folder / "SHA256SUMS").write_text("".join(f"{sums[name]}  {name}\n" for name in sorted(sums)))


def show_again(folder: Path) -> None:
    """Notebook and page of a folder made to say what its raw evidence gives by now, as who made all of it would;
    charts stay as they are. The manifest is still to be sealed again."""
    import nbformat

    import keyaudit as ka
    from keyaudit.evidence.page import render
    from keyaudit.evidence.sheet import foreign_of, title_of
    from keyaudit.evidence.verify import executed
    from keyaudit.policy import parse_policy

    parameters = manifest(folder)["parameters"]
    policy = parse_policy((folder / "policy.toml").read_bytes(), "policy.toml")
    a = ka.audit(str(folder / "raw"), policy, parameters["as_of"], sealed=True)
    notebook = nbformat.read(folder / "report.ipynb", 4)
    cells, _ = executed.read((folder / "report.ipynb").read_bytes())
    for told, cell in zip(notebook.cells, cells, strict=True):
        if cell.is_injected:
            told.source = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
        elif cell.kind == "code":
            for want, output in zip(executed.expected(cell, {"a": a}) or [], told.outputs, strict=True):
                if want.text is not None:
                    output.data = {"text/html": want.html, "text/plain": want.text}
                if "keyaudit" in output.metadata:
                    output.metadata = ka.bottom_line(a).metadata
    nbformat.write(notebook, folder / "report.ipynb")
    title = title_of([one.account_id for one in a.provenance], a.as_of, a.is_sample)
    told = manifest(folder)["notebook"]
    notice = "" if told["ours"] else foreign_of(told["name"], told["sha256"])
    (folder / "report.html").write_bytes(render(notebook, title, notice))


SEALS = ("manifest.json", "SHA256SUMS")
#: what is beside the evidence in a reports folder: its lock, and the overview that each run makes anew
CHANGING = (".lock", "index.html")


def notebook(folder: Path, name: str, *cells: str, parameters: str = PARAMETERS) -> Path:
    """A notebook of one's own: a parameters cell, then these code cells."""
    sources = [(parameters, ["parameters"]), *((cell, []) for cell in cells)]
    content = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "metadata": {"tags": tags},
                "execution_count": None,
                "outputs": [],
                "source": text,
            }
            for number, (text, tags) in enumerate(sources)
        ],
        "metadata": {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return write(folder, f"{name}.ipynb", json.dumps(content))


def leftovers(reports: Path) -> list[str]:
    """The names in a reports folder that are no finished evidence, the lock apart."""
    if not reports.exists():
        return []
    return sorted(path.name for path in reports.iterdir() if path.name.startswith(".") and path.name != ".lock")


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """What the condition gives as soon as it is true; fails if it does not become so."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s in vain")
