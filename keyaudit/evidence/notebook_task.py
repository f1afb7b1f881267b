"""A notebook that is run by a worker of a cluster: what goes there, what is done there, and what comes back."""

from __future__ import annotations

import tempfile
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import nbformat

from keyaudit.cluster.client import Cluster
from keyaudit.cluster.order import TaskError
from keyaudit.evidence import seal
from keyaudit.evidence.contents import LOG, NOTEBOOK
from keyaudit.evidence.kernel import connected, warm_kernel
from keyaudit.evidence.notebook import Notebook, read_notebook, refuse_changed, run_notebook
from keyaudit.evidence.request import Runner
from keyaudit.files import read_plain, write_file
from keyaudit.parcel import ParcelError, lay_out, pack, unpack
from keyaudit.schema import EvidenceError
from keyaudit.texts import language, spoken

#: the notebook on its way there, and the files that it works with
_NOTEBOOK, _FOLDER = "notebook", "folder"


def by_cluster(cluster: Cluster) -> Runner:
    """Notebooks run by workers. What comes back is not believed: the caller judges it again."""

    def run(notebook: Notebook, parameters: dict[str, Any], output: Path, progress: bool) -> Any:  # noqa: ARG001
        try:
            told, files = unpack(cluster.call(run_packed, _packed(notebook, parameters, output.parent)))
            content = files.pop(NOTEBOOK, b"")
            added = {name: one for name, one in files.items() if not (output.parent / name).exists()}
            if len(added) != len(files) or LOG in added:
                raise ParcelError("a file that is there")
        except TaskError as error:
            raise EvidenceError(f"the notebook {notebook.name} was not run: {error.words}") from None
        except ParcelError:
            raise EvidenceError(f"the notebook {notebook.name}: its worker answered what no worker does") from None
        if told.get("error"):
            if content:
                write_file(output.parent, NOTEBOOK, content)  # for diagnosis
            raise EvidenceError(str(told["error"]))
        for name, one in added.items():
            write_file(output.parent, name, one)
        return _executed(notebook, content)

    return run


def _packed(notebook: Notebook, parameters: dict[str, Any], folder: Path) -> bytes:
    files = {
        f"{_FOLDER}/{name}": read_plain(folder / name)
        for name in (entry["path"] for entry in seal.list_files(folder))
        if name != LOG
    }
    files[f"{_NOTEBOOK}/{notebook.path.name}"] = notebook.translated or read_plain(notebook.path)
    return pack({"parameters": parameters, "language": language()}, files)


def _executed(notebook: Notebook, content: bytes) -> Any:
    try:
        executed = nbformat.reads(content.decode(), as_version=nbformat.NO_CONVERT)
        nbformat.validate(executed)
    except Exception as error:
        raise EvidenceError(f"{NOTEBOOK}: its worker's answer is no notebook ({type(error).__name__})") from None
    refuse_changed(notebook, executed)
    return executed


def run_packed(content: bytes) -> bytes:
    """The worker's side: the executed notebook, and what it wrote beside it."""
    values, files = unpack(content)
    home = Path(tempfile.mkdtemp(prefix="keyaudit-")) / "home"
    lay_out(home, files)
    folder = home / _FOLDER
    (path,) = (home / _NOTEBOOK).iterdir()
    with spoken(values["language"]), warm_kernel(folder) as process:
        notebook = read_notebook(path, path.read_bytes())
        before = seal.list_files(folder)
        error = ""
        try:
            with connected(process) as kernel:
                meanwhile = partial(import_module, "nbformat")
                executed = run_notebook(notebook, values["parameters"], folder / NOTEBOOK, kernel, False, meanwhile)
            (folder / NOTEBOOK).write_text(nbformat.writes(executed), encoding="utf-8")
            seal.tidy(folder, before)
        except EvidenceError as failed:
            error = str(failed)
    known = {entry["path"] for entry in before}
    return pack({"error": error}, {name: read_plain(folder / name) for name in _new(folder, known, error)})


def _new(folder: Path, known: set[str], error: str) -> list[str]:
    """What the run has left; only the notebook, if it failed."""
    names = [NOTEBOOK] if error else [entry["path"] for entry in seal.list_files(folder)]
    return [name for name in names if name not in known and name != LOG and (folder / name).is_file()]
