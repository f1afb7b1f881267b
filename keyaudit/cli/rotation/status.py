"""``keyaudit rotation status``: are the keys under rotation rotated within the policy, by IAM's dates?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keyaudit.captured.documents import ROTATION
from keyaudit.cli.common import (
    EXIT_OF,
    as_of_option,
    doing,
    format_option,
    policy_option,
    progress,
    sources_argument,
    width,
    write,
)
from keyaudit.cli.live import Live, capture_option, live_options
from keyaudit.cli.reading import resolve
from keyaudit.schema import COMPLIANT, INSUFFICIENT_DATA, InputError, worst

if TYPE_CHECKING:
    from keyaudit.model import Origin


@click.command(short_help="Print the verdict on each secret under rotation.")
@sources_argument
@policy_option
@as_of_option
@click.option("--user", metavar="NAME", default="", help="Only the secrets of this user.")
@format_option("table", "json")
@capture_option
@live_options
def status(
    sources: tuple[str, ...],
    policy: str,
    as_of: str,
    user: str,
    form: str,
    folder: Path | None,
    live: Live,
) -> int:
    """Print the verdict on each secret under rotation, with its dates and what its function logged.

    SOURCE is a capture made with --rotation; without a SOURCE, AWS is read now. Exits with 0 if all are rotated
    within
    the policy, 1 if one is not, 3 if something needed was not seen.
    """
    doing("reading")
    from keyaudit.auditing import audit
    from keyaudit.export.summary import rotations_json
    from keyaudit.present.terminal import rotations_text

    live = live if sources else replace(live, beside=(*{*live.beside, ROTATION.name},))
    judged = audit(resolve(sources, policy, as_of, folder, live), policy, as_of, progress=progress("judging"))
    unseen = [one.account_id for one in judged.provenance if one.rotations is None or one.problems]
    if not any(ROTATION.name in _asked(one.origin) for one in judged.provenance):
        raise InputError("the SOURCE has nothing about rotations: capture with --rotation, or name no SOURCE")
    found = [one for one in judged.rotations if user in ("", one.secret.user)]
    if user and not found and not unseen:
        raise InputError(
            f"--user {user}: no secret under rotation is of this user; keyaudit rotation deploy makes one"
        )
    if form == "json":
        write(rotations_json(found, unseen))
    else:
        write(rotations_text(judged, found, unseen, width()))
    verdicts = {one.compliance_type for one in found} | ({INSUFFICIENT_DATA} if unseen else set())
    return EXIT_OF[worst({COMPLIANT, *verdicts})]


def _asked(origin: Origin | None) -> dict[str, Any]:
    """What the capture of an account was asked for."""
    asked = (origin.capture or {}).get("asked") if origin else None
    return asked if isinstance(asked, dict) else {}
