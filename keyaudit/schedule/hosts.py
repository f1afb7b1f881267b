"""A Timetable -> the files with which a host runs it: a line for cron, a service and a timer for systemd."""

from __future__ import annotations

import getpass
import re
import shlex

from keyaudit.resources import data, filled
from keyaudit.schedule.timetable import Timetable
from keyaudit.schema import InputError
from keyaudit.texts import say

UNITS = "/etc/systemd/system"
#: Debian's cron(8) takes a command of fewer than 1,000 characters
LONGEST_COMMAND = 990


def crontab(timetable: Timetable) -> dict[str, str]:
    """A line for ``crontab -e``. InputError if cron would cut it off."""
    folder, command = (_for_cron(shlex.join(words)) for words in ([str(timetable.folder)], _command(timetable)))
    if len(f"cd {folder} && {command}") > LONGEST_COMMAND:
        raise InputError(
            f"the command is longer than the {LONGEST_COMMAND} characters that cron takes; use shorter paths"
        )
    facts = {"Time": timetable.cron(), "Folder": folder, "Command": command}
    return {f"{timetable.name}.cron": filled(data("schedule", "crontab.txt"), _shared(timetable) | facts)}


def systemd(timetable: Timetable) -> dict[str, str]:
    """A service and its timer. InputError if systemd would read the folder's name differently."""
    if str(timetable.folder) != str(timetable.folder).strip().rstrip("\\"):
        raise InputError(
            f"{timetable.folder}: ends with a blank or a backslash, which systemd does not take; rename it"
        )
    program, *words = _command(timetable)
    facts = {
        "Name": timetable.name,
        "Place": UNITS,
        "User": _user(),
        # the whole rest of the line, including blanks
        "Folder": str(timetable.folder).replace("%", "%%"),
        "Command": " ".join([_for_systemd(program), *(_for_systemd(word).replace("$", "$$") for word in words)]),
        "Time": timetable.calendar(),
    }
    facts |= _shared(timetable)
    return {
        f"{timetable.name}.{kind}": filled(data("schedule", f"{kind}.ini"), facts) for kind in ("service", "timer")
    }


def _command(timetable: Timetable) -> list[str]:
    return [*timetable.program, "report", *timetable.texts(), "--every", timetable.every.text]


def _shared(timetable: Timetable) -> dict[str, str]:
    series = [*timetable.program, "series", str(timetable.reports), "--every", timetable.every.text]
    return {
        "Every": f"--every {timetable.every.text}",
        "Series": shlex.join(series),
        "Daily": f"# {say('schedule.daily')}" if timetable.is_asked_more_often else "",
    }


def _for_cron(text: str) -> str:
    """A word of a crontab, in which a percent sign would end the line."""
    return text.replace("%", r"\%")


def _for_systemd(word: str) -> str:
    """A word as in systemd.service(5), "Command lines": quotes, backslashes and percent signs are special."""
    word = word.replace("\\", "\\\\").replace("%", "%%")
    return word if re.fullmatch(r"[\w@%+=:,./\\-]+", word) else '"{}"'.format(word.replace('"', '\\"'))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no user has that number
        return "keyaudit"
