"""What a PDF of evidence carries, taken out of a file that anybody may have written: within limits of number, name
and size, and nothing is put on the disk. The only module that imports pypdf, which the extra pdf brings."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from pypdf import PdfReader, apply_configuration
from pypdf.errors import LimitReachedError

from keyaudit.export.enclosed import ALWAYS, KINDS, MADE_WITH, MOST_BYTES
from keyaudit.texts import say, visible

#: more files and pages than a PDF of ours has
MOST_LISTED, MOST_PAGES = 100, 5_000


@dataclass
class Opened:
    """``files``: what is attached under our names; ``is_ours``: whether anything is; ``faults``: what is wrong with
    how it is attached; ``made_with``: as the document says; ``first_page``: the text of its first page, without
    spaces."""

    files: dict[str, bytes] = field(default_factory=dict)
    is_ours: bool = False
    faults: list[str] = field(default_factory=list)
    made_with: str = ""
    first_page: str = ""


def opened(content: bytes) -> Opened:
    """What a PDF carries. Whatever is wrong with it is one of its faults."""
    found = Opened()
    logging.getLogger("pypdf").addHandler(logging.NullHandler())
    logging.getLogger("pypdf").propagate = False
    limits = {"zlib_maximum_output_length": MOST_BYTES, "maximum_declared_stream_length": MOST_BYTES + 2**20}
    try:
        with apply_configuration(**limits):
            _open(PdfReader(BytesIO(content), strict=True), found)
    except (MemoryError, ImportError):  # a fault of this machine
        raise
    except Exception:  # a file that anybody may have written: a parser may fail in any way
        found.faults.append(say("pdf.damaged"))
    return found


def _open(reader: PdfReader, found: Opened) -> None:
    if reader.is_encrypted:
        found.faults.append(say("pdf.encrypted"))
        return
    root: Any = reader.trailer["/Root"]
    listed = _listed(root, found)
    seen = [*dict.fromkeys(map(id, listed.values()))]
    others = [one for one in _others(reader, root) if id(one) not in seen]
    found.is_ours = not ALWAYS.keys().isdisjoint(listed)
    if not found.is_ours:
        return
    found.faults += [say("pdf.added", name=visible(name)) for name in listed if name not in KINDS]
    found.faults += [say("pdf.added", name=visible(str(one.get("/UF", "?")))) for one in others]
    found.faults += [say("pdf.missing", name=name) for name in ALWAYS if name not in listed]
    for name in (one for one in KINDS if one in listed):
        _take(name, listed[name], found)
    found.made_with = str((reader.metadata or {}).get(f"/{MADE_WITH}", ""))
    found.first_page = "".join(reader.pages[0].extract_text().split())


def _listed(root: Any, found: Opened) -> dict[str, Any]:
    """The attachments by their names, as the document lists them."""
    tree = root.get("/Names", {}).get("/EmbeddedFiles", {})
    pairs = tree.get("/Names", [])
    if "/Kids" in tree or len(pairs) > 2 * MOST_LISTED:
        found.faults.append(say("pdf.not_listed"))
    listed: dict[str, Any] = {}
    for at in range(0, min(len(pairs), 2 * MOST_LISTED) - 1, 2):
        name, one = str(pairs[at]), pairs[at + 1].get_object()
        if name in listed:
            found.faults.append(say("pdf.twice", name=visible(name)))
        elif any(str(one.get(key, name)) != name for key in ("/F", "/UF")) or set(one["/EF"]) != {"/F"}:
            found.faults.append(say("pdf.not_listed"))
        listed.setdefault(name, one)
    return listed


def _others(reader: PdfReader, root: Any) -> Iterator[Any]:
    """Files to which the document or one of its pages points besides."""
    for one in root.get("/AF", []):
        yield one.get_object()
    for number, page in enumerate(reader.pages):
        if number >= MOST_PAGES:
            raise LimitReachedError
        for note in page.get("/Annots", []) or []:
            if "/FS" in note.get_object():
                yield note.get_object()["/FS"].get_object()


def _take(name: str, one: Any, found: Opened) -> None:
    try:
        found.files[name] = one["/EF"]["/F"].get_object().get_data()
    except LimitReachedError:
        found.faults.append(say("pdf.too_large", name=name, most=MOST_BYTES))
