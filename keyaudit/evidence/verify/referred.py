"""Evidence of a period that refers to raw evidence elsewhere: brought together for as long as it is verified."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keyaudit.evidence import copies, seal
from keyaudit.evidence.contents import MANIFEST, PERIOD, RAW, SUMS
from keyaudit.evidence.verify import ElsewhereError
from keyaudit.files import is_plain, read_plain, walk


@contextmanager
def copies_in(folder: Path, series: Path | None) -> Iterator[Path]:
    """The folder of its copies: its own, or a temporary one with what is in a reports folder besides.
    ElsewhereError if the evidence refers to a reports folder and none is given, or one that has nothing of it:
    that is a mistake in the command, and says nothing against the evidence."""
    raw = folder / RAW
    if not copies.known_of(raw).by_reference:
        yield raw
        return
    if series is None:
        raise ElsewhereError(
            f"{folder}: holds its evidence by reference; name the reports folder that has it with --series"
        )
    with tempfile.TemporaryDirectory(prefix="keyaudit-") as place:
        whole = Path(place) / RAW
        _lay_out(raw, whole)
        if not _bring(whole, series):
            raise ElsewhereError(
                f"--series {series}: has none of the evidence that {folder} refers to; name the reports folder "
                "that it was made from, or a copy of it"
            )
        yield whole


def _lay_out(raw: Path, whole: Path) -> None:
    for path in walk(raw):
        _put(whole / path.relative_to(raw), read_plain(path))


def _bring(whole: Path, series: Path) -> bool:
    """The raw evidence of each folder, from the one in the reports folder that has the same seal; whether there is
    any such folder. Of what is not there, the raw evidence is found to be missing."""
    by_seal = {seal.digest_of(one): one for one in seal.finished(series) if is_plain(one / MANIFEST)}
    is_any = False
    for place in sorted(one for one in whole.iterdir() if one.name != PERIOD):
        source = by_seal.get(seal.digest(read_plain(place / SUMS)))
        is_any = is_any or source is not None
        for path in walk(source / RAW) if source else ():
            _put(place / path.relative_to(source or path), read_plain(path))
    return is_any


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
