"""Speed, as ratios measured side by side in one run (``make bench``).

Every command is a whole process; each pair is run in turns, and the median of each is taken. CPU and peak memory
are the operating system's own, of the process and its children.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench_cluster import cluster
from bench_live import live
from bench_measure import BIN, ROOT, RUNS, Run, figure, head, median, ratio, run, show
from bench_period import period
from bench_redraw import redraw
from make_reports import write_population

AS_OF = "2026-11-23T08:00:00Z"


def main() -> None:
    """Measure, and print the table."""
    work = Path(tempfile.mkdtemp(prefix="keyaudit-bench-"))
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is compiled once is kept, as where nobody says otherwise
    head()
    try:
        report_against_stock(work)
        check(work)
        many_accounts(work)
        each_account(work)
        cluster(work)
        verify(work)
        redraw(work)
        overview(work)
        period(work)
    finally:
        shutil.rmtree(work)
    live()


def report_against_stock(work: Path) -> None:
    """``keyaudit report`` against papermill and nbconvert, two commands, on the same notebook."""
    folder = write_population(work / "one", 1, 5_000)
    source = str(next(folder.iterdir()))
    ours, stock = [], []
    notebook = str(ROOT / "notebooks" / "key_rotation.ipynb")
    given = ("-p", "source", source, "-p", "policy", "cis", "-p", "as_of", AS_OF)
    for _ in range(RUNS):
        command = (str(BIN / "keyaudit"), "report", source, "--policy", "cis", "--as-of", AS_OF, "-o", "reports")
        ours.append(run(*command, cwd=work))
        first = run(str(BIN / "papermill"), notebook, "out.ipynb", *given, cwd=work)
        second = run(str(BIN / "jupyter"), "nbconvert", "--to", "html", "out.ipynb", cwd=work)
        stock.append(Run(first.wall + second.wall, first.cpu + second.cpu, max(first.mib, second.mib)))
    show("keyaudit report, 5,000 users, HTML and seal included", median(ours))
    show("papermill, then jupyter nbconvert --to html", median(stock))
    ratio("ratio of wall time", median(ours).wall / median(stock).wall, 0.40, 0.35)


#: what ``check`` imports of others, and nothing else: pydantic is imported when its model is
LIBRARIES = "import click, pandas\nfrom pydantic import BaseModel"


def check(work: Path) -> None:
    """``keyaudit check`` on one account, beyond what importing its libraries takes; and ``--help``."""
    source = str(next((work / "one").iterdir()))
    command = (str(BIN / "keyaudit"), "check", source, "--policy", "cis", "--as-of", AS_OF)
    libraries, table, as_json = [], [], []
    for _ in range(3 * RUNS):
        libraries.append(run(sys.executable, "-c", LIBRARIES, cwd=work))
        table.append(run(*command, cwd=work))
        as_json.append(run(*command, "-f", "json", cwd=work))
    show("importing pandas, pydantic and click", median(libraries))
    for form, runs in (("as table", table), ("as JSON", as_json)):
        one = median(runs)
        show(f"keyaudit check, 5,000 users, {form}", one, "CPU at most 1.0", one.cpu <= 1)
        beyond = one.cpu - median(libraries).cpu
        figure("CPU beyond importing these", beyond, "at most 0.2", beyond <= 0.2)
    one = median([run(str(BIN / "keyaudit"), "--help", cwd=work) for _ in range(RUNS)])
    show("keyaudit --help", one, "at most 0.25", one.wall <= 0.25)


#: what is measured against it: pandas' own reader over the same files, one after the other
READ_CSV = "import pathlib, sys, pandas\nfor path in pathlib.Path(sys.argv[1]).iterdir(): pandas.read_csv(path)"
#: accounts, users of each, and how much of pandas' time at most
POPULATIONS = ((2_000, 100, 1.5, None), (10_000, 100, 1.5, None), (200, 5_000, 2.0, 1.5))


def many_accounts(work: Path) -> None:
    """``keyaudit check`` on many accounts against pandas reading the same files."""
    for accounts, users, most, aim in POPULATIONS:
        folder = write_population(work / f"{accounts}x{users}", accounts, users)
        ours, theirs = [], []
        for _ in range(RUNS):
            theirs.append(run(sys.executable, "-c", READ_CSV, str(folder), cwd=work))
            command = (str(BIN / "keyaudit"), "check", str(folder), "--policy", "cis", "--as-of", AS_OF)
            ours.append(run(*command, cwd=work))
        one = median(ours)
        show(
            f"keyaudit check, {accounts * users:,} rows in {accounts:,} reports",
            one,
            "at most 300 MiB",
            one.mib <= 300,
        )
        show("pandas.read_csv, one after the other", median(theirs))
        ratio("ratio of wall time", one.wall / median(theirs).wall, most, aim)
        shutil.rmtree(folder)


def each_account(work: Path) -> None:
    """``report --per-account`` on 30 small accounts: what a further folder takes of a single report's time."""
    folder, reports = write_population(work / "small", 30, 100), work / "each"
    single, whole = [], []
    for number in range(RUNS):
        command = (
            str(BIN / "keyaudit"),
            "report",
            "--policy",
            "cis",
            "--as-of",
            AS_OF,
            "-o",
            f"{reports}/{number}",
        )
        single.append(run(*command, str(next(folder.iterdir())), cwd=work))
        whole.append(run(*command, str(folder), "--per-account", cwd=work))
    show("keyaudit report, 100 users", median(single))
    show("keyaudit report --per-account, 31 folders", median(whole))
    further = (median(whole).wall - median(single).wall) / 30
    ratio("a further folder, of a single report's wall time", further / median(single).wall, 0.20, 0.12)


def verify(work: Path) -> None:
    """How many folders ``keyaudit verify`` gets through in a second."""
    subprocess.run([str(BIN / "keyaudit"), "demo", "-o", "demo"], cwd=work, check=True, capture_output=True)
    first = next(path for path in (work / "demo").iterdir() if path.is_dir())
    year = [shutil.copytree(first, work / "year" / f"{number:03}") for number in range(200)]
    whole = run(str(BIN / "keyaudit"), "verify", *map(str, year), cwd=work)
    one = run(str(BIN / "keyaudit"), "verify", str(year[0]), cwd=work)
    show("keyaudit verify, 200 folders of the sample", whole)
    figure("folders a second", 199 / (whole.wall - one.wall), digits=0)


def overview(work: Path) -> None:
    """How long the overview of a reports folder takes, which each run makes anew: a thousand folders, one a day."""
    from keyaudit.evidence.index import rebuild

    first = next(path for path in (work / "demo").iterdir() if path.is_dir())
    reports = work / "years"
    start = datetime(2024, 1, 1, 8, tzinfo=UTC)
    for number in range(1_000):
        shutil.copytree(first, reports / f"{start + timedelta(days=number):%Y-%m-%dT%H%M%SZ}-key_rotation-sample")
    before = time.perf_counter()
    rebuild(reports)
    figure("index.html over 1,000 evidence folders, seconds", time.perf_counter() - before)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
