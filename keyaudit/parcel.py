"""Plain values and files as one run of bytes, for work that is done where this machine's disk is not.

A line of JSON with the values, and the name and size of each file; then the files, one after the other. Whatever is
read from one is data: nothing in it is run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keyaudit.files import make_private, private

#: a part of a file's name: it leads neither upward nor out of its folder
_PART = re.compile(r"(?!\.{1,2}$)[^/\\\0]+")


class ParcelError(Exception):
    """Bytes that are no parcel, or hold a file whose name leads out of its folder."""


def is_inside(name: str) -> bool:
    """Whether a relative name, with slashes, stays in its folder."""
    return all(map(_PART.fullmatch, name.split("/")))


def pack(values: Mapping[str, Any], files: Mapping[str, bytes] | None = None) -> bytes:
    """Values that JSON has, and files by their names, relative and with slashes."""
    listed = sorted((files or {}).items())
    head = {"values": dict(values), "files": [[name, len(content)] for name, content in listed]}
    return b"\n".join([json.dumps(head).encode(), b"".join(content for _, content in listed)])


def unpack(content: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """(values, files) of a parcel; ParcelError for anything else."""
    head, _, rest = content.partition(b"\n")
    try:
        told = json.loads(head)
        values, listed = told["values"], [(str(name), int(size)) for name, size in told["files"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ParcelError(type(error).__name__) from None
    files, at = {}, 0
    for name, size in listed:
        if size < 0 or not is_inside(name) or name in files:
            raise ParcelError("a name or size")
        files[name] = rest[at : at + size]
        at += size
    if at != len(rest) or not isinstance(values, dict):
        raise ParcelError("its length")
    return values, files


def lay_out(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files into a new private folder, for as long as the work takes: they need not outlast a crash."""
    make_private(folder)
    for name, content in files.items():
        path = folder / name
        for parent in reversed(path.relative_to(folder).parents[:-1]):
            (folder / parent).mkdir(mode=0o700, exist_ok=True)
        with open(path, "xb", opener=private) as file:
            file.write(content)
