"""What to do with a key of each case, in the safe order, and the command for each step (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from keyaudit.retiring import SLACK
from keyaudit.rotation.periods import Periods
from keyaudit.rotation.remarks import option as _option
from keyaudit.schema import InputError
from keyaudit.texts import say

ROOT, UNKNOWN, NEVER_USED, UNUSED, SPARE, IN_USE, DUE_SOON, REPLACED, STALLED = (
    "root", "unknown", "never_used", "unused", "spare", "in_use", "due_soon", "replaced", "stalled",
)  # fmt: skip
#: stands in commands for an id that the report does not have
KEY_ID = "KEY_ID"
LONGEST_GRACE, LONGEST_EVERY = 14, 60


@dataclass(frozen=True)
class Step:
    """What to do, and the command for it, if there is one."""

    text: str
    command: str = ""


def steps_of(case: str, key: dict[str, Any], has_two: bool) -> list[Step]:
    """The safe order."""
    if case == ROOT:
        return [Step(say(f"plan.step.root_{name}")) for name in ("find", "delete", "check")]
    user = _option("--user-name", key["user"])
    find = Step(say("plan.step.find"), f"aws iam list-access-keys {user}")
    use = Step(say("plan.step.use"), f"aws iam get-access-key-last-used --access-key-id {KEY_ID}")
    off = Step(
        say("plan.step.deactivate"),
        f"aws iam update-access-key {user} --access-key-id {KEY_ID} --status Inactive",
    )
    gone = Step(say("plan.step.delete"), f"aws iam delete-access-key {user} --access-key-id {KEY_ID}")
    if case in (NEVER_USED, UNUSED, SPARE):
        return [find, use, off, gone]
    if case == UNKNOWN:
        return [find, Step(say("plan.step.capture"))]
    status = Step(say("plan.step.status"), f"keyaudit rotation status {_option('--user', key['user'])}")
    if case == REPLACED:
        return [status, find, use, Step(say("plan.step.move")), off]
    if case == STALLED:
        return [status, Step(say("plan.step.again"), f"keyaudit rotation now {_option('--user', key['user'])}")]
    steps = [Step(say("plan.step.room"))] if has_two else []
    return [*steps, *_rotation(key["user"], None if pd.isna(key["limit"]) else int(key["limit"]))]


def _rotation(user: str, limit: int | None) -> list[Step]:
    """Automatic rotation, if any periods fit the limit."""
    periods = periods_for(limit) if limit else None
    if periods is None:
        return [Step(say("plan.step.no_periods", limit=limit if limit else say("plan.unknown")))]
    whose = _option("--user", user)
    deploy = f"keyaudit rotation deploy {whose} --every {periods.every} --grace {periods.grace}"
    deploy += f" --max-age {periods.max_age}"
    return [
        Step(say("plan.step.show"), deploy),
        Step(say("plan.step.deploy"), f"{deploy} --yes"),
        Step(say("plan.step.rotate"), f"keyaudit rotation now {whose}"),
        Step(say("plan.step.consumers")),
        Step(say("plan.step.check"), f"keyaudit rotation status {whose}"),
    ]


def together(limit: int | None) -> list[Step]:
    """Many users of an account at once, with one stack, by the plan as a file."""
    periods = periods_for(limit) if limit else None
    if periods is None:
        return []
    deploy = f"keyaudit rotation deploy --users plan.csv --every {periods.every} --grace {periods.grace}"
    deploy += f" --max-age {periods.max_age}"
    return [
        Step(say("plan.together.file"), "keyaudit rotation plan -f csv > plan.csv"),
        Step(say("plan.together.show"), deploy),
        Step(say("plan.together.deploy"), f"{deploy} --yes"),
    ]


def periods_for(limit: int) -> Periods | None:
    """Periods that keep a limit of so many days, the longest that are usual; None where none do."""
    grace = max(1, min(LONGEST_GRACE, limit // 6))
    try:
        return Periods.of(min(LONGEST_EVERY, limit - grace - SLACK), grace, limit)
    except InputError:
        return None
