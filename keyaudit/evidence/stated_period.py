"""What evidence of a period states, in its manifest and on its page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from keyaudit.evidence.answered import Answered
from keyaudit.evidence.contents import Days, JudgedFacts
from keyaudit.evidence.identity import label_of
from keyaudit.evidence.stated import Stated
from keyaudit.model import ORGANIZATION
from keyaudit.model.folders import Entry
from keyaudit.policy import Policy, load_policy
from keyaudit.present.over_period import period_line
from keyaudit.schema import GRADES, INSUFFICIENT_DATA, NOTHING_READ
from keyaudit.texts import say, utc, visible


@dataclass(frozen=True)
class StatedOfPeriod(Stated):
    """Also the ``days`` that were asked for, and whose evidence it is: the ``label`` of its name, and the
    ``organization``, None if it is of accounts."""

    days: Days
    label: str
    organization: str | None


def stated_of(found: Answered) -> StatedOfPeriod:
    """What is stated of an answer that has a subject."""
    window, subjects = found.question.window, [one.subject for one in found.operated.subjects]
    days: Days = {"from": f"{window.start:%Y-%m-%d}", "to": f"{window.end - timedelta(days=1):%Y-%m-%d}"}
    facts = _facts(found, days)
    whose = visible(subjects[0]) if len(subjects) == 1 else say("operating.subjects", n=len(subjects))
    title = say("operating.title", whose=whose, first=days["from"], last=days["to"])
    accounts = facts["accounts"]["expected"]
    organization = subjects[0] if len(subjects) == 1 and subjects != accounts else None
    return StatedOfPeriod(facts, period_line(found.operated), title, days, label_of(accounts, False), organization)


def policy_of(found: Answered) -> Policy:
    """The policy that was given, or else the latest that was sealed; the default preset without any evidence."""
    snapshots = sorted(found.inputs.snapshots.values(), key=lambda one: (one.as_of, one.sealed, one.folder))
    return found.question.policy or (snapshots[-1].policy if snapshots else load_policy(""))


def _facts(found: Answered, days: Days) -> JudgedFacts:
    subjects = found.operated.subjects
    runs = [one for one in found.inputs.runs if one.path in found.inputs.snapshots]
    seen = [each for one in found.inputs.snapshots.values() for each in one.accounts]
    expected = sorted({each.account for each in seen if each.account != ORGANIZATION} or _told(found.inputs.runs))
    read = {each.account for each in seen if each.is_read}
    policy = policy_of(found)
    return {
        "as_of": utc(found.question.now),
        "as_of_source": "period",
        "conclusion": found.operated.conclusion,
        "assurance": max((one.assurance for one in runs), key=_rank, default=NOTHING_READ),
        "overdue": sum(one.verdict.figures.breaches for one in subjects),
        "incomplete": sum(one.verdict.conclusion == INSUFFICIENT_DATA for one in subjects),
        "sample": False,
        "policy": {"name": policy.name, "given": policy.given, "sha256": policy.sha256},
        "accounts": {
            "expected": expected,
            "read": [one for one in expected if one in read],
            "failed": [one for one in expected if one not in read],
        },
        "period": days,
    }


def _told(runs: list[Entry]) -> set[str]:
    """The accounts that manifests tell of, where none of them holds."""
    return {account for one in runs for account in one.accounts}


def _rank(assurance: str) -> int:
    """The place among the grades, weakest last; what is no grade is weaker."""
    return GRADES.index(assurance) if assurance in GRADES else len(GRADES)
