"""Properties of a period, over made-up keys and snapshots: the truth, counted naively, lies within the bounds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from conftest import examples
from hypothesis import given
from hypothesis import strategies as st
from years import DAY, at, exempt, key, snapshot, terms, verdict, window

from keyaudit.period import Snapshot
from keyaudit.schema import COMPLIANT, INSUFFICIENT_DATA, NON_COMPLIANT

START, LAST = at("01-01"), "04-30"
END = at(LAST) + DAY
HOURS = int((END - START) / timedelta(hours=1))
WORST = (NON_COMPLIANT, INSUFFICIENT_DATA, COMPLIANT)


@dataclass(frozen=True)
class Life:
    """A key: made, and active up to ``off``; it is gone at ``gone``."""

    user: str
    made: datetime
    off: datetime
    gone: datetime


@st.composite
def lives(draw) -> list[Life]:
    found = []
    for number in range(draw(st.integers(1, 4))):
        made = START + timedelta(hours=draw(st.integers(-4000, HOURS)))
        off = made + timedelta(hours=draw(st.integers(1, 4500)))
        found.append(Life(f"user-{number}", made, off, off + timedelta(hours=draw(st.integers(0, 500)))))
    return found


MOMENTS = st.lists(st.integers(0, HOURS - 1), min_size=1, max_size=9, unique=True).map(sorted)
LIMITS = st.sampled_from((10, 30, 60, 90))


def seen(lives_: list[Life], moment: datetime, policy) -> Snapshot:
    shown = [key(one.user, one.made, moment < one.off) for one in lives_ if one.made <= moment < one.gone]
    return snapshot(moment, *shown, policy=policy)


def year(lives_: list[Life], hours: list[int], limits: list[int]) -> list[Snapshot]:
    """Snapshots at these hours, each by the limit at its place (the last one for all that follow)."""
    return [
        seen(lives_, START + timedelta(hours=hour), terms(limits[min(place, len(limits) - 1)]))
        for place, hour in enumerate(hours)
    ]


def truth(one: Life, limit: int, since: datetime, until: datetime) -> timedelta:
    """How long the key was active beyond its limit, between two instants."""
    begin = max(one.made + limit * DAY, since)
    return max(min(one.off, until) - begin, timedelta(0))


@given(lives_=lives(), hours=MOMENTS, limit=LIMITS)
@examples(400)
def test_the_truth_lies_within_the_bounds(lives_, hours, limit):
    shown = year(lives_, hours, [limit])
    told = {one.user: one for one in verdict(shown, last=LAST).keys}
    for one in lives_:
        real = truth(one, limit, shown[0].as_of, shown[-1].as_of)
        if one.user in told:
            least, most = told[one.user].breach_days
            assert least <= real <= most
            # before the first snapshot nothing is concluded but of keys that it shows active
            if one.made < shown[0].as_of < one.off:
                assert truth(one, limit, START, shown[-1].as_of) <= most
        if one.user not in told:
            # in no snapshot at all: then it was there only between two of them
            assert not any(one.made <= each.as_of < one.gone for each in shown)


@given(lives_=lives(), limit=LIMITS)
@examples(200)
def test_snapshots_that_hit_the_events_leave_no_doubt(lives_, limit):
    # an event, and the last moment before it
    tick = timedelta(microseconds=1)
    events = {event for one in lives_ for event in (one.made, one.off, one.off - tick, one.made + limit * DAY)}
    moments = sorted({START, END - tick, *(event for event in events if START <= event < END)})
    shown = [seen(lives_, moment, terms(limit)) for moment in moments]
    told = {one.user: one for one in verdict(shown, last=LAST).keys}
    for one in lives_:
        real = truth(one, limit, START, END - tick)
        least, most = told[one.user].breach_days if one.user in told else (timedelta(0), timedelta(0))
        assert least <= real <= most
        assert most - least <= tick


@given(lives_=lives(), hours=MOMENTS, limit=LIMITS, data=st.data())
@examples(300)
def test_without_one_folder_bounds_are_wider_and_the_conclusion_is_no_better(lives_, hours, limit, data):
    shown = year(lives_, hours, [limit])
    due = verdict(shown, last=LAST).coverage.periods
    lost = data.draw(st.integers(0, len(shown) - 1))
    fewer = [one for place, one in enumerate(shown) if place != lost]
    whole, rest = verdict(shown, last=LAST, due=due), verdict(fewer, last=LAST, due=due)
    # it names the period without evidence, and never concludes that the control operated
    assert rest.conclusion != COMPLIANT
    assert [one.name for one in rest.coverage.periods if one.state == "missing"] == [due[lost].name]
    if 0 < lost < len(shown) - 1:  # the ends bound what is concluded at all
        wide = {one.user: one.breach_days for one in rest.keys}
        for one in whole.keys:
            least, most = wide.get(one.user, one.breach_days)
            assert least <= one.breach_days[0]
            assert most >= one.breach_days[1]


@given(lives_=lives(), hours=MOMENTS, limit=LIMITS, place=st.integers(1, 8), more=st.integers(1, 300))
@examples(200)
def test_loosening_a_policy_late_acquits_nothing_earlier(lives_, hours, limit, place, more):
    strict = year(lives_, hours, [limit])
    late = year(lives_, hours, [*[limit] * place, limit + more])
    exempted = [
        replace(one, policy=terms(limit, "".join(exempt(each.user, "2027-01-01") for each in lives_)))
        if number >= place
        else one
        for number, one in enumerate(strict)
    ]
    until = strict[min(place, len(strict) - 1)].as_of
    before = verdict(strict, last=LAST)
    for loosened in (late, exempted):
        after = {one.user: one for one in verdict(loosened, last=LAST).keys}
        for one in before.keys:
            assert _up_to(one.proved, until) == _up_to(after[one.user].proved, until)
            assert _up_to(one.possible, until) == _up_to(after[one.user].possible, until)
            early = [folder.folder for folder in strict[:place]]
            assert [name for name in one.proofs if name in early] == [
                name for name in after[one.user].proofs if name in early
            ]


def _up_to(spans, until):
    return sum((min(end, until) - start for start, end in spans if start < until), timedelta(0))


@given(lives_=lives(), hours=MOMENTS, limits=st.lists(LIMITS, min_size=1, max_size=9))
@examples(300)
def test_no_period_concludes_better_than_its_worst_conclusive_snapshot(lives_, hours, limits):
    shown = year(lives_, hours, limits)
    worst = min((one.conclusion for one in shown), key=WORST.index)
    found = verdict(shown, last=LAST)
    assert WORST.index(found.conclusion) <= WORST.index(worst)
    proved = {name for one in found.keys for name in one.proofs}
    assert proved == {one.folder for one in shown if one.conclusion == NON_COMPLIANT}


@given(lives_=lives(), hours=MOMENTS, limit=LIMITS, seed=st.randoms(use_true_random=False))
@examples(60)
def test_the_order_of_folders_and_keys_never_matters(lives_, hours, limit, seed):
    shown = year(lives_, hours, [limit])
    mixed = [replace(one, keys=tuple(seed.sample(one.keys, len(one.keys)))) for one in shown]
    assert verdict(seed.sample(mixed, len(mixed)), last=LAST) == verdict(shown, last=LAST)


def test_the_window_has_both_of_its_days():
    assert (window("01-01", LAST).start, window("01-01", LAST).end) == (START, END)
