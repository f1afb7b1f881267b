"""What the judgement says, compared as text with what the executed notebook and its page show.

For keyaudit's own notebooks by the same version, everything is made again except the pictures; for those by other
versions, whose sentences may differ, the facts are compared. For a notebook that is not keyaudit's own, only the
bottom line is proved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from keyaudit.evidence import released
from keyaudit.evidence.contents import NOTEBOOK, PAGE, Manifest
from keyaudit.evidence.sheet import TITLE, css_text, foreign_of
from keyaudit.evidence.stated import Stated
from keyaudit.evidence.verify import executed, former, markup, then
from keyaudit.model import Audit
from keyaudit.present import Prose, bottom_line
from keyaudit.texts import say

FORMER = (0, 4)  # before this version, some of what is shown was different
#: a chart as keyaudit shows it
_CHART = re.compile(
    r'<figure><img src="data:image/png;base64,[A-Za-z0-9+/=]+" alt="[^"<>]*"'
    r' width="[0-9]+" height="[0-9]+"></figure>'
)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]*)\)")
_LINKED = re.compile(r"\[([^\]]*)\]\([^)]*\)")
FRAME = "output"  # what the page has around each output
HEAD = "its head is not one of keyaudit's, which lets nothing run and leads nowhere"
_NUMBERED = re.compile(r"^\s*[0-9]+[.)]\s", re.MULTILINE)


@dataclass
class Comparison:
    """What differs, and what was not compared. ``is_ours``: keyaudit's own notebook made the page."""

    is_ours: bool
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def compare(
    files: Mapping[str, bytes],
    manifest: Manifest,
    known: Mapping[str, Any],
    stated: Stated,
    digest: str,
    is_same: bool,
) -> Comparison:
    """``known``: the values of names in the notebook; ``a`` is the Audit, of evidence of a moment. ``stated``: what
    bottom line and title should say; ``digest``: of the findings as they were stated. ``is_same``: whether version
    and rules are those of this keyaudit."""
    made_by = str(manifest["tool"]["keyaudit"])
    if released.version_of(made_by) < FORMER and "a" in known:
        known = {**known, "a": then.nameless(known["a"])}
        stated = replace(stated, line=bottom_line(known["a"]))
    name = str(manifest["notebook"]["name"])
    try:
        cells, digest_of_cells = executed.read(files[NOTEBOOK])
        seen = markup.read(files[PAGE].decode())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return Comparison(False, [f"{NOTEBOOK}, {PAGE}: not as keyaudit writes them ({type(error).__name__})"])
    is_ours, told = released.is_ours(name, digest_of_cells), _told_ours(manifest)
    # a notebook that had been run before is not ours, whatever papermill made of it
    found = Comparison(is_ours and told is not False)
    if told not in (None, False, is_ours):
        found.faults.append(f"{NOTEBOOK}: is not the notebook that the manifest tells of")
    found.faults += _bottom_line(cells, stated.line, known.get("a"), digest, None if is_same else made_by)
    if not found.is_ours:
        found.remarks.append(say("verify.foreign", notebook=name))
        found.faults += _foreign(cells, seen, manifest, is_same)
        return found
    found.faults += executed.odd_parameters(cells, manifest["parameters"])
    found.faults += _made_again(cells, known, found.remarks, None if is_same else made_by)
    found.faults += [f"{PAGE}: {what}" for what in _page(cells, seen, stated.title, is_same)]
    return found


def _told_ours(manifest: Manifest) -> bool | None:
    """Whether the manifest says that the notebook is keyaudit's; None if its version did not say so."""
    told = manifest["notebook"]
    if "ours" not in told and not released.tells(str(manifest["tool"]["keyaudit"]), "ours"):
        return None
    if type(told["ours"]) is not bool:
        raise TypeError("ours")
    return bool(told["ours"])


def _bottom_line(
    cells: list[executed.Cell], line: Prose, a: Audit | None, digest: str, older: str | None
) -> list[str]:
    """Whether the bottom line is shown and is that of this judgement, in its words and in the data that it
    carries."""
    told = [one for one in executed.shown(cells) if "keyaudit" in one.metadata]
    if not told:
        return [f"{NOTEBOOK}: shows no bottom line"]
    wrong = [f"{NOTEBOOK}: its bottom line is not what the evidence gives"]
    metadata = {"keyaudit": {**line.metadata["keyaudit"], "findings_sha256": digest}}
    for one in told:
        if {"keyaudit": one.metadata["keyaudit"]} != metadata or one.others:
            return wrong
        if not _shows(_expected_line(line), one, a, older):
            return wrong
    return []


def _expected_line(line: Prose) -> executed.Expected:
    return executed.Expected("ka.bottom_line", repr(line), line._repr_html_(), line)


def _shows(want: executed.Expected, output: executed.Output, a: Audit | None, older: str | None) -> bool:
    """Whether an output is what was made again: word for word or, if another version (``older``) made it, by its
    facts."""
    if older is None:
        return (output.text, output.html) == (want.text, want.html)
    return former.agrees(want, output, a if released.version_of(older) < FORMER else None)


def _foreign(cells: list[executed.Cell], seen: markup.Seen, manifest: Manifest, is_same: bool) -> list[str]:
    """Faults of a page that keyaudit's own notebook did not make: it must show the bottom line, and name its
    notebook."""
    main = seen.texts.get("main", "")
    lines = [one.seen.texts.get("", "") for one in executed.shown(cells) if "keyaudit" in one.metadata]
    faults = (
        [f"{PAGE}: does not show the bottom line of {NOTEBOOK}"] if any(one not in main for one in lines) else []
    )
    notice = foreign_of(str(manifest["notebook"]["name"]), str(manifest["notebook"]["sha256"]))
    if not markup.has_our_head(seen):
        faults.append(f"{PAGE}: {HEAD}")
    if is_same and not main.startswith(markup.squeezed(notice)):
        faults.append(f"{PAGE}: does not say that its notebook is not one of keyaudit's")
    return faults


