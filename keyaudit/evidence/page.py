"""An executed notebook -> one self-contained HTML page, by nbconvert and a template of our own.

The page makes no request to anywhere, has nothing to click open, and has no clock, path or duration in it: the same
judgement gives the same bytes. What a cell printed on stderr (interpreter warnings) is not part of a report.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from keyaudit import __version__, resources
from keyaudit.evidence.prose import is_by_hand
from keyaudit.evidence.sheet import TEMPLATE, style_of
from keyaudit.texts import language, say

if TYPE_CHECKING:
    from nbconvert.exporters.templateexporter import TemplateExporter

_HEADING = re.compile(r"<h2>(.*?)</h2>", re.DOTALL)


@cache
def exporter() -> TemplateExporter:
    """What fills the template, which is compiled once in a process: it keeps nothing of what it was given."""
    from nbconvert.exporters.templateexporter import TemplateExporter

    # not HTMLExporter, which parses the finished page and writes it again for features that this page does not have
    found = TemplateExporter(
        template_name=TEMPLATE,
        template_file="index.html.j2",
        extra_template_basedirs=[str(resources.data("templates"))],
        default_preprocessors=[],
    )
    _ = found.template
    return found


def render(executed: Any, title: str, notice: str = "") -> bytes:
    """The page of an executed notebook, in UTF-8; ``notice`` stands before everything that the notebook says."""
    cells = [cell for cell in executed.cells if not is_by_hand(cell)]
    prose, contents = _parts([cell.source for cell in cells if cell.cell_type == "markdown"])
    style, style_hash = style_of(title)
    facts = {
        "prose": prose,
        "contents": contents,
        "title": title,
        "notice": notice,
        "lang": language(),
        "contents_name": say("page.contents"),
        "style": style,
        "style_hash": style_hash,
        "footer": say("page.footer", version=__version__),
    }
    page, _ = exporter().from_notebook_node(type(executed)(executed, cells=cells), resources={"keyaudit": facts})
    return str(page).encode()


def _parts(cells: list[str]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The HTML of each markdown cell, with a mark at each heading of a part; and the marks with the headings."""
    contents: list[tuple[str, str]] = []

    def marked(heading: re.Match[str]) -> str:
        contents.append((f"part-{len(contents) + 1}", heading[1]))
        return f'<h2 id="{contents[-1][0]}">{heading[1]}</h2>'

    return {source: _HEADING.sub(marked, _prose(source)) for source in cells}, contents


def _prose(markdown: str) -> str:
    """The HTML of a markdown cell, its headings without links."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    return str(MarkdownWithMath(renderer=IPythonRenderer(escape=True, exclude_anchor_links=True)).render(markdown))
