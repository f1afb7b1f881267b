"""``keyaudit report`` and ``keyaudit demo``: sealed evidence."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from keyaudit.cli.common import EXIT_OF, as_of_option, policy_option, say, sources_argument, write
from keyaudit.cli.live import CAPTURES, capture_option, live_options, resolve

reports_option = click.option(
    "-o",
    "--output",
    "reports",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Default: reports.",
)


@click.command()
@sources_argument
@policy_option
@as_of_option
@click.option("--notebook", metavar="NAME|FILE", default="key_rotation", help="Default: key_rotation.")
@click.option(
    "-p",
    "--parameter",
    "pairs",
    nargs=2,
    metavar="NAME VALUE",
    multiple=True,
    help="A further parameter of the notebook.",
)
@reports_option
@capture_option
@live_options
def report(
    sources: tuple[str, ...],
    policy: str,
    as_of: str,
    notebook: str,
    pairs: tuple[tuple[str, str], ...],
    reports: Path | None,
    folder: Path | None,
    live: dict[str, Any],
) -> int:
    """Judge credential reports and leave sealed evidence; print its folder.

    SOURCE is as for check.
    """
    reports = reports or Path("reports")
    return _make(
        sources=resolve(sources, policy, as_of, folder, live, reports / CAPTURES.name),
        policy=policy,
        as_of=as_of,
        notebook=notebook,
        parameters={name: _typed(value) for name, value in pairs},
        reports=reports,
    )


@click.command()
@reports_option
def demo(reports: Path | None) -> int:
    """Make evidence of the bundled sample account, end to end; print its folder.

    Exits with 0 when the evidence was made, whatever it concludes.
    """
    _make(sources=[], reports=reports or Path("reports/demo"))
    return 0


def _make(**asked: Any) -> int:
    from keyaudit.evidence import Request, make_evidence

    evidence = make_evidence(Request(**asked, progress=sys.stderr.isatty()))
    from keyaudit.present import headline

    say(headline(evidence.audit))
    say(f"sealed: SHA256SUMS has the SHA-256 {evidence.sha256}")
    write(f"{evidence.path}\n")
    return EXIT_OF[evidence.audit.conclusion]


def _typed(text: str) -> Any:
    """A parameter from the command line as papermill's own -p reads it."""
    from papermill.cli import _resolve_type

    return _resolve_type(text)
