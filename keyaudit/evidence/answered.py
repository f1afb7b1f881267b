"""What was asked of a period, of which evidence, and the answer; of copies it is reached again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from keyaudit.dues.calendar import parse_every
from keyaudit.evidence import copies
from keyaudit.evidence.contents import PERIOD
from keyaudit.evidence.inputs import Inputs
from keyaudit.evidence.operating import Question, operating
from keyaudit.evidence.request import PeriodAsked
from keyaudit.files import why
from keyaudit.model.operated import Operated
from keyaudit.period import Window
from keyaudit.policy import Policy, parse_policy
from keyaudit.schema import InputError

#: there is no evidence of other years
YEARS = range(2000, 3000)


@dataclass(frozen=True)
class Answered:
    """The evidence, what was asked of it, and the answer."""

    inputs: Inputs
    question: Question
    operated: Operated


def of_copies(raw: Path, asked: PeriodAsked, policy: Policy | None) -> Answered:
    """The answer of copied evidence, at the moment of its question."""
    try:
        known = copies.known_of(raw)
        if policy is not None and known.policy:
            # beside the notebook it has another name
            policy = parse_policy(policy.content, known.policy)
        found = copies.of_copies(raw, policy)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{PERIOD}: not as keyaudit writes it ({type(error).__name__})") from None
    except OSError as error:
        raise InputError(f"{why(error)}; the copies of evidence are not whole") from None
    every = parse_every(asked.every) if asked.every else None
    window = window_of(asked.first, asked.last, known.now)
    question = Question(window, known.now, every, policy, known.anchors, known.anchors_name)
    return Answered(found, question, operating(found, question))


def window_of(first: str, last: str, now: datetime) -> Window:
    """The window from the first UTC day to the last one; without them this year, up to today. InputError for what
    is no such period."""
    start = _day("--from", first) or now.date().replace(month=1, day=1)
    end = _day("--to", last) or now.date()
    if start > now.date():
        raise InputError(f"--from {start}: lies in the future; give a day from which there is evidence")
    if start > end:
        raise InputError(f"--from {start}: is after --to {end}; give the first day, and then the last")
    return Window.of_days(start, end)


def _day(option: str, text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or f"{day}" != text:
        raise InputError(f"{option} {text!r}: is no day; give one such as 2026-01-31")
    if day.year not in YEARS:
        raise InputError(f"{option} {day}: give a day from {YEARS[0]} to {YEARS[-1]}")
    return day
