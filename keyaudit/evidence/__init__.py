"""papermill and nbconvert -> a sealed evidence folder.

Nothing heavy is imported before the kernel's process runs, because its imports take half of a report's time.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from keyaudit.cluster.order import LostError, RefusedError
from keyaudit.evidence.failed import fail
from keyaudit.evidence.kernel import warm_kernel
from keyaudit.evidence.request import PeriodAsked, Request, Runner
from keyaudit.files import held, make_staging, sweep, why
from keyaudit.schema import EvidenceError
from keyaudit.texts import spoken

if TYPE_CHECKING:
    from keyaudit.evidence.contents import Former
    from keyaudit.evidence.notebook import Notebook
    from keyaudit.evidence.seal import Sealed
    from keyaudit.model import Audit, Progress
    from keyaudit.model.operated import Operated

__all__ = ["Evidence", "PeriodAsked", "Request", "make_evidence", "make_of_period"]


#: what is judged: an Audit, or Operated
J = TypeVar("J", bound="Audit | Operated", covariant=True)


class _Matter(Protocol[J]):
    """What a folder is made of."""

    @property
    def judged(self) -> J: ...

    @property
    def name(self) -> str: ...

    def fill(self, staging: Path, run: Runner, is_trusted: bool) -> Sealed: ...


@dataclass(frozen=True)
class Evidence(Generic[J]):
    """A finished evidence folder, the hash of its seal, the judgement in it, what the evidence before says, if
    there is any, and neighbouring folders that could not be read."""

    path: Path
    sha256: str
    judged: J
    former: Former | None = None
    unread: tuple[str, ...] = ()


def make_evidence(
    request: Request, run: Runner | None = None, once_judged: Callable[[], None] | None = None
) -> Evidence[Audit]:
    """Judge, run the notebook over the raw evidence, and seal the folder. ``run`` runs the notebook elsewhere, and
    what comes back is judged once more. ``once_judged`` is called when that is judged which was asked.

    InputError and PolicyError are raised before anything is left behind, and so are LostError if a cluster has
    gone, and CancelledError if it is no longer to be used; with EvidenceError, a ``.failed-*`` folder is kept.
    """

    def prepare(notebook: Notebook) -> _Matter[Audit]:
        from keyaudit.evidence.folder import of_moment

        matter = of_moment(request, notebook)
        if once_judged:
            once_judged()
        return matter

    return _make(request, prepare, run)


def make_of_period(request: Request, asked: PeriodAsked, verifying: Progress | None = None) -> Evidence[Operated]:
    """The same of a period: its source is a reports folder, whose evidence is copied; ``verifying``: shows the
    progress of that. Errors as above."""

    def prepare(notebook: Notebook) -> _Matter[Operated]:
        from keyaudit.evidence.of_period import of_period

        return of_period(request, notebook, asked, verifying)

    return _make(request, prepare, None)


def _make(request: Request, prepare: Callable[[Notebook], _Matter[J]], run: Runner | None) -> Evidence[J]:
    made = not request.reports.exists()
    staging = make_staging(request.reports)
    try:
        with spoken(request.language), held(staging), _kernel(staging, run) as process:
            sweep(request.reports)
            from keyaudit.evidence.finished import by_kernel
            from keyaudit.evidence.notebook import find_notebook, refuse_unknown

            notebook = find_notebook(request.notebook)
            refuse_unknown(notebook, request.parameters or {})
            matter = prepare(notebook)
            try:
                sealed = matter.fill(staging, run or by_kernel(process), run is None)
            except (RefusedError, LostError, CancelledError):
                raise
            except Exception as error:
                reason = _reason(error)
                kept = fail(staging, matter.name, reason)
                hint = f"no evidence was made; for diagnosis there is {kept}"
                raise EvidenceError(f"{reason}; {hint}", kept=str(kept)) from error
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        if made:
            _remove_if_empty(request.reports)
        raise
    return Evidence(sealed.path, sealed.sha256, matter.judged, sealed.former, sealed.unread)


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
