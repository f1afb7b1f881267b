"""Make the committed sample evidence and its picture again (``make sample``), and add what keyaudit's notebooks and
pages are made of to what it knows as its own; look at them before committing."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from keyaudit import resources
from keyaudit.evidence import Request, make_evidence, released

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "reports" / "sample"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"


def release() -> None:
    """Add the digests of the notebooks and of the style sheet to ``data/released.toml``, where they are new."""
    path = resources.data("released.toml")
    text = path.read_text(encoding="utf-8")
    style = resources.data("templates", "keyaudit", "style.css").read_bytes()
    made = {"styles": hashlib.sha256(style).hexdigest()}
    for notebook in resources.notebooks().glob("*.ipynb"):
        made[notebook.stem] = released.cells_digest(json.loads(notebook.read_bytes())["cells"])
    for name, digest in made.items():
        if digest not in text:
            head, found, rest = text.partition(f"\n{name} = [\n")
            known, end, rest = rest.partition("]\n")
            text = f'{head}{found}{known}    "{digest}",\n{end}{rest}'
    path.write_text(text, encoding="utf-8")


def main() -> None:
    """Replace ``reports/sample``: one evidence folder, and ``report.png`` of its first screen."""
    release()
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
