"""What became of the keys since earlier evidence, in sentences."""

from __future__ import annotations

from keyaudit import compared
from keyaudit.compared import BECAME, UNPROVED, Earlier
from keyaudit.model import Audit
from keyaudit.present.table import Prose
from keyaudit.texts import listed, say, utc


def since(a: Audit, before: Earlier | None) -> Prose:
    """How many keys were rotated, are newly or still overdue, or are gone, since the evidence ``before``; apart
    from these what another policy, and accounts that came or went, account for. None: nothing was given to compare
    with."""
    if before is None or before.as_of is None:
        kind = "nothing" if before is None else "unproved" if before.why == UNPROVED else "first"
        return Prose((say(f"since.{kind}"),), "since")
    found = compared.since(before, a)
    numbers = [say(f"since.{name}", n=found.became[name]) for name in BECAME]
    apart = [
        (found.more, "more" if found.is_same_policy else "more_by_policy"),
        (found.fewer, "fewer" if found.is_same_policy else "fewer_by_policy"),
        (found.left, "left"),
        (found.unread, "unread"),
    ]
    lines = [say(f"since.{name}", n=number) for number, name in apart if number]
    if found.joined:
        lines.append(say("since.joined", n=found.joined, keys=say("since.overdue", n=found.joined_overdue)))
    whole = say("since.whole", at=utc(before.as_of), what=listed("words", numbers))
    return Prose((" ".join([whole, *lines]),), "since")
