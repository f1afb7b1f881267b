"""An evidence folder -> what is wrong with it: its seal is checked, and the verdict is reached again from the raw
evidence. That verdict is also what notebook and page must say, in the language of the evidence.

Imports neither papermill nor nbconvert, so a year of folders is verified in seconds. Pictures are not proved here:
they are sealed, but not drawn again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from keyaudit.evidence.contents import MANIFEST, Manifest, language_of
from keyaudit.evidence.verify.judged import data_again, judge_again
from keyaudit.evidence.verify.sealed import check
from keyaudit.files import unreadable, why
from keyaudit.model import Audit, Population
from keyaudit.schema import InputError, KeyAuditError, NewerError
from keyaudit.texts import languages, say, spoken

__all__ = ["Verified", "proved", "verify"]


@dataclass(frozen=True)
class Verified:
    """What was found in an evidence folder. Without ``faults``, all holds, and the rest is known: the manifest, the
    bytes that were hashed of all but the raw evidence, and what was judged again, and how. A remark is not a fault:
    another version of keyaudit made the folder, so sentences may differ; today's rules give other verdicts; or a
    notebook made the page that is not keyaudit's own."""

    faults: list[str]
    remarks: list[str] = field(default_factory=list)
    manifest: Manifest | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    audit: Audit | None = None
    population: Population | None = None


def verify(folder: Path, data_alone: bool = False) -> tuple[list[str], list[str]]:
    """(faults, remarks) of a finished evidence folder; see ``proved``."""
    found = proved(folder, data_alone)
    return found.faults, found.remarks


def proved(folder: Path, data_alone: bool = False) -> Verified:
    """What a finished evidence folder proves. ``data_alone``: without what notebook and page say, which takes most
    of the time.

    InputError if there is no such folder, NewerError if only a later version of keyaudit can verify it.
    """
    try:
        is_there = folder.is_dir()
    except OSError as error:
        raise InputError(unreadable(folder, error)) from None
    if not is_there:
        raise InputError(f"{folder}: no such evidence folder")
    try:
        found = check(folder)
        if found.faults or found.manifest is None:
            return Verified(found.faults)
        own = language_of(found.manifest)
        if own not in languages():
            return Verified([say("verify.unknown_language", manifest=MANIFEST)])
        with spoken(own):
            again = (data_again if data_alone else judge_again)(folder, found.manifest, found.files)
        return Verified(again.faults, again.remarks, found.manifest, found.files, again.audit, again.population)
    except OSError as error:
        return Verified([say("verify.unreadable", why=why(error))])
    except NewerError:
        raise
    except KeyAuditError as error:
        return Verified([f"cannot be judged again: {error}"])
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, LookupError) as error:
        return Verified([f"{MANIFEST}: not as keyaudit writes it ({type(error).__name__})"])
