"""AWS for tests, over real HTTP: moto in this process, and the layer of faults.py in front of it.

``aws.scenario(faults=[Fault("ListUsers", "throttle", first=2)])`` is what one process under test meets. Users and
keys are put into moto by ``add_user`` and its like, which need no calls; they are shared by all scenarios.
"""

from __future__ import annotations

import csv
import io
import itertools
import logging
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

import moto.backends
import moto.core.responses
import pytest
import yaml
from conftest import HEADER, ROOT, row
from faults import SECRET_KEY, Call, Fault, Layer, Report, Scenario, client_at
from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam.models import AccessKey, AccessKeyLastUsed, iam_backends
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_api._internal.moto_random import MotoRandom
from moto.organizations.models import organizations_backends
from moto.server import ThreadedMotoServer

__all__ = [
    "MANAGEMENT",
    "ROLE",
    "SECRET_KEY",
    "Aws",
    "Call",
    "Fault",
    "Report",
    "Scenario",
    "add_user",
    "aws",
    "key_of",
    "make_organization",
    "remove_user",
    "report_of",
    "set_account",
    "set_key",
    "set_root_keys",
    "set_user",
]
#: the account of a caller that moto knows nothing of
MANAGEMENT = DEFAULT_ACCOUNT_ID
#: the role that an organization's accounts are made with
ROLE = "OrganizationAccountAccessRole"
CREATED = "2020-01-01T00:00:00Z"
When = datetime | str


def random_string(self: MotoRandom, length: int = 20, include_digits: bool = True, lower_case: bool = False) -> str:
    pool = string.ascii_letters + string.digits * include_digits
    text = "".join(self.choices(pool, k=length))
    return text.lower() if lower_case else text


#: moto lists its own folder at each request, an eighth of the time that one takes, and the methods of a class, a seventh
moto.backends.list_of_moto_modules = partial(tuple, list(moto.backends.list_of_moto_modules()))
moto.core.responses.method_names_from_class = cache(moto.core.responses.method_names_from_class)
#: it works out the name of an operation's method at each request, and draws the letters of a request's id one by one
moto.core.responses.camelcase_to_underscores = cache(moto.core.responses.camelcase_to_underscores)
MotoRandom.get_random_string = random_string  # type: ignore[method-assign]
#: and it reads templates with a YAML of pure Python, which takes ten times as long
yaml.Loader = yaml.loader.Loader = getattr(yaml, "CLoader", yaml.Loader)


