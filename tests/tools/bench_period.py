"""How long it takes to conclude on a period, against judging one report of the same size."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from bench_measure import BIN, ROOT, RUNS, Run, median, ratio, run, show
from make_reports import write_population

for place in ("tests", "tests/evidence", "tests/schedule"):
    sys.path.insert(0, str(ROOT / place))

from evidence_helpers import digest, seal_again  # noqa: E402
from runs_made import judge_again  # noqa: E402

FIRST = date(2026, 1, 5)
BY = ("--policy", "cis", "--as-of", "2026-01-05T00:00:00Z")
DAILY, WEEKLY = 260, 52


def period(work: Path) -> None:
    """A year of weeks with 5,000 users, and 260 days with 30."""
    weekly, source = folders(work / "weekly", 5_000, WEEKLY, 7, "week")
    one = median([check(source) for _ in range(RUNS)])
    whole = median([asked(weekly) for _ in range(RUNS)])
    show("keyaudit check, 5,000 users, of the first week", one)
    show(f"keyaudit period, {WEEKLY} weekly folders of 5,000 users", whole)
    ratio(f"ratio of wall time, to {WEEKLY} of check", whole.wall / one.wall / WEEKLY, 1 / 3, 0.25)
    shutil.rmtree(work / "weekly")
    daily, source = folders(work / "daily", 30, DAILY, 1, "day")
    command = (str(BIN / "keyaudit"), "report", str(source), *BY, "-o", str(work / "made"))
    one = median([run(*command, cwd=work) for _ in range(RUNS)])
    parts = [beginning_of(daily, number) for number in (DAILY // 4, DAILY // 2)]
    few, half, whole = (median([asked(folder) for _ in range(RUNS)]) for folder in (*parts, daily))
    show("keyaudit report, 30 users", one)
    show(f"keyaudit period, {DAILY} daily folders of 30 users", whole)
    ratio("ratio of wall time, to one report", whole.wall / one.wall, 4)
    # from a quarter to the half, and from the half to the whole: twice as many folders more
    ratio(
        "CPU of the second half, to that of the second quarter", (whole.cpu - half.cpu) / (half.cpu - few.cpu), 2.6
    )
    for folder in (work / "daily", work / "made"):
        shutil.rmtree(folder)


def folders(place: Path, users: int, number: int, days: int, every: str) -> tuple[Path, Path]:
    """A reports folder of so many runs, made of one; and the report of that one."""
    source = next(write_population(place / "source", 1, users).iterdir())
    command = (str(BIN / "keyaudit"), "report", str(source), *BY, "-o", str(place / "made"))
    run(*command, cwd=place)
    (made,) = (path.parent for path in (place / "made").glob("*/SHA256SUMS"))
    for _ in derived(place / "reports", made, number, days, every):
        pass
    return place / "reports", source


def derived(reports: Path, made: Path, number: int, days: int, every: str) -> Iterator[Path]:
    """The evidence of scheduled runs. Their pages stay that of the first, for a period does not ask what they say."""
    previous = None
    for place in range(number):
        day = f"{FIRST + timedelta(days=place * days)}"
        path = reports / f"{day}T060000Z-key_rotation-100000000000"
        shutil.copytree(made, path)
        moment = f"{day}T06:00:00Z"
        told = judge_again(path, f"{day}T00:00:00Z", moment)
        schedule = {"every": every, "period": day, "asked": "0" * 64}
        facts = {"started_at": moment, "sealed_at": moment, "previous": previous, "name": path.name}
        seal_again(path, **(told | facts | {"schedule": schedule}))
        previous = digest((path / "SHA256SUMS").read_bytes())
        yield path


def beginning_of(reports: Path, number: int) -> Path:
    """A folder with the first so many."""
    part = reports.parent / f"first-{number}"
    for path in sorted(reports.iterdir())[:number]:
        shutil.copytree(path, part / path.name)
    return part


def check(source: Path) -> Run:
    return run(str(BIN / "keyaudit"), "check", str(source), *BY, cwd=source.parent)


def asked(reports: Path) -> Run:
    command = (str(BIN / "keyaudit"), "period", str(reports), "--from", f"{FIRST}", "--to", "2026-11-01")
    told = reports.parent / "told.txt"
    taken = run(*command, cwd=reports.parent, output=told)
    if "BROKEN" in told.read_text(encoding="utf-8"):
        raise SystemExit(f"{reports}: its evidence does not verify, so that nothing was judged")
    return taken
