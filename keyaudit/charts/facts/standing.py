"""How the keys stood against their limits, instant by instant: the counts, and what they say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from keyaudit.model.operated import Operated
from keyaudit.model.over_period import KeyOverPeriod, Span
from keyaudit.texts import listed, say, utc

#: instants that are counted: more than a picture has columns
INSTANTS = 1_200
#: how long before its deadline a key is drawn as due soon
SOON = timedelta(days=14)
#: from the axis upwards
BREACH, POSSIBLE, EXEMPT, SOON_DUE, WITHIN = KINDS = ("breach", "possible", "exempt", "soon", "within")


@dataclass(frozen=True)
class Standing:
    """Numbers of keys at each of ``moments`` (seconds since 1970), by kind; ``start`` and ``end`` of the period,
    and the part of it that evidence bounds (``seen``); the number of ``keys``."""

    moments: NDArray[np.float64]
    counts: dict[str, NDArray[np.int64]]
    start: datetime
    end: datetime
    seen: Span | None
    keys: int

    @property
    def most(self) -> int:
        """The most keys at once."""
        return int(np.sum([*self.counts.values()], axis=0).max())

    def peak(self, kind: str) -> tuple[int, datetime]:
        """The largest number of a kind, and when it was first reached."""
        place = int(self.counts[kind].argmax())
        return int(self.counts[kind][place]), datetime.fromtimestamp(self.moments[place], self.start.tzinfo)


def standing_of(o: Operated) -> Standing | None:
    """The counts over all subjects; None if no key may have been active."""
    verdicts = [one.verdict for one in o.subjects]
    keys = [key for v in verdicts for key in v.keys if key.active[1]]
    if not keys:
        return None
    start, end = verdicts[0].start, verdicts[0].end
    moments = np.linspace(start.timestamp(), end.timestamp() - 1, INSTANTS)
    seen = [v.concluded for v in verdicts if v.concluded]
    bounds = (min(one[0] for one in seen), max(one[1] for one in seen)) if seen else None
    counts = {
        BREACH: _counts(moments, (span for key in keys for span in key.proved)),
        POSSIBLE: _counts(moments, (span for key in keys for span in key.possible)),
        EXEMPT: _counts(moments, (span for key in keys for span in key.exempt)),
        SOON_DUE: _counts(moments, (span for key in keys for span in _soon(key))),
        WITHIN: _counts(moments, (span for key in keys for span in key.active[1])),
    }
    counts[WITHIN] = np.maximum(counts[WITHIN] - counts[POSSIBLE] - counts[EXEMPT] - counts[SOON_DUE], 0)
    counts[POSSIBLE] = counts[POSSIBLE] - counts[BREACH]
    return Standing(moments, counts, start, end, bounds, len(keys))


def _counts(moments: NDArray[np.float64], spans: Iterable[Span]) -> NDArray[np.int64]:
    """How many spans hold each moment."""
    edges = np.array([(start.timestamp(), end.timestamp()) for start, end in spans]).reshape(-1, 2)
    begun = np.searchsorted(np.sort(edges[:, 0]), moments, side="right")
    return begun - np.searchsorted(np.sort(edges[:, 1]), moments, side="right")


def _soon(key: KeyOverPeriod) -> Iterator[Span]:
    """The last days before the deadline, as far as the key may have been active, and was not beyond an earlier
    limit."""
    if key.due is None:
        return
    beyond = sorted((*key.possible, *key.exempt))
    for start, end in key.active[1]:
        begin, stop = max(start, key.due - SOON), min(end, key.due)
        for since, until in beyond:
            if begin < min(since, stop):
                yield begin, min(since, stop)
            begin = max(begin, until)
        if begin < stop:
            yield begin, stop


def claim(found: Standing) -> str:
    """The most keys that were late at once, if any was."""
    for kind in (BREACH, POSSIBLE):
        number, moment = found.peak(kind)
        if number:
            return say(f"charts.standing.{kind}_peak", n=number, moment=f"{moment:%Y-%m-%d}")
    return say("charts.standing.never", n=found.keys)


def remarks(found: Standing) -> list[str]:
    return [say("charts.standing.population", n=found.keys, most=found.most)]


def alt(found: Standing) -> str:
    """All that the picture tells, in words."""
    peaks = []
    for kind in KINDS:
        number, moment = found.peak(kind)
        if number:
            what = say(f"charts.standing.{kind}")
            peaks.append(say("charts.standing.peak", what=what, n=number, moment=f"{moment:%Y-%m-%d}"))
    return say("charts.times.alt", told=listed("lines", [claim(found), *remarks(found), *peaks, *_bounds(found)]))


def _bounds(found: Standing) -> list[str]:
    if found.seen is None:
        return []
    return [say("charts.standing.seen", start=utc(found.seen[0]), end=utc(found.seen[1]))]
