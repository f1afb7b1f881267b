"""What a manifest repeats of a judgement: derived when a folder is sealed, and derived again by ``verify``."""

from __future__ import annotations

from keyaudit.evidence.contents import JudgedFacts
from keyaudit.model import Audit
from keyaudit.present import incomplete_known, overdue_known
from keyaudit.texts import utc


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
