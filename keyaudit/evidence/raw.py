"""The reports that were judged, and the documents beside them, copied into a staging folder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from keyaudit import sources
from keyaudit.assess.limits import is_known
from keyaudit.captured import documents, layout
from keyaudit.files import json_bytes, write_file
from keyaudit.model import ORGANIZATION, Audit, Origin, Provenance
from keyaudit.schema import EvidenceError
from keyaudit.texts import utc


def stage(staging: Path, into: str, judged: Audit, facts: dict[str, Any]) -> None:
    """Copy the reports byte for byte, each with a capture.json that says where and when it was read, and write the
    ``facts`` of the capture. A file that was refused is described and not copied, because it may hold a secret."""
    for one in judged.provenance:
        if one.origin is not None:
            _stage_one(staging, f"{into}/{one.account_id}", one, one.origin)
    read = [one.origin.read_time for one in judged.provenance if one.origin is not None]
    accounts = {
        **facts,
        "sample": judged.is_sample,
        # a missing list of accounts is not an account
        "expected": [one.account_id for one in judged.provenance if one.account_id != ORGANIZATION],
        # what no source can say about itself, and is believed only of evidence whose seal holds
        "captured": [one.account_id for one in judged.provenance if one.origin and one.origin.captured_now],
        # if nothing was read, this is the moment that was judged
        "read_time": max(read, default=judged.as_of).isoformat(),
    }
    write_file(staging, f"{into}/{layout.ACCOUNTS_FILE}", json_bytes(accounts))


def _stage_one(staging: Path, folder: str, one: Provenance, origin: Origin) -> None:
    readable = one.form or origin.path is None
    captured = sources.whole_capture(origin, one.account_id, bool(one.form)) if readable else None
    if captured:
        for name, content in _whole(one, origin).items():
            write_file(staging, f"{folder}/{name}", content)
        return
    told = dict(origin.capture or {})
    if "calls" in told:
        told["calls"] = sources.calls_of(origin)
    account_id = one.account_id if is_known(one.account_id) else None
    known: dict[str, Any] = {
        "account_id": account_id,
        "bytes": one.bytes,
        "sha256": one.sha256,
        "generated_time": utc(one.generated_time) or None,
        "caller": one.caller,
        "problems": [],
    }
    # what a capture says, and what it leaves out, must be judged again as it was
    facts = ({} if sources.is_live(told) else known) | {
        **told,
        "source": one.source,
        "file": _raw_name(one.form) if one.form else None,
        "form": one.form or None,
        "received_time": one.received_time.isoformat() if one.received_time else None,
    }
    if not one.form:
        # whose it is was read in the file itself, which is not here; the rest puts accounts without an id in order
        facts |= {"account_id": account_id, "problems": [one.error], "sha256": one.sha256, "bytes": one.bytes}
    else:
        write_file(staging, f"{folder}/{facts['file']}", _reread(one, origin))
        for name, content in _beside(origin).items():
            write_file(staging, f"{folder}/{name}", content)
    write_file(staging, f"{folder}/{layout.CAPTURE_FILE}", json_bytes(facts))


def _whole(one: Provenance, origin: Origin) -> dict[str, bytes]:
    """Copy the capture of an account as it is, except for files that have no digest in capture.json: they may be
    anything."""
    files = {layout.CAPTURE_FILE: origin.told or b"", **_beside(origin)}
    report = _reread(one, origin) if one.form else sources.content_of(origin)
    is_known = report is not None and hashlib.sha256(report).hexdigest() == (origin.capture or {}).get("sha256")
    return files | ({layout.REPORT_FILE: report} if report is not None and (one.form or is_known) else {})


def _beside(origin: Origin) -> dict[str, bytes]:
    found = {one.file: sources.document(origin, one) for one in documents.DOCUMENTS}
    return {name: content for name, content in found.items() if content is not None}


def _reread(one: Provenance, origin: Origin) -> bytes:
    content = sources.content_of(origin) or b""
    if hashlib.sha256(content).hexdigest() != one.sha256:
        raise EvidenceError(f"{one.source}: changed while it was read")
    return content


def _raw_name(form: str) -> str:
    ends = {"base64": "b64", "json": "json", "records": "json", "text": "txt", "yaml": "yaml"}
    return f"credential-report.{ends[form]}" if form in ends else layout.REPORT_FILE
