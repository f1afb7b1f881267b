"""Make the committed sample evidence and its picture again (``make sample``); look at both before committing."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from keyaudit.evidence import Request, make_evidence

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "reports" / "sample"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"


def main() -> None:
    """Replace ``reports/sample``: one evidence folder, and ``report.png`` of its first screen."""
    shutil.rmtree(SAMPLE, ignore_errors=True)
    evidence = make_evidence(Request(sources=[], reports=SAMPLE))
    (SAMPLE / ".lock").unlink()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1040, "height": 1500})
        page.goto((evidence.path / "report.html").as_uri())
        page.screenshot(path=SAMPLE / "report.png")
        browser.close()
    print(evidence.path, file=sys.stderr)


if __name__ == "__main__":
    main()
