"""Evidence of one account or organization over time -> the geometry of its chart, which the template of the
overview draws as SVG: two panels over one axis of dates, since keys may be thousands where accounts are few."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise

from keyaudit.evidence.subjects import Subject
from keyaudit.model.folders import Entry
from keyaudit.policy import label_of
from keyaudit.texts import say, utc, visible

#: in units of the drawing, about a pixel each on a phone
WIDTH, LEFT, RIGHT, TOP, HIGH, APART = 360, 44, 40, 26, 70, 118
#: so many points have a dot each, and so many changes of policy a line
MOST_DOTS, MOST_CHANGES = 60, 12
NARROWEST = 4.0


@dataclass(frozen=True)
class Panel:
    """One of the two: its ``kind`` (what is counted), its ``top``, the ``ticks`` (height, number), the ``line`` as
    an SVG path, ``dots`` (x, y), the ``unknown`` stretches (x, width), and the last number with its place, if
    known."""

    kind: str
    name: str
    top: int
    ticks: tuple[tuple[float, str], ...]
    line: str
    dots: tuple[tuple[float, float], ...]
    unknown: tuple[tuple[float, float], ...]
    last: tuple[float, float, str] | None


@dataclass(frozen=True)
class Chart:
    """What is drawn, with the words for who does not see it. ``dates``: (x, anchor, day); ``changes``: where the
    policy changed."""

    caption: str
    title: str
    desc: str
    panels: tuple[Panel, ...]
    dates: tuple[tuple[float, str, str], ...]
    changes: tuple[float, ...]
    axis: str
    width: int = WIDTH
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = TOP + APART + HIGH
    high: int = HIGH


def chart(one: Subject) -> Chart:
    """The chart of a subject that has points."""
    points, places = one.points, _places(one.points)
    changes = [x for (before, after), x in zip(pairwise(points), places[1:], strict=True) if _differ(before, after)]
    overdue, incomplete = [point.overdue for point in points], [point.incomplete for point in points]
    first, last = utc(points[0].as_of), utc(points[-1].as_of)
    told = {"first": first, "last": last, "policies": say("trend.policies", n=len(changes)) if changes else ""}
    told["overdue"], told["incomplete"] = _told("overdue", overdue), _told("incomplete", incomplete)
    desc = say("trend.one", **told) if len(points) == 1 else say("trend.desc", n=len(points), one="", **told)
    facts = {"whose": visible(one.whose), "notebook": visible(points[0].notebook)}
    facts["policy"] = visible(label_of(points[0].policy_name))
    return Chart(
        caption=say("trend.caption", **facts),
        title=say("trend.title", **facts),
        desc=desc.strip(),
        panels=(
            _panel("overdue", TOP, places, overdue),
            _panel("incomplete", TOP + APART, places, incomplete),
        ),
        dates=_dates(places, first[:10], last[:10]),
        changes=tuple(changes) if len(changes) <= MOST_CHANGES else (),
        axis=say("trend.axis"),
    )


def _differ(before: Entry, after: Entry) -> bool:
    return before.policy != after.policy


def _places(points: tuple[Entry, ...]) -> list[float]:
    """Where each point lies from left to right; a single one in the middle."""
    moments = [point.as_of.timestamp() for point in points]
    first, length = moments[0], moments[-1] - moments[0]
    wide = WIDTH - LEFT - RIGHT
    return [round(LEFT + wide * ((one - first) / length if length else 0.5), 1) for one in moments]


def _dates(places: list[float], first: str, last: str) -> tuple[tuple[float, str, str], ...]:
    if first == last:
        return (((places[0] + places[-1]) / 2, "middle", first),)
    return ((places[0], "start", first), (places[-1], "end", last))


def _panel(kind: str, top: int, places: list[float], numbers: list[int | None]) -> Panel:
    highest = nice(max((one for one in numbers if one is not None), default=0))

    def height(number: int) -> float:
        return round(top + HIGH - HIGH * number / highest, 1)

    stretches = list(_stretches(places, numbers))
    known = [[(x, height(n)) for x, n in each] for each in stretches]
    is_dotted = len(numbers) <= MOST_DOTS
    dots = [at for each in known for at in each if is_dotted or len(each) == 1]
    steps = {0, highest} | ({highest // 2} if highest % 2 == 0 else set())
    last = (places[-1], height(numbers[-1]), f"{numbers[-1]:,}") if numbers[-1] is not None else None
    return Panel(
        kind=kind,
        name=say(f"trend.{kind}"),
        top=top,
        ticks=tuple((height(step), f"{step:,}") for step in sorted(steps)),
        line="".join(_path(each) for each in known if len(each) > 1),
        dots=tuple(dots),
        unknown=tuple(_unknown(places, numbers)),
        last=last,
    )


def nice(number: int) -> int:
    """The least of 1, 2, 4, 5, 10, 20, 40, 50, 100 ... that is not below the number."""
    power = 1
    while True:
        for step in (1, 2, 4, 5):
            if step * power >= number:
                return step * power
        power *= 10


def _stretches(places: list[float], numbers: list[int | None]) -> Iterator[list[tuple[float, int]]]:
    """The points whose number is known, from one that is not known to the next."""
    for is_known, each in groupby(zip(places, numbers, strict=True), key=lambda one: one[1] is not None):
        if is_known:
            yield [(x, n) for x, n in each if n is not None]


def _unknown(places: list[float], numbers: list[int | None]) -> Iterator[tuple[float, float]]:
    for is_unknown, each in groupby(zip(places, numbers, strict=True), key=lambda one: one[1] is None):
        if is_unknown:
            xs = [x for x, _ in each]
            wide = max(xs[-1] - xs[0], NARROWEST)
            yield round((xs[0] + xs[-1] - wide) / 2, 1), round(wide, 1)


def _path(points: list[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def _told(kind: str, numbers: list[int | None]) -> str:
    known = [one for one in numbers if one is not None]
    if len(numbers) == 1:
        return say(f"trend.{kind}_one", n=known[0]) if known else say(f"trend.{kind}_unknown")
    if not known:
        return say(f"trend.{kind}_never")
    facts = {"start": known[0], "end": known[-1], "most": max(known), "least": min(known)}
    return say(f"trend.{kind}_all", unknown=len(numbers) - len(known), **facts)
