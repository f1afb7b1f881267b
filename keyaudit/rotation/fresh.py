"""Is the evidence fresh enough to change anything because of it? The only part of the plan that knows the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from keyaudit.model import Audit, Origin
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
    """Whether evidence is old: generated over 24 hours ago, judged as of another time than now, or undated and not
    piped in at this moment. The sample is never old: nobody has its keys."""
    read = [one for one in audit.provenance if one.form]
    everyone = frozenset(one.account_id for one in read)
    if audit.is_sample or not read:
        return Freshness(frozenset(), "")
    dated = {one.account_id: one.generated_time for one in read if one.generated_time}
    past = {account: at for account, at in dated.items() if now - at > LONGEST}
    ahead = {account: at for account, at in dated.items() if at - now > CLOCKS}
    undated = {one.account_id for one in read if not one.generated_time and not _is_piped(one.origin)}
    reasons = []
    if past:
        reasons.append(say("plan.old_why.dated", n=len(past), oldest=utc(min(past.values()))))
    if ahead:
        reasons.append(say("plan.old_why.ahead", oldest=utc(max(ahead.values()))))
    if undated:
        reasons.append(say("plan.old_why.undated"))
    old = frozenset(past) | frozenset(ahead) | undated
    if not -CLOCKS <= now - audit.as_of <= LONGEST and old != everyone:
        reasons.append(say("plan.old_why.as_of", as_of=utc(audit.as_of)))
        old = everyone
    if not old:
        return Freshness(old, "")
    kind = "old" if old == everyone else "old_some"
    return Freshness(old, say(f"plan.{kind}", why=listed("remarks", reasons), accounts=", ".join(sorted(old))))


def _is_piped(origin: Origin | None) -> bool:
    """Whether it was read from a pipe, which gives what somebody writes into it now, and not from a file."""
    return origin is not None and origin.is_piped
