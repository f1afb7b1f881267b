"""Cloud Custodian beside keyaudit: installed into an environment of its own, and the keys that both find compared."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from bench_emulator import LIMIT
from bench_measure import BIN, ROOT

VERSION = "0.9.53"
NAME = "stale-keys"
FILTERS = [
    {"type": "credential", "key": "access_keys.active", "value": True},
    {"type": "credential", "key": "access_keys.last_rotated", "value_type": "age", "value": LIMIT.days, "op": "gt"},
]
POLICY = {"policies": [{"name": NAME, "resource": "aws.iam-user", "filters": FILTERS}]}
ROOT_USER = "<root_account>"
Key = tuple[str, int]


def install() -> str:
    """The command, in ``.venv/c7n``, which is made once; empty where it cannot be installed."""
    folder = BIN.parent / "c7n"
    scripts = folder / BIN.name
    done = folder / f"c7n-{VERSION}"
    if not done.exists():
        shown = folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder
        print(f"(once: installing c7n {VERSION} into {shown}, for this comparison alone)", flush=True)
        pip = (str(scripts / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
            subprocess.run([*pip, f"c7n=={VERSION}"], check=True)
        except subprocess.CalledProcessError:
            return ""
        done.touch()
    return str(scripts / "custodian")


def listed(output: Path) -> list[dict[str, Any]]:
    """The users that a run listed."""
    return json.loads((output / NAME / "resources.json").read_text())


def compare(ours: dict[str, Any], users: list[dict[str, Any]], ended: datetime) -> None:
    """The stale keys of both, and the reason of each difference; an unexplained one ends the benchmark."""
    judged = {(one["user"], one["key_slot"]): one for one in ours["findings"] if one["control"] == "rotation"}
    mine = {key for key, one in judged.items() if one["compliance_type"] == "NON_COMPLIANT"}
    theirs = {key for user in users for key in _matched(user)}
    differing: dict[str, list[Key]] = {}
    for key in sorted(mine ^ theirs):
        differing.setdefault(_reason(key, judged.get(key), ours["as_of"], ended), []).append(key)
    both = len(mine & theirs)
    print(f"  stale keys: {len(mine):,} by keyaudit, {len(theirs):,} by Cloud Custodian, {both:,} in both")
    for reason, keys in differing.items():
        print(f"    {', '.join(f'{user} key {slot}' for user, slot in keys[:6])}: {reason}")
    empty = Counter(bool(user["c7n:matched-keys"]) for user in users)[False]
    print(f"    (and {empty} users are listed by Cloud Custodian without a stale key: for an old inactive key")
    print("    beside a young active one)")
    if "unexplained" in differing or not mine:
        raise SystemExit("the stale keys differ, and no reason is known")


def _matched(user: dict[str, Any]) -> Iterator[Key]:
    """The (user, slot) of the keys that a user was listed for; Cloud Custodian keeps them without their slot."""
    keys = user["c7n:credential-report"]["access_keys"]
    for one in user["c7n:matched-keys"]:
        yield user["UserName"], keys.index(one) + 1


def _reason(key: Key, found: dict[str, Any] | None, as_of: str, ended: datetime) -> str:
    """Why a key is stale for one of the two alone."""
    if key[0] == ROOT_USER:
        return "by keyaudit alone; Cloud Custodian lists IAM users, and the root user is none"
    if found and found["compliance_type"] == "COMPLIANT":
        turns = datetime.fromisoformat(found["last_rotated"]) + LIMIT
        if datetime.fromisoformat(as_of) <= turns < ended:
            return (
                f"by Cloud Custodian alone; {LIMIT.days} days old at the instant of the report and not older, "
                "but older by Cloud Custodian's own clock, which is later"
            )
    return "unexplained"
