"""``keyaudit schedule``: the files that make a report on a schedule. Nothing is installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keyaudit import texts
from keyaudit.cli.cluster import shared_of
from keyaudit.cli.common import is_given, say, write, write_names
from keyaudit.cli.export import also_of
from keyaudit.cli.live import live_of
from keyaudit.cli.reading import check_live
from keyaudit.cli.report import report
from keyaudit.files import unreadable, why
from keyaudit.schema import InputError

if TYPE_CHECKING:
    from keyaudit.schedule.timetable import Timetable, Word

KINDS = ("systemd", "cron", "github-actions", "eventbridge")
CLOUDS = ("github-actions", "eventbridge")
#: options of report that a schedule cannot have, and why
REFUSED = {
    "as_of": "--as-of: it judges the past; a schedule judges the moment of each run",
    "again": "--again: a schedule that always makes more evidence is no longer safe to repeat",
    "per_account": "--per-account: does not go with --every",
    "folder": "--capture: each run makes a new capture in a dated folder of its own",
}
#: options that mean something only on the host where this is run
OF_THE_HOST = {
    "profile": "--profile: there the credentials are those of the role",
    "cluster_at": "--cluster: a build reads all accounts by itself",
    "reports": "-o: there the reports are kept in a bucket",
}
#: options whose values are files or folders; but a policy may be a preset, and a notebook one of ours
FILES = ("sources", "policy", "notebook", "before", "accounts", "reports", "tls_ca_file", "tls_cert", "tls_key")


@click.command(
    context_settings={"ignore_unknown_options": True},
    short_help="Print cron, systemd or cloud files that make evidence on time.",
)
@click.argument("kind", type=click.Choice(KINDS))
@click.option(
    "--every", metavar="day|week|month|quarter|Nd", required=True, help="How often evidence is due (UTC)."
)
@click.option(
    "--at",
    metavar="HH:MM",
    default="06:00",
    help="The time of day: UTC, or the host's time for cron. Default: 06:00.",
)
@click.option("--daily", is_flag=True, help="Ask every day, so that a failed run is made up for the next day.")
@click.option(
    "--name", metavar="NAME", default="keyaudit", help="The name of units, workflow or stack. Default: keyaudit."
)
@click.option(
    "--into",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path, readable=False),
    help="Write the files into this folder, but never over others. Default: print them.",
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[REPORT SOURCE OR OPTION]...")
def schedule(
    kind: str, every: str, at: str, daily: bool, name: str, into: Path | None, options: tuple[str, ...]
) -> int:
    """Print the files that make evidence once per period; each says where it goes. Nothing is installed.

    The further arguments are those of report. They are checked, and files are named by their full paths.
    """
    from keyaudit.dues.calendar import parse_every
    from keyaudit.schedule.clouds import eventbridge, github_actions
    from keyaudit.schedule.hosts import crontab, systemd

    render = {"systemd": systemd, "cron": crontab, "github-actions": github_actions, "eventbridge": eventbridge}
    files = render[kind](_timetable(kind, options, every=parse_every(every), at=at, is_daily=daily, name=name))
    if into:
        _save(into, files)
    else:
        write("\n".join(files.values()))
    return 0


def _timetable(kind: str, options: tuple[str, ...], **when: Any) -> Timetable:
    """The options of report, checked by report's own means as far as that is possible before a run."""
    from keyaudit.aws.permissions import OF_THE_STACK, statements
    from keyaudit.schedule.timetable import Timetable

    context = report.make_context("keyaudit schedule", list(options))
    for option, reason in (REFUSED | (OF_THE_HOST if kind in CLOUDS else {})).items():
        if is_given(context, option):
            raise InputError(reason)
    sources, given = context.params["sources"], dict(context.params)
    live = live_of(context, given)
    if shared_of(given).at and not live.is_many:
        raise InputError("--cluster: for --organization and --accounts; one account is done here")
    check_live(live, sources)
    if sources and kind == "eventbridge":
        raise InputError(f"{sources[0]}: a build reads live AWS; name no SOURCE")
    _check(context)
    return Timetable(
        **when,
        program=_program(),
        folder=_here(),
        options=tuple(_words(context)),
        reports=_absolute(given["reports"] or "reports"),
        topic=given["topic"],
        permissions=tuple(_words(context, live.given)) if live.given else (),
        statements=() if sources else tuple(statements(live.needs, **OF_THE_STACK)),
        extras=tuple(one.id for one in also_of(given["also"]) if one.library),
    )


