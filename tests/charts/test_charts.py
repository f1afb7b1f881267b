"""Charts: what they claim, what they show, and that they can be read (STYLE 5). Frames are literal."""

from __future__ import annotations

import io
import subprocess
import sys
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from PIL import Image

import keyaudit
from keyaudit import InputError
from keyaudit.charts import plot_ages, plot_deadlines, plot_idle, plot_share, plot_two
from keyaudit.charts.facts.bins import make_bins
from keyaudit.charts.facts.population import percent
from keyaudit.charts.html import picture
from keyaudit.policy import load_policy, parse_policy
from keyaudit.schema import ACTIVE, INACTIVE, JUDGED_COLUMNS, KEY_COLUMNS, TIME

ACCOUNT, OTHER = "111122223333", "444455556666"
NOW = datetime(2026, 11, 23, 17, tzinfo=UTC)
CIS = load_policy("cis")
SIXTY = load_policy("skshieldus")
NO_PERIOD = parse_policy(b'title = "t"', "none.toml")
NO_IDLE_LIMIT = parse_policy(b'title = "t"\nmax_access_key_age = 90', "age.toml")
WHOLE_DAYS = parse_policy(b'title = "t"\nmax_access_key_age = 90\nage_comparison = "whole_days"', "whole.toml")
CHARTS = (plot_ages, plot_share, plot_deadlines, plot_idle)
ALL_CHARTS = pytest.mark.parametrize("plot", CHARTS, ids=lambda plot: plot.__name__)


def key(
    age,
    idle=None,
    status=ACTIVE,
    limit=90,
    verdict=None,
    account=ACCOUNT,
    as_of=NOW,
    unknown_use=False,
    unused=None,
    idle_limit=45,
):
    """One row of ``Audit.keys``: a key so many days old; ``idle`` None: never used; ``age`` None: undated. ``verdict``
    and ``unused``: what is not said by these."""
    known = age is not None
    since = idle if idle is not None else age
    if since is None or (unknown_use and since >= idle_limit):
        is_unused = "INSUFFICIENT_DATA"
    else:
        is_unused = "NON_COMPLIANT" if since >= idle_limit else "COMPLIANT"
    over = known and limit is not None and age > limit
    passing = "NON_COMPLIANT" if over or limit is None else "COMPLIANT" if known else "INSUFFICIENT_DATA"
    return {
        "account_id": account,
        "user": "u",
        "is_root": False,
        "key_slot": 1,
        "status": status,
        "last_rotated": as_of - timedelta(days=age) if known else None,
        "last_used_date": None if idle is None else as_of - timedelta(days=idle),
        "generated_time": as_of,
        "last_used_unknown": unknown_use,
        "age_days": int(age) if known else None,
        "idle_days": None if since is None or status == INACTIVE else int(since),
        "limit": limit if status == ACTIVE else None,
        "due": as_of + timedelta(days=limit - age) if known and limit and status == ACTIVE else None,
        "compliance_type": verdict or ("NOT_APPLICABLE" if status == INACTIVE else passing),
        "idle_limit": idle_limit if status == ACTIVE else None,
        "unused_type": None if status == INACTIVE else unused or is_unused,
    }


def keys_of(*rows):
    columns = {**KEY_COLUMNS, **JUDGED_COLUMNS}
    return pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype=columns[name]) for name in columns})


def title(ax) -> str:
    return ax.get_title(loc="left").replace("\n", " ")


def texts(ax) -> list[str]:
    return [text.get_text().replace("\n", " ") for text in ax.texts if text.get_text()]


def subtitle(ax) -> str:
    return next(text for text in texts(ax) if "UTC" in text or "not known" in text)


def part(ax, gid) -> list:
    """The bars drawn as one kind: within, over, exempt, weeks, overdue."""
    return [bar for bar in ax.patches if bar.get_gid() == gid]


def heights(ax, *gids) -> list[int]:
    return [int(bar.get_height()) for gid in gids for bar in part(ax, gid)]


def line(ax, gid):
    (found,) = [one for one in ax.lines if one.get_gid() == gid]
    return found


def png(ax) -> bytes:
    content = io.BytesIO()
    # savefig would draw twice, for the same picture
    FigureCanvasAgg(ax.figure.figure).print_png(content, metadata={"Software": None})
    return content.getvalue()


def drawn(ax) -> list:
    """The texts of a chart that was laid out, with their places in pixels."""
    ax.figure.figure.draw_without_rendering()
    labels = [ax.xaxis.label, ax.yaxis.label, *ax.get_xticklabels(), *ax.get_yticklabels()] if ax.axison else []
    shown = [*ax.texts, ax._left_title, *labels]
    legend = ax.get_legend()
    shown += legend.get_texts() if legend else []
    return [(one, one.get_window_extent()) for one in shown if one.get_text()]


