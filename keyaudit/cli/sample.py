"""``keyaudit sample``: a sample for the auditor's own test, and what the filled table says."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from keyaudit.cli.common import doing, is_given, series_option, width, write, write_names
from keyaudit.model.sampled import INCOMPLETE, MORE, NO_MORE, STRATIFIED, Terms
from keyaudit.schema import CONTROLS, ROTATION, InputError

if TYPE_CHECKING:
    from keyaudit.model.sampled import Sample, SampledFrom

F = TypeVar("F", bound=Callable[..., Any])
#: the exit code of what an evaluation concludes
EXIT = {NO_MORE: 0, MORE: 1, INCOMPLETE: 3}
PERCENTS = re.compile(r"(\d{1,3}(?:\.\d{1,4})?) ?%?", re.ASCII)
#: no confidence below this is one
LEAST_CONFIDENCE = Fraction(1, 2)


def percents(_: click.Context, option: click.Parameter, text: str) -> Fraction:
    """A number of percents as an exact share; InputError for anything else."""
    found = PERCENTS.fullmatch(text.strip())
    share = Fraction(found[1]) / 100 if found else Fraction(1)
    if not share < 1:
        raise InputError(
            f"{option.opts[0]} {text}: give percents below 100, with at most four decimals, such as 5 or 0.25"
        )
    return share


def percents_option(name: str, default: str, told: str) -> Callable[[F], F]:
    return click.option(name, metavar="PERCENT", default=default, callback=percents, help=told)


@click.command(short_help="Draw a sample for an auditor's own test, or evaluate it.")
@click.argument("evidence", type=click.Path(path_type=Path, readable=False))
@click.option("--size", metavar="N", type=click.IntRange(min=1), help="How many to draw, in place of --tolerable.")
@percents_option("--confidence", "95", "How sure the sample is to make. Default: 95.")
@percents_option("--tolerable", "10", "The rate of deviations that it is to exclude. Default: 10.")
@percents_option("--expected", "0", "The rate of deviations that is expected in it. Default: 0.")
@click.option(
    "--seed", metavar="TEXT", default="", help="What decides the selection. Default: the evidence's seal."
)
@click.option("--control", type=click.Choice(CONTROLS), default=ROTATION, help="Whose findings. Default: rotation.")
@series_option
@click.option("--stratify", type=click.Choice(STRATIFIED), default=None, help="Draw from each of these.")
@click.option(
    "-o",
    "--output",
    "output",
    metavar="FILE",
    type=click.Path(path_type=Path, readable=False),
    help="Write the table to be filled in: FILE.xlsx (extra xlsx) or FILE.csv.",
)
@click.option(
    "--evaluate",
    "filled",
    metavar="FILE",
    type=click.Path(path_type=Path, readable=False),
    help="What this filled table says; with the options with which its sample was drawn.",
)
@click.pass_context
def sample(
    context: click.Context,
    evidence: Path,
    size: int | None,
    confidence: Fraction,
    tolerable: Fraction,
    expected: Fraction,
    seed: str,
    control: str,
    series: Path | None,
    stratify: str | None,
    output: Path | None,
    filled: Path | None,
) -> int:
    """Draw a sample of what was judged in an evidence folder, and say what it shows and how to draw it again. Of
    evidence of a period it is one of the keys that may have been active in it.

    The folder is verified and judged again. Anybody can draw the same sample: of all findings, those whose SHA-256
    of "seed,finding_id" is lowest. Nothing in EVIDENCE is changed.

    Exits with 0 if a sample was drawn, 2 if that cannot be done. With --evaluate: 0 if no more rows deviate than
    were expected, 1 if more do, 3 if a row was not tested or the population is not shown to be complete, 2 if the
    table is not this sample, filled in.
    """
    doing("verifying")
    terms = _terms(context, size, confidence, tolerable, expected, stratify)
    if output and filled:
        raise InputError("--evaluate: reads a table that was written before; leave out -o")
    form = _form(output) if output else ""
    from keyaudit.evidence.sampled_keys import write_sample
    from keyaudit.period.sampling import draw

    drawn = draw(_population(evidence, control, series), terms, seed)
    if filled:
        return _evaluate(drawn, filled)
    from keyaudit.present.sample_terms import sample_text, terms_text

    if output is None:
        write(sample_text(drawn, width()))
        return 0
    write_sample(output, _written(drawn, form))
    write(terms_text(drawn, width()))
    write(_to_evaluate(context, evidence, output) + "\n")
    write_names([output])
    return 0


def _population(evidence: Path, control: str, series: Path | None) -> SampledFrom:
    """What is drawn from: the findings of a control, or the keys of a period."""
    from keyaudit.evidence.sampled_keys import is_of_period, population_of, population_of_period

    if is_of_period(evidence):
        if control != ROTATION:
            raise InputError(f"--control {control}: over a period only {ROTATION} is judged; leave it out")
        return population_of_period(evidence, series)
    if series:
        raise InputError(f"--series: {evidence} is not evidence of a period; leave it out")
    return population_of(evidence, control)


def _terms(
    context: click.Context,
    size: int | None,
    confidence: Fraction,
    tolerable: Fraction,
    expected: Fraction,
    stratify: str | None,
) -> Terms:
    if confidence < LEAST_CONFIDENCE:
        raise InputError("--confidence: give at least 50")
    if size is not None and is_given(context, "tolerable"):
        raise InputError("--tolerable: decides the size; give one of --size and --tolerable")
    # a size that is given is to exclude nothing in particular
    return Terms(confidence, tolerable if size is None else Fraction(1), expected, size, stratify or "")


def _form(output: Path) -> str:
    """How the table is written, by the ending of its name; what is not installed is told of first."""
    form = output.suffix.lower()
    if form not in (".csv", ".xlsx"):
        raise InputError(f"-o {output}: name a file that ends with .csv or .xlsx")
    if form == ".xlsx":
        from keyaudit.export.formats import formats_of

        formats_of("xlsx")[0].load()
    return form


def _written(drawn: Sample, form: str) -> bytes:
    from keyaudit.export.sample_table import sample_csv, sample_sheets

    if form == ".csv":
        return sample_csv(drawn)
    from keyaudit.export.xlsx import written

    source = drawn.source
    return written(sample_sheets(drawn), source.name, source.sha256, source.as_of)


def _to_evaluate(context: click.Context, evidence: Path, output: Path) -> str:
    """The command that evaluates the table, with all that decides which sample it is."""
    from keyaudit.texts import say, shell_line

    words = ["keyaudit", "sample", str(evidence)]
    for name in ("size", "confidence", "tolerable", "expected", "seed", "control", "series", "stratify"):
        if is_given(context, name):
            words += [f"--{name}", _as_given(context.params[name])]
    return say("sampling.written", command=shell_line([*words, "--evaluate", str(output)]))


def _as_given(value: object) -> str:
    if not isinstance(value, Fraction):
        return str(value)
    from keyaudit.present.sample_terms import percent

    return percent(value)


def _evaluate(drawn: Sample, filled: Path) -> int:
    from keyaudit.export.filled import read_filled
    from keyaudit.period.evaluating import evaluate
    from keyaudit.present.sample_terms import evaluated_text

    found = evaluate(drawn, read_filled(filled), str(filled))
    write(evaluated_text(found, width()))
    # no sample shows what is missing from what it was drawn from
    return EXIT[INCOMPLETE if found.outcome == NO_MORE and drawn.source.gaps else found.outcome]
