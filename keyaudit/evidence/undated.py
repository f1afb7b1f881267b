"""Evidence of reports that do not tell when AWS generated them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from keyaudit.captured.layout import CAPTURE_FILE
from keyaudit.evidence.contents import RAW
from keyaudit.files import read_plain, why


@dataclass(frozen=True)
class Undated:
    """``digests``: of those reports in a folder of evidence that, by its captures, do not tell when they were
    generated. ``unread``: what could not be read there, and why."""

    digests: frozenset[str]
    unread: tuple[str, ...]


def undated(folder: Path) -> Undated:
    """The reports without a time of their own in a folder of evidence."""
    digests, unread = set(), []
    try:
        accounts = sorted((folder / RAW).iterdir())
    except OSError as error:
        return Undated(frozenset(), (why(error),))
    for place in accounts:
        try:
            told = json.loads(read_plain(place / CAPTURE_FILE))
            name = told.get("file")
            if isinstance(name, str) and name == Path(name).name and not told.get("generated_time"):
                digests.add(hashlib.sha256(read_plain(place / name)).hexdigest())
        except PermissionError as error:
            unread.append(why(error))
        except (OSError, ValueError, AttributeError, RecursionError):
            continue  # verify will say so
    return Undated(frozenset(digests), tuple(unread))


def digests_of(folder: Path) -> frozenset[str]:
    """Of those reports; what cannot be read is left out."""
    return undated(folder).digests
