"""When others saw a seal: lines of a day and a SHA-256, as notices, CI logs or the listing of a bucket have them.

A seal is the SHA-256 of the SHA256SUMS of an evidence folder. Whoever held it on a day shows that the folder is not
younger than that day, whatever its maker's clock said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from keyaudit.model.over_period import ANCHORED_WITHIN, Anchoring
from keyaudit.period.snapshots import Snapshot
from keyaudit.schema import InputError

#: a file of more lines is another file
MOST_LINES = 100_000
_DAY = re.compile(r"(?<![0-9])(2[0-9]{3}-[0-9]{2}-[0-9]{2})(?![0-9])", re.ASCII)
_SEAL = re.compile(r"(?<![0-9A-Fa-f])([0-9A-Fa-f]{64})(?![0-9A-Fa-f])", re.ASCII)


@dataclass(frozen=True)
class Anchor:
    """A seal, and a UTC day on which somebody else held it."""

    day: date
    seal: str


def parse_anchors(content: bytes, name: str) -> tuple[Anchor, ...]:
    """The anchors in a file, in their order. A line has a day (ISO 8601; a time may follow) and a SHA-256, in any
    order and with anything around them; empty lines, lines that begin with #, and a first line with neither are
    left out. InputError names the first line that is none of these; its words are not repeated, for they may be
    anything."""
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{name}: is not text in UTF-8; give lines of a day and a SHA-256") from None
    if len(lines) > MOST_LINES:
        raise InputError(f"{name}: has more than {MOST_LINES:,} lines; give lines of a day and a SHA-256")
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        days, seals = _DAY.findall(line), {one.lower() for one in _SEAL.findall(line)}
        if number == 1 and not days and not seals:
            continue
        found.append(_anchor(days, seals, f"{name}, line {number}"))
    if not found:
        raise InputError(f"{name}: holds no anchor; give lines of a day and a SHA-256")
    return tuple(found)


def _anchor(days: list[str], seals: set[str], place: str) -> Anchor:
    if not days or len(seals) != 1:
        raise InputError(f"{place}: is not a day (2026-01-31) and one SHA-256 (64 hexadecimal digits)")
    try:
        # of several days, such as those of a range, the latest claims least
        return Anchor(max(map(date.fromisoformat, days)), seals.pop())
    except ValueError:
        raise InputError(f"{place}: has a day that is none of the calendar") from None


def anchoring(
    snapshots: Iterable[Snapshot], seals: dict[str, str], anchors: Iterable[Anchor], name: str
) -> Anchoring:
    """Which of these snapshots others saw within ``ANCHORED_WITHIN`` days. ``seals``: of all evidence there
    is, by the name of its folder; ``name``: of the file of the anchors."""
    first: dict[str, date] = {}
    for one in anchors:
        first[one.seal] = min(one.day, first.get(one.seal, one.day))
    groups: dict[str, list[str]] = {"within": [], "late": [], "never": [], "early": []}
    for snapshot in snapshots:
        day = first.get(seals[snapshot.folder])
        if day is None:
            groups["never"].append(snapshot.folder)
            continue
        late = (day - snapshot.sealed.date()).days
        groups["within" if late <= ANCHORED_WITHIN else "late"].append(snapshot.folder)
        if late < 0:
            groups["early"].append(snapshot.folder)
    strangers = len(first.keys() - set(seals.values()))
    return Anchoring(name=name, strangers=strangers, **{kind: tuple(some) for kind, some in groups.items()})
