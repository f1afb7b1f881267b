"""The facts of the headline -> its sentences; and the lines around it, for readers who read no further."""

from __future__ import annotations

from keyaudit.model import Audit
from keyaudit.present.account_names import named
from keyaudit.present.claims import Accounts, Claim, Headline, accounts_of, headline_of, incomplete
from keyaudit.schema import COMPLIANT, INSUFFICIENT_DATA, NON_COMPLIANT, SUPPLIED
from keyaudit.texts import listed, say, utc

#: so many accounts are named one by one if many were not read
MOST_NAMED = 10
#: hours; reports of a week and more say little of the keys of today
LONG_REPORT_AGE = 168


def headline(a: Audit) -> str:
    """The answer in one line: the conclusion, and what it rests on."""
    return sentences(headline_of(a))


def sentences(facts: Headline) -> str:
    """The headline in words."""
    said = _LEADS[facts.conclusion](facts)
    if not facts.rotation_counts:
        said.append(say("headline.does_not_count", rotation=_rotation(facts)))
    if facts.exempt and not _is_told(facts):
        said.append(say("headline.exempt", n=facts.exempt))
    whole = listed("sentences", [said[0], *map(_capital, said[1:])])
    return say("headline.whole", conclusion=facts.conclusion, said=whole)


def _is_told(facts: Headline) -> bool:
    """Whether the claim about rotation mentions all exempt findings that there are."""
    return facts.rotation in (Claim.EXCUSED, Claim.ALL_EXEMPT) and facts.exempt == facts.keys.exempt


def _failing(facts: Headline) -> list[str]:
    """Overdue keys first, if rotation counts; else the controls that fail, and what was concluded of rotation."""
    if facts.rotation_counts and facts.rotation in (Claim.NO_PERIOD, Claim.OVERDUE):
        return [_rotation(facts)]
    failing = say("headline.failing", n=len(facts.failing), controls=_names(facts.failing))
    return [failing, _rotation(facts)] if facts.rotation_counts else [failing]


def _undecided(facts: Headline) -> list[str]:
    rotation = [_rotation(facts)] if facts.rotation_counts else []
    if not facts.accounts.read:
        return [
            say("headline.none_read" if facts.accounts.total else "headline.none_known", n=facts.accounts.total)
        ]
    others = [say("headline.undecided_others", controls=_names(facts.undecided))] if facts.undecided else []
    if facts.rotation is Claim.UNDECIDED:
        return [*rotation, *others] or [say("headline.nothing_assessed")]
    return [*others, *rotation] or [say("headline.nothing_assessed")]


def _met(facts: Headline) -> list[str]:
    rotation = [_rotation(facts)] if facts.rotation_counts else []
    kind = "also_met" if rotation else "met"
    return rotation + ([say(f"headline.{kind}", controls=_names(facts.met))] if facts.met else [])


_LEADS = {NON_COMPLIANT: _failing, INSUFFICIENT_DATA: _undecided, COMPLIANT: _met}


def _rotation(facts: Headline) -> str:
    """What was concluded of rotation, of how many keys, and who set the period."""
    keys, accounts = facts.keys, in_accounts(facts.accounts)
    setter = say(f"headline.by.{facts.limit_by}", days=say("charts.days", n=facts.limit or 0), preset=facts.preset)
    any_of = say("count.any_of", accounts=accounts) if facts.accounts.read > 1 else accounts
    told = {"active": keys.active, "exempt": keys.exempt, "accounts": accounts, "any_of": any_of, "setter": setter}
    if facts.rotation is Claim.OVERDUE:
        if keys.overdue == keys.active:
            return say("headline.all_overdue", n=keys.active, **told)
        if facts.accounts.total == 1:
            return say("headline.overdue", n=keys.overdue, **told)
        return say("headline.overdue_where", n=keys.overdue, where=_where(facts.accounts), **told)
    none = facts.rotation in (Claim.UNDECIDED, Claim.NO_PERIOD) and not keys.active
    return say(f"headline.{facts.rotation}{'_none' if none else ''}", n=keys.active, **told)


def _where(found: Accounts) -> str:
    """In how many of the accounts the overdue keys are: 5 keys "in 10 accounts" may be understood as in each of
    them."""
    if found.read == 1:
        return in_accounts(found)
    kind = "each_of" if found.overdue == found.read else "some_of"
    return say(f"count.{kind}", n=found.overdue, accounts=in_accounts(found))


