"""A Plan -> the files by which a host runs it: a line for cron, a service and a timer for systemd."""

from __future__ import annotations

import getpass
import re
import shlex

from keyaudit.resources import data, filled
from keyaudit.schedule.plan import Plan
from keyaudit.schema import InputError
from keyaudit.texts import say

UNITS = "/etc/systemd/system"
#: cron(8) of Debian takes a command of fewer than 1,000 signs
LONGEST_COMMAND = 990


def crontab(plan: Plan) -> dict[str, str]:
    """A line for ``crontab -e``. InputError where cron would cut it."""
    folder, command = (_for_cron(shlex.join(words)) for words in ([str(plan.folder)], _command(plan)))
    if len(f"cd {folder} && {command}") > LONGEST_COMMAND:
        raise InputError(f"the command is longer than the {LONGEST_COMMAND} signs of cron; use shorter paths")
    facts = {"Time": plan.cron(), "Folder": folder, "Command": command}
    return {f"{plan.name}.cron": filled(data("schedule", "crontab.txt"), _shared(plan) | facts)}


def systemd(plan: Plan) -> dict[str, str]:
    """A service and its timer. InputError where systemd would read the name of the folder otherwise."""
    if str(plan.folder) != str(plan.folder).strip().rstrip("\\"):
        raise InputError(f"{plan.folder}: ends with a blank or a backslash, which systemd does not take; rename it")
    program, *words = _command(plan)
    facts = {
        "Name": plan.name,
        "Place": UNITS,
        "User": _user(),
        # the whole rest of its line, blanks and all
        "Folder": str(plan.folder).replace("%", "%%"),
        "Command": " ".join([_for_systemd(program), *(_for_systemd(word).replace("$", "$$") for word in words)]),
        "Time": plan.calendar(),
    }
    facts |= _shared(plan)
    return {f"{plan.name}.{kind}": filled(data("schedule", f"{kind}.ini"), facts) for kind in ("service", "timer")}


def _command(plan: Plan) -> list[str]:
    return [*plan.program, "report", *plan.texts(), "--every", plan.every.text]


def _shared(plan: Plan) -> dict[str, str]:
    series = [*plan.program, "series", str(plan.reports), "--every", plan.every.text]
    return {
        "Every": f"--every {plan.every.text}",
        "Series": shlex.join(series),
        "Daily": f"# {say('schedule.daily')}" if plan.is_asked_more_often else "",
    }


def _for_cron(text: str) -> str:
    """In a crontab a percent sign is the end of the line."""
    return text.replace("%", r"\%")


def _for_systemd(word: str) -> str:
    """systemd.service(5), "Command lines": quotes, backslashes and percent signs have a meaning."""
    word = word.replace("\\", "\\\\").replace("%", "%%")
    return word if re.fullmatch(r"[\w@%+=:,./\\-]+", word) else '"{}"'.format(word.replace('"', '\\"'))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # nobody of that number
        return "keyaudit"
