"""A notebook, its parameters, and its headless run by papermill."""

from __future__ import annotations

import ast
import asyncio
import difflib
import hashlib
import json
import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from keyaudit import resources
from keyaudit.evidence.prose import spoken_cells
from keyaudit.evidence.released import INJECTED, cells_digest, is_ours
from keyaudit.files import why
from keyaudit.schema import EvidenceError, InputError
from keyaudit.texts import ENGLISH, language

CELL_TIMEOUT = 600  # seconds; a cell that takes longer has hung


@dataclass(frozen=True)
class Notebook:
    """A parameterized notebook: its name, its file, and the names of its parameters; the SHA-256 of the file, and
    of what its cells say and do; ``kept`` is that of only those cells that no run replaces; ``translated`` is the
    notebook with its prose in the language that is spoken, if that is not the file's."""

    name: str
    path: Path
    parameters: tuple[str, ...]
    sha256: str
    cells: str
    kept: str
    translated: bytes = b""

    @property
    def is_ours(self) -> bool:
        """Whether this is the notebook that came with keyaudit; anybody may edit a file of that name."""
        return is_ours(self.name, self.cells)


def find_notebook(name: str) -> Notebook:
    """The notebook with that name, or in that file; InputError names the notebooks that exist."""
    path = Path(name) if name.endswith(".ipynb") else resources.notebooks() / f"{name}.ipynb"
    if not path.is_file():
        known = ", ".join(sorted(one.stem for one in resources.notebooks().glob("*.ipynb")))
        raise InputError(f"no notebook {name!r}; there are {known}, or name a file")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{why(error)}; name another notebook") from None
    found = read_notebook(path, content)
    return _translated(found, content) if found.is_ours and language() != ENGLISH else found


def _translated(found: Notebook, content: bytes) -> Notebook:
    told = json.loads(content)
    translated = json.dumps({**told, "cells": spoken_cells(told["cells"])}).encode()
    return replace(read_notebook(found.path, translated), sha256=found.sha256, translated=translated)


@contextmanager
def _file_of(notebook: Notebook) -> Iterator[Path]:
    """The file to be run: a translation has none of its own."""
    with tempfile.TemporaryDirectory(prefix="keyaudit-") as folder:
        path = Path(folder) / notebook.path.name
        if notebook.translated:
            path.write_bytes(notebook.translated)
        yield path if notebook.translated else notebook.path


def read_notebook(path: Path, content: bytes) -> Notebook:
    """The notebook, with the names assigned in the cell tagged ``parameters``; InputError if it is none."""
    import nbformat  # late: the explorer imports this module, in kernels where a second of it would be waited for

    try:
        notebook = nbformat.reads(content.decode(), as_version=4)
        cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
        statements = ast.parse(cells[0].source).body if cells else []
    except Exception as error:
        raise InputError(f"{path.name}: cannot be read as a notebook ({type(error).__name__})") from None
    told = (("language_info", "name"), ("kernelspec", "language"))
    if "python" not in [notebook.metadata.get(place, {}).get(name) for place, name in told]:
        raise InputError(f"{path.name}: its metadata name no Python kernel; open it in JupyterLab and save it once")
    targets = [
        t for s in statements for t in (s.targets if isinstance(s, ast.Assign) else [getattr(s, "target", None)])
    ]
    names = tuple(target.id for target in targets if isinstance(target, ast.Name))
    digests = hashlib.sha256(content).hexdigest(), cells_digest(notebook.cells), _kept(notebook.cells)
    return Notebook(path.stem, path, names, *digests)


def _kept(cells: list[Any]) -> str:
    """The digest of the cells without those that gave a run its parameters; a notebook of your own may have been
    run before."""
    return cells_digest(cell for cell in cells if INJECTED not in cell["metadata"].get("tags", []))


#: parameters that evidence sets itself, and the options that say the same
RESERVED = {
    "source": "SOURCE", "policy": "--policy", "as_of": "--as-of", "before": "--before", "before_as_of": "--before",
    "previous": "--before",
}  # fmt: skip


def refuse_unknown(notebook: Notebook, parameters: dict[str, Any]) -> None:
    """InputError for a parameter that the notebook does not know (papermill only warns); it names the nearest
    one."""
    for name in parameters:
        if name in RESERVED:
            raise InputError(
                f"-p {name}: give it as {RESERVED[name]}, so that evidence and judgement have the same"
            )
        if name not in notebook.parameters:
            near = difflib.get_close_matches(name, notebook.parameters, n=1, cutoff=0.3)
            nearest = f"; nearest: {near[0]}" if near else f"; it knows {', '.join(notebook.parameters)}"
            raise InputError(f"{notebook.name} has no parameter {name!r}{nearest}")


def run_notebook(
    notebook: Notebook,
    parameters: dict[str, Any],
    output: Path,
    manager: Any,
    progress: bool,
    meanwhile: Callable[[], object],
) -> Any:
    """Run the notebook in a kernel that is already starting; the executed notebook, also saved as ``output``.

    ``meanwhile`` is called once, while the kernel is busy with the first cell that is not parameters.
    EvidenceError if a cell fails; even then the notebook is saved, with the error in it.
    """
    import papermill
    from papermill.exceptions import PapermillException

    for name in ("papermill", "traitlets", "nbclient"):
        # their errors reach us as exceptions, and we report them in one line
        logging.getLogger(name).addHandler(logging.NullHandler())
    try:
        with _file_of(notebook) as path:
            executed = papermill.execute_notebook(
                str(path),
                str(output),
                parameters=parameters,
                kernel_name="python3",
                progress_bar=progress,
                request_save_on_cell_execute=False,
                km=manager,
                start_timeout=120,
                execution_timeout=CELL_TIMEOUT,
                on_cell_execute=_once_busy(meanwhile),
            )
    except PapermillException as error:
        reason = f"{getattr(error, 'ename', type(error).__name__)}: {getattr(error, 'evalue', error)}"
        raise EvidenceError(f"the notebook {notebook.name} failed: {reason[:300]}") from error
    except (
        RuntimeError,
        TimeoutError,
    ) as error:  # nbclient's and jupyter_client's: the kernel died, or a cell took too long
        raise EvidenceError(f"the notebook {notebook.name} failed: {str(error)[:300]}") from error
    refuse_changed(notebook, executed)
    # the path where it ran concerns nobody, and would differ from run to run
    executed.metadata.papermill.update(input_path=notebook.path.name, output_path=output.name)
    if notebook.is_ours:
        _drop_warnings(executed.cells)
    return executed


def refuse_changed(notebook: Notebook, executed: Any) -> None:
    """EvidenceError if what was executed is not what was read."""
    if _kept(executed.cells) != notebook.kept:
        raise EvidenceError(f"the notebook {notebook.name} was changed while it was read; give the command again")


def _drop_warnings(cells: list[Any]) -> None:
    """Drop what libraries say on stderr (about fonts, for example): it is not part of evidence, and verify accepts
    none of it."""
    for cell in cells:
        if cell.cell_type == "code":
            cell.outputs = [
                one for one in cell.outputs if (one.output_type, one.get("name")) != ("stream", "stderr")
            ]


def _once_busy(meanwhile: Callable[[], object]) -> Callable[..., None]:
    waiting = [meanwhile]

    def hook(cell: Any, **_: Any) -> None:
        tags = {"parameters", "injected-parameters"}
        if waiting and not tags.intersection(cell.metadata.get("tags", [])):
            # the cell is sent to the kernel right after this hook, and what is to be done meanwhile comes after
            # that
            asyncio.get_running_loop().call_later(0.01, waiting.pop())

    return hook