def _check(context: click.Context) -> None:
    """What would make each run fail."""
    from keyaudit.evidence.notebook import find_notebook, refuse_unknown
    from keyaudit.policy import load_policy
    from keyaudit.schedule.notice import region_of

    given = context.params
    for parameter in report.params:
        if given[parameter.name or ""] == "" and is_given(context, parameter.name or ""):
            raise InputError(f"{_flag(parameter)}: is empty; give it a value, or leave it out")
    for name in ("accounts", "before"):
        if given[name] and not Path(given[name]).exists():
            raise InputError(f"--{name} {given[name]}: no such file or folder")
    if given["role_arn"] or given["region"]:
        from keyaudit.aws.partitions import account_of_role, partition_of

        partition_of(given["region"])
        account_of_role(given["role_arn"] or "arn:aws:iam::000000000000:role/none")
    if given["topic"]:
        region_of(given["topic"])
    refuse_unknown(find_notebook(given["notebook"]), dict(given["pairs"]))
    for source in given["sources"]:
        if not source or not Path(source).exists():
            what = "a schedule has no standard input" if source == "-" else "no such file or folder"
            raise InputError(f"{source}: {what}; name what each run is to read")
    if given["sources"]:
        say(texts.say("schedule.files"))
    if not load_policy(given["policy"]).given:
        say(texts.say("schedule.no_policy"))


def _words(context: click.Context, only: Sequence[str] = ()) -> Iterator[Word]:
    """The options that were given, or ``only`` some of them, as report takes them: words, and paths of files."""
    for parameter in report.params:
        name: str = parameter.name or ""
        value: Any = context.params.get(name)
        if not is_given(context, name) or (only and name not in only):
            continue
        if isinstance(parameter, click.Argument):
            yield from (_place(name, one) for one in value)
            continue
        for one in value if parameter.multiple else [value]:
            yield _flag(parameter)
            if one is not True:
                yield from (_place(name, part) for part in (one if parameter.nargs > 1 else [one]))


def _flag(parameter: click.Parameter) -> str:
    return max(parameter.opts, key=len)


def _place(name: str, value: str) -> Word:
    """A file by its full path; the name of a preset or a notebook, and anything else, unchanged."""
    from keyaudit.resources import names
    from keyaudit.schedule.timetable import Place

    is_named = (name == "policy" and value in names("policies", ".toml")) or (
        name == "notebook" and not value.endswith(".ipynb")
    )
    is_file = name in FILES or (name == "cluster_at" and Path(value).is_file())
    return Place(_absolute(value)) if is_file and not is_named else str(value)


def _absolute(value: str | Path) -> Path:
    """The full path. A link stays a link, because it may lead to another file later."""
    return Path(os.path.normpath(_here() / value))


def _program() -> tuple[str, ...]:
    """How this host starts keyaudit, for any user and in any folder."""
    beside = Path(sys.executable).with_name("keyaudit.exe" if sys.platform == "win32" else "keyaudit")
    return (str(beside),) if beside.is_file() else (sys.executable, "-m", "keyaudit")


def _here() -> Path:
    try:
        return Path.cwd()
    except OSError:
        raise InputError("the current folder no longer exists; change to one that does") from None


def _save(folder: Path, files: dict[str, str]) -> None:
    """Write the files. One that exists with the same content is left; if any has other content, no file is
    written."""
    for path, text in ((folder / name, text) for name, text in files.items()):
        try:
            is_other = path.is_symlink() or (
                path.exists() and not (path.is_file() and path.read_bytes() == text.encode())
            )
        except OSError as error:
            raise InputError(unreadable(path, error)) from None
        if is_other:
            raise InputError(f"{path}: holds something else; remove it, or choose another --name")
    for name, text in files.items():
        path = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({why(error)})") from None
        write_names([path])
