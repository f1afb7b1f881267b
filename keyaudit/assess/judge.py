"""Some accounts at once: controls, gaps and exemptions -> findings and counts.

What is judged together does not matter: each account comes out as if it had been judged alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd

from keyaudit.assess.compact import account_findings, account_rows, findings_frame, findings_of
from keyaudit.assess.controls import REGISTRY, Accounts
from keyaudit.assess.exempt import Graces, missed_by, standing_again, with_exemptions
from keyaudit.assess.limits import DAY, instant, is_known, unclear_overrides
from keyaudit.assess.rows import ACCOUNT, Rows
from keyaudit.credentials.arrays import Columns
from keyaudit.schema import (
    ACTIVE,
    COMPLIANT,
    EXEMPT,
    INSUFFICIENT_DATA,
    LIMITED_CONTROLS,
    NON_COMPLIANT,
    ROOT_KEY,
    ROTATION,
    UNUSED,
    Problem,
)
from keyaudit.texts import say


@dataclass(frozen=True)
class Judgement:
    """Some accounts, judged: compact findings (all, or those worth showing), and full counts. For each account, in
    the order in which they were given: its problems, its findings by control and compliance type, and how many of
    its keys are compliant and due within ``warn_before``. Over all: exempt findings by exemption (under an expired
    one, those that it would cover and that stand again), and findings that an exemption in force names but does not
    cover, by exemption and reason."""

    findings: pd.DataFrame
    problems: list[list[Problem]]
    tallies: list[dict[str, Counter[str]]]
    due_soon: list[int]
    exempted: Counter[str]
    missed: Counter[tuple[str, str]]


def judge(
    accounts: Accounts,
    problems: Sequence[Sequence[Problem]],
    keep: int | None = None,
    graces: Graces | None = None,
) -> Judgement:
    """Judge some accounts. ``problems``, of each account, say which controls cannot be concluded there, whatever
    its keys say: what was not seen is never compliant. With ``keep``, findings are only counted, and of the others
    only about so many of the worst of each control are made. ``graces``: see ``Graces``.
    """
    labels, policy = accounts.labels, accounts.policy
    found = [[*ours, *theirs] for ours, theirs in zip(problems, _policy_problems(accounts), strict=True)]
    controls = [control for control in REGISTRY if policy.assessed(control)]
    gaps = [{c: [p.message for p in some if c in p.controls] for c in controls} for some in found]
    root_gaps = np.fromiter((bool(one.get(ROOT_KEY)) for one in gaps), bool, len(labels))
    accounts = replace(accounts, root_gaps=root_gaps)
    tallies: list[dict[str, Counter[str]]] = [{} for _ in labels]
    due_soon = np.zeros(len(labels), dtype=np.int64)
    exempted: Counter[str] = Counter()
    missed: Counter[tuple[str, str]] = Counter()
    of_accounts = account_rows(policy, gaps)
    parts = [account_findings(labels, of_accounts)]
    for control in controls:
        rows = control_rows(control, accounts, graces or {})
        places = accounts.places(rows)
        for tally, counts in zip(tallies, _tallies(rows, places, len(labels)), strict=True):
            tally[control] = counts
        exempted.update(rows.exempt.values())
        exempted.update(standing_again(rows, control, accounts))
        missed.update(missed_by(rows, control, accounts))
        near = _due_soon(rows, control, accounts)
        due_soon += np.bincount(places[near], minlength=len(labels))
        shown = rows
        if keep is not None:
            shown = rows.take(np.flatnonzero(_soonest(rows, near, keep) | _worst(rows, accounts, keep)))
        if len(shown.row):
            parts.append(findings_of(shown, control, accounts))
    for place, control, kind, *_ in of_accounts:
        tallies[place][control][kind] += 1
    return Judgement(findings_frame(parts), found, tallies, due_soon.tolist(), exempted, missed)


#: what a key has of the findings of a control: its column and theirs
JUDGED = {
    ROTATION: {name: name for name in ("age_days", "limit", "due", "compliance_type")},
    UNUSED: {"idle_days": "age_days", "idle_limit": "limit", "unused_type": "compliance_type"},
}


def control_rows(control: str, accounts: Accounts, graces: Graces) -> Rows:
    """What a control says of the keys of some accounts, with exemptions applied."""
    return with_exemptions(REGISTRY[control](accounts), control, accounts, graces)


def _tallies(rows: Rows, places: np.ndarray, number: int) -> list[Counter[str]]:
    """How many findings of each type there are, by account; exempt ones are counted as such."""
    found = rows.case.tallies(places, number)
    for position in rows.exempt:
        tally = found[places[position]]
        tally[EXEMPT] += 1
        tally[NON_COMPLIANT] -= 1
    return found


def _due_soon(rows: Rows, control: str, accounts: Accounts) -> np.ndarray:
    """Rotation rows that pass now and whose deadline is within the policy's ``warn_before``."""
    if control != ROTATION:
        return np.zeros(len(rows.row), bool)
    horizon = accounts.now + accounts.policy.warn_before * DAY
    return (rows.due <= horizon) & rows.case.is_a(COMPLIANT)


