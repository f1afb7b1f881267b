"""What a folder of evidence may hold: a closed list (DESIGN.md, "Evidence folder"). A file that no judgement reads
is not evidence, whatever the seal says about it; what a notebook of your own wrote is named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from keyaudit import sources
from keyaudit.captured import documents
from keyaudit.captured.layout import ACCOUNTS_FILE, CAPTURE_FILE
from keyaudit.evidence.contents import EXPECTED, PREVIOUS, RAW
from keyaudit.model import Audit
from keyaudit.texts import say, visible

MOST = 10  # the most files that are named one by one


def unread(folder: Path, listed: Iterable[str], judgements: dict[str, Audit]) -> list[str]:
    """Files among the raw evidence that its judgement did not read. ``judgements``: by the folder of raw evidence
    from which each was made."""
    known = {name for place, judged in judgements.items() for name in _read(folder, place, judged)}
    places = tuple(f"{place}/" for place in {*judgements, RAW})
    return [
        say("verify.unread", name=visible(name)) for name in listed if name.startswith(places) and name not in known
    ]


def _read(folder: Path, place: str, judged: Audit) -> Iterator[str]:
    yield f"{place}/{ACCOUNTS_FILE}"
    for one in judged.provenance:
        origin = one.origin
        if origin is None:
            continue
        home = (origin.folder or folder / place / one.account_id).relative_to(folder)
        yield (home / CAPTURE_FILE).as_posix()
        if origin.path is not None:
            yield origin.path.relative_to(folder).as_posix()
        for beside in documents.DOCUMENTS:
            if sources.document(origin, beside) is not None:
                yield (home / beside.file).as_posix()


def added(listed: Iterable[str], places: Iterable[str], is_ours: bool) -> tuple[list[str], list[str]]:
    """(faults, remarks) of files that are neither keyaudit's nor raw evidence: keyaudit's own notebooks write
    none."""
    known = tuple(f"{place}/" for place in {*places, RAW, PREVIOUS})
    names = [visible(name) for name in listed if name not in EXPECTED and not name.startswith(known)]
    if is_ours or not names:
        return [say("verify.added", name=name) for name in names], []
    more = [say("verify.more", n=len(names) - MOST)] if len(names) > MOST else []
    return [], [say("verify.written", names=", ".join([*names[:MOST], *more]))]
