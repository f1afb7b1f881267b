"""One account -> its folder in the capture: the report as AWS sent it, the inventory, and how both were obtained.

The folder appears by one rename. An account that could not be read has one too, which says why.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from keyaudit import __version__, credentials
from keyaudit.aws.calls import CallFailedError, Calls
from keyaudit.aws.session import Session
from keyaudit.aws.workers import LateError, Pace, within
from keyaudit.capture.credential_report import Report, fetch_report
from keyaudit.capture.options import Options
from keyaudit.capture.tags import read_tags, tagged
from keyaudit.captured import documents
from keyaudit.captured.documents import INVENTORY
from keyaudit.captured.layout import CAPTURE_FILE, REPORT_FILE
from keyaudit.files import json_bytes, make_staging, write_file
from keyaudit.schema import InputError
from keyaudit.texts import say, utc

GRACE = 0.5  # seconds granted to work that notices the deadline by itself
FORMAT = 1


@dataclass(frozen=True)
class Target:
    """An account to be read; ``enter`` gives the session in it and the ARN of the caller. ``role``: that of a role
    which leads into it from anywhere, and not only from the caller's own session."""

    account_id: str | None
    enter: Callable[[Calls], tuple[Session, str | None]]
    role: str = ""


@dataclass
class _Taken:
    """What was obtained of an account so far; each field is set in one assignment, when it is complete."""

    calls: Calls
    caller: str | None = None
    alias: str | None = None
    report: Report | None = None
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    has_all: bool = False  # what a verdict needs; what follows is for people

    def problem(self, text: str) -> None:
        self.problems += (text,)

    def remark(self, text: str) -> None:
        self.remarks += (text,)


@dataclass(frozen=True)
class Taking:
    """What the taker of a document is given. ``begun`` is what the file holds so far: what is written there stays,
    even if the time ends. ``problem`` is called at once with what stays unknown."""

    calls: Calls
    session: Session
    iam: Any
    options: Options
    report: Report
    begun: dict[str, Any]
    problem: Callable[[str], None]


@dataclass(frozen=True)
class Captured:
    """What came of an account: its label, whether its report was read, what is missing, and remarks."""

    account_id: str
    is_read: bool
    problems: tuple[str, ...]
    remarks: tuple[str, ...]


def capture_account(target: Target, options: Options, folder: Path) -> Captured:
    """Read one account into ``folder`` within the deadline; nothing that AWS answers raises an exception."""
    return place(folder, *read_account(target, options))


def read_account(target: Target, options: Options) -> tuple[Captured, dict[str, bytes]]:
    """(what came of the account, the files of its folder), within the deadline; nothing that AWS answers raises an
    exception."""
    calls = Calls(options.deadline, Pace(options.rate))
    taken = _Taken(calls, documents={INVENTORY.name: {"mode": options.reconcile}})
    started = datetime.now(UTC)
    try:
        within(calls.until + GRACE, lambda: _take(target, options, taken))
    except LateError:
        late = say("capture.late", seconds=f"{options.deadline:g}", apis=calls.asked())
        (taken.remark if taken.has_all else taken.problem)(late)
    except CallFailedError as error:
        taken.problem(say("capture.not_read", why=error.why))
    return _files_of(target, options, taken, started)


def not_read(target: Target, options: Options, why: str) -> tuple[Captured, dict[str, bytes]]:
    """The same of an account that nobody got to read, and why."""
    taken = _Taken(Calls(options.deadline, Pace(options.rate)))
    taken.problem(say("capture.not_read", why=why))
    return _files_of(target, options, taken, datetime.now(UTC))


