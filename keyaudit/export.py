"""An Audit as files: ``findings.csv`` for spreadsheets, ``summary.json`` for machines (also ``check -f``)."""

from __future__ import annotations

import csv
import io
import json
import string
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from keyaudit.files import json_text
from keyaudit.model import Audit, RotationVerdict
from keyaudit.present import rule
from keyaudit.schema import FINDING_COLUMNS, TIME
from keyaudit.texts import utc

#: a spreadsheet runs a cell that begins with one of these as a formula, whatever its width or size
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_MINUS = "\u2212"
_NO_FINDINGS = '\n "findings": []'
_PLAIN = frozenset(string.ascii_letters + string.digits)


def _summary(audit: Audit) -> dict[str, Any]:
    """The judgement as one JSON object, but for its findings; the keys are a contract (reports/README.md, "For
    machines")."""
    asked = any(one.rotations is not None for one in audit.provenance)
    return {
        "as_of": utc(audit.as_of),
        "as_of_source": audit.as_of_source,
        "assurance": audit.assurance,
        "rule": rule(audit),
        "policy": {
            "title": audit.policy.title,
            "version": audit.policy.version,
            "sha256": audit.policy.sha256,
            "given": audit.policy.given,
        },
        "sample": audit.is_sample,
        "conclusion": audit.conclusion,
        "conclusions": audit.conclusions,
        "accounts": [
            {
                "account_id": one.account_id,
                "generated_time": utc(one.generated_time) or None,
                "users": one.users,
                "keys": one.keys,
                "conclusion": one.conclusion,
                "problems": list(one.problems),
            }
            for one in audit.provenance
        ],
        "counts": audit.counts,
        "findings": [],
        "warnings": list(audit.warnings),
        "notes": list(audit.notes),
        **({"rotations": [rotation_record(one) for one in audit.rotations]} if asked else {}),
    }


def rotation_record(one: RotationVerdict) -> dict[str, Any]:
    """The verdict on a secret under rotation as a JSON object."""
    secret = one.secret
    return {
        "account_id": secret.account_id,
        "user": secret.user,
        "secret": secret.name,
        "region": secret.region,
        "compliance_type": one.compliance_type,
        "annotation": one.annotation,
        "remarks": list(one.remarks),
        "enabled": secret.is_enabled,
        "function": secret.function or None,
        "function_version": secret.version if secret.has_function else None,
        "every": secret.every,
        "limit": one.limit,
        "newest_key_made": utc(one.made) or None,
        "age_days": one.age_days,
        "last_rotated": utc(secret.last_rotated) or None,
        "next_rotation": utc(secret.next_rotation) or None,
    }


def rotations_json(found: Sequence[RotationVerdict], unseen: Sequence[str]) -> str:
    """Verdicts on secrets under rotation, and the accounts in which something was not seen."""
    return json_text({"rotations": [rotation_record(one) for one in found], "incomplete": list(unseen)})


def columns(findings: pd.DataFrame) -> dict[str, list[Any]]:
    """The columns of findings for JSON and CSV: integers stay integers, times are ISO 8601 in UTC, and what is
    missing is None."""
    found: dict[str, list[Any]] = {}
    for name, dtype in FINDING_COLUMNS.items():
        cells = findings[name]
        if dtype == TIME:
            moments = np.datetime_as_string(cells.to_numpy("datetime64[us]").astype("datetime64[s]")).tolist()
            found[name] = [None if moment == "NaT" else f"{moment}Z" for moment in moments]
        else:
            found[name] = cells.astype(object).where(cells.notna(), None).tolist()
    return found


def summary_json(audit: Audit) -> bytes:
    """The judgement as UTF-8 JSON with a final newline, as ``files.json_text`` writes it. Findings are many: they
    are put together from their columns, for the standard library indents in Python, which takes ten times as
    long."""
    text = json_text(_summary(audit))
    if not len(audit.findings):
        return text.encode()
    names, cells = zip(*columns(audit.findings).items(), strict=True)
    # JSON has no such sign, not even in its strings
    written = [json.dumps(column, ensure_ascii=False, separators=("\0", ":"))[1:-1].split("\0") for column in cells]
    row = "  {\n" + ",\n".join(f"   {json.dumps(name)}: %s" for name in names) + "\n  }"
    rows = ",\n".join(row % one for one in zip(*written, strict=True))
    # nor has it line breaks in strings: only what is written here can begin a line so
    return text.replace(_NO_FINDINGS, f'\n "findings": [\n{rows}\n ]', 1).encode()


def findings_csv(audit: Audit) -> bytes:
    """Every finding as UTF-8 CSV with a header and LF line ends; text that a spreadsheet would run as a
    formula gets an apostrophe in front (names in the other outputs are as AWS gave them)."""
    return table_csv(FINDING_COLUMNS, zip(*columns(audit.findings).values(), strict=True))


def table_csv(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> bytes:
    """Rows as UTF-8 CSV with LF line ends; a spreadsheet would run none of their cells."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_neutral(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _neutral(value: Any) -> Any:
    # nearly every cell begins with a letter or a digit that every keyboard has
    if not isinstance(value, str) or value[:1] in _PLAIN:
        return value
    return "'" + value if may_run(value) else value


def may_run(cell: str) -> bool:
    """Whether a spreadsheet would run a cell as a formula."""
    if cell.startswith(FORMULA):
        return True
    # a spreadsheet may skip what it does not show
    shown = next((c for c in cell if c.isprintable() and not c.isspace()), "")
    return bool(shown) and (shown == _MINUS or unicodedata.normalize("NFKC", shown).startswith(FORMULA))
