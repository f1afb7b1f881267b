"""Shared by the tests of live AWS: accounts that are COMPLIANT once all of them is read, the command as a process that
meets a scenario, and what a capture folder may hold afterwards.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from aws import MANAGEMENT, ROLE, SECRET_KEY, Fault, Report, Scenario, add_user, make_organization, report_of
from forked import SIGNALLED, Running, server
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

T = TypeVar("T")
FACTS, REPORT, INVENTORY = "capture.json", "credential-report.csv", "inventory.json"
#: a process that hangs is ended after so many seconds, and its test fails
PATIENCE = 90
#: what a run executes first so that its pauses, boto3's between two attempts among them, are over at once
HURRIED = "import time\nreal = time.sleep\ntime.sleep = lambda seconds: real(seconds / 25)"


@dataclass(frozen=True)
class Account:
    """An account in moto as it is: its report, and the ids of the keys of its users."""

    account_id: str
    report: Report
    keys: dict[str, list[str]]


@dataclass(frozen=True)
class Ended:
    """What came of a process."""

    code: int
    out: bytes
    err: str
    seconds: float

    @property
    def judged(self) -> dict[str, Any]:
        """The object that ``check -f json`` printed; empty where it printed none."""
        return json.loads(self.out) if self.out else {}


@dataclass
class World:
    """Accounts that are read together, and the options for that; ``others`` are there and not asked for, and the member
    is one that its role leads into."""

    accounts: dict[str, Account]
    options: tuple[str, ...]
    page_size: int
    others: dict[str, Account] = field(default_factory=dict)

    @property
    def member(self) -> str:
        return list(self.accounts)[-1]

    def scenario(self, aws: Any, faults: Iterable[Fault] = (), **options: Any) -> Scenario:
        """What a process of MANAGEMENT meets; ``options`` are fields of Scenario."""
        reports = {name: one.report for name, one in {**self.accounts, **self.others}.items()}
        return aws.scenario(faults=list(faults), reports=reports, page_size=self.page_size, **options)


def one_account(users: int = 5, overdue: bool = False) -> World:
    """The caller's own account, its users on two pages; COMPLIANT by the preset cis, unless a key is overdue."""
    accounts = {MANAGEMENT: _account(MANAGEMENT, users, overdue)}
    return World(accounts, ("--owner-tag", "Owner"), 3)


def organization(members: int = 2) -> World:
    """The caller's own account and members of its organization, on two pages."""
    ids = [MANAGEMENT, *make_organization(members)]
    options = ("--organization", "--role-name", ROLE)
    return World({one: _account(one, 2) for one in ids}, options, 2)


def account_of_a_role() -> World:
    """One account, which a role leads into; the caller's own is another."""
    world = organization(1)
    options = ("--role-arn", f"arn:aws:iam::{world.member}:role/{ROLE}")
    own = {MANAGEMENT: world.accounts[MANAGEMENT]}
    return World({world.member: world.accounts[world.member]}, options, 2, own)


def _account(account_id: str, users: int, overdue: bool = False) -> Account:
    now = datetime.now(UTC).replace(microsecond=0)
    for number in range(users):
        days = 300 if overdue and number == users - 1 else 10
        key = (now - timedelta(days=days), "Active", now - timedelta(days=1))
        add_user(account_id, f"user-{number}", now - timedelta(days=400), keys=[key], tags={"Owner": "team"})
    found = iam_backends[account_id]["aws"].users.values()
    keys = {user.name: [key.access_key_id for key in user.access_keys] for user in found}
    return Account(account_id, report_of(account_id, now), keys)


def killed(scenario: Scenario, *arguments: object, event: str, name: str) -> Ended:
    """The command, which kills itself at an event (see forked.SIGNALLED)."""
    return run(scenario, *arguments, first=SIGNALLED.format(number=signal.SIGKILL.value, event=event, name=name))


def started(scenario: Scenario, *arguments: object) -> Running:
    """The command as it runs; a context, at the end of which it has ended."""
    return server(is_measured=False).start(list(map(str, arguments)), scenario.env())


