"""Capture folders: ``accounts.json``, and one folder per account with its report and ``capture.json``.

The sample is a capture folder, and so is ``raw/`` in an evidence folder. A capture may come from somebody else, so
nothing in it is read or copied that has no digest in ``capture.json`` or is not a plain file.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

from keyaudit import resources
from keyaudit.captured import documents
from keyaudit.captured.documents import Document
from keyaudit.captured.layout import ACCOUNTS_FILE, CAPTURE_FILE, REPORT_FILE
from keyaudit.credentials import parse_instant, refused
from keyaudit.files import is_plain, printable, read_plain, unreadable
from keyaudit.model import Origin, Population
from keyaudit.schema import InputError
from keyaudit.sources.listed import expected, listed_accounts, refuse_odd_problems, skipped
from keyaudit.sources.origin import is_live, texts
from keyaudit.sources.walk import account_folders
from keyaudit.texts import all_masked, looks_secret, say

POLICY_FILE = "policy.toml"
#: what evidence carries over from accounts.json
CARRIED = (
    "asked", "caller", "partition", "listed", "skipped", "problems",
    "started_time", "finished_time", "tool", "calls", "insecure_cluster",
)  # fmt: skip


def find_capture(folder: Path, now: datetime, sealed: bool = False, captured: Collection[str] = ()) -> Population:
    """The accounts of a capture folder, including those that were expected and are not there. ``sealed`` and
    ``captured`` as for ``sources.find``: a seal vouches for every file in the folder, even in evidence that is
    older than the digests of reports.

    InputError for what is not a capture, and for links in it.
    """
    inside = account_folders(folder)
    told = (folder / ACCOUNTS_FILE).is_file()
    facts = _read_json(folder / ACCOUNTS_FILE) if told else {}
    refuse_odd_problems(facts, folder / ACCOUNTS_FILE)
    facts = _masked(facts, folder / ACCOUNTS_FILE)
    is_sample = facts.get("sample") is True
    is_own = is_sample and is_own_sample(folder)
    if sealed or is_own:
        # evidence records when its raw reports were read, so that they are judged the same whenever that is done
        now = parse_instant(str(facts.get("read_time"))) or now
    if sealed:
        captured = texts(facts.get("captured"))
    if inside != [folder]:
        known = (ACCOUNTS_FILE, POLICY_FILE if is_sample else ACCOUNTS_FILE)
        for path in sorted(folder.iterdir()):
            if not path.is_dir() and not path.name.startswith(".") and path.name not in known:
                raise InputError(f"{path}: a loose file in a capture folder; put reports in a folder of their own")
    origins = [_captured(account, now, sealed, account.name in captured) for account in inside]
    policy = folder / POLICY_FILE
    doubts = _doubts(facts if told else None, folder, inside)
    # evidence has a list of its own making; it carries what spoke against the list of its source
    doubts += texts(facts.get("doubts")) if sealed else []
    carried = {name: facts[name] for name in CARRIED if name in facts} | ({"doubts": doubts} if doubts else {})
    return Population(
        origins=tuple(_named(origins, facts.get("listed"))),
        received_time=now,
        expected=expected(facts, folder),
        is_sample=is_sample,
        policy=policy if is_own and policy.is_file() else None,
        skipped=skipped(facts, folder),
        problems=tuple(facts.get("problems", ())),
        facts=carried,
        listed=tuple(sorted(listed_accounts(facts, folder))),
        doubts=tuple(doubts),
    )


def own_sample() -> Path:
    """The capture folder of the account that comes with keyaudit."""
    return resources.data("sample")


def is_own_sample(folder: Path) -> bool:
    """Whether this is the sample that comes with keyaudit, or a copy of it, and not a folder that calls itself one:
    that one is judged like any other."""
    try:
        return folder.resolve() == own_sample().resolve() or _visible(folder) == _visible(own_sample())
    except OSError:  # reading it will say so
        return False


def _visible(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("[!.]*") if not path.is_dir()]
    return {path.relative_to(folder).as_posix(): read_plain(path) for path in paths}


def _doubts(facts: dict[str, Any] | None, folder: Path, inside: list[Path]) -> list[str]:
    """What keyaudit always writes of the accounts that a capture was to read, and is not there. ``facts``: None if
    there is no list at all, which is not the same as an empty one."""
    if facts is not None:
        return [] if "expected" in facts else [say("problem.no_expected", file=ACCOUNTS_FILE)]
    whole = inside != [folder] and any(
        is_live(_read_json(one / CAPTURE_FILE)) for one in inside if is_plain(one / CAPTURE_FILE)
    )
    return [say("problem.no_accounts", file=ACCOUNTS_FILE)] if whole else []


def joined_facts(parts: list[Population]) -> dict[str, Any]:
    """What evidence of several sources carries over of the captures among them."""
    names = ("skipped", "problems", "doubts")
    found = {name: [one for part in parts for one in part.facts.get(name, [])] for name in names}
    return {name: told for name, told in found.items() if told or name != "doubts"}


def _captured(folder: Path, now: datetime, sealed: bool, captured_now: bool) -> Origin:
    told = _read(folder / CAPTURE_FILE) if is_plain(folder / CAPTURE_FILE) else None
    facts: dict[str, Any] = {} if told is None else _parsed(told, folder / CAPTURE_FILE)
    _refuse_odd_facts(facts, folder / CAPTURE_FILE)
    facts = _masked({**facts, "calls": None} if "calls" in facts else facts, folder / CAPTURE_FILE)
    problems = texts(facts.get("problems"))
    if told is None:
        facts = {"account_id": folder.name}
        problems = [say("read.no_capture_file", account=folder.name, file=CAPTURE_FILE)]
    file = facts.get("file", REPORT_FILE)
    # a name from JSON is never followed out of the account's own folder
    path = folder / file if isinstance(file, str) and file == Path(file).name and file not in (".", "..") else None
    if path is not None and not sealed and not isinstance(facts.get("sha256"), str):
        if told is not None:
            problems = [*problems, say("read.no_digest", account=folder.name, file=CAPTURE_FILE)]
        path = None
    elif path is not None and not is_plain(path):
        problems, path = [*problems, say("read.no_report", account=folder.name)], None
    return Origin(
        # a capture without a report is known by what says so
        name=printable(
            str(facts.get("source") or f"{folder.name}/{file if isinstance(file, str) else CAPTURE_FILE}")
        ),
        path=path,
        received_time=parse_instant(str(facts.get("received_time"))) or now,
        read_time=now,
        capture={**facts, "problems": problems},
        folder=folder,
        captured_now=captured_now,
        told=told,
    )


def _refuse_odd_facts(facts: dict[str, Any], path: Path) -> None:
    """A fact that cannot be read is not the same as none."""
    refuse_odd_problems(facts, path)
    for name in ("generated_time", "received_time"):
        if facts.get(name) is not None and parse_instant(str(facts[name])) is None:
            raise InputError(f"{path}: {name} is not an ISO 8601 time with a zone; capture again")


def read_document(origin: Origin, one: Document) -> dict[str, Any] | None:
    """What AWS said when the report was captured, as JSON; None if nobody asked. InputError if it is not what was
    captured."""
    if origin.folder is None or origin.path is None or (origin.capture or {}).get(one.digest) is None:
        return None
    content = document(origin, one)
    if content is None:
        raise refused(origin.name, "document", file=one.file)
    return _parsed(content, f"{origin.name}: {one.file}")


def document(origin: Origin, one: Document) -> bytes | None:
    """A document beside the report whose digest is in ``capture.json``; None if there is no digest, or if the file
    is another one or not a plain file."""
    digest = (origin.capture or {}).get(one.digest)
    if origin.folder is None or digest is None:
        return None
    try:
        content = read_plain(origin.folder / one.file)
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == digest else None


def calls_of(origin: Origin) -> Any:
    """The calls by which an account was read, as its capture tells; None if it does not. They are read again, since
    they are most of what a capture tells, and few who read it look at them."""
    facts = {} if origin.told is None else _parsed(origin.told, origin.name)
    return _masked({"calls": facts.get("calls")}, origin.name)["calls"]


def whole_capture(origin: Origin, account_id: str, is_read: bool) -> Path | None:
    """The account's capture folder, if it can be copied as it is and will be read as the same: it tells when the
    report was received, and its name or its own word gives the report its present name. A folder can be copied,
    too, which says that no report was had, and of which account."""
    facts, folder = origin.capture or {}, origin.folder
    is_whole = (
        folder is not None
        and origin.told is not None
        and not looks_secret(origin.told.decode("utf-8", "replace"))
        and not looks_secret(json.dumps(_parsed(origin.told, origin.name), ensure_ascii=False))  # without codes
        # without the digest of its report, it would be read differently once a seal vouches for it
        and (isinstance(facts.get("sha256"), str) or facts.get("file", REPORT_FILE) is None)
        and ("source" in facts or folder.name == account_id)
        and facts.get("file", REPORT_FILE)
        in (CAPTURE_FILE, REPORT_FILE, *(one.file for one in documents.DOCUMENTS), None)
        and (is_read or facts.get("account_id") == account_id == folder.name)
        and parse_instant(str(facts.get("received_time"))) is not None
    )
    return folder if is_whole else None


def _read(path: Path) -> bytes:
    try:
        return read_plain(path)
    except OSError as error:
        raise InputError(unreadable(path, error)) from None


def _read_json(path: Path) -> dict[str, Any]:
    return _parsed(_read(path), path)


def _parsed(content: bytes, place: str | Path) -> dict[str, Any]:
    try:
        facts = json.loads(content)
    except (ValueError, RecursionError):
        raise refused(str(place), "capture_no_json") from None
    if not isinstance(facts, dict):
        raise refused(str(place), "capture_no_object")
    return facts


def _masked(facts: dict[str, Any], place: str | Path) -> dict[str, Any]:
    """Facts without what looks like a secret, whichever of them it is in."""
    try:
        return dict(all_masked(facts))
    except RecursionError:
        raise refused(str(place), "capture_no_json") from None


def _named(origins: list[Origin], listed: Any) -> list[Origin]:
    """Each account with its name in the organization's list; without a list they have no names."""
    some = listed if isinstance(listed, list) else []
    names = {str(one.get("Id")): str(one["Name"]) for one in some if isinstance(one, dict) and one.get("Name")}
    return [
        dataclasses.replace(one, account_name=names.get(str((one.capture or {}).get("account_id")), ""))
        for one in origins
    ]
