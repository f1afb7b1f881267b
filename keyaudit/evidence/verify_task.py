"""An evidence folder that a worker verifies: its files go there, and what is wrong comes back."""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, TypeGuard

from keyaudit.cluster.client import Cluster
from keyaudit.cluster.order import TaskError
from keyaudit.files import read_plain, unreadable
from keyaudit.parcel import ParcelError, lay_out, pack, unpack
from keyaudit.schema import InputError
from keyaudit.texts import language, spoken

#: bytes of a folder that is worth sending
MOST_BYTES = 200 * 2**20
#: (why it could not be verified at all, faults, remarks)
Verdict = tuple[str, list[str], list[str]]


def is_a_file(place: Path) -> bool:
    """Whether this is a file, which may be a PDF, and no folder. InputError if that cannot be seen."""
    try:
        return place.is_file()
    except OSError as error:
        raise InputError(unreadable(place, error)) from None


def verdict_of(folder: Path, with_page: bool, with_run: bool, series: Path | None = None) -> Verdict:
    """What is wrong with a folder, its page rendered or its notebook run again if that is asked for; or with a PDF
    of one. ``series``: the reports folder that evidence of a period refers to."""
    from keyaudit.evidence.verify import verify

    try:
        if is_a_file(folder):
            from keyaudit.evidence.pdf_verify import verify_pdf

            asked = partial(_again, with_page=with_page, with_run=with_run) if with_page or with_run else None
            return "", *verify_pdf(folder, asked)
        faults, remarks = verify(folder, series=series)
        if not faults and (with_page or with_run):
            faults, more = _again(folder, with_page, with_run)
            remarks = [*remarks, *more]
    except InputError as error:
        return str(error), [], []
    return "", faults, remarks


def _again(folder: Path, with_page: bool, with_run: bool) -> tuple[list[str], list[str]]:
    from keyaudit.evidence.again import page_again, run_again

    found = [make(folder) for make, asked in ((page_again, with_page), (run_again, with_run)) if asked]
    return [one for faults, _ in found for one in faults], [one for _, remarks in found for one in remarks]


def by_cluster(
    cluster: Cluster, folders: Iterable[Path], with_page: bool, with_run: bool, series: Path | None = None
) -> Iterator[Verdict]:
    """The verdict on each folder, in their order. A folder that holds more than plain files, that cannot be read,
    that is very large, or on which no worker could say anything, is verified here; so are all where evidence may
    refer to a reports folder, which workers do not have."""
    begun: deque[tuple[Path, Future[bytes] | None]] = deque()

    def said() -> Verdict:
        folder, answer = begun.popleft()
        told = None if answer is None else _told(cluster, answer)
        return told or verdict_of(folder, with_page, with_run, series)

    for folder in folders:
        files = None if series else _files(folder)
        values = {"name": folder.name, "named": str(folder), "page": with_page, "run": with_run}
        content = None if files is None else pack({**values, "language": language()}, files)
        begun.append((folder, None if content is None else cluster.submit(verify_packed, content)))
        if len(begun) >= cluster.ahead:
            yield said()
    while begun:
        yield said()


def _files(folder: Path) -> dict[str, bytes] | None:
    """All that a folder holds; None if that is not worth sending, or not all of it can be sent."""
    if not folder.name or folder.is_symlink():
        return None
    found, left = {}, MOST_BYTES
    try:
        for base, folders, names in os.walk(folder, onerror=_raise):
            if not (folders or names) or any((Path(base) / one).is_symlink() for one in folders):
                return None
            for path in (Path(base) / name for name in names):
                found[path.relative_to(folder).as_posix()] = content = read_plain(path)
                left -= len(content)
                if left < 0:
                    return None
        # names that are no text, or that no parcel has
        unpack(pack({}, found))
    except (OSError, ValueError, ParcelError):
        return None
    return found


def _raise(error: OSError) -> None:
    raise error


def _told(cluster: Cluster, answer: Future[bytes]) -> Verdict | None:
    """What the worker says; None if it says nothing that can be used."""
    try:
        told, _ = unpack(cluster.result(answer))
    except (TaskError, ParcelError):
        return None
    error, faults, remarks = told.get("error"), told.get("faults"), told.get("remarks")
    if isinstance(error, str) and _are_lines(faults) and _are_lines(remarks):
        return error, faults, remarks
    return None


def _are_lines(told: Any) -> TypeGuard[list[str]]:
    return isinstance(told, list) and all(isinstance(one, str) for one in told)


def verify_packed(content: bytes) -> bytes:
    """The worker's side."""
    values, files = unpack(content)
    folder = Path(tempfile.mkdtemp(prefix="keyaudit-")) / values["name"]
    lay_out(folder, files)
    with spoken(values["language"]):
        error, faults, remarks = verdict_of(folder, values["page"], values["run"])
    # the folder is the caller's, whatever it is called here
    named = [[one.replace(str(folder), values["named"]) for one in lines] for lines in ([error], faults, remarks)]
    return pack({"error": named[0][0], "faults": named[1], "remarks": named[2]})