def _take(target: Target, options: Options, taken: _Taken) -> None:
    calls = taken.calls
    session, taken.caller = target.enter(calls)
    iam = session.client("iam", calls)
    if taken.caller is None:
        taken.problem(say("capture.unknown.caller"))
    elif target.account_id and taken.caller.split(":")[4:5] != [target.account_id]:
        taken.problem(say("capture.other_account", caller=taken.caller))
    report = fetch_report(calls, iam)
    taken.report = report
    for remark in report.remarks:
        taken.remark(remark)
    if report.generated_time is None:
        taken.problem(say("capture.undated"))
    for one in documents.DOCUMENTS:
        if not one.compared and one.name not in options.beside:
            continue
        begun = taken.documents.get(one.name, {})
        try:
            given = Taking(calls, session, iam, options, report, begun, taken.problem)
            taken.documents[one.name] = documents.function(one.taker)(given)
        except CallFailedError as error:
            taken.problem(say(one.unknown, why=error.why))
    taken.has_all = True
    if what := tagged(options):
        try:
            begun = taken.documents[INVENTORY.name]
            read_tags(Taking(calls, session, iam, options, report, begun, taken.remark))
        except CallFailedError as error:
            for name in what:
                taken.remark(say(f"capture.unknown.{name}", why=error.why))
    try:
        aliases = calls.call(iam, "list_account_aliases", ("AccountAliases",))["AccountAliases"]
        taken.alias = str(aliases[0]) if aliases else None
    except CallFailedError as error:
        taken.remark(say("capture.unknown.alias", why=error.why))


def _files_of(
    target: Target, options: Options, taken: _Taken, started: datetime
) -> tuple[Captured, dict[str, bytes]]:
    report, problems, remarks = taken.report, taken.problems, taken.remarks
    account_id = target.account_id or _account_of(report)
    facts: dict[str, Any] = {
        "format": FORMAT,
        "account_id": account_id,
        "alias": taken.alias,
        "source": say("capture.source", account=account_id or say("provenance.unknown")),
        "caller": taken.caller,
        "partition": taken.caller.split(":")[1] if taken.caller else None,
        "file": REPORT_FILE if report else None,
        "form": "csv" if report else None,
        "bytes": len(report.content) if report else 0,
        "sha256": hashlib.sha256(report.content).hexdigest() if report else None,
        "generated_time": utc(report.generated_time) or None if report else None,
        "received_time": utc(report.received_time if report else datetime.now(UTC)),
        "started_time": utc(started),
        "asked": options.asked(),
        "complete": report is not None and not problems,
        "problems": list(problems),
        "remarks": list(remarks),
        "tool": {"keyaudit": __version__},
    }
    files = {REPORT_FILE: report.content} if report else {}
    held = [one for one in documents.DOCUMENTS if one.name in taken.documents]
    for one in held:
        files[one.file] = json_bytes(dict(taken.documents[one.name]))
        facts[one.digest] = hashlib.sha256(files[one.file]).hexdigest()
    facts["calls"] = list(taken.calls.records)
    label = account_id or UNKNOWN
    files[CAPTURE_FILE] = json_bytes(facts)
    # said now and not written: whoever judges the capture reads it from the functions' own settings
    told = [documents.function(one.remarks)(taken.documents[one.name]) for one in held if one.remarks]
    return Captured(label, report is not None, problems, (*remarks, *chain.from_iterable(told))), files


UNKNOWN = "unknown-1"


def _account_of(report: Report | None) -> str | None:
    try:
        text = credentials.unwrap(report.content, REPORT_FILE).text if report else ""
    except InputError:
        return None
    return credentials.peek_account(text)


def place(folder: Path, captured: Captured, files: dict[str, bytes]) -> Captured:
    """Put the account's folder in the place of a former one. If the run is killed in between, the account is read
    again."""
    label = captured.account_id
    staging = make_staging(folder)
    for name, content in files.items():
        write_file(staging, name, content)
    if (folder / label).exists():
        former = staging.with_name(f"{staging.name}-former")
        (folder / label).rename(former)
        staging.rename(folder / label)
        shutil.rmtree(former, ignore_errors=True)
    else:
        staging.rename(folder / label)
    return captured


def is_complete(folder: Path, options: Options) -> bool:
    """Whether an account's folder holds all that the options ask for, so that the account need not be read
    again."""
    try:
        facts = json.loads((folder / CAPTURE_FILE).read_bytes())
        return facts["complete"] is True and facts["asked"] == options.asked()
    except (OSError, ValueError, KeyError, TypeError):
        return False
