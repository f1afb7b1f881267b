"""Data of another version against data of this one: equal except for sentences, and for what that version did not
have.

The facts in sentences are compared even so: numbers, dates and ids in the rule, the warnings and the notes.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from typing import Any

from keyaudit.evidence.released import Version, version_of

#: fields with sentences, which versions may word differently
WORDED = {"annotation", "problems", "remarks"}
#: fields that a finding or a rotation has had since a version
SINCE: dict[str, Version] = {
    "owner": (0, 2),
    "administrator": (0, 2),
    "function": (0, 3),
    "function_version": (0, 3),
    "assurance": (0, 4),
    "account_name": (0, 4),
    "last_used_date": (0, 4),
    "last_used_service": (0, 4),
    "purpose": (0, 4),
}
#: the part of a summary on which all versions must agree
CORE = (
    "as_of", "as_of_source", "sample", "policy", "conclusion", "conclusions", "counts", "findings", "accounts",
)  # fmt: skip
#: the part of a summary that only some evidence has, or only later versions have
LATER = ("rotations", "assurance")
#: lists of sentences, which must have the same facts, each as often
TOLD = ("warnings", "notes")
#: what counts as a fact in a sentence: whatever has a digit in it
_FACT = re.compile(r"[\w.:/+-]*\d[\w.:/+-]*")


def agrees(made_by: str, told: bytes, again: bytes) -> bool:
    """Whether findings (CSV) or a summary (JSON) of a version are what this one makes of the same evidence."""
    version = version_of(made_by)
    if told[:1] != b"{":
        return _agree(_rows(told), _rows(again), version)
    return _agree(_core(json.loads(told)), _core(json.loads(again)), version)


def told_digest(summary: bytes) -> str:
    """The digest of the findings in a summary, as ``present.findings_digest`` makes it."""
    told = json.loads(summary)
    rows = ("\x1f".join((r["finding_id"], r["compliance_type"], r["annotation"])) for r in told["findings"])
    return hashlib.sha256("\n".join([told["conclusion"], *rows]).encode()).hexdigest()


def _rows(content: bytes) -> list[dict[str, Any]]:
    """The rows of findings, without the apostrophe that keeps a spreadsheet from running one."""
    rows = csv.DictReader(io.StringIO(content.decode()))
    return [{name: cell.removeprefix("'") for name, cell in row.items()} for row in rows]


def _core(summary: dict[str, Any]) -> dict[str, Any]:
    facts = {name: summary[name] for name in (*CORE, *(name for name in LATER if name in summary))}
    return facts | {"rule": _facts(summary["rule"]), **{name: sorted(map(_facts, summary[name])) for name in TOLD}}


def _facts(sentence: str) -> list[str]:
    return sorted(fact.strip(".:") for fact in _FACT.findall(sentence))


def _agree(told: Any, again: Any, version: Version) -> bool:
    """Whether two values are the same, apart from sentences and what the version did not yet have."""
    if isinstance(told, dict) and isinstance(again, dict):
        later = {name for name, since in SINCE.items() if version < since}
        if told.keys() - again.keys() or again.keys() - told.keys() - later:
            return False
        return all(_agree(told[name], again[name], version) for name in told.keys() - WORDED)
    if isinstance(told, list) and isinstance(again, list):
        return len(told) == len(again) and all(_agree(*pair, version) for pair in zip(told, again, strict=True))
    return bool(told == again)
