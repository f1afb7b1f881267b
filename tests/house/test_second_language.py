"""A second language, made up: every sentence is marked, and every fact in it. What of a page stands outside of the
marks did not come from the texts, and so could not be translated."""

from __future__ import annotations

import base64
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from conftest import ACCOUNT, AS_OF, IS_NIGHTLY, write
from evidence_helpers import POLICY, manifest, once

from keyaudit.policy import Exemption, Override, Policy
from keyaudit.schema import COMPLIANCE_TYPES, CONTROLS

ROOT = Path(__file__).resolve().parents[2]
BAD, RELEASED = ROOT / "tests" / "data" / "bad", ROOT / "tests" / "data" / "evidence"
TEXTS = ROOT / "keyaudit" / "data" / "texts"
#: forms in which a report is whole, and always of the same account
WHOLE = re.compile("base64_|utf16le_base64|json_wrapper_good")
#: around a sentence, and around a fact in it
SAID, FACT = "«»", "‹›"
HEAD = re.compile(r"#+ |- ")
FILLED = re.compile(r"\{[^{}]+\}")


# --- the made-up language ----------------------------------------------------------------------------------------


def marked(key: str, text: str) -> str:
    """A sentence with marks around it and around its facts; headings one by one, prose line by line."""
    if not text:
        return text
    if key.endswith("columns"):
        return "|".join(f"{one[: -len(bare)]}«{bare}»" for one in text.split("|") for bare in [one.strip("#?")])
    if key.startswith("notebook."):
        heads = [(found[0] if (found := HEAD.match(line)) else "", line) for line in text.splitlines()]
        return "\n".join(f"{head}«{line.removeprefix(head)}»" if line else "" for head, line in heads)
    return f"«{FILLED.sub(lambda found: f'‹{found[0]}›', text)}»"


def catalogue(table: dict[str, Any], place: str = "") -> Iterator[str]:
    """The texts of a language as TOML, each marked."""
    for name, text in table.items():
        key = f"{place}.{name}".lstrip(".")
        if isinstance(text, dict) and not text.keys() <= {"one", "other"}:
            yield from catalogue(text, key)
    texts = {
        name: one for name, one in table.items() if not isinstance(one, dict) or one.keys() <= {"one", "other"}
    }
    if texts:
        yield f"[{'.'.join(map(json.dumps, place.split('.')))}]" if place else ""
    for name, text in texts.items():
        forms = text if isinstance(text, dict) else {"": text}
        told = {kind: json.dumps(marked(f"{place}.{name}", one), ensure_ascii=False) for kind, one in forms.items()}
        pairs = ", ".join(f"{kind} = {one}" for kind, one in told.items())
        yield f"{json.dumps(name)} = " + (told.get("") or f"{{ {pairs} }}")


def outside(text: str) -> list[str]:
    """The pieces of a text that are in no sentence, or are a fact in one: what code put there."""
    within, found = [""], [""]
    for sign in text:
        if sign in SAID + FACT:
            within = [*within, sign] if sign in "«‹" else within[:-1]
            found.append("")
        elif within[-1] != "«":
            found[-1] += sign
    assert within == [""], text
    return [piece for piece in found if piece.strip()]


def make_tree(folder: Path) -> None:
    """A copy of keyaudit with one more language, ``xx``."""
    for name in ("keyaudit", "notebooks"):
        shutil.copytree(ROOT / name, folder / name)  # what is compiled is not compiled again
    texts = folder / "keyaudit" / "data" / "texts"
    table = tomllib.loads((texts / "en.toml").read_text(encoding="utf-8"))
    # what stands for itself comes before the first table
    first = {name: one for name, one in table.items() if not isinstance(one, dict)}
    lines = [*catalogue(first), *catalogue({n: one for n, one in table.items() if n not in first})]
    write(texts, "xx.toml", "\n".join(lines))


