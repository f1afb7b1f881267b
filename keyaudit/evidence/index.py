"""``reports/index.html``: what the evidence of a reports folder says by now, how that came about, and all of it;
from the manifests.

The page is not evidence and is not sealed: each run makes it anew, and the page says so. It makes no request to
anywhere and has no script: what is chosen on it is chosen by its style sheet. Its links are relative, so that it
works from a file share.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from functools import cache
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING

from keyaudit import __version__, resources
from keyaudit.evidence import seal
from keyaudit.evidence.failed import failures
from keyaudit.evidence.index_cells import (
    UNKNOWN,
    Cell,
    Row,
    headings,
    kind_of,
    link_of,
    number,
    periods,
    section,
)
from keyaudit.evidence.ledger import entries, over_time, unfinished
from keyaudit.evidence.sheet import TEMPLATE, csp_hash, css_text, style_of
from keyaudit.evidence.subjects import KINDS, in_time, subjects
from keyaudit.evidence.trend import chart
from keyaudit.files import write_file
from keyaudit.model.folders import Entry, Failure
from keyaudit.policy import label_of
from keyaudit.present import Accounts, in_accounts
from keyaudit.schema import GRADES, NOTHING_READ
from keyaudit.texts import language, say, utc, visible

if TYPE_CHECKING:
    from jinja2 import Template

INDEX = "index.html"
#: accounts and organizations that can be chosen one by one, and charts that are shown until one is chosen
MOST_WHOSE, MOST_CHARTS = 100, 4


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


@cache
def template() -> Template:
    """The page's template, compiled once in a process."""
    import jinja2

    loader = jinja2.FileSystemLoader(str(resources.data("templates", TEMPLATE)))
    return jinja2.Environment(loader=loader, autoescape=True).get_template("reports.html.j2")


def render(reports: Path) -> bytes:
    """The page, UTF-8: the latest of each subject, charts, then all evidence, the newest first."""
    found, unreadable = entries(reports)
    newest = sorted(found, key=in_time, reverse=True)
    groups = subjects(found)
    whose = {one: number for number, one in enumerate(sorted({group.whose for group in groups}), 1)}
    amiss = [
        *starmap(_unreadable, unreadable.items()),
        *map(_unfinished, unfinished(reports)),
        *(_renamed(one) for one in newest if one.sealed_as),
        *map(_failed, failures(reports)),
    ]
    of_periods = periods(over_time(reports))
    title = say("index.title")
    style = f"{style_of(title)[0]}{_style(len(whose))}"
    charts = [(whose[one.whose], chart(one)) for one in groups if one.points]
    page = template().render(
        lang=language(),
        title=title,
        say=say,
        version=__version__,
        style=style,
        style_hash=csp_hash(style),
        whose=[(number, visible(name)) for name, number in whose.items()],
        most_whose=MOST_WHOSE,
        kinds=[*enumerate(KINDS, 1)],
        charts=charts,
        most_charts=MOST_CHARTS,
        latest=section("latest", "latest_columns", [_latest(one.latest, whose) for one in groups]),
        periods=section("periods", "periods_columns", of_periods),
        all=section("all", "columns", [_row(one, whose) for one in newest]),
        failed=section("failed", "failed_columns", amiss),
    )
    return page.encode()


def _style(number: int) -> str:
    """What only this page needs: its own rules, the headings of its tables where these are cards, and a rule for
    each account that can be chosen."""
    own = resources.data("templates", TEMPLATE, "reports.css").read_text(encoding="utf-8")
    names = [
        f'#{table}>tbody>*>:nth-child({place})::before{{content:"{css_text(heading)}"}}'
        for table in ("latest", "periods", "all", "failed")
        for place, heading in enumerate(headings("columns" if table == "all" else f"{table}_columns"), 1)
    ]
    chosen = [
        f'body:has(#w{one}:checked) [data-w]:not([data-w="{one}"]){{display:none!important}}'
        for one in range(1, number + 1 if number <= MOST_WHOSE else 1)
    ]
    chosen += [
        f'body:has(#c{one}:checked) [data-c]:not([data-c="{one}"]){{display:none!important}}'
        for one in range(1, len(KINDS) + 1)
    ]
    return "".join((own, *names, *chosen))


def _whose(one: Entry) -> str:
    """The account; or the organization, with how many accounts and how many of them were not read."""
    if one.identity.whose == one.accounts[0] and len(one.accounts) == 1:
        return one.accounts[0]
    accounts = in_accounts(Accounts(len(one.accounts), len(one.accounts) - one.failed))
    return say("index.organization", whose=one.identity.whose, accounts=accounts)


def _latest(one: Entry, whose: dict[str, int]) -> Row:
    grade = say(f"assurance.{one.assurance}") if one.assurance in (*GRADES, NOTHING_READ) else one.assurance
    instant = Cell(utc(one.as_of), link_of(one.path))
    numbers = Cell(number(one.overdue)), Cell(number(one.incomplete))
    cells = Cell(_whose(one)), Cell(_notebook(one)), _verdict(one), instant, *numbers
    return _of(one, whose, *cells, Cell(grade or UNKNOWN), Cell(label_of(one.policy)))


def _row(one: Entry, whose: dict[str, int]) -> Row:
    told = Cell(_whose(one)), Cell(_notebook(one)), Cell(label_of(one.policy)), _verdict(one)
    numbers = Cell(number(one.overdue)), Cell(number(one.incomplete))
    seal_cells = Cell(utc(one.sealed)), Cell(one.sha256[:8])
    return _of(one, whose, Cell(utc(one.as_of), link_of(one.path)), *told, *numbers, *seal_cells)


def _of(one: Entry, whose: dict[str, int], *cells: Cell) -> Row:
    return Row(cells, whose[one.identity.whose], kind_of(one.conclusion))


def _verdict(one: Entry) -> Cell:
    told = say("index.sample", conclusion=one.conclusion) if one.is_sample else one.conclusion
    return Cell(told, kind=f"verdict{kind_of(one.conclusion)}")


def _notebook(one: Entry) -> str:
    return one.notebook if one.is_ours else say("index.foreign", notebook=one.notebook)


def _amiss(*cells: str) -> Row:
    return Row(tuple(map(Cell, cells)))


def _failed(one: Failure) -> Row:
    return _amiss(utc(one.instant), one.subject, one.reason or say("series.no_reason"))


def _unreadable(folder: Path, why: str) -> Row:
    return _amiss(UNKNOWN, folder.name, say("index.no_access", why=why) if why else say("index.unreadable"))


def _unfinished(folder: Path) -> Row:
    return _amiss(UNKNOWN, folder.name, say("index.unfinished"))


def _renamed(one: Entry) -> Row:
    return _amiss(utc(one.as_of), one.path.name, say("index.renamed", name=one.sealed_as))
