"""A document beside the report is a row: with one of the test's own, whatever is said in the row follows from it."""

from __future__ import annotations

import dataclasses
import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import click
import pytest
from aws import Aws, Scenario, aws  # noqa: F401
from click.testing import CliRunner
from live_helpers import one_account

from keyaudit.auditing import audit
from keyaudit.aws.calls import CallFailedError
from keyaudit.aws.permissions import Needs, policy_json, role_template
from keyaudit.capture import Options, Request, capture
from keyaudit.captured import documents, strict
from keyaudit.captured.documents import DOCUMENTS, Document, Grant
from keyaudit.evidence import raw
from keyaudit.model import Audit
from keyaudit.schema import COMPLIANT, INSUFFICIENT_DATA

TRAIL = Document(
    name="trail",
    file="trail.json",
    digest="trail_sha256",
    taker=f"{__name__}:take",
    reader=f"{__name__}:read",
    grants=(Grant("Trail", ("cloudtrail:LookupEvents",)),),
    odd="reconcile.odd_rotation",
    unknown="capture.unknown.rotations",
    help="Read the trail too.",
)


def take(taking: Any) -> dict[str, Any]:
    aliases = taking.calls.call(taking.iam, "list_account_aliases", ("AccountAliases",))["AccountAliases"]
    if taking.options.deadline == 59:
        raise CallFailedError("cloudtrail:LookupEvents", "denied")
    return {"aliases": aliases}


def read(found: Any, account_id: str, rules: int) -> list[str]:
    return [strict.text(one) for one in strict.a_list(found["aliases"])]


@pytest.fixture
def scenario(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Scenario:  # noqa: F811
    monkeypatch.setattr(documents, "DOCUMENTS", (*DOCUMENTS, TRAIL))
    aws.reset()
    made = one_account().scenario(aws)
    for name, value in made.env().items():
        monkeypatch.setenv(name, value)
    for name in [name for name in os.environ if name.startswith("AWS_") and name not in made.env()]:
        monkeypatch.delenv(name)
    return made


def captured(scenario: Scenario, folder: Path, beside: tuple[str, ...] = ("trail",), deadline: float = 60) -> Path:
    options = Options(reconcile="keys", owner_tag="", deadline=deadline, rate=400, beside=beside)
    return capture(Request(options, folder=folder)).folder / scenario.account


def judged(folder: Path, *, sealed: bool = False) -> Audit:
    return audit(str(folder), "cis", sealed=sealed)


def test_it_is_taken_read_and_carried_into_evidence(scenario: Scenario, tmp_path: Path) -> None:
    folder = captured(scenario, tmp_path / "capture")
    content, facts = (folder / "trail.json").read_bytes(), json.loads((folder / "capture.json").read_bytes())
    assert json.loads(content) == {"aliases": []}
    assert facts["trail_sha256"] == sha256(content).hexdigest() and facts["asked"]["trail"] is True
    found = judged(tmp_path / "capture")
    assert found.conclusion == COMPLIANT
    raw.stage(tmp_path, "raw", found, {})
    assert (tmp_path / "raw" / scenario.account / "trail.json").read_bytes() == content
    assert judged(tmp_path / "raw", sealed=True).conclusion == COMPLIANT


def test_it_is_taken_only_where_it_is_asked_for(scenario: Scenario, tmp_path: Path) -> None:
    assert not (captured(scenario, tmp_path / "capture", beside=()) / "trail.json").exists()
    assert judged(tmp_path / "capture").conclusion == COMPLIANT


@pytest.mark.parametrize("content", [b'{"aliases": "none"}', b"{}", b"no JSON"])
def test_what_is_not_as_a_capture_writes_it_is_a_gap(scenario: Scenario, tmp_path: Path, content: bytes) -> None:
    folder = captured(scenario, tmp_path / "capture")
    (folder / "trail.json").write_bytes(content)
    facts = json.loads((folder / "capture.json").read_bytes())
    (folder / "capture.json").write_text(json.dumps(facts | {"trail_sha256": sha256(content).hexdigest()}))
    assert judged(tmp_path / "capture").conclusion == INSUFFICIENT_DATA


def test_what_was_changed_or_is_gone_is_a_gap(scenario: Scenario, tmp_path: Path) -> None:
    folder = captured(scenario, tmp_path / "capture")
    (folder / "trail.json").unlink()
    assert judged(tmp_path / "capture").conclusion == INSUFFICIENT_DATA
    facts = json.loads((folder / "capture.json").read_bytes())
    del facts["trail_sha256"]
    (folder / "capture.json").write_text(json.dumps(facts))
    assert judged(tmp_path / "capture").conclusion == INSUFFICIENT_DATA


def test_what_could_not_be_had_is_a_gap_that_the_capture_tells(scenario: Scenario, tmp_path: Path) -> None:
    folder = captured(scenario, tmp_path / "capture", deadline=59)
    (problem,) = json.loads((folder / "capture.json").read_bytes())["problems"]
    assert "cloudtrail:LookupEvents" in problem
    assert judged(tmp_path / "capture").conclusion == INSUFFICIENT_DATA


def test_its_permissions_are_in_the_policy_and_in_the_role(scenario: Scenario) -> None:
    assert "cloudtrail:LookupEvents" in policy_json(Needs(beside=("trail",)))
    assert "cloudtrail:LookupEvents" not in policy_json(Needs())
    assert "cloudtrail:LookupEvents" in role_template("Reader")


def test_its_option_is_the_rows() -> None:
    """Of those that there are: the commands are made when they are imported."""
    from keyaudit.cli import cli
    from keyaudit.cli.capture import capture

    for one in documents.optional():
        (option,) = [each for each in capture.params if each.name == one.name]
        assert isinstance(option, click.Option) and option.help == one.help
    assert CliRunner().invoke(cli, ["capture", "--help"]).exit_code == 0


def test_no_row_lacks_what_its_consumers_need() -> None:
    for one in DOCUMENTS:
        assert all(getattr(one, name) for name in ("name", "file", "digest", "taker", "reader", "grants", "odd"))
        assert callable(documents.function(one.taker)) and callable(documents.function(one.reader))
    for name in ("name", "file", "digest"):
        assert len({getattr(one, name) for one in DOCUMENTS}) == len(DOCUMENTS)
    assert dataclasses.is_dataclass(Document)
