"""Did the control operate throughout a period? The verdict on each subject as sentences and tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from keyaudit.model.operated import Operated, SubjectOperated
from keyaudit.model.over_period import ANCHORED_WITHIN, BREACH, STATES, Anchoring, PeriodVerdict, length
from keyaudit.present.durations import between, in_days
from keyaudit.present.grid import coloured, grid, wrapped
from keyaudit.present.period_tables import gaps_table, keys_table
from keyaudit.present.shortfalls import shortfalls
from keyaudit.schema import COMPLIANT, NON_COMPLIANT
from keyaudit.texts import listed, say, utc, visible

#: how a line goes on that is wider than the terminal
HANGING = "  "
#: folders that are named one by one
MOST_FOLDERS = 5
#: remarks on periods that are said; the others are counted
MOST_REMARKS = 20


def operating_text(found: Operated, colour: bool = False, width: int | None = None) -> str:
    """All subjects, then what was left out and what is wrong with folders of no subject; ``width``: of the
    terminal, None if there is none."""
    blocks = [block for one in found.subjects for block in _subject(one, colour, width)]
    if not found.subjects:
        blocks.append(_fitted([say("operating.no_subject")], width))
    blocks += [_fitted(lines, width) for lines in (left_out(found), loose_faults(found))]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _fitted(lines: list[str], width: int | None) -> str:
    return "\n".join(part for line in lines for part in wrapped(line, width, HANGING))


def _subject(one: SubjectOperated, colour: bool, width: int | None) -> Iterator[str]:
    v = one.verdict
    answer = [coloured(line, v.conclusion, colour) for line in wrapped(headline(v), width, HANGING)]
    yield "\n".join([*answer, _fitted([*basis(one), *shortfalls(v)], width)])
    yield from (grid(each, width=width) for each in (keys_table([v]), gaps_table([v])) if each.rows)
    yield _fitted(remarks(one), width)
    yield _fitted([due_line(one), *(numbers(v) if v.snapshots else []), *limits()], width)


def headline(v: PeriodVerdict) -> str:
    """The conclusion in words, with the policy that was given, if any. It claims what lies between the first
    evidence and the last, and no more."""
    start, end = v.concluded or (v.start, v.end)
    facts = {"subject": visible(v.subject), "conclusion": v.conclusion, "as_if": _as_if(v)}
    if v.conclusion == COMPLIANT:
        kind = "operated"
    elif v.conclusion == NON_COMPLIANT:
        kind = "in_breach" if BREACH in v.reasons else "no_period"
    else:
        kind = "not_shown"
    numbers = {"n": v.figures.breaches, "keys": v.figures.keys, "start": utc(start), "end": utc(end)}
    return say(f"operating.{kind}", **facts, **numbers, **_days(v))


def _as_if(v: PeriodVerdict) -> str:
    judged_by = [*v.policies] if v.is_as_if else []
    return say("operating.as_if", policy=visible(judged_by[0])) if judged_by else ""


def _days(v: PeriodVerdict) -> dict[str, str]:
    """The first and the last day of the window."""
    return {"first": f"{v.start:%Y-%m-%d}", "last": f"{v.end - timedelta(days=1):%Y-%m-%d}"}


def basis(one: SubjectOperated) -> list[str]:
    """The first lines: which part of the period was concluded, when the evidence was sealed, and by which policy it
    was judged."""
    v = one.verdict
    asked = listed("sentences", [say("operating.asked", **_days(v)), _concluded(v)])
    lines = [asked, *sealed_when(one.anchored)]
    if v.policies and not v.is_as_if:
        policies = [say("operating.by_policy", policy=visible(name), n=n) for name, n in v.policies.items()]
        lines.append(say("operating.policies", policies=listed("words", policies)))
    return lines


def _concluded(v: PeriodVerdict) -> str:
    if v.concluded is None:
        return say("operating.nothing_concluded")
    start, end = v.concluded
    parts = [say("operating.concluded", start=utc(start), end=utc(end))]
    parts += [say("operating.before")] if start > v.start else []
    parts += [say("operating.after")] if end < v.end else []
    return listed("sentences", parts)


def sealed_when(found: Anchoring | None) -> list[str]:
    """Who says when the evidence was sealed."""
    if found is None:
        return [say("operating.sealed")]
    facts = {"within": len(found.within), "file": visible(found.name), "days": ANCHORED_WITHIN}
    lines = [say("operating.anchored", n=found.folders, **facts)]
    for kind in ("late", "never", "early"):
        if folders := getattr(found, kind):
            more = len(folders) - MOST_FOLDERS
            named = [*map(visible, folders[:MOST_FOLDERS])]
            named += [say("operating.others", n=more)] if more > 0 else []
            lines.append(say(f"operating.anchored_{kind}", n=len(folders), folders=listed("words", named)))
    if found.strangers:
        lines.append(say("operating.strangers", n=found.strangers))
    return [listed("sentences", lines)]


def due_line(one: SubjectOperated) -> str:
    """How often evidence was due and why, and how many of the periods have it."""
    cadences = [
        say("operating.every", every=each.every)
        if each.start is None
        else say("operating.then_every", every=each.every, start=utc(each.start))
        for each in one.cadences
    ]
    how = say("operating.by_hand" if one.is_by_hand else "operating.by_schedule")
    counts = Counter(each.state for each in one.verdict.coverage.periods)
    states = [
        say("operating.state", n=counts[state], state=say(f"series.{state}")) for state in STATES if counts[state]
    ]
    facts = {"cadence": listed("words", cadences), "how": how, "states": listed("words", states)}
    return say("operating.due", n=counts.total(), **facts)


def numbers(v: PeriodVerdict) -> list[str]:
    """Keys, days, time to remedy, rotations, accounts; each with its bounds."""
    f = v.figures
    rate = "–" if f.deviation_rate is None else f"{f.deviation_rate:.1%}"
    lines = [
        say("operating.keys", n=f.keys, breaches=f.breaches, rate=rate, possible=f.possible, exempt=f.exempt),
        say("operating.days", breach=between(*f.breach_days), active=between(*f.active_days)),
    ]
    if f.exempt_days[1]:
        lines.append(say("operating.exempt_days", exempt=between(*f.exempt_days)))
    if f.median and f.slowest:
        remedy = {"median": between(*f.median), "slowest": between(*f.slowest)}
        told = [say("operating.remedy", **remedy)]
        told += [say("operating.still_open", n=f.open)] if f.open else []
        lines.append(listed("sentences", told))
    age = say("operating.age", age=in_days(f.age)) if f.age is not None else ""
    lines.append(say("operating.rotations", n=f.replacements, age=age))
    longest = v.coverage.longest
    if longest and longest.gap:
        facts = {"account": visible(longest.account), "days": in_days(length([longest.gap]))}
        start, end = map(utc, longest.gap)
        lines.append(say("operating.longest", n=len(v.coverage.accounts), start=start, end=end, **facts))
    return lines


def limits() -> list[str]:
    """What is not judged, and what cannot be seen."""
    return [say("operating.other_controls"), say("operating.not_seen")]


def remarks(one: SubjectOperated) -> list[str]:
    """The first remarks on its periods, and how many more there are."""
    lines = [f"{period}  {visible(remark)}" for period, remark in one.remarks]
    more = len(lines) - MOST_REMARKS
    return lines[:MOST_REMARKS] + ([say("operating.more", n=more)] if more > 0 else [])


def left_out(found: Operated) -> list[str]:
    """The folders that count for no period, by the reason."""
    counts = Counter(why for _, why in found.left_out)
    return [say("operating.left_out", n=n, why=why) for why, n in counts.items()]


def loose_faults(found: Operated) -> list[str]:
    """What is wrong with folders of no subject."""
    faults = [visible(fault) for fault in found.faults]
    return [say("operating.faults", n=len(faults)), *faults] if faults else []
