"""The evidence that a period was concluded from, copied into its own evidence: written there, and read again.

Of each folder there are manifest, seal and policy, and of each that verified the raw evidence, byte for byte. Their
pages are not there: what was wrong with a folder when it was verified as a whole is stated, and what is wrong with
a copy is found again. A fault never makes a conclusion better.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from keyaudit.credentials import parse_instant
from keyaudit.evidence import seal
from keyaudit.evidence.contents import MANIFEST, PERIOD, POLICY, RAW, SUMS, Manifest
from keyaudit.evidence.history import Looked, looked
from keyaudit.evidence.inputs import Inputs
from keyaudit.evidence.ledger import entry
from keyaudit.evidence.operating import Question
from keyaudit.evidence.verify.judged import data_of, other_data
from keyaudit.files import json_bytes, read_plain, walk, write_file
from keyaudit.model.folders import Entry, Failure
from keyaudit.period.anchors import Anchor
from keyaudit.policy import Policy
from keyaudit.schema import EvidenceError, InputError
from keyaudit.texts import utc

#: bytes of raw evidence that are copied; beyond that it must be by reference
MOST_BYTES = 200 * 2**20
#: the files of a folder that are always copied
ALWAYS = (MANIFEST, SUMS, POLICY)


@dataclass(frozen=True)
class Known:
    """What the copies alone do not tell: the moment of the question, the name of the policy that was given (empty:
    none was), the anchors (None: there were none) and the name of their file, and whether the raw evidence is
    elsewhere."""

    now: datetime
    policy: str
    anchors: tuple[Anchor, ...] | None
    anchors_name: str
    by_reference: bool


def refuse_large(found: Inputs) -> None:
    """InputError if there is more raw evidence than is copied."""
    size = sum(one["bytes"] for folder in _judged(found) for one in _raw_of(seal.read_manifest(folder.path)))
    if size > MOST_BYTES:
        raise InputError(
            f"the evidence of the period has {size / 2**20:,.0f} MiB, at most {MOST_BYTES // 2**20} are copied: "
            "give --by-reference, and keep the reports folder for verify --series"
        )


def stage(staging: Path, found: Inputs, asked: Question, by_reference: bool) -> None:
    """Copy the evidence, and state what the copies do not tell. EvidenceError if it was changed meanwhile."""
    for one in found.found:
        manifest = seal.read_manifest(one.path)
        for name in ALWAYS:
            content = read_plain(one.path / name)
            if name == POLICY and seal.digest(content) != manifest["policy"]["sha256"]:
                content = b""  # another file in its place, which may hold anything
            write_file(staging, f"{RAW}/{one.path.name}/{name}", content)
        copy = staging / RAW / one.path.name
        if seal.digest_of(copy) != one.sha256 or not seal.is_sealed(copy) or seal.read_manifest(copy) != manifest:
            raise EvidenceError(f"{one.path.name}: changed while it was read")
        if found.looked[one.path].snapshot is None:
            continue
        for each in _raw_of(manifest):
            content = read_plain(one.path / each["path"])
            if seal.digest(content) != each["sha256"]:
                raise EvidenceError(f"{one.path.name}/{each['path']}: changed while it was read")
            write_file(staging, f"{RAW}/{one.path.name}/{each['path']}", content)
    write_file(staging, f"{RAW}/{PERIOD}", json_bytes(_told(found, asked, by_reference)))


def _told(found: Inputs, asked: Question, by_reference: bool) -> dict[str, Any]:
    anchors = None if asked.anchors is None else [[f"{one.day}", one.seal] for one in asked.anchors]
    return {
        "now": utc(asked.now),
        "by_reference": by_reference,
        "policy": asked.policy.name if asked.policy else "",
        "folders": [
            {"name": one.path.name, "sha256": one.sha256, "faults": [*found.looked[one.path].faults]}
            for one in found.found
        ],
        "unreadable": dict(found.unreadable),
        "failed": [
            {
                "name": one.path.name,
                "subject": one.subject,
                "instant": utc(one.instant),
                "reason": one.reason,
            }
            for one in found.failed
        ],
        "anchors": anchors,
        "anchors_name": "" if anchors is None else asked.anchors_name,
    }


def drop(staging: Path) -> None:
    """Leave the raw evidence out, once the notebook has read it."""
    for path in (staging / RAW).glob(f"*/{RAW}"):
        for file in sorted(walk(path), reverse=True):
            file.unlink()
        for folder in sorted((one for one in path.rglob("*") if one.is_dir()), reverse=True):
            folder.rmdir()
        path.rmdir()


def known_of(raw: Path) -> Known:
    """What is stated beside the copies. ValueError, KeyError or TypeError if keyaudit did not write it."""
    told = json.loads(read_plain(raw / PERIOD))
    anchors = told["anchors"]
    by_reference = told["by_reference"]
    if type(by_reference) is not bool:
        raise TypeError(PERIOD)
    found = None if anchors is None else tuple(Anchor(date.fromisoformat(day), str(seal)) for day, seal in anchors)
    return Known(_instant(told["now"]), str(told["policy"]), found, str(told["anchors_name"]), by_reference)


def of_copies(raw: Path, policy: Policy | None = None) -> Inputs:
    """The evidence in the copies, judged again from them. InputError if what is stated beside them and what is
    there is not the same; ValueError, KeyError or TypeError if keyaudit did not write it."""
    told = json.loads(read_plain(raw / PERIOD))
    found, looks, now = [], {}, _instant(told["now"])
    for each in told["folders"]:
        name = str(each["name"])
        if name != Path(name).name or name in (".", ".."):
            raise InputError(f"{PERIOD}: a folder out of {RAW}/")
        one = entry(raw / name)
        if one.sha256 != each["sha256"] or not seal.is_sealed(one.path) or one.path in looks:
            raise InputError(f"{RAW}/{name}: is not the evidence that {PERIOD} names")
        if max(one.started, one.sealed) > now:
            raise InputError(f"{RAW}/{name}: was made after the moment of the question")
        faults = tuple(map(str, each["faults"]))
        found.append(one)
        looks[one.path] = Looked(faults) if faults else look_copy(one, policy)
    failed = tuple(
        Failure(raw / str(one["name"]), str(one["subject"]), _instant(one["instant"]), str(one["reason"]))
        for one in told["failed"]
    )
    unreadable = {str(name): str(why) for name, why in told["unreadable"].items()}
    return Inputs(tuple(sorted(found, key=lambda one: (one.sealed, one.path.name))), looks, unreadable, failed)


def broken(found: Inputs, raw: Path) -> Iterator[str]:
    """What is wrong with the copies themselves, beyond what is stated of the folders that they are of."""
    stated = {str(each["name"]): each["faults"] for each in json.loads(read_plain(raw / PERIOD))["folders"]}
    for one in found.found:
        faults = found.looked[one.path].faults
        if not stated[one.path.name]:
            yield from (f"{RAW}/{one.path.name}: {fault}" for fault in faults)


def is_as_told(raw: Path, found: Inputs, asked: Question) -> bool:
    """Whether what is stated beside the copies is, byte for byte, what keyaudit states of them: it has no words
    that nothing compares, such as a policy that nobody gave."""
    return read_plain(raw / PERIOD) == json_bytes(_told(found, asked, known_of(raw).by_reference))


def names_of(found: Inputs) -> Iterator[str]:
    """The files of the copies, by their paths; the raw evidence only of folders that say something."""
    for one in found.found:
        yield from (f"{one.path.name}/{name}" for name in ALWAYS)
        if found.looked[one.path].snapshot is not None:
            yield from (f"{one.path.name}/{each['path']}" for each in _raw_of(seal.read_manifest(one.path)))


def look_copy(one: Entry, given: Policy | None = None) -> Looked:
    """A folder of which only manifest, seal, policy and raw evidence are there: as ``inputs.look``, but for what
    its page says."""
    manifest = seal.read_manifest(one.path)
    if faults := [*_odd(one.path, manifest)]:
        return Looked(tuple(faults))
    again = data_of(one.path, manifest, {POLICY: read_plain(one.path / POLICY)})
    if again.audit is not None and (faults := [*again.faults, *other_data(again.audit, manifest)]):
        return Looked(tuple(faults))
    return looked(one, again, manifest, one.path, given)


def _odd(folder: Path, manifest: Manifest) -> Iterator[str]:
    """How a copy differs from its seal."""
    told = read_plain(folder / MANIFEST)
    if read_plain(folder / SUMS) != seal.sums_bytes(told):
        yield f"{SUMS}: is not what {MANIFEST} implies"
    listed = {each["path"]: each["sha256"] for each in (*_raw_of(manifest), *_policy_of(manifest))}
    there = {path.relative_to(folder).as_posix(): path for path in walk(folder)}
    yield from (f"{name}: missing" for name in sorted(listed.keys() - there.keys()))
    yield from (
        f"{name}: is not in the manifest" for name in sorted(there.keys() - listed.keys() - {MANIFEST, SUMS})
    )
    for name in sorted(listed.keys() & there.keys()):
        if seal.digest(read_plain(there[name])) != listed[name]:
            yield f"{name}: changed (SHA-256 differs)"


def _judged(found: Inputs) -> list[Entry]:
    return [one for one in found.found if found.looked[one.path].snapshot is not None]


def _raw_of(manifest: Manifest) -> list[Any]:
    return [each for each in manifest["files"] if each["path"].startswith(f"{RAW}/")]


def _policy_of(manifest: Manifest) -> list[Any]:
    return [each for each in manifest["files"] if each["path"] == POLICY]


def _instant(text: object) -> datetime:
    found = parse_instant(str(text))
    if found is None:
        raise ValueError(PERIOD)
    return found
