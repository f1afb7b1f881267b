"""Large credential reports for benchmarks: deterministic, of AWS's shape, ages as organisations have them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

AS_OF = datetime(2026, 11, 23, 8, tzinfo=UTC)
HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,"
    "access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,"
    "access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,"
    "cert_1_last_rotated,cert_2_active,cert_2_last_rotated"
)


def report(account_id: str, users: int, seed: int = 7) -> str:
    """A report of so many rows, the root user among them."""
    random_ = random.Random(f"{seed}/{account_id}")
    root = (
        f"<root_account>,arn:aws:iam::{account_id}:root,{_at(4000)},true,{_at(90)},{_at(4000)},not_supported,true"
    )
    rows = [f"{root},{_no_key()},{_no_key()},false,N/A,false,N/A"]
    for number in range(users - 1):
        name = f"user-{number:05d}"
        made = random_.uniform(300, 3000)
        first = _key(random_, made)
        second = _key(random_, made) if random_.random() < 0.15 else _no_key()
        person = "false,N/A,N/A,N/A,false"
        rows.append(
            f"{name},arn:aws:iam::{account_id}:user/{name},{_at(made)},{person},{first},{second},false,N/A,false,N/A"
        )
    return "\n".join([HEADER, *rows])


def _key(random_: random.Random, made: float) -> str:
    age = min(made, random_.expovariate(1 / 80))
    active = "true" if random_.random() < 0.9 else "false"
    if random_.random() < 0.1:
        return f"{active},{_at(age)},N/A,N/A,N/A"
    return f"{active},{_at(age)},{_at(age * random_.random() ** 3)},eu-central-1,s3"


def _no_key() -> str:
    return "false,N/A,N/A,N/A,N/A"


def _at(days: float) -> str:
    return (AS_OF - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_population(folder: Path, accounts: int, users: int) -> Path:
    """A folder of reports, one an account."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(accounts):
        account_id = f"{100_000_000_000 + number}"
        (folder / f"{account_id}.csv").write_text(report(account_id, users), encoding="utf-8", newline="")
    return folder