def is_inside(box, figure) -> bool:
    return box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.width and box.y1 <= figure.bbox.height


MIXED = keys_of(
    key(3, 1),
    key(40, 39),
    key(80, 2),
    key(90, 1, account=OTHER),
    key(91, 46),
    key(400, None),
    key(None),
    key(500, 3, status=INACTIVE),
)
MANY = keys_of(*(key(n % 100 + n % 7 / 8, (n * 7) % 50 if n % 5 else None) for n in range(4999)), key(4383, 4000))


# --- claims ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "claim"),
    [
        ([key(91), key(1), key(90)], "1 of 3 active keys is overdue"),
        ([key(91), key(365), key(90)], "2 of 3 active keys are overdue"),
        ([key(91), key(365)], "All 2 active keys are overdue"),
        ([key(1), key(90)], "None of 2 active keys is overdue"),
        ([key(90)], "The only active key is in time"),
        ([key(90.01, verdict="NON_COMPLIANT")], "The only active key is overdue"),
        ([key(99, verdict="EXEMPT")], "The only active key is over its limit (exempt)"),
        ([key(1), key(None)], "No active key of known age is overdue"),
        ([key(91), key(99, verdict="EXEMPT"), key(1)], "1 of 3 active keys is overdue, 1 more is over its limit (exempt)"),
        ([key(99, verdict="EXEMPT"), key(1)], "None of 2 active keys is overdue, 1 is over its limit (exempt)"),
        ([key(99, verdict="EXEMPT"), key(1), key(None)], "No active key of known age is overdue, 1 is over its limit (exempt)"),
        ([key(99, verdict="EXEMPT")] * 2, "None of 2 active keys is overdue, 2 are over their limits (exempt)"),
        ([key(40, limit=30), key(1)], "1 of 2 active keys is overdue"),
        ([key(40, limit=30), key(91), key(1)], "2 of 3 active keys are overdue"),
    ],
)  # fmt: skip
def test_ages_claim_how_many_are_overdue_by_the_limit_that_applies(rows, claim):
    assert title(plot_ages(keys_of(*rows), CIS)) == claim


@pytest.mark.parametrize(
    ("rows", "claim"),
    [
        ([key(91), key(1), key(90)], "2 of 3 active keys (66.7%) are in time"),
        ([key(91), key(92), key(None), key(9)], "1 of 4 active keys (25%) is in time"),
        ([key(40, limit=30), key(40), key(80)], "2 of 3 active keys (66.7%) are in time"),
        ([key(99, verdict="EXEMPT"), key(80)], "1 of 2 active keys (50%) is in time"),
        ([key(1), key(90)], "All 2 active keys are in time"),
        ([key(91), key(99)], "None of 2 active keys is in time"),
        ([key(91), key(None)], "None of 2 active keys is known to be in time"),
        ([key(1)], "The only active key is in time"),
        ([key(91)], "The only active key is not in time"),
    ],
)
def test_share_counts_by_each_keys_own_limit_and_none_of_unknown_age_as_in_time(rows, claim):
    assert title(plot_share(keys_of(*rows), CIS)) == claim


@pytest.mark.parametrize(
    ("rows", "claim"),
    [
        ([key(91), key(80), key(1)], "1 of 3 active keys is overdue, 1 falls due within 14 days"),
        ([key(91), key(99), key(80), key(76)], "2 of 4 active keys are overdue, 2 fall due within 14 days"),
        ([key(91), key(1)], "1 of 2 active keys is overdue, none falls due within 14 days"),
        ([key(91), key(99, verdict="EXEMPT"), key(1)], "1 of 3 active keys is overdue, 1 more is over its limit (exempt), none falls due within 14 days"),
        ([key(76), key(75)], "None of 2 active keys is overdue, 1 falls due within 14 days"),
        ([key(91), key(92)], "All 2 active keys are overdue"),
        ([key(1), key(None)], "No active key of known age is overdue, none falls due within 14 days"),
        ([key(91)], "The only active key is overdue"),
        ([key(91, verdict="EXEMPT")], "The only active key is over its limit (exempt)"),
        ([key(89)], "The only active key falls due on 2026-11-24"),
    ],
)  # fmt: skip
def test_deadlines_claim_what_is_overdue_and_what_is_due_soon(rows, claim):
    assert title(plot_deadlines(keys_of(*rows), CIS)) == claim


