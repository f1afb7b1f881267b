"""JupyterLab as ``keyaudit lab`` opens it: every notebook with Run All, and the explorer, in a real browser.

At nightly depth pictures are kept in ``build/screenshots``, to be looked at.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import PATIENCE, chromium
from conftest import IS_NIGHTLY
from playwright.sync_api import Locator, Page, expect

from keyaudit.cli.lab import READING_ORDER

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"
TOKEN = "keyaudit-test"
#: how many charts each workbook shows
CHARTS = {"key_rotation": 3, "explore": 1, "rotation": 0}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab on workbooks that it has put into a folder, with settings and state of its own; its address."""
    home = tmp_path_factory.mktemp("lab")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "TMPDIR": str(home / "tmp"),
    }
    (home / "tmp").mkdir()
    _leave_out_language_servers(home / "config")
    _put_evidence(home / "notebooks")
    command = [
        sys.executable, "-m", "keyaudit", "lab", "--notebooks", str(home / "notebooks"), "--no-browser", f"--port={port}",
        "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}",
    ]  # fmt: skip
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, cwd=home, start_new_session=True
        )
    try:
        _wait(f"http://127.0.0.1:{port}/api", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 15)
        process.wait(20)
        assert list((home / "tmp").glob("keyaudit-*")) == []
        # warnings and errors only
        assert "[I " not in (home / "log").read_text(encoding="utf-8")


def _leave_out_language_servers(config: Path) -> None:
    """No workbook needs one, and to look for them JupyterLab starts Node four times."""
    config.mkdir()
    told = {"ServerApp": {"jpserver_extensions": {"jupyter_lsp": False}}}
    (config / "jupyter_server_config.json").write_text(json.dumps(told), encoding="utf-8")


def _put_evidence(notebooks: Path) -> None:
    """What somebody may choose beside the workbooks, and what nobody should."""
    folder = notebooks / "audit 보고서"
    folder.mkdir(parents=True)
    for name in ("status_reports_2023-01-01T10-30-00+00-00.csv", "z.csv"):
        shutil.copy(ROOT / "tests" / "data" / "reports" / "001_file-real.csv", folder / name)
    (notebooks / "wrong.csv").write_text("no report", encoding="utf-8")
    (notebooks / "out").symlink_to(ROOT)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, "JupyterLab ended"
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail("JupyterLab did not answer within a minute")


@pytest.fixture(scope="module")
def page(lab: str) -> Iterator[Page]:
    """A page for all tests; at the end, nothing may have been asked of anybody else."""
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 1400, "height": 1300}, reduced_motion="reduce")
        context.set_default_timeout(PATIENCE)
        outside: list[str] = []
        context.on(
            "request",
            lambda r: outside.append(r.url) if not r.url.startswith((lab, "data:", "blob:", "ws:")) else None,
        )
        yield context.new_page()
        assert outside == []


def opened(page: Page, lab: str, name: str) -> Locator:
    """A notebook in front, alone or beside what is open: another start of JupyterLab would cost more than a whole
    notebook."""
    if not page.url.startswith(lab):
        page.goto(f"{lab}/lab/workspaces/hand/tree/{name}.ipynb?token={TOKEN}")
    else:
        page.locator(f'.jp-DirListing-item[title^="Name: {name}.ipynb"]').dblclick()
    expect(page.locator("#jp-main-dock-panel .lm-TabBar-tab.jp-mod-current")).to_have_text(f"{name}.ipynb")
    return page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")


