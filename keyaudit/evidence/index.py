"""``reports/index.html``: all evidence of a reports folder by date, account and conclusion, from the manifests.

The page is not evidence and is not sealed: each run makes it anew, and the page says so. It makes no request to
anywhere,
and its links are relative, so that it works from a file share.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from itertools import starmap
from pathlib import Path
from typing import Any
from urllib.parse import quote

from keyaudit import __version__, resources
from keyaudit.evidence import seal
from keyaudit.evidence.contents import PAGE
from keyaudit.evidence.failed import Failure, failures
from keyaudit.evidence.ledger import Entry, entries
from keyaudit.evidence.sheet import TEMPLATE, style_of
from keyaudit.files import write_file
from keyaudit.policy import label_of
from keyaudit.present import Accounts, in_accounts
from keyaudit.texts import language, say, utc, visible

INDEX = "index.html"


def rebuild(reports: Path) -> Path:
    """Write the page anew, by one rename, under the lock of the reports folder. OSError if it cannot be written,
    filelock.Timeout if another run holds the lock for too long."""
    from filelock import FileLock

    staged = reports / f".index-{secrets.token_hex(6)}"
    with FileLock(reports / seal.LOCK, timeout=seal.LOCK_TIMEOUT, mode=0o600):
        try:
            write_file(reports, staged.name, render(reports))
            staged.replace(reports / INDEX)
        finally:
            with suppress(FileNotFoundError):
                staged.unlink()
    return reports / INDEX


def render(reports: Path) -> bytes:
    """The page, UTF-8; the newest evidence first."""
    import jinja2

    found, unreadable = entries(reports)
    newest = sorted(found, key=lambda one: (one.as_of, one.sealed, one.path.name), reverse=True)
    latest = {(one.subject, one.policy): one for one in reversed(newest)}
    title = say("index.title")
    style, style_hash = style_of(title)
    loader = jinja2.FileSystemLoader(str(resources.data("templates", TEMPLATE)))
    template = jinja2.Environment(loader=loader, autoescape=True).get_template("reports.html.j2")
    columns = say("index.columns").split("|")
    page = template.render(
        lang=language(),
        title=title,
        intro=say("index.intro"),
        nothing=say("table.none"),
        footer=say("index.footer", version=__version__),
        style=style,
        style_hash=style_hash,
        numeric={name.strip("#") for name in columns if name.startswith("#")},
        sections=[
            _section("latest", "columns", [_row(latest[whose]) for whose in sorted(latest)]),
            _section("all", "columns", [_row(one) for one in newest]),
            _section(
                "failed",
                "failed_columns",
                [*starmap(_unreadable, unreadable.items()), *map(_failed, failures(reports))],
            ),
        ],
    )
    return page.encode()


def _section(name: str, columns: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    headings = [heading.strip("#") for heading in say(f"index.{columns}").split("|")]
    return {"title": say(f"index.{name}", n=len(rows)), "columns": headings, "rows": rows}


def _row(one: Entry) -> dict[str, Any]:
    whose = one.accounts[0] if len(one.accounts) == 1 else say("count.accounts", n=len(one.accounts))
    if one.failed:
        whose = in_accounts(Accounts(len(one.accounts), len(one.accounts) - one.failed))
    conclusion = say("index.sample", conclusion=one.conclusion) if one.is_sample else one.conclusion
    overdue = "–" if one.overdue is None else f"{one.overdue:,}"
    cells = [
        utc(one.as_of),
        whose,
        one.notebook,
        label_of(one.policy),
        conclusion,
        overdue,
        utc(one.sealed),
        one.sha256[:8],
    ]
    return {"link": f"{quote(os.fsencode(one.path.name))}/{PAGE}", "cells": [visible(cell) for cell in cells]}


def _failed(one: Failure) -> dict[str, Any]:
    cells = [utc(one.instant), one.subject, one.reason or say("series.no_reason")]
    return {"link": "", "cells": [visible(cell) for cell in cells]}


def _unreadable(folder: Path, why: str) -> dict[str, Any]:
    reason = say("index.no_access", why=why) if why else say("index.unreadable")
    return {"link": "", "cells": [visible(cell) for cell in ("–", folder.name, reason)]}
