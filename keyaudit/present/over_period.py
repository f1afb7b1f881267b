"""A period on a page: each function takes what a reports folder says of it, and gives what a notebook shows."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator

from keyaudit.model.operated import Operated, SubjectOperated
from keyaudit.model.over_period import OPEN, KeyOverPeriod, PeriodVerdict, Spans
from keyaudit.present.effectiveness import (
    basis,
    due_line,
    headline,
    left_out,
    limits,
    loose_faults,
    numbers,
    remarks,
)
from keyaudit.present.period_tables import accounts_table, gaps_table, keys_table
from keyaudit.present.shortfalls import not_present, shortfalls
from keyaudit.present.table import MOST_TASKS, Figure, Figures, Prose, Table
from keyaudit.schema import COMPLIANT, INSUFFICIENT_DATA, NON_COMPLIANT
from keyaudit.texts import listed, say, utc, visible

VERDICTS = (NON_COMPLIANT, INSUFFICIENT_DATA, COMPLIANT)
#: subjects whose shortfalls are said one by one
MOST_SUBJECTS = 20


def period_line(o: Operated) -> Prose:
    """The answer in a box: what is concluded of each subject, worst first; of one subject also on what it rests
    and what is missing. Its metadata carries a digest of all that was concluded, by which evidence proves that page
    and data say the same."""
    subjects = _worst_first(o)
    if len(subjects) == 1:
        one = subjects[0]
        lines, items = [headline(one.verdict)], [*shortfalls(one.verdict), *basis(one)]
    elif subjects:
        lines = [_over_all(o, subjects)]
        items = [headline(one.verdict) for one in subjects[:MOST_SUBJECTS]]
        items += [say("operating.more", n=more)] if (more := len(subjects) - MOST_SUBJECTS) > 0 else []
    else:
        lines, items = [say("operating.no_subject")], []
    return Prose(
        tuple(lines),
        f"verdict {o.conclusion.lower().replace('_', '-')}",
        (*items, *loose_faults(o)),
        lead=0,
        metadata={"keyaudit": {"conclusion": o.conclusion, "findings_sha256": operated_digest(o)}},
    )


def _over_all(o: Operated, subjects: list[SubjectOperated]) -> str:
    counts = Counter(one.verdict.conclusion for one in subjects)
    told = [say("verdict.number", n=counts[kind], kind=kind) for kind in VERDICTS if counts[kind]]
    return say("operating.over_all", n=len(subjects), conclusion=o.conclusion, numbers=listed("words", told))


def _worst_first(o: Operated) -> list[SubjectOperated]:
    def badness(one: SubjectOperated) -> tuple[int, int, str]:
        return VERDICTS.index(one.verdict.conclusion), -one.verdict.figures.breaches, one.subject

    return sorted(o.subjects, key=badness)


def operated_digest(o: Operated) -> str:
    """SHA-256 over what was concluded: of each subject its conclusion, reasons and periods, and what became of each
    of its keys."""
    return hashlib.sha256("\n".join(_lines(o)).encode()).hexdigest()


def _lines(o: Operated) -> Iterator[str]:
    yield o.conclusion
    yield from o.faults
    for one in o.subjects:
        v = one.verdict
        yield "\x1f".join([v.subject, v.conclusion, *v.reasons, utc(v.start), utc(v.end), *v.snapshots])
        yield from (f"{each.name}\x1f{each.state}" for each in v.coverage.periods)
        yield from ("\x1f".join(_key(key)) for key in v.keys)


def _key(key: KeyOverPeriod) -> Iterator[str]:
    yield from (key.account, *key.users, key.key_id or "", utc(key.created), utc(key.due))
    yield from map(_spans, (*key.active, key.proved, key.possible, key.exempt))
    yield from key.proofs


def _spans(spans: Spans) -> str:
    return " ".join(f"{utc(start)}/{utc(end)}" for start, end in spans)


def period_figures(o: Operated) -> Figures:
    """Four numbers: keys in breach, those that may have been, those that are excused by exemptions, and periods
    without conclusive evidence; and of how many keys."""
    of = [one.verdict.figures for one in o.subjects]
    breaches, possible = sum(f.breaches for f in of), sum(f.possible for f in of)
    verdicts = _verdicts(o)
    gaps = sum(len(not_present(v)) for v in verdicts)
    periods = sum(one.state != OPEN for v in verdicts for one in v.coverage.periods)
    told = (
        Figure(breaches, say("figures.in_breach"), "bad" if breaches else ""),
        Figure(possible, say("figures.possible"), "odd" if possible else ""),
        Figure(sum(f.exempt for f in of), say("figures.exempt_over"), ""),
        Figure(gaps, say("figures.gaps", n=periods), "odd" if gaps else ""),
    )
    return Figures(told, say("figures.of_period", n=sum(f.keys for f in of)))


def period_numbers(o: Operated) -> Prose:
    """How often evidence was due, days in breach, time to remedy, rotations; of each subject."""
    lines: list[str] = []
    for one in _worst_first(o):
        whose = [say("operating.of_subject", subject=visible(one.subject))] if len(o.subjects) > 1 else []
        lines += [*whose, due_line(one), *(numbers(one.verdict) if one.verdict.snapshots else [])]
    return Prose((), items=tuple(lines))


def period_keys(o: Operated) -> Table:
    """The keys in breach, and those that may have been; most days first, with their owners where they are known."""
    return keys_table(_verdicts(o), MOST_TASKS)


def period_gaps(o: Operated) -> Table:
    """The periods that are over and have no conclusive evidence."""
    return gaps_table(_verdicts(o))


def period_accounts(o: Operated) -> Table:
    """The accounts that the evidence expected: when they came and went, and the longest time without a look."""
    return accounts_table(_verdicts(o))


def period_missing(o: Operated) -> Prose:
    """Of several subjects, what speaks against each or is missing, and on what it rests; of one, the answer says
    it."""
    several = _worst_first(o)[:MOST_SUBJECTS] if len(o.subjects) > 1 else []
    lines = [
        say("operating.of", subject=visible(one.subject), what=what)
        for one in several
        for what in (*shortfalls(one.verdict), *basis(one))
    ]
    return Prose((), items=tuple(lines))


def period_remarks(o: Operated) -> Prose:
    """What was odd in evidence that counts, and which folders were left out."""
    return Prose((), items=(*(line for one in o.subjects for line in remarks(one)), *left_out(o)))


def period_limits() -> Prose:
    """What is not judged, and what cannot be seen."""
    return Prose((), items=(*limits(), say("operating.stated")))


def _verdicts(o: Operated) -> list[PeriodVerdict]:
    return [one.verdict for one in o.subjects]
