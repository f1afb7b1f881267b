"""What evidence states of a judgement, in its manifest and on its page: derived when a folder is sealed, and
derived again by ``verify``."""

from __future__ import annotations

from dataclasses import dataclass

from keyaudit.evidence.contents import JudgedFacts
from keyaudit.evidence.sheet import title_of
from keyaudit.model import Audit
from keyaudit.present import Prose, bottom_line, incomplete_known, overdue_known
from keyaudit.texts import utc


@dataclass(frozen=True)
class Stated:
    """The ``facts`` of the manifest; the bottom line, whose metadata has the conclusion and a digest of all that
    was judged; and the title of the page."""

    facts: JudgedFacts
    line: Prose
    title: str


def stated(judged: Audit) -> Stated:
    """What evidence of a moment states."""
    accounts = [one.account_id for one in judged.provenance]
    title = title_of(accounts, judged.as_of, judged.is_sample)
    return Stated(judged_facts(judged), bottom_line(judged), title)


def judged_facts(judged: Audit) -> JudgedFacts:
    """The facts of a judgement, as its manifest states them."""
    labels = [one.account_id for one in judged.provenance]
    failed = [one.account_id for one in judged.provenance if not one.form]
    return {
        "as_of": utc(judged.as_of),
        "as_of_source": judged.as_of_source,
        "conclusion": judged.conclusion,
        "assurance": judged.assurance,
        "overdue": overdue_known(judged),
        "incomplete": incomplete_known(judged),
        "sample": judged.is_sample,
        "policy": {"name": judged.policy.name, "given": judged.policy.given, "sha256": judged.policy.sha256},
        "accounts": {"expected": labels, "read": [one for one in labels if one not in failed], "failed": failed},
    }
