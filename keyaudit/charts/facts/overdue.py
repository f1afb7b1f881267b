"""What charts of ages and of deadlines say alike: how many active keys are overdue, exempt, in time. The words are
those of the bottom line and the tables, and so are the numbers; by a limit that is asked about, what would be."""

from __future__ import annotations

from keyaudit.charts.facts.population import Population, days
from keyaudit.texts import listed, say


def overdue(people: Population) -> str:
    """How many active keys are over the limit that applies to them and not exempt, and how many are exempt."""
    number, total, exempt = int(people.over.sum()), len(people.active), int(people.exempt.sum())
    texts = "charts.would_be" if people.what_if else "charts.overdue"
    facts = {"active": say("charts.active", n=total), "days": days(people.limit or 0)}
    if total == 1:
        return say(f"{texts}.only_{_only(people)}", **facts)
    if number == total:
        return say(f"{texts}.all", **facts)
    none = "none_known" if people.unknown else "none"
    first = say(f"{texts}.{'some' if number else none}", n=number, **facts)
    kind = "more_exempt" if number else "exempt"
    return listed("clauses", [first, *([say(f"{texts}.{kind}", n=exempt)] if exempt else [])])


def _only(people: Population) -> str:
    if people.unknown:
        return "unknown"
    return "over" if people.over[0] else "exempt" if people.exempt[0] else "in_time"


def part(name: str, number: int, what_if: bool = False) -> str:
    """The name of a part of a bar or an area (within, over, exempt, unjudged), with its number."""
    return say(f"charts.part{'_if' if what_if else ''}.{name}", n=number)
