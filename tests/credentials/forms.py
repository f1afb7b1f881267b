"""One small report in the forms that people have, and how one that cannot be read is refused."""

from __future__ import annotations

import base64
import json

import pytest
from conftest import AS_OF, FRESH, OLD, report

from keyaudit import InputError

THREE = report(("alice", OLD), ("bob", FRESH))
USUAL = {("alice", 1): "NON_COMPLIANT", ("bob", 1): "COMPLIANT"}


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def cli_json(text: str, **more: object) -> str:
    """What ``aws iam get-credential-report`` prints."""
    return json.dumps({"Content": base64_of(text), "ReportFormat": "text/csv", "GeneratedTime": AS_OF} | more)


def refusal(judge, content: str | bytes, **options: str) -> str:
    with pytest.raises(InputError) as refused:
        judge(content, **options)
    message = str(refused.value)
    assert "\n" not in message and message.startswith("report.csv")
    return message
