"""The options by which AWS itself is read, and a capture made with them: ``capture``, ``check`` and ``report``."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import click

from keyaudit.cli.common import is_given, say
from keyaudit.schema import InputError

ROLE_NAME = "KeyAuditReadOnly"
CAPTURES = Path("reports/captures")
#: threads that list the keys of one account, where it is the only one, and over all accounts that are read at once
WORKERS, ALL_WORKERS = 16, 48
MOST_NAMED = 10
REGION = r"[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}"

_OPTIONS = (
    click.option("--profile", metavar="NAME", default="", help="A profile of your AWS configuration."),
    click.option("--region", metavar="NAME", default="", help="Chooses the partition: aws, aws-cn, aws-us-gov."),
    click.option("--role-arn", metavar="ARN", default="", help="Assume this role first."),
    click.option("--external-id", metavar="ID", default="", help="For the roles that are assumed."),
    click.option("--organization", is_flag=True, help="All active accounts of the organization."),
    click.option(
        "--accounts",
        metavar="FILE",
        type=click.Path(path_type=Path),
        default=None,
        help="The accounts in this file, one id a line.",
    ),
    click.option(
        "--role-name",
        metavar="NAME",
        default=ROLE_NAME,
        help=f"The role to assume in each account. Default: {ROLE_NAME}.",
    ),
    click.option(
        "--reconcile",
        type=click.Choice(["keys", "totals", "off"]),
        default="keys",
        help="Compare the report with the live account. Default: keys.",
    ),
    click.option(
        "--owner-tag", metavar="NAME", default="", help="Show this tag of each user, and who is an administrator."
    ),
    click.option("--rotation", is_flag=True, help="Read which keys are under automatic rotation too."),
    click.option(
        "--rotation-region",
        "rotation_regions",
        metavar="NAME",
        multiple=True,
        help="With --rotation: where secrets are. Repeatable. Default: the region of --region.",
    ),
    click.option("--jobs", type=click.IntRange(1, 64), default=8, help="Accounts at once. Default: 8."),
    click.option(
        "--deadline",
        metavar="SECONDS",
        type=click.FloatRange(0.5, 86_400),
        default=120.0,
        help="For each account. Default: 120.",
    ),
    click.option(
        "--max-rate",
        metavar="CALLS",
        type=click.FloatRange(0.1, 1000),
        default=400.0,
        help="Calls a second for each account. Default: 400.",
    ),
    click.option("--fresh", is_flag=True, help="Start over, where an earlier capture would be resumed."),
)


capture_option = click.option(
    "--capture",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=None,
    help=f"Where the capture goes that is made without a SOURCE. Default: a dated folder in {CAPTURES}.",
)


def live_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of live AWS, passed on together as ``live``."""

    @click.pass_context
    @wraps(command)
    def gathered(context: click.Context, *arguments: Any, **given: Any) -> Any:
        return command(*arguments, live=live_of(context, given), **given)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered


def live_of(context: click.Context, options: dict[str, Any]) -> dict[str, Any]:
    """The options of live AWS, taken out of those of a command; ``given`` names those that the user gave."""
    live = {name: options.pop(name) for name in _names()}
    return live | {"given": [name for name in live if is_given(context, name)]}


#: options that do not decide which accounts are read, nor what is read of them
_HOW = {"external_id", "jobs", "deadline", "max_rate", "fresh", "given"}


def asked_of(live: dict[str, Any]) -> dict[str, Any]:
    """What of the options of live AWS decides what a capture holds; none of it is a secret."""
    return {name: value for name, value in live.items() if name not in _HOW}


def _names() -> list[str]:
    return [
        "profile", "region", "role_arn", "external_id", "organization", "accounts", "role_name", "reconcile",
        "owner_tag", "rotation", "rotation_regions", "jobs", "deadline", "max_rate", "fresh",
    ]  # fmt: skip


def resolve(*named: Any) -> list[str]:
    """The sources alone of ``resolve_captured``."""
    return resolve_captured(*named)[0]


