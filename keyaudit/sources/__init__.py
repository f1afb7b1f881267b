"""Files, folders, standard input, captures and the sample -> credential reports, one at a time.

A population is found first and read later, so that memory does not grow with the number of reports. A folder is a
capture folder if it holds ``accounts.json`` or folders with a ``capture.json``; any other is a set of report files.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from keyaudit import resources
from keyaudit.schema import InputError
from keyaudit.sources.captures import (
    ACCOUNTS_FILE,
    CAPTURE_FILE,
    CAPTURED_FILES,
    INVENTORY_FILE,
    REPORT_FILE,
    ROTATION_FILE,
    find_capture,
    is_capture,
    is_live,
    joined_facts,
    read_inventory,
    read_rotation,
    whole_capture,
)
from keyaudit.sources.origin import Origin, Population, Skipped, fingerprint, labels, printable, read

__all__ = [
    "ACCOUNTS_FILE",
    "CAPTURED_FILES",
    "CAPTURE_FILE",
    "INVENTORY_FILE",
    "REPORT_FILE",
    "ROTATION_FILE",
    "Origin",
    "Population",
    "Skipped",
    "find",
    "fingerprint",
    "is_live",
    "labels",
    "read",
    "read_inventory",
    "read_rotation",
    "whole_capture",
]
STANDARD_INPUT = "standard input"


def sample() -> Path:
    """The bundled account: a capture folder with a policy of its own."""
    return resources.data("sample")


def find(sources: Any = ()) -> Population:
    """The population of some sources: paths, ``-`` for standard input, none for the sample.

    InputError: no such file, nothing in a folder, or a source that is no text.
    """
    if isinstance(sources, str | Path):
        sources = [sources] if str(sources) else []
    if not isinstance(sources, Sequence) or not all(isinstance(one, str | Path) for one in sources):
        kind = type(sources).__name__
        raise InputError(f"source: expected the path of a report or folder, found {kind}; empty means the sample")
    now = datetime.now(UTC)
    parts = [_find_one(str(one), now) for one in sources] or [find_capture(sample(), now)]
    return Population(
        origins=_distinct([origin for part in parts for origin in part.origins]),
        received_time=max(part.received_time for part in parts),
        expected=tuple(sorted({account for part in parts for account in part.expected})),
        is_sample=any(part.is_sample for part in parts),
        policy=parts[0].policy if len(parts) == 1 else None,
        skipped=tuple(one for part in parts for one in part.skipped),
        problems=tuple(one for part in parts for one in part.problems),
        facts=parts[0].facts if len(parts) == 1 else joined_facts(parts),
    )


def _find_one(source: str, now: datetime) -> Population:
    if not source:
        raise InputError("source: an empty name; name a credential report, or a folder of them")
    if source == "-":
        content = sys.stdin.buffer.read()
        return Population((Origin(STANDARD_INPUT, None, now, now, named=True, content=content),), now)
    path = Path(source)
    try:
        if path.is_dir():
            return find_capture(path, now) if is_capture(path) else _folder(path, now)
        if path.is_file():
            return Population((Origin(printable(path.name), path, now, now, named=True),), now)
        if path.exists():
            # a pipe, as in <(aws ... | base64 -d): it can be read only once
            return Population(
                (Origin(printable(path.name), None, now, now, named=True, content=path.read_bytes()),), now
            )
    except OSError as error:
        raise InputError(f"{source}: cannot be read ({error.strerror})") from None
    raise InputError(f"{source}: no such file or folder")


def _folder(folder: Path, now: datetime) -> Population:
    """All files of a folder and the folders in it, linked ones too, but hidden ones: each should be a report."""
    paths = sorted(_files(folder, set()))
    if not paths:
        raise InputError(f"{folder}: no files in this folder; it should hold credential reports")
    return Population(
        tuple(Origin(printable(path.relative_to(folder).as_posix()), path, now, now) for path in paths), now
    )


def _files(folder: Path, seen: set[Path]) -> list[Path]:
    real = folder.resolve()
    if real in seen:  # a link to a folder that it is in
        return []
    seen.add(real)
    visible = [path for path in folder.iterdir() if not path.name.startswith(".")]
    files = [path for path in visible if not path.is_dir()]
    return files + [file for path in visible if path.is_dir() for file in _files(path, seen)]


def _distinct(origins: list[Origin]) -> tuple[Origin, ...]:
    """The origins, those of one name numbered in the order of their places."""
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
    """Whether a capture tells the name of the source, which is then the same wherever it is read."""
    return bool((origin.capture or {}).get("source"))
