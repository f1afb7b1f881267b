"""The rows of a report: remarks about them, the account that they belong to, and which one is root.

A principal may appear once; a second row of the same one would hide the first, and is refused.
"""

from __future__ import annotations

import html
import re

import numpy as np

from keyaudit.credentials.columns import TOLD_ACCOUNT, Table, shown
from keyaudit.credentials.gaps import Gap
from keyaudit.credentials.refusals import refused
from keyaudit.credentials.times import Instants, read_instants
from keyaudit.schema import CONTROLS, ROOT_USER
from keyaudit.texts import say

_ARN = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):(root|user/.+)")
#: many names, one per line, of the characters that IAM allows in a name
_NAMES = re.compile(r"[A-Za-z0-9+=,.@_\n-]*", re.ASCII)
LONGEST_NAME = 64
ESCAPED_ROOT = frozenset({html.escape(ROOT_USER), ROOT_USER.replace("<", "&#60;").replace(">", "&#62;")})


class Remarks:
    """A table with what is to be said about it: warnings, gaps, and errors that name file, line and column."""

    def __init__(self, table: Table, source: str) -> None:
        self.columns, self.lines, self.source = table.columns, table.lines, source
        self.further_keys, self.accounts = table.further_keys, table.told.get(TOLD_ACCOUNT, [])
        self.warnings, self.notes, self.gaps = table.warnings, list[str](), list[Gap]()

    def place(self, row: int, column: str) -> str:
        return say("read.place", source=self.source, line=self.lines[row], column=column)

    def warn(self, row: int, column: str, key: str, **facts: object) -> None:
        """A warning that names the place; ``key`` is that of its sentence, under ``read``."""
        self.warnings.append(say(f"read.{key}", place=self.place(row, column), **facts))

    def instants(self, column: str) -> Instants | None:
        """A time column, read strictly; None if the report does not have it."""
        if column not in self.columns:
            return None
        cells = self.columns[column]
        read = read_instants(cells)
        if read.bad is not None:
            raise refused(self.place(read.bad, column), "date", cell=shown(cells[read.bad]))
        if read.naive is not None:
            self.warn(read.naive, column, "no_zone")
        if read.blank is not None:
            self.warn(read.blank, column, "blank")
        if read.zero is not None:
            self.warn(read.zero, column, "too_old")
        return read


def principals(remarks: Remarks) -> tuple[str | None, np.ndarray]:
    """The one account of the report, and which rows are its root (by the ARN, else by AWS's name for it)."""
    users = remarks.columns["user"]
    arns = remarks.columns.get("arn")
    if arns is None:
        return None, np.fromiter((user == ROOT_USER for user in users), bool, len(users))
    first = next((match for match in map(_ARN.fullmatch, arns) if match), None)
    plain = f"{first[0][: first.start(2)]}user/" if first else ""
    # nearly all rows are the first one's account, and plain users: the others are looked at one by one
    special = [
        row for row, (arn, user) in enumerate(zip(arns, users, strict=True)) if not plain or arn != plain + user
    ]
    is_root = np.zeros(len(users), bool)
    foreign: list[int] = []
    unlike: list[int] = []
    for row in special:
        match, user = _ARN.fullmatch(arns[row]), users[row]
        is_root[row] = match[2] == "root" if match else user == ROOT_USER
        if not match:
            foreign.append(row)
        elif first and match[1] != first[1]:
            place = remarks.place(row, "arn")
            raise refused(place, "second_account", account=match[1], first=first[1])
        elif not is_root[row] and match[2].rsplit("/", 1)[1] != user:
            unlike.append(row)
    if foreign:
        remarks.warn(foreign[0], "arn", "foreign", n=len(foreign))
    if unlike:
        remarks.warn(unlike[0], "user", "unlike", n=len(unlike))
    return (first[1] if first else None), is_root


def refuse_other_account(remarks: Remarks, account_id: str | None) -> None:
    """InputError if a column of accounts names another account than the ARNs."""
    for row, told in enumerate(remarks.accounts if account_id else ()):
        if told and told != account_id:
            place = remarks.place(row, TOLD_ACCOUNT)
            raise refused(place, "other_account")


def refuse_duplicates(remarks: Remarks, is_root: np.ndarray) -> None:
    roots = np.flatnonzero(is_root)
    if len(roots) > 1:
        raise refused(remarks.place(int(roots[1]), "user"), "second_root")
    # an IAM user may have root's name
    names = list(remarks.columns["user"])
    for row in roots.tolist():
        names[row] += "\0"
    for column, cells in (("user", names), ("arn", remarks.columns.get("arn", []))):
        if len(set(cells)) == len(cells):
            continue
        seen: dict[str, int] = {}
        for row, cell in enumerate(cells):
            # a cell that is not an ARN identifies nobody
            if (column == "user" or _ARN.fullmatch(cell)) and seen.setdefault(cell, row) != row:
                facts = {"cell": shown(remarks.columns[column][row]), "line": remarks.lines[seen[cell]]}
                raise refused(remarks.place(row, column), "same_cell", column=column, **facts)


def unescape_root(remarks: Remarks) -> None:
    """The root user's name as a web page writes it means the root user: no IAM user can have that name."""
    users = remarks.columns["user"]
    if not ESCAPED_ROOT.isdisjoint(users):
        first = next(row for row, user in enumerate(users) if user in ESCAPED_ROOT)
        remarks.columns["user"] = [ROOT_USER if user in ESCAPED_ROOT else user for user in users]
        remarks.warn(first, "user", "escaped", root=ROOT_USER)


def is_rootless(arns: list[str]) -> bool:
    """Whether reports of this partition have no root row: those of China have none (DOMAIN, "News")."""
    return any(arn.startswith("arn:aws-cn:") for arn in arns)


def _is_usual(user: str) -> bool:
    return _NAMES.fullmatch(user) is not None and len(user) <= LONGEST_NAME


def remark_names(remarks: Remarks, is_root: np.ndarray) -> None:
    users = remarks.columns["user"]
    if "" in users:
        place = remarks.place(users.index(""), "user")
        raise refused(place, "empty_name")
    blanks = [row for row, user in enumerate(users) if user != user.strip()]
    if blanks:
        place = remarks.place(blanks[0], "user")
        raise refused(place, "blanks")
    if not users:
        remarks.gaps.append(Gap(CONTROLS, say("read.empty", source=remarks.source)))
        remarks.warnings.append(say("read.no_rows", source=remarks.source))
    if not is_root.any() and users and not is_rootless(remarks.columns.get("arn", [])):
        remarks.warnings.append(say("read.no_root_row", source=remarks.source))
    # one look at all at once; there is at most one root, whose name is no IAM user's
    root = int(np.argmax(is_root)) if is_root.any() else len(users)
    others = [*users[:root], *users[root + 1 :]]
    usual = _NAMES.fullmatch("\n".join(others)) and max(map(len, others), default=0) <= LONGEST_NAME
    odd = [] if usual else [row for row, user in enumerate(users) if not is_root[row] and not _is_usual(user)]
    if odd:
        remarks.warn(odd[0], "user", "odd_name", n=len(odd))
