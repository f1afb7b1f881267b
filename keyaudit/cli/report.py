"""``keyaudit report`` and ``keyaudit demo``: sealed evidence."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keyaudit import texts
from keyaudit.cli.cluster import NONE, Shared, cluster_options
from keyaudit.cli.common import (
    EXIT_OF,
    as_of_option,
    doing,
    policy_option,
    progress,
    reports_option,
    say,
    sources_argument,
    write_names,
)
from keyaudit.cli.export import also_of, also_option, export_also
from keyaudit.cli.live import CAPTURES, Live, capture_option, live_options
from keyaudit.cli.period_report import is_of_period, period_options, report_period
from keyaudit.cli.reading import resolve_captured
from keyaudit.cli.scheduled import reads_of, rebuild_index, scheduled
from keyaudit.schema import InputError
from keyaudit.texts import looks_secret

if TYPE_CHECKING:
    from keyaudit.cluster.client import Cluster
    from keyaudit.evidence import Evidence, PeriodAsked, Request
    from keyaudit.export.formats import Format
    from keyaudit.model import Audit

    #: tells of evidence that was made, with its first lines
    Tell = Callable[[Evidence[Audit], list[str]], None]
    Formats = tuple[Format, ...]


@click.command(short_help="Judge credential reports, and leave sealed evidence.")
@sources_argument
@policy_option
@as_of_option
@click.option(
    "--notebook", metavar="NAME|FILE", default="key_rotation", help="The notebook to run. Default: key_rotation."
)
@click.option(
    "-p",
    "--parameter",
    "pairs",
    nargs=2,
    metavar="NAME VALUE",
    multiple=True,
    help="A further parameter of the notebook.",
)
@click.option(
    "--before", metavar="DIR", default="", help="Earlier evidence to compare with, in place of the latest."
)
@reports_option("reports")
@click.option(
    "--per-account",
    is_flag=True,
    help="Also make one evidence folder per account, for its owner. Default of --jobs: twice the processors.",
)
@click.option(
    "--every",
    metavar="day|week|month|quarter|Nd",
    default="",
    help="A scheduled run: make evidence once per period (UTC).",
)
@click.option("--again", is_flag=True, help="With --every: make evidence even if this period has some.")
@click.option(
    "--notify",
    "topic",
    metavar="ARN",
    default="",
    help="Afterwards, send the bottom line to this SNS topic; needs sns:Publish.",
)
@also_option
@period_options
@capture_option
@cluster_options
@live_options
def report(
    sources: tuple[str, ...],
    policy: str,
    as_of: str,
    notebook: str,
    pairs: tuple[tuple[str, str], ...],
    before: str,
    reports: Path | None,
    per_account: bool,
    every: str,
    again: bool,
    topic: str,
    also: str,
    period: PeriodAsked,
    folder: Path | None,
    shared: Shared,
    live: Live,
) -> int:
    """Judge credential reports and leave sealed evidence; print its folder.

    SOURCE is as for check. With --notebook period it is a reports folder, and --every says how often evidence was
    due where no schedule is sealed in it.
    """
    # nothing heavy is imported here: the kernel is to begin with its own imports before this process does
    started = datetime.now(UTC)
    for name, value in pairs:
        if looks_secret(value):
            raise InputError(f"-p {name}: the value looks like a secret, and evidence shows its parameters")
    wanted = also_of(also)
    reports = reports or Path("reports")
    notice = _notice(topic, live, reports)
    asked: dict[str, Any] = {
        "policy": policy,
        "notebook": notebook,
        "before": before,
        "parameters": {name: _typed(value) for name, value in pairs},
    }

    if is_of_period(notebook, period):
        others = {
            "--as-of": as_of, "--before": before, "--per-account": per_account, "--again": again, "--notify": topic,
            "--also": also, "--capture": folder, "--cluster": shared.at,
            **{f"--{name.replace('_', '-')}": name for name in live.given},
        }  # fmt: skip
        request = {**asked, "sources": sources or ("reports",), "reports": reports, "started": started}
        return report_period(replace(period, every=every), others, **request)
    if shared.at and not (per_account or live.is_many):
        raise InputError("--cluster: for --per-account, --organization and --accounts; one account is done here")
    jobs = live.folders if per_account else 0

    def make(tell: Tell | None, schedule: dict[str, str] | None = None) -> Evidence[Audit]:
        read, captured = resolve_captured(
            sources, policy, as_of, folder, live, reports / CAPTURES.name, shared, with_jobs=per_account
        )
        made = {"sources": read, "captured": captured, "started": started, "schedule": schedule}
        made["insecure_cluster"] = shared.is_open
        return _make(jobs, shared, tell, wanted, as_of=as_of, reports=reports, **made, **asked)

    if not every:
        if again:
            raise InputError("--again: only with --every; without it a report is always made")
        with notice as tell:
            return EXIT_OF[make(tell).judged.conclusion]
    for option, given in (("--as-of", as_of), ("--per-account", per_account)):
        if given:
            raise InputError(f"{option} and --every exclude each other; give one of the two")
    from keyaudit.schedule.due import contents
    from keyaudit.sources import is_pipe

    for one in (*sources, policy, before):
        if one == "-" or is_pipe(Path(one)):
            raise InputError(f"{one}: can be read only once, and --every must recognise it later; name a file")
    decides = {**asked, **contents(sources, policy, notebook, before)}
    reads = {} if sources else reads_of(live)
    decides |= {"live": reads}
    # if it is not known which account is read, no earlier evidence can be of that account
    again = again or reads.get("caller") == ""
    with notice as tell:
        return scheduled(reports, every, again, notebook, decides, partial(make, tell), started)


def _notice(topic: str, live: Live, reports: Path) -> AbstractContextManager[Tell | None]:
    """What tells the topic of the run, if there is one."""
    if not topic:
        return nullcontext()
    from keyaudit.schedule.notice import Notice

    return Notice(topic, live.profile, reports, say)


@click.command(short_help="Make evidence of a made-up account, to see what keyaudit does.")
@reports_option("reports/demo")
def demo(reports: Path | None) -> int:
    """Make evidence of the bundled sample account, end to end; print its folder.

    Exits with 0 when the evidence was made, whatever it concludes.
    """
    _make(0, NONE, None, (), sources=[], reports=reports or Path("reports/demo"))
    return 0


def _make(jobs: int, shared: Shared, tell: Tell | None, also: Formats, **asked: Any) -> Evidence[Audit]:
    """Make the evidence, and print its folder; with ``jobs``, also those of the accounts, so many at once; and what
    is ``also`` made of each."""
    doing("judging")
    from keyaudit.evidence import Request, make_evidence, ready

    is_forked = jobs and not shared.at
    request = Request(**asked, progress=sys.stderr.isatty())
    # before anything is made, so that a cluster that cannot be used is told of first, and warms up meanwhile
    with shared.for_evidence() if jobs else nullcontext() as cluster:
        # the process that the others are forks of gets ready while the first folder is made
        evidence = make_evidence(request, once_judged=ready.get_ready if is_forked else None)
        lines = _tell(evidence)
        export_also(evidence.path, also)
        if jobs:
            _make_each(request, evidence.judged, jobs, cluster, also)
    rebuild_index(request.reports)
    if tell:
        tell(evidence, lines)
    return evidence


def _tell(evidence: Evidence[Audit]) -> list[str]:
    """Print the folder, after what it says first, which is returned, and how it is sealed."""
    from keyaudit.present import first_lines

    lines = first_lines(evidence.judged)
    for line in lines:
        say(line)
    for one in evidence.unread:
        say(texts.say("evidence.unread", why=one))
    say(f"sealed: SHA256SUMS has the SHA-256 {evidence.sha256}")
    write_names([evidence.path])
    return lines


def _make_each(request: Request, judged: Audit, jobs: int, cluster: Cluster | None, also: Formats) -> None:
    """Make the folders of the accounts, and print each when it is finished."""
    from keyaudit.evidence.per_account import make_each, sources_of

    sources, missing = sources_of(judged)
    for account in missing:
        say(f"no folder for {account}: the account was not read, and the capture holds nothing of it")
    bar = progress("account folders") or (lambda folders, _: folders)
    for folder in bar(make_each(request, sources, jobs, cluster), len(sources)):
        write_names([folder])
        export_also(folder, also)


def _typed(text: str) -> str | int | float | bool | None:
    """A parameter from the command line, read as papermill's own -p reads it, except that an account id is no
    number."""
    if re.fullmatch("[0-9]{12}", text):
        return text
    from papermill.cli import _resolve_type

    return _resolve_type(text)
