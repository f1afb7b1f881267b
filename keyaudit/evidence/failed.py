"""Runs that left no evidence: their folder is kept for diagnosis, with the reason, and never holds SHA256SUMS."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from keyaudit.evidence.contents import SUMS
from keyaudit.files import read_plain, write_file
from keyaudit.model.folders import Failure
from keyaudit.texts import masked

REASON = "failure.txt"
LONGEST_REASON = 2000  # bytes
#: ``.failed-<instant>-<notebook>`` with the account, if it was known, and what tells two of them apart
_FAILED = re.compile(r"\.failed-(\d{4}-\d{2}-\d{2}T\d{6}Z)-(.+)-[0-9a-f]{12}")


def fail(staging: Path, name: str, reason: str) -> Path:
    """Keep a failed run as ``.failed-*`` for diagnosis; it holds no SHA256SUMS."""
    failed = staging.with_name(f".failed-{name}-{staging.name.rpartition('-')[2]}")
    (staging / SUMS).unlink(missing_ok=True)
    with suppress(OSError):  # perhaps the disk is what failed
        write_file(staging, REASON, (masked(reason) + "\n").encode("utf-8", "backslashreplace"))
    return staging.rename(failed)


def failures(reports: Path) -> list[Failure]:
    """The runs that left a ``.failed-*`` folder, in the order of their instants."""
    found = []
    for folder in reports.iterdir():
        told = _FAILED.fullmatch(folder.name)
        try:
            instant = datetime.strptime(told[1], "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC) if told else None
        except ValueError:  # not a date of the calendar
            continue
        if told and instant:
            found.append(Failure(folder, told[2], instant, _reason(folder)))
    return sorted(found, key=lambda one: (one.instant, one.path.name))


def _reason(folder: Path) -> str:
    try:
        return " ".join(read_plain(folder / REASON)[:LONGEST_REASON].decode("utf-8", "replace").split())
    except OSError:
        return ""