@pytest.mark.parametrize(
    ("rows", "claim"),
    [
        ([key(50, 45), key(91, 60), key(5, 1)], "2 of 3 active keys are unused (idle for 45 days or more), 1 of them overdue"),
        ([key(50, 44), key(50, 45)], "1 of 2 active keys is unused (idle for 45 days or more), and is not overdue"),
        ([key(99, None), key(1, 1)], "1 of 2 active keys is unused (idle for 45 days or more), and is overdue"),
        ([key(99, None), key(99, None)], "All 2 active keys are unused (idle for 45 days or more), all of them overdue"),
        ([key(50, 44), key(44, None)], "None of 2 active keys is unused (idle for 45 days or more)"),
        ([key(50, None, unknown_use=True), key(4, 1)], "No active key of known use is unused (idle for 45 days or more); of 1 it is unknown"),
        ([key(50, None)], "The only active key is unused (idle for 45 days or more), and is not overdue"),
        ([key(50, 3)], "The only active key is not unused (idle for 45 days or more)"),
        ([key(50, 46, unused="EXEMPT"), key(9, 1)], "None of 2 active keys is unused (idle for 45 days or more); 1 is unused (exempt)"),
        ([key(50, 46, unused="EXEMPT"), key(99, 50)], "1 of 2 active keys is unused (idle for 45 days or more), and is overdue; 1 more is unused (exempt)"),
        ([key(50, 20, idle_limit=15), key(9, 1)], "1 of 2 active keys is unused (idle for 45 days or more, or for a limit of their own), and is not overdue"),
        ([key(99, 60, verdict="EXEMPT"), key(9, 1)], "1 of 2 active keys is unused (idle for 45 days or more), and is not overdue"),
    ],
)  # fmt: skip
def test_idle_claims_who_is_unused_45_days_or_more_cis_1_12(rows, claim):
    assert title(plot_idle(keys_of(*rows), CIS)) == claim


@pytest.mark.parametrize(
    ("part", "whole", "share"),
    [(7, 40, "17.5%"), (39, 40, "97.5%"), (4999, 5000, "99.9%"), (1, 9999, "0.1%"), (5, 5, "100%"), (0, 5, "0%")],
)
def test_a_share_is_never_rounded_up_to_all_or_down_to_none(part, whole, share):
    assert percent(part, whole) == share


@ALL_CHARTS
def test_the_subtitle_gives_population_and_date_and_who_is_not_shown(plot):
    said = subtitle(plot(MIXED, CIS))
    assert said.startswith("7 active keys of 2 accounts, as of 2026-11-23T17:00:00Z (UTC)")
    assert "1 inactive key" in said
    assert "1 active key of unknown age" in said


def test_limits_of_keys_own_are_stated():
    said = subtitle(plot_ages(keys_of(key(9, limit=30), key(9, limit=60), key(9)), CIS))
    assert "2 keys have limits of their own (30 to 60 days)" in said


# --- alternative texts ----------------------------------------------------------------------------------------


def test_alt_text_of_ages():
    assert plot_ages(MIXED, CIS).get_label() == (
        "Bar chart of active keys by age. 2 of 7 active keys are overdue. "
        "7 active keys of 2 accounts, as of 2026-11-23T17:00:00Z (UTC). "
        "Oldest: 400 days; not shown: 1 active key of unknown age, 1 inactive key. "
        "In the bars: 4 in time, 2 overdue. "
        "Keys by age: 0 to 15 days 1, 30 to 45 days 1, 75 to 90 days 2, 90 to 105 days 1, 365 to 730 days 1."
    )


def test_alt_text_of_share():
    assert plot_share(MIXED, CIS).get_label() == (
        "Step curve: share of active keys by the days from each key's own deadline. "
        "4 of 7 active keys (57.1%) are in time. "
        "7 active keys of 2 accounts, as of 2026-11-23T17:00:00Z (UTC). "
        "Hatched: 1 active key of unknown age; not shown: 1 inactive key. "
        "Share that has come no further than: 60 days before it 14.3%, 30 days before it 28.6%, "
        "at the deadline 57.1%, 30 days after it 71.4%, 90 days after it 71.4%, 180 days after it 71.4%, "
        "310 days after it 85.7%."
    )


def test_alt_text_of_deadlines():
    assert plot_deadlines(MIXED, CIS).get_label() == (
        "Bar chart of active keys by deadline. 2 of 7 active keys are overdue, 2 fall due within 14 days. "
        "7 active keys of 2 accounts, as of 2026-11-23T17:00:00Z (UTC). "
        "Not shown: 1 active key of unknown age, 1 inactive key. Overdue: 2. "
        "Falling due in the week from: 2026-11-23: 1, 2026-11-30: 1, 2027-01-11: 1, 2027-02-15: 1."
    )


