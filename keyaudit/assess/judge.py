"""One account: controls, gaps and exemptions -> findings and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
import pandas as pd

from keyaudit.assess.compact import account_findings, findings_frame
from keyaudit.assess.controls import REGISTRY, Account
from keyaudit.assess.limits import DAY, find_exemption, is_expired, is_meant, is_past_cap, unclear_overrides
from keyaudit.assess.rows import Rows
from keyaudit.policy import Policy
from keyaudit.schema import (
    ACTIVE,
    ACTIVE_KEYS,
    COMPLIANT,
    EXEMPT,
    INSUFFICIENT_DATA,
    LIMITED_CONTROLS,
    NON_COMPLIANT,
    ROOT_KEY,
    ROTATION,
    RULES,
    UNUSED,
    Problem,
)
from keyaudit.texts import say


@dataclass
class Judgement:
    """One account, judged: compact findings (all, or those worth showing), problems, and full counts. Counted are:
    findings by control and compliance type; exempt findings by exemption (under an expired one, those that it would
    cover and that stand again); findings that an exemption in force names but does not cover, by exemption and
    reason; and compliant keys due within ``warn_before``."""

    findings: pd.DataFrame
    problems: list[Problem]
    tallies: dict[str, Counter[str]]
    exempted: Counter[str]
    missed: Counter[tuple[str, str]]
    due_soon: int


def judge(
    keys: pd.DataFrame,
    account_id: str,
    policy: Policy,
    as_of: datetime,
    problems: Sequence[Problem] = (),
    keep: int | None = None,
    graces: Mapping[str, str] | None = None,
    rules: int = RULES,
    users: Callable[[], pd.DataFrame] = pd.DataFrame,
) -> Judgement:
    """Judge one account by every control that can be assessed under the policy.

    ``keys`` are the account's own; ``problems`` say which controls cannot rely on the evidence, and why. With
    ``keep``, passing findings are only counted, and of the others only about so many of the worst of each control
    are made. ``graces`` are users whose second active key is in the grace of a proved rotation, and what that
    rotation is called; ``rules`` decide which limits and exemptions apply; ``users`` makes the frame of the
    account's users.
    """
    problems = [*problems, *_policy_problems(keys, account_id, policy)]
    controls = [control for control in REGISTRY if policy.assessed(control)]
    gaps = {c: [p.message for p in problems if c in p.controls] for c in controls}
    account = Account(account_id, keys, policy, as_of, bool(gaps.get(ROOT_KEY)), rules, users)
    tallies: dict[str, Counter[str]] = {}
    exempted: Counter[str] = Counter()
    missed: Counter[tuple[str, str]] = Counter()
    frames, due_soon = [account_findings(account_id, policy, gaps)], 0
    for control in controls:
        rows = control_rows(control, account, graces or {})
        tallies[control] = rows.case.tally() + Counter({EXEMPT: len(rows.exempt)})
        tallies[control].subtract({NON_COMPLIANT: len(rows.exempt)})
        exempted.update(rows.exempt.values())
        exempted.update(_standing_again(rows, control, account))
        missed.update(_missed(rows, control, account))
        near = _due_soon(rows, control, account)
        due_soon += int(near.sum())
        shown = rows if keep is None else rows.take(np.flatnonzero(_soonest(rows, near, keep) | _worst(rows, keep)))
        if len(shown.row):
            frames.append(findings_frame(shown, control, account))
    for row in frames[0].itertuples():
        tallies[row.control][row.compliance_type] += 1
    findings = pd.concat([frame for frame in frames if len(frame)] or frames, ignore_index=True)
    return Judgement(findings, problems, tallies, exempted, missed, due_soon)


def control_rows(control: str, account: Account, graces: Mapping[str, str]) -> Rows:
    """What a control says of an account's keys, with exemptions applied; ``graces`` as for ``judge``."""
    return _exempt(REGISTRY[control](account), control, account, graces)


def _due_soon(rows: Rows, control: str, account: Account) -> np.ndarray:
    """Rotation rows that pass now and whose deadline is within the policy's ``warn_before``."""
    if control != ROTATION:
        return np.zeros(len(rows.row), bool)
    horizon = account.now + account.policy.warn_before * DAY
    return (rows.due <= horizon) & rows.case.is_a(COMPLIANT)


def _soonest(rows: Rows, near: np.ndarray, keep: int) -> np.ndarray:
    """The first ``keep`` of the rows that are due soon, and those that tie with the last of them."""
    if near.sum() <= keep:
        return near
    return near & (rows.due <= np.sort(rows.due[near])[keep - 1])


def _worst(rows: Rows, keep: int) -> np.ndarray:
    """The worst ``keep`` rows that fail or cannot be judged, and those that tie with the last of them, so that what
    is shown does not depend on the order of the rows."""
    failing = rows.case.is_a(NON_COMPLIANT, INSUFFICIENT_DATA)
    failing[list(rows.exempt)] = False
    if failing.sum() <= keep:
        return failing
    score = np.where(rows.case.is_a(NON_COMPLIANT), rows.numbers("days_over") + 1, -1)
    return failing & (score >= np.sort(score[failing])[-keep])


