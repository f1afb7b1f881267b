"""The PDF of evidence, read back with pypdf: made as PDF/A-3a, nothing cut, what it carries, the same bytes again."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from handing import pdf_of
from pypdf import PdfReader

from keyaudit.evidence.exports import prove
from keyaudit.export import enclosed
from keyaudit.export.enclosed import ALWAYS, MOST_BYTES, WHOLE, NotOursError, packed, refuse_large, unpacked
from keyaudit.model import Proved, SealedFile
from keyaudit.schema import InputError

SAMPLE = next((Path(__file__).parents[2] / "reports" / "sample").glob("*-sample"))
#: of an A4 sheet, in points: where the text ends at the right
RIGHT = 595.3 - 13 * 72 / 25.4


@pytest.fixture(scope="module")
def proved() -> Proved:
    return prove(SAMPLE, is_whole=True)


@pytest.fixture(scope="module")
def content(proved) -> bytes:
    made = pdf_of(proved)
    assert isinstance(made.content, bytes)
    # no font lacks a letter, Hangul included
    assert len(made.remarks) == 1 and "raw credential reports included" in made.remarks[0]
    return made.content


@pytest.fixture(scope="module")
def document(content) -> PdfReader:
    return PdfReader(io.BytesIO(content), strict=True)


@pytest.fixture(scope="module")
def wide(proved) -> PdfReader:
    """A page with long names in all its tables, and with what is to fetch or attach something."""
    page = proved.contents["report.html"].decode()
    page = page.replace(">123456789012</td>", ">123456789012 (Production Payments Europe West)</td>")
    for name in ("iot-gateway", "backup-restore", "kenji", "fax-gateway"):
        page = page.replace(f">{name}<", f">{name}-{'x' * 64}<")
    page = page.replace("tmp-migration", "이주-임시")
    page = page.replace(
        "</main>", '<a rel="attachment" href="data:text/plain,more">more</a><img src="file:///etc/hostname"></main>'
    )
    made = pdf_of(replace(proved, contents={**proved.contents, "report.html": page.encode()}, is_whole=False))
    assert made.remarks == ()
    return PdfReader(io.BytesIO(made.content), strict=True)


def text_of(document: PdfReader, number: int) -> str:
    return " ".join(document.pages[number].extract_text().split())


def test_it_is_made_as_pdf_a_3a(document):
    root = document.trailer["/Root"]
    (intent,) = root["/OutputIntents"]
    assert intent.get_object()["/S"] == "/GTS_PDFA1"
    metadata = root["/Metadata"].get_object().get_data().decode()
    assert 'pdfaid:part="3"' in metadata and 'pdfaid:conformance="A"' in metadata
    assert root["/MarkInfo"]["/Marked"] and "/StructTreeRoot" in root and root["/Lang"] == "en"
    assert document.metadata is not None and document.metadata.title.startswith("SAMPLE DATA - Access key rotation")
    assert "/Encrypt" not in document.trailer and not {"/OpenAction", "/AA", "/AcroForm"} & {*root}


def test_what_is_attached_is_what_was_sealed_each_once_with_its_type(document, proved):
    root = document.trailer["/Root"]
    names = root["/Names"]["/EmbeddedFiles"]["/Names"]
    assert names[::2] == sorted([*ALWAYS, WHOLE])
    assert [one.get_object() for one in names[1::2]] == [one.get_object() for one in root["/AF"]]
    found = {str(name): one.get_object() for name, one in zip(names[::2], names[1::2], strict=True)}
    for name, one in found.items():
        kind, relation = enclosed.KINDS[name]
        stream = one["/EF"]["/F"].get_object()
        assert (stream["/Subtype"], one["/AFRelationship"]) == (f"/{kind}", f"/{relation}")
        assert stream["/Params"]["/CreationDate"] == stream["/Params"]["/ModDate"] == "D:20261123080000Z"
        if name != WHOLE:
            assert stream.get_data() == (SAMPLE / name).read_bytes()
    name, files = unpacked(found[WHOLE]["/EF"]["/F"].get_object().get_data())
    assert name == SAMPLE.name
    assert files == {
        path.relative_to(SAMPLE).as_posix(): path.read_bytes() for path in SAMPLE.rglob("*") if path.is_file()
    }


def test_page_1_has_the_answer_the_seal_how_to_verify_and_what_travels_with_it(document, proved):
    text = text_of(document, 0)
    assert "NON_COMPLIANT: 8 of 28 active access keys in 1 account were not rotated within their limit" in text
    assert f"keyaudit verify {SAMPLE.name}.pdf" in text
    assert proved.sha256 in text.replace(" ", "")
    assert f"raw credential reports included ({WHOLE})" in text


def test_it_has_bookmarks_page_numbers_its_title_and_its_seal_on_each_page(document, proved):
    number = len(document.pages)
    assert 5 < number < 15
    assert [one.title for one in document.outline if not isinstance(one, list)] == [
        "Are the access keys rotated in time?"
    ]
    assert "Keys to act on" in str(document.outline)
    for at in range(number):
        text = text_of(document, at)
        assert f"{at + 1} / {number}" in text and "SAMPLE DATA - Access key rotation" in text
        assert f"SHA256SUMS {proved.sha256}" in text


def test_the_headings_of_a_long_table_are_on_each_of_its_pages(document):
    assert all("What to do" in text_of(document, at) for at in (0, 1))


def test_fonts_are_embedded_hangul_too(document):
    fonts = {}
    for page in document.pages:
        for one in page["/Resources"]["/Font"].values():
            inner = one.get_object()["/DescendantFonts"][0].get_object()
            fonts[str(inner["/BaseFont"])] = inner["/FontDescriptor"].get_object()
    assert fonts and all({"/FontFile", "/FontFile2", "/FontFile3"} & {*one} for one in fonts.values())
    assert any("암호키 관리" in text_of(document, at) for at in range(len(document.pages)))


def test_nothing_leaves_the_sheet_at_the_right_however_long_names_are(wide):
    streams = b"".join(page["/Contents"].get_object().get_data() for page in wide.pages)
    begin = [float(one) * 0.75 for one in re.findall(rb"1 0 0 -1 ([\d.]+) [\d.]+ Tm", streams)]
    assert len(begin) > 500 and max(begin) < RIGHT
    assert any("x" * 64 in "".join(text_of(wide, at).split()) for at in range(len(wide.pages)))


def test_a_page_attaches_and_fetches_nothing(wide):
    names = wide.trailer["/Root"]["/Names"]["/EmbeddedFiles"]["/Names"]
    assert names[::2] == sorted(ALWAYS)
    assert not any(one.get_object().get("/FS") for page in wide.pages for one in page.get("/Annots", []))
    assert "The raw evidence is not in this file" in text_of(wide, 0)


def test_a_letter_that_no_font_has_is_said(proved):
    page = {"report.html": "<p>이주 \u2fe0</p>".encode()}
    made = pdf_of(replace(proved, contents={**proved.contents, **page}, is_whole=False))
    (remark,) = made.remarks
    assert remark.startswith("no font of this system has \u2fe0 (U+2FE0): install one (Debian: fonts-noto-cjk")


@pytest.mark.sampled(0)  # by day test_pdf_verify makes a document again and compares: for a nightly run
def test_it_is_the_same_bytes_again(content, proved):
    assert pdf_of(proved).content == content


FILES = {"a.csv": b"1", "raw/1/b.json": b"2"}


def other(files: dict[str, bytes], compression: int = zipfile.ZIP_STORED, comment: bytes = b"") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        for name, each in files.items():
            archive.writestr(zipfile.ZipInfo(name, enclosed.DATE), each, compression)
        archive.comment = comment
    return made.getvalue()


def test_a_folder_is_packed_and_unpacked():
    assert unpacked(packed("folder", FILES)) == ("folder", FILES)
    assert packed("folder", FILES) == packed("folder", dict(reversed(FILES.items())))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        packed("folder", FILES) + b"more",
        packed("..", FILES),
        packed("folder", {"../a": b""}),
        packed("folder", {"a/../../b": b""}),
        packed("folder", {"/a": b""}),
        packed("folder", {"a\\b": b""}),
        packed("folder", {}),
        other({"a.csv": b"1"}),
        other({"folder/a": b"1", "other/b": b"2"}),
        other({"folder/a": b"\0" * 10_000_000}, zipfile.ZIP_DEFLATED),
        other({"folder/a": b"1"}, comment=b"more"),
        packed("folder", {"a": b"1", "b": b"2"}).replace(b"folder/b", b"folder/a"),
        re.sub(rb"(PK\x01\x02.{16}).{8}", lambda found: found[1] + b"\xff\xff\xff\x7f" * 2, packed("folder", FILES), flags=re.DOTALL),
    ],
)  # fmt: skip
def test_what_is_not_packed_by_keyaudit_is_not_unpacked(content):
    with pytest.raises(NotOursError):
        unpacked(content)


def test_what_is_too_large_is_refused_before_it_is_read_with_the_remedy(proved):
    with pytest.raises(InputError, match="archive the evidence folder itself"):
        refuse_large([SealedFile("raw/a", MOST_BYTES, ""), SealedFile("raw/b", 1, "")])
    large = replace(proved, contents={**proved.contents, "findings.csv": bytes(MOST_BYTES + 1)}, is_whole=False)
    with pytest.raises(
        InputError, match=r"findings\.csv has 100,000,001 bytes.*archive the evidence folder itself"
    ):
        pdf_of(large)
