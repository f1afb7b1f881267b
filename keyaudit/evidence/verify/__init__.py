"""An evidence folder -> what is wrong with it: its seal is checked, and the verdict is reached again from the raw
evidence. That verdict is also what notebook and page must say, in the language of the evidence.

Imports neither papermill nor nbconvert, so a year of folders is verified in seconds. Pictures are not proved here:
they are sealed, but not drawn again.
"""

from __future__ import annotations

from pathlib import Path

from keyaudit.evidence.contents import MANIFEST, language_of
from keyaudit.evidence.verify.judged import data_again, judge_again
from keyaudit.evidence.verify.sealed import check
from keyaudit.files import unreadable, why
from keyaudit.schema import InputError, KeyAuditError, NewerError
from keyaudit.texts import languages, say, spoken

__all__ = ["verify"]


def verify(folder: Path, data_alone: bool = False) -> tuple[list[str], list[str]]:
    """(faults, remarks) of a finished evidence folder; without a fault, all holds. A remark is not a fault: another
    version of keyaudit made the folder, so sentences may differ; today's rules give other verdicts; or a notebook
    made the page that is not keyaudit's own. ``data_alone``: without what notebook and page say, which takes most
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
            return found.faults, []
        own = language_of(found.manifest)
        if own not in languages():
            return [say("verify.unknown_language", manifest=MANIFEST)], []
        with spoken(own):
            if data_alone:
                return data_again(folder, found.manifest, found.files)[0], []
            return judge_again(folder, found.manifest, found.files)
    except OSError as error:
        return [say("verify.unreadable", why=why(error))], []
    except NewerError:
        raise
    except KeyAuditError as error:
        return [f"cannot be judged again: {error}"], []
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, LookupError) as error:
        return [f"{MANIFEST}: not as keyaudit writes it ({type(error).__name__})"], []
