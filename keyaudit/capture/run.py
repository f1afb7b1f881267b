"""A capture from beginning to end: who asks, which accounts there are, and each of them read, several at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from keyaudit import __version__
from keyaudit.aws.calls import CallFailedError, Calls
from keyaudit.aws.forks import by_forks
from keyaudit.aws.partitions import account_of_role
from keyaudit.aws.session import Session, connect
from keyaudit.aws.workers import LateError, Pace, within
from keyaudit.capture.account_task import Reader, reader
from keyaudit.capture.folder import choose, held, refuse_foreign, resume, write_facts
from keyaudit.capture.options import Request
from keyaudit.capture.organization import Listing, list_organization, read_accounts_file, targets
from keyaudit.capture.target import Captured, Target
from keyaudit.cluster.client import Cluster
from keyaudit.files import why
from keyaudit.schema import EvidenceError
from keyaudit.texts import say, utc

ASKS, ASSUMES = "sts:GetCallerIdentity", "sts:AssumeRole"
Progress = Callable[[Iterator[Captured], int], Iterable[Captured]]


@dataclass(frozen=True)
class Capture:
    """A finished capture: its folder, what came of each account that was read now, how many accounts had been read
    before, and what is missing from the list of accounts itself."""

    folder: Path
    captured: tuple[Captured, ...]
    resumed: int
    problems: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        return not self.problems and all(one.is_read and not one.problems for one in self.captured)


def capture(request: Request, progress: Progress | None = None, cluster: Cluster | None = None) -> Capture:
    """Read what was asked for into the capture folder; with a cluster, accounts that a role leads into by its
    workers. InputError if the capture cannot even begin."""
    listing = read_accounts_file(request.accounts) if request.accounts else None
    own = account_of_role(request.role_arn) if request.role_arn else None
    session = connect(request.profile, request.region)
    calls = Calls(request.options.deadline, Pace(request.options.rate))
    begun = _Begun(session, ASSUMES if request.role_arn else ASKS)
    try:
        within(calls.until, lambda: _begin(request, calls, begun))
    except LateError:
        begun.failure = CallFailedError(begun.asks, "deadline")
    listing, todo = _wanted(request, calls, begun, listing, own)
    facts = _facts(request, calls, begun, listing, session.partition)
    folder = choose(request, facts)
    refuse_foreign(folder)
    try:
        with held(folder):
            remaining = resume(folder, request, todo)
            write_facts(folder, facts)
            if cluster is None and len(remaining) > 1:
                begun.session.get_ready(calls)
            read = reader(request, folder, begun.session, cluster)
            captured = _read_all(remaining, read, cluster.ahead if cluster else request.jobs, progress)
            write_facts(folder, {**facts, "finished_time": utc(datetime.now(UTC))})
    except ChildProcessError:
        raise EvidenceError(
            f"{folder}: the system ended a process that read accounts, or begins no more of them; "
            "give the command again, with fewer --jobs, and it reads the rest"
        ) from None
    except OSError as error:
        raise EvidenceError(f"{folder}: cannot write the capture ({why(error)}); give the command again") from None
    return Capture(folder, tuple(captured), len(todo) - len(remaining), listing.problems)


def _wanted(
    request: Request, calls: Calls, begun: _Begun, listing: Listing | None, own: str | None
) -> tuple[Listing, list[Target]]:
    """All accounts, and those that are to be read: one account, those of a file, or those of the organization."""
    if listing is None and request.organization:
        listing = _listed(calls, begun)
    if listing is None:
        known = begun.caller.split(":")[4] if begun.caller else own
        return Listing((known,) if known else ()), [Target(known, lambda _: begun.enter())]
    todo = targets(listing, begun.session, begun.caller, request.role_name, request.external_id)
    if begun.failure and begun.asks == ASSUMES:
        return listing, [Target(one.account_id, lambda _: begun.enter()) for one in todo]
    if begun.failure:
        unknown = say("capture.unknown.caller")
        listing = replace(listing, problems=(unknown, *listing.problems))
    return listing, todo


def _facts(request: Request, calls: Calls, begun: _Begun, listing: Listing, partition: str) -> dict[str, Any]:
    """What ``accounts.json`` says of a capture that has begun."""
    insecure = {"insecure_cluster": True} if request.insecure_cluster else {}
    return {
        "format": 1,
        **insecure,
        "asked": request.asked(),
        "expected": list(listing.expected),
        "caller": begun.caller,
        "partition": partition,
        "listed": list(listing.listed),
        "skipped": list(listing.skipped),
        "problems": list(listing.problems),
        "started_time": utc(datetime.now(UTC)),
        "finished_time": None,
        "tool": {"keyaudit": __version__},
        "calls": calls.records,
    }


@dataclass
class _Begun:
    """The session from which accounts are entered, who acts in it, and the ``failure`` of the call that
    ``asks``."""

    session: Session
    asks: str
    caller: str | None = None
    failure: CallFailedError | None = None

    def enter(self) -> tuple[Session, str | None]:
        """The session with which its own account is entered, and who acts in it, which may be unknown. Raises the
        failure if a role was to be assumed and could not be: without the role, this is another account."""
        if self.failure and self.asks == ASSUMES:
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


def _read_all(todo: list[Target], read: Reader, at_once: int, progress: Progress | None) -> list[Captured]:
    with by_forks(read, todo, at_once) as results:
        return sorted(progress(results, len(todo)) if progress else results, key=lambda one: one.account_id)
