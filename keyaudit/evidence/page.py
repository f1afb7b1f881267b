"""An executed notebook -> one self-contained HTML page, by nbconvert and a template of our own.

The page makes no request to anywhere, has nothing to click open, and has no clock, path or duration in it: the same
judgement gives the same bytes. What a cell printed on stderr (interpreter warnings) is not part of a report.
"""

from __future__ import annotations

from typing import Any

from keyaudit import __version__, resources
from keyaudit.evidence.sheet import TEMPLATE, style_of
from keyaudit.texts import language, say


def render(executed: Any, title: str, notice: str = "") -> bytes:
    """The page of an executed notebook, in UTF-8; ``notice`` stands before everything that the notebook says."""
    from nbconvert.exporters.templateexporter import TemplateExporter

    # not HTMLExporter, which parses the finished page and writes it again for features that this page does not have
    exporter = TemplateExporter(
        template_name=TEMPLATE,
        template_file="index.html.j2",
        extra_template_basedirs=[str(resources.data("templates"))],
        filters={"prose": _prose},
        default_preprocessors=[],
    )
    style, style_hash = style_of(title)
    facts = {
        "title": title,
        "notice": notice,
        "lang": language(),
        "style": style,
        "style_hash": style_hash,
        "footer": say("page.footer", version=__version__),
    }
    page, _ = exporter.from_notebook_node(executed, resources={"keyaudit": facts})
    return str(page).encode()


def _prose(markdown: str) -> str:
    """The HTML of a markdown cell, its headings without links."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    return str(MarkdownWithMath(renderer=IPythonRenderer(escape=True, exclude_anchor_links=True)).render(markdown))