def resolve_captured(
    sources: tuple[str, ...],
    policy: str,
    as_of: str,
    folder: Path | None,
    live: dict[str, Any],
    parent: Path = CAPTURES,
) -> tuple[list[str], frozenset[str]]:
    """The sources named, or else the capture that is made now, with the accounts that were read for it now;
    InputError where both were asked for.

    Mistakes in the policy and the instant show before AWS is asked.
    """
    if sources:
        check_live(live, sources, folder)
        if sources.count("-") > 1:
            raise InputError("- stands for standard input and can be given once")
        return list(sources), frozenset()
    from keyaudit.auditing import parse_as_of
    from keyaudit.policy import load_policy

    parse_as_of(as_of)
    load_policy(policy)
    made = make_capture(live, folder, parent)
    say(f"captured: {made.folder}")
    return [str(made.folder)], frozenset(one.account_id for one in made.captured if one.is_read)


def check_live(live: dict[str, Any], sources: tuple[str, ...] = (), folder: Path | None = None) -> None:
    """InputError for options of live AWS that cannot go together, or with a SOURCE, or that AWS would not take."""
    given = ["capture"] if folder else live["given"]
    if sources and given:
        option = given[0].replace("_", "-")
        raise InputError(f"--{option} is for live AWS, but a SOURCE was named; give one of the two")
    if sources:
        return
    from keyaudit.permissions import check_external_id, check_role_name

    if live["organization"] and live["accounts"]:
        raise InputError("--organization and --accounts exclude each other; give one of the two")
    check_role_name(live["role_name"])
    if live["external_id"]:
        check_external_id(live["external_id"])
    if live["rotation_regions"] and not live["rotation"]:
        raise InputError("--rotation-region: only with --rotation; give both")
    for region in live["rotation_regions"]:
        if not re.fullmatch(REGION, region):
            raise InputError(f"--rotation-region {region[:40]}: no name of a region; as us-east-1")


def permissions_of(live: dict[str, Any]) -> dict[str, Any]:
    """Of the options of live AWS, those that decide what it takes to read it."""
    names = ("reconcile", "rotation", "organization", "role_arn", "role_name")
    return {name: live[name] for name in names} | {
        "owner_tag": bool(live["owner_tag"]),
        "roles": bool(live["accounts"]),
    }


def make_capture(live: dict[str, Any], folder: Path | None, parent: Path) -> Any:
    """Read AWS as the options say; what is missing is said on stderr. The Capture."""
    from keyaudit.capture import Options, Request, capture

    check_live(live)
    several = bool(live["organization"] or live["accounts"])
    options = Options(
        reconcile=live["reconcile"],
        owner_tag=live["owner_tag"],
        deadline=live["deadline"],
        rate=live["max_rate"],
        rotation=live["rotation"],
        regions=tuple(dict.fromkeys(live["rotation_regions"])),
        workers=max(2, ALL_WORKERS // live["jobs"]) if several else WORKERS,
    )
    names = ("profile", "region", "role_arn", "external_id", "organization", "accounts", "jobs", "fresh")
    request = Request(
        options=options,
        folder=folder,
        parent=parent,
        role_name=live["role_name"] if several else "",
        **{name: live[name] for name in names},
    )
    made = capture(request, _progress if sys.stderr.isatty() else None)
    _tell(made)
    return made


def _progress(results: Iterator[Any], total: int) -> Iterator[Any]:
    """A bar of accounts, with those that are not read in full counted."""
    from tqdm import tqdm

    with tqdm(total=total, desc="capturing", unit="account", leave=False, delay=0.5, file=sys.stderr) as bar:
        missing = 0
        for result in results:
            missing += bool(result.problems)
            bar.set_postfix(missing=missing, refresh=False)
            bar.update()
            yield result


def _tell(made: Any) -> None:
    """What is missing, the first few, and what was resumed."""
    if made.resumed:
        say(f"resumed: {made.resumed:,} read before, {len(made.captured):,} now; each capture.json tells when")
    lines = [f"missing: {problem}" for problem in made.problems]
    lines += [f"missing ({one.account_id}): {problem}" for one in made.captured for problem in one.problems]
    lines += [f"note ({one.account_id}): {remark}" for one in made.captured for remark in one.remarks]
    for line in lines[:MOST_NAMED]:
        say(line)
    if len(lines) > MOST_NAMED:
        say(f"and {len(lines) - MOST_NAMED:,} more, all of them in the capture")