class Aws:
    """moto and the layer, both running; ``close`` ends them."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._moto.start()
        host, port = self._moto.get_host_and_port()
        self.moto_url = f"http://{host}:{port}"
        self._layer = Layer(self._moto._server.app)
        self._numbers = itertools.count(1)
        self._clients: dict[tuple[str, str], Any] = {}

    def __enter__(self) -> Aws:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def scenario(self, name: str | None = None, *, account: str = MANAGEMENT, **options: Any) -> Scenario:
        """A new scenario, whose caller is of this account; ``options`` are fields of Scenario."""
        unique = f"{name or 'scenario'}-{next(self._numbers)}"
        made = Scenario(unique, self._layer.url, key_of(account), account, **options)
        self._layer.scenarios[unique] = made
        return made

    def client(self, service: str, account: str = MANAGEMENT) -> Any:
        """A boto3 client past the layer, to set things up: no faults, and its calls are not counted. Close it: it is
        given out again, and its connections are not kept."""
        key = key_of(account)
        if (service, key) not in self._clients:
            self._clients[service, key] = client_at(self.moto_url, key, service)
        return self._clients[service, key]

    def reset(self) -> None:
        """Everything out of moto; the callers of scenarios that were made stay known."""
        moto_api_backend.reset()
        organizations_backends.master_accounts.clear()  # moto forgets to
        self._layer.accounts.clear()
        for account in {scenario.account for scenario in self._layer.scenarios.values()}:
            key_of(account)

    def close(self) -> None:
        """End both; RuntimeError if the layer itself was at fault somewhere."""
        try:
            self._layer.close()
        finally:
            self._moto.stop()
            self._moto._server.server_close()  # moto forgets to


@pytest.fixture(scope="session")
def aws() -> Iterator[Aws]:
    """One AWS a test run (a worker); tests that need an account to be empty call ``aws.reset()``, or use their own."""
    with Aws() as running:
        yield running


def key_of(account: str) -> str:
    """The id of a key that moto takes for one of this account; it belongs to no user."""
    key = AccessKey(None, prefix="AKIA", account_id=account)
    key.access_key_id = f"AKIA{account}TEST"
    iam_backends[account]["aws"].access_keys.setdefault(key.access_key_id, key)
    return key.access_key_id


def add_user(
    account: str,
    name: str,
    created: When = CREATED,
    keys: Iterable[Sequence[Any]] = (),
    tags: Mapping[str, str] | None = None,
    path: str = "/",
) -> list[str]:
    """A user; its keys are ``(created, status)`` or ``(created, status, last used)``, in slot order. The key ids."""
    backend = iam_backends[account]["aws"]
    said = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    backend.create_user("us-east-1", name, path, said)
    set_user(account, name, created)
    ids = []
    for key_created, status, *last_used in keys:
        ids.append(backend.create_access_key(name).access_key_id)
        set_key(account, ids[-1], key_created, status, *last_used)
    return ids


def set_user(account: str, name: str, created: When) -> None:
    """Another creation time for a user (moto's is always now)."""
    iam_backends[account]["aws"].users[name].create_date = _naive(created)


def remove_user(account: str, name: str) -> None:
    """A user gone with its keys, as after the report was made."""
    backend = iam_backends[account]["aws"]
    for key in backend.users.pop(name).access_keys:
        del backend.access_keys[key.access_key_id]


def set_key(
    account: str,
    key_id: str,
    created: When | None = None,
    status: str | None = None,
    last_used: When | None = None,
    service: str = "s3",
    region: str = "us-east-1",
) -> None:
    """Another creation time, status or last use for a key; what is not given stays."""
    key = iam_backends[account]["aws"].access_keys[key_id]
    if created is not None:
        key.create_date = _naive(created)
    if status is not None:
        key.status = status
    if last_used is not None:
        key.last_used = AccessKeyLastUsed(_naive(last_used), service, region)


def set_root_keys(account: str, present: int) -> None:
    """Whether GetAccountSummary says that the root user has access keys: 1 or 0 (moto's is always 0)."""
    iam_backends[account]["aws"].account_summary._account_access_keys_present = present


def make_organization(members: int, role: str = ROLE, management: str = MANAGEMENT) -> list[str]:
    """An organization; the ids of its member accounts (ListAccounts tells of the management account first). They
    join a second apart: moto pages by that time, and loses accounts that share one."""
    backend = organizations_backends[management]["aws"]
    backend.create_organization(region="us-east-1", FeatureSet="ALL")
    for number in range(1, members + 1):
        backend.create_account(AccountName=f"member-{number}", Email=f"member-{number}@example.com", RoleName=role)
    for number, account in enumerate(backend.accounts):
        account.create_time = datetime(2024, 1, 1) + timedelta(seconds=number)  # noqa: DTZ001
    return [account.id for account in backend.accounts[1:]]


def set_account(account: str, state: str = "SUSPENDED", management: str = MANAGEMENT) -> None:
    """Another state for an account of the organization."""
    found = organizations_backends[management]["aws"].get_account_by_id(account)
    found.status = found.state = state


def report_of(
    account: str = MANAGEMENT, generated_time: When | None = None, root: Sequence[str] = (), **script: Any
) -> Report:
    """The credential report that AWS would make of moto's account now; ``root`` are the root user's keys as
    conftest writes them, ``script`` the states and errors on the way to it."""
    users = list(iam_backends[account]["aws"].users.values())
    out = io.StringIO()
    table = csv.DictWriter(out, HEADER, lineterminator="\n")
    table.writeheader()
    table.writerows([row(ROOT, *root, account=account), *map(_report_row, users)])
    when = _text(_naive(generated_time or datetime.now(UTC)))
    return Report(out.getvalue().removesuffix("\n").encode(), when, **script)


def _report_row(user: Any) -> dict[str, str]:
    cells = {"arn": user.arn, "user_creation_time": _text(user.create_date)}
    cells |= {"mfa_active": str(bool(user.mfa_devices)).lower()}
    if user.password:
        cells |= {"password_enabled": "true", "password_last_used": "no_information"}
        cells |= {"password_last_changed": _text(user.create_date)}
    for slot, key in enumerate(user.access_keys, start=1):
        cells |= {f"access_key_{slot}_{name}": cell for name, cell in _key_cells(key).items()}
    return row(user.name, account=user.account_id, **cells)


def _key_cells(key: AccessKey) -> dict[str, str]:
    cells = {"active": str(key.status == "Active").lower(), "last_rotated": _text(key.create_date)}
    if key.last_used:
        cells |= {"last_used_date": _text(key.last_used.timestamp)}
        cells |= {"last_used_region": key.last_used.region, "last_used_service": key.last_used.service}
    return cells


def _naive(when: When) -> datetime:
    """moto's times are UTC without saying so."""
    found = datetime.fromisoformat(when) if isinstance(when, str) else when
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def _text(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%S}Z"