def run_all(page: Page, notebook: Locator, name: str) -> None:
    """Run All Cells: every code cell done, none with an error or a warning; verdict and charts are there."""
    notebook.locator(".jp-CodeCell").first.wait_for()
    # Run All before the kernel is there would ask which kernel to take
    notebook.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for()
    page.locator("#jp-main-statusbar", has_text="| Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name=re.compile("^Run All Cells")).first.click()
    last = notebook.locator(".jp-CodeCell").last.locator(".jp-InputPrompt")
    expect(last).to_have_text(re.compile(r"\[\d+\]"), timeout=2 * PATIENCE)
    assert "*" not in "".join(notebook.locator(".jp-CodeCell .jp-InputPrompt").all_text_contents())
    for kind in ("error", "stderr"):
        found = notebook.locator(f'.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.{kind}"]')
        assert found.count() == 0, found.first.inner_text()
    notebook.locator(".verdict", has_text="SAMPLE DATA").first.wait_for(state="attached")
    charts = notebook.locator(".jp-OutputArea-output figure img")
    expect(charts).to_have_count(CHARTS[name])
    assert all(len(charts.nth(n).get_attribute("alt") or "") > 60 for n in range(min(charts.count(), 4)))
    stands_at_the_answer(notebook)
    shot(page, name)


def stands_at_the_answer(notebook: Locator) -> None:
    """The bottom line is in view, in the style of pages, and text in tables begins at the left."""
    verdict = notebook.locator(".verdict").first
    expect(verdict).to_be_in_viewport(ratio=1)
    expect(verdict).to_have_css("border-left", "16px solid rgb(164, 14, 38)")
    expect(notebook.locator(".jp-mod-active .verdict")).to_have_count(1)
    expect(notebook.locator(".jp-Notebook td:not(.number)").first).to_have_css("text-align", "left")


def shot(page: Page, name: str) -> None:
    if IS_NIGHTLY:  # each takes half a second
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png")


@pytest.mark.sampled(0)  # one more start of the whole: for a nightly run
def test_the_workbooks_are_open_in_reading_order(page: Page, lab: str) -> None:
    with page.context.new_page() as first:
        first.goto(f"{lab}/lab/workspaces/keyaudit?token={TOKEN}")
        tabs = first.locator("#jp-main-dock-panel .lm-TabBar-tabLabel")
        expect(tabs).to_have_text([f"{name}.ipynb" for name in READING_ORDER])
        first.wait_for_timeout(2000)  # long enough for news to be asked for, or about
        assert first.locator(".jp-Dialog, .jp-toast-message, .Toastify__toast").count() == 0
        shot(first, "lab")
    # the workbook of a period asks for evidence of one first
    assert {*READING_ORDER, "period"} == {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}


@pytest.mark.sampled(0)  # the explorer by day, which answers as well: the other notebooks for a nightly run
@pytest.mark.parametrize("name", sorted({*READING_ORDER} - {"explore"}))
def test_run_all_works_untouched(page: Page, lab: str, name: str) -> None:
    notebook = opened(page, lab, name)
    run_all(page, notebook, name)
    if name == "key_rotation":
        boxes = [one.bounding_box() for one in notebook.locator("ul.figures li").all()]
        assert len(boxes) == 4 and len({round(one["y"]) for one in boxes if one}) == 1  # side by side
        run_first_again(page, notebook)
        assert notebook.locator(".jp-CodeCell", has_text="%reload_ext").locator(".verdict").count() == 1


def run_first_again(page: Page, notebook: Locator) -> None:
    """Nothing is said of an extension that is loaded already."""
    cell = notebook.locator(".jp-CodeCell", has_text="%reload_ext")
    prompt = cell.locator(".jp-InputPrompt")
    before = prompt.inner_text()
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    expect(prompt).to_have_text(re.compile(rf"\[(?!{before.strip('[]:')}\])\d+\]"))
    assert cell.locator('[data-mime-type$="stderr"], [data-mime-type$="error"]').count() == 0


def test_run_all_works_in_the_explorer_too_which_then_answers_by_hand(page: Page, lab: str) -> None:
    notebook = opened(page, lab, "explore")
    run_all(page, notebook, "explore")
    panel = notebook.locator(".keyaudit-explorer").first
    panel.scroll_into_view_if_needed()
    words = panel.locator(".widget-html", has_text="This is a look at the evidence")
    expect(words).to_contain_text("Rotation: the policy sets at most 90 days.")
    expect(words).to_contain_text("8 of 28 selected keys fail.")
    handle = panel.get_by_role("slider").first
    handle.focus()
    for _ in range(6):
        page.keyboard.press("PageDown")  # five days each
    expect(words).to_contain_text("were at most 60 days? The policy sets at most 90 days.")
    expect(words).to_contain_text("16 of 28 selected keys would fail.")
    expect(words).to_contain_text("The conclusion stays: NON_COMPLIANT: 8 of 28")
    expect(panel.locator("figure img").first).to_have_attribute("alt", re.compile("60 days"))
    # the verdict is seen without scrolling sideways
    expect(panel.get_by_role("columnheader", name="Verdict").first).to_be_in_viewport(ratio=1)
    shot(page, "explore-60")

    # the table: sorted, searched, filtered by a column
    rows = panel.locator("table.dataTable tbody tr")
    expect(rows.first).to_contain_text("iot-gateway")
    panel.get_by_role("button", name="User: Activate to sort").click()
    expect(rows.first).to_contain_text("alice")
    panel.locator(".dt-search input").fill("sofia")
    expect(rows).to_have_count(2)
    panel.locator(".dt-search input").fill("")
    panel.locator("table.dataTable tfoot input").nth(0).press_sequentially("tmp")
    expect(rows).to_have_count(1)
    told = panel.get_by_text("What the controls say of tmp-migration")
    click_until(rows.first, told)
    expect(panel).to_contain_text("Unused keys")
    shot(page, "explore-user")

    # the filters above narrow everything, and the selection can be taken along
    panel.get_by_label("Users").fill("svc-*")
    expect(words).to_contain_text("of 3 selected keys")
    command = panel.locator("pre")
    click_until(page.get_by_role("button", name="Export this selection"), command)
    expect(command).to_contain_text("--notebook explore -p limit 60 -p users 'svc-*'")
    with page.expect_download() as download:
        panel.get_by_role("link", name="keyaudit-selection.csv").click()
    assert Path(download.value.path()).read_text(encoding="utf-8").count("svc-") == 3
    page.get_by_role("button", name="Make sealed evidence of this view").click()
    link = panel.get_by_role("link", name=re.compile("report.html"))
    expect(link).to_have_text("reports/2026-11-23T080000Z-explore-sample/report.html", timeout=2 * PATIENCE)
    shot(page, "explore-sealed")
    link.click()  # which opens the page beside the notebook
    expect(page.frame_locator("iframe").locator("body")).to_contain_text("of 3 selected keys would fail")
    shot(page, "explore-page")
    page.locator("#jp-main-dock-panel .lm-TabBar-tabLabel", has_text="explore.ipynb").click()
    page.get_by_role("button", name="As it is set").click()
    expect(words).to_contain_text("Rotation: the policy sets at most 90 days.")
    panel.get_by_label("Control").select_option("Unused keys")
    expect(words).to_contain_text("Unused keys: the policy sets less than 45 days.")
    expect(panel.locator("figure img").first).to_have_attribute("alt", re.compile("idle"))
    shot(page, "explore-export")
    choose_other_evidence(page, notebook)
    run_first_again(page, notebook)


def click_until(what: Locator, shown: Locator) -> None:
    """Click, as whoever sees nothing happen does again: what is clicked may just be drawn anew."""
    for _ in range(5):
        what.click()
        try:
            expect(shown.first).to_be_visible(timeout=PATIENCE / 5)
        except AssertionError:
            continue
        return
    expect(shown.first).to_be_visible()


def choose_other_evidence(page: Page, notebook: Locator) -> None:
    """By keyboard and by mouse: every cell shows what was chosen, and a wrong file changes nothing."""
    chooser, verdict = notebook.locator(".keyaudit-chooser"), notebook.locator(".verdict").first
    told, rows = chooser.get_by_role("status"), chooser.get_by_role("option")
    cells = notebook.locator(".jp-CodeCell").count()
    chooser.get_by_role("button", name="Evidence: Choose ...").click()
    expect(rows.filter(has_text="leads out of the folder that JupyterLab serves")).to_have_count(1)
    rows.filter(has_text="wrong.csv").dblclick()
    expect(told).to_contain_text("Nothing below has changed: it still shows the former choice")
    expect(verdict).to_contain_text("SAMPLE DATA")
    shot(page, "explore-wrong")

    # into a folder and on to a report, without a mouse
    chooser.get_by_role("listbox").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(chooser.get_by_role("navigation").get_by_role("button")).to_have_text(["notebooks", "audit 보고서"])
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(told).to_contain_text("This whole workbook shows it.")
    expect(verdict).to_contain_text("of 3 active access keys in 1 account")
    assert notebook.locator(".jp-CodeCell").count() == cells  # no key was a shortcut of JupyterLab

    chooser.get_by_role("button", name="Policy: skshieldus").click()
    expect(verdict).to_contain_text("the preset skshieldus sets 60 days")
    chooser.get_by_role("button", name="Compared with: Choose ...").click()
    chooser.get_by_role("searchbox").fill("STATUS")
    expect(rows).to_have_count(1)
    chooser.get_by_role("button", name="Choose", exact=True).click()
    expect(notebook.locator(".jp-OutputArea-output figure img")).to_have_count(2)
    line = notebook.locator(".keyaudit-explorer pre").first
    click_until(page.get_by_role("button", name="Export this selection"), line)
    expect(line).to_contain_text(
        re.compile("report '/.*/audit 보고서/z.csv' --policy skshieldus --before '/.*/status_reports_2023.*'")
    )
    shot(page, "explore-chosen")
