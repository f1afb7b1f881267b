"""The answer in numbers: how many keys are overdue, due soon, exempt, not verified; and where most of them are."""

from __future__ import annotations

from collections import Counter

from keyaudit.model import Audit
from keyaudit.present.account_names import named
from keyaudit.present.claims import accounts_of, keys_of, worst_first
from keyaudit.present.headline import in_accounts
from keyaudit.present.table import Figure, Figures, Prose
from keyaudit.present.verdict import overdue_known
from keyaudit.schema import NON_COMPLIANT, ROTATION
from keyaudit.texts import listed, say

#: so many accounts and owners are named in the answer
MOST_WORST = 5


def figures(a: Audit) -> Figures:
    """Four numbers, of the active keys by rotation: overdue; in time, but due within ``warn_before``; over their
    limit and exempt; not verified, with the accounts of which something was not seen."""
    keys, accounts = keys_of(a), accounts_of(a)
    overdue, unseen = overdue_known(a), accounts.total - accounts.read + accounts.incomplete
    unseen += not accounts.all_known
    unknown = keys.unknown + keys.unjudged
    has_period = a.policy.max_access_key_age is not None
    told = [
        Figure(overdue, say("figures.overdue"), "bad" if overdue else ""),
        Figure(a.due_soon if has_period else None, say("figures.due_soon", n=a.policy.warn_before), ""),
        Figure(keys.exempt, say("figures.exempt"), ""),
        Figure(unknown, say("figures.unknown_and", n=unseen) if unseen else say("figures.unknown"), ""),
    ]
    told[-1] = told[-1] if not (unknown or unseen) else Figure(unknown, told[-1].what, "odd")
    return Figures(tuple(told), say("figures.of", n=keys.active, accounts=in_accounts(accounts)))


def worst(a: Audit) -> Prose:
    """Where most overdue keys are: by account, if there are several, and by owner, as far as owners are known.
    Nothing if no key is overdue."""
    if not keys_of(a).overdue:
        return Prose((), "worst")
    names = named(a)
    accounts = {names[one.account_id]: one.overdue for one in worst_first(a) if one.overdue}
    lines = [say("worst.accounts", n=len(accounts), most=_most(accounts))] if len(a.provenance) > 1 else []
    return Prose((*lines, *_owners(a)), "worst")


def _owners(a: Audit) -> list[str]:
    findings = a.findings
    late = findings[(findings["control"] == ROTATION) & (findings["compliance_type"] == NON_COMPLIANT)]
    owners = [one for one in late["owner"].tolist() if isinstance(one, str)]
    if not owners:
        return [say("worst.no_owner")]
    # who has most, then by name
    most = dict(sorted(Counter(owners).items(), key=lambda one: (-one[1], one[0])))
    nobody = len(late) - len(owners)
    return [say("worst.owners", n=len(most), most=_most(most))] + (
        [say("worst.unowned", n=nobody)] if nobody else []
    )


def _most(numbers: dict[str, int]) -> str:
    shown = [say("worst.one", name=name, n=number) for name, number in list(numbers.items())[:MOST_WORST]]
    left = len(numbers) - MOST_WORST
    return listed("words", shown + ([say("worst.more", n=left)] if left > 0 else []))
