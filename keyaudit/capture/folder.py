"""A capture folder: begun, resumed, finished. ``accounts.json`` says what was asked for and what is to be read.

The folder of an account appears by one rename, so a run that is killed loses at most the accounts that it was just
reading. The same command reads the accounts that are missing.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from keyaudit.capture.options import Request
from keyaudit.capture.target import UNKNOWN, Target, is_complete
from keyaudit.captured.layout import ACCOUNTS_FILE
from keyaudit.files import json_bytes, make_folder, unreadable, why, write_file
from keyaudit.schema import InputError

LOCK = ".lock"


def choose(request: Request, facts: dict[str, Any]) -> Path:
    """The folder that was named, or a dated one, or the one that the same command left unfinished."""
    if request.folder:
        return request.folder
    asked = facts["asked"]
    whose = (facts["expected"] or [UNKNOWN])[0] if asked["what"] == "account" else asked["what"]
    names = sorted(request.parent.glob(f"*-{whose}"), reverse=True)
    former = _facts(names[0]) if names and not request.fresh else None
    if former and not former.get("finished_time") and former.get("asked") == asked:
        return names[0]
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    number, name = 1, f"{stamp}-{whose}"
    while (request.parent / name).exists():
        number += 1
        name = f"{stamp}.{number}-{whose}"
    return request.parent / name


def refuse_foreign(folder: Path) -> None:
    """InputError if something other than a capture is in the way; the raw evidence of a report is not a capture."""
    try:
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder}: is a file; name a folder")
        present = [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []
    except OSError as error:
        raise InputError(unreadable(folder, error)) from None
    former = _facts(folder)
    if present and (former is None or "asked" not in former or "read_time" in former):
        raise InputError(f"{folder}: holds something that is not a capture; name an empty folder")


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Make the folder, and hold it for this run alone. InputError if that is impossible."""
    from filelock import FileLock, Timeout

    try:
        make_folder(folder)
        with FileLock(folder / LOCK, timeout=0, mode=0o600):
            yield
    except Timeout:
        raise InputError(f"{folder}: another capture is writing there; wait, or name another folder") from None
    except (NotADirectoryError, FileExistsError, PermissionError) as error:
        raise InputError(f"{folder}: cannot write a capture there ({why(error)})") from None


def resume(folder: Path, request: Request, todo: list[Target]) -> list[Target]:
    """The accounts that remain to be read. InputError if the folder holds a capture of something else."""
    present = [path for path in folder.iterdir() if path.name != LOCK]
    former = _facts(folder)
    if former and not request.fresh and former.get("asked") != request.asked():
        raise InputError(f"{folder}: holds a capture of something else; name another folder, or give --fresh")
    if request.fresh:
        for path in present:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        return todo
    for path in present:
        if path.name.startswith(".staging-"):
            shutil.rmtree(path)
    remaining = [one for one in todo if not is_complete(folder / (one.account_id or UNKNOWN), request.options)]
    if former and former.get("finished_time") and not remaining and not former.get("problems"):
        raise InputError(
            f"{folder}: a capture finished at {former['finished_time']}, with nothing missing; "
            "name another folder for a new one, or give --fresh"
        )
    return remaining


def _facts(folder: Path) -> dict[str, Any] | None:
    try:
        facts = json.loads((folder / ACCOUNTS_FILE).read_bytes())
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def write_facts(folder: Path, facts: dict[str, Any]) -> None:
    new = folder / f".{ACCOUNTS_FILE}"
    new.unlink(missing_ok=True)
    write_file(folder, new.name, json_bytes(facts))
    new.replace(folder / ACCOUNTS_FILE)
