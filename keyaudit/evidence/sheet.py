"""What surrounds a page: its title, and its style sheet (which has the title for the head of each printed
sheet)."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime

from keyaudit import resources
from keyaudit.texts import say, utc, visible

TEMPLATE = "keyaudit"
TITLE = "{{title}}"


def style_of(title: str) -> tuple[str, str]:
    """The style sheet of pages with this title, and its hash as a Content-Security-Policy names it."""
    style = resources.data("templates", TEMPLATE, "style.css").read_text(encoding="utf-8")
    style = style.replace(TITLE, css_text(title))
    return style, csp_hash(style)


def csp_hash(style: str) -> str:
    """The hash of a style sheet as a Content-Security-Policy names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode('ascii')}"


def css_text(text: str) -> str:
    """Text for a CSS string: whatever is not plain is escaped."""
    return "".join(c if c.isalnum() or c in " .,:()-_/" else f"\\{ord(c):x} " for c in text)


def title_of(accounts: list[str], as_of: datetime, is_sample: bool) -> str:
    """The title of a page about these accounts."""
    whose = accounts[0] if len(accounts) == 1 else say("count.accounts", n=len(accounts))
    title = say("page.title", whose=whose, as_of=utc(as_of))
    return say("page.sample", title=title) if is_sample else title


def foreign_of(notebook: str, sha256: str) -> str:
    """What a page says first if a notebook made it that is not keyaudit's."""
    return say("page.foreign", notebook=visible(notebook), sha256=sha256)
