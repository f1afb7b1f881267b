"""The earlier evidence in a folder, with which it compares: of the seal that the manifest names, and no other."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from keyaudit.compared import NOWHERE, Earlier, read_earlier
from keyaudit.evidence.contents import COMPARED, FINDINGS, MANIFEST, PREVIOUS, SUMMARY, SUMS, Manifest
from keyaudit.texts import say


def read(files: Mapping[str, bytes], manifest: Manifest) -> tuple[Earlier | None, list[str]]:
    """(what the notebook compared with, faults). ``files``: by their names, as sealed."""
    parameter, told = manifest["parameters"].get(PREVIOUS), manifest.get("compared")
    place = f"{PREVIOUS}/"
    found = {name.removeprefix(place): content for name, content in files.items() if name.startswith(place)}
    if parameter != PREVIOUS:
        is_odd = bool(found) or told is not None
        return (Earlier(why=parameter) if parameter in NOWHERE else None), [_fault(PREVIOUS)] if is_odd else []
    if told is None or set(found) != {*COMPARED}:
        return None, [_fault(PREVIOUS)]
    listed = {name: digest for digest, _, name in (one.partition("  ") for one in found[SUMS].decode().split("\n"))}
    wrong = [SUMS] if _digest(found[SUMS]) != told["sha256"] else []
    wrong += [name for name in (FINDINGS, SUMMARY) if listed.get(name) != _digest(found[name])]
    if wrong:
        return None, [_fault(place + name) for name in wrong]
    return read_earlier(found[FINDINGS], found[SUMMARY]), []


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _fault(name: str) -> str:
    return say("verify.not_compared_evidence", name=name, manifest=MANIFEST)