def test_alt_text_of_idle():
    assert plot_idle(MIXED, CIS).get_label() == (
        "Scatter chart of active keys, age against days without use. "
        "2 of 7 active keys are unused (idle for 45 days or more), all of them overdue. "
        "7 active keys of 2 accounts, as of 2026-11-23T17:00:00Z (UTC). "
        "Not shown: 1 active key of unknown age or use, 1 inactive key. "
        "4 within both limits, 0 past the idle limit only, 0 past the age limit only, 2 past both limits, "
        "5 used, 1 never used: idle since rotation. Longest: 400 days old, 400 days idle."
    )


@ALL_CHARTS
def test_no_user_name_is_in_a_chart(plot):
    ax = plot(MIXED.assign(user="김민준"), CIS)
    assert "김민준" not in " ".join([ax.get_label(), title(ax), *texts(ax)])


# --- what is drawn --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "limit"), [(CIS, 90), (SIXTY, 60)])
@pytest.mark.parametrize(("plot", "gid"), [(plot_ages, "limit"), (plot_idle, "age-limit")])
def test_the_limit_is_drawn_at_its_day_and_labelled(plot, gid, policy, limit):
    ax = plot(MIXED, policy)
    assert set(line(ax, gid).get_xdata()) == {limit}
    assert any(text.endswith(f"limit: {limit} days") for text in texts(ax))


def test_the_idle_limit_is_drawn_and_labelled():
    ax = plot_idle(MIXED, CIS)
    assert set(line(ax, "idle-limit").get_ydata()) == {45}
    assert "idle limit: 45 days" in texts(ax)


def test_bars_of_ages_add_up_to_the_active_keys_of_known_age():
    ax = plot_ages(MIXED, CIS)
    assert sum(heights(ax, "within")) == 4
    assert sum(heights(ax, "over")) == 2


def test_no_bar_holds_keys_from_both_sides_of_the_limit():
    ax = plot_ages(keys_of(key(89.9), key(90), key(90.001), key(91)), CIS)
    within, over = ([bar for bar in part(ax, gid) if bar.get_height()] for gid in ("within", "over"))
    assert all(bar.get_x() + bar.get_width() <= 90 for bar in within)
    assert all(bar.get_x() >= 90 for bar in over)


def test_counts_stand_on_the_bars():
    counts = {"3": 3, "1": 1}
    ax = plot_ages(keys_of(key(20), key(21), key(22), key(99)), CIS)
    assert {text for text in texts(ax) if text.isdigit()} == set(counts)
    assert {"3 in time", "1 overdue"} <= set(texts(ax))


def test_exempt_keys_have_a_mark_of_their_own():
    ax = plot_ages(keys_of(key(9), key(99), key(120, verdict="EXEMPT")), CIS)
    assert sum(heights(ax, "exempt")) == 1
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "1 in time",
        "1 over its limit (exempt)",
        "1 overdue",
    ]


def test_keys_over_a_limit_of_their_own_are_marked_left_of_the_general_one():
    ax = plot_ages(keys_of(key(40, limit=30), key(41)), CIS)
    (bar,) = [bar for bar in part(ax, "over") if bar.get_height()]
    assert bar.get_x() < 40 < 90


def test_one_key_of_12_years_among_new_ones_leaves_these_in_more_than_three_bars():
    ax = plot_ages(keys_of(*(key(n % 85) for n in range(200)), key(4383)), CIS)
    assert sum(height > 0 for height in heights(ax, "within")) > 3
    assert sum(heights(ax, "over")) == 1
    named = [label.get_text() for label in ax.get_xticklabels()]
    assert "over\n5 years" in named and "//" in texts(ax)


@pytest.mark.parametrize("limit", [1, 7, 14, 30, 45, 60, 90, 97, 180, 365, 3650])
def test_the_limit_is_an_edge_of_the_bars_whatever_it_is(limit):
    bins = make_bins(np.array([0.0, limit, limit + 0.01, 9999.0]), limit)
    assert limit in bins.edges
    assert bins.counts(np.array([0.0, limit, limit + 0.01, 9999.0])).sum() == 4
    assert 1 <= bins.edges.index(limit) <= 12


def test_whole_days_are_drawn_where_the_policy_compares_whole_days():
    ax = plot_ages(keys_of(key(90.5, verdict="COMPLIANT")), WHOLE_DAYS)
    (bar,) = [bar for bar in part(ax, "within") if bar.get_height()]
    assert bar.get_x() + bar.get_width() <= 90
    assert "whole days" in ax.get_xlabel()


