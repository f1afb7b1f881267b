"""A run of a schedule: its period, the evidence that it need not make again, its lock, and the record of its
failure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from keyaudit.dues.calendar import Every
from keyaudit.dues.counting import counting, not_of
from keyaudit.evidence import seal
from keyaudit.evidence.failed import fail
from keyaudit.evidence.ledger import entries, entry
from keyaudit.evidence.undated import digests_of, undated
from keyaudit.evidence.verify import verify
from keyaudit.files import make_folder, make_staging, why
from keyaudit.schema import INSUFFICIENT_DATA, EvidenceError, InputError, KeyAuditError, NewerError
from keyaudit.texts import listed, say


@dataclass(frozen=True)
class Occasion:
    """``period`` contains the moment at which the run began. ``asked``: the SHA-256 over what is asked for, which
    tells apart the schedules that share a reports folder."""

    every: Every
    started: datetime
    asked: str

    @property
    def period(self) -> str:
        return self.every.name(self.started)

    def facts(self) -> dict[str, str]:
        """What the manifest of its evidence says about the run."""
        return {"every": self.every.text, "period": self.period, "asked": self.asked}


def occasion(every: Every, asked: Mapping[str, Any], started: datetime | None = None) -> Occasion:
    """The run that began at ``started``, or else now. ``asked``: what decides which evidence it makes, as values
    that JSON can hold."""
    text = json.dumps(asked, sort_keys=True, ensure_ascii=False)
    return Occasion(
        every, started or datetime.now(UTC), hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    )


def find_done(reports: Path, run: Occasion) -> tuple[Path, str] | None:
    """The evidence of the same schedule and period, and its conclusion: evidence that counts for the period,
    verifies, and concludes something other than INSUFFICIENT_DATA."""
    for folder in reversed(seal.finished(reports)):
        try:
            manifest = seal.read_manifest(folder)
            is_same, conclusion = manifest.get("schedule") == run.facts(), manifest["conclusion"]
        except seal.NOT_OURS:
            continue  # not ours, or damaged: verify will say so
        if is_same and conclusion != INSUFFICIENT_DATA and not why_not(reports, run, folder) and _holds(folder):
            return folder, str(conclusion)
    return None


def why_not(reports: Path, run: Occasion, folder: Path) -> str:
    """Why evidence in the reports folder does not count for the period of the run; empty if it does."""
    try:
        one = entry(folder)
    except InputError as error:
        return str(error)
    start, end = run.every.start(run.started), run.every.end(run.started)
    if reason := not_of(one, start, end):
        return reason
    if not undated(folder).digests:
        return ""
    present = [other for other in entries(reports)[0] if other.is_present]
    return counting(present, run.every, digests_of).get(folder, "")


def unseen(reports: Path, folder: Path) -> str:
    """Why it is not known whether the reports in a folder of evidence that tell no time are evidence of an earlier
    period: what in the reports folder could not be read. Empty if all of it was read, or if each tells its time."""
    if not undated(folder).digests:
        return ""
    present, unreadable = entries(reports)
    reasons = [why or say("series.unreadable", folder=path.name) for path, why in unreadable.items()]
    reasons += [reason for one in present if one.is_present for reason in undated(one.path).unread]
    return listed("remarks", reasons)


def _holds(folder: Path) -> bool:
    """Whether evidence verifies. It does not if a later version made it: what cannot be verified cannot replace a
    run."""
    try:
        return not verify(folder)[0]
    except NewerError:
        return False


@contextmanager
def alone(reports: Path, run: Occasion, notebook: str) -> Iterator[None]:
    """Prevent two runs of a schedule at the same time: EvidenceError for the second one. A run that ends with an
    error leaves a ``.failed-*`` folder with the reason, unless one was kept already."""
    from filelock import FileLock, Timeout

    try:
        make_folder(reports)
        # the system frees the lock, however the process ends
        lock = FileLock(reports / f".run-{run.asked[:16]}.lock", timeout=0, mode=0o600)
        lock.acquire()
    except Timeout:
        raise EvidenceError(
            f"{reports}: an earlier run of this schedule is still going; this one made nothing, and the next will"
        ) from None
    except OSError as error:
        raise InputError(f"{reports}: cannot write evidence there ({why(error)})") from None
    try:
        yield
    except BaseException as error:
        if not getattr(error, "kept", None):
            _leave_word(reports, f"{run.started:%Y-%m-%dT%H%M%SZ}-{Path(notebook).stem}", error)
        raise
    finally:
        lock.release()


def _leave_word(reports: Path, name: str, error: BaseException) -> None:
    reason = str(error) if isinstance(error, KeyAuditError) else f"ended by {type(error).__name__}"
    with suppress(OSError, InputError):  # perhaps the run failed because nothing can be written there
        fail(make_staging(reports), name, reason)