#: does one thing after the other with the keyaudit of a tree, each in a fork: all is imported once. Its notebooks
#: become known before anything reads which are
DO = """
import json, os, sys
from pathlib import Path
import make_sample
make_sample.release()
from keyaudit.evidence.forked import warm_up
warm_up()
for name, (code, *words) in json.load(sys.stdin).items():
    out, err, ended = (Path(sys.argv[1], f"{name}.{end}") for end in ("out", "err", "code"))
    if child := os.fork():
        ended.write_text(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
        continue
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    sys.argv[1:] = words
    exec(code, {"__name__": "__main__"})
    break
"""
#: makes evidence in the second language, and the index of its reports folder
MAKE = """
import json, sys
from pathlib import Path
from keyaudit.evidence import Request, make_evidence
from keyaudit.evidence.index import render
from keyaudit.texts import spoken
source, reports, more = sys.argv[1:]
print(make_evidence(Request([source], reports=Path(reports), language="xx", **json.loads(more))).path)
with spoken("xx"):
    Path(reports, "index.html").write_bytes(render(Path(reports)))
"""
#: makes evidence of single accounts, in other processes
EACH = """
import sys
from pathlib import Path
from keyaudit.evidence import Request
from keyaudit.evidence.per_account import make_each
reports, *sources = map(Path, sys.argv[1:])
print(*make_each(Request([], "cis", reports=reports, language="xx"), sources, 2), sep="\\n")
"""
VERIFY = """
import sys
from pathlib import Path
from keyaudit.evidence.again import page_again, run_again
from keyaudit.evidence.verify import verify
(folder,) = (path.parent for path in Path(sys.argv[1]).glob("*/SHA256SUMS"))
print(*verify(folder)[0], *page_again(folder)[0], *run_again(folder)[0])
"""
#: prints every text in the pictures of a source, by a policy and by some limits that are asked about; of few keys as
#: well, of so many as are named for a policy. Where a text stands is not asked, which takes half of the time of a
#: drawing
DRAW = """
import json, sys
import keyaudit as ka
from keyaudit.texts import speak
from matplotlib.text import Text
speak("xx")
source, policies = sys.argv[1:]
found = []
for policy, few in json.loads(policies).items():
    a = ka.audit(source, policy, "2026-11-23T00:00:00Z")
    plots = [ka.plot_ages, ka.plot_share, ka.plot_deadlines, ka.plot_idle]
    drawn = [plot(a.keys, a.policy, a.as_of) for plot in plots]
    asked = (ka.plot_ages, ka.plot_idle) if few and a.policy.max_access_key_age else ()
    drawn += [plot(a.keys, a.policy, a.as_of, what_if=True) for plot in asked]
    drawn += [plot(a.keys.head(n), a.policy, a.as_of) for plot in plots for n in few]
    drawn.append(ka.plot_accounts(a.accounts, a.policy, a.as_of))
    drawn += [ka.plot_accounts(a.accounts.head(n), a.policy, a.as_of) for n in few]
    for ax in drawn:
        ax.figure.set_layout_engine("none")
        ax.figure.draw_without_rendering()
        found += [ax.get_label(), *(one.get_text() for one in ax.figure.findobj(Text))]
print(json.dumps(sorted(set(found))))
"""
RELEASED_RAW = {
    "organization": RELEASED / "0.3.0" / "2026-11-23T090000Z-key_rotation-organization" / "raw",
    "rotation": RELEASED / "0.2.0" / "2026-11-26T071105Z-rotation-123456789012" / "raw",
}


def refused(folder: Path) -> Path:
    """A folder of reports of which most are refused, each of an account of its own."""
    files = [one for one in sorted(BAD.iterdir()) if one.suffix != ".tsv" and not WHOLE.match(one.name)]
    for number, one in enumerate(files, 1):
        write(folder, one.name, one.read_bytes().replace(ACCOUNT.encode(), b"%012d" % number))
    return folder