def test_the_share_in_time_is_marked_at_the_deadline_and_labelled():
    ax = plot_share(keys_of(key(1), key(50), key(91), key(99, verdict="EXEMPT"), key(None)), CIS)
    point = line(ax, "share-in-time")
    assert (point.get_xdata()[0], point.get_ydata()[0]) == (0, 0.4)
    assert set(line(ax, "deadline").get_xdata()) == {0}
    assert "deadline" in texts(ax)
    assert "2 in time (40%) 1 overdue 1 over its limit (exempt) 1 of unknown age" in texts(ax)


@pytest.mark.parametrize("policy", [CIS, WHOLE_DAYS, SIXTY], ids=lambda one: one.name)
@pytest.mark.parametrize("verdict", ["COMPLIANT", "NON_COMPLIANT", "EXEMPT"])
def test_the_curve_crosses_the_deadline_as_was_judged_also_where_ages_are_known_in_whole_days_alone(
    policy, verdict
):
    """A key 90 whole days old may be in time, or late by hours."""
    keys = keys_of(key(5), key(90, verdict=verdict), key(200))
    ax = plot_share(keys.assign(generated_time=pd.Series(pd.NaT, index=keys.index, dtype=TIME)), policy)
    assert line(ax, "share-in-time").get_ydata()[0] == pytest.approx(1 / 3 + (verdict == "COMPLIANT") / 3)


def test_the_curve_counts_each_key_from_its_own_deadline():
    ax = plot_share(keys_of(key(40, limit=30), key(40), key(95)), CIS)
    assert line(ax, "share").get_xdata().tolist()[1:-1] == pytest.approx([-50, 5, 10])


def test_the_share_of_unknown_ages_is_hatched_and_the_curve_ends_below_it():
    ax = plot_share(keys_of(key(1), key(50), key(91), key(None)), CIS)
    (band,) = [one for one in ax.collections if isinstance(one, PolyCollection) and one.get_gid() == "unknown"]
    assert band.get_hatch()
    assert line(ax, "share").get_ydata()[-1] == 0.75


