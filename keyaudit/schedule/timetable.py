"""What a schedule runs, and when; the same for every kind of schedule."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keyaudit.dues.calendar import DAY, MONTH, QUARTER, WEEK, Every
from keyaudit.schema import InputError
from keyaudit.texts import looks_secret, visible

NAME = r"[a-z][a-z0-9-]{0,39}"
AT = r"([01][0-9]|2[0-3]):([0-5][0-9])"


@dataclass(frozen=True)
class Place:
    """A file or folder that the command names, by its full path."""

    path: Path


Word = str | Place


@dataclass(frozen=True)
class Timetable:
    """A run of ``keyaudit report`` once per period. ``at``: the hour and minute; ``is_daily``: it is asked for
    every day, and one of these runs makes the evidence; ``program``: the words that start keyaudit on this host;
    ``folder``: where it is run; ``options``: the words after ``report``; ``reports``: the reports folder;
    ``topic``: the ARN of the SNS topic that hears of it, if any; ``permissions``: the options of ``keyaudit
    capture`` that print which permissions reading AWS takes; ``statements``: those permissions, none if files are
    read; ``extras``: of keyaudit, that the options need.

    InputError for a name or a time that cannot be used, or a word that a schedule cannot hold.
    """

    every: Every
    at: str
    is_daily: bool
    name: str
    program: tuple[str, ...]
    folder: Path
    options: tuple[Word, ...]
    reports: Path
    topic: str
    permissions: tuple[Word, ...]
    statements: tuple[dict[str, Any], ...]
    extras: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(NAME, self.name):
            raise InputError(f"--name {visible(self.name[:80])}: give at most 40 lower-case letters, digits and -")
        if not re.fullmatch(AT, self.at):
            raise InputError(f"--at {visible(self.at[:80])}: give a time of day, such as 06:00")
        for word in (*self.program, str(self.folder), *map(str, self.texts())):
            if looks_secret(word):
                raise InputError(
                    "an option has what looks like a secret in it: nothing that is printed may hold one"
                )
            if not word.isprintable():
                raise InputError(f"{visible(word[:80])}: a schedule cannot hold what cannot be printed")

    @property
    def hour(self) -> int:
        return int(self.at[:2])

    @property
    def minute(self) -> int:
        return int(self.at[3:])

    @property
    def asked(self) -> str:
        """How often it is asked for: every day if the period is a number of days, which no calendar knows."""
        is_known = self.every.text in (DAY, WEEK, MONTH, QUARTER)
        return DAY if self.is_daily or not is_known else self.every.text

    @property
    def is_asked_more_often(self) -> bool:
        """Whether there are runs that find the evidence of their period and make none."""
        return self.asked != self.every.text

    def texts(self) -> list[str]:
        """The options, with files by their full paths."""
        return [str(one.path) if isinstance(one, Place) else one for one in self.options]

    def cron(self) -> str:
        """Minute, hour, day of the month, month, and day of the week, as in cron(5)."""
        days = {WEEK: "* * 1", MONTH: "1 * *", QUARTER: "1 1,4,7,10 *"}.get(self.asked, "* * *")
        return f"{self.minute} {self.hour} {days}"

    def calendar(self) -> str:
        """The same as in systemd.time(7), in UTC."""
        days = {WEEK: "Mon *-*-*", MONTH: "*-*-01", QUARTER: "*-01,04,07,10-01"}.get(self.asked, "*-*-*")
        return f"{days} {self.at}:00 UTC"

    def scheduler(self) -> str:
        """The same as in EventBridge Scheduler, where one of the two kinds of days must be a question mark."""
        days = {WEEK: "? * MON", MONTH: "1 * ?", QUARTER: "1 1,4,7,10 ?"}.get(self.asked, "* * ?")
        return f"cron({self.minute} {self.hour} {days} *)"
