"""The page of evidence -> a PDF, made as PDF/A-3a, that carries data and seal with it. The only module that imports
weasyprint, which the extra pdf brings."""

from __future__ import annotations

import hashlib
import logging
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import weasyprint
from weasyprint.text.ffi import pango

from keyaudit import __version__, resources
from keyaudit.export.enclosed import KINDS, MADE_WITH, WHOLE, enclosed
from keyaudit.export.formats import Made
from keyaudit.model import Proved
from keyaudit.texts import listed, say, visible

VARIANT = "pdf/a-3a"
#: the file of the page in evidence
PAGE = "report.html"
#: the libraries whose versions decide the bytes, beside the fonts
LIBRARIES = ("weasyprint", "pydyf", "fonttools", "pillow", "tinycss2")
#: characters of a cell that has its line to itself
BRIEF = 6
#: a long word, and where it may be broken: an instant between day and time, others after a mark
_LONG = re.compile(r"\S{17,}")
_PIECE = re.compile(r"\d{4}-\d\d-\d\d(?=T\d)|T\d\d:[\d:.]+Z|.{1,15}[-_.@/:,]|.{1,14}", re.ASCII)
#: characters without a glyph that are named
MOST_NAMED = 10


def made(proved: Proved) -> Made:
    """The page as a PDF with what is enclosed: the same bytes from the same evidence, versions and fonts.
    InputError if a file is too large to be enclosed."""
    files = enclosed(proved)
    with _without_glyph() as lacking:
        document = _laid_out(proved, files)
        content = document.write_pdf(
            pdf_variant=VARIANT,
            pdf_identifier=proved.sha256,
            attachments=list(_attachments(files, proved.audit.as_of)),
            finisher=_finish,
        )
    named = ", ".join(f"{one} (U+{ord(one):04X})" for one in sorted(lacking)[:MOST_NAMED])
    remarks = [say("pdf.no_glyph", n=len(lacking), named=named)] if lacking else []
    return Made(content, (*([say("pdf.whole_inside", file=WHOLE)] if proved.is_whole else []), *remarks))


def _laid_out(proved: Proved, files: Mapping[str, bytes]) -> Any:
    # what somebody's own page asks for elsewhere is left out, as a browser does by its Content-Security-Policy
    fetcher = weasyprint.urls.URLFetcher(allowed_protocols={"data"}, allow_redirects=False)
    html = weasyprint.HTML(string=proved.contents[PAGE].decode(), url_fetcher=fetcher)
    _add(html.etree_element, proved, list(files))
    document = html.render()
    facts = document.metadata
    facts.generator = f"keyaudit/{__version__}"
    facts.created = facts.modified = proved.audit.as_of.strftime("%Y-%m-%dT%H:%M:%SZ")
    return document


def _add(root: Element, proved: Proved, names: list[str]) -> None:
    """What the page does not say of itself: the seal, what is enclosed, how to verify; and how it lies on paper."""
    for element in root.iter():
        element.attrib.pop("rel", None)  # no link of the page becomes a file of the PDF
        if element.tag in ("td", "th"):
            _fit(element)
    style = resources.data("templates", "keyaudit", "pdf.css").read_text(encoding="utf-8")
    SubElement(_first(root, "head"), "style").text = style.replace("<<seal>>", proved.sha256)
    block = Element("div", {"class": "enclosed"})
    lines = [
        say("pdf.seal", name=visible(proved.name), sha256=proved.sha256),
        say("pdf.enclosed", files=listed("words", names)),
        say("pdf.verify_whole" if proved.is_whole else "pdf.verify", name=visible(proved.name)),
    ]
    for one in lines:
        SubElement(block, "p").text = one
    if proved.is_whole:
        SubElement(SubElement(block, "p"), "b").text = say("pdf.whole", file=WHOLE)
    main = _first(root, "main")
    main.insert(next((at + 1 for at, one in enumerate(main) if one.tag == "h1"), 0), block)


def _fit(cell: Element) -> None:
    """A cell that never makes its table wider than the sheet: a long word may be broken, a brief text is not."""
    text = cell.text or ""
    if cell.get("class") == "whole" and len(text) <= BRIEF:
        cell.set("class", "brief")
    first, *others = _LONG.sub(lambda word: "\0".join(_PIECE.findall(word[0])), text).split("\0")
    if others and not len(cell):
        cell.text = first
        for piece in others:
            SubElement(cell, "wbr").tail = piece


def _first(root: Element, tag: str) -> Element:
    """The element of that name, or else the body: the page of a notebook of one's own may be anything."""
    found = root.find(f".//{tag}")
    body = root.find(".//body")
    return found if found is not None else body if body is not None else root


def _attachments(files: Mapping[str, bytes], at: datetime) -> Iterator[Any]:
    for name, content in files.items():
        yield weasyprint.Attachment(
            string=content,
            name=name,
            description=say(f"pdf.file.{name.partition('.')[0].lower()}"),
            created=at,
            modified=at,
            relationship=KINDS[name][1],
        )


def _finish(document: Any, pdf: Any) -> None:
    """What WeasyPrint leaves open: types that this system's lists do not decide, a list of files without doubles,
    and with what the document was made."""
    for one in [each for each in pdf.objects if isinstance(each, dict) and each.get("Type") == "/Filespec"]:
        name = one["UF"].string
        stream = pdf.objects[int(one["EF"]["F"].split()[0])]
        stream.extra["Subtype"] = f"/{KINDS[name][0].replace('/', '#2f')}"
    listed_files = pdf.catalog["AF"]
    pdf.catalog["AF"] = type(listed_files)(dict.fromkeys(listed_files))
    pdf.info[MADE_WITH] = weasyprint.pdf.pydyf.String(_made_with(document))


def _made_with(document: Any) -> str:
    """Everything that decides the bytes besides the evidence: where it is the same, so are they."""
    fonts = hashlib.sha256()
    for name, font in sorted(document.fonts.items()):
        fonts.update(f"{name}={len(font.file_content)};".encode() + font.file_content)
    versions = {"keyaudit": __version__, **{one: version(one) for one in LIBRARIES}}
    versions |= {
        "pango": str(pango.pango_version()),
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
        "fonts": fonts.hexdigest()[:32],
    }
    return ";".join(f"{name}={number}" for name, number in versions.items())


@contextmanager
def _without_glyph() -> Iterator[set[str]]:
    """The characters that no installed font has, as WeasyPrint's log tells of them."""
    found: set[str] = set()

    class Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.msg.startswith(".notdef") and isinstance(record.args, tuple):
                found.add(str(record.args[0]))

    handler = Heard()
    log = logging.getLogger("weasyprint")
    log.addHandler(handler)
    try:
        yield found
    finally:
        log.removeHandler(handler)
