"""The committed sample evidence is what the code makes today (``make sample`` makes it again)."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from evidence_helpers import made as evidence
from evidence_helpers import verified

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "reports" / "sample"
REFRESH = "the sample evidence is out of step with the code: look at the change, then run make sample"


class Words(HTMLParser):
    """What a reader reads on a page, charts' alternative texts included."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.words += [value or "" for name, value in attrs if name == "alt"]

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def words(page: Path) -> list[str]:
    parser = Words()
    text = page.read_text(encoding="utf-8")
    parser.feed(re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL))
    return parser.words


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return evidence("demo", "-o", tmp_path_factory.mktemp("sample"), code=0)


def committed() -> Path:
    (folder,) = (path for path in SAMPLE.iterdir() if path.is_dir())
    return folder


def test_the_folder_has_the_name_and_the_files_of_today(made: Path) -> None:
    assert committed().name == made.name, REFRESH
    names = [sorted(str(p.relative_to(folder)) for p in folder.rglob("*")) for folder in (committed(), made)]
    assert names[0] == names[1], REFRESH


def test_its_data_are_the_same_bytes(made: Path) -> None:
    data = [
        "findings.csv",
        "summary.json",
        "policy.toml",
        *(str(p.relative_to(made)) for p in made.glob("raw/**/*.*")),
    ]
    assert len(data) >= 6
    for name in data:
        if (made / name).is_file():
            assert (committed() / name).read_bytes() == (made / name).read_bytes(), f"{name}: {REFRESH}"


def test_its_page_says_the_same(made: Path) -> None:
    assert words(committed() / "report.html") == words(made / "report.html"), REFRESH


def test_it_verifies_and_says_that_it_is_a_sample() -> None:
    code, said = verified(committed())
    assert code == 0, said
    assert "SAMPLE DATA" in (committed() / "report.html").read_text(encoding="utf-8")
    assert json.loads((committed() / "summary.json").read_text(encoding="utf-8"))["sample"] is True


def test_the_picture_in_the_readme_is_there() -> None:
    assert (SAMPLE / "report.png").stat().st_size > 10_000
