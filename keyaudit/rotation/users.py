"""The plan as CSV (``rotation plan -f csv``) -> the users of an account to put under rotation (pure)."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from keyaudit.export.tabular import may_run
from keyaudit.files import reason_of
from keyaudit.rotation.cases import DUE_SOON, IN_USE
from keyaudit.rotation.naming import ACCOUNT, KEY_ID, USER, check
from keyaudit.schema import InputError
from keyaudit.texts import say, visible

#: the columns that are read; the file may have more
NEEDED = ("account_id", "user", "key", "case", "owner", "limit")
#: the account of a report that did not tell its own
UNKNOWN = r"unknown-\d+"
LARGEST = 50_000_000
HOW = "make it again with keyaudit rotation plan -f csv"


@dataclass(frozen=True)
class Row:
    """A row of the plan."""

    account: str
    user: str
    key: str
    case: str
    owner: str
    limit: int | None


@dataclass(frozen=True)
class Planned:
    """A user of the file, however many rows it has: its owner, the ids of its keys as far as the file has them, and
    the smallest limit."""

    user: str
    owner: str
    keys: tuple[str, ...]
    limit: int | None


@dataclass(frozen=True)
class Taken:
    """The users who are taken from a file, in its order, and what is said about the rows that are not taken."""

    account: str
    users: tuple[Planned, ...]
    left_out: tuple[str, ...]


def read_rows(path: str) -> list[Row]:
    """All rows, even of a file that a spreadsheet saved again; InputError with the place that cannot be read."""
    text = _text(path)
    first = text.split("\n", 1)[0]
    sign = max(",;\t", key=first.count)
    lines = csv.DictReader(io.StringIO(text, newline=""), delimiter=sign, strict=True)
    try:
        missing = [name for name in NEEDED if name not in (lines.fieldnames or ())]
        if missing:
            raise InputError(f"--users {path}: no column {missing[0]}; {HOW}")
        return [_row(path, lines.line_num, line) for line in lines]
    except csv.Error:
        raise InputError(f"--users {path}, line {lines.line_num}: cannot be read as CSV; {HOW}") from None


def take(path: str, rows: list[Row], account: str = "", max_age: int | None = None) -> Taken:
    """The users of an account whose keys the plan advises to put under rotation, and whose limit the stack keeps.
    Without an account, the only account of the file. InputError if no user is left."""
    accounts = sorted({row.account for row in rows})
    if not account and len(accounts) > 1:
        raise InputError(
            f"--users {path}: of {len(accounts)} accounts ({', '.join(accounts[:5])}); name one with --account"
        )
    account = account or next(iter(accounts), "")
    mine = [row for row in rows if row.account == account]
    advised = [row for row in mine if row.case in (IN_USE, DUE_SOON)]
    for row in advised:
        check(f"--users {path}: user", row.user, USER, "a user's name: 1 to 64 letters, digits or _+=,.@-")
    users = _users(advised)
    tight = [one for one in users if max_age and one.limit and one.limit < max_age]
    taken = tuple(one for one in users if one not in tight)
    counts = {"account": len(rows) - len(mine), "case": len(mine) - len(advised)}
    said = [say(f"operate.left.{name}", n=n, account=account) for name, n in counts.items() if n]
    said += [say("operate.left.limit", user=one.user, limit=one.limit, most=max_age) for one in tight]
    if not taken:
        why = f" ({'; '.join(said)})" if said else ""
        raise InputError(f"--users {path}: no row to put under rotation in account {account or 'unknown'}{why}")
    return Taken(account, taken, tuple(said))


def _users(rows: list[Row]) -> list[Planned]:
    """One entry for each user, in the order of the file."""
    of: dict[str, list[Row]] = {}
    for row in rows:
        of.setdefault(row.user, []).append(row)
    return [
        Planned(
            user,
            next((row.owner for row in mine if row.owner), ""),
            tuple(dict.fromkeys(row.key for row in mine if re.fullmatch(KEY_ID, row.key, re.ASCII))),
            min((row.limit for row in mine if row.limit), default=None),
        )
        for user, mine in of.items()
    ]


def _text(path: str) -> str:
    try:
        content = Path(path).read_bytes()
        if len(content) > LARGEST:
            raise InputError(f"--users {path}: {len(content):,} bytes; a plan is smaller")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"--users {path}: cannot be read ({reason_of(error)})") from None
    except UnicodeDecodeError:
        raise InputError(f"--users {path}: no text in UTF-8 (saved by a spreadsheet?); {HOW}") from None


def _row(path: str, number: int, line: dict[str, str]) -> Row:
    if None in line or None in line.values():
        raise InputError(f"--users {path}, line {number}: not as many cells as there are columns; {HOW}")
    cells = {name: plain(line[name]) for name in NEEDED}
    if not re.fullmatch(f"{ACCOUNT}|{UNKNOWN}", cells["account_id"], re.ASCII):
        raise InputError(
            f"--users {path}, line {number}: {visible(cells['account_id'][:40])!r} is not an account id "
            f"(12 digits; did a spreadsheet change it?); {HOW}"
        )
    limit = cells["limit"]
    if limit and not re.fullmatch(r"\d{1,6}", limit, re.ASCII):
        raise InputError(
            f"--users {path}, line {number}: {visible(limit[:40])!r} is not a limit in whole days; {HOW}"
        )
    return Row(
        cells["account_id"],
        cells["user"],
        cells["key"],
        cells["case"],
        visible(cells["owner"]),
        int(limit) if limit else None,
    )


def plain(cell: str) -> str:
    """A cell without the apostrophe that kept a spreadsheet from running it."""
    return cell[1:] if cell.startswith("'") and may_run(cell[1:]) else cell
