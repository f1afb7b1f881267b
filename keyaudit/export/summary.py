"""An Audit as ``summary.json``, for machines; also ``check -f json``."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import Any

import orjson

from keyaudit.export.tabular import columns
from keyaudit.files import json_text
from keyaudit.model import Audit, RotationVerdict
from keyaudit.present import rule
from keyaudit.texts import utc


def _summary(audit: Audit, findings: list[dict[str, Any]]) -> dict[str, Any]:
    """The judgement as one JSON object; the keys are a contract (reports/README.md, "For machines")."""
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
        "findings": findings,
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


def summary_json(audit: Audit) -> bytes:
    """The judgement as indented UTF-8 JSON with a final newline. Findings are many, and the standard library, which
    writes all other files, indents in Python and takes ten times as long."""
    found = columns(audit.findings)
    rows = [*map(dict, map(zip, repeat(found), zip(*found.values(), strict=True)))]
    return orjson.dumps(_summary(audit, rows), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
