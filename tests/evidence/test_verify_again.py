"""``verify --page`` and ``--run``: the page rendered again, the notebook run again, and what only these find."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import FRESH, OLD, report, write
from evidence_helpers import (
    JUDGED,
    UNSEEN,
    failing,
    keyaudit,
    made,
    manifest,
    notebook,
    report_on,
    seal_again,
    verified,
)
from forms import cli_json

from keyaudit.evidence.again import page_again, run_again

RELEASED = Path(__file__).parents[1] / "data" / "evidence"
#: one dark pixel, as PNG
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture
def folder(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    evidence = failing(tmp_path_factory)
    return shutil.copytree(evidence, tmp_path / evidence.name)


def again(folder: Path, *options: str, code: int = 0) -> str:
    done = keyaudit("verify", *options, folder)
    assert done.returncode == code and b"Traceback" not in done.stderr, done.stderr + done.stdout
    assert (done.stderr == UNSEEN) is (code == 0 and "--run" not in options)
    return done.stdout.decode()


def test_what_was_not_compared_is_said(folder: Path) -> None:
    assert again(folder) == f"OK  {folder}\n"


def test_page_and_notebook_made_again_are_the_same_byte_for_byte(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    told = again(folder, "--page", "--run").splitlines()
    assert told[1:] == [
        "  the page rendered again: the same page, byte for byte",
        "  the notebook run again: the same page, byte for byte",
    ]
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_evidence_that_compares_two_reports_is_run_again(tmp_path: Path) -> None:
    earlier = cli_json(report(("alice", OLD), ("bob", FRESH)), GeneratedTime="2026-11-10T00:00:00Z")
    write(tmp_path, "before.json", earlier)
    write(tmp_path, "after.csv", report(("alice", FRESH), ("bob", FRESH)))
    options = ["--notebook", "rotation", "--before", tmp_path / "before.json"]
    folder = made(*report_on(tmp_path / "reports", tmp_path / "after.csv", options=options), code=0)
    assert "the notebook run again: the same page, byte for byte" in again(folder, "--run")


def change(folder: Path, old: str, new: str) -> None:
    """In page and notebook alike, and sealed again."""
    for name in ("report.html", "report.ipynb"):
        path, escaped = folder / name, (old, new)
        if name.endswith("ipynb"):
            escaped = (json.dumps(old)[1:-1], json.dumps(new)[1:-1])
        text = path.read_text(encoding="utf-8")
        assert escaped[0] in text
        path.write_text(text.replace(*escaped), encoding="utf-8")
    seal_again(folder)


def first_picture(folder: Path) -> str:
    page = (folder / "report.html").read_text(encoding="utf-8")
    return page.partition('src="data:image/png;base64,')[2].partition('"')[0]


def test_a_picture_that_was_drawn_otherwise_is_found_by_running_the_notebook_again(folder: Path) -> None:
    change(folder, first_picture(folder), PIXEL)
    assert verified(folder)[0] == 0  # which says that it has not compared them
    assert "byte for byte" in again(folder, "--page")
    assert "report.html: is not what its notebook gives (the notebook run again)" in again(folder, "--run", code=1)


def test_the_text_that_stands_for_a_picture_is_found_too(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    alternative = page.partition('alt="')[2].partition('"')[0]
    number = next(word for word in alternative.split() if word.isdigit())
    change(folder, alternative, alternative.replace(number, "0", 1))
    assert verified(folder)[0] == 0
    again(folder, "--run", code=1)


def test_a_page_told_to_be_in_another_language_is_found_by_rendering_it_again(folder: Path) -> None:
    path = folder / "report.html"
    text = path.read_text(encoding="utf-8")
    assert '<html lang="en">' in text
    path.write_text(text.replace('<html lang="en">', '<html lang="fr">'), encoding="utf-8")
    seal_again(folder)
    assert "report.html: is not what its notebook gives (the page rendered again)" in again(
        folder, "--page", code=1
    )


@pytest.mark.sampled(2)
@pytest.mark.parametrize("libraries", [None, {}, [], "x", {"x": "\x1b[2K"}, {"pandas": None}, "nothing"])
def test_libraries_that_are_not_known_are_no_reason_to_fail(folder: Path, libraries: object) -> None:
    facts = manifest(folder) | {"libraries": libraries}
    if libraries == "nothing":
        del facts["libraries"]
    (folder / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")
    seal_again(folder)
    assert "the page rendered again: the same page, byte for byte" in again(folder, "--page", "--run")


def test_a_library_that_is_not_here_is_no_reason_to_fail(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyaudit.evidence.again.LIBRARIES", ("pandas", "no-such-library"))
    path = folder / "report.html"
    path.write_text(path.read_text(encoding="utf-8").replace('lang="en"', 'lang="fr"'), encoding="utf-8")
    assert page_again(folder) == (
        [],
        ["the page rendered again: the same text, by other versions of keyaudit or its libraries"],
    )


@pytest.mark.sampled(3)
@pytest.mark.parametrize("number", [3, 2, 5, None, "4", True, 4.0, "nothing"])
def test_a_notebook_of_another_format_is_a_fault_of_its_folder_and_the_others_go_on(
    folder: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, number: object
) -> None:
    path = folder / "report.ipynb"
    told = json.loads(path.read_bytes()) | {"nbformat": number}
    if number == "nothing":
        del told["nbformat"]
    path.write_text(json.dumps(told), encoding="utf-8")
    seal_again(folder)
    other = failing(tmp_path_factory)
    done = keyaudit("verify", "--page", "--run", folder, other)
    assert (
        done.returncode == 1
        and f"WRONG  {folder}" in done.stdout.decode()
        and f"OK  {other}" in done.stdout.decode()
    )


@pytest.mark.parametrize("make", [page_again, run_again])
@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"nbformat": 3}', b'{"nbformat": 4, "cells": [1]}'])
def test_whatever_cannot_be_made_again_is_a_fault(folder: Path, make: Callable, content: bytes) -> None:
    (folder / "report.ipynb").write_bytes(content)
    faults, _ = make(folder)
    assert faults[0].startswith("report.ipynb: cannot be made again (")
    (folder / "report.ipynb").unlink()
    assert make(folder)[0][0].startswith("report.ipynb: cannot be made again (")


def test_by_other_libraries_the_text_is_compared(folder: Path) -> None:
    seal_again(folder, libraries=manifest(folder)["libraries"] | {"nbconvert": "1.0"})
    path = folder / "report.html"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('lang="en"', 'lang="fr"'), encoding="utf-8")
    seal_again(folder)
    told = again(folder, "--page", "--run")
    assert told.count("the same text, by other versions of keyaudit or its libraries") == 2


def test_somebody_else_s_notebook_is_rendered_but_never_run(tmp_path: Path) -> None:
    write(tmp_path, "report.csv", report(("alice", FRESH)))
    marker = tmp_path / "was-run"
    own = notebook(tmp_path, "own", JUDGED, f"open({str(marker)!r}, 'a').close()")
    options = ["--notebook", own]
    folder = made(*report_on(tmp_path / "reports", tmp_path / "report.csv", options=options), code=0)
    marker.unlink()
    told = again(folder, "--page", "--run")
    assert "the page rendered again: the same page, byte for byte" in told
    assert "not run again: own is not keyaudit's notebook but somebody else's program" in told
    # nor where the manifest says that it is ours
    seal_again(folder, notebook=manifest(folder)["notebook"] | {"ours": True})
    assert "is not the notebook that the manifest tells of" in again(folder, "--run", code=1)
    assert not marker.exists()


@pytest.mark.parametrize("version", ["0.2.0", "0.3.0"])
def test_evidence_of_an_older_version_is_rendered_again_and_not_run(version: str) -> None:
    (folder,) = (RELEASED / version).glob("*-sample")
    told = again(folder, "--page", "--run")
    assert "the page rendered again: the same text, by other versions of keyaudit or its libraries" in told
    assert f"not run again: made by keyaudit {version}" in told
