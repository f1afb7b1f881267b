"""Evidence of a period, reached again from the copies in it: of each folder that it was concluded from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from keyaudit import __version__
from keyaudit.evidence import copies, released
from keyaudit.evidence.answered import Answered, of_copies
from keyaudit.evidence.contents import (
    EXPECTED_OF_PERIOD,
    KEYS,
    MANIFEST,
    PERIOD,
    POLICY,
    RAW,
    SUMMARY,
    SUMS,
    Manifest,
)
from keyaudit.evidence.identity import is_renamed
from keyaudit.evidence.request import PeriodAsked
from keyaudit.evidence.stated_period import StatedOfPeriod, policy_of, stated_of
from keyaudit.evidence.verify.judged import Again, is_same
from keyaudit.evidence.verify.shown import compare
from keyaudit.evidence.verify.typed import odd_fields
from keyaudit.export.over_time import operated_csv, operated_json
from keyaudit.files import read_plain
from keyaudit.policy import parse_policy
from keyaudit.texts import say, visible

#: the version that first made evidence of a period: of an earlier one, less would be compared
FIRST = (0, 4)
#: the parameters by which the notebook reads nothing but the evidence
_ALLOWED = {"source": (RAW,), "policy": (POLICY, ""), "anchors": ("",)}


def period_again(folder: Path, manifest: Manifest, files: Mapping[str, bytes], raw: Path) -> Again:
    """What the copies in ``raw`` give, compared with what is stated, and then with what notebook and page say.
    ``raw`` is elsewhere if the evidence refers to it."""
    parameters: Mapping[str, Any] = manifest["parameters"]
    for name, allowed in _ALLOWED.items():
        if parameters.get(name) not in allowed:
            return Again([say("verify.outside", manifest=MANIFEST, what=name)])
    if faults := [*_changed(manifest, raw)]:
        return Again(faults)
    given = parse_policy(files[POLICY], POLICY) if parameters["policy"] else None
    asked = PeriodAsked(str(parameters["first"]), str(parameters["last"]), str(parameters["every"]))
    answered = of_copies(raw, asked, given)
    if faults := [*copies.broken(answered.inputs, raw)]:
        return Again(faults)
    if not copies.is_as_told(raw, answered.inputs, answered.question):
        return Again([f"{RAW}/{PERIOD}: not written as keyaudit writes it"])
    stated = stated_of(answered)
    if faults := [*_unread(folder, manifest, answered), *_misstated(answered, stated, manifest, files)]:
        return Again(faults)
    same = is_same(manifest)
    shown = compare(
        files,
        manifest,
        {**parameters, "o": answered.operated},
        stated,
        stated.line.metadata["keyaudit"]["findings_sha256"],
        same,
    )
    renamed = is_renamed(folder, manifest)
    remarks = [say("verify.renamed", name=visible(renamed))] if renamed else []
    if not same:
        made_by = str(manifest["tool"]["keyaudit"])
        remarks.append(say("verify.older", made_by=visible(made_by), version=__version__))
    return Again([*shown.faults, *_added(manifest)], [*shown.remarks, *remarks])


def _misstated(
    found: Answered, stated: StatedOfPeriod, manifest: Manifest, files: Mapping[str, bytes]
) -> Iterator[str]:
    """What manifest, keys and summary say that the copies do not give."""
    told: Mapping[str, Any] = manifest
    facts: dict[str, Any] = {**stated.facts, "organization": stated.organization}
    yield from (
        f"{MANIFEST}: {name} is not what the evidence gives" for name in facts if told.get(name) != facts[name]
    )
    yield from (say("verify.odd_field", manifest=MANIFEST, name=visible(name)) for name in odd_fields(manifest))
    if not manifest["started_at"] <= stated.facts["as_of"] <= manifest["sealed_at"]:
        yield f"{MANIFEST}: its question is not of the time in which it was made"
    made_by = str(manifest["tool"]["keyaudit"])
    if not released.is_known(made_by):
        yield say("verify.unknown_version", manifest=MANIFEST, made_by=visible(made_by))
    elif released.version_of(made_by) < FIRST or manifest.get("rules") not in released.rules_of(made_by):
        yield f"{MANIFEST}: keyaudit {made_by} made no evidence of a period by these rules"
    if files[POLICY] != policy_of(found).content:
        yield f"{POLICY}: is not the policy of the evidence"
    new = {KEYS: operated_csv(found.operated), SUMMARY: operated_json(found.operated).encode()}
    yield from (f"{name}: is not what {RAW}/ gives" for name in new if files[name] != new[name])


def _changed(manifest: Manifest, raw: Path) -> Iterator[str]:
    """Seals of copies, and what is stated beside them, that are not those of this seal. The files of the copies
    follow from their seals."""
    for each in manifest["files"]:
        parts = Path(each["path"]).parts
        is_seal = len(parts) == 3 and parts[2] in (MANIFEST, SUMS)
        is_told = parts[0] == RAW and (is_seal or parts[1:] == (PERIOD,))
        if is_told and _digest(raw.joinpath(*parts[1:])) != each["sha256"]:
            yield f"{each['path']}: changed while it was read"


def _unread(folder: Path, manifest: Manifest, found: Answered) -> Iterator[str]:
    """Files among the copies that the answer was not reached from: raw evidence too, where it is elsewhere."""
    by_reference = copies.known_of(folder / RAW).by_reference
    known = {f"{RAW}/{PERIOD}", *(f"{RAW}/{name}" for name in copies.names_of(found.inputs))}
    for each in manifest["files"]:
        is_elsewhere = by_reference and Path(each["path"]).parts[2:3] == (RAW,)
        if each["path"].startswith(f"{RAW}/") and (each["path"] not in known or is_elsewhere):
            yield say("verify.unread", name=visible(each["path"]))


def _digest(path: Path) -> str:
    return hashlib.sha256(read_plain(path)).hexdigest()


def _added(manifest: Manifest) -> list[str]:
    """Files that no evidence of a period has."""
    names = [str(each["path"]) for each in manifest["files"]]
    return [
        say("verify.added", name=visible(name))
        for name in names
        if name not in EXPECTED_OF_PERIOD and not name.startswith(f"{RAW}/")
    ]
