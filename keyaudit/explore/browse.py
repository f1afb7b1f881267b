"""Folders, walked to choose a file or folder in: what is in one of them, and what of it can be chosen.

Nobody leaves the root: the folder that JupyterLab serves. A link that leads out of it is shown, and not followed.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jupyter_core.paths import jupyter_runtime_dir

from keyaudit.captured.layout import ACCOUNTS_FILE, CAPTURE_FILE
from keyaudit.evidence.contents import MANIFEST, SUMS
from keyaudit.files import printable, unreadable
from keyaudit.schema import InputError
from keyaudit.texts import say, visible

EVIDENCE, POLICY = WANTED = ("evidence", "policy")
#: endings of files that can be what is wanted; a report may have none, and a browser may put a number behind it
ENDINGS = {EVIDENCE: ("", "csv", "json", "txt", "yaml", "yml", "b64", "base64"), POLICY: ("toml",)}
#: so many entries are listed at once, so that a folder of thousands is there at once; words find the others
MOST = 300


@dataclass(frozen=True)
class Entry:
    """What is in a folder. ``name``: as it can be shown; ``kind``: of evidence, capture, folder, file, other;
    ``is_open``: whether one can go into it; ``why``: why it cannot be chosen, empty if it can."""

    path: Path
    name: str
    kind: str
    is_open: bool
    why: str


@dataclass(frozen=True)
class Listing:
    """The entries of a folder, folders first, each by name; how many of those that match are ``more`` than are
    listed, and how many are ``hidden`` ones that were left out."""

    place: Path
    entries: tuple[Entry, ...]
    more: int = 0
    hidden: int = 0


def served() -> Path:
    """The folder that JupyterLab serves, by what the server that started this kernel wrote of itself; the working
    folder if there is no such server, or if it serves another."""
    here = Path.cwd().resolve()
    try:
        told = Path(jupyter_runtime_dir(), f"jpserver-{os.getppid()}.json").read_bytes()
        root = Path(json.loads(told)["root_dir"]).resolve()
    except (OSError, ValueError, LookupError, TypeError):
        return here
    return root if here.is_relative_to(root) else here


def is_inside(root: Path, path: Path) -> bool:
    """Whether a path is in the root, wherever links lead; one that leads nowhere is not."""
    try:
        return path.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):  # RuntimeError: links in a circle, before Python 3.13
        return False


def listing(root: Path, place: Path, wanted: str, words: str = "", with_hidden: bool = False) -> Listing:
    """What is in a folder of the root, of which the names have ``words`` in them. InputError if the folder is
    outside, or cannot be read."""
    if not is_inside(root, place):
        raise InputError(say("choose.outside", place=printable(str(place)), root=printable(str(root))))
    try:
        with os.scandir(place) as found:
            every = [*found]
    except OSError as error:
        raise InputError(unreadable(printable(str(place)), error)) from None
    seen = [one for one in every if with_hidden or not one.name.startswith(".")]
    asked = _folded(words.strip())
    meant = [one for one in seen if asked in _folded(shown(one.name))]
    meant.sort(key=lambda one: (not _is_folder(one), _folded(one.name), one.name))
    entries = tuple(_entry(root, one, wanted) for one in meant[:MOST])
    return Listing(place, entries, max(len(meant) - MOST, 0), len(every) - len(seen))


def leads_out(root: Path, folder: Path) -> Path | None:
    """A link in a folder, or in the folders in it, that leads out of the root; None if there is none."""
    return next((one for one in _links(folder, set()) if not is_inside(root, one)), None)


def shown(name: str) -> str:
    """A name as people can read it, whatever bytes or letters it is made of."""
    return visible(printable(name))


def _links(folder: Path, seen: set[Path]) -> Iterator[Path]:
    real = folder.resolve()
    if real in seen:
        return
    seen.add(real)
    with os.scandir(folder) as found:
        every = [*found]
    for one in every:
        if one.is_symlink():
            yield Path(one.path)
        # asked for only when a link was found to stay inside
        if _is_folder(one):
            yield from _links(Path(one.path), seen)


def _is_folder(one: os.DirEntry[str]) -> bool:
    try:
        return one.is_dir()
    except OSError:
        return False


def _entry(root: Path, one: os.DirEntry[str], wanted: str) -> Entry:
    path, is_folder = Path(one.path), _is_folder(one)
    if one.is_symlink() and not is_inside(root, path):
        return Entry(path, shown(one.name), "other", False, say("choose.link"))
    if is_folder:
        return Entry(
            path, shown(one.name), _kind(path), True, "" if wanted == EVIDENCE else say("choose.no_folder")
        )
    return Entry(path, shown(one.name), "file", False, _why_not(one, wanted))


def _kind(folder: Path) -> str:
    """What a folder is, by the files that make it that."""
    if (folder / SUMS).is_file() and (folder / MANIFEST).is_file():
        return "evidence"
    is_capture = any((folder / name).is_file() for name in (ACCOUNTS_FILE, CAPTURE_FILE))
    return "capture" if is_capture else "folder"


def _why_not(one: os.DirEntry[str], wanted: str) -> str:
    try:
        is_plain = one.is_file()
    except OSError:
        is_plain = False
    if not is_plain:
        return say("choose.not_plain")
    ending = re.sub(r" ?\([0-9]{1,6}\)$", "", one.name.lower()).lstrip(".").rpartition(".")
    return "" if (ending[2] if ending[1] else "") in ENDINGS[wanted] else say(f"choose.ending_{wanted}")


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
