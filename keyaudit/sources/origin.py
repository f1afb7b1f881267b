"""Where reports come from, and one of them, read."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

from keyaudit.captured import documents
from keyaudit.credentials import ANSWERS, Unwrapped, parse_instant, peek_account, refused, unwrap
from keyaudit.files import MOST_BYTES, read_plain, reason_of
from keyaudit.model import Origin
from keyaudit.schema import CredentialReport, InputError
from keyaudit.sources.names import time_in_name

CHUNK = 2**24
#: facts that, besides the digests of documents, only a capture of the live account has
LIVE = frozenset({"asked", "calls", "complete", "format", "remarks", "tool"})


def read(origin: Origin) -> CredentialReport:
    """The report of an origin; InputError if it cannot be had or is not a credential report at all."""
    return read_and_unwrap(origin)[0]


def read_and_unwrap(origin: Origin) -> tuple[CredentialReport, Unwrapped]:
    """The report of an origin and its text, from the same bytes. InputError as for ``read``."""
    capture = origin.capture or {}
    content = content_of(origin)
    if content is None:
        said = texts(capture.get("problems"))
        raise InputError("; ".join(said)) if said else refused(origin.name, "unread")
    found = unwrap(content, origin.name)
    report = CredentialReport(
        account_id=peek_account(found.text),
        generated_time=_generated_time(found, origin),
        received_time=origin.received_time,
        content=content,
        source=origin.name,
        problems=tuple(texts(capture.get("problems"))),
    )
    return report, found


def _generated_time(found: Unwrapped, origin: Origin) -> datetime | None:
    """The generated time: by AWS's own answer, if the report came in one; otherwise by its capture or, for a file,
    by its column or its name."""
    if found.form in ANSWERS and found.generated_time:
        return found.generated_time
    if origin.capture:
        return parse_instant(str(origin.capture.get("generated_time")))
    return found.generated_time or time_in_name(origin.name)


def is_live(capture: dict[str, Any]) -> bool:
    """Whether ``keyaudit capture`` wrote this, so that everything it always writes must be there."""
    return not LIVE.isdisjoint(capture) or any(one.digest in capture for one in documents.DOCUMENTS)


def content_of(origin: Origin) -> bytes | None:
    """The bytes of an origin, None if there are none. A file in a capture must be the plain file that was handed
    over; elsewhere links are followed. InputError if it cannot be read."""
    if origin.content is not None or origin.path is None:
        return origin.content
    if origin.folder is None:
        return read_bytes(origin.path, origin.name, origin.named)
    try:
        return read_plain(origin.path)
    except OSError as error:
        raise _unreadable(origin.name, error, origin.named) from None


def read_bytes(path: Path, name: str, is_named: bool = True) -> bytes:
    """The bytes of a file, or of a pipe until it ends; InputError if there are too many for a report."""
    too_large = refused(name, "too_large")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise too_large
        content = bytearray()
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                content += chunk
                if len(content) > MOST_BYTES:
                    raise too_large
        return bytes(content)
    except OSError as error:
        raise _unreadable(name, error, is_named) from None


def _unreadable(name: str, error: OSError, is_named: bool) -> InputError:
    """If the user named the file, whose it is and what to do is told as well; the page of a folder of reports does
    not hold that."""
    return refused(name, "unreadable", why=reason_of(error) if is_named else error.strerror)


def fingerprint(origin: Origin) -> tuple[str, int]:
    """The SHA-256 and size of what could not be read as a report: of its bytes, or else as its capture recorded
    them, or else of its name."""
    capture = origin.capture or {}
    try:
        content = content_of(origin)
    except InputError:
        content = None
    if content is not None:
        return hashlib.sha256(content).hexdigest(), len(content)
    recorded, size = capture.get("sha256"), capture.get("bytes")
    if isinstance(recorded, str) and isinstance(size, int):
        return recorded, size
    return hashlib.sha256(origin.name.encode()).hexdigest(), 0


def labels(reads: list[tuple[str | None, str, str]]) -> list[str]:
    """A label for each (account id, digest, name of the source): the id, or else ``unknown-1``, ... in the order of
    digest and name, so that the order of files never matters."""
    unknown = sorted((digest, name) for account_id, digest, name in reads if account_id is None)
    return [account_id or f"unknown-{unknown.index((digest, name)) + 1}" for account_id, digest, name in reads]


def texts(value: Any) -> list[str]:
    """A JSON list as strings; anything else as no strings."""
    return [str(one) for one in value] if isinstance(value, list | tuple) else []