def _made_again(
    cells: list[executed.Cell], known: Mapping[str, Any], remarks: list[str], older: str | None
) -> list[str]:
    """Compare each output with the same call made again; say of pictures that they were not compared."""
    faults, unseen = [], []
    for number, cell in enumerate(cells, 1):
        if cell.kind != "code" or cell.is_injected:
            continue
        outputs = list(executed.shown([cell]))
        faults += [
            f"{NOTEBOOK}: cell {number} shows more than its calls do" for one in cell.outputs if _is_odd(one)
        ]
        wanted = executed.expected(cell, known)
        if wanted is None:
            wanted = [executed.Expected("charts", is_chart=True)] * len(outputs)
        if len(wanted) != len(outputs):
            faults.append(f"{NOTEBOOK}: cell {number} does not show what its calls do")
            continue
        for want, output in zip(wanted, outputs, strict=True):
            if want.text is None and not want.is_chart:
                unseen += [want.call] if not _is_chart(output) else []
            elif not (_is_chart(output) if want.is_chart else _shows(want, output, known.get("a"), older)):
                faults.append(f"{NOTEBOOK}: {want.call} does not show what the evidence gives")
    remarks += [say("verify.not_compared", what=", ".join(dict.fromkeys(unseen)))] if unseen else []
    return list(dict.fromkeys(faults))


def _is_chart(output: executed.Output) -> bool:
    """Whether this is a picture with its alternative text, and nothing else."""
    alternatives = [alt for _, alt in output.seen.pictures]
    return bool(_CHART.fullmatch(output.html)) and alternatives == [output.text]


def _is_odd(output: executed.Output) -> bool:
    """Whether a cell shows what none of ours does: something printed, a warning, an error, or a kind of content
    that a viewer would prefer."""
    return bool(output.others) or output.kind not in ("display_data", "execute_result")


def _page(cells: list[executed.Cell], seen: markup.Seen, told: str, is_same: bool) -> list[str]:
    """Faults of the page, which must show the cells of its notebook, one after the other, and nothing else."""
    cells = [cell for cell in cells if not cell.is_by_hand]
    faults = [f"has markup that no page of keyaudit has ({what})" for what in dict.fromkeys(seen.odd)]
    title = seen.texts.get("title", "")
    style = seen.texts.get("style", "").replace(css_text(title), TITLE)
    if not released.is_our_style(style):
        faults.append("its style is not one of keyaudit's")
    if is_same and title != markup.squeezed(told):
        faults.append("its title is not what the evidence gives")
    if not markup.has_our_head(seen):
        faults.append(HEAD)
    if not re.fullmatch(_footer(), seen.texts.get("footer", "")):
        faults.append("its last line is not what keyaudit writes")
    if seen.texts.get("", "").strip():
        faults.append("says something outside of its text")
    if not _leads_to_its_parts(seen, is_same):
        faults.append("its contents are not those of its text")
    parts = [output.seen for output in executed.shown(cells)]
    if seen.pictures != [one for part in parts for one in part.pictures]:
        faults.append(f"its pictures are not those of {NOTEBOOK}")
    if [one for one in seen.classes if one != FRAME] != [one for part in parts for one in part.classes]:
        faults.append(f"does not look as {NOTEBOOK} does")
    named = [say("page.contents")] if "nav" in seen.texts else []
    if seen.labels != named + [one for part in parts for one in part.labels]:
        faults.append(f"its labels are not those of {NOTEBOOK}")
    if seen.links != [one for cell in cells if cell.kind == "markdown" for one in _LINK.findall(cell.source)]:
        faults.append(f"its links are not those of {NOTEBOOK}")
    if not _follows(cells, seen.texts.get("main", "")):
        faults.append(f"does not say what {NOTEBOOK} says")
    return faults


def _leads_to_its_parts(seen: markup.Seen, is_same: bool) -> bool:
    """Whether what stands before the text has the headings of its parts, and leads to them; earlier pages have
    nothing before their text."""
    if not is_same and "nav" not in seen.texts:
        return not any(mark for mark, _ in seen.parts)
    told = seen.texts.get("nav", ""), seen.jumps
    marks = [f"#{mark}" for mark, _ in seen.parts]
    if len(marks) < 2:
        return told == ("", [])
    return told == (" ".join(heading for _, heading in seen.parts), marks) and len(set(marks)) == len(marks)


def _footer() -> str:
    """The pattern of the last line, whatever version wrote it."""
    return re.escape(markup.squeezed(say("page.footer", version="\0"))).replace("\0", r"\S{1,40}")


def _follows(cells: list[executed.Cell], main: str) -> bool:
    """Whether the text of a page is that of the cells in their order: outputs word for word, and between them the
    letters of the prose (whose typesetting is the page's own affair)."""
    at, prose = 0, ""
    for cell in cells:
        if cell.kind == "markdown":
            prose += markup.letters(_NUMBERED.sub("", _LINKED.sub(r"\1", cell.source)))
        for output in executed.shown([cell]):
            text = output.seen.texts.get("", "")
            if not text:
                continue
            found = main.find(text, at)
            if found < 0 or markup.letters(main[at:found]) != prose:
                return False
            at, prose = found + len(text), ""
    return markup.letters(main[at:]) == prose
