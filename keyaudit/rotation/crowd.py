"""What to do where many users of an account are to be put under rotation: one stack for all of them (pure)."""

from __future__ import annotations

from dataclasses import dataclass

from keyaudit.rotation.steps import Step, options_of, periods_for
from keyaudit.texts import say


@dataclass(frozen=True)
class Again:
    """The ``command`` that makes the plan once more, as CSV. Where there is none, ``way`` says how that is done
    instead: what was piped in must be ``piped`` in again, and a name that cannot be shown is left ``unsaid``."""

    command: str
    way: str = "file"


def together(limit: int | None, again: Again) -> list[Step]:
    """Many users of an account at once, with one stack, from the plan as a file."""
    periods = periods_for(limit) if limit else None
    if periods is None:
        return []
    deploy = f"keyaudit rotation deploy --users plan.csv {options_of(periods)}"
    return [
        Step(say(f"plan.together.{again.way}"), f"{again.command} > plan.csv" if again.command else ""),
        Step(say("plan.together.show"), deploy, True),
        Step(say("plan.together.deploy"), f"{deploy} --yes", True),
    ]
