"""``keyaudit verify FILE.pdf``: what is proved and what is not; whatever is changed in the file is found."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import ACCOUNT
from evidence_helpers import BRIEFLY, FAILING, failing, keyaudit, leftovers, once, refused, report_on, write
from evidence_helpers import made as made_by
from handing import pdf_of
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, TextStringObject

from keyaudit.evidence.exports import prove
from keyaudit.evidence.pdf_verify import says_otherwise, verify_pdf
from keyaudit.export.enclosed import ALWAYS, MOST_BYTES, WHOLE, packed, unpacked
from keyaudit.schema import InputError

ONLY_SEAL, NOT_PROVED = "ONLY THE SEAL IS PROVED", "PAGES NOT PROVED"
#: what a process executes first so that it has no pypdf, or that weasyprint finds no library of the system
WITHOUT = "import sys\nsys.modules['pypdf'] = None\n"
WITHOUT_PANGO = "import cffi\ndef none(*_):\n    raise OSError('cannot load library')\ncffi.FFI.dlopen = none\n"


@dataclass(frozen=True)
class Made:
    """Evidence, a PDF of it with the data alone, and one with the whole evidence."""

    evidence: Path
    plain: Path
    whole: Path


def evidence_of(folder: Path) -> Path:
    return folder / "reports" / f"{BRIEFLY}-{ACCOUNT}"


def make(folder: Path) -> None:
    """Of evidence with a page of the bottom line alone, which is laid out and changed in a fifth of the time; that of
    keyaudit's own notebook is in the test of what is made again, and in tests/export."""
    write(folder, "report.csv", FAILING)
    made_by(*report_on(folder / "reports", folder / "report.csv"), code=1)
    for name, options in (("plain", []), ("whole", ["--with-evidence"])):
        done = keyaudit("export", evidence_of(folder), "-f", "pdf", "-o", folder / name, *options)
        assert done.returncode == 0, done.stderr.decode()
        assert (b"raw credential reports included" in done.stderr) == bool(options)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Made:
    folder = once(tmp_path_factory, "pdf", make)
    evidence = evidence_of(folder)
    return Made(evidence, *(folder / name / f"{evidence.name}.pdf" for name in ("plain", "whole")))


def changed(pdf: Path, folder: Path, change: Callable[[PdfWriter], object]) -> Path:
    """A copy of the PDF, changed."""
    writer = PdfWriter(clone_from=pdf)
    change(writer)
    path = folder / "changed.pdf"
    writer.write(path)
    return path


def names_of(writer: PdfWriter) -> ArrayObject:
    return writer.root_object["/Names"]["/EmbeddedFiles"]["/Names"]


def replace(writer: PdfWriter, name: str, content: bytes) -> None:
    """Give an attachment other bytes, as somebody would who knows the format."""
    names = names_of(writer)
    names[names.index(name) + 1].get_object()["/EF"]["/F"].get_object().set_data(content)


def leave_out(writer: PdfWriter, name: str) -> None:
    names = names_of(writer)
    at = names.index(name)
    del names[at : at + 2]
    writer.root_object[NameObject("/AF")] = ArrayObject(names[1::2])


def twice(writer: PdfWriter, name: str) -> None:
    names = names_of(writer)
    names.extend(names[names.index(name) : names.index(name) + 2])


def beside(writer: PdfWriter, _: str) -> None:
    """A file that hangs on a page, and is in no list."""
    note = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Annot"),
            NameObject("/Subtype"): NameObject("/FileAttachment"),
            NameObject("/FS"): DictionaryObject({NameObject("/UF"): TextStringObject("more.txt")}),
        }
    )
    writer.pages[-1][NameObject("/Annots")] = ArrayObject([writer._add_object(note)])


def write_on_page(writer: PdfWriter, _: str) -> None:
    contents = writer.pages[0]["/Contents"].get_object()
    contents.set_data(contents.get_data() + b"\n1 1 1 rg 40 500 400 90 re f\n")


