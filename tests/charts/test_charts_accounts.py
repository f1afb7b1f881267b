"""The chart of accounts: what it claims, whom it shows and sums, and that it can be read. Frames are literal."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

import keyaudit
from keyaudit import InputError
from keyaudit.charts import plot_accounts
from keyaudit.charts.facts.accounts import accounts_of
from keyaudit.charts.facts.accounts_said import words
from keyaudit.policy import load_policy, parse_policy
from keyaudit.schema import COMPLIANT, INSUFFICIENT_DATA, NON_COMPLIANT, UNREAD

NOW = datetime(2026, 11, 23, 17, tzinfo=UTC)
CIS = load_policy("cis")
NO_PERIOD = parse_policy(b'title = "t"', "none.toml")


def account(
    label, active=12, failing=0, oldest=80, conclusion=None, exempt=0, unknown=0, due_soon=0, rotation=None
):
    """One row of ``Audit.accounts``; ``oldest`` None: no active key of known age; ``conclusion`` and ``rotation`` where
    the keys do not tell them."""
    judged = NON_COMPLIANT if failing else INSUFFICIENT_DATA if unknown else COMPLIANT
    return {
        "account_id": label if isinstance(label, str) else f"{label:012d}",
        "account_name": None,
        "conclusion": conclusion or judged,
        "rotation": rotation or judged,
        "read": True,
        "users": active,
        "keys": active,
        "active": active,
        "failing": failing,
        "exempt": exempt,
        "unknown": unknown,
        "due_soon": due_soon,
        "oldest_days": oldest,
    }


def unread(label):
    nothing = {"conclusion": INSUFFICIENT_DATA, "rotation": INSUFFICIENT_DATA}
    return account(label, active=0, oldest=None, **nothing) | {"read": False}


def frame(*rows):
    return pd.DataFrame(list(rows)).astype({"oldest_days": "Int64", "account_id": "str", "account_name": "str"})


def plot(*rows, policy=CIS, ax=None):
    return plot_accounts(frame(*rows), policy, NOW, ax)


def rows_of(*rows, policy=CIS):
    return accounts_of(frame(*rows), policy, NOW).rows


def said(*rows, policy=CIS):
    """Label -> words of each row."""
    found = accounts_of(frame(*rows), policy, NOW)
    return {row.label: words(found, row) for row in found.rows}


def title(ax) -> str:
    return ax.get_title(loc="left").replace("\n", " ")


def texts(ax) -> list[str]:
    return [text.get_text().replace("\n", " ") for text in ax.texts if text.get_text()]


def subtitle(ax) -> str:
    return texts(ax)[-1]


def part(ax, gid) -> list:
    return [bar for bar in ax.patches if bar.get_gid() == gid]


def png(ax) -> bytes:
    content = io.BytesIO()
    # savefig would draw twice, for the same picture
    FigureCanvasAgg(ax.figure.figure).print_png(content, metadata={"Software": None})
    return content.getvalue()


def drawn(ax) -> list:
    """The texts of a chart that was laid out, with their places in pixels; those on other strips too."""
    ax.figure.figure.draw_without_rendering()
    labels = [ax.xaxis.label, *ax.get_xticklabels()] if ax.axison else []
    shown = [*ax.texts, ax._left_title, *labels]
    for legend in {ax.get_legend(), *(one for one in ax.artists if hasattr(one, "get_texts"))} - {None}:
        shown += legend.get_texts()
    return [(one, one.get_window_extent()) for one in shown if one.get_text()]


def kept_apart(box, other) -> bool:
    return box.x1 <= other.x0 or other.x1 <= box.x0 or box.y1 <= other.y0 or other.y1 <= box.y0


FIVE = (
    account(1, failing=3, oldest=204),
    account(2, active=2, failing=1, oldest=90),
    unread(3),
    account(4, oldest=88),
    account(5, active=5, unknown=1, oldest=40),
)
ODD = (
    account("unknown-1", active=5, failing=2, oldest=40),
    account(2, exempt=2, oldest=200),
    account(3, conclusion=NON_COMPLIANT, oldest=20, due_soon=4),
    account(4, conclusion=INSUFFICIENT_DATA, oldest=30),
    account(5, active=3, unknown=3, oldest=None),
    account(6, active=1234, failing=10, exempt=20, unknown=11, oldest=500),
    account(7, conclusion=NON_COMPLIANT, exempt=1, oldest=80),
    account("organization", active=0, oldest=None),
)
THIRTY = (*(account(n, failing=n % 3, oldest=85 + n) for n in range(28)), unread(28), unread(29))
THOUSAND = (
    *(unread(n) for n in range(42)),
    *(account(n, failing=1 + n % 5, oldest=91 + n) for n in range(42, 102)),
    *(account(n, oldest=n % 89, unknown=int(n % 50 == 0)) for n in range(102, 1000)),
)
TWELVE_YEARS = (account(1, failing=1, oldest=4383), *(account(n, oldest=70 + n) for n in range(2, 9)))
CASES = {
    "one": FIVE[:1],
    "five": FIVE,
    "odd": ODD,
    "thirty": THIRTY,
    "thousand": THOUSAND,
    "twelve-years": TWELVE_YEARS,
    "none-read": tuple(unread(n) for n in range(37)),
    "none-active": tuple(account(n, active=0, oldest=None) for n in range(4)),
}
ALL_CASES = pytest.mark.parametrize("rows", CASES.values(), ids=CASES)


#: of the one, a control beside rotation is not decided; of the other, rotation is not, and does not count
OPEN = account(21, conclusion=INSUFFICIENT_DATA)
UNCOUNTED = account(22, unknown=1, conclusion=COMPLIANT)


# --- claims ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "claim"),
    [
        (FIVE, "2 of 5 accounts have overdue keys, 1 was not read"),
        (FIVE[2:], "None of 3 accounts is known to have overdue keys, 1 was not read, for 1 the evidence on rotation is insufficient"),
        ([FIVE[0], FIVE[3]], "1 of 2 accounts has overdue keys"),
        (FIVE[:2], "All 2 accounts have overdue keys"),
        ([FIVE[0], account(8, conclusion=NON_COMPLIANT)], "1 of 2 accounts has overdue keys, 1 more fails another control"),
        ([FIVE[3], account(8, conclusion=NON_COMPLIANT)], "None of 2 accounts has overdue keys, 1 fails another control"),
        ([FIVE[3], account(9)], "None of 2 accounts has overdue keys"),
        ([FIVE[3], account(9, exempt=1, oldest=100)], "None of 2 accounts has overdue keys"),
        (FIVE[:1], "The only account has 3 overdue keys"),
        (FIVE[3:4], "The only account has no overdue keys"),
        ([account(8, conclusion=NON_COMPLIANT)], "The only account has no overdue keys, but another control fails"),
        (FIVE[4:], "The only account is not known to have overdue keys: the evidence on rotation is insufficient"),
        ([OPEN], "The only account has no overdue keys, but another control is undecided"),
        ([OPEN, FIVE[3]], "None of 2 accounts has overdue keys, for 1 another control is undecided"),
        ([OPEN, FIVE[4]], "None of 2 accounts is known to have overdue keys, for 1 the evidence on rotation is insufficient, for 1 another control is undecided"),
        ([UNCOUNTED, FIVE[3]], "None of 2 accounts is known to have overdue keys, for 1 the evidence on rotation is insufficient"),
        ([UNCOUNTED], "The only account is not known to have overdue keys: the evidence on rotation is insufficient"),
        ([account(1, active=0, oldest=None, conclusion=INSUFFICIENT_DATA)], "The only account has no active key, but another control is undecided"),
        (FIVE[2:3], "The only account was not read"),
        ([unread(1), unread(2)], "None of 2 accounts was read"),
        ([account(1, active=0, oldest=None)] * 2, "None of 2 accounts has an active key"),
        ([account(1, active=0, oldest=None), unread(2)], "None of 2 accounts is known to have overdue keys, 1 was not read"),
    ],
)  # fmt: skip
def test_the_title_claims_how_many_accounts_have_overdue_keys_and_who_is_missing(rows, claim):
    assert title(plot(*rows)) == claim


def test_the_subtitle_gives_population_and_date_and_all_keys_together():
    assert subtitle(plot(*FIVE)) == (
        "5 accounts, 4 of them read, with 31 active keys, as of 2026-11-23T17:00:00Z (UTC) "
        "4 of 31 active keys overdue, 1 of unknown age; oldest: 204 days"
    )
    assert subtitle(plot(*FIVE[:2])).startswith("14 active keys of 2 accounts, as of 2026-11-23T17:00:00Z (UTC)")
    assert subtitle(plot(*THIRTY)).endswith("15 accounts have their own row, the others are summed")


def test_accounts_not_read_are_never_said_to_have_no_keys():
    ax = plot(unread(1), unread(2))
    assert subtitle(ax) == "2 accounts, not read, as of 2026-11-23T17:00:00Z (UTC)"
    assert "active key" not in ax.get_label().partition("each. ")[2]


def test_without_as_of_the_instant_is_not_known():
    assert "as of an instant that is not known" in subtitle(plot_accounts(frame(*FIVE), CIS))


def test_alt_text_says_every_row():
    assert plot(*FIVE).get_label() == (
        "Bar chart of accounts by verdict, and of the active keys of each: overdue, of unknown age, in time. "
        "2 of 5 accounts have overdue keys, 1 was not read. "
        "5 accounts, 4 of them read, with 31 active keys, as of 2026-11-23T17:00:00Z (UTC). "
        "4 of 31 active keys overdue, 1 of unknown age; oldest: 204 days. "
        "Accounts: 2 not compliant, 1 not read, 1 read, but insufficient data, 1 compliant. "
        "Worst first: 000000000001 3 of 12 active keys overdue; oldest 204 days; "
        "000000000002 1 of 2 active keys overdue; oldest 90 days; 000000000003 not read; "
        "000000000005 0 of 5 active keys overdue, 1 of unknown age; oldest 40 days; "
        "000000000004 0 of 12 active keys overdue; oldest 88 days."
    )


def test_each_row_says_its_overdue_keys_and_why_its_verdict_is_what_it_is():
    assert said(*ODD) == {
        "000000000006": "10 of 1,234 active keys overdue, 20 over the limit (exempt), 11 of unknown age; oldest 500 days",
        "unknown-1": "2 of 5 active keys overdue, by limits of their own; oldest 40 days",
        "000000000007": "0 of 12 active keys overdue, 1 over the limit (exempt); oldest 80 days; another control fails",
        "000000000003": "0 of 12 active keys overdue, 4 due soon; oldest 20 days; another control fails",
        "000000000004": "0 of 12 active keys overdue; oldest 30 days; another control is undecided",
        "000000000005": "0 of 3 active keys overdue, 3 of unknown age",
        "000000000002": "0 of 12 active keys overdue, 2 over the limit (exempt); oldest 200 days",
        "organization": "no active keys",
    }


def test_a_row_says_what_is_not_decided_rotation_or_another_control():
    assert said(OPEN, UNCOUNTED, account(23, rotation=INSUFFICIENT_DATA, conclusion=NON_COMPLIANT)) == {
        "000000000021": "0 of 12 active keys overdue; oldest 80 days; another control is undecided",
        "000000000022": "0 of 12 active keys overdue, 1 of unknown age; oldest 80 days",
        "000000000023": "0 of 12 active keys overdue; oldest 80 days; insufficient data; another control fails",
    }


@ALL_CASES
@pytest.mark.parametrize("policy", [CIS, NO_PERIOD], ids=["cis", "no-period"])
def test_the_alternative_text_names_the_kinds_of_keys_that_are_drawn_and_no_others(rows, policy):
    ax = plot(*rows, policy=policy)
    words = {
        "over": "overdue",
        "exempt": "over their limits (exempt)",
        "unknown": "of unknown age",
        "within": "in time",
        "due_soon": "due soon",
    }
    legend = " ".join(texts_of_keys(ax))
    marks = {
        "over": "overdue",
        "exempt": "(exempt)",
        "unknown": "unknown age",
        "within": "in time",
        "due_soon": "soon",
    }
    drawn = [words[name] for name, mark in marks.items() if mark in legend]
    kinds = f": {', '.join(drawn)}" if drawn else ""
    assert ax.get_label().startswith(f"Bar chart of accounts by verdict, and of the active keys of each{kinds}. ")
    assert bool(drawn) == (policy is CIS and any(row["active"] for row in rows))


# --- whom it shows --------------------------------------------------------------------------------------------


def test_worst_first_by_overdue_keys_then_other_failures_then_unread_then_unknown_then_by_age():
    rows = (
        account(1),
        account(2, unknown=1),
        account(3, failing=1, oldest=100),
        account(4, failing=1, oldest=300),
        account(5, failing=2, oldest=95),
        account(6, conclusion=NON_COMPLIANT),
        account(7, oldest=None, active=0),
        account(8),
        unread(9),
        account(10, oldest=81),
    )
    order = [5, 4, 3, 6, 9, 2, 10, 1, 8, 7]
    assert [int(row.label) for row in rows_of(*rows)] == order
    assert [int(row.label) for row in rows_of(*reversed(rows))] == order


def test_the_account_with_most_overdue_keys_is_never_cut_off_by_those_with_none():
    rows = [*(account(n, conclusion=NON_COMPLIANT, oldest=400) for n in range(40)), account(99, failing=15)]
    assert rows_of(*rows)[0].label == "000000000099"


NAMES = ("prod-billing", "a" * 60, "東京", "x", "$x$ & \u202eco")


def test_accounts_are_called_by_name_and_id_and_a_long_name_is_cut_where_it_is_drawn_alone():
    rows = [account(n) | {"account_name": name} for n, name in enumerate(NAMES)]
    ax = plot(*rows, account(9))
    assert [row.label for row in rows_of(*rows)][3] == "x (000000000003)"
    drawn = [text for text in texts(ax) if "00000000000" in text]
    assert [text.split()[0] for text in drawn] == [
        "prod-billing",
        drawn[1].split()[0],
        "000000000002",
        "x",
        "$x$",
        "000000000009",
    ]
    assert re.fullmatch(r"a{5,20}… \(000000000001\)", drawn[1])
    assert "\\u202e" in drawn[4]
    assert not any(text.get_parse_math() for text in ax.texts)
    assert f"{'a' * 60} (000000000001)" in ax.get_label()


def test_15_accounts_are_shown_without_a_sum_and_the_16th_is_summed():
    assert not any(row.summed for row in rows_of(*(account(n) for n in range(15))))
    last = rows_of(*(account(n) for n in range(16)))[-1]
    assert (last.label, last.active, last.summed) == ("1 other account", 12, True)


def test_of_a_thousand_accounts_10_failing_and_5_unread_have_rows_and_the_sums_are_complete():
    rows = rows_of(*THOUSAND)
    assert [row.summed for row in rows] == [False] * 15 + [True, True]
    assert [row.read for row in rows] == [True] * 10 + [False] * 6 + [True]
    assert (rows[15].label, rows[16].label) == ("37 more accounts", "948 other accounts")
    assert sum(row.active for row in rows) == 958 * 12
    assert sum(row.failing for row in rows) == sum(row["failing"] for row in THOUSAND)
    assert {row.failing for row in rows[:10]} == {5}
    assert rows[16].oldest == max(row["oldest_days"] for row in THOUSAND if 0 < row["failing"] < 5)


def test_accounts_by_verdict_add_up_and_are_labelled():
    ax = plot(*THOUSAND)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "60 not compliant",
        "42 not read",
        "17 read, but insufficient data",
        "881 compliant",
    ]
    assert "1,000 accounts" in texts(ax)
    widths = [part(ax, gid)[0].get_width() for gid in (NON_COMPLIANT, INSUFFICIENT_DATA, COMPLIANT)]
    assert widths[0] / widths[2] == pytest.approx(60 / 881)


def test_one_account_among_thousands_is_still_seen():
    ax = plot(FIVE[0], *(account(n) for n in range(10, 3000)))
    png(ax)
    (bar,) = part(ax, NON_COMPLIANT)
    assert bar.get_window_extent().width > 3


# --- what is drawn --------------------------------------------------------------------------------------------


def lengths(ax, gid) -> list[float]:
    return [bar.get_width() for bar in part(ax, gid)]


def test_a_bar_has_the_overdue_keys_first_then_those_in_time_of_them_due_soon():
    ax = plot(account(1, failing=3, due_soon=2), account(2, active=6))
    assert (lengths(ax, "over"), lengths(ax, "due_soon"), lengths(ax, "within")) == ([3], [2], [7, 6])
    assert [part(ax, gid)[0].get_x() for gid in ("over", "due_soon", "within")] == [0, 3, 5]
    assert {"3 overdue", "15 in time", "2 of these due soon"} <= set(texts_of_keys(ax))


def texts_of_keys(ax) -> list[str]:
    legends = [*(one for one in ax.artists if hasattr(one, "get_texts")), ax.get_legend()]
    return [text.get_text() for legend in legends for text in legend.get_texts()]


def test_what_is_over_but_exempt_or_of_unknown_age_has_a_mark_of_its_own():
    ax = plot(account(1, exempt=2, oldest=200), account(2, failing=3, unknown=4, oldest=200))
    assert (lengths(ax, "over"), lengths(ax, "exempt"), lengths(ax, "unknown")) == ([3], [2], [4])
    assert len({part(ax, gid)[0].get_hatch() for gid in ("exempt", "over", "unknown", "within")}) == 4


def test_one_overdue_key_among_thousands_is_seen():
    ax = plot(account(1, active=5000, failing=1))
    png(ax)
    (over,) = part(ax, "over")
    assert over.get_window_extent().width > 3


def test_accounts_that_are_summed_have_words_and_no_bar_that_would_dwarf_the_others():
    ax = plot(*(account(n) for n in range(300)))
    assert len(part(ax, "within")) == 15
    assert any("285 other accounts" in text for text in texts(ax))


def test_an_account_that_was_not_read_has_a_hatched_band_and_no_number():
    ax = plot(unread(1), account(2, oldest=60))
    bands = part(ax, UNREAD)
    assert len(bands) == 2 and all(band.get_hatch() for band in bands)  # its row, and among the verdicts
    assert "not read" in texts(ax)


def test_without_a_period_nothing_is_over_and_the_title_says_so():
    rows = [account(1, failing=2, oldest=300), account(2, unknown=1), unread(3)]
    ax = plot(*rows, policy=NO_PERIOD)
    assert title(ax) == (
        "No rotation period is defined; the oldest active key of 3 accounts is 300 days old, 1 was not read"
    )
    assert not part(ax, "over") and not part(ax, "within")
    assert len(part(ax, "unjudged")) == 2
    assert said(*rows, policy=NO_PERIOD)["000000000001"] == "12 active keys; oldest 300 days"


def test_without_an_active_key_there_is_no_axis_of_keys():
    ax = plot(*CASES["none-active"])
    assert not ax.lines and not ax.get_xlabel() and not ax.get_xticks().size


def test_an_empty_frame_is_an_axes_that_says_so():
    for accounts in (pd.DataFrame(), frame(*FIVE).iloc[:0]):
        ax = plot_accounts(accounts, CIS, NOW)
        assert title(ax) == "No access keys were read"
        assert any(text.startswith("Nothing to draw") for text in texts(ax))


@ALL_CASES
@pytest.mark.sampled(5)
@pytest.mark.parametrize("policy", [CIS, NO_PERIOD], ids=["cis", "no-period"])
def test_no_text_is_cut_or_small_and_no_two_overlap(rows, policy):
    ax = plot(*rows, policy=policy)
    boxes = drawn(ax)
    for text, box in boxes:
        assert text.get_fontsize() >= 9
        assert box.x0 >= 0 and box.y0 >= 0, text
        assert box.x1 <= ax.figure.bbox.width and box.y1 <= ax.figure.bbox.height, text
    for (text, box), (other, second) in combinations(boxes, 2):
        assert kept_apart(box, second), (text, other)


def test_a_figure_is_as_high_as_its_rows_and_never_more_than_a_page():
    sizes = {name: plot(*rows).figure.get_size_inches() for name, rows in CASES.items()}
    heights = [sizes[name][1] for name in ("one", "five", "thousand")]
    assert heights == sorted(heights) and heights[0] < 2.8 and heights[-1] < 7
    assert {width for width, _ in sizes.values()} == {8}


@ALL_CASES
@pytest.mark.sampled(4)
def test_a_given_axes_is_used_and_shows_fewer_accounts_where_it_is_low(rows):
    left, right = Figure(figsize=(14, 5)).subplots(1, 2)
    assert plot(*rows, ax=right) is right
    assert not left.get_title(loc="left")
    boxes = drawn(right)
    assert all(box.y0 >= 0 and box.x1 <= right.figure.bbox.width for _, box in boxes)
    for (text, box), (other, second) in combinations(boxes, 2):
        assert kept_apart(box, second), (text, other)


def test_what_is_over_is_hatched_and_dark_in_greyscale():
    ax = plot(*(account(n, failing=1, oldest=200) for n in range(3)))
    grey = np.asarray(Image.open(io.BytesIO(png(ax))).convert("L"), dtype=float)
    shades = {}
    for gid in ("over", "within"):
        box = part(ax, gid)[0].get_window_extent()
        rows = slice(int(grey.shape[0] - box.y1) + 3, int(grey.shape[0] - box.y0) - 3)
        shades[gid] = grey[rows, int(box.x0) + 4 : int(box.x1) - 4]
    assert shades["over"].std() > 30  # stripes
    assert shades["within"].std() < 5  # plain
    assert np.median(shades["over"]) + 60 < np.median(shades["within"])


def test_verdicts_are_told_apart_without_colour():
    ax = plot(*FIVE)
    verdicts = (NON_COMPLIANT, INSUFFICIENT_DATA, UNREAD, COMPLIANT)
    assert len({part(ax, verdict)[0].get_hatch() for verdict in verdicts}) == 4


# --- the frame ------------------------------------------------------------------------------------------------


def test_accounts_are_not_changed_and_the_same_give_the_same_picture():
    accounts = frame(*THIRTY)
    before = accounts.copy(deep=True)
    first, second = (png(plot_accounts(accounts, CIS, NOW)) for _ in range(2))
    assert first == second
    pd.testing.assert_frame_equal(accounts, before)


def test_the_order_of_accounts_and_their_index_change_nothing():
    accounts = frame(*ODD)
    shuffled = accounts.sample(frac=1, random_state=1).set_index(np.zeros(len(ODD), int))
    assert plot_accounts(shuffled, CIS, NOW).get_label() == plot_accounts(accounts, CIS, NOW).get_label()


def test_as_of_without_a_zone_is_refused():
    with pytest.raises(InputError, match="zone"):
        plot_accounts(frame(*FIVE), CIS, datetime(2026, 11, 23))  # noqa: DTZ001


def test_another_frame_is_refused_with_the_remedy():
    with pytest.raises(InputError, match="no column failing; give the accounts of an Audit"):
        plot_accounts(frame(*FIVE).drop(columns="failing"), CIS)


def test_the_chart_is_on_the_face():
    assert keyaudit.plot_accounts is plot_accounts
