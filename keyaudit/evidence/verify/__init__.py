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
from keyaudit.evidence.verify.judged import Again, data_again, judge_again
from keyaudit.evidence.verify.sealed import Sealed, check
from keyaudit.files import unreadable, why
from keyaudit.schema import InputError, KeyAuditError, NewerError
from keyaudit.texts import languages, say, spoken

__all__ = ["ElsewhereError", "Verified", "proved", "verify"]


class ElsewhereError(InputError):
    """Evidence of a period refers to a reports folder, which is not given."""


@dataclass(frozen=True)
class Verified(Again):
    """What was found in an evidence folder. Without ``faults``, all holds, and the rest is known: what was judged
    again, and how, the manifest, and the bytes that were hashed of all but the raw evidence. A remark is not a
    fault: another version of keyaudit made the folder, so sentences may differ; today's rules give other verdicts;
    or a notebook made the page that is not keyaudit's own."""

    manifest: Manifest | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)


def verify(folder: Path, data_alone: bool = False, series: Path | None = None) -> tuple[list[str], list[str]]:
    """(faults, remarks) of a finished evidence folder; see ``proved``."""
    found = proved(folder, data_alone, series)
    return found.faults, found.remarks


def proved(folder: Path, data_alone: bool = False, series: Path | None = None) -> Verified:
    """What a finished evidence folder proves. ``data_alone``: without what notebook and page say, which takes most
    of the time; ``series``: the reports folder that evidence of a period refers to.

    InputError if there is no such folder, ElsewhereError if evidence of a period refers to one that is not given,
    NewerError if only a later version of keyaudit can verify it.
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
            again = _again(folder, found, data_alone, series)
        return Verified(
            again.faults, again.remarks, again.audit, again.population, manifest=found.manifest, files=found.files
        )
    except OSError as error:
        return Verified([say("verify.unreadable", why=why(error))])
    except (NewerError, ElsewhereError):
        raise
    except KeyAuditError as error:
        return Verified([f"cannot be judged again: {error}"])
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, LookupError) as error:
        return Verified([f"{MANIFEST}: not as keyaudit writes it ({type(error).__name__})"])


def _again(folder: Path, found: Sealed, data_alone: bool, series: Path | None) -> Again:
    assert found.manifest is not None
    if "period" in found.manifest:
        from keyaudit.evidence.verify.over_time import period_again
        from keyaudit.evidence.verify.referred import copies_in

        with copies_in(folder, series) as raw:
            return period_again(folder, found.manifest, found.files, raw)
    return (data_again if data_alone else judge_again)(folder, found.manifest, found.files)
