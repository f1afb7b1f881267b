"""An evidence folder -> files for offices, beside it. The folder is verified first, and judged again: whatever is
made of it says what the evidence proves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from keyaudit import sources
from keyaudit.credentials import parse_instant
from keyaudit.evidence import seal
from keyaudit.evidence.beside import place
from keyaudit.evidence.contents import KEYS, MANIFEST, SUMS, Manifest, language_of
from keyaudit.evidence.verify import proved
from keyaudit.export.enclosed import refuse_large
from keyaudit.export.formats import Format, Made
from keyaudit.files import is_plain, json_bytes, read_plain
from keyaudit.model import Audit, Call, Population, Proved, SealedFile
from keyaudit.rotation.advised import advice
from keyaudit.schema import InputError, KeyAuditError
from keyaudit.texts import say, spoken


class BrokenError(KeyAuditError):
    """The evidence does not verify; ``faults`` say why."""

    def __init__(self, folder: Path, faults: Sequence[str]) -> None:
        super().__init__(f"{folder}: does not verify: {faults[0]}")
        self.faults = tuple(faults)


def write(proved: Proved, form: Format, folder: Path, into: Path | None = None) -> tuple[Path | None, Made]:
    """Make this format of a folder that verified: the path under which it is, and what was made. The path is None
    if there is nothing to be written. Without ``into``, it is beside the evidence folder.

    InputError if the library of the format is not installed, or something else has the name; EvidenceError if it
    cannot be written.
    """
    folder = folder if folder.name not in ("", "..") else folder.resolve()
    into = into or folder.parent
    refuse_inside(into)
    with spoken(proved.language):
        made = form.load()(proved)
    if made.content is None:
        return None, made
    path = into / f"{folder.name}{form.ending}"
    place(path, made.content)
    return path, made


def prove(folder: Path, is_whole: bool = False) -> Proved:
    """What verified evidence gives; ``is_whole``: with the bytes of its raw evidence. BrokenError if it does not
    verify; InputError if there is no such folder, if only a later version of keyaudit knows it, or if the whole is
    too large to be enclosed."""
    found = proved(folder)
    if found.manifest and "period" in found.manifest:
        raise InputError(f"{folder}: is evidence of a period, of which nothing is exported; use its {KEYS}")
    manifest, judged, population = found.manifest, found.audit, found.population
    if found.faults or manifest is None or judged is None or population is None:
        raise BrokenError(folder, found.faults)
    files = tuple(SealedFile(one["path"], one["bytes"], one["sha256"]) for one in manifest["files"])
    if is_whole:
        refuse_large(files)
    with spoken(language_of(manifest)):
        tool = manifest["tool"]
        return Proved(
            name=manifest.get("name", folder.name),
            sha256=seal.digest_of(folder),
            language=language_of(manifest),
            audit=judged,
            advice=advice(judged),
            files=files,
            calls=tuple(_calls(judged, population)),
            versions=(*_named(tool), *sorted(_named(manifest.get("libraries", {})))),
            contents=_contents(folder, manifest, found.files, is_whole),
            is_whole=is_whole,
            remarks=tuple(found.remarks),
        )


def _contents(folder: Path, manifest: Manifest, checked: Mapping[str, bytes], is_whole: bool) -> dict[str, bytes]:
    """The bytes that were checked, the two files of the seal, and those that are raw if that is asked for."""
    told = json_bytes(manifest)
    found = {**checked, MANIFEST: told, SUMS: seal.sums_bytes(told)}
    for entry in manifest["files"] if is_whole else ():
        name = entry["path"]
        if name not in found:
            found[name] = read_plain(folder / name)
            if hashlib.sha256(found[name]).hexdigest() != entry["sha256"]:
                raise BrokenError(folder, [say("verify.unreadable", why=name)])
    return found


def _named(versions: Mapping[str, object]) -> list[tuple[str, str]]:
    return [(name, str(number)) for name, number in versions.items()]


def _calls(judged: Audit, population: Population) -> Iterator[Call]:
    """The calls by which an organization was listed, and then those of each account, as far as captures tell."""
    told: list[tuple[str, Any]] = [("", population.facts.get("calls"))]
    told += [(one.account_id, sources.calls_of(one.origin)) for one in judged.provenance if one.origin]
    for account, calls in told:
        for one in calls if isinstance(calls, list) else []:
            if isinstance(one, dict):
                yield _call(account, one)


def _call(account: str, told: Mapping[str, Any]) -> Call:
    words = {name: str(told.get(name) or "") for name in ("api", "user", "result", "request_id")}
    retries = told.get("retries")
    return Call(account, at=_instant(told.get("at")), retries=retries if type(retries) is int else None, **words)


def _instant(told: Any) -> datetime | None:
    try:
        return parse_instant(str(told))
    except ValueError:
        return None


def refuse_inside(into: Path) -> None:
    """InputError for a place inside of evidence, where a further file would break the seal."""
    whole = into.resolve()
    for one in (whole, *whole.parents):
        try:
            is_evidence = is_plain(one / SUMS)
        except OSError:
            continue
        if is_evidence:
            raise InputError(
                f"{into}: is inside of evidence, whose seal a further file would break; name another folder"
            )
