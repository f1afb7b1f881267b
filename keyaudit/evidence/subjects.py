"""The evidence of a reports folder, by whose it is: the latest of each, worst first, and what came before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from keyaudit.model.folders import Entry
from keyaudit.schema import COMPLIANT, INSUFFICIENT_DATA, NON_COMPLIANT

#: worst first; a conclusion that is none of these stands between what fails and what passes
KINDS = (NON_COMPLIANT, INSUFFICIENT_DATA, COMPLIANT)


@dataclass(frozen=True)
class Subject:
    """An account or organization, a notebook, and a policy by its name: one that is edited goes on, and what was
    judged by another does not hide what fails by this one. Its evidence is in the order of the instants that it
    judges, one entry per instant, of which the last sealed counts; ``points`` has none of sample data."""

    latest: Entry
    points: tuple[Entry, ...]

    @property
    def whose(self) -> str:
        return self.latest.identity.whose


def subjects(found: list[Entry]) -> list[Subject]:
    """All of them: those of samples last, the others by their latest conclusion, worst first."""
    by_subject: dict[tuple[str, str], dict[datetime, Entry]] = {}
    for one in sorted(found, key=in_time):
        by_subject.setdefault((one.subject, one.policy_name), {})[one.as_of] = one
    return sorted((_subject([*each.values()]) for each in by_subject.values()), key=_badness)


def in_time(one: Entry) -> tuple[object, ...]:
    """By the instant that is judged; of one instant, what was sealed last comes last."""
    return one.as_of, one.sealed, one.path.name


def _subject(found: list[Entry]) -> Subject:
    return Subject(found[-1], tuple(one for one in found if not one.is_sample))


def _badness(one: Subject) -> tuple[object, ...]:
    latest = one.latest
    rank = KINDS.index(latest.conclusion) if latest.conclusion in KINDS else KINDS.index(INSUFFICIENT_DATA)
    return latest.is_sample, rank, -(latest.overdue or 0), -(latest.incomplete or 0), latest.subject, latest.policy