#: whose evidence is made, is made again, and whose pictures are drawn
NAMES = ("refused", "organization", "rotation", "explore") if IS_NIGHTLY else ("refused", "rotation")
AGAIN = NAMES if IS_NIGHTLY else ("rotation",)
DRAWN = ("refused", "rotation") if IS_NIGHTLY else ("refused",)
#: of how many keys pictures are drawn besides, policy by policy: no key reads the same by most
FEW = ((0, 1),) * 4 if IS_NIGHTLY else ((0, 1), (), (), ())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was done in the second language, by one process: a reports folder of each name, and what was printed."""
    return once(tmp_path_factory, "second-language", make)


def make(folder: Path) -> None:
    tree, reports, done = (folder / name for name in ("tree", "reports", "done"))
    make_tree(tree)
    done.mkdir()
    refused(folder / "refused")
    for name in ("organization", "rotation", "explore"):
        shutil.copytree(RELEASED_RAW.get(name, RELEASED_RAW["rotation"]), folder / name)
    policy = {"policy": str(write(folder, "policy.toml", POLICY))}
    asked = {
        "refused": {**policy, "as_of": AS_OF},
        "organization": policy,
        "rotation": {**policy, "notebook": "rotation", "before": str(folder / "rotation")},
        "explore": {
            "parameters": {"control": "unused", "limit": 30},
            "before": str(folder / "organization"),
            "notebook": "explore",
        },
    }
    steps = {f"make-{name}": [MAKE, folder / name, reports / name, json.dumps(asked[name])] for name in NAMES}
    steps |= {f"again-{name}": [VERIFY, reports / name] for name in AGAIN}
    steps |= {
        f"draw-{name}": [DRAW, folder / name, json.dumps(dict(zip(policies(folder), FEW, strict=True)))]
        for name in DRAWN
    }
    if IS_NIGHTLY:
        steps["each"] = [EACH, folder / "each", *accounts_of(folder)]
    paths = os.pathsep.join([str(tree), str(ROOT / "tests" / "tools")])
    subprocess.run(
        [sys.executable, "-P", "-c", DO, done], env={**os.environ, "PYTHONPATH": paths}, cwd=tree, check=True,
        input=json.dumps(steps, default=str), text=True,
    )  # fmt: skip


def policies(folder: Path) -> list[str]:
    """By which pictures are drawn."""
    texts = {
        "no_period": 'title = "none"\nmax_active_keys = 1',
        "strict": 'title = "strict"\nmax_access_key_age = 2\nmax_credential_usage_age = 2',
        "whole": f'age_comparison = "whole_days"\n{POLICY}',
    }
    paths = [folder / "policy.toml", *(write(folder, f"{name}.toml", text) for name, text in texts.items())]
    return list(map(str, paths))


def accounts_of(folder: Path) -> list[Path]:
    return sorted(path.parent for path in (folder / "organization").glob("*/capture.json"))[:2]


def printed(made: Path, name: str) -> str:
    """What a step printed, which went well."""
    out, err, code = ((made / "done" / f"{name}.{end}").read_text("utf-8") for end in ("out", "err", "code"))
    assert code == "0", err
    return out


def evidence(made: Path, name: str) -> Path:
    return Path(printed(made, f"make-{name}").strip())


# --- what it says ------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Every piece of text that a reader sees, or has read out, element by element."""

    INLINE = ("code", "em", "strong", "b", "a", "span")

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = [""]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts += [value or "" for name, value in attrs if name in ("alt", "title")]
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        self.texts += [""] if tag not in self.INLINE else []

    def handle_data(self, data: str) -> None:
        self.texts[-1] += data


def texts_of(page: Path) -> list[str]:
    parser = Page()
    parser.feed(re.sub(r"<style>.*?</style>", "", page.read_text("utf-8"), flags=re.DOTALL))
    return parser.texts


#: of what code puts between sentences and into them: instants, and ids and digests of which a part is shown
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z|\*{4}\w{4}|\b[0-9a-f]{64}\b|\b[0-9a-f]{8}\b")
#: words of AWS's, of policies, and names of ours
KNOWN = {
    *COMPLIANCE_TYPES, *CONTROLS, *Policy.model_fields, *Exemption.model_fields, *Override.model_fields,
    "elapsed", "cis", "Active", "Inactive", "AWSCURRENT", "AWSPREVIOUS", "s3 us-east-1", "sha256", "policy.toml",
}  # fmt: skip


def untold(texts: list[str], data: str) -> set[str]:
    """What stands in texts, is in no sentence, and is not in the data: each piece once, of a list each word."""
    pieces = {piece for text in texts for piece in outside(text)}
    words = {word.strip(" '") for piece in pieces for word in re.split(r"[,;] | = | \(", MOMENT.sub("", piece))}
    return {word for word in words if re.search(r"[^\W\d_]", word) and word not in KNOWN and word not in data}


