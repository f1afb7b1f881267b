"""Snapshots of a subject, what was due and a period -> its conclusion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from keyaudit.model.over_period import (
    BREACH,
    INCOMPLETE,
    LONG_GAP,
    NO_LIMIT_SET,
    NO_POLICY,
    NOTHING,
    OPEN,
    POSSIBLE,
    PRESENT,
    UNDATED,
    UNREAD_ACCOUNT,
    UNSEEN_KEY,
    Coverage,
    DuePeriod,
    KeyOverPeriod,
    PeriodVerdict,
    length,
)
from keyaudit.period.breach import over_period
from keyaudit.period.coverage import coverage, periods_of
from keyaudit.period.eras import Terms, terms_of
from keyaudit.period.figures import figures, replacements
from keyaudit.period.lineages import lineages
from keyaudit.period.snapshots import Snapshot, Window, asked
from keyaudit.period.timeline import activity, timelines
from keyaudit.policy import Policy
from keyaudit.schema import COMPLIANT, INSUFFICIENT_DATA, NON_COMPLIANT, ROTATION


def conclude(
    subject: str,
    snapshots: Iterable[Snapshot],
    due: Iterable[DuePeriod],
    window: Window,
    given: Policy | None = None,
) -> PeriodVerdict:
    """Whether the keys of a subject were rotated in time, throughout a window.

    ``snapshots``: of its evidence folders that verify; those of other subjects are left out. ``due``: the periods
    in which evidence was due; where they leave a part of the window out, that part is missing. ``given``: a policy
    that judges everything instead of those that were sealed; the conclusions of the snapshots are then by it, too.

    NON_COMPLIANT if any key was in breach without exemption, or a policy sets no limit; else INSUFFICIENT_DATA if
    anything is missing or a breach is possible; else COMPLIANT: the control operated throughout.
    """
    mine = [one for one in snapshots if one.subject == subject]
    used = asked(mine, window)
    found = lineages(used)
    terms = terms_of(used, found, given)
    lines = timelines(used)
    pairs = [(key, activity(key, lines[key.account])) for key in found]
    keys = [over_period(key, lines[key.account], was, terms, used, window) for key, was in pairs]
    replaced = replacements(list(zip(found, keys, strict=True)), window)
    end = min(window.end, used[-1].as_of) if used else window.start
    covered = coverage(periods_of(due, mine, window, end), used, window, pairs, lines, terms)
    reasons = _reasons(keys, covered, terms, used, window)
    return PeriodVerdict(
        subject=subject,
        start=window.start,
        end=window.end,
        concluded=_bounded(used, window),
        conclusion=_conclusion(reasons),
        reasons=reasons,
        figures=figures(keys, replaced),
        coverage=covered,
        keys=tuple(sorted(keys, key=_rank)),
        replacements=replaced,
        snapshots=tuple(one.folder for one in used),
        policies=dict(Counter(_label(terms.policies[number]) for number in terms.of_snapshot)),
        is_as_if=given is not None,
    )


def _label(policy: Policy) -> str:
    return f"{policy.name} ({policy.sha256[:8]})"


def _bounded(used: Sequence[Snapshot], window: Window) -> tuple[datetime, datetime] | None:
    """The part of a window that lies between the first snapshot and the last."""
    if not used:
        return None
    start, end = max(used[0].as_of, window.start), min(used[-1].as_of, window.end)
    return (start, end) if start <= end else None


def _reasons(
    keys: Sequence[KeyOverPeriod], covered: Coverage, terms: Terms, used: Sequence[Snapshot], window: Window
) -> tuple[str, ...]:
    """Why the conclusion is not COMPLIANT, worst first."""
    inside = [one for one in used if window.has(one.as_of)]
    is_read = any(account.is_read for one in inside for account in one.accounts)
    numbers = [n for n, one in zip(terms.of_snapshot, used, strict=True) if one.as_of < window.end]
    policies = [terms.policies[number] for number in dict.fromkeys(numbers)]
    found = {
        BREACH: any(one.is_breach for one in keys),
        NO_LIMIT_SET: any(policy.limit(ROTATION) is None for policy in policies),
        NOTHING: not is_read,
        NO_POLICY: not all(policy.given for policy in policies),
        INCOMPLETE: not covered.periods or any(one.state not in (PRESENT, OPEN) for one in covered.periods),
        UNREAD_ACCOUNT: bool(covered.unread),
        UNSEEN_KEY: bool(covered.hidden),
        LONG_GAP: any(one.hides for one in covered.accounts),
        UNDATED: bool(covered.undated),
        POSSIBLE: any(one.is_possible for one in keys),
    }
    return tuple(reason for reason, holds in found.items() if holds)


def _conclusion(reasons: Sequence[str]) -> str:
    if BREACH in reasons or NO_LIMIT_SET in reasons:
        return NON_COMPLIANT
    return INSUFFICIENT_DATA if reasons else COMPLIANT


def _rank(one: KeyOverPeriod) -> tuple[object, ...]:
    return not one.is_breach, not one.is_possible, -length(one.possible), one.account, one.users, str(one.created)
