"""Is the evidence fresh enough to change anything because of it? The only part of the plan that knows the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from keyaudit.auditing.assurance import is_past, tightest_limit
from keyaudit.model import Audit, Origin, Provenance
from keyaudit.sources import is_own_sample
from keyaudit.texts import listed, say, utc

#: in older evidence, a key may have come into use since
LONGEST, CLOCKS = timedelta(hours=24), timedelta(minutes=5)


@dataclass(frozen=True)
class Freshness:
    """Accounts whose evidence is too old to change anything, and what to say about them; empty if all of it is
    fresh."""

    old: frozenset[str]
    sentence: str


def freshness(audit: Audit, now: datetime) -> Freshness:
    """Whether evidence is old: generated over 24 hours ago, or as long ago as the policy calls stale; judged as of
    another time than now; undated and not piped in at this moment; or piped in, and by its own dates not of today.
    keyaudit's own sample is never old: nobody has its keys."""
    read = [one for one in audit.provenance if one.form]
    everyone = frozenset(one.account_id for one in read)
    if not read or (audit.is_sample and all(_is_ours(one.origin) for one in read)):
        return Freshness(frozenset(), "")
    dated = {one.account_id: one.generated_time for one in read if one.generated_time}
    longest = min(LONGEST, timedelta(hours=audit.policy.max_report_age_hours))
    past = {account: at for account, at in dated.items() if now - at > longest}
    ahead = {account: at for account, at in dated.items() if at - now > CLOCKS}
    undated = {one.account_id for one in read if not one.generated_time and not _is_piped(one.origin)}
    piped = [one for one in read if one.account_id not in undated]
    passed = {one.account_id: one.newest_date for one in piped if one.newest_date and _is_past(one, audit, now)}
    reasons = []
    if past:
        hours = f"{longest.total_seconds() / 3600:g}"
        reasons.append(say("plan.old_why.dated", n=len(past), oldest=utc(min(past.values())), hours=hours))
    if ahead:
        reasons.append(say("plan.old_why.ahead", oldest=utc(max(ahead.values()))))
    if undated:
        reasons.append(say("plan.old_why.undated"))
    if passed:
        reasons.append(say("plan.old_why.passed", newest=utc(min(passed.values()))))
    old = frozenset(past) | frozenset(ahead) | undated | frozenset(passed)
    if not -CLOCKS <= now - audit.as_of <= LONGEST and old != everyone:
        reasons.append(say("plan.old_why.as_of", as_of=utc(audit.as_of)))
        old = everyone
    if not old:
        return Freshness(old, "")
    kind = "old" if old == everyone else "old_some"
    return Freshness(old, say(f"plan.{kind}", why=listed("remarks", reasons), accounts=", ".join(sorted(old))))


def _is_past(one: Provenance, audit: Audit, now: datetime) -> bool:
    """Whether a file of unknown age cannot be of today. An account in which nothing happens for a while is no proof
    of that, so it is the same measure as that of the gap in the evidence."""
    mine = audit.keys[audit.keys["account_id"] == one.account_id]
    columns = {name: mine[name].to_numpy(object) for name in ("user", "account_id", "status")}
    tightest = tightest_limit({**columns, "is_root": mine["is_root"].to_numpy(bool)}, audit.policy)
    return one.newest_date is not None and is_past(one.newest_date, tightest, max(now, audit.as_of))


def _is_ours(origin: Origin | None) -> bool:
    return origin is not None and origin.folder is not None and is_own_sample(origin.folder.parent)


def _is_piped(origin: Origin | None) -> bool:
    """Whether it was read from a pipe, which gives what somebody writes into it now, and not from a file."""
    return origin is not None and origin.is_piped
