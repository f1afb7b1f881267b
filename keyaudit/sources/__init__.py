"""Files, folders, standard input, captures and the sample -> credential reports, one at a time.

A population is first found and then read, so that memory does not grow with the number of reports. A folder is a
capture folder if it holds ``accounts.json`` or folders with a ``capture.json``; any other is a set of report files.
"""

from __future__ import annotations

import os
import stat
import sys
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from keyaudit.files import printable, unreadable
from keyaudit.model import Origin, Population
from keyaudit.schema import InputError
from keyaudit.sources.captures import (
    calls_of,
    document,
    find_capture,
    is_own_sample,
    joined_facts,
    own_sample,
    read_document,
    whole_capture,
)
from keyaudit.sources.digest import content_digest
from keyaudit.sources.names import other_account, time_in_name
from keyaudit.sources.origin import content_of, fingerprint, is_live, labels, read, read_and_unwrap, read_bytes
from keyaudit.sources.walk import (
    is_capture,
    is_pipe,
    report_files,
)
from keyaudit.texts import say

__all__ = [
    "calls_of",
    "content_digest",
    "content_of",
    "document",
    "find",
    "fingerprint",
    "is_live",
    "is_own_sample",
    "is_pipe",
    "labels",
    "other_account",
    "read",
    "read_and_unwrap",
    "read_document",
    "time_in_name",
    "vouch_for",
    "whole_capture",
]
#: in the kernel of a run: folders that this run of keyaudit fills and seals itself
_VOUCHED: set[Path] = set()


def sample() -> Path:
    """The bundled account: a capture folder with a policy of its own."""
    return own_sample()


def vouch_for(folder: Path) -> None:
    """Believe what captures in this folder say about an earlier reading. Only for a process that keyaudit itself
    has started to judge what it has just written there: a source never vouches for itself."""
    _VOUCHED.add(folder.resolve())


def find(sources: object = (), sealed: bool = False, captured: Collection[str] = ()) -> Population:
    """The population of some sources: paths, ``-`` for standard input, none for the sample.

    ``sealed``: the sources are raw evidence whose seal was just verified, so what they say about when and by whom
    they were read counts; any other source is read now. ``captured``: the accounts that this process has just read
    from AWS into the capture folder that is named.

    InputError: no such file, nothing in a folder, or a source that is not a text.
    """
    if isinstance(sources, str | Path):
        sources = [sources] if str(sources) else []
    if not isinstance(sources, Sequence) or not all(isinstance(one, str | Path) for one in sources):
        kind = type(sources).__name__
        raise InputError(f"source: expected the path of a report or folder, found {kind}; empty means the sample")
    now = datetime.now(UTC)
    parts = [_find_one(str(one), now, sealed, captured) for one in sources] or [find_capture(sample(), now)]
    if len(parts) > 1 and any(part.is_sample for part in parts):
        raise InputError("source: the sample account is not evidence and is judged alone; leave it out")
    return Population(
        origins=_distinct([origin for part in parts for origin in part.origins]),
        received_time=max(part.received_time for part in parts),
        expected=tuple(sorted({account for part in parts for account in part.expected})),
        listed=tuple(sorted({account for part in parts for account in part.listed})),
        is_sample=any(part.is_sample for part in parts),
        policy=parts[0].policy if len(parts) == 1 else None,
        skipped=tuple(one for part in parts for one in part.skipped),
        problems=tuple(one for part in parts for one in part.problems),
        facts=parts[0].facts if len(parts) == 1 else joined_facts(parts),
        doubts=tuple(one for part in parts for one in part.doubts),
    )


def _find_one(source: str, now: datetime, sealed: bool, captured: Collection[str]) -> Population:
    if not source:
        raise InputError("source: an empty name; name a credential report, or a folder of them")
    if source == "-":
        content = sys.stdin.buffer.read()
        origin = Origin(
            say("read.standard_input"), None, now, now, named=True, content=content, is_piped=_is_piped_in()
        )
        return Population((origin,), now)
    path = Path(source)
    try:
        if path.is_dir():
            if not is_capture(path):
                return _folder(path, now)
            return find_capture(path, now, sealed or path.resolve().parent in _VOUCHED, captured)
        if path.is_file():
            return Population((Origin(printable(path.name), path, now, now, named=True),), now)
        if is_pipe(path):
            name = printable(path.name)
            content = read_bytes(path, name)
            return Population((Origin(name, None, now, now, named=True, content=content, is_piped=True),), now)
    except OSError as error:
        raise InputError(unreadable(source, error)) from None
    raise InputError(f"{source}: no such file or folder")


def _is_piped_in() -> bool:
    """Whether standard input is a pipe, and not ``< report.csv``, which may be of any day."""
    try:
        return not stat.S_ISREG(os.fstat(sys.stdin.fileno()).st_mode)
    except (
        AttributeError,
        OSError,
        ValueError,
    ):  # an object that stands in for standard input, without a descriptor
        return False


def _folder(folder: Path, now: datetime) -> Population:
    """Every file of a folder should be a report."""
    paths = report_files(folder)
    if not paths:
        raise InputError(f"{folder}: no files in this folder; it should hold credential reports")
    return Population(
        tuple(Origin(printable(path.relative_to(folder).as_posix()), path, now, now) for path in paths), now
    )


def _distinct(origins: list[Origin]) -> tuple[Origin, ...]:
    """The origins; those with the same name are numbered in the order of their paths."""
    counts = Counter(origin.name for origin in origins if not _told(origin))
    places: dict[str, list[str]] = {}
    for origin in sorted(origins, key=lambda one: one.place):
        places.setdefault(origin.name, []).append(origin.place)
    return tuple(
        replace(one, name=f"{one.name} ({places[one.name].index(one.place) + 1})")
        if counts[one.name] > 1 and not _told(one)
        else one
        for one in origins
    )


def _told(origin: Origin) -> bool:
    """Whether a capture tells the source's name, which is then the same wherever the source is read."""
    return bool((origin.capture or {}).get("source"))
