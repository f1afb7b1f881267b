"""Prowler beside keyaudit: installed into an environment of its own, and the keys that both find compared.

Where the two have rules of their own: keyaudit compares elapsed time, Prowler whole days; and to keyaudit a key that
was never used has been idle since it was made, while Prowler judges the idle time only of keys that were used.
"""

from __future__ import annotations

import csv
import re
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import bench_peer as peer
from bench_peer import UNEXPLAINED, Finding, Key

VERSION = "5.46.0"
#: keyaudit's control -> Prowler's check, and what its keys are called
CHECKS = {
    "rotation": ("iam_rotate_access_key_90_days", "stale"),
    "unused": ("iam_user_accesskey_unused", "unused"),
}
NAME = "keys"
#: it reports by user: which key it was is in the sentence
KEY = re.compile(r"User (\S+) has not (?:rotated|used) access key ([12]) in ")
DAY = timedelta(days=1)


def install() -> str:
    """The command, in ``.venv/prowler`` (2 GB), which is made once; empty where it cannot be installed."""
    scripts = peer.install("prowler", VERSION, "prowler", "python3.13", "python3.12")
    return str(scripts / "prowler") if scripts else ""


def command(program: str, output: Path) -> tuple[str, ...]:
    """Both checks in one run, for they ask AWS the same; the findings as one table."""
    checks = [check for check, _ in CHECKS.values()]
    plain = ("--region", "us-east-1", "--no-banner", "--no-color")
    written = ("--output-formats", "csv", "--output-directory", str(output), "--output-filename", NAME)
    return (program, "aws", "--checks", *checks, *plain, *written)


def listed(output: Path) -> list[dict[str, str]]:
    """The findings of a run."""
    with (output / f"{NAME}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter=";"))


def failed(findings: list[dict[str, str]], check: str) -> set[Key]:
    """The keys that fail a check."""
    return {_key_of(one) for one in findings if (one["CHECK_ID"], one["STATUS"]) == (check, "FAIL")}


def _key_of(finding: dict[str, str]) -> Key:
    found = KEY.match(finding["STATUS_EXTENDED"])
    if not found:
        raise SystemExit(f"Prowler says something else: {finding['STATUS_EXTENDED']}")
    return found[1], int(found[2])


def compare(ours: dict[str, Any], findings: list[dict[str, str]], started: datetime) -> None:
    """Stale keys and unused keys; an unexplained difference ends the benchmark. ``started``: when Prowler did."""
    for control, (check, what) in CHECKS.items():
        found = peer.judged(ours, control)
        reason = partial(reason_of, found, started)
        peer.compare(what, "Prowler", peer.failing(found), failed(findings, check), reason)
    inactive = sum(one["compliance_type"] == "NOT_APPLICABLE" for one in peer.judged(ours, "rotation").values())
    print(f"    (inactive keys, which fail with neither at any age: {inactive:,})")


def reason_of(found: dict[Key, Finding], started: datetime, key: Key) -> str:
    """Why a key fails with one of the two alone."""
    one = found.get(key)
    if one is None or one["compliance_type"] != "NON_COMPLIANT":
        return UNEXPLAINED
    due, limit = datetime.fromisoformat(one["due"]), timedelta(days=one["limit"])
    if one["control"] == "unused" and due == datetime.fromisoformat(one["last_rotated"]) + limit:
        return (
            "by keyaudit alone; never used, which is idle since it was made, and which Prowler lets pass at any age"
        )
    if started < due + DAY:
        rule = f"{limit.days} days or more" if one["control"] == "unused" else f"more than {limit.days} days"
        return f"by keyaudit alone; {rule} by elapsed time, but no more than {limit.days} whole days, as Prowler counts"
    return UNEXPLAINED
