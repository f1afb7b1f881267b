"""A sealed page, made again: from the notebook beside it, or by running that notebook again over the raw evidence.

``verify`` compares what notebook and page say with the judgement; this also compares how they look, with pictures.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import wraps
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import nbformat

from keyaudit import __version__
from keyaudit.auditing import parse_as_of
from keyaudit.evidence import seal
from keyaudit.evidence.contents import LIBRARIES, NOTEBOOK, PAGE, RAW, Manifest, language_of, version_of
from keyaudit.evidence.copies import known_of
from keyaudit.evidence.kernel import connected, warm_kernel
from keyaudit.evidence.notebook import Notebook, find_notebook, run_notebook
from keyaudit.evidence.page import render
from keyaudit.evidence.released import given_at
from keyaudit.evidence.sheet import foreign_of, title_of
from keyaudit.evidence.verify.markup import read
from keyaudit.files import read_plain, why, write_file
from keyaudit.schema import EvidenceError
from keyaudit.texts import say, spoken

#: (faults, remarks), as ``verify`` gives them
Found = tuple[list[str], list[str]]


def _of_one_folder(make: Callable[[Path], Found]) -> Callable[[Path], Found]:
    """What cannot be made again is a fault of its folder, whatever is in it: other folders are still to be
    verified."""

    @wraps(make)
    def guarded(folder: Path) -> Found:
        try:
            with spoken(language_of(seal.read_manifest(folder))):
                return make(folder)
        except (MemoryError, ImportError):  # a fault of this machine
            raise
        except Exception as error:
            reason = why(error) if isinstance(error, OSError) else type(error).__name__
            return [say("verify.not_made_again", notebook=NOTEBOOK, why=reason)], []

    return guarded


@_of_one_folder
def page_again(folder: Path) -> Found:
    """The page of evidence that verifies, rendered again from its notebook: equal bytes if keyaudit and the
    libraries have the same versions, otherwise equal text and pictures."""
    manifest, executed = _told(folder)
    return _compare(folder, manifest, executed, say("verify.page_again"), with_pictures=True)


@_of_one_folder
def run_again(folder: Path) -> Found:
    """The notebook of evidence that verifies, run again over a copy of what it read, and its page: as
    ``page_again``, except for pictures that another version of a library may draw differently. A notebook that is
    not keyaudit's is somebody else's program and is not run. Neither is a notebook of another version, whose
    sentences may differ."""
    manifest, executed = _told(folder)
    made_by = str(manifest["tool"]["keyaudit"])
    if made_by != __version__:
        return [], [say("verify.not_run_older", made_by=made_by, version=__version__)]
    if manifest["notebook"]["ours"] is not True:
        return [], [say("verify.not_run_foreign", notebook=str(manifest["notebook"]["name"]))]
    if "period" in manifest and known_of(folder / RAW).by_reference:
        return [], [say("verify.not_run_referred")]
    with tempfile.TemporaryDirectory(prefix="keyaudit-") as scratch:
        place = Path(scratch) / "evidence"
        place.mkdir()
        for entry in manifest["files"]:
            if entry["path"] not in (PAGE, NOTEBOOK):
                write_file(place, entry["path"], read_plain(folder / entry["path"]))
        notebook = _bare(Path(scratch), str(manifest["notebook"]["name"]), executed)
        if not notebook.is_ours:
            return [], [say("verify.not_run_foreign", notebook=notebook.name)]
        try:
            with warm_kernel(place) as process, connected(process) as kernel:
                output = place / NOTEBOOK
                again = run_notebook(notebook, manifest["parameters"], output, kernel, False, lambda: None)
        except EvidenceError as error:
            return [say("verify.run_failed", why=str(error))], []
    return _compare(folder, manifest, again, say("verify.run_again"), with_pictures=_is_same(manifest))


def _told(folder: Path) -> tuple[Manifest, Any]:
    return seal.read_manifest(folder), nbformat.reads(read_plain(folder / NOTEBOOK).decode(), as_version=4)


def _bare(place: Path, name: str, executed: Any) -> Notebook:
    """The notebook as it was before the run, without the parameters of that run."""
    bare = json.loads(nbformat.writes(executed))
    at = given_at(bare["cells"])
    bare["cells"] = [one for number, one in enumerate(bare["cells"]) if number != at]
    for cell in bare["cells"]:
        cell["metadata"] = {"tags": cell["metadata"].get("tags", [])}
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    bare["metadata"].pop("papermill", None)
    write_file(place, f"{name}.ipynb", json.dumps(bare).encode())
    return find_notebook(str(place / f"{name}.ipynb"))


def _is_same(manifest: Manifest) -> bool:
    """Whether the libraries that make a page have the versions that made this page."""
    try:
        libraries = {name: version_of(name) for name in LIBRARIES}
    except PackageNotFoundError:  # then nobody can say that they are the same
        return False
    return (manifest["tool"]["keyaudit"], manifest.get("libraries")) == (__version__, libraries)


def _compare(folder: Path, manifest: Manifest, executed: Any, what: str, with_pictures: bool) -> Found:
    as_of, notebook = parse_as_of(str(manifest["as_of"])), manifest["notebook"]
    assert as_of is not None  # as verify has found out
    if "period" in manifest:
        title = read(read_plain(folder / PAGE).decode()).texts["title"]  # which verify has found to be right
    else:
        title = title_of(list(map(str, manifest["accounts"]["expected"])), as_of, manifest["sample"] is True)
    is_ours = notebook.get("ours") is not False
    notice = "" if is_ours else foreign_of(str(notebook["name"]), str(notebook["sha256"]))
    page, again = read_plain(folder / PAGE), render(executed, title, notice)
    if page == again:
        return [], [say("verify.same_bytes", what=what)]
    if _is_same(manifest):
        return [say("verify.other_bytes", page=PAGE, what=what)], []
    sealed, new = read(page.decode()), read(again.decode())
    # title, style sheet and last line belong to the version
    if sealed.texts["main"] != new.texts["main"]:
        return [say("verify.other_text", page=PAGE, what=what)], []
    if with_pictures and sealed.pictures != new.pictures:
        return [say("verify.other_pictures", page=PAGE, what=what)], []
    return [], [say("verify.same_text", what=what)]
