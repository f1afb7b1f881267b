"""``keyaudit report --notebook period``: sealed evidence of a period."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keyaudit import texts
from keyaudit.cli.common import EXIT_OF, anchors_option, days_options, doing, progress, say, write_names
from keyaudit.cli.scheduled import rebuild_index
from keyaudit.schema import InputError

if TYPE_CHECKING:
    from keyaudit.evidence import PeriodAsked

#: the notebook of periods
NOTEBOOK = "period"


def period_options(command: Callable[..., int]) -> Callable[..., int]:
    """What is asked of a period, as one value."""

    @wraps(command)
    def with_period(first: str, last: str, anchors: str, by_reference: bool, **rest: Any) -> int:
        from keyaudit.evidence.request import PeriodAsked

        return command(period=PeriodAsked(first, last, "", anchors, by_reference), **rest)

    reference = click.option(
        "--by-reference",
        is_flag=True,
        help="With --notebook period: refer to the raw evidence in the reports folder, and do not copy it.",
    )
    return days_options(anchors_option(reference(with_period)))


def is_of_period(notebook: str, asked: PeriodAsked) -> bool:
    """Whether evidence of a period is wanted: by its notebook, or with days of one's own notebook of periods."""
    return Path(notebook).stem == NOTEBOOK or bool(asked.first or asked.last or asked.anchors or asked.by_reference)


def report_period(asked: PeriodAsked, others: Mapping[str, object], **request: Any) -> int:
    """Make the evidence, and print its folder. ``others``: options that say nothing of a period, by name."""
    for option, given in others.items():
        if given:
            raise InputError(f"{option}: is not for evidence of a period; leave it out")
    doing("verifying")
    from keyaudit.evidence import Request, make_of_period
    from keyaudit.present.effectiveness import basis, headline

    evidence = make_of_period(
        Request(**request, progress=sys.stderr.isatty()), asked, progress("verifying", "folder")
    )
    for one in evidence.judged.subjects:
        say(headline(one.verdict))
        for line in basis(one):
            say(line)
    for why in evidence.unread:
        say(texts.say("evidence.unread", why=why))
    say(f"sealed: SHA256SUMS has the SHA-256 {evidence.sha256}")
    write_names([evidence.path])
    rebuild_index(request["reports"])
    return EXIT_OF[evidence.judged.conclusion]