def test_the_whole_evidence_is_verified_and_the_document_made_again(made, tmp_path, tmp_path_factory):
    ours = pdf_of(prove(failing(tmp_path_factory), is_whole=True))
    for path in (made.whole, write(tmp_path, "ours.pdf", ours.content)):
        faults, remarks = verify_pdf(path)
        assert faults == []
        assert remarks[-1] == "the PDF, made again: the same, byte for byte"
        assert not any(one.startswith((ONLY_SEAL, NOT_PROVED)) for one in remarks)


def test_without_the_evidence_it_says_what_is_not_proved(made):
    faults, (remark,) = verify_pdf(made.plain)
    assert faults == [] and remark.startswith(f"{ONLY_SEAL}: findings.csv and summary.json are as SHA256SUMS")
    assert "neither the verdict nor what the pages say was reached again" in remark


def test_pdfs_and_folders_are_verified_together(made, tmp_path):
    broken = changed(made.plain, tmp_path, lambda one: replace(one, "findings.csv", b"none"))
    done = keyaudit("verify", made.plain, made.evidence, broken, made.whole)
    lines = done.stdout.decode().splitlines()
    assert [one for one in lines if not one.startswith(" ")] == [
        f"OK  {made.plain}", f"OK  {made.evidence}", f"WRONG  {broken}", f"OK  {made.whole}",
    ]  # fmt: skip
    assert done.returncode == 1


@pytest.mark.parametrize("name", sorted(ALWAYS))
def test_an_attachment_that_was_changed_or_taken_out_is_found(made, tmp_path, name):
    def change(writer: PdfWriter) -> None:
        replace(writer, name, (made.evidence / name).read_bytes() + b"\n")

    faults, _ = verify_pdf(changed(made.plain, tmp_path, change))
    assert faults and all("SHA256SUMS" in one or name in one or "page 1" in one for one in faults)
    faults, _ = verify_pdf(changed(made.plain, tmp_path, lambda one: leave_out(one, name)))
    assert faults == [f"{name}: is not attached"]


@pytest.mark.parametrize(
    ("change", "name", "fault"),
    [
        (lambda one, name: one.add_attachment(name, b"more"), "more.txt", "more.txt: is attached, and keyaudit"),
        (lambda one, name: one.add_attachment(name, b"more"), "../more", "../more: is attached, and keyaudit"),
        (beside, "more.txt", "more.txt: is attached, and keyaudit"),
        (twice, "findings.csv", "findings.csv: is attached more than once"),
        (lambda one, name: replace(one, name, bytes(MOST_BYTES + 1)), "findings.csv", "findings.csv: larger than"),
        (lambda one, _: one.encrypt("", algorithm="RC4-128"), "", "encrypted"),
    ],
)
def test_what_keyaudit_does_not_attach_is_found(made, tmp_path, change, name, fault):
    faults, remarks = verify_pdf(changed(made.plain, tmp_path, lambda one: change(one, name)))
    assert remarks == [] and len(faults) == 1 and faults[0].startswith(fault), faults


def test_attachments_of_other_evidence_are_found_however_well_they_agree(made, tmp_path, tmp_path_factory):
    other = prove(failing(tmp_path_factory), is_whole=True)

    def change(writer: PdfWriter) -> None:
        for name in ALWAYS:
            replace(writer, name, other.contents[name])

    faults, _ = verify_pdf(changed(made.plain, tmp_path, change))
    assert faults == [f"page 1: does not name the seal of what is attached ({other.sha256})"]
    bundle = packed(other.name, other.contents)
    faults, _ = verify_pdf(changed(made.whole, tmp_path, lambda one: replace(one, WHOLE, bundle)))
    assert faults == [f"{WHOLE}: holds other evidence than manifest.json is of"]


def test_a_page_that_was_changed_is_found(made, tmp_path):
    faults, _ = verify_pdf(changed(made.whole, tmp_path, lambda one: write_on_page(one, "")))
    (fault,) = faults
    assert fault.startswith("the PDF: is not, byte for byte, what this evidence gives")


