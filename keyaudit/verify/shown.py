"""What the judgement says, compared as text with what the executed notebook and the page show.

Of keyaudit's own notebooks by the same version everything is made again but the pictures; of other versions, whose
sentences may differ, the facts in them. Of a notebook that is not keyaudit's own, the bottom line alone is proved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from keyaudit import released
from keyaudit.present import bottom_line
from keyaudit.present.table import MOST_ROWS
from keyaudit.schema import COMPLIANCE_TYPES, INSUFFICIENT_DATA, NON_COMPLIANT, ROTATION
from keyaudit.sheet import TITLE, css_text, foreign_of, title_of
from keyaudit.texts import say, visible
from keyaudit.verify import notebook as notebooks
from keyaudit.verify import page as pages

NOTEBOOK, PAGE = "report.ipynb", "report.html"
OURS_SINCE = (0, 4)  # the version from which on a manifest tells whether the notebook is keyaudit's
#: a chart as keyaudit shows it
_CHART = re.compile(
    r'<figure><img src="data:image/png;base64,[A-Za-z0-9+/=]+" alt="[^"<>]*"'
    r' width="[0-9]+" height="[0-9]+"></figure>'
)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_NUMBERED = re.compile(r"^\s*[0-9]+[.)]\s", re.MULTILINE)
_FOOTER = re.compile(re.escape(say("page.footer", version="\0")).replace("\0", r"\S{1,40}"))


@dataclass
class Comparison:
    """What differs, and what was not compared. ``is_ours``: whether keyaudit's own notebook made the page."""

    is_ours: bool
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def compare(
    files: Mapping[str, bytes], manifest: Mapping[str, Any], known: Mapping[str, Any], digest: str, is_same: bool
) -> Comparison:
    """``known``: the values of names in the notebook, of which ``a`` is the Audit. ``digest``: that of the findings
    as they were told. ``is_same``: whether the version and the rules are those of this keyaudit."""
    a, name = known["a"], str(manifest["notebook"]["name"])
    try:
        cells, digest_of_cells = notebooks.read(files[NOTEBOOK])
        seen = pages.read(files[PAGE].decode())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return Comparison(False, [f"{NOTEBOOK}, {PAGE}: not as keyaudit writes them ({type(error).__name__})"])
    is_ours, told = released.is_ours(name, digest_of_cells), _told_ours(manifest)
    # a notebook that had a run before is not ours, whatever papermill made of it
    found = Comparison(is_ours and told is not False)
    if told not in (None, False, is_ours):
        found.faults.append(f"{NOTEBOOK}: is not the notebook that the manifest tells of")
    found.faults += _bottom_line(cells, a, digest, is_same)
    if not found.is_ours:
        found.remarks.append(say("verify.foreign", notebook=name))
        found.faults += _foreign(cells, seen, manifest, is_same)
        return found
    found.faults += _parameters(cells, manifest)
    if is_same:
        found.faults += _made_again(cells, known, found.remarks)
    else:
        found.faults += _facts(cells, a)
    found.faults += [f"{PAGE}: {what}" for what in _page(cells, seen, a, is_same)]
    return found


def _told_ours(manifest: Mapping[str, Any]) -> bool | None:
    """Whether the manifest says that the notebook is keyaudit's; None of a version that did not say so."""
    told = manifest["notebook"]
    if "ours" not in told and released.version_of(str(manifest["tool"]["keyaudit"])) < OURS_SINCE:
        return None
    if type(told["ours"]) is not bool:
        raise TypeError("ours")
    return bool(told["ours"])


def _bottom_line(cells: list[notebooks.Cell], a: Any, digest: str, is_same: bool) -> list[str]:
    """The bottom line is shown, is the one of this judgement, and says so in words and in what it carries."""
    told = [one for one in notebooks.shown(cells) if "keyaudit" in one.metadata]
    if not told:
        return [f"{NOTEBOOK}: shows no bottom line"]
    line, wrong = bottom_line(a), [f"{NOTEBOOK}: its bottom line is not what the evidence gives"]
    for one in told:
        if one.metadata["keyaudit"] != {"conclusion": a.conclusion, "findings_sha256": digest} or one.others:
            return wrong
        if is_same and (one.text, one.html) != (repr(line), line._repr_html_()):
            return wrong
        text = pages.read(one.html).texts.get("", "")
        if not is_same and not (_says(one.text, a) and _letters(text) == _letters(one.text)):
            return wrong
    return []


