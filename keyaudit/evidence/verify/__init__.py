"""An evidence folder -> what is wrong with it: its seal, and the same verdict reached again from its raw evidence,
which is also what notebook and page must say, in the language of the evidence.

Imports neither papermill nor nbconvert: a year of folders is verified in seconds. What is not proved here are the
pictures: they are sealed, not drawn again.
"""

from __future__ import annotations

from pathlib import Path

from keyaudit.evidence.contents import MANIFEST, language_of
from keyaudit.evidence.verify.judged import judge_again
from keyaudit.evidence.verify.sealed import check
from keyaudit.files import why
from keyaudit.schema import InputError, KeyAuditError, NewerError
from keyaudit.texts import languages, say, spoken

__all__ = ["verify"]


def verify(folder: Path) -> tuple[list[str], list[str]]:
    """(faults, remarks) of a finished evidence folder; no fault: all holds. A remark is no fault: another version
    of keyaudit made it, so that sentences may differ, today's rules give other verdicts, or it was not keyaudit's
    own notebook that made its page.

    InputError if there is no such folder, NewerError if it takes a later version of keyaudit to verify it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such evidence folder")
    try:
        found = check(folder)
        if found.faults or found.manifest is None:
            return found.faults, []
        own = language_of(found.manifest)
        if own not in languages():
            return [say("verify.unknown_language", manifest=MANIFEST)], []
        with spoken(own):
            return judge_again(folder, found.manifest, found.files)
    except OSError as error:
        return [say("verify.unreadable", why=why(error))], []
    except NewerError:
        raise
    except KeyAuditError as error:
        return [f"cannot be judged again: {error}"], []
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, LookupError) as error:
        return [f"{MANIFEST}: not as keyaudit writes it ({type(error).__name__})"], []
