"""Which accounts are to be read: the caller's own, that of a role, those of a file, or a whole organization's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from keyaudit.aws.calls import CallFailedError, Calls
from keyaudit.aws.session import Session
from keyaudit.capture.target import Target
from keyaudit.captured.layout import INACTIVE_STATES
from keyaudit.files import reason_of
from keyaudit.schema import InputError
from keyaudit.texts import say, utc

ACCOUNT_ID = re.compile(r"[0-9]{12}", re.ASCII)


@dataclass(frozen=True)
class Listing:
    """The accounts of an organization: those to read, the list as AWS sent it, those that are not active and why,
    and the sentences that say why the list itself is not complete."""

    expected: tuple[str, ...]
    listed: tuple[dict[str, Any], ...] = ()
    skipped: tuple[dict[str, str], ...] = ()
    problems: tuple[str, ...] = ()


def list_organization(calls: Calls, session: Session) -> Listing:
    """Every page of ListAccounts; an incomplete list is not used."""
    try:
        client = session.client("organizations", calls)
        pages = calls.pages(client, "list_accounts", "Accounts")
        listed = [_plain(account) for page in pages for account in page["Accounts"]]
        ids = [account["Id"] for account in listed]
        if not ids or len(set(ids)) < len(ids) or not all(map(ACCOUNT_ID.fullmatch, ids)):
            raise CallFailedError("organizations:ListAccounts", "unreadable")
    except KeyError:
        return Listing((), problems=(say("capture.unknown.accounts", why=say("capture.why.unreadable", api=_API)),))
    except CallFailedError as error:
        return Listing((), problems=(say("capture.unknown.accounts", why=error.why),))
    # State replaces Status, and only State tells a closed account from a suspended one. An account is read unless
    # AWS says that it is not active
    states = {account["Id"]: str(account.get("State") or account.get("Status") or "unknown") for account in listed}
    return Listing(
        expected=tuple(sorted(one for one in ids if states[one] not in INACTIVE_STATES)),
        listed=tuple(listed),
        skipped=tuple(
            {"account_id": one["Id"], "name": str(one.get("Name", "")), "reason": states[one["Id"]]}
            for one in listed
            if states[one["Id"]] in INACTIVE_STATES
        ),
    )


_API = "organizations:ListAccounts"


def _plain(account: dict[str, Any]) -> dict[str, Any]:
    return {
        name: utc(value.astimezone(UTC)) if isinstance(value, datetime) else value
        for name, value in account.items()
    }


def read_accounts_file(path: Path) -> Listing:
    """Account ids, one per line, whatever follows them on the line; InputError names a line without one."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"--accounts {path}: cannot be read ({reason_of(error)})") from None
    except UnicodeDecodeError:
        raise InputError(f"--accounts {path}: cannot be read (not UTF-8)") from None
    found: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        entry = line.partition("#")[0].strip()
        if not entry:
            continue
        account_id = re.split(r"[\s,;]", entry, maxsplit=1)[0].strip("\"'")
        if not ACCOUNT_ID.fullmatch(account_id):
            raise InputError(
                f"--accounts {path}, line {number}: no account id; each line must begin with an id of 12 digits"
            )
        if account_id in found:
            first = found[account_id]
            raise InputError(f"--accounts {path}, line {number}: {account_id} again, as in line {first}")
        found[account_id] = number
    if not found:
        raise InputError(f"--accounts {path}: has no account ids; each line must begin with an id of 12 digits")
    return Listing(expected=tuple(sorted(found)))


def targets(
    listing: Listing, session: Session, caller: str | None, role_name: str, external_id: str
) -> list[Target]:
    """How each account is entered: the caller's own account with the caller's session (because service-managed
    StackSets leave the management account without the role), the others by the role."""
    own = caller.split(":")[4] if caller else None
    found = []
    for account_id in listing.expected:
        if account_id == own:
            found.append(Target(account_id, partial(_own, session, caller)))
        else:
            arn = f"arn:{session.partition}:iam::{account_id}:role/{role_name}"
            found.append(entered(account_id, session, arn, external_id))
    return found


def entered(account_id: str, session: Session, arn: str, external_id: str) -> Target:
    """An account that a role leads into."""
    return Target(account_id, partial(_assumed, session, arn, external_id), arn)


def _own(session: Session, caller: str | None, _: Calls) -> tuple[Session, str | None]:
    return session, caller


def _assumed(session: Session, arn: str, external_id: str, calls: Calls) -> tuple[Session, str | None]:
    return session.assume(arn, external_id, calls)