def _says(text: str, a: Any) -> bool:
    """Whether a bottom line in words that may differ gives the conclusion and no other, and that of each control
    with its numbers of findings."""
    lines = text.splitlines()
    heads = [line.partition(":")[0] for line in lines if line.partition(":")[0] in COMPLIANCE_TYPES]
    items = [line for line in lines if line.startswith("- ")]
    return heads == [a.conclusion] and all(
        any(
            re.search(rf"(?<![A-Z_]){kind} \(", line)
            and all(f"{n:,} {each}" in line for each, n in a.tallies[control].items())
            for line in items
        )
        for control, kind in a.conclusions.items()
    )


def _foreign(
    cells: list[notebooks.Cell], seen: pages.Seen, manifest: Mapping[str, Any], is_same: bool
) -> list[str]:
    """Of a page that keyaudit's own notebook did not make: it shows the bottom line, and names its notebook."""
    main = seen.texts.get("main", "")
    lines = [pages.read(one.html).texts.get("", "") for one in notebooks.shown(cells) if "keyaudit" in one.metadata]
    faults = (
        [f"{PAGE}: does not show the bottom line of {NOTEBOOK}"] if any(one not in main for one in lines) else []
    )
    notice = foreign_of(str(manifest["notebook"]["name"]), str(manifest["notebook"]["sha256"]))
    if is_same and not main.startswith(pages.squeezed(notice)):
        faults.append(f"{PAGE}: does not say that its notebook is not one of keyaudit's")
    return faults


def _parameters(cells: list[notebooks.Cell], manifest: Mapping[str, Any]) -> list[str]:
    injected = [cell for cell in cells if cell.is_injected]
    try:
        given: dict[str, Any] = {}
        for cell in injected:
            given |= notebooks.parameters_of(cell)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return [f"{NOTEBOOK}: the cell of its parameters does something else"]
    if given != manifest["parameters"] or any(cell.outputs for cell in injected):
        return [f"{NOTEBOOK}: its parameters are not those of the manifest"]
    return []


def _made_again(cells: list[notebooks.Cell], known: Mapping[str, Any], remarks: list[str]) -> list[str]:
    """Each output against the same call made again; what is a picture is said not to have been compared."""
    faults, unseen = [], []
    for number, cell in enumerate(cells, 1):
        if cell.kind != "code" or cell.is_injected:
            continue
        outputs = list(notebooks.shown([cell]))
        faults += [
            f"{NOTEBOOK}: cell {number} shows more than its calls do" for one in cell.outputs if _is_odd(one)
        ]
        wanted = notebooks.expected(cell, known)
        if wanted is None:
            wanted = [notebooks.Expected("charts")] * len(outputs)
        if len(wanted) != len(outputs):
            faults.append(f"{NOTEBOOK}: cell {number} does not show what its calls do")
            continue
        for want, output in zip(wanted, outputs, strict=True):
            if want.text is None:
                is_chart = _is_chart(output)
                unseen += [want.call] if not is_chart else []
            elif (output.text, output.html) != (want.text, want.html):
                faults.append(f"{NOTEBOOK}: {want.call} does not show what the evidence gives")
    remarks += [say("verify.not_compared", what=", ".join(dict.fromkeys(unseen)))] if unseen else []
    return list(dict.fromkeys(faults))


def _is_chart(output: notebooks.Output) -> bool:
    """Whether it is a picture with its alternative text, and no word beside it; or nothing at all."""
    alternatives = [alt for _, alt in pages.read(output.html).pictures]
    return not output.html or (bool(_CHART.fullmatch(output.html)) and alternatives == [output.text])


