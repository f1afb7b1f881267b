"""How an account is called wherever it is told of: by its name, if the organization gives it one, and its id."""

from __future__ import annotations

from keyaudit.model import Audit, Provenance
from keyaudit.texts import say


def named(a: Audit) -> dict[str, str]:
    """Account id -> what it is called, of every account that was expected or read."""
    return {one.account_id: account_of(one) for one in a.provenance}


def account_of(one: Provenance) -> str:
    """What the account is called of which this is told."""
    return called(one.account_id, one.origin.account_name if one.origin else "")


def called(account_id: str, name: str | None) -> str:
    """``prod-billing (123456789012)``; the id alone where there is no name."""
    return say("account.named", name=name, id=account_id) if name else account_id
