"""Exemptions applied to what a control says, and what is to be said of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np

from keyaudit.assess.controls import Accounts
from keyaudit.assess.limits import find_exemption, is_expired, is_meant, is_past_cap
from keyaudit.assess.rows import Rows
from keyaudit.schema import ACTIVE_KEYS, NON_COMPLIANT

#: (account, user) -> what exempts the user's second active key: it is in the grace of a proved rotation
Graces = Mapping[tuple[str, str], str]


def standing_again(rows: Rows, control: str, accounts: Accounts) -> list[str]:
    """For each failing row that an expired exemption would cover, the id of that exemption."""
    expired = [one for one in accounts.policy.exemption if is_expired(one, accounts.as_of)]
    if not expired:
        return []
    revived = [one.model_copy(update={"expires": date.max}) for one in expired]
    policy = accounts.policy.model_copy(update={"exemption": revived})
    covered = with_exemptions(rows, control, replace(accounts, policy=policy), {}).exempt
    return [found for position, found in covered.items() if position not in rows.exempt]


def missed_by(rows: Rows, control: str, accounts: Accounts) -> list[tuple[str, str]]:
    """For each failing row, each exemption in force that names it but does not cover it, and why: the key is past
    the cap, another exemption covers the row, or there is no period to be exempt from."""
    policy, rules, keys = accounts.policy, accounts.rules, accounts.keys
    in_force = [one for one in policy.exemption if control in one.controls and not is_expired(one, accounts.as_of)]
    if not in_force:
        return []
    open_ended, found = _open_ended(rows), []
    for position in np.flatnonzero(rows.case.is_a(NON_COMPLIANT)).tolist():
        key = rows.row[position]
        user, account, is_root = keys["user"][key], keys["account_id"][key], bool(keys["is_root"][key])
        for one in in_force:
            if one.id == rows.exempt.get(position) or not one.has_account(account):
                continue
            if not is_meant(one, user, is_root, rules):
                continue
            fails = position not in rows.exempt
            past = fails and is_past_cap(one, policy, control, keys["last_rotated"][key], accounts.as_of)
            found.append((one.id, "no_period" if open_ended[position] else "past_cap" if past else "covered"))
    return found


def _open_ended(rows: Rows) -> np.ndarray:
    """Rows that fail because the policy sets no period: an exemption cannot replace a period that nobody has
    defined."""
    return np.array([reason.startswith("no_period") for _, reason in rows.case.kinds])[rows.case.number]


def with_exemptions(rows: Rows, control: str, accounts: Accounts, graces: Graces) -> Rows:
    """Make failing rows exempt that an exemption in force covers, and users with two active keys of which a proved
    rotation replaced one; nothing else changes."""
    graces = graces if control == ACTIVE_KEYS else {}
    if not accounts.policy.exemption and not graces:
        return rows
    keys = accounts.keys
    over = rows.numbers("count") - rows.numbers("limit")
    exempt = {}
    for position in np.flatnonzero(rows.case.is_a(NON_COMPLIANT) & ~_open_ended(rows)).tolist():
        key = rows.row[position]
        user, account, is_root = keys["user"][key], keys["account_id"][key], bool(keys["is_root"][key])
        of_key = (user, account, keys["last_rotated"][key], accounts.as_of, is_root)
        exemption = find_exemption(accounts.policy, control, *of_key, accounts.rules)
        if exemption:
            exempt[position] = exemption.id
        # one key more than the policy allows: the key that is waiting to be deactivated
        elif (account, user) in graces and not is_root and over[position] == 1:
            exempt[position] = graces[account, user]
    return replace(rows, exempt=exempt)
