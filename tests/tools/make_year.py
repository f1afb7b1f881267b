"""A reports folder as a year of weekly runs would have left it, of a made-up account, and evidence of that period
(``make demo-period``).

A run takes its times from the clock, so that a year of them cannot be made in a minute. Each week's evidence is made
by keyaudit at an instant that is given; then its times are set to those of its week and it is sealed anew, as nobody
but a tester should. Nothing in it is of a real account.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from shutil import rmtree

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / place) for place in ("tests", "tests/evidence", "tests/schedule", "tests/tools")]

from make_reports import HEADER  # noqa: E402
from runs_made import Reports  # noqa: E402

from keyaudit.evidence import PeriodAsked, Request, make_evidence, make_of_period  # noqa: E402
from keyaudit.evidence.seal import digest_of  # noqa: E402

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
FIRST, WEEKS, USERS, MISSING = date(2026, 1, 5), 47, 60, (20,)
NO_KEY = "false,N/A,N/A,N/A,N/A"
NO_CERTIFICATES = "false,N/A,false,N/A"


@dataclass(frozen=True)
class Key:
    """A key of a user, from ``made`` up to ``gone``."""

    user: str
    made: datetime
    gone: datetime


def history(users: int, first: date, weeks: int) -> list[Key]:
    """Keys of users who mostly rotate in time; every twelfth one is now and then weeks late, and one is exempt for
    the first half of the year."""
    random_, start = random.Random(7), _midnight(first)
    end = start + timedelta(weeks=weeks)
    keys = []
    for number in range(users):
        name = "legacy-etl" if number == 0 else f"user-{number:05d}"
        made = start - timedelta(days=random_.uniform(1, 80))
        while made < end:
            is_late = number % 12 == 5 and random_.random() < 0.4
            age = 150.0 if number == 0 else random_.uniform(95, 140) if is_late else random_.uniform(55, 84)
            keys.append(Key(name, made, made + timedelta(days=age)))
            made = keys[-1].gone - timedelta(hours=random_.uniform(0, 2))
    return keys


def report(keys: Sequence[Key], at: datetime) -> str:
    """The credential report of one instant."""
    root = f"<root_account>,arn:aws:iam::{ACCOUNT}:root,2015-01-01T00:00:00Z,not_supported,N/A,not_supported"
    rows = [f"{root},not_supported,true,{NO_KEY},{NO_KEY},{NO_CERTIFICATES}"]
    for name in dict.fromkeys(key.user for key in keys):
        own = [key for key in keys if key.user == name and key.made <= at < key.gone][-2:]
        cells = [f"true,{_at(key.made)},{_at(at - timedelta(days=1))},eu-central-1,s3" for key in own]
        person = f"{name},arn:aws:iam::{ACCOUNT}:user/{name},2020-01-01T00:00:00Z,false,N/A,N/A,N/A,false"
        rows.append(",".join([person, *cells, *[NO_KEY] * (2 - len(cells)), NO_CERTIFICATES]))
    return "\n".join([HEADER, *rows])


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def write_year(
    place: Path, users: int = USERS, first: date = FIRST, weeks: int = WEEKS, missing: Sequence[int] = MISSING
) -> Iterator[Path]:
    """The folders of so many weeks but those ``missing``, in ``place/weekly``; each is there when it is given."""
    scratch, keys = place / "scratch", history(users, first, weeks)
    scratch.mkdir(parents=True)
    (place / "our-policy.toml").write_text(POLICY, encoding="utf-8")
    days = [first + timedelta(weeks=week) for week in range(weeks) if week not in missing]
    reports = Reports(place / "weekly", scratch)
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        for day, made in zip(days, pool.map(partial(_week, place, keys), days), strict=True):
            every = {"every": "week", "period": f"{day:%G-W%V}", "asked": "0" * 64}
            reports.evidence = made
            yield reports.run(f"{day}", name=f"{day}T060000Z-key_rotation-{ACCOUNT}", schedule=every)
    rmtree(scratch)


def _week(place: Path, keys: Sequence[Key], day: date) -> Path:
    """Evidence as of the first instant of a day."""
    folder = place / "scratch" / f"{day}"
    folder.mkdir()
    source = folder / f"{ACCOUNT}.csv"
    source.write_text(report(keys, _midnight(day)), encoding="utf-8")
    asked = Request([str(source)], str(place / "our-policy.toml"), _at(_midnight(day)), reports=folder / "made")
    return make_evidence(asked).path


def main() -> None:
    """A year of weeks, one of which is missing; a file of anchors; and evidence of the period."""
    place = ROOT / "reports" / "demo-period"
    rmtree(place, ignore_errors=True)
    made = []
    for path in write_year(place):
        made.append(path)
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{len(made)} of {WEEKS - len(MISSING)} weeks")
    sys.stderr.write("\n" if sys.stderr.isatty() else "")
    anchors = place / "anchors.txt"
    anchors.write_text("".join(f"{path.name[:10]} {digest_of(path)}\n" for path in made[:-3]), encoding="utf-8")
    last = FIRST + timedelta(weeks=WEEKS, days=-1)
    asked = PeriodAsked(f"{FIRST}", f"{last}", anchors=str(anchors))
    evidence = make_of_period(Request([str(place / "weekly")], notebook="period", reports=place), asked)
    sys.stdout.write(f"{evidence.path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
