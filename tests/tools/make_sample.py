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
from keyaudit.evidence.prose import spoken_cells
from keyaudit.texts import ENGLISH, languages, spoken

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "reports" / "sample"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"


def write_prose() -> None:
    """Put the prose of the notebooks into their files, in English."""
    for path in resources.notebooks().glob("*.ipynb"):
        notebook = json.loads(path.read_bytes())
        with spoken(ENGLISH):
            told = {**notebook, "cells": spoken_cells(notebook["cells"])}
        path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def release() -> None:
    """Add the digests of the style sheet, and of the notebooks in all languages, to ``data/released.toml``, where
    they are new."""
    path = resources.data("released.toml")
    text = path.read_text(encoding="utf-8")
    style = resources.data("templates", "keyaudit", "style.css").read_bytes()
    made = [("styles", hashlib.sha256(style).hexdigest())]
    for notebook in resources.notebooks().glob("*.ipynb"):
        cells = json.loads(notebook.read_bytes())["cells"]
        for language in languages():
            with spoken(language):
                made.append((notebook.stem, released.cells_digest(spoken_cells(cells))))
    for name, digest in made:
        if digest not in text:
            head, found, rest = text.partition(f"\n{name} = [\n")
            known, end, rest = rest.partition("]\n")
            text = f'{head}{found}{known}    "{digest}",\n{end}{rest}'
    path.write_text(text, encoding="utf-8")


def main() -> None:
    """Replace ``reports/sample``: one evidence folder, and ``report.png`` of its first screen."""
    write_prose()
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
