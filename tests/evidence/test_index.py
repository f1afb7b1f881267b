"""The overview of a reports folder: made anew by each run, whole, and no evidence itself."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import chromium
from conftest import ACCOUNT, FRESH, IS_NIGHTLY, OLD, OTHER, report, write
from evidence_helpers import failing, keyaudit, made, manifest, refused, report_on, seal_again, verified
from playwright.sync_api import Browser

from keyaudit.evidence.index import rebuild, render


@pytest.fixture
def reports(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder of evidence that fails by one key, in a reports folder of a name that must be escaped in links."""
    evidence = failing(tmp_path_factory)
    shutil.copytree(evidence, tmp_path / "all reports" / evidence.name)
    return tmp_path / "all reports"


def test_each_run_makes_it_anew(tmp_path: Path) -> None:
    write(tmp_path, "report.csv", report(("alice", FRESH), ("bob", OLD), ("eve", OLD)))
    folder = made(*report_on(tmp_path / "reports", tmp_path / "report.csv"), code=1)
    page = (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    assert page.count(f'href="{folder.name}/report.html"') == 2  # the latest, and all
    assert f'<td class="whole">{ACCOUNT}</td>' in page and '<td class="number">2</td>' in page
    assert manifest(folder)["overdue"] == 2
    second = made(*report_on(tmp_path / "reports", tmp_path / "report.csv"), code=1)
    page = (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    assert page.count(f'href="{folder.name}/report.html"') == 1
    assert page.count(f'href="{second.name}/report.html"') == 2
    assert "All evidence, 2 folders" in page


def test_a_scheduled_run_that_fails_is_on_it(tmp_path: Path) -> None:
    asked = ["report", tmp_path / "none.csv", "--every", "week", "-o", tmp_path / "reports"]
    refused(keyaudit(*asked), 2)
    page = (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    assert "none.csv: no such file or folder" in page


def test_what_cannot_be_read_is_on_it(reports: Path) -> None:
    (damaged,) = reports.iterdir()
    (damaged / "manifest.json").write_text("{", encoding="utf-8")
    page = render(reports).decode()
    assert damaged.name in page and "manifest cannot be read" in page


def test_evidence_of_older_versions_tells_no_number(reports: Path) -> None:
    (folder,) = reports.iterdir()
    facts = manifest(folder)
    del facts["overdue"]
    (folder / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")
    assert render(reports).decode().count('<td class="number">–</td>') == 2


def test_a_number_that_the_evidence_does_not_give_is_found(reports: Path) -> None:
    (folder,) = reports.iterdir()
    assert verified(folder)[0] == 0
    assert manifest(folder)["incomplete"] == 0
    seal_again(folder, overdue=0, incomplete=1)
    code, told = verified(folder)
    assert code == 1 and "overdue is not what the evidence gives" in told
    assert "incomplete is not what the evidence gives" in told


@pytest.mark.parametrize("number", [-1, 10**400, "5", True, 1.5])
def test_a_number_that_cannot_be_one_is_not_drawn(reports: Path, number: object) -> None:
    """Its manifest is damaged, which is said, and stops the page of the others as little."""
    (folder,) = reports.iterdir()
    (folder / "manifest.json").write_text(json.dumps(manifest(folder) | {"overdue": number}), encoding="utf-8")
    page = render(reports).decode()
    assert "manifest cannot be read" in page and "<svg" not in page


def test_what_does_not_look_finished_is_on_it_and_first_of_all_that_there_is_such(reports: Path) -> None:
    (folder,) = reports.iterdir()
    (folder / "SHA256SUMS").unlink()
    page = render(reports).decode()
    assert folder.name in page and "has no SHA256SUMS: it is not finished" in page
    assert page.index("1 run left no evidence, or its folder") < page.index("The latest conclusion")


def test_a_folder_under_another_name_is_on_it(reports: Path) -> None:
    (folder,) = reports.iterdir()
    other = folder.rename(reports / folder.name.replace("11-23", "11-24"))
    page = render(reports).decode()
    assert f"was sealed as {folder.name}: a folder keeps its name" in page
    assert page.count(f'href="{other.name}/report.html"') == 2


def test_a_page_that_cannot_be_written_does_not_fail_the_evidence(tmp_path: Path) -> None:
    write(tmp_path, "report.csv", report(("bob", OLD)))
    (tmp_path / "reports" / "index.html").mkdir(parents=True)
    done = keyaudit(*report_on(tmp_path / "reports", tmp_path / "report.csv"))
    assert done.returncode == 1 and Path(done.stdout.decode().strip()).is_dir()
    assert b"index.html in " in done.stderr and b"Traceback" not in done.stderr
    assert not list((tmp_path / "reports").glob(".index-*"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def test_the_page_in_a_browser(reports: Path, browser: Browser) -> None:
    """Accessible, silent, and its links lead to the reports; a hostile name stays text."""
    (folder,) = reports.iterdir()
    hostile = reports / f"2026-11-24T000000Z-a#b %20?<b>-{ACCOUNT}"
    shutil.copytree(folder, hostile)
    seal_again(hostile, notebook={"name": "<script>document.title='owned'</script>", "sha256": ""})
    asked: list[str] = []
    with browser.new_page(viewport={"width": 1100, "height": 900}) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.goto(rebuild(reports).as_uri())
        assert page.title() == "Evidence of access key rotation"
        assert len(asked) == 1
        assert Axe().run(page).violations_count == 0
        links = page.locator("table").nth(1).locator("a")
        assert links.count() == 2
        for number in range(2):
            links.nth(number).click()
            assert re.search("as of 2026-11-23", page.title())
            page.go_back()


def test_no_number_is_told_where_it_is_not_known(tmp_path: Path) -> None:
    """Nothing was seen to be overdue, and evidence is missing; or no period is defined."""
    write(tmp_path, "report.csv", report())
    write(tmp_path, "none.toml", "title = 'no period'\nmax_active_keys = 1\n")
    for policy, code, number in (("cis", 0, 0), ("", 3, None), (tmp_path / "none.toml", 1, None)):
        folder = made(*report_on(tmp_path / "reports", tmp_path / "report.csv", policy=policy), code=code)
        assert manifest(folder)["overdue"] == number
        assert verified(folder)[0] == 0


class Year:
    """A reports folder of many: each has the policy of one and its manifest with other facts, which is all that the
    overview reads."""

    def __init__(self, folder: Path, evidence: Path) -> None:
        self.folder, self.evidence = folder, evidence

    def add(self, as_of: str, account: str = ACCOUNT, **facts: object) -> None:
        told = {
            "as_of": as_of,
            "sealed_at": as_of,
            "accounts": {"expected": [account], "read": [account], "failed": []},
        }
        told |= {"name": f"{as_of.replace(':', '')}-key_rotation-{account}", **facts}
        place = self.folder / str(told["name"])
        place.mkdir(parents=True)
        shutil.copy(self.evidence / "policy.toml", place)
        write(place, "manifest.json", json.dumps(manifest(self.evidence) | told))
        write(place, "SHA256SUMS", "0  manifest.json\n")

    def charts(self) -> list[tuple[str, str]]:
        """Title and description of each chart."""
        page = render(self.folder).decode()
        return re.findall(r"<title id=[^>]*>(.*?)</title><desc[^>]*>(.*?)</desc>", page)


@pytest.fixture
def year(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Year:
    return Year(tmp_path / "reports", failing(tmp_path_factory))


def test_the_latest_of_each_is_first_by_what_fails(year: Year) -> None:
    year.add("2026-01-01T00:00:00Z", "100000000001", conclusion="NON_COMPLIANT", overdue=9)
    year.add("2026-02-01T00:00:00Z", "100000000001", conclusion="COMPLIANT", overdue=0)
    year.add("2026-02-01T00:00:00Z", "100000000002", conclusion="NON_COMPLIANT", overdue=1)
    year.add("2026-01-01T00:00:00Z", "100000000003", conclusion="NON_COMPLIANT", overdue=2)
    year.add("2026-01-01T00:00:00Z", "100000000004", conclusion="INSUFFICIENT_DATA", overdue=None)
    year.add("2026-03-01T00:00:00Z", "100000000005", conclusion="NON_COMPLIANT", overdue=7, sample=True)
    latest, _, rest = render(year.folder).decode().partition('id="all"')
    rows = re.findall(r'<td class="(?:whole)?">(\d{12})</td>.*?<td class="verdict\d">([A-Z_]+)</td>', latest)
    assert rows == [
        ("100000000003", "NON_COMPLIANT"), ("100000000002", "NON_COMPLIANT"),
        ("100000000004", "INSUFFICIENT_DATA"), ("100000000001", "COMPLIANT"),
    ]  # fmt: skip
    assert latest.rindex("SAMPLE DATA: NON_COMPLIANT") > latest.index("100000000001</td>")
    assert [as_of[:10] for as_of in re.findall(r"<td class=\"whole\"><a [^>]*>([^<]*)</a>", rest)] == [
        "2026-03-01", "2026-02-01", "2026-02-01", "2026-01-01", "2026-01-01", "2026-01-01",
    ]  # fmt: skip


def test_the_charts_say_in_words_what_they_show(year: Year) -> None:
    year.add("2026-01-01T00:00:00Z", overdue=4, incomplete=0)
    year.add("2026-02-01T00:00:00Z", overdue=None, conclusion="INSUFFICIENT_DATA", incomplete=1)
    policy = {"name": "policy.toml", "given": True, "sha256": "f" * 64}
    year.add("2026-03-01T00:00:00Z", overdue=1, incomplete=0, policy=policy)
    year.add("2026-04-01T00:00:00Z", overdue=99, sample=True, name="of a sample")
    year.add("2026-01-01T00:00:00Z", OTHER, overdue=None, incomplete=None)
    many, one = year.charts()
    assert many == (
        f"{ACCOUNT}, key_rotation, policy.toml: overdue keys and incomplete accounts by date",
        "3 dates from 2026-01-01T00:00:00Z to 2026-03-01T00:00:00Z. Overdue keys: 4 at first, 1 at last, at most 4, "
        "at least 1; not known at 1 of the dates. Incomplete accounts: 0 at first, 0 at last, at most 1, at least 0; "
        "not known at 0 of the dates. The policy changed once.",
    )
    assert one[1] == (
        "At 2026-01-01T00:00:00Z: the number of overdue keys is not known; the number of incomplete accounts is not "
        "known."
    )
    page = render(year.folder).decode()
    assert page.count('class="unknown"') == 3 and page.count('class="change"') == 2


def test_of_one_instant_what_was_sealed_last_counts(year: Year) -> None:
    as_of = "2026-01-01T00:00:00Z"
    year.add(as_of, overdue=4, name="first", sealed_at="2026-01-02T00:00:00Z")
    year.add(as_of, overdue=3, name="second", sealed_at="2026-01-03T00:00:00Z")
    ((_, desc),) = year.charts()
    assert desc == f"At {as_of}: 3 overdue keys; 0 incomplete accounts."


def test_older_evidence_of_several_accounts_tells_no_number_of_incomplete_ones(year: Year) -> None:
    accounts = {"expected": [ACCOUNT, OTHER], "read": [ACCOUNT, OTHER], "failed": []}
    year.add("2026-01-01T00:00:00Z", accounts=accounts)
    (place,) = year.folder.iterdir()
    facts = manifest(place)
    del facts["incomplete"]
    write(place, "manifest.json", json.dumps(facts))
    ((_, desc),) = year.charts()
    assert "the number of incomplete accounts is not known" in desc


def test_choosing_an_account_and_a_conclusion_with_many_accounts(year: Year, browser: Browser) -> None:
    """By the style sheet alone; nothing of it scrolls sideways on a phone, or is printed."""
    accounts = 40 if IS_NIGHTLY else 8  # axe looks at each row
    for number in range(accounts):
        for month in (1, 2):
            kind = ("COMPLIANT", "NON_COMPLIANT", "INSUFFICIENT_DATA")[(number + month) % 3]
            account = f"{100000000000 + number}"
            year.add(
                f"2026-0{month}-01T00:00:00Z", account, conclusion=kind, overdue=number if "NON" in kind else 0
            )
    with browser.new_page(viewport={"width": 390, "height": 800}) as page:
        page.goto(rebuild(year.folder).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert Axe().run(page).violations_count == 0
        shown = page.locator("#all tbody tr:visible")
        assert (shown.count(), page.locator("figure:visible").count()) == (2 * accounts, 4)
        page.get_by_label("100000000007", exact=True).check()
        assert (shown.count(), page.locator("figure:visible").count()) == (2, 1)
        page.get_by_label("COMPLIANT", exact=True).check()
        (row,) = shown.all_inner_texts()
        assert "2026-02-01" in row
        assert page.locator("p.chosen:visible").count() == 1
        page.emulate_media(media="print")
        assert page.locator(".choices:visible").count() == 0
