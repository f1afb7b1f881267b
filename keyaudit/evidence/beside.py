"""What is made of evidence, beside it: a file, or a folder of files; private, whole or not at all, never over
something else."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from keyaudit.files import held, is_plain, make_staging, read_plain, sweep, why, write_file
from keyaudit.schema import EvidenceError, InputError


def place(path: Path, content: bytes | Mapping[str, bytes]) -> None:
    """Put a file, or a folder of files by their names, where nothing is yet. What is there already, and is exactly
    the same, stays as it is. InputError if it is something else; EvidenceError if it cannot be written."""
    try:
        if not _is_there(path, content):
            _write(path, content)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            raise InputError(
                f"{path}: holds something else than what this evidence gives; remove it, or name another folder "
                "with -o"
            ) from None
        raise EvidenceError(f"{path}: cannot be written ({why(error)})") from None
    except InputError as error:  # from staging
        raise EvidenceError(str(error)) from None


def _is_there(path: Path, content: bytes | Mapping[str, bytes]) -> bool:
    """Whether exactly that is there; FileExistsError if it is something else."""
    if not os.path.lexists(path):
        return False
    if isinstance(content, bytes):
        is_same = is_plain(path) and read_plain(path) == content
    else:
        names = {one.name for one in path.iterdir()} if path.is_dir() and not path.is_symlink() else set()
        is_same = names == content.keys() and all(
            is_plain(path / name) and read_plain(path / name) == each for name, each in content.items()
        )
    if not is_same:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    return True


def _write(path: Path, content: bytes | Mapping[str, bytes]) -> None:
    staging = make_staging(path.parent)
    try:
        with held(staging):
            sweep(path.parent)
            files = (
                {path.name: content}
                if isinstance(content, bytes)
                else {f"{path.name}/{name}": each for name, each in content.items()}
            )
            for name, each in files.items():
                write_file(staging, name, each)
            _appear(staging / path.name, path)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _appear(staged: Path, path: Path) -> None:
    """Give it its name, and replace nothing."""
    if staged.is_file():
        try:
            os.link(staged, path)
            return
        except FileExistsError:
            raise
        except OSError:  # a file system that has no hard links
            if os.path.lexists(path):
                raise
    staged.rename(path)  # a folder is never put in the place of one that holds anything