def data_of(folder: Path) -> str:
    """What may stand on a page in any language: the evidence, the policy, and what keyaudit cites."""
    paths = [path for name in ("raw", "before") for path in (folder / name).rglob("*.*")]
    paths += [folder / "policy.toml", ROOT / "keyaudit" / "data" / "references.toml"]
    told = {name: one for name, one in manifest(folder).items() if name not in ("policy", "files")}
    with (folder / "findings.csv").open(encoding="utf-8", newline="") as file:
        users = [row["user"] for row in csv.DictReader(file)]  # of reports in base64
    return "\n".join([*map(plain, paths), json.dumps(told), *users])


def plain(path: Path) -> str:
    """The text of a file, and what it says in base64 or UTF-16, as reports do."""
    content = path.read_bytes()
    for part in re.findall(rb"[A-Za-z0-9+/=]{40,}", content):
        with suppress(ValueError):  # a digest
            content += base64.b64decode(part)
    return content.replace(b"\0", b"").decode("utf-8", "replace")


@pytest.mark.parametrize("name", NAMES)
def test_every_sentence_of_a_report_is_of_its_language(made: Path, name: str) -> None:
    folder = evidence(made, name)
    texts = texts_of(folder / "report.html")
    assert untold(texts, data_of(folder)) == set()
    assert sum("«" in text for text in texts) > 50
    assert manifest(folder)["language"] == "xx"


@pytest.mark.parametrize("name", AGAIN)
def test_it_verifies_and_is_made_again_in_its_language(made: Path, name: str) -> None:
    assert printed(made, f"again-{name}").strip() == ""


@pytest.mark.sampled(0)  # the same pages, made by another process: for a nightly run
def test_so_is_that_of_each_account(made: Path) -> None:
    folders = [Path(line) for line in printed(made, "each").splitlines()]
    assert len(folders) == 2
    for folder in folders:
        assert untold(texts_of(folder / "report.html"), data_of(folder)) == set()


@pytest.mark.parametrize("name", NAMES)
def test_so_is_the_index(made: Path, name: str) -> None:
    texts = texts_of(made / "reports" / name / "index.html")
    assert untold(texts, data_of(evidence(made, name))) == set()


@pytest.mark.parametrize("name", DRAWN)
def test_so_is_what_stands_in_pictures(made: Path, name: str) -> None:
    texts = json.loads(printed(made, f"draw-{name}"))
    assert untold(texts, data_of(evidence(made, name))) == set()
    assert sum("«" in text for text in texts) > 50


# --- and the test can fail ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("«a key of ‹alice› is old»", set()),
        ("«a key of ‹alice and bob› is old»", {"alice and bob"}),
        ("«a key is old» and «another»", {"and"}),
        ("keys: «two»", {"keys:"}),
        ("«made at ‹2026-11-23T00:00:00Z›»", set()),
        ("«‹«one»›, ‹«two»›»", set()),
        ("«‹«one» or «two»›»", {"or"}),
    ],
)
def test_what_is_no_sentence_of_the_language_is_found(text: str, found: set[str]) -> None:
    assert untold([text], "alice") == found


def test_every_language_has_the_same_texts() -> None:
    """With the same facts in them; there is one so far, and a second must not lack any."""
    english = set(flat(tomllib.loads((TEXTS / "en.toml").read_text("utf-8"))))
    for path in TEXTS.glob("*.toml"):
        assert set(flat(tomllib.loads(path.read_text("utf-8")))) == english, path.name


def flat(table: dict[str, Any], place: str = "") -> Iterator[tuple[str, frozenset[str]]]:
    """Keys of texts, each with the names of its facts; those of a singular, which need not say them, left out."""
    for name, text in table.items():
        if isinstance(text, dict):
            yield from flat({"": text["other"]} if text.keys() <= {"one", "other"} else text, f"{place}.{name}")
        else:
            yield f"{place}.{name}".strip("."), frozenset(re.findall(r"\{(\w+)", text))
