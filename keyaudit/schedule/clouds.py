"""A Timetable -> the files by which GitHub Actions, or EventBridge with CodeBuild, run it; a bucket keeps the
reports folder between runs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path

from keyaudit import __version__
from keyaudit.aws.permissions import yaml_statement
from keyaudit.resources import data, filled
from keyaudit.schedule.timetable import Place, Timetable, Word
from keyaudit.schema import InputError
from keyaudit.texts import say

WORKFLOWS = ".github/workflows"
#: not the checkout's own reports folder, which holds the sample
REPORTS = "evidence"
FETCH = f'aws s3 sync "s3://$BUCKET/reports" {REPORTS} --no-progress'
KEEP = (
    f'aws s3 sync {REPORTS} "s3://$BUCKET/reports" --no-progress'
    ' --exclude "captures/*" --exclude ".staging-*" --exclude "*.lock"'
)
WHEEL = f"keyaudit-{__version__}-py3-none-any.whl"


def github_actions(timetable: Timetable) -> dict[str, str]:
    """A workflow. InputError outside a checkout, and for a file outside the checkout."""
    root = next((one for one in (timetable.folder, *timetable.folder.parents) if (one / ".git").exists()), None)
    if root is None:
        raise InputError(
            f"{timetable.folder}: not a git checkout; a workflow belongs to a repository, so run this in one"
        )

    def place(path: Path) -> str:
        if not path.is_relative_to(root):
            raise InputError(f"{path}: outside {root}; a workflow has only the files of its repository")
        return f"./{path.relative_to(root).as_posix()}"  # a file, whatever it is called

    command = _command(timetable, place)
    if "${{" in command:
        raise InputError("${{: GitHub would replace this with a value of its own; name the file differently")
    name = f"{timetable.name}.yaml"
    facts = {
        "Name": timetable.name,
        "Place": f"{WORKFLOWS}/{name}",
        "Time": timetable.cron(),
        "Reads": _reads(timetable, place),
        "Package": _with_extras(".", timetable),
        "Command": command,
    }
    return {name: filled(data("schedule", "github-actions.yaml"), _shared(timetable) | facts)}


def eventbridge(timetable: Timetable) -> dict[str, str]:
    """A CloudFormation template. InputError if the command reads something other than single files, which are
    copied for it."""
    copies = {f"dist/{WHEEL}": f"{WHEEL}", "constraints.txt": "constraints.txt"}

    def place(path: Path) -> str:
        if path.is_dir():
            raise InputError(
                f"{path}: is a folder; a build reads live AWS, and single files that are copied for it"
            )
        if copies.setdefault(str(path), path.name) in [name for one, name in copies.items() if one != str(path)]:
            raise InputError(f"{path}: another file of the command has the same name; rename one of the two")
        return f"config/{path.name}"

    command = _command(timetable, place)
    statements = [yaml_statement(one) for one in timetable.statements]
    if timetable.topic:
        statements.append(yaml_statement({"Sid": "Notice", "Action": ["sns:Publish"], "Resource": timetable.topic}))
    alarm = {"Name": timetable.name, "Topic": json.dumps(timetable.topic)}
    # an alarm and its topic must be in one region
    region = f" --region {timetable.topic.split(':')[3]}" if timetable.topic else ""
    facts = {
        "Name": timetable.name,
        "Region": region,
        "Time": timetable.scheduler(),
        "Copies": "\n".join(
            f"#   aws s3 cp {shlex.quote(source)} s3://$bucket/config/{shlex.quote(name)}"
            for source, name in copies.items()
        ),
        "RoleStatements": "\n".join(statements),
        "Wheel": WHEEL,
        "Package": _with_extras(f"config/{WHEEL}", timetable),
        "Command": command,
        "Alarm": filled(data("schedule", "alarm.yaml"), alarm) if timetable.topic else "",
    }
    return {f"{timetable.name}.yaml": filled(data("schedule", "eventbridge.yaml"), _shared(timetable) | facts)}


def _command(timetable: Timetable, place: Callable[[Path], str]) -> str:
    words = _placed(timetable.options, place)
    return shlex.join(["keyaudit", "report", *words, "-o", REPORTS, "--every", timetable.every.text])


def _with_extras(package: str, timetable: Timetable) -> str:
    """What pip installs, as a word for a shell."""
    return shlex.quote(f"{package}[{','.join(timetable.extras)}]") if timetable.extras else package


def _reads(timetable: Timetable, place: Callable[[Path], str]) -> str:
    """A comment with the command that prints which permissions reading AWS takes, if AWS is read."""
    words = ["keyaudit", "capture", *_placed(timetable.permissions, place), "--print-policy"]
    return f"#                    and what this prints: {shlex.join(words)}" if timetable.statements else ""


def _placed(words: Iterable[Word], place: Callable[[Path], str]) -> list[str]:
    return [place(one.path) if isinstance(one, Place) else one for one in words]


def _shared(timetable: Timetable) -> dict[str, str]:
    return {
        "Every": f"--every {timetable.every.text}",
        "Daily": f"# {say('schedule.daily')}" if timetable.is_asked_more_often else "",
        "Fetch": FETCH,
        "Keep": KEEP,
    }