def _is_odd(output: notebooks.Output) -> bool:
    """Whether a cell shows what none of ours does: something printed (but for interpreter warnings, which no page
    has), an error, or a kind of content that a viewer would prefer."""
    return bool(output.others) or output.kind not in ("display_data", "execute_result", "stream stderr")


def _facts(cells: list[notebooks.Cell], a: Any) -> list[str]:
    """The facts in tables whose sentences may differ: of each control what was concluded and how many findings
    there are; of the keys to act on, users and accounts."""
    faults = []
    tables = {call: output for cell in cells if cell.kind == "code" for call, output in _calls(cell)}
    controls = tables.get("ka.controls")
    if controls is not None:
        rows = [line.split("\t") for line in controls.text.splitlines()]
        for control, kind in a.conclusions.items():
            numbers = [f"{n:,}" for n in a.tallies[control].values()]
            if not any(kind in row and not [n for n in numbers if n not in row] for row in rows):
                faults.append(f"{NOTEBOOK}: ka.controls does not show what the evidence gives")
    offenders = tables.get("ka.offenders")
    if offenders is not None:
        failing = a.findings[a.findings["compliance_type"].isin((NON_COMPLIANT, INSUFFICIENT_DATA))]
        keys = failing[(failing["control"] == ROTATION) & failing["key_slot"].notna()]
        named = {(visible(user), account) for user, account in zip(keys["user"], keys["account_id"], strict=True)}
        lines = [line.split("\t") for line in offenders.text.splitlines()]
        rows = [line for line in lines[2:] if len(lines[1]) == len(line) > 1]
        if len(rows) < min(len(keys), MOST_ROWS) or any((row[0], row[1]) not in named for row in rows):
            faults.append(f"{NOTEBOOK}: ka.offenders does not show what the evidence gives")
    return list(dict.fromkeys(faults))


def _calls(cell: notebooks.Cell) -> list[tuple[str, notebooks.Output]]:
    wanted = notebooks.expected(cell, {})
    outputs = list(notebooks.shown([cell]))
    if wanted is None or len(wanted) != len(outputs):
        return []
    return [(want.call, output) for want, output in zip(wanted, outputs, strict=True)]


def _page(cells: list[notebooks.Cell], seen: pages.Seen, a: Any, is_same: bool) -> list[str]:
    """The page shows the cells of its notebook, one after the other, and nothing else."""
    faults = [f"has markup that no page of keyaudit has ({what})" for what in dict.fromkeys(seen.odd)]
    title = seen.texts.get("title", "")
    style = seen.texts.get("style", "").replace(css_text(title), TITLE)
    if not released.is_our_style(style):
        faults.append("its style is not one of keyaudit's")
    told = title_of([one.account_id for one in a.provenance], a.as_of, a.is_sample)
    if is_same and title != pages.squeezed(told):
        faults.append("its title is not what the evidence gives")
    if not _FOOTER.fullmatch(seen.texts.get("footer", "")):
        faults.append("its last line is not what keyaudit writes")
    if seen.texts.get("", "").strip():
        faults.append("says something outside of its text")
    pictures = [one for output in notebooks.shown(cells) for one in pages.read(output.html).pictures]
    if seen.pictures != pictures:
        faults.append(f"its pictures are not those of {NOTEBOOK}")
    if not _follows(cells, seen.texts.get("main", "")):
        faults.append(f"does not say what {NOTEBOOK} says")
    return faults


def _follows(cells: list[notebooks.Cell], main: str) -> bool:
    """Whether the text of a page is that of the cells in their order: outputs word for word, and between them the
    letters of the prose (how it is set is for the page to say)."""
    at, prose = 0, ""
    for cell in cells:
        if cell.kind == "markdown":
            prose += _letters(_NUMBERED.sub("", _LINK.sub(r"\1", cell.source)))
        for output in notebooks.shown([cell]):
            text = pages.read(output.html).texts.get("", "")
            if not text:
                continue
            found = main.find(text, at)
            if found < 0 or _letters(main[at:found]) != prose:
                return False
            at, prose = found + len(text), ""
    return _letters(main[at:]) == prose


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())
