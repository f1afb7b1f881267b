"""The page in a real browser: accessible, silent, printable."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import chromium
from conftest import IS_NIGHTLY
from evidence_helpers import WHOLE, made, report_on
from make_reports import AS_OF, report
from playwright.sync_api import Page
from pypdf import PdfReader

from keyaudit import resources

#: tables that are printed, and the rows of each: more than those of a table that is kept on one sheet
TABLES, FULL_TABLE = 40 if IS_NIGHTLY else 20, 10
#: users of the account whose page is opened: all tables of a page begin on the first sheets
USERS = 400 if IS_NIGHTLY else 120
HOSTILE = '<script>document.title="owned"</script><img src=x onerror=alert(1)>'


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evidence of some hundred users in one account, one with a hostile name."""
    folder = tmp_path_factory.mktemp("page")
    source = folder / "report.csv"
    name = HOSTILE.replace('"', '""')
    text = report("123456789012", USERS).replace("user-00007,", f'"{name}",', 1)
    source.write_text(text, encoding="utf-8")
    return made(*report_on(folder / "reports", source, as_of=AS_OF.isoformat(), options=WHOLE), code=1)


@pytest.fixture(scope="module")
def page(evidence: Path) -> Iterator[tuple[Page, list[str], list[str]]]:
    """The page, opened; the requests that it made; what its console said."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1100, "height": 1400})
        requests: list[str] = []
        said: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto((evidence / "report.html").as_uri())
        yield page, requests, said


def test_it_makes_no_request_and_its_console_is_silent(page: tuple[Page, list[str], list[str]]) -> None:
    _, requests, said = page
    assert [url for url in requests if not url.startswith("data:")] == requests[:1]
    assert requests[0].startswith("file://")
    assert said == []


def test_axe_finds_no_violation(page: tuple[Page, list[str], list[str]]) -> None:
    found = Axe().run(page[0])
    assert found.violations_count == 0, found.generate_report()


def test_markup_in_a_name_stays_text(page: tuple[Page, list[str], list[str]], evidence: Path) -> None:
    assert page[0].title().startswith("Access key rotation, 123456789012")
    assert page[0].locator("script").count() == 0
    assert "<script>" not in (evidence / "report.html").read_text(encoding="utf-8")


def test_structure_one_h1_headings_in_order_captions_and_scopes(page: tuple[Page, list[str], list[str]]) -> None:
    document = page[0]
    levels = [
        int(name[1]) for name in document.eval_on_selector_all("h1,h2,h3,h4", "all => all.map(e => e.tagName)")
    ]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert document.locator("table").count() == document.locator("table > caption").count() > 5
    assert document.locator("thead th:not([scope=col]), tbody th:not([scope=row])").count() == 0
    assert document.evaluate("document.documentElement.lang") == "en"
    # of what can be clicked, the page has the links to its own parts
    headings = document.eval_on_selector_all("h2", "all => all.map(e => [`#${e.id}`, e.textContent])")
    links = document.eval_on_selector_all("nav a", "all => all.map(e => [e.getAttribute('href'), e.textContent])")
    assert links == headings and len(links) > 5
    assert document.locator("main a, footer a, button, details, summary, input, select").count() == 0


def test_every_chart_has_an_alternative_text_that_says_what_it_shows(
    page: tuple[Page, list[str], list[str]],
) -> None:
    texts = page[0].eval_on_selector_all("img", "all => all.map(e => e.alt)")
    assert len(texts) == 3
    assert all(len(text) > 60 and re.search(r"\d", text) for text in texts)


def test_the_policy_of_the_page_forbids_everything_but_its_own_pictures_and_style(evidence: Path) -> None:
    text = (evidence / "report.html").read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert " style=" not in text


def test_it_prints_with_page_numbers_repeated_headers_and_nothing_cut(
    page: tuple[Page, list[str], list[str]],
) -> None:
    document = PdfReader(io.BytesIO(page[0].pdf(prefer_css_page_size=True, print_background=True)))
    texts = [sheet.extract_text() for sheet in document.pages]
    total = len(texts)
    assert total >= 5
    for number, text in enumerate(texts, 1):
        assert f"{number} / {total}" in text
    assert "NON_COMPLIANT" in texts[0], "the bottom line is not on the first page"
    # a line that ends after a hyphen of a date
    assert [found for text in texts for found in re.findall(r"[0-9]{4}-(?:[0-9]{2}-)?\n", text)] == []
    # nothing is wider than the paper: at the printed width no element overflows
    page[0].emulate_media(media="print")
    page[0].set_viewport_size({"width": 688, "height": 972})  # A4 less its margins, at 96 dpi
    wide = page[0].evaluate(
        "[...document.querySelectorAll('table,img,pre,.verdict')]"
        ".filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 200))"
    )
    page[0].emulate_media(media="screen")
    page[0].set_viewport_size({"width": 1100, "height": 1400})
    assert wide == []
    style = page[0].evaluate("getComputedStyle(document.querySelector('thead')).display")
    assert style == "table-header-group"


def tables_of(n: int) -> str:
    """Tables of ten rows, each under a heading and a sentence of its own, at another height of the sheet."""
    rows = [
        "".join(f"<tr><td>row {at}.{place}.</td></tr>" for place in range(FULL_TABLE)) for at in map(str, range(n))
    ]
    return "".join(
        f'<p>before</p><p class="gap-{at}"></p><h2>Part {at}.</h2><p>Intro {at}.</p><div class="output"><table>'
        f"<caption>Caption {at}.</caption><thead><tr><th>Head</th></tr></thead><tbody>{row}</tbody></table></div>"
        for at, row in enumerate(rows)
    )


def test_no_table_is_parted_from_its_heading_and_no_row_stands_alone_on_a_sheet(
    page: tuple[Page, list[str], list[str]],
) -> None:
    style = resources.data("templates", "keyaudit", "style.css").read_text(encoding="utf-8")
    gaps = "".join(f".gap-{at} {{ height: {at * 7}px }}" for at in range(TABLES))
    browser = page[0].context.browser
    assert browser is not None
    printed = browser.new_page()
    printed.set_content(f"<!doctype html><style>{style}{gaps}</style>{tables_of(TABLES)}")
    whole = PdfReader(io.BytesIO(printed.pdf(prefer_css_page_size=True)))
    printed.close()
    sheets = [sheet.extract_text() for sheet in whole.pages]

    def on(words: str) -> int:
        (found,) = [number for number, text in enumerate(sheets) if words in text]
        return found

    for at in range(TABLES):
        rows = [on(f"row {at}.{place}.") for place in range(FULL_TABLE)]
        assert on(f"Part {at}.") == on(f"Intro {at}.") == on(f"Caption {at}.") == rows[0] == rows[1], at
        assert rows[-2] == rows[-1], at