def test_a_deadline_lies_in_the_week_that_it_falls_in():
    """Weeks count from as_of; the deadline of a key aged exactly 90 days is now, and it is not overdue yet."""
    ax = plot_deadlines(keys_of(key(90), key(83.5), key(83), key(76), key(0)), CIS)
    assert heights(ax, "weeks") == [2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert heights(ax, "overdue") == [0]


def test_overdue_and_weeks_and_those_left_out_add_up_to_the_active_keys():
    keys = keys_of(key(91), key(5), key(200, limit=365), key(99, verdict="EXEMPT"), key(None), key(80))
    ax = plot_deadlines(keys, CIS)
    assert sum(heights(ax, "overdue", "weeks")) == 3
    for left_out in (
        "1 key due after 2027-02-21",
        "1 over its limit (exempt)",
        "1 active key of unknown",
    ):
        assert left_out in subtitle(ax)


def test_overdue_stands_apart_from_the_weeks():
    ax = plot_deadlines(MIXED, CIS)
    (overdue,) = part(ax, "overdue")
    assert overdue.get_x() + overdue.get_width() < -3
    assert min(bar.get_x() for bar in part(ax, "weeks")) > 0


def test_the_warning_of_the_policy_is_marked():
    ax = plot_deadlines(MIXED, CIS)
    (window,) = part(ax, "warn-window")
    assert (window.get_x(), window.get_width()) == (0, 14)
    assert "due soon: 2 within 14 days" in texts(ax)


def test_never_used_keys_have_another_marker_and_lie_where_age_is_idle_time():
    ax = plot_idle(MIXED, CIS)
    used, never = line(ax, "used"), line(ax, "never-used")
    assert used.get_marker() != never.get_marker()
    assert list(never.get_xdata()) == list(never.get_ydata()) == [400]
    assert list(used.get_xdata()) == [3, 40, 80, 90, 91]
    assert list(used.get_ydata()) == [1, 39, 2, 1, 46]


def test_a_last_use_that_was_not_reported_is_not_drawn_as_no_use():
    ax = plot_idle(keys_of(key(50, None, unknown_use=True), key(4, 1)), CIS)
    assert len(line(ax, "never-used").get_xdata()) == 0
    assert "1 active key of unknown age or use" in subtitle(ax)


def test_12_years_and_new_keys_are_both_readable_in_idle():
    ax = plot_idle(keys_of(*(key(n) for n in range(85)), key(4383)), CIS)
    places = ax.transData.transform([(0, 0), (85, 0), (4383, 0)])[:, 0]
    assert (places[1] - places[0]) / (places[2] - places[0]) > 0.4
    assert "logarithmic" in ax.get_xlabel()


# --- policies that leave something out --------------------------------------------------------------------------


def test_without_a_period_ages_are_shown_and_no_limit_is_drawn():
    ax = plot_ages(keys_of(key(10, limit=None), key(204, limit=None)), NO_PERIOD)
    assert title(ax) == "No rotation period is defined; the oldest of 2 active keys is 204 days old"
    assert not [one for one in ax.lines if one.get_gid() == "limit"]
    assert sum(heights(ax, "unjudged")) == 2


def test_without_a_period_the_share_tells_the_age_of_half_of_the_keys():
    ax = plot_share(keys_of(key(10, limit=None), key(204, limit=None), key(None, limit=None)), NO_PERIOD)
    assert title(ax) == (
        "No rotation period is defined; at least half of 2 active keys of known age are 204 days old or older"
    )


def test_without_a_period_there_are_no_deadlines():
    ax = plot_deadlines(keys_of(key(10, limit=None)), NO_PERIOD)
    assert title(ax) == "No rotation period is defined, so no key has a deadline"
    assert not ax.patches


def test_without_an_idle_limit_idle_time_is_still_shown():
    keys = keys_of(key(50, 5), key(9, None)).assign(idle_days=pd.array([None, None], "Int64"))
    ax = plot_idle(keys, NO_IDLE_LIMIT)
    assert title(ax) == "1 of 2 active keys was never used; no idle limit is defined"
    assert list(line(ax, "used").get_ydata()) == [5]
    assert list(line(ax, "never-used").get_ydata()) == [9]
    assert not [one for one in ax.lines if one.get_gid() == "idle-limit"]


# --- nothing to draw ----------------------------------------------------------------------------------------------


@ALL_CHARTS
@pytest.mark.sampled(8)
@pytest.mark.parametrize(
    ("keys", "claim"),
    [
        (pd.DataFrame(), "No access keys were read"),
        (keys_of(), "No access keys were read"),
        (keys_of(key(9, status=INACTIVE)), "The only access key is not active"),
        (keys_of(*[key(9, status=INACTIVE)] * 3), "None of 3 access keys is active"),
        (keys_of(key(None)), "The age of the only active key is unknown"),
        (keys_of(key(None), key(None)), "The age of all 2 active keys is unknown"),
    ],
)
def test_an_empty_population_is_an_axes_that_says_so(plot, keys, claim):
    ax = plot(keys, CIS)
    assert title(ax) == claim
    assert claim in ax.get_label()
    assert any(text.startswith("Nothing to draw") for text in texts(ax))
    assert png(ax)


def test_unknown_use_alone_is_said_in_words():
    ax = plot_idle(keys_of(key(5, None, unknown_use=True)), CIS)
    assert title(ax) == "The last use of the only active key is unknown"


# --- the instant ----------------------------------------------------------------------------------------------------


def test_as_of_may_be_given():
    said = subtitle(plot_ages(MIXED, CIS, as_of=NOW))
    assert "as of 2026-11-23T17:00:00Z (UTC)" in said


@ALL_CHARTS
def test_as_of_without_a_zone_is_refused(plot):
    with pytest.raises(InputError, match="zone"):
        plot(MIXED, CIS, as_of=datetime(2026, 11, 23))  # noqa: DTZ001


def test_without_a_generated_time_the_date_is_told_from_the_ages_and_not_as_an_instant():
    keys = MIXED.assign(generated_time=pd.Series(pd.NaT, index=MIXED.index, dtype=TIME))
    assert "as of 2026-11-23 or the day after (UTC)" in subtitle(plot_ages(keys, CIS))


def test_a_generated_time_at_which_the_ages_were_not_counted_is_not_stated():
    """The audit was as of an instant given, days after the report."""
    keys = MIXED.assign(generated_time=pd.Series(NOW - timedelta(days=3), index=MIXED.index, dtype=TIME))
    assert "2026-11-20" not in subtitle(plot_ages(keys, CIS))


# --- the Axes ---------------------------------------------------------------------------------------------------------


@ALL_CHARTS
def test_keys_are_not_changed(plot):
    before = MIXED.copy(deep=True)
    plot(MIXED, CIS)
    pd.testing.assert_frame_equal(MIXED, before)


@pytest.mark.sampled(2)
@ALL_CHARTS
def test_a_given_axes_is_used_and_returned(plot):
    left, right = Figure(figsize=(14, 5)).subplots(1, 2)
    assert plot(MIXED, CIS, ax=right) is right
    assert not left.get_title(loc="left")
    assert png(right)


def test_an_axes_of_a_subfigure_works():
    upper, _ = Figure(figsize=(8, 9)).subfigures(2, 1)
    ax = upper.subplots()
    assert plot_ages(MIXED, CIS, ax=ax) is ax
    assert all(is_inside(box, ax.figure.figure) for _, box in drawn(ax))


@ALL_CHARTS
def test_a_new_figure_is_8_by_4_5_inches_and_not_of_pyplot(plot):
    figure = plot(MIXED, CIS).figure
    assert tuple(figure.get_size_inches()) == (8, 4.5)
    assert figure.canvas.manager is None


@pytest.mark.sampled(0)  # by day test_house looks for it in the code: for a nightly run
def test_charts_do_not_import_pyplot():
    script = (
        "import sys, keyaudit.charts as c; from pathlib import Path\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert not any('pyplot' in line for p in Path(c.__file__).parent.rglob('*.py') "
        "for line in p.read_text(encoding='utf-8').splitlines() if 'import' in line)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@ALL_CHARTS
@pytest.mark.sampled(7)
@pytest.mark.parametrize("policy", [CIS, SIXTY, NO_PERIOD, NO_IDLE_LIMIT, WHOLE_DAYS], ids=lambda one: one.name)
def test_no_text_is_cut_or_smaller_than_9_points(plot, policy):
    ax = plot(MIXED, policy)
    for text, box in drawn(ax):
        assert text.get_fontsize() >= 9
        assert is_inside(box, ax.figure), text


@ALL_CHARTS
@pytest.mark.sampled(8)
@pytest.mark.parametrize("keys", [keys_of(key(12, 2)), MIXED, MANY], ids=["one", "mixed", "many"])
def test_no_two_texts_overlap(plot, keys):
    boxes = [(text.get_text(), box) for text, box in drawn(plot(keys, CIS))]
    for (text, box), (other, second) in combinations(boxes, 2):
        apart = box.x1 <= second.x0 or second.x1 <= box.x0 or box.y1 <= second.y0 or second.y1 <= box.y0
        assert apart, (text, other)


@pytest.mark.sampled(0)  # by day a whole notebook is run again, whose pictures must be the same: for a nightly run
@ALL_CHARTS
def test_the_same_keys_give_the_same_picture(plot):
    assert png(plot(MIXED, CIS)) == png(plot(MIXED, CIS))


@ALL_CHARTS
def test_a_change_of_the_order_of_keys_changes_nothing(plot):
    shuffled = MIXED.sample(frac=1, random_state=1)
    assert plot(shuffled, CIS).get_label() == plot(MIXED, CIS).get_label()


# --- black and white ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("plot", "gid"), [(plot_ages, "over"), (plot_deadlines, "overdue")])
def test_what_is_over_the_limit_is_hatched_and_dark_in_greyscale(plot, gid):
    keys = keys_of(*[key(20)] * 5, *[key(100)] * 5)
    ax = plot(keys, CIS)
    grey = np.asarray(Image.open(io.BytesIO(png(ax))).convert("L"), dtype=float)
    tall = {name: next(bar for bar in part(ax, name) if bar.get_height()) for name in (gid, _other(gid))}
    assert tall[gid].get_hatch() and not tall[_other(gid)].get_hatch()
    shades = {name: grey[_pixels(bar, grey.shape[0])] for name, bar in tall.items()}
    assert shades[gid].std() > 30  # stripes
    assert shades[_other(gid)].std() < 5  # plain
    assert np.median(shades[gid]) + 60 < np.median(shades[_other(gid)])


def _other(gid: str) -> str:
    return {"over": "within", "overdue": "weeks"}[gid]


def _pixels(bar, height) -> tuple[slice, slice]:
    """The inner part of a bar in the picture, clear of its edges and of grid lines' ends."""
    box = bar.get_window_extent()
    inner = slice(int(box.x0) + 4, int(box.x1) - 4)
    return slice(height - int(box.y1) + 4, height - int(box.y0) - 6), inner


def test_exempt_and_unknown_are_hatched_each_in_its_way():
    ages = plot_ages(keys_of(key(99), key(120, verdict="EXEMPT")), CIS)
    assert len({part(ages, gid)[0].get_hatch() for gid in ("over", "exempt")}) == 2


# --- large accounts -------------------------------------------------------------------------------------------------------


@ALL_CHARTS
def test_5000_keys_are_drawn_with_as_few_marks_as_some(plot):
    """What a chart takes to draw follows from its marks."""
    marks, some = (len(plot(keys, CIS).findobj()) for keys in (MANY, keys_of(*(key(n) for n in range(99)))))
    assert marks < 1.5 * some


def test_bars_of_5000_keys_add_up():
    assert sum(heights(plot_ages(MANY, CIS), "within", "over")) == 5000
    assert len(line(plot_share(MANY, CIS), "share").get_xdata()) > 100


def test_one_key_among_thousands_is_still_seen():
    ax = plot_ages(keys_of(*[key(20)] * 4999, key(4383)), CIS)
    feet = [one for one in ax.lines if one.get_gid() == "foot"]
    assert {one.get_linewidth() for one in feet} == {3}
    assert "1" in texts(ax)


@pytest.mark.parametrize(("face", "mode"), [("white", "RGB"), ((1, 1, 1, 0.5), "RGBA"), ("none", "RGBA")])
def test_a_picture_keeps_what_shines_through_and_the_bounds_of_its_figure(face, mode):
    figure = Figure(figsize=(4, 3), facecolor=face)
    content = b64decode(picture(figure, "").partition("base64,")[2].partition('"')[0])
    with Image.open(io.BytesIO(content)) as image:
        assert (image.mode, image.size) == (mode, (520, 390)) and image.getpixel((0, 0))[:3] == (255, 255, 255)
        assert {"Software", "date:create"}.isdisjoint(image.info)
    assert figure.dpi == 100


# --- an Audit --------------------------------------------------------------------------------------------------------------


@ALL_CHARTS
def test_charts_take_the_keys_of_an_audit(plot, tmp_path):
    cut = tmp_path / "cut.csv"
    cut.write_text(
        "user,arn,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,"
        "access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date\n"
        f"alice,arn:aws:iam::{ACCOUNT}:user/alice,true,2026-11-01T00:00:00Z,2026-11-20T00:00:00Z,false,N/A,N/A\n"
        f"bob,arn:aws:iam::{ACCOUNT}:user/bob,true,2026-03-01T00:00:00Z,N/A,false,2020-01-01T00:00:00Z,N/A\n"
    )
    audit = keyaudit.audit(cut, "cis", "2026-11-23T00:00:00Z")
    ax = plot(audit.keys, audit.policy, audit.as_of)
    assert subtitle(ax).startswith("2 active keys of 1 account, as of 2026-11-23T00:00:00Z (UTC)")


def test_keys_that_were_never_judged_are_refused_with_the_remedy():
    with pytest.raises(InputError, match="no column age_days; give the keys of an Audit"):
        plot_ages(MIXED.drop(columns="age_days"), CIS)


@dataclass(frozen=True)
class Judged:
    """What a chart of two judgements needs of each."""

    keys: pd.DataFrame
    as_of: datetime
    policy: object = CIS


def bars(ax):
    """Left edge -> width of the bars of keys."""
    return {round(one.get_x(), 6): round(one.get_width(), 6) for one in ax.patches}


def test_then_and_now_share_their_axes_and_each_says_which_it_is():
    before = Judged(keys_of(*(key(age) for age in (10, 20, 30, 700, 2000))), NOW - timedelta(days=30))
    after = Judged(keys_of(*(key(age % 90) for age in range(400, 460))), NOW)
    now = plot_two(before, after)
    then, same = now.figure.axes
    assert same is now
    assert then.get_title(loc="left") == "Then (2026-10-24): 2 of 5 active keys are overdue"
    assert now.get_title(loc="left").startswith("Now (2026-11-23): ")
    assert then.get_ylim() == now.get_ylim() and then.get_xlim() == now.get_xlim()
    assert list(then.get_yticks()) == list(now.get_yticks()) and list(then.get_xticks()) == list(now.get_xticks())
    of_both = bars(then) | bars(now)
    assert bars(then).items() | bars(now).items() == of_both.items() and bars(then).keys() & bars(now).keys()
    # the narrow ones stand in one raster
    edges = sorted(left for left, width in of_both.items() if width == min(of_both.values()))
    assert {round((left - edges[0]) / 15 % 1, 6) for left in edges} == {0}
    both = now.get_label()
    assert 0 < both.index("Then (2026-10-24): 2 of 5") < both.index("Now (2026-11-23): ")


def test_then_and_now_on_one_day_are_told_apart_by_their_moments_and_none_may_have_no_key():
    before, after = Judged(keys_of(), NOW - timedelta(hours=2)), Judged(keys_of(key(100)), NOW)
    then, now = plot_two(before, after).figure.axes
    assert then.get_title(loc="left").startswith("Then (2026-11-23T15:00:00Z): ")
    assert now.get_title(loc="left").startswith("Now (2026-11-23T17:00:00Z): ")
    assert plot_two(before, before).get_label()
