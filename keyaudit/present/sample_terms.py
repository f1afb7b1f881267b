"""A sample in words: all that is needed to draw it again, and what it shows; then what the filled table says."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil

from keyaudit.model.sampled import (
    DEVIATION,
    NOT_TESTED,
    OK,
    WHOLE,
    Evaluated,
    Limit,
    Sample,
    SampledFrom,
)
from keyaudit.present.grid import grid, wrapped
from keyaudit.present.table import Table, table
from keyaudit.texts import listed, say, visible

#: how a line goes on that is wider than the terminal
HANGING = "  "
#: populations of strata that are named one by one
MOST_STRATA = 20


def percent(share: Fraction) -> str:
    """As it was given: 0.25, 10."""
    return f"{float(share * 100):.10g}"


def percent_up(share: Fraction) -> str:
    """Rounded up to a tenth, so that no limit is said to be lower than it is."""
    return f"{ceil(share * 1000) / 10:.1f}"


def terms_of(sample: Sample) -> list[tuple[str, str]]:
    """(what it is, how it is), one after the other: from population to what the size shows."""
    source = sample.source
    facts = [("population", _population(sample))]
    if source.is_sample_data:
        facts.insert(0, ("sample_data", say("verdict.sample")))
    facts.append(("seal", say("sampling.seal", name=visible(source.name), sha256=source.sha256)))
    facts += [("remarks", visible(one)) for one in source.remarks]
    seed = {"seed": visible(sample.seed)}
    facts.append(("seed", say("sampling.own_seed" if sample.is_own_seed else "sampling.seal_seed", **seed)))
    facts.append(("size", _size(sample)))
    facts += [("strata", _strata(sample))] if sample.terms.stratify else []
    facts += [("shows", line) for line in _shows(sample)]
    facts.append(("selection", say("sampling.selection", seed=visible(sample.seed), n=sample.size)))
    facts.append(("filling", say("sampling.filling", ok=OK, deviation=DEVIATION, not_tested=NOT_TESTED)))
    return [(say(f"sampling.label.{name}"), text) for name, text in facts]


def _population(sample: Sample) -> str:
    source = sample.source
    population = "sampling.population_of_period" if source.is_of_period else "sampling.population"
    parts = [say(population, n=sample.population, control=source.control)]
    parts += [say("sampling.left_out", n=n, kind=kind) for kind, n in source.left_out.items()]
    parts += _gaps(source)
    return listed("sentences", parts)


def _gaps(source: SampledFrom) -> list[str]:
    """That something was not seen, if so."""
    kind = "sampling.gaps_of_period" if source.is_of_period else "sampling.gaps"
    return [say(kind, n=source.gaps)] if source.gaps else []


def _size(sample: Sample) -> str:
    terms = sample.terms
    facts = {
        "n": sample.size,
        "all": sample.population,
        "k": sample.accepted,
        "d": sample.excluded,
        "risk": percent(terms.risk),
        "confidence": percent(terms.confidence),
        "tolerable": percent(terms.tolerable),
        "expected": percent(terms.expected),
    }
    if sample.size == sample.population:
        return say("sampling.size.whole", **facts)
    if terms.size is not None:
        return say("sampling.size.given", **facts)
    return say(f"sampling.size.{sample.limit.method}", **facts)


def _strata(sample: Sample) -> str:
    told = [
        say("sampling.stratum", name=visible(one.name), n=one.drawn, all=one.items)
        for one in sample.strata[:MOST_STRATA]
    ]
    more = len(sample.strata) - len(told)
    told += [say("sampling.more_strata", n=more)] if more > 0 else []
    parts = [say(f"sampling.by.{sample.terms.stratify}", strata=listed("words", told)), say("sampling.allocated")]
    return listed("sentences", parts)


def _shows(sample: Sample) -> Iterator[str]:
    """What the sample shows if no row deviates, and if as many do as are expected."""
    for found in dict.fromkeys((sample.clean, sample.limit)):
        yield limit_text(found, sample, say("sampling.deviations", n=found.deviations))
    yield say(f"sampling.method.{sample.limit.method}", risk=percent(sample.terms.risk))


def limit_text(found: Limit, sample: Sample, what: str) -> str:
    """That so many deviations show that at most so many of the population deviate."""
    facts = {
        "what": what,
        "size": sample.size,
        "all": sample.population,
        "most": found.most,
        "rate": percent_up(found.rate),
        "confidence": percent(sample.terms.confidence),
    }
    return say("sampling.whole_limit" if found.method == WHOLE else "sampling.limit", **facts)


def sample_text(sample: Sample, width: int | None = None) -> str:
    """The terms line by line; then the sample."""
    return "\n".join([*_lines(terms_of(sample), width), "", grid(sample_rows(sample), width=width), ""])


def terms_text(sample: Sample, width: int | None = None) -> str:
    return "\n".join([*_lines(terms_of(sample), width), ""])


def _lines(facts: list[tuple[str, str]], width: int | None) -> Iterator[str]:
    before = ""
    for label, text in facts:
        line = say("sampling.line", label=label, text=text) if label != before else f"{HANGING}{text}"
        before = label
        yield from wrapped(line, width, HANGING)


def sample_rows(sample: Sample) -> Table:
    rows = [
        [
            number,
            one.id,
            one.account,
            one.user,
            one.key or None,
            one.created or None,
            one.verdict,
            f"{rank[:12]}...",
        ]
        for number, (rank, one) in enumerate(sample.rows, 1)
    ]
    return table("sample", rows, most=None)


# --- the filled table ----------------------------------------------------------------------------------------
def evaluated_text(found: Evaluated, width: int | None = None) -> str:
    """What the table says, in the order in which it is asked: the outcome, the limit, and which rows deviate."""
    sample = found.sample
    untested, deviations = found.number(NOT_TESTED), found.number(DEVIATION)
    lines = [say("verdict.sample")] if sample.source.is_sample_data else []
    facts = {"n": deviations, "size": sample.size, "k": sample.accepted, "untested": untested}
    lines.append(say(f"sampling.outcome.{found.outcome}", **facts))
    if untested:
        lines.append(say("sampling.untested", n=untested))
    what = say("sampling.doubtful", n=found.limit.deviations) if untested else ""
    lines.append(limit_text(found.limit, sample, what or say("sampling.deviations", n=deviations)))
    lines += [line for line in [_tolerable(found)] if line]
    lines.append(say(f"sampling.method.{found.limit.method}", risk=percent(sample.terms.risk)))
    lines += _gaps(sample.source)
    lines += map(visible, sample.source.remarks)
    lines.append(_drawn_from(sample))
    text = "\n".join(part for line in lines for part in wrapped(line, width, HANGING))
    amiss = [one for one in found.rows if one.result != OK]
    rows = [[one.number, one.item.id, one.item.user, one.result, one.remark or None] for one in amiss]
    return f"{text}\n\n{grid(table('sample_amiss', rows, most=None), width=width)}\n" if rows else f"{text}\n"


def _tolerable(found: Evaluated) -> str:
    """Whether the limit is below the tolerable rate; nothing where a size was given in place of one."""
    terms = found.sample.terms
    if terms.size is not None:
        return ""
    kind = "tolerated" if found.limit.rate <= terms.tolerable else "not_tolerated"
    return say(f"sampling.{kind}", tolerable=percent(terms.tolerable))


def _drawn_from(sample: Sample) -> str:
    return say(
        "sampling.drawn_from",
        name=visible(sample.source.name),
        sha256=sample.source.sha256,
        seed=visible(sample.seed),
        control=sample.source.control,
    )