def _names(controls: tuple[str, ...]) -> str:
    return listed("words", (say(f"control.{control}") for control in controls))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# --- accounts ---------------------------------------------------------------------------------------------------


def in_accounts(found: Accounts) -> str:
    """How many accounts were read, how many of them have gaps, and how many more were not read."""
    if not found.read:
        return say("count.accounts_none_read", n=found.total)
    unread, accounts, but = found.total - found.read, say("count.accounts", n=found.read), []
    if found.incomplete:
        kind = "all_incomplete" if found.incomplete == found.read else "incomplete"
        but.append(say(f"count.{kind}", n=found.incomplete, read=found.read))
    if unread:
        but.append(say("count.unread", n=unread))
    return say("count.accounts_but", accounts=accounts, but=listed("remarks", but)) if but else accounts


# --- the lines around it ----------------------------------------------------------------------------------------


def first_lines(a: Audit) -> list[str]:
    """The answer, with what must not be overlooked before it, and how far it reaches."""
    return [*before(a), headline(a), *after(a)]


def before(a: Audit) -> list[str]:
    """What must not be overlooked before the answer: that these are sample data."""
    return [say("verdict.sample")] if a.is_sample else []


def after(a: Audit) -> list[str]:
    """How far the answer reaches: its instant; accounts that were not read, or not in full; what the policy leaves
    open."""
    return [say("verdict.as_of", as_of=utc(a.as_of)), *_accounts(a), assurance(a), *_policy(a)]


def caveats(a: Audit) -> list[str]:
    """What must be known before advice that follows from an audit: that it is the sample's, what its policy is."""
    return [*before(a), *_policy(a)]


def assurance(a: Audit) -> str:
    """How sure it is that the population is the account's own and of today: the lowest grade of any account."""
    facts = {"level": say(f"level.{a.assurance}"), "grade": say(f"assurance.{a.assurance}")}
    if a.assurance == SUPPLIED and a.newest_date:
        return say("verdict.assurance_newest", **facts, date=utc(a.newest_date))
    return say("verdict.assurance", **facts)


def _accounts(a: Audit) -> list[str]:
    found = accounts_of(a)
    lines = [] if found.all_known else [say("verdict.organization")]
    if found.total > 1:
        names = named(a)
        unread = [names[one.account_id] for one in a.provenance if one.is_account and not one.form]
        lines += _some("unread", unread, found.total) + _some(
            "incomplete", [names[one] for one in incomplete(a)], found.total
        )
    return lines


def _some(kind: str, names: list[str], total: int) -> list[str]:
    if not names:
        return []
    accounts = ", ".join(names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        accounts = say("verdict.unread_more", accounts=accounts, more=len(names) - MOST_NAMED)
    return [say(f"verdict.{kind}", n=len(names), total=total, accounts=accounts)]


def _policy(a: Audit) -> list[str]:
    policy = a.policy
    facts = {"name": policy.label, "hours": policy.max_report_age_hours}
    lines = [] if policy.given else [say("verdict.no_policy", **facts)]
    if policy.effective and not_in_force(a):
        lines.append(say("verdict.not_in_force", date=policy.effective.isoformat()))
    if policy.max_report_age_hours > LONG_REPORT_AGE:
        lines.append(say("verdict.long_report_age", **facts))
    return lines


def not_in_force(a: Audit) -> bool:
    """Whether the policy is effective only from after the day of judgement."""
    return a.policy.effective is not None and a.policy.effective > a.as_of.date()


def said_first(a: Audit) -> set[str]:
    """Notes and problems that the lines around the headline already state."""
    effective = a.policy.effective
    notes = {say("note.not_yet_effective", date=effective.isoformat())} if effective else set()
    return notes | {say("problem.no_policy", name=a.policy.label)}


def remarks(a: Audit) -> list[str]:
    """Everything odd or missing, each thing once, except for what the first lines say."""
    first, names = said_first(a), named(a)
    found = [
        say("problems.missing", account=names.get(one.account_id, one.account_id), message=one.message)
        for one in a.problems
        if one.message not in first
    ]
    found += [say("problems.warning", message=message) for message in a.warnings]
    found += [say("problems.note", message=message) for message in a.notes if message not in first]
    return list(dict.fromkeys(found))
