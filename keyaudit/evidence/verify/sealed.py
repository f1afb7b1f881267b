"""The seal of an evidence folder: files, manifest and SHA256SUMS against each other."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from keyaudit.evidence import contents, seal
from keyaudit.evidence.contents import SUMS, File, Manifest
from keyaudit.files import is_plain, json_bytes, read_plain, walk


@dataclass
class Sealed:
    """What the seal tells: the manifest, every way in which the folder differs from what was sealed, and the bytes
    that were hashed of everything but the raw evidence, by path."""

    manifest: Manifest | None = None
    faults: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)


def check(folder: Path) -> Sealed:
    """The seal of a folder. NewerError if only a later version of keyaudit can read it."""
    missing = [name for name in (contents.MANIFEST, SUMS) if not is_plain(folder / name)]
    if missing:
        return Sealed(faults=[f"{name}: missing, or a link: not a finished evidence folder" for name in missing])
    content = read_plain(folder / contents.MANIFEST)
    try:
        manifest = json.loads(content)
        seal.refuse_newer(manifest, folder)
        listed = {str(entry["path"]): entry for entry in manifest["files"]}
        sums = seal.sums_bytes(content)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Sealed(faults=[f"{contents.MANIFEST}: not a manifest of keyaudit"])
    found = Sealed(manifest, [f"{name}: a path out of the folder" for name in listed if not _inside(name)])
    if found.faults:
        return found
    if read_plain(folder / SUMS) != sums:
        found.faults.append(f"{SUMS}: is not what {contents.MANIFEST} implies")
    if json_bytes(manifest) != content:
        found.faults.append(f"{contents.MANIFEST}: not written as keyaudit writes it")
    _compare(folder, manifest, listed, found)
    return found


def _compare(folder: Path, manifest: Manifest, listed: Mapping[str, File], found: Sealed) -> None:
    present = {path.relative_to(folder).as_posix(): path for path in walk(folder)}
    found.faults += [
        f"{name}: missing" for name in sorted({*listed, *contents.expected_of(manifest)} - set(present))
    ]
    extra = set(present) - set(listed) - {contents.MANIFEST, SUMS}
    found.faults += [f"{name}: is not in the manifest" for name in sorted(extra)]
    for name in sorted(set(listed) & set(present)):
        try:
            content = read_plain(present[name]) if present[name].is_file() else None
        except OSError as error:
            content = None if present[name].is_symlink() else b""
            if content is not None:
                found.faults.append(f"{name}: cannot be read ({error.strerror})")
                continue
        if content is None:
            found.faults.append(f"{name}: is not a plain file")
            continue
        if fault := changed(content, name, listed[name]):
            found.faults.append(fault)
        if not name.startswith((f"{contents.RAW}/", f"{contents.BEFORE}/")):
            found.files[name] = content
    found.faults += [f"{name}/: an empty folder that is not in the manifest" for name in _empty_folders(folder)]


def _inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name and path.as_posix() == name


def changed(content: bytes, name: str, entry: File) -> str:
    """How a file differs from its entry in the manifest; empty if it does not."""
    if hashlib.sha256(content).hexdigest() != entry.get("sha256"):
        return f"{name}: changed (SHA-256 differs)"
    if len(content) != entry.get("bytes"):
        return f"{name}: the manifest gives another size"
    return ""


def _empty_folders(folder: Path) -> list[str]:
    """Folders with nothing in them; a folder that cannot be read is named as ``why`` names it."""
    return sorted(
        Path(base).relative_to(folder).as_posix()
        for base, folders, names in os.walk(folder, onerror=_raise)
        if not folders and not names
    )


def _raise(error: OSError) -> None:
    raise error