def judged_keys(keys: pd.DataFrame, findings: pd.DataFrame) -> pd.DataFrame:
    """``keys`` with ``schema.JUDGED_COLUMNS``, from the compact findings of the same account."""
    judged = keys.copy()
    rows = findings[findings["row"] >= 0].set_index("row")
    rotation, unused = (rows[rows["control"] == control] for control in (ROTATION, UNUSED))
    for name in ("age_days", "limit", "due", "compliance_type"):
        judged[name] = rotation[name].reindex(judged.index)
    for name, column in (("idle_days", "age_days"), ("idle_limit", "limit"), ("unused_type", "compliance_type")):
        judged[name] = unused[column].reindex(judged.index)
    return judged


def oldest_days(keys: pd.DataFrame, as_of: datetime) -> int | None:
    """The age of the oldest active key whose age is known."""
    made = keys["last_rotated"][keys["status"] == ACTIVE].min()
    return None if pd.isna(made) or made > as_of else (as_of - made.to_pydatetime()).days


def _policy_problems(keys: pd.DataFrame, account_id: str, policy: Policy) -> list[Problem]:
    """What the policy leaves open: nobody gave one, or an override names accounts and this account is not known."""
    problems = []
    if not policy.given:
        problems.append(Problem(account_id, LIMITED_CONTROLS, say("problem.no_policy", name=policy.label), True))
    for controls, number in unclear_overrides(keys["user"], account_id, policy):
        problems.append(Problem(account_id, controls, say("problem.unclear_override", number=number), True))
    return problems


def _standing_again(rows: Rows, control: str, account: Account) -> list[str]:
    """For each failing row that an expired exemption would cover, the id of that exemption."""
    expired = [one for one in account.policy.exemption if is_expired(one, account.as_of)]
    if not expired:
        return []
    revived = [one.model_copy(update={"expires": date.max}) for one in expired]
    policy = account.policy.model_copy(update={"exemption": revived})
    covered = _exempt(rows, control, replace(account, policy=policy), {}).exempt
    return [found for position, found in covered.items() if position not in rows.exempt]


def _missed(rows: Rows, control: str, account: Account) -> list[tuple[str, str]]:
    """For each failing row, each exemption in force that names it but does not cover it, and why: the key is past
    the cap, another exemption covers the row, or there is no period to be exempt from."""
    policy, rules = account.policy, account.rules
    in_force = [one for one in policy.exemption if control in one.controls and not is_expired(one, account.as_of)]
    in_force = [one for one in in_force if one.has_account(account.account_id)]
    if not in_force:
        return []
    users, is_root = account.keys["user"].to_numpy(object), account.keys["is_root"].to_numpy(bool)
    open_ended, found = _open_ended(rows), []
    for position in np.flatnonzero(rows.case.is_a(NON_COMPLIANT)).tolist():
        key = rows.row[position]
        for one in in_force:
            if one.id == rows.exempt.get(position) or not is_meant(one, users[key], bool(is_root[key]), rules):
                continue
            fails = position not in rows.exempt
            past = fails and is_past_cap(one, policy, control, account.rotated[key], account.as_of)
            found.append((one.id, "no_period" if open_ended[position] else "past_cap" if past else "covered"))
    return found


def _open_ended(rows: Rows) -> np.ndarray:
    """Rows that fail because the policy sets no period: an exemption cannot replace a period that nobody has
    defined."""
    return np.array([reason.startswith("no_period") for _, reason in rows.case.kinds])[rows.case.number]


def _exempt(rows: Rows, control: str, account: Account, graces: Mapping[str, str]) -> Rows:
    """Make failing rows exempt that an exemption in force covers, and users with two active keys of which a proved
    rotation replaced one; nothing else changes."""
    graces = graces if control == ACTIVE_KEYS else {}
    if not account.policy.exemption and not graces:
        return rows
    users = account.keys["user"].to_numpy(object)
    is_root = account.keys["is_root"].to_numpy(bool)
    over = rows.numbers("count") - rows.numbers("limit")
    exempt = {}
    for position in np.flatnonzero(rows.case.is_a(NON_COMPLIANT) & ~_open_ended(rows)).tolist():
        key = rows.row[position]
        rotated = account.rotated[key]
        of_key = (users[key], account.account_id, rotated, account.as_of, bool(is_root[key]))
        exemption = find_exemption(account.policy, control, *of_key, account.rules)
        if exemption:
            exempt[position] = exemption.id
        # one key more than the policy allows: the key that is waiting to be deactivated
        elif users[key] in graces and not is_root[key] and over[position] == 1:
            exempt[position] = graces[users[key]]
    return replace(rows, exempt=exempt)