def _soonest(rows: Rows, near: np.ndarray, keep: int) -> np.ndarray:
    """The first ``keep`` of the rows that are due soon, and those that tie with the last of them."""
    if near.sum() <= keep:
        return near
    return near & (rows.due <= np.sort(rows.due[near])[keep - 1])


def _worst(rows: Rows, accounts: Accounts, keep: int) -> np.ndarray:
    """The worst ``keep`` rows that fail or cannot be judged, and those that tie with the last of them, so that what
    is shown depends neither on the order of the rows nor on which accounts are judged together. The order is that
    of ``worst_first``, but for names."""
    failing = rows.case.is_a(NON_COMPLIANT, INSUFFICIENT_DATA)
    failing[list(rows.exempt)] = False
    if failing.sum() <= keep:
        return failing
    at = np.flatnonzero(failing)
    of_key = rows.row[at] != ACCOUNT
    administrator = np.zeros(len(at), bool)
    administrator[of_key] = accounts.keys["administrator"][rows.row[at][of_key]] == True  # noqa: E712
    ranks = np.stack(
        [
            rows.case.is_a(INSUFFICIENT_DATA)[at],
            ~administrator,
            -rows.numbers("days_over")[at],
            -rows.numbers("age_days")[at],
        ]
    )
    last = ranks[:, np.lexsort(ranks[::-1])[keep - 1]]
    earlier, same = np.zeros(len(at), bool), np.ones(len(at), bool)
    for rank, bound in zip(ranks, last, strict=True):
        earlier |= same & (rank < bound)
        same &= rank == bound
    failing[at] = earlier | same
    return failing


def judged_keys(keys: pd.DataFrame, findings: pd.DataFrame) -> pd.DataFrame:
    """``keys`` with ``schema.JUDGED_COLUMNS``, from the compact findings about them."""
    rows, controls = findings["row"].to_numpy(), findings["control"].to_numpy(object)
    judged: dict[str, object] = {}
    for control, columns in JUDGED.items():
        about = np.flatnonzero((rows >= 0) & (controls == control))
        places = np.full(len(keys), -1)
        places[rows[about]] = about
        judged |= {name: findings[told].array.take(places, allow_fill=True) for name, told in columns.items()}
    return keys.assign(**judged)


def oldest_days(keys: Columns, as_of: datetime) -> int | None:
    """The age of the oldest active key whose age is known."""
    made = keys["last_rotated"][keys["status"] == ACTIVE]
    made = made[~np.isnat(made)]
    elapsed = instant(as_of) - made.min() if len(made) else None
    return None if elapsed is None or elapsed < np.timedelta64(0) else int(elapsed // DAY)


def _policy_problems(accounts: Accounts) -> Iterator[list[Problem]]:
    """What the policy leaves open, account by account: nobody gave one, or an override names accounts and this
    account is not known."""
    policy = accounts.policy
    for place, label in enumerate(accounts.labels):
        problems = []
        if not policy.given:
            problems.append(Problem(label, LIMITED_CONTROLS, say("problem.no_policy", name=policy.label), True))
        if not is_known(label):
            users = accounts.keys["user"][accounts.place == place]
            for controls, number in unclear_overrides(users, policy):
                problems.append(Problem(label, controls, say("problem.unclear_override", number=number), True))
        yield problems
