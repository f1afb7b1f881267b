"""A staged folder whose evidence is in place -> the notebook run over it, the page, the seal."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from keyaudit import __version__
from keyaudit.evidence import contents, seal
from keyaudit.evidence.contents import RunFacts
from keyaudit.evidence.identity import organization_of
from keyaudit.evidence.kernel import Process, connected
from keyaudit.evidence.notebook import Notebook, run_notebook
from keyaudit.evidence.request import Request, Runner
from keyaudit.evidence.sheet import foreign_of
from keyaudit.evidence.stated import Stated
from keyaudit.files import write_file
from keyaudit.schema import RULES, EvidenceError
from keyaudit.texts import language, utc


def finish(
    staging: Path,
    name: str,
    notebook: Notebook,
    stated: Stated,
    told: RunFacts,
    run: Runner,
    progress: bool,
    before_seal: Callable[[], None],
) -> seal.Sealed:
    """Run the notebook with the parameters that are told, write its page, and seal the folder under this name or
    the next one that is free; ``before_seal`` is called when all is in place. EvidenceError unless the page states
    what was judged."""
    output = staging / contents.NOTEBOOK
    listed = seal.list_files(staging)
    executed = run(notebook, told["parameters"], output, progress)
    _agree(executed, stated)
    _write_pages(staging, output, executed, stated, notebook)
    (staging / contents.LOG).unlink(missing_ok=True)
    seal.tidy(staging, listed)
    told["sealed_at"] = utc(datetime.now(UTC))
    before_seal()
    return seal.finish(staging, name, told)


def by_kernel(process: Process) -> Runner:
    """Notebooks run by the kernel that this process becomes; it does one."""

    def run(notebook: Notebook, parameters: dict[str, Any], output: Path, progress: bool) -> Any:
        with connected(process) as kernel:
            # nbconvert takes half a second to import, which is done while the kernel works; not in a thread,
            # because two threads that import at the same time may stop each other
            meanwhile = partial(import_module, "nbconvert.exporters")
            return run_notebook(notebook, parameters, output, kernel, progress, meanwhile)

    return run


def run_facts(
    notebook: Notebook, stated: Stated, request: Request, parameters: dict[str, Any], facts: Mapping[str, Any]
) -> RunFacts:
    """The manifest but for what sealing adds; ``facts``: of the capture."""
    again = stated.facts
    told: RunFacts = {
        "rules": RULES,
        "as_of": again["as_of"],
        "as_of_source": again["as_of_source"],
        "conclusion": again["conclusion"],
        "assurance": again["assurance"],
        "overdue": again["overdue"],
        "incomplete": again["incomplete"],
        "sample": again["sample"],
        "policy": again["policy"],
        "accounts": again["accounts"],
        "language": language(),
        "parameters": parameters,
        "sources": [Path(one).name or one for one in request.sources],
        "notebook": {"name": notebook.name, "sha256": notebook.sha256, "ours": notebook.is_ours},
        "tool": {"keyaudit": __version__, "python": platform.python_version(), "system": platform.system()},
        "libraries": {name: contents.version_of(name) for name in contents.LIBRARIES},
        "started_at": utc(request.started),
        "sealed_at": utc(datetime.now(UTC)),
        "organization": organization_of(facts),
        "compared": None,
    }
    if "period" in again:
        told["period"] = again["period"]
    if request.schedule:
        told["schedule"] = dict(request.schedule)
    return told


def _agree(executed: Any, stated: Stated) -> None:
    """EvidenceError unless the page states exactly the judgement that the data files hold."""
    told = [
        (output.metadata["keyaudit"]["findings_sha256"], output.get("data", {}).get("text/html"))
        for cell in executed.cells
        for output in cell.get("outputs", [])
        if "keyaudit" in output.get("metadata", {})
    ]
    if not told:
        raise EvidenceError(
            "the notebook shows no bottom line (ka.bottom_line(a)): a page without it proves nothing"
        )
    line = stated.line
    if set(told) != {(line.metadata["keyaudit"]["findings_sha256"], line._repr_html_())}:
        raise EvidenceError("the notebook reached another judgement than keyaudit: their versions or inputs differ")


def _write_pages(staging: Path, output: Path, executed: Any, stated: Stated, notebook: Notebook) -> None:
    import nbformat

    from keyaudit.evidence.page import render

    output.unlink(missing_ok=True)
    write_file(staging, output.name, (nbformat.writes(executed) + "\n").encode())
    notice = "" if notebook.is_ours else foreign_of(notebook.name, notebook.sha256)
    write_file(staging, contents.PAGE, render(executed, stated.title, notice))
