"""What ``accounts.json`` of a capture says about an organization's accounts, read strictly: what is not a list is
not taken for an empty one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from keyaudit.captured.layout import ACCOUNTS_FILE, INACTIVE_STATES
from keyaudit.model import Skipped
from keyaudit.schema import InputError


def listed_accounts(facts: dict[str, Any], folder: Path) -> set[str]:
    """The accounts that AWS lists or the capture skipped, except for those of which AWS itself says why they are
    not expected: a state that is unknown or absent is no reason to expect nothing."""
    try:
        if not all(isinstance(facts.get(name, []), list) for name in ("listed", "skipped")):
            raise TypeError(ACCOUNTS_FILE)
        listed = [(str(one["Id"]), _is_out(one)) for one in facts.get("listed", [])]
        left_out = [
            (str(one["account_id"]), str(one["reason"]) in INACTIVE_STATES) for one in facts.get("skipped", [])
        ]
    except (AttributeError, KeyError, TypeError):
        raise InputError(f"{folder / ACCOUNTS_FILE}: listed is not a list of accounts; capture again") from None
    # AWS's own list comes before what a capture says of it; if it says two things of an account, it is expected
    told = {account for account, _ in listed}
    return {account for account, is_out in listed if not is_out} | {
        account for account, is_out in left_out if not is_out and account not in told
    }


def _is_out(account: dict[str, Any]) -> bool:
    """Whether AWS says, in whichever of the two fields it says it, that an account is not active."""
    states = [str(account[name]) for name in ("State", "Status") if account.get(name)]
    return bool(states) and all(state in INACTIVE_STATES for state in states)


def skipped(facts: dict[str, Any], folder: Path) -> tuple[Skipped, ...]:
    try:
        return tuple(
            Skipped(str(one["account_id"]), str(one["name"]), str(one["reason"]))
            for one in facts.get("skipped", [])
        )
    except (KeyError, TypeError):
        raise InputError(f"{folder / ACCOUNTS_FILE}: skipped is not a list of accounts; capture again") from None


def expected(facts: dict[str, Any], folder: Path) -> tuple[str, ...]:
    found = facts.get("expected", [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise InputError(f"{folder / ACCOUNTS_FILE}: expected is not a list of account ids; capture again")
    return tuple(found)


def refuse_odd_problems(facts: dict[str, Any], path: Path) -> None:
    problems = facts.get("problems", [])
    if not isinstance(problems, list) or not all(isinstance(one, str) for one in problems):
        raise InputError(f"{path}: problems is not a list of sentences; capture again")
