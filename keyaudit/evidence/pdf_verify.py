"""A PDF of evidence -> what is wrong with it: its attachments are checked against their seal; where the whole
evidence is attached, it is verified as a folder is, and the document is made of it again."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from keyaudit.evidence import seal
from keyaudit.evidence.contents import MANIFEST, SUMS, Manifest, language_of
from keyaudit.evidence.exports import BrokenError, prove
from keyaudit.evidence.verify.sealed import changed
from keyaudit.export.enclosed import ALWAYS, WHOLE, NotOursError, unpacked
from keyaudit.export.formats import FORMATS, library_missing
from keyaudit.files import json_bytes, read_plain, unreadable
from keyaudit.model import Proved
from keyaudit.parcel import lay_out
from keyaudit.schema import COMPLIANT, INSUFFICIENT_DATA, NON_COMPLIANT, InputError
from keyaudit.texts import language, languages, say, spoken

if TYPE_CHECKING:
    from keyaudit.export.pdf_read import Opened

#: (faults, remarks), as ``verify`` gives them
Found = tuple[list[str], list[str]]
START = b"%PDF-"
#: how a bottom line begins; of words that end alike the longest comes first
_CONCLUSION = re.compile(
    f"({'|'.join(sorted((COMPLIANT, NON_COMPLIANT, INSUFFICIENT_DATA), key=len, reverse=True))}):"
)
FORM = next(one for one in FORMATS if one.id == "pdf")


def verify_pdf(path: Path, asked: Callable[[Path], Found] | None = None) -> Found:
    """(faults, remarks) of a PDF that ``export -f pdf`` made; a remark is not a fault, but says how far the proof
    goes. ``asked``: what else is to be compared of a folder that verifies.

    InputError for a file that is no PDF or none of keyaudit's, or if the extra pdf is not installed; NewerError if
    only a later version can verify it.
    """
    try:
        content = read_plain(path.resolve())
    except OSError as error:
        raise InputError(unreadable(path, error)) from None
    if not content.startswith(START):
        raise InputError(
            f"{path}: neither a folder nor a PDF; name an evidence folder, or a PDF that was made of one"
        )
    found = _opened(content)
    if not found.is_ours and not found.faults:
        raise InputError(f"{path}: carries no evidence: not a PDF that keyaudit export made")
    if found.faults:
        return found.faults, []
    manifest, faults = _sealed(found, path)
    if manifest is None or faults:
        return faults, []
    with spoken(language_of(manifest) if language_of(manifest) in languages() else language()):
        if WHOLE not in found.files:
            return [], [say("pdf.only_seal")]
        return _with_evidence(content, found, path, asked)


def _opened(content: bytes) -> Opened:
    try:
        from keyaudit.export.pdf_read import opened
    except ImportError as error:
        if error.name != "pypdf":
            raise
        raise library_missing(FORM, "pypdf") from None
    return opened(content)


def _sealed(found: Opened, path: Path) -> tuple[Manifest | None, list[str]]:
    """The manifest, and every way in which what is attached differs from it."""
    content = found.files[MANIFEST]
    try:
        manifest: Manifest = json.loads(content)
        seal.refuse_newer(manifest, path)
        listed = {str(one["path"]): one for one in manifest["files"]}
        is_sealed = found.files[SUMS] == seal.sums_bytes(content) and json_bytes(manifest) == content
        language_of(manifest).encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None, [say("pdf.no_manifest", manifest=MANIFEST)]
    faults = [] if is_sealed else [say("pdf.other_sums", sums=SUMS, manifest=MANIFEST)]
    for name in sorted(ALWAYS.keys() - {MANIFEST, SUMS}):
        if name not in listed or changed(found.files[name], name, listed[name]):
            faults.append(say("pdf.unsealed", name=name, manifest=MANIFEST))
    digest = seal.digest(found.files[SUMS])
    if digest not in found.first_page:
        faults.append(say("pdf.page_seal", sha256=digest))
    if says_otherwise(found.first_page, str(manifest["conclusion"])):
        faults.append(say("pdf.page_conclusion", manifest=MANIFEST))
    return manifest, faults


def says_otherwise(page: str, conclusion: str) -> bool:
    """Whether the first conclusion that a page states (without spaces) is another one."""
    first = _CONCLUSION.search(page)
    return first is not None and first[1] != conclusion


def _with_evidence(content: bytes, found: Opened, path: Path, asked: Callable[[Path], Found] | None) -> Found:
    try:
        name, files = unpacked(found.files[WHOLE])
    except NotOursError:
        return [say("pdf.not_packed", file=WHOLE)], []
    if any(files.get(one) != found.files[one] for one in ALWAYS):
        return [say("pdf.other_evidence", file=WHOLE, name=MANIFEST)], []
    with tempfile.TemporaryDirectory(prefix="keyaudit-") as scratch:
        folder = Path(scratch) / name
        try:
            lay_out(folder, files)
            proved = prove(folder, is_whole=True)
            seen = asked(folder) if asked else ([], [say("verify.pictures")])
        except BrokenError as error:
            return [one.replace(str(folder), f"{path}: {WHOLE}") for one in error.faults], []
        except OSError:  # names that this system does not take, or a file where a folder is to be
            return [say("pdf.not_packed", file=WHOLE)], []
    faults, remarks = _again(content, found, proved)
    return [*seen[0], *faults], [*proved.remarks, *seen[1], *remarks]


def _again(content: bytes, found: Opened, proved: Proved) -> Found:
    """The document made again: equal bytes, or a fault where it was made with the same versions and fonts."""
    try:
        again = FORM.load()(proved).content
    except InputError as error:
        return [], [say("pdf.no_maker", why=str(error))]
    assert isinstance(again, bytes)
    if again == content:
        return [], [say("pdf.own")]
    if _opened(again).made_with == found.made_with:
        return [say("pdf.other")], []
    return [], [say("pdf.not_made_again")]
