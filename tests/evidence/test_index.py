"""The overview of a reports folder: made anew by each run, whole, and no evidence itself."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import chromium
from conftest import ACCOUNT, FRESH, OLD, report, write
from evidence_helpers import failing, keyaudit, made, manifest, refused, report_on, seal_again, verified

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


def test_a_number_of_overdue_keys_that_the_evidence_does_not_give_is_found(reports: Path) -> None:
    (folder,) = reports.iterdir()
    assert verified(folder)[0] == 0
    seal_again(folder, overdue=0)
    code, told = verified(folder)
    assert code == 1 and "overdue is not what the evidence gives" in told


def test_a_page_that_cannot_be_written_does_not_fail_the_evidence(tmp_path: Path) -> None:
    write(tmp_path, "report.csv", report(("bob", OLD)))
    (tmp_path / "reports" / "index.html").mkdir(parents=True)
    done = keyaudit(*report_on(tmp_path / "reports", tmp_path / "report.csv"))
    assert done.returncode == 1 and Path(done.stdout.decode().strip()).is_dir()
    assert b"index.html in " in done.stderr and b"Traceback" not in done.stderr
    assert not list((tmp_path / "reports").glob(".index-*"))


def test_the_page_in_a_browser(reports: Path) -> None:
    """Accessible, silent, and its links lead to the reports; a hostile name stays text."""
    (folder,) = reports.iterdir()
    hostile = reports / f"2026-11-24T000000Z-a#b %20?<b>-{ACCOUNT}"
    shutil.copytree(folder, hostile)
    seal_again(hostile, notebook={"name": "<script>document.title='owned'</script>", "sha256": ""})
    asked: list[str] = []
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1100, "height": 900})
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
