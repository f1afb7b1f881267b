"""What a PDF of evidence carries beside its pages: the files, their limits, and the whole folder as one file. What
``pdf`` encloses is what ``verify`` of a PDF takes out again."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping

from keyaudit.files import reason_of
from keyaudit.model import Proved, SealedFile
from keyaudit.parcel import is_inside
from keyaudit.schema import InputError

#: the whole evidence folder, with what is raw; no ending that readers of PDF refuse to open or to save
WHOLE = "evidence.keyaudit"
#: what is always there: name -> (MIME type, its relationship to the pages, as PDF/A-3 names them)
ALWAYS = {
    "SHA256SUMS": ("text/plain", "Supplement"),
    "findings.csv": ("text/csv", "Data"),
    "manifest.json": ("application/json", "Supplement"),
    "summary.json": ("application/json", "Data"),
}
#: the key in the document information that says with what the document was made
MADE_WITH = "MadeWith"
#: in the order of their names, in which a PDF lists them
KINDS = dict(sorted({**ALWAYS, WHOLE: ("application/octet-stream", "Source")}.items()))
#: bytes of one file that is enclosed, and files of a whole folder
MOST_BYTES, MOST_FILES = 100_000_000, 50_000
#: the first date that a ZIP can have: whatever is enclosed is the same whenever that is done
DATE = (1980, 1, 1, 0, 0, 0)
_NAME = re.compile(r"(?!\.{1,2}/)[^/\\\0]+/")


class NotOursError(Exception):
    """Bytes that are not an evidence folder as ``packed`` makes one."""


def enclosed(proved: Proved) -> dict[str, bytes]:
    """The files that travel with the pages, by their names and in their order. InputError if one is too large."""
    found = {name: proved.contents[name] for name in ALWAYS}
    if proved.is_whole:
        found[WHOLE] = packed(proved.name, proved.contents)
    for name, content in found.items():
        if len(content) > MOST_BYTES:
            raise InputError(
                f"pdf: {name} has {len(content):,} bytes, and at most {MOST_BYTES:,} are enclosed: archive the "
                "evidence folder itself"
            )
    return dict(sorted(found.items()))


def refuse_large(files: Iterable[SealedFile]) -> None:
    """InputError for a folder that is too large to be enclosed, before its files are read."""
    sizes = [one.bytes for one in files]
    if sum(sizes) > MOST_BYTES or len(sizes) > MOST_FILES:
        raise InputError(
            f"--with-evidence: {sum(sizes):,} bytes in {len(sizes):,} files, and at most {MOST_BYTES:,} in "
            f"{MOST_FILES:,} are enclosed: leave it out, and archive the evidence folder itself"
        )


def packed(name: str, files: Mapping[str, bytes]) -> bytes:
    """A folder of that name as a ZIP: nothing compressed, sorted, without dates; the same from the same files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path, content in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{name}/{path}", DATE)
            entry.create_system, entry.external_attr = 3, 0o600 << 16
            archive.writestr(entry, content)
    return made.getvalue()


def unpacked(content: bytes) -> tuple[str, dict[str, bytes]]:
    """(the folder's name, its files) of what ``packed`` made. NotOursError for anything else, before any of it is
    read that is larger than what it came in: each file must be stored as it is, under a name that leads nowhere
    else, and all together be packed to the same bytes again."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            listed = archive.infolist()
            name = _refuse_odd(listed, len(content))
            files = {one.filename.removeprefix(name): archive.read(one) for one in listed}
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, EOFError) as error:
        raise NotOursError(str(error)) from None
    except OSError as error:
        raise NotOursError(reason_of(error)) from None
    folder = name.removesuffix("/")
    if packed(folder, files) != content:
        raise NotOursError(WHOLE)
    return folder, files


def _refuse_odd(listed: list[zipfile.ZipInfo], size: int) -> str:
    """The name of the folder in which all files are, with its slash; NotOursError if there is anything odd."""
    first = _NAME.match(listed[0].filename) if listed else None
    if first is None or len(listed) > MOST_FILES or sum(one.file_size for one in listed) > size:
        raise NotOursError(WHOLE)
    names = [one.filename.removeprefix(first[0]) for one in listed]
    if len({*names}) < len(names) or any(one.compress_type or one.file_size != one.compress_size for one in listed):
        raise NotOursError(WHOLE)
    if not all(one.filename.startswith(first[0]) for one in listed) or not all(map(is_inside, names)):
        raise NotOursError(WHOLE)
    return first[0]
