"""The periods of a deployed rotation, in days: those that break a rule are refused, with the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from keyaudit.retiring import SLACK, keeps_limit, kept, leaves_room, oldest
from keyaudit.schema import InputError

LONGEST = 1000  # days that Secrets Manager takes
RETENTION, QUIET = 30, 7
#: what is deployed if nothing else was asked for
EVERY, GRACE, MAX_AGE = 60, 14, 90


@dataclass(frozen=True)
class Periods:
    """In days: a new key is made every ``every``; the replaced key is left for ``grace``, deactivated once it was
    unused for ``quiet``, and deleted ``retention`` later; ``max_age`` is the policy's limit."""

    every: int
    grace: int
    retention: int
    quiet: int
    max_age: int

    @classmethod
    def of(
        cls, every: int, grace: int, max_age: int, retention: int | None = None, quiet: int | None = None
    ) -> Self:
        """Periods that keep the rules, with those chosen that were not given; InputError with the numbers for
        periods that break one."""
        room = every - grace - SLACK - 1
        chosen = min(RETENTION, max(room, 1)) if retention is None else retention
        found = cls(every, grace, chosen, min(QUIET, grace) if quiet is None else quiet, max_age)
        found.check()
        return found

    def check(self) -> None:
        """InputError unless a replaced key is gone before it breaches the policy, and before the next rotation."""
        for name in ("every", "grace", "retention", "quiet", "max_age"):
            if not 1 <= getattr(self, name) <= LONGEST:
                option = name.replace("_", "-")
                raise InputError(f"--{option} {getattr(self, name)}: give 1 to {LONGEST:,} days")
        if not keeps_limit(self.every, self.grace, self.max_age):
            days = oldest(self.every, self.grace)
            raise InputError(
                f"--every {self.every} and --grace {self.grace}: the replaced key would be {days} days old "
                f"before it is deactivated ({self.every} + {self.grace} + {SLACK}), and the limit "
                f"is {self.max_age}; shorten one"
            )
        if not leaves_room(self.every, self.grace, self.retention):
            days = kept(self.grace, self.retention)
            raise InputError(
                f"--grace {self.grace} and --retention {self.retention}: the replaced key would be there for "
                f"{days} days ({self.grace} + {self.retention} + {SLACK}), and the next rotation, which comes "
                f"after {self.every}, would meet two keys; shorten one"
            )
        if self.quiet > self.grace:
            raise InputError(
                f"--quiet {self.quiet}: longer than --grace {self.grace}, so that the replaced key could not be "
                "told to be quiet when its grace ends; shorten it"
            )
