"""What the account itself says about its users and keys, for comparison with its report: ``inventory.json``.

Names of fields are AWS's own. Every list is complete or absent, except the access keys: if the keys of one user
could not be listed, those of the others are kept, and that user is absent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from keyaudit.aws.calls import CallFailedError, Calls
from keyaudit.aws.workers import each
from keyaudit.capture.credential_report import users_of
from keyaudit.texts import say, utc

if TYPE_CHECKING:
    from keyaudit.capture.target import Taking

KEYS, TOTALS, OFF = "keys", "totals", "off"
MODES = (KEYS, TOTALS, OFF)
SUMMARY_FIELDS = ("Users", "UsersQuota", "AccountAccessKeysPresent")


def take_inventory(taking: Taking) -> dict[str, Any]:
    """What the account says about itself, as far as the mode asks and AWS answers. What stays unknown is told at
    once, so that it is not lost if the time ends at a later call.

    A user of the report who is no longer listed is asked for by name, so that AWS itself says that the user is
    gone.
    """
    calls, iam, mode, inventory, problem = (
        taking.calls, taking.iam, taking.options.reconcile, taking.begun, taking.problem,
    )  # fmt: skip
    if mode == OFF:
        return inventory
    inventory["taken_time"] = utc(datetime.now(UTC))
    try:
        found = calls.call(iam, "get_account_summary", ("SummaryMap",))["SummaryMap"]
        if not all(isinstance(found.get(name), int) for name in ("Users", "AccountAccessKeysPresent")):
            raise CallFailedError("iam:GetAccountSummary", "unreadable")
        inventory["summary"] = {name: found[name] for name in SUMMARY_FIELDS if name in found}
    except CallFailedError as error:
        problem(say("capture.unknown.totals", why=error.why))
    if mode == KEYS:
        try:
            pages = calls.pages(iam, "list_users", "Users")
        except CallFailedError as error:
            problem(say("capture.unknown.users", why=error.why))
            return inventory
        inventory["users"] = [_plain(user) for page in pages for user in page["Users"]]
        names = dict.fromkeys([*(str(user["UserName"]) for user in inventory["users"]), *users_of(taking.report)])
        _list_keys(calls, iam, list(names), taking.options.workers, inventory, problem)
    return inventory


def _list_keys(
    calls: Calls,
    iam: Any,
    names: list[str],
    workers: int,
    inventory: dict[str, Any],
    problem: Callable[[str], None],
) -> None:
    keys: dict[str, list[dict[str, Any]]] = {}
    gone: list[str] = []

    def list_one(name: str) -> list[dict[str, Any]] | None:
        try:
            pages = calls.pages(iam, "list_access_keys", "AccessKeyMetadata", UserName=name)
        except CallFailedError as error:
            if error.code == "NoSuchEntity":
                return None
            raise
        return [_plain(key) for page in pages for key in page["AccessKeyMetadata"]]

    try:
        for name, found in each(list_one, names, workers):
            if found is None:
                gone.append(name)
            else:
                keys[name] = found
    except CallFailedError as error:
        problem(say("capture.unknown.keys", why=error.why, n=len(names) - len(keys) - len(gone)))
    finally:
        # in one assignment: somebody who gave up waiting may be writing the inventory at this moment
        inventory |= {"access_keys": {name: keys[name] for name in names if name in keys}, "gone": sorted(gone)}


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    """A user or key as JSON; what does not belong into such a listing is left out."""
    kept = ("UserName", "UserId", "Arn", "CreateDate", "AccessKeyId", "Status")
    return {
        name: utc(value.astimezone(UTC)) if isinstance(value, datetime) else str(value)
        for name, value in record.items()
        if name in kept
    }
