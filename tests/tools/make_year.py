"""A reports folder as a year of weekly runs would have left it, of a made-up account (``make demo-period``).

A run takes its times from the clock, so that a year of them cannot be made in a minute. Each week's evidence is made
by keyaudit at an instant that is given; then its times are set to those of its week, and it is sealed anew, as
nobody but a tester should. Nothing in it is of a real account.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for place in ("tests", "tests/evidence", "tests/schedule", "tests/tools"):
    sys.path.insert(0, str(ROOT / place))

from make_reports import HEADER  # noqa: E402
from runs_made import Reports  # noqa: E402

from keyaudit.evidence import Request, make_evidence  # noqa: E402

ACCOUNT = "111122223333"
POLICY = """title = "Access key standard"
approved_by = "CISO"
effective = 2025-01-01
max_access_key_age = 90
controls = ["rotation"]

[[exemption]]
id = "EXC-2026-001"
users = ["legacy-etl"]
controls = ["rotation"]
reason = "moves to a role in August"
approved_by = "CISO"
expires = 2026-07-01
"""
NO_KEY = "false,N/A,N/A,N/A,N/A"


@dataclass(frozen=True)
class Key:
    """A key from ``made`` to ``gone`` (None: it stays)."""

    user: str
    made: datetime
    gone: datetime | None


def history(users: int, first: date, weeks: int, seed: int = 7) -> list[Key]:
    """Keys of users who mostly rotate in time; of every twelfth one, now and then weeks late."""
    random_ = random.Random(seed)
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    end = start + timedelta(weeks=weeks)
    keys = []
    for number in range(users):
        name = "legacy-etl" if number == 0 else f"user-{number:05d}"
        made = start - timedelta(days=random_.uniform(1, 80))
        while made < end:
            age = random_.uniform(55, 84)
            if number % 12 == 5 and random_.random() < 0.4:
                age = random_.uniform(95, 140)
            if number == 0:
                age = 150.0
            gone = made + timedelta(days=age)
            keys.append(Key(name, made, gone))
            made = gone - timedelta(hours=random_.uniform(0, 2))
    return keys


def report(keys: list[Key], at: datetime) -> str:
    """The credential report of one instant."""
    rows = [
        f"<root_account>,arn:aws:iam::{ACCOUNT}:root,2015-01-01T00:00:00Z,not_supported,N/A,not_supported,not_supported,true,{NO_KEY},{NO_KEY},false,N/A,false,N/A"
    ]
    users: dict[str, list[Key]] = {}
    for key in keys:
        users.setdefault(key.user, [])
        if key.made <= at and (key.gone is None or at < key.gone):
            users[key.user].append(key)
    for name, own in users.items():
        cells = [f"true,{_at(key.made)},{_at(at - timedelta(days=1))},eu-central-1,s3" for key in own[-2:]]
        cells += [NO_KEY] * (2 - len(cells))
        person = "false,N/A,N/A,N/A,false"
        rows.append(
            f"{name},arn:aws:iam::{ACCOUNT}:user/{name},2020-01-01T00:00:00Z,{person},{','.join(cells)},false,N/A,false,N/A"
        )
    return "\n".join([HEADER, *rows])


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def write_year(folder: Path, users: int, first: date, weeks: int, but: tuple[int, ...] = ()) -> Iterator[Path]:
    """The folders of so many weeks but some, in their order; each is there when it is given."""
    keys = history(users, first, weeks)
    folder.mkdir(parents=True, exist_ok=True)
    (folder.parent / "our-policy.toml").write_text(POLICY, encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="keyaudit-") as scratch:
        for week in range(weeks):
            if week in but:
                continue
            day = first + timedelta(weeks=week)
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
            source = Path(scratch) / f"{ACCOUNT}.csv"
            source.write_text(report(keys, midnight), encoding="utf-8")
            asked = Request(
                [str(source)], str(folder.parent / "our-policy.toml"), _at(midnight), reports=Path(scratch) / "made"
            )
            evidence = make_evidence(asked)
            every = {"every": "week", "period": f"{midnight:%G-W%V}", "asked": "0" * 64}
            yield Reports(folder, evidence.path).run(
                f"{day}", name=f"{day}T060000Z-key_rotation-{ACCOUNT}", schedule=every
            )


def main() -> None:
    """A year of weeks, one of which is missing, and a file of anchors."""
    place = ROOT / "reports" / "demo-period"
    weekly, first, weeks = place / "weekly", date(2026, 1, 5), 47
    made = []
    for number, path in enumerate(write_year(weekly, 60, first, weeks, but=(20,)), 1):
        made.append(path)
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{number} of {weeks - 1} weeks")
    from keyaudit.evidence.seal import digest_of

    lines = [f"{path.name[:10]} {digest_of(path)}\n" for path in made[:-3]]
    (place / "anchors.txt").write_text("".join(lines), encoding="utf-8")
    sys.stdout.write(f"{weekly}\n")


if __name__ == "__main__":
    main()
