"""What each account of an Audit is called."""

from __future__ import annotations

from keyaudit.model import Audit, Provenance, called


def named(a: Audit) -> dict[str, str]:
    """Account id -> what it is called, of every account that was expected or read."""
    return {one.account_id: account_of(one) for one in a.provenance}


def account_of(one: Provenance) -> str:
    """What the account is called of which this is told."""
    return called(one.account_id, one.origin.account_name if one.origin else "")
