"""papermill and nbconvert -> a sealed evidence folder.

Nothing heavy is imported before the kernel's process runs, because its imports take half of a report's time.
"""

from __future__ import annotations

import shutil
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyaudit.cluster.order import LostError, RefusedError
from keyaudit.evidence.failed import fail
from keyaudit.evidence.kernel import warm_kernel
from keyaudit.evidence.request import Request, Runner
from keyaudit.files import held, make_staging, sweep, why
from keyaudit.model import Audit
from keyaudit.schema import EvidenceError, InputError
from keyaudit.texts import spoken

if TYPE_CHECKING:
    from keyaudit.evidence.contents import Former

__all__ = ["Evidence", "Request", "make_evidence"]


@dataclass(frozen=True)
class Evidence:
    """A finished evidence folder, the hash of its seal, the judgement in it, what the evidence before says, if
    there is any, and neighbouring folders that could not be read."""

    path: Path
    sha256: str
    audit: Audit
    former: Former | None = None
    unread: tuple[str, ...] = ()


def make_evidence(request: Request, run: Runner | None = None) -> Evidence:
    """Judge, run the notebook over the raw evidence, and seal the folder. ``run`` runs the notebook elsewhere, and
    what comes back is judged once more.

    InputError and PolicyError are raised before anything is left behind, and so are LostError if a cluster has
    gone, and CancelledError if it is no longer to be used; with EvidenceError, a ``.failed-*`` folder is kept.
    """
    made = not request.reports.exists()
    staging = make_staging(request.reports)
    try:
        with spoken(request.language), held(staging), _kernel(staging, run) as process:
            sweep(request.reports)
            from keyaudit.evidence import folder
            from keyaudit.evidence.notebook import find_notebook, refuse_unknown

            notebook = find_notebook(request.notebook)
            refuse_unknown(notebook, request.parameters or {})
            if request.before and not {"before", "previous"} & {*notebook.parameters}:
                raise InputError(f"--before: {notebook.name} compares with nothing; give another notebook")
            judged, facts = folder.judge(request, notebook)
            name = folder.folder_name(judged, notebook)
            runner = run or folder.by_kernel(process)
            try:
                sealed = folder.fill(staging, name, notebook, judged, facts, request, runner, run is None)
            except (RefusedError, LostError, CancelledError):
                raise
            except Exception as error:
                reason = _reason(error)
                kept = fail(staging, name, reason)
                hint = f"no evidence was made; for diagnosis there is {kept}"
                raise EvidenceError(f"{reason}; {hint}", kept=str(kept)) from error
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        if made:
            _remove_if_empty(request.reports)
        raise
    return Evidence(sealed.path, sealed.sha256, judged, sealed.former, sealed.unread)


def _kernel(staging: Path, run: Runner | None) -> AbstractContextManager[Any]:
    """The process that becomes the notebook's kernel, unless the notebook is run elsewhere."""
    return warm_kernel(staging) if run is None else nullcontext()


def _reason(error: Exception) -> str:
    if isinstance(error, EvidenceError) and str(error):
        return str(error)
    if isinstance(error, OSError):
        return f"cannot write the evidence ({why(error)})"
    return f"keyaudit itself failed ({type(error).__name__})"


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
