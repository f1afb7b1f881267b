"""The options for reading AWS itself, which ``capture``, ``check``, ``report`` and others share."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keyaudit.captured import documents
from keyaudit.cli.common import is_given

if TYPE_CHECKING:
    from keyaudit.aws.permissions import Needs

#: the most that --jobs takes, and begins by itself
MOST_JOBS = 64
ROLE_NAME = "KeyAuditReadOnly"
CAPTURES = Path("reports/captures")

_OPTIONS = (
    click.option("--profile", metavar="NAME", default="", help="A profile of your AWS configuration."),
    click.option("--region", metavar="NAME", default="", help="The AWS region; it also decides the partition."),
    click.option("--role-arn", metavar="ARN", default="", help="Assume this role first."),
    click.option("--external-id", metavar="ID", default="", help="The external id for the roles that are assumed."),
    click.option("--organization", is_flag=True, help="All active accounts of the organization."),
    click.option(
        "--accounts",
        metavar="FILE",
        type=click.Path(path_type=Path, readable=False),
        default=None,
        help="The accounts in this file, one id per line.",
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
        "--owner-tag",
        metavar="NAME",
        default="",
        help="Show this tag of each user, and which users are administrators.",
    ),
    click.option("--purpose", is_flag=True, help="Show the description that the console keeps of each key."),
    *(click.option(f"--{one.name}", is_flag=True, help=one.help) for one in documents.optional()),
    click.option(
        "--rotation-region",
        "rotation_regions",
        metavar="NAME",
        multiple=True,
        help="With --rotation: a region with secrets. Repeatable. Default: the region of --region.",
    ),
    click.option(
        "--jobs",
        type=click.IntRange(1, MOST_JOBS),
        default=8,
        help="Accounts read at once (default: 8), or processes for a SOURCE (default: the processors).",
    ),
    click.option(
        "--deadline",
        metavar="SECONDS",
        type=click.FloatRange(0.5, 86_400),
        default=120.0,
        help="Time limit for each account. Default: 120.",
    ),
    click.option(
        "--max-rate",
        metavar="CALLS",
        type=click.FloatRange(0.1, 1000),
        default=400.0,
        help="Calls per second for each account. Default: 400.",
    ),
    click.option("--fresh", is_flag=True, help="Start over instead of resuming an earlier capture."),
)


capture_option = click.option(
    "--capture",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, readable=False),
    default=None,
    help=f"Where to put the capture that is made without a SOURCE. Default: a dated folder in {CAPTURES}.",
)


@dataclass(frozen=True)
class Live:
    """The options for live AWS, with defaults for those that were not given. ``given`` names those that were;
    ``beside`` names the documents that are asked for beside the report."""

    profile: str
    region: str
    role_arn: str
    external_id: str
    organization: bool
    accounts: Path | None
    role_name: str
    reconcile: str
    owner_tag: str
    purpose: bool
    beside: tuple[str, ...]
    rotation_regions: tuple[str, ...]
    jobs: int
    deadline: float
    max_rate: float
    fresh: bool
    given: tuple[str, ...]

    def asked(self) -> dict[str, str | bool | Path | tuple[str, ...] | None]:
        """The options that decide what a capture holds; none of them is a secret."""
        told = {name: getattr(self, name) for name in _NAMES if name not in _HOW}
        return told | {name: name in self.beside for name in _BESIDE}

    @property
    def processes(self) -> int:
        """How many judge a SOURCE."""
        return self.jobs if "jobs" in self.given else os.cpu_count() or 1

    @property
    def folders(self) -> int:
        """How many folders of accounts are made at once: more than there are processors, since each waits for its
        notebook, and a notebook for its folder."""
        return self.jobs if "jobs" in self.given else min(2 * self.processes, MOST_JOBS)

    @property
    def is_many(self) -> bool:
        """Whether several accounts are read."""
        return bool(self.organization or self.accounts)

    @property
    def needs(self) -> Needs:
        """The options that decide which permissions are needed to read AWS."""
        from keyaudit.aws.permissions import Needs

        return Needs(
            reconcile=self.reconcile,
            owner_tag=bool(self.owner_tag),
            purpose=self.purpose,
            beside=self.beside,
            organization=self.organization,
            roles=bool(self.accounts),
            role_arn=self.role_arn,
            role_name=self.role_name,
        )


_NAMES = tuple(one.name for one in fields(Live) if one.name not in ("beside", "given"))
_BESIDE = tuple(one.name for one in documents.optional())
#: the order of the options in the help: a refusal names the first that was given
_ORDER = tuple(name for field in fields(Live) for name in (_BESIDE if field.name == "beside" else (field.name,)))
#: options that decide neither which accounts are read, nor what is read of them
_HOW = {"external_id", "jobs", "deadline", "max_rate", "fresh"}


def live_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options for live AWS, passed on together as ``live``."""

    @click.pass_context
    @wraps(command)
    def gathered(context: click.Context, *arguments: Any, **given: Any) -> Any:
        return command(*arguments, live=live_of(context, given), **given)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered


def live_of(context: click.Context, options: dict[str, Any]) -> Live:
    """The options for live AWS, taken out of the options of a command."""
    live = {name: options.pop(name) for name in _NAMES}
    beside = tuple(name for name in _BESIDE if options.pop(name))
    return Live(**live, beside=beside, given=tuple(name for name in _ORDER if is_given(context, name)))