@pytest.mark.parametrize(
    ("page", "conclusion", "is_other"),
    [
        ("Title NON_COMPLIANT:8of28", "NON_COMPLIANT", False),
        ("TitleCOMPLIANT:all28", "NON_COMPLIANT", True),
        ("TitleNON_COMPLIANT:8of28Rootuserkeys:COMPLIANT:", "COMPLIANT", True),
        ("of a notebook of one's own", "COMPLIANT", False),
    ],
)
def test_a_first_page_that_states_another_conclusion_is_found(page, conclusion, is_other):
    assert says_otherwise(page, conclusion) is is_other


def test_pages_made_with_other_versions_are_not_proved_and_that_is_said(made, tmp_path):
    def change(writer: PdfWriter) -> None:
        writer.add_metadata({"/MadeWith": "keyaudit=0.4.0;fonts=other"})

    faults, remarks = verify_pdf(changed(made.whole, tmp_path, change))
    assert faults == [] and remarks[-1].startswith(NOT_PROVED)


def test_raw_evidence_that_was_changed_is_found_and_nothing_stays_on_the_disk(made, tmp_path, monkeypatch):
    place = tmp_path / "scratch"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    reader = PdfReader(io.BytesIO(made.whole.read_bytes()))
    name, files = unpacked(reader.attachments[WHOLE][0])
    raw = next(one for one in files if one.endswith("credential-report.csv"))
    bundle = packed(name, {**files, raw: files[raw].replace(b"Active", b"active") + b"\n"})
    faults, _ = verify_pdf(changed(made.whole, tmp_path, lambda one: replace(one, WHOLE, bundle)))
    assert faults == [f"{raw}: changed (SHA-256 differs)"]
    faults, _ = verify_pdf(changed(made.whole, tmp_path, lambda one: replace(one, WHOLE, bundle[:-9])))
    assert faults == [f"{WHOLE}: not packed as keyaudit packs evidence, and not unpacked"]
    assert list(place.iterdir()) == []


def test_a_damaged_file_is_a_fault_and_what_is_none_of_ours_is_no_evidence(made, tmp_path):
    content = made.plain.read_bytes()
    for part in (content[: len(content) // 2], b"%PDF-1.7\n"):
        faults, _ = verify_pdf(write(tmp_path, "damaged.pdf", part))
        assert faults == ["cannot be read as a PDF: damaged, or not written by keyaudit"]
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.write(tmp_path / "none.pdf")
    with pytest.raises(InputError, match=r"none\.pdf: carries no evidence"):
        verify_pdf(tmp_path / "none.pdf")
    text = write(tmp_path, "notes.txt", "not a PDF")
    assert "neither a folder nor a PDF" in refused(keyaudit("verify", text), 2)
    assert "no such evidence folder" in refused(keyaudit("verify", tmp_path / "no.pdf"), 2)


def test_what_is_not_installed_is_named_in_one_line(made, tmp_path):
    assert 'pip install "keyaudit[pdf]"' in refused(keyaudit("verify", made.plain, first=WITHOUT), 2)
    done = keyaudit("export", made.evidence, "-f", "pdf", "-o", tmp_path, first=WITHOUT_PANGO)
    assert "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0" in refused(done, 2)
    done = keyaudit("verify", made.whole, first=WITHOUT_PANGO)
    assert done.returncode == 0 and NOT_PROVED in done.stdout.decode()
    assert list(tmp_path.iterdir()) == []


def test_the_whole_goes_into_a_pdf_alone_and_never_over_another(made, tmp_path):
    folder = Path(shutil.copytree(made.plain.parent, tmp_path / "out"))
    said = refused(keyaudit("export", made.evidence, "-f", "xlsx", "--with-evidence", "-o", folder), 2)
    assert "--with-evidence: is for -f pdf" in said
    done = keyaudit("export", made.evidence, "-f", "pdf", "--with-evidence", "-o", folder)
    assert "holds something else" in refused(done, 2) and leftovers(folder) == []
    assert keyaudit("export", made.evidence, "-f", "pdf", "-o", folder).returncode == 0
