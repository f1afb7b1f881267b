"""Cloud Custodian beside keyaudit: installed into an environment of its own, and the keys that both find compared."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import bench_peer as peer
from bench_emulator import LIMIT
from bench_peer import ROOT_USER, UNEXPLAINED, Finding, Key

VERSION = "0.9.53"
NAME = "stale-keys"
FILTERS = [
    {"type": "credential", "key": "access_keys.active", "value": True},
    {"type": "credential", "key": "access_keys.last_rotated", "value_type": "age", "value": LIMIT.days, "op": "gt"},
]
POLICY = {"policies": [{"name": NAME, "resource": "aws.iam-user", "filters": FILTERS}]}


def install() -> str:
    """The command, in ``.venv/c7n``, which is made once; empty where it cannot be installed."""
    scripts = peer.install("c7n", VERSION, "c7n")
    return str(scripts / "custodian") if scripts else ""


def command(program: str, policy: Path, output: Path) -> tuple[str, ...]:
    """Every user that has a stale key, by the policy above."""
    policy.write_text(json.dumps(POLICY))
    return (program, "run", "--cache-period", "0", "-r", "us-east-1", "-s", str(output), str(policy))


def listed(output: Path) -> list[dict[str, Any]]:
    """The users that a run listed."""
    return json.loads((output / NAME / "resources.json").read_text())


def compare(ours: dict[str, Any], users: list[dict[str, Any]], ended: datetime) -> None:
    """The stale keys of both, and the reason of each difference; an unexplained one ends the benchmark."""
    found = peer.judged(ours, "rotation")
    theirs = {key for user in users for key in _matched(user)}
    reason = partial(reason_of, found, datetime.fromisoformat(ours["as_of"]), ended)
    peer.compare("stale", "Cloud Custodian", peer.failing(found), theirs, reason)
    empty = Counter(bool(user["c7n:matched-keys"]) for user in users)[False]
    print(f"    (and {empty} users are listed by Cloud Custodian without a stale key: for an old inactive key")
    print("    beside a young active one)")


def _matched(user: dict[str, Any]) -> Iterator[Key]:
    """The (user, slot) of the keys that a user was listed for; Cloud Custodian keeps them without their slot."""
    keys = user["c7n:credential-report"]["access_keys"]
    for one in user["c7n:matched-keys"]:
        yield user["UserName"], keys.index(one) + 1


def reason_of(found: dict[Key, Finding], as_of: datetime, ended: datetime, key: Key) -> str:
    """Why a key is stale for one of the two alone."""
    if key[0] == ROOT_USER:
        return "by keyaudit alone; Cloud Custodian lists IAM users, and the root user is none"
    one = found.get(key)
    if one and one["compliance_type"] == "COMPLIANT":
        turns = datetime.fromisoformat(one["last_rotated"]) + LIMIT
        if as_of <= turns < ended:
            return (
                f"by Cloud Custodian alone; {LIMIT.days} days old at the instant of the report and not older, "
                "but older by Cloud Custodian's own clock, which is later"
            )
    return UNEXPLAINED
