"""What a command reads: the SOURCEs that were named, or otherwise AWS itself, into a new capture."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from keyaudit.captured.documents import ROTATION
from keyaudit.cli.cluster import NONE, Shared
from keyaudit.cli.common import begin_bar, doing, say
from keyaudit.cli.live import CAPTURES, Live
from keyaudit.schema import InputError

if TYPE_CHECKING:
    from keyaudit.capture import Capture, Captured

#: threads that list keys: of an account that is read alone, and of all accounts that are read at once
WORKERS, ALL_WORKERS = 16, 48
MOST_NAMED = 10
REGION = r"[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}"


def resolve(sources: tuple[str, ...], policy: str, as_of: str, folder: Path | None, live: Live) -> list[str]:
    """Only the sources from ``resolve_captured``."""
    return resolve_captured(sources, policy, as_of, folder, live)[0]


def resolve_captured(
    sources: tuple[str, ...],
    policy: str,
    as_of: str,
    folder: Path | None,
    live: Live,
    parent: Path = CAPTURES,
    shared: Shared = NONE,
    with_jobs: bool = False,
) -> tuple[list[str], frozenset[str]]:
    """The sources that were named, or otherwise the capture that is made now, with the accounts that were read for
    it; InputError if both were asked for. ``shared``: the cluster that reads several accounts; ``with_jobs``:
    whether --jobs counts for what is then done with a SOURCE.

    Mistakes in the policy and the instant are reported before AWS is asked.
    """
    if sources:
        check_live(replace(live, given=_without_jobs(live)) if with_jobs else live, sources, folder)
        if sources.count("-") > 1:
            raise InputError("- stands for standard input and can be given only once")
        return list(sources), frozenset()
    from keyaudit.auditing import parse_as_of
    from keyaudit.policy import load_policy

    parse_as_of(as_of)
    load_policy(policy)
    made = make_capture(live, folder, parent, shared)
    say(f"captured: {made.folder}")
    return [str(made.folder)], frozenset(one.account_id for one in made.captured if one.is_read)


def _without_jobs(live: Live) -> tuple[str, ...]:
    return tuple(name for name in live.given if name != "jobs")


def check_live(live: Live, sources: tuple[str, ...] = (), folder: Path | None = None) -> None:
    """InputError for options for live AWS that exclude each other or a SOURCE, or that AWS would refuse."""
    given = ("capture",) if folder else live.given
    if sources and given:
        option = given[0].replace("_", "-")
        raise InputError(f"--{option} is for live AWS, but a SOURCE was named; give one of the two")
    if sources:
        return
    from keyaudit.aws.permissions import check_external_id, check_role_name

    if live.organization and live.accounts:
        raise InputError("--organization and --accounts exclude each other; give one of the two")
    check_role_name(live.role_name)
    if live.external_id:
        check_external_id(live.external_id)
    check_purpose(live)
    if live.rotation_regions and ROTATION.name not in live.beside:
        raise InputError("--rotation-region: only with --rotation; give both")
    for region in live.rotation_regions:
        if not re.fullmatch(REGION, region):
            raise InputError(f"--rotation-region {region[:40]}: not the name of a region, such as us-east-1")


def check_purpose(live: Live) -> None:
    """InputError if purposes are asked for, and ids of keys, which they are told by, are not."""
    if live.purpose and live.reconcile != "keys":
        raise InputError(f"--purpose: only with --reconcile keys, and not {live.reconcile}; leave --reconcile out")


def make_capture(live: Live, folder: Path | None, parent: Path, shared: Shared = NONE) -> Capture:
    """Read AWS as the options say, and report on stderr what is missing. Returns the Capture."""
    from keyaudit.capture import Options, Request, capture
    from keyaudit.capture.account_task import LIBRARIES, WARM

    check_live(live)
    doing("asking AWS")
    several = live.is_many
    options = Options(
        reconcile=live.reconcile,
        owner_tag=live.owner_tag,
        purpose=live.purpose,
        deadline=live.deadline,
        rate=live.max_rate,
        beside=live.beside,
        regions=tuple(dict.fromkeys(live.rotation_regions)),
        workers=max(2, ALL_WORKERS // live.jobs) if several else WORKERS,
    )
    request = Request(
        options=options,
        folder=folder,
        parent=parent,
        role_name=live.role_name if several else "",
        profile=live.profile,
        region=live.region,
        role_arn=live.role_arn,
        external_id=live.external_id,
        organization=live.organization,
        accounts=live.accounts,
        jobs=live.jobs,
        fresh=live.fresh,
        insecure_cluster=several and shared.is_open,
    )
    with (shared if several else NONE).connected(WARM, LIBRARIES) as cluster:
        made = capture(request, _progress if sys.stderr.isatty() else None, cluster)
    _tell(made)
    return made


def _progress(results: Iterator[Captured], total: int) -> Iterator[Captured]:
    """A progress bar over the accounts, which counts those that were not read in full."""
    with begin_bar("capturing", "account", total) as bar:
        missing = 0
        for result in results:
            missing += bool(result.problems)
            bar.set_postfix(missing=missing, refresh=False)
            bar.update()
            yield result


def _tell(made: Capture) -> None:
    """Say what is missing (the first few), and what was resumed."""
    if made.resumed:
        say(f"resumed: {made.resumed:,} read before, {len(made.captured):,} now; each capture.json tells when")
    lines = [f"missing: {problem}" for problem in made.problems]
    lines += [f"missing ({one.account_id}): {problem}" for one in made.captured for problem in one.problems]
    lines += [f"note ({one.account_id}): {remark}" for one in made.captured for remark in one.remarks]
    for line in lines[:MOST_NAMED]:
        say(line)
    if len(lines) > MOST_NAMED:
        say(f"and {len(lines) - MOST_NAMED:,} more, all of them in the capture")
