"""A capture folder: begun, resumed, finished. ``accounts.json`` says what was asked for and what there is to read.

An account that is read appears by one rename, so that a run that is killed loses at most the accounts that it was
reading; the same command reads the others.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from keyaudit import __version__
from keyaudit.capture.account import UNKNOWN, Captured, Options, Target, as_json, capture_account, is_complete
from keyaudit.capture.calls import CallFailedError, Calls
from keyaudit.capture.organization import Listing, list_organization, read_accounts_file, targets
from keyaudit.capture.session import Session, account_of_role, connect
from keyaudit.capture.workers import LateError, Pace, each, within
from keyaudit.schema import InputError
from keyaudit.sources import ACCOUNTS_FILE
from keyaudit.texts import say, utc

Progress = Callable[[Iterator[Captured], int], Iterable[Captured]]
LOCK = ".lock"


@dataclass(frozen=True)
class Request:
    """What is to be captured, and where to. ``folder`` None: a dated one under ``parent``, or there the newest that
    the same command left unfinished."""

    options: Options
    folder: Path | None = None
    parent: Path = Path("reports/captures")
    profile: str = ""
    region: str = ""
    role_arn: str = ""
    external_id: str = ""
    organization: bool = False
    accounts: Path | None = None
    role_name: str = ""
    jobs: int = 8
    fresh: bool = False

    def asked(self) -> dict[str, Any]:
        """What makes two commands the same one, for resuming."""
        what = "organization" if self.organization else "accounts" if self.accounts else "account"
        names = {"role_arn": self.role_arn, "role_name": self.role_name, "profile": self.profile}
        return {"what": what, **{name: value or None for name, value in names.items()}, **self.options.asked()}


@dataclass(frozen=True)
class Capture:
    """A finished capture: its folder, what came of each account that was read now, how many had been read before,
    and what is missing of the list of accounts itself."""

    folder: Path
    captured: tuple[Captured, ...]
    resumed: int
    problems: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        return not self.problems and all(one.is_read and not one.problems for one in self.captured)


def capture(request: Request, progress: Progress | None = None) -> Capture:
    """Read what was asked for into the capture folder. InputError where it cannot even be begun."""
    listing = read_accounts_file(request.accounts) if request.accounts else None
    own = account_of_role(request.role_arn) if request.role_arn else None
    session = connect(request.profile, request.region)
    calls = Calls(request.options.deadline, Pace(request.options.rate))
    begun = _Begun(session)
    try:
        within(calls.until, lambda: _begin(request, calls, begun))
    except LateError:
        begun.failure = begun.failure or CallFailedError("sts:GetCallerIdentity", "deadline")
    if listing is None and request.organization:
        listing = _listed(calls, begun)
    if listing is None:
        known = begun.caller.split(":")[4] if begun.caller else own
        listing = Listing((known,) if known else ())
        todo = [Target(known, lambda _: begun.enter())]
    else:
        todo = targets(listing, begun.session, begun.caller, request.role_name, request.external_id)
        if begun.failure:
            todo = [Target(one.account_id, lambda _: begun.enter()) for one in todo]
    facts = {
        "format": 1,
        "asked": request.asked(),
        "expected": list(listing.expected),
        "caller": begun.caller,
        "partition": session.partition,
        "listed": list(listing.listed),
        "skipped": list(listing.skipped),
        "problems": list(listing.problems),
        "started_time": utc(datetime.now(UTC)),
        "finished_time": None,
        "tool": {"keyaudit": __version__},
        "calls": calls.records,
    }
    folder = _choose(request, facts)
    with _held(folder):
        remaining = _resume(folder, request, todo)
        _write_facts(folder, facts)
        captured = _read_all(remaining, request, folder, progress)
        _write_facts(folder, {**facts, "finished_time": utc(datetime.now(UTC))})
    return Capture(folder, tuple(captured), len(todo) - len(remaining), listing.problems)


@dataclass
class _Begun:
    """The session that accounts are entered from, and who acts in it; ``failure`` where that is not known."""

    session: Session
    caller: str | None = None
    failure: CallFailedError | None = None

    def enter(self) -> tuple[Session, str | None]:
        """For the account of the session itself."""
        if self.failure and not self.failure.api == "sts:GetCallerIdentity":
            raise self.failure
        return self.session, self.caller


def _begin(request: Request, calls: Calls, begun: _Begun) -> None:
    try:
        if request.role_arn:
            begun.session, begun.caller = begun.session.assume(request.role_arn, request.external_id, calls)
        else:
            sts = begun.session.client("sts", calls)
            begun.caller = str(calls.call(sts, "get_caller_identity", ("Arn",))["Arn"])
    except CallFailedError as error:
        begun.failure = error


def _listed(calls: Calls, begun: _Begun) -> Listing:
    try:
        begun.enter()
        return within(calls.until, lambda: list_organization(calls, begun.session))
    except CallFailedError as error:
        why = error.why
    except LateError:
        why = say("capture.why.deadline", api="organizations:ListAccounts")
    return Listing((), problems=(say("capture.unknown.accounts", why=why),))


def _choose(request: Request, facts: dict[str, Any]) -> Path:
    """The folder named, or a dated one, or the one that the same command left unfinished."""
    if request.folder:
        return request.folder
    asked = facts["asked"]
    whose = (facts["expected"] or [UNKNOWN])[0] if asked["what"] == "account" else asked["what"]
    names = sorted(request.parent.glob(f"*-{whose}"), reverse=True)
    former = _facts(names[0]) if names and not request.fresh else None
    if former and not former.get("finished_time") and former.get("asked") == asked:
        return names[0]
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    number, name = 1, f"{stamp}-{whose}"
    while (request.parent / name).exists():
        number += 1
        name = f"{stamp}.{number}-{whose}"
    return request.parent / name


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """The folder, made, and held by this run alone. InputError if it cannot be had."""
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(folder / LOCK, timeout=0):
            yield
    except Timeout:
        raise InputError(f"{folder}: another capture is writing there; wait, or name another folder") from None
    except NotADirectoryError:
        raise InputError(f"{folder}: is a file; name a folder") from None
    except PermissionError as error:
        raise InputError(f"{folder}: cannot write a capture there ({error.strerror})") from None


def _resume(folder: Path, request: Request, todo: list[Target]) -> list[Target]:
    """The accounts that remain to be read. InputError where the folder holds something else."""
    present = [path for path in folder.iterdir() if path.name != LOCK]
    former = _facts(folder)
    if former is None and any(not path.name.startswith(".") for path in present):
        raise InputError(f"{folder}: holds something that is no capture; name an empty folder")
    if former and not request.fresh and former.get("asked") != request.asked():
        raise InputError(f"{folder}: holds a capture of something else; name another folder, or give --fresh")
    if request.fresh:
        for path in present:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        return todo
    for path in present:
        if path.name.startswith(".staging-"):
            shutil.rmtree(path)
    remaining = [one for one in todo if not is_complete(folder / (one.account_id or UNKNOWN), request.options)]
    if former and former.get("finished_time") and not remaining and not former.get("problems"):
        raise InputError(
            f"{folder}: a capture finished at {former['finished_time']}, with nothing missing; "
            "name another folder for a new one, or give --fresh"
        )
    return remaining


def _facts(folder: Path) -> dict[str, Any] | None:
    try:
        facts = json.loads((folder / ACCOUNTS_FILE).read_bytes())
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def _write_facts(folder: Path, facts: dict[str, Any]) -> None:
    new = folder / f".{ACCOUNTS_FILE}"
    new.write_bytes(as_json(facts))
    new.chmod(0o600)
    new.replace(folder / ACCOUNTS_FILE)


def _read_all(todo: list[Target], request: Request, folder: Path, progress: Progress | None) -> list[Captured]:
    results = (
        result for _, result in each(lambda one: capture_account(one, request.options, folder), todo, request.jobs)
    )
    return sorted(progress(results, len(todo)) if progress else results, key=lambda one: one.account_id)
