"""Populations with nothing to draw: an Axes that says so in words."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.axes import Axes

from keyaudit.charts import canvas
from keyaudit.charts.facts.population import Population, subtitle, when
from keyaudit.texts import listed, say


def why_empty(people: Population) -> str | None:
    """The id of the text that says why no chart of ages can be drawn; None if one can."""
    if people.keys.empty:
        return "no_keys"
    if people.active.empty:
        return "no_active"
    return None if people.known.any() else "unknown"


def nothing(ax: Axes | None, people: Population, reason: str, titled: Callable[[str], str] = str) -> Axes:
    """The Axes of an empty chart: title, population, and why there is nothing to draw; ``titled`` makes the title
    that of one of two charts."""
    ax = canvas.axes(ax)
    ax.set_axis_off()
    title, lines, text = words(people, reason)
    title = titled(title)
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", fontsize=11, linespacing=1.6)
    alt = say("charts.nothing.alt", title=title, subtitle=listed("lines", lines), text=" ".join(text.split()))
    return canvas.head(ax, title, lines, alt)


def words(people: Population, reason: str) -> tuple[str, list[str], str]:
    """Title, subtitle and text of an empty chart."""
    number = len(people.keys) if reason == "no_active" else len(people.active)
    title = say(f"charts.nothing.{reason}", n=number)
    return title, _population(people, reason), say(f"charts.nothing.{reason}_text")


def _population(people: Population, reason: str) -> list[str]:
    if reason not in ("no_keys", "not_chosen", "no_active"):
        return subtitle(people)
    accounts = say("charts.accounts", n=int(people.keys["account_id"].nunique()))
    keys = say("charts.inactive", n=len(people.keys))
    return [say(f"charts.nothing.{reason}_population", keys=keys, accounts=accounts, when=when(people))]
