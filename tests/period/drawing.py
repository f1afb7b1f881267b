"""Shared by the tests of samples: a made-up population, and tables that are filled in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

from conftest import ACCOUNT, OTHER
from years import at

from keyaudit.export.filled import read_filled
from keyaudit.export.sample_table import sample_csv, sample_sheets
from keyaudit.export.tabular import table_csv
from keyaudit.export.xlsx import written
from keyaudit.model.sampled import OK, Item, Sample, SampledFrom, Terms
from keyaudit.period.sampling import draw
from keyaudit.schema import COMPLIANT, NON_COMPLIANT

SEAL = "0123456789abcdef" * 4
SEED = "audit 2026"


def items(number: int, accounts: Iterable[str] = (ACCOUNT, OTHER)) -> tuple[Item, ...]:
    """So many keys, a third of them in the first account, every fifth of them overdue."""
    first, *others = accounts
    return tuple(
        Item(
            f"{place:016x}",
            first if place % 3 == 0 else others[place % len(others)],
            f"user-{place}",
            "access_key_1",
            "2026-08-01T00:00:00Z",
            NON_COMPLIANT if place % 5 == 0 else COMPLIANT,
        )
        for place in range(number)
    )


def source(population: Iterable[Item] | int, **more: object) -> SampledFrom:
    found = items(population) if isinstance(population, int) else tuple(population)
    facts = {"left_out": {}, "gaps": 0, "is_sample_data": False} | more
    return SampledFrom("2026-11-23T000000Z-key_rotation", SEAL, at("11-23"), "rotation", found, **facts)  # type: ignore[arg-type]


def terms(size: int | None = None, tolerable: int = 10, expected: str = "0", stratify: str = "") -> Terms:
    """At 95 % confidence, rates in percents."""
    tolerated = Fraction(tolerable, 100) if size is None else Fraction(1)
    return Terms(Fraction(95, 100), tolerated, Fraction(expected) / 100, size, stratify)


def drawn(population: Iterable[Item] | int, *of: object, seed: str = SEED, **more: object) -> Sample:
    return draw(source(population), terms(*of, **more), seed)  # type: ignore[arg-type]


def ids(sample: Sample) -> list[str]:
    return [one.id for _, one in sample.rows]


Cells = list[str]
#: what is done with the rows of a table, its headings first
Change = Callable[[list[Cells]], object]


def lines(sample: Sample) -> list[Cells]:
    """The table as it is written."""
    import csv
    import io

    return list(csv.reader(io.StringIO(sample_csv(sample).decode())))


def filled(path: Path, sample: Sample, result: str = OK, change: Change | None = None) -> list:
    """A CSV in which each row has this result, and then something is done with; as it is read."""
    header, *rows = lines(sample)
    for row in rows:
        row[header.index("result")] = result
    found = [header, *rows]
    if change:
        change(found)
    path.write_bytes(table_csv(found[0], found[1:]))
    return read_filled(path)


def workbook(sample: Sample) -> bytes:
    made = sample.source
    return written(sample_sheets(sample), made.name, made.sha256, made.as_of)