def run(scenario: Scenario, *arguments: object, **more: Any) -> Ended:
    """The command, run to its end; TimeoutExpired if it hangs. ``more``: see forked.Server.start."""
    begun = time.monotonic()
    done = server(is_measured=False).run(list(map(str, arguments)), scenario.env(), PATIENCE, **more)
    return Ended(done.returncode, done.stdout, done.stderr.decode(), time.monotonic() - begun)


def run_each(
    at_once: int, function: Callable[[T], tuple[Scenario, Iterable[object], str]], items: Iterable[T]
) -> list[Ended]:
    """The runs of what the function says of each item, in their order, so many at once: the scenario, the arguments, and
    the Python that its process executes first."""

    def _run(item: T) -> Ended:
        scenario, arguments, first = function(item)
        return run(scenario, *arguments, first=first)

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(_run, items))


def facts_of(folder: Path, account_id: str) -> dict[str, Any]:
    return json.loads((folder / account_id / FACTS).read_bytes())


def folders(folder: Path) -> list[str]:
    """The names of the accounts that have a folder."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path.name for path in found if path.is_dir() and not path.name.startswith("."))


def what_is_wrong(folder: Path, world: World) -> list[str]:
    """What is half-written, left over, of another account, or said to be complete and is not."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    known = {".lock", "accounts.json", "unknown-1", *world.accounts}
    wrong = [f"left over: {name}" for name in sorted(names - known)]
    if "accounts.json" in names:
        json.loads((folder / "accounts.json").read_bytes())
    for name in folders(folder):
        wrong += [f"{name}: {what}" for what in _wrong_of_account(folder / name, world.accounts.get(name))]
    return wrong


def _wrong_of_account(folder: Path, account: Account | None) -> list[str]:
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    if not {FACTS, INVENTORY} <= found.keys() <= {FACTS, INVENTORY, REPORT}:
        return [f"half a folder: {sorted(found)}"]
    facts = json.loads(found[FACTS])
    digests = {name: sha256(content).hexdigest() for name, content in found.items()}
    wrong = []
    if facts["sha256"] != digests.get(REPORT) or facts["inventory_sha256"] != digests[INVENTORY]:
        wrong.append("capture.json is of other files")
    if REPORT in found and (account is None or found[REPORT] != account.report.content):
        wrong.append("the report is not the one that AWS has of this account")
    missing = _missing(json.loads(found[INVENTORY]), account) if account else "the account"
    if facts["complete"] and (missing or facts["problems"] or REPORT not in found):
        wrong.append(f"said to be complete, without {missing or 'the report'}")
    return wrong


def is_all_there(folder: Path, account: Account) -> bool:
    """Whether the folder holds the report as AWS has it, and every user and key: never mind what it says of itself."""
    inside = folder / account.account_id
    if not (inside / REPORT).is_file() or (inside / REPORT).read_bytes() != account.report.content:
        return False
    return not _missing(json.loads((inside / INVENTORY).read_bytes()), account)


def _missing(inventory: dict[str, Any], account: Account) -> str:
    """What an inventory lacks of the account as it is."""
    if inventory.get("summary", {}).get("Users") != len(account.keys):
        return "totals"
    if sorted(user["UserName"] for user in inventory.get("users", [])) != sorted(account.keys):
        return "users"
    listed = {name: [key["AccessKeyId"] for key in keys] for name, keys in inventory.get("access_keys", {}).items()}
    return "" if listed == account.keys else "access keys"


def secrets_in(folder: Path, ended: Ended) -> list[str]:
    """Where the caller's secret, or one that AssumeRole handed out, has been written."""
    roles = [role for backends in sts_backends.values() for role in backends["aws"].assumed_roles]
    secrets = [SECRET_KEY, *(text for role in roles for text in (role.secret_access_key, role.session_token))]
    places = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    places |= {"stdout": ended.out, "stderr": ended.err.encode()}
    return [name for name, content in places.items() if any(text.encode() in content for text in secrets)]
