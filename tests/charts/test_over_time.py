"""Charts over a period: their facts against naive counts and tables worked out by hand, what they claim, and that
they can be read."""

from __future__ import annotations

import io
import random
from collections import Counter
from dataclasses import replace
from datetime import datetime
from itertools import combinations

import numpy as np
import pytest
from conftest import ACCOUNT, OTHER
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from years import DAY, at, due_of, exempt, key, snapshot, terms, verdict

from keyaudit.charts import plot_breaches, plot_calendar, plot_over_time, plot_replacements
from keyaudit.charts.facts.gantt import late_of
from keyaudit.charts.facts.replaced import replaced_of
from keyaudit.charts.facts.standing import BREACH, EXEMPT, KINDS, POSSIBLE, SOON_DUE, WITHIN, standing_of
from keyaudit.charts.facts.strip import strip_of
from keyaudit.model.operated import Operated, SubjectOperated
from keyaudit.model.over_period import (
    BROKEN,
    FAILED,
    INCONCLUSIVE,
    MISSING,
    OPEN,
    PRESENT,
    STATES,
    DuePeriod,
    KeyOverPeriod,
    PeriodVerdict,
    Spans,
)

CHARTS = (plot_calendar, plot_over_time, plot_breaches, plot_replacements)
ALL_CHARTS = pytest.mark.parametrize("plot", CHARTS, ids=lambda plot: plot.__name__)
NOTHING = Operated((), (), ())


def operated(*verdicts: PeriodVerdict) -> Operated:
    return Operated(tuple(SubjectOperated(one, (), False, ()) for one in verdicts), (), ())


def made_up(
    users: int = 20,
    seed: int = 1,
    step: int = 7,
    account: str = ACCOUNT,
    names: tuple[str, ...] = (),
    due: list[DuePeriod] | None = None,
    subject: str = "",
    worst: int = 140,
) -> PeriodVerdict:
    """A year of users of whom every third is late now and then; user 0 is exempt for half of it."""
    drawn = random.Random(seed)
    keys = []
    for number in range(users):
        name = names[number % len(names)] + f"{number}" if names else f"user-{number}"
        created = at("01-01") - drawn.uniform(1, 85) * DAY
        while created < at("12-25"):
            age = drawn.uniform(95, worst) if number % 3 == 0 and drawn.random() < 0.6 else drawn.uniform(50, 85)
            keys.append((name, created, created + age * DAY))
            created += age * DAY
    policies = (terms(90, exempt("user-0", "2026-07-01")), terms(90))
    found, now = [], at("01-05")
    while now < at("12-15"):
        shown = [
            key(name, since, account=account, key_id=f"AKIA{abs(since.microsecond):06d}{place:06d}")
            for place, (name, since, until) in enumerate(keys)
            if since <= now < until
        ]
        found.append(snapshot(now, *shown, policy=policies[now > at("07-01")], accounts=(account,)))
        now += step * DAY
    told = verdict(found, due=due_of("01-01", "12-31"))
    # states as they are given, whatever evidence there is
    coverage = replace(told.coverage, periods=told.coverage.periods if due is None else tuple(due))
    return replace(told, subject=subject or f"key_rotation {account}", coverage=coverage)


def one_key(**changes: object) -> KeyOverPeriod:
    """A key of 1 January that was seen all the year, active, and never late."""
    facts: dict[str, object] = {
        "account": ACCOUNT,
        "users": ("alice",),
        "is_root": False,
        "key_id": None,
        "created": at("01-01"),
        "owner": None,
        "limit": 90,
        "due": at("04-01"),
        "first_seen": at("01-01"),
        "last_seen": at("12-31"),
        "ended": None,
        "active": (((at("01-01"), at("12-31")),), ((at("01-01"), at("12-31")),)),
    }
    return KeyOverPeriod(**(facts | changes))  # type: ignore[arg-type]


def with_keys(*keys: KeyOverPeriod, **changes: object) -> Operated:
    return operated(replace(verdict([snapshot("01-05")]), keys=keys, replacements=(), **changes))  # type: ignore[arg-type]


def observed(entered: float, left: float, is_end: bool, limit: int | None = 90) -> KeyOverPeriod:
    """A key that evidence followed from one age to another, in days, at which it ended or was last seen."""
    made = at("2025-01-01")
    seen, last = made + entered * DAY, made + left * DAY
    return one_key(
        created=made,
        limit=limit,
        first_seen=seen,
        last_seen=last - DAY if is_end else last,
        ended=last if is_end else None,
        active=(((seen, last),),) * 2,
    )


def title(ax: Axes) -> str:
    return ax.get_title(loc="left").replace("\n", " ")


def texts(ax: Axes) -> list[str]:
    return [one.get_text().replace("\n", " ") for one in ax.texts if one.get_text()]


def labels(ax: Axes) -> list[str]:
    return [one.get_text() for one in ax.get_yticklabels()]


def bars(ax: Axes, gid: str) -> list:
    return [one for one in ax.patches if one.get_gid() == gid]


def cells(ax: Axes, state: str) -> list[tuple[float, float]]:
    """Width and height of each cell of a state."""
    found = [one for one in ax.collections if one.get_gid() == state]
    boxes = [path.get_extents() for one in found for path in one.get_paths()]
    return [(box.width, box.height) for box in boxes]


def png(ax: Axes) -> bytes:
    content = io.BytesIO()
    # savefig would draw twice, for the same picture
    FigureCanvasAgg(ax.figure.figure).print_png(content, metadata={"Software": None})
    return content.getvalue()


# --- how the keys stood ---------------------------------------------------------------------------------------
def holds(spans: Spans, moment: datetime) -> bool:
    return any(start <= moment < end for start, end in spans)


def naive_kind(one: KeyOverPeriod, moment: datetime) -> str:
    for kind, spans in ((BREACH, one.proved), (POSSIBLE, one.possible), (EXEMPT, one.exempt)):
        if holds(spans, moment):
            return kind
    if not holds(one.active[1], moment):
        return ""
    is_soon = one.due is not None and one.due - 14 * DAY <= moment < one.due
    return SOON_DUE if is_soon else WITHIN


@pytest.mark.parametrize("seed", range(4))
def test_the_areas_are_the_numbers_of_keys_of_each_kind_as_a_loop_counts_them(seed: int) -> None:
    told = [made_up(15, seed), made_up(4, seed + 9, account=OTHER)]
    found = standing_of(operated(*told))
    assert found is not None and found.keys == sum(one.figures.keys for one in told)
    met: Counter[str] = Counter()
    for place in range(0, len(found.moments), 37):
        moment = datetime.fromtimestamp(found.moments[place], found.start.tzinfo)
        naive = Counter(naive_kind(one, moment) for each in told for one in each.keys)
        assert {kind: int(found.counts[kind][place]) for kind in KINDS} == {kind: naive[kind] for kind in KINDS}
        met += naive
    assert all(met[kind] for kind in KINDS)


def test_a_key_whose_limit_was_eased_counts_once_although_its_new_deadline_is_to_come() -> None:
    """Exempt or late by the old limit, and within the last days before its new one."""
    late = ((at("02-01"), at("03-01")),)
    found = standing_of(with_keys(one_key(due=at("03-10"), possible=late, proved=late)))
    assert found is not None
    assert found.most == 1 and set(np.sum([*found.counts.values()], axis=0)) == {0, 1}
    days = {kind: found.counts[kind].sum() / len(found.moments) * 365 for kind in KINDS}
    assert days[BREACH] == pytest.approx(28, abs=0.5) and days[SOON_DUE] == pytest.approx(9, abs=0.5)


def test_the_title_says_the_most_keys_that_were_late_at_once_and_when_first() -> None:
    late = ((at("04-01"), at("05-01")),)
    early = ((at("03-01"), at("04-15")),)
    both = with_keys(one_key(possible=late, proved=late), one_key(possible=early, proved=early))
    assert title(plot_over_time(both)) == "At most 2 keys were in breach at once, first on 2026-04-01"
    maybe = with_keys(one_key(possible=late))
    assert title(plot_over_time(maybe)).startswith("No breach is proved; at most 1 key may have been in breach")
    ax = plot_over_time(with_keys(one_key(), one_key()))
    assert title(ax) == "None of 2 keys was ever in breach"
    assert ax.get_label() == (
        "None of 2 keys was ever in breach. 2 keys that may have been active in the period, at most 2 at once. "
        "due within 14 days: at most 2, first on 2026-03-18. in time: at most 2, first on 2026-01-01. "
        "The evidence reaches from 2026-01-05T00:00:00Z to 2026-01-05T00:00:00Z."
    )


def test_time_that_no_evidence_reaches_is_shaded_and_told() -> None:
    ax = plot_over_time(operated(made_up(3)))
    assert len([one for one in ax.patches if one.get_gid() == "unseen"]) == 2
    marks = {text.get_text() for legend in legends(ax) for text in legend.get_texts()}
    assert "no evidence reaches there" in marks


# --- calendar -------------------------------------------------------------------------------------------------
def mixed(days: int = 7, seed: int = 5) -> list[DuePeriod]:
    drawn = random.Random(seed)
    due = due_of("01-01", "12-31", days)
    return [
        replace(one, state=drawn.choice([PRESENT] * 5 + [*STATES[:4]]) if one.end < at("11-01") else OPEN)
        for one in due
    ]


def test_the_calendar_has_a_cell_for_each_period_by_its_state_and_those_with_most_gaps_first() -> None:
    told = [replace(made_up(1, due=mixed(seed=seed)), subject=f"1234567890{seed:02d}") for seed in range(30)]
    found = strip_of(operated(*told))
    naive = Counter(one.state for each in told for one in each.coverage.periods)
    assert found.counts == naive and found.over == sum(naive.values()) - naive[OPEN]
    amiss = {each.subject: sum(one.state not in (PRESENT, OPEN) for one in each.coverage.periods) for each in told}
    order = sorted(amiss, key=lambda subject: (-amiss[subject], subject))
    assert [subject for subject, _ in found.rows] == order[:25] and found.left_out == 5
    ax = plot_calendar(operated(*told))
    assert labels(ax) == order[:25]
    shown = [one for each in found.rows for one in each[1]]
    counts = Counter(one.state for one in shown)
    assert {state: len(cells(ax, state)) for state in STATES} == {state: counts[state] for state in STATES}
    assert "5 more have no row" in " ".join(texts(ax))
    assert title(ax) == f"{naive[PRESENT]:,} of {found.over:,} periods that are over have conclusive evidence"


def test_cells_of_daily_evidence_are_runs_of_a_state_without_edges_and_differ_in_height() -> None:
    ax = plot_calendar(operated(made_up(1, due=mixed(days=1))))
    due = mixed(days=1)
    runs = Counter(one.state for place, one in enumerate(due) if not place or due[place - 1].state != one.state)
    assert {state: len(cells(ax, state)) for state in STATES} == {state: runs[state] for state in STATES}
    heights = {round(cells(ax, state)[0][1], 3) for state in STATES if state not in (OPEN, FAILED)}
    assert len(heights) == 4
    assert not any(one.get_hatch() or one.get_linewidth()[0] for one in ax.collections if one.get_gid() != OPEN)
    covered = sum(width for state in STATES for width, _ in cells(ax, state))
    assert covered == pytest.approx(365)


@pytest.mark.parametrize(
    ("states", "claim"),
    [
        ([PRESENT, PRESENT, OPEN], "All 2 periods that are over have conclusive evidence"),
        ([PRESENT], "The one period that is over has conclusive evidence"),
        ([MISSING], "The one period that is over has no conclusive evidence"),
        ([INCONCLUSIVE, PRESENT, BROKEN], "1 of 3 periods that are over have conclusive evidence"),
        ([OPEN], "No period in which evidence is due is over yet"),
    ],
)
def test_what_is_not_over_is_no_evidence(states: list[str], claim: str) -> None:
    due = [replace(one, state=state) for one, state in zip(due_of("01-01", "12-31"), states, strict=False)]
    ax = plot_calendar(operated(made_up(1, due=due)))
    assert title(ax) == claim and ax.get_label().startswith(claim)


def test_the_alternative_text_names_ten_gaps_and_counts_the_others() -> None:
    due = [replace(one, state=MISSING) for one in due_of("01-01", "12-31")]
    alt = plot_calendar(operated(made_up(1, due=due, subject="o-example"))).get_label()
    assert alt.count("o-example, ") == 10 and f"And {len(due) - 10} more" in alt


# --- the keys that were late ----------------------------------------------------------------------------------
def late_key(user: str, proved: int, possible: int, **changes: object) -> KeyOverPeriod:
    """A key that was late for so many days from 1 April on."""
    start = at("04-01")
    spans = {
        "proved": ((start, start + proved * DAY),) if proved else (),
        "possible": ((start, start + possible * DAY),) if possible else (),
    }
    return one_key(**({"users": (user,)} | spans | changes))


def test_rows_go_from_proved_to_possible_and_from_many_days_to_few() -> None:
    keys = [
        late_key("maybe-long", 0, 99),
        late_key("short", 3, 9),
        late_key("in-time", 0, 0),
        late_key("long", 20, 30),
        late_key("wider", 5, 31),
        late_key("maybe", 0, 2),
    ]
    found = late_of(with_keys(*keys))
    assert found is not None and found.total == 5
    naive = sorted(
        (one for one in keys if one.possible),
        key=lambda one: (not one.is_breach, -one.breach_days[1], -one.breach_days[0]),
    )
    assert [row.key for row in found.rows] == naive
    ax = plot_breaches(with_keys(*keys))
    assert labels(ax) == ["wider", "long", "short", "maybe-long", "maybe"]
    assert title(ax) == "5 keys were in breach, or may have been"
    assert len(bars(ax, "proved")) == 3 and len(bars(ax, "possible")) == 5
    assert "wider: 5.0 to 31.0 days. long: 20.0 to 30.0 days." in ax.get_label()


def test_at_most_30_keys_have_a_row_and_ten_are_told_one_by_one() -> None:
    keys = [late_key(f"user-{number}", 0, number) for number in range(1, 45)]
    ax = plot_breaches(with_keys(*keys))
    assert labels(ax) == [f"user-{number}" for number in range(44, 14, -1)]
    assert title(ax) == "The 30 keys that were late the longest, of 44 in breach or possibly so"
    assert ax.get_label().count(" days.") == 10 and "And 20 more" in ax.get_label()


def test_an_end_that_nothing_shows_is_an_arrow_and_a_rotation_a_tick() -> None:
    remedied = late_key("ended", 5, 9, remedied=(at("04-06"), at("04-10")))
    still = late_key("open", 5, 9)
    ax = plot_breaches(with_keys(remedied, still))
    (arrow,) = [one for one in ax.lines if one.get_gid() == "open"]
    assert labels(ax)[int(arrow.get_ydata()[0])] == "open"
    assert "Nothing shows that 1 of the breaches ended" in texts(ax)
    # the made-up year has rotations; each tick lies in the row of its key
    told = made_up(12)
    ax, found = plot_breaches(operated(told)), late_of(operated(told))
    assert found is not None
    ticks = [int(one.get_ydata()[0]) for one in ax.lines if one.get_gid() == "rotated"]
    formers = {id(one.former) for one in told.replacements}
    assert ticks == [place for place, row in enumerate(found.rows) if id(row.key) in formers] and ticks


def test_labels_name_the_account_where_there_are_several_and_no_key_id_in_full() -> None:
    keys = [
        late_key("a", 9, 9, key_id="AKIAIOSFODNN7EXAMPLE"),
        late_key("b", 8, 8, account=OTHER, key_id="AKIAIOSFODNN7EXAMPLF"),
    ]
    assert labels(plot_breaches(with_keys(*keys))) == [f"a, ****MPLE, {ACCOUNT}", f"b, ****MPLF, {OTHER}"]
    assert labels(plot_breaches(with_keys(keys[0]))) == ["a, ****MPLE"]


# --- at which age they were replaced --------------------------------------------------------------------------
#: (entered, left, ended): delayed entries, ties of ends, of an end with a loss, and of an end with an entry
BY_HAND = (
    (0, 20, True),
    (0, 30, True),
    (0, 30, True),
    (0, 30, False),
    (10, 50, True),
    (20, 50, False),
    (30, 60, True),
    (40, 80, False),
)


def test_the_estimate_is_that_of_a_table_worked_out_by_hand_with_delayed_entries_ties_and_losses() -> None:
    """At risk are those that entered before an age and had not left before it:
    20: 5 (of 0, 0, 0, 0, 10), 1 ends: 4/5
    30: 5 (three of 0; 10; 20; who enters at 30 does not yet count), 2 end: x 3/5 = 12/25
    50: 4 (10, 20, 30, 40), 1 ends, who is lost then counts: x 3/4 = 9/25
    60: 2 (30, 40), 1 ends: x 1/2 = 9/50
    """
    found = replaced_of(with_keys(*(observed(*row) for row in BY_HAND)))
    assert found is not None
    assert found.ages.tolist() == [20, 30, 50, 60]
    assert (1 - found.share).tolist() == pytest.approx([4 / 5, 12 / 25, 9 / 25, 9 / 50])
    assert (found.keys, found.ends, found.limit, found.known, found.reached) == (8, 5, 90, 80, 0)
    assert [found.share_at(age) for age in (19.9, 20, 49, 60, 79)] == pytest.approx([0, 0.2, 0.52, 0.82, 0.82])


@pytest.mark.parametrize("seed", range(5))
def test_the_estimate_is_that_of_a_loop_over_ages(seed: int) -> None:
    drawn = random.Random(seed)
    rows = [(0, 200, False)]
    for _ in range(60):
        entered = drawn.randrange(0, 40)
        rows.append((entered, entered + drawn.randrange(1, 90), drawn.random() < 0.7))
    found = replaced_of(with_keys(*(observed(*row) for row in rows)))
    assert found is not None and found.reached == 0
    left = 1.0
    for age, share in zip(found.ages, found.share, strict=True):
        at_risk = sum(entered < age <= gone for entered, gone, _ in rows)
        left *= 1 - sum(gone == age and is_end for _, gone, is_end in rows) / at_risk
        assert 1 - share == pytest.approx(left)


def test_without_delayed_entries_and_losses_it_is_the_share_that_ended() -> None:
    found = replaced_of(with_keys(*(observed(0, age, True) for age in (10, 20, 20, 40))))
    assert found is not None and found.share.tolist() == pytest.approx([0.25, 0.75, 1])


def test_the_title_says_the_share_by_the_limit_only_where_evidence_reaches_it() -> None:
    by_limit = with_keys(observed(0, 80, True), observed(0, 100, True), observed(0, 120, False))
    ax = plot_replacements(by_limit)
    assert title(ax) == "By their limit of 90 days, 33% of the keys had been replaced or switched off"
    assert "limit: 90 days" in texts(ax)
    assert ax.get_label().endswith("25% by 80 days. 50% by 100 days.")
    # nobody was followed to the limit: nothing is said of it, and the line ends where they were last seen
    ax = plot_replacements(with_keys(observed(0, 20, True), observed(0, 30, False)))
    assert title(ax) == "1 of 2 keys were replaced or switched off"
    (line,) = [one for one in ax.lines if one.get_gid() == "replaced"]
    assert line.get_xdata()[-1] == 30


def test_one_early_end_of_the_only_key_of_its_age_does_not_make_the_share_whole() -> None:
    """The others came later: of the ages in between the evidence tells nothing."""
    found = with_keys(
        observed(0, 10, True), observed(20, 80, True), observed(30, 100, True), observed(30, 110, False)
    )
    told = replaced_of(found)
    assert told is not None and told.reached == 10
    assert told.ages.tolist() == [80, 100] and told.share.tolist() == pytest.approx([1 / 3, 2 / 3])
    ax = plot_replacements(found)
    assert title(ax) == "By their limit of 90 days, 33% of the keys had been replaced or switched off"
    assert "Shares are of the keys that were older than 10 days" in " ".join(texts(ax))


def test_keys_that_were_followed_for_no_time_say_nothing() -> None:
    gone = one_key(ended=at("01-01"), first_seen=at("01-01"))
    assert replaced_of(with_keys(gone, one_key(created=None))) is None
    assert replaced_of(with_keys(gone, one_key())).keys == 1  # type: ignore[union-attr]
    ax = plot_replacements(with_keys(one_key(), one_key()))
    assert title(ax) == "None of 2 keys was seen to be replaced or switched off" and not ax.axison


def test_the_limit_is_that_of_most_keys() -> None:
    some = [observed(0, 100, True, limit) for limit in (60, 90, 90, None)]
    found = replaced_of(with_keys(*some))
    assert found is not None and found.limit == 90
    assert replaced_of(with_keys(observed(0, 9, True, None))).limit is None  # type: ignore[union-attr]


# --- nothing to draw ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("plot", "words"),
    [
        (plot_calendar, "No evidence was due"),
        (plot_over_time, "No active key was seen in the period"),
        (plot_breaches, "No key was in breach, and none may have been"),
        (plot_replacements, "No key with a date was seen active"),
    ],
)
@pytest.mark.parametrize("found", [NOTHING, operated(verdict([], due=[]))], ids=["no-subject", "no-evidence"])
def test_a_chart_of_nothing_says_so(plot, words: str, found: Operated) -> None:
    ax = plot(found)
    assert title(ax) == ax.get_label() == words and not ax.axison
    assert Image.open(io.BytesIO(png(ax))).height < 200


def test_without_a_breach_the_chart_of_breaches_says_so() -> None:
    assert title(plot_breaches(with_keys(one_key()))) == "No key was in breach, and none may have been"


# --- pictures -------------------------------------------------------------------------------------------------
HOSTILE = ("$a$^b_{", "<b>x</b>", "\u202egnp.exe", "w" * 200, "%s{0}\\frac")
CASES = {
    "one": lambda: operated(made_up(12, due=mixed())),
    "thirty": lambda: operated(
        *(made_up(2, seed, due=mixed(seed=seed), subject=f"{123456789000 + seed}") for seed in range(30))
    ),
    "daily": lambda: operated(made_up(6, step=1, due=mixed(days=1))),
    "hostile": lambda: operated(
        made_up(10, names=HOSTILE, due=mixed(), subject="<b>$x$\u202e" + "w" * 200),
        made_up(9, 3, names=HOSTILE, due=mixed(), account=OTHER, subject="$\\alpha$"),
    ),
    "a-week": lambda: operated(
        verdict([snapshot("06-01", key("a", "01-01")), snapshot("06-05")], "06-01", "06-07")
    ),
    "five-years": lambda: operated(
        verdict([snapshot("2022-01-01", key("a", "2021-01-01")), snapshot("06-05")], "2022-01-01", "12-31")
    ),
}
ALL_CASES = pytest.mark.parametrize("name", CASES)


@pytest.fixture(scope="module")
def cases() -> dict[str, Operated]:
    return {name: make() for name, make in CASES.items()}


def legends(ax: Axes) -> list:
    found = [ax.get_legend(), *(one for one in ax.artists if hasattr(one, "get_texts"))]
    return [one for one in found if one is not None]


def drawn(ax: Axes) -> list:
    """The texts of a chart that was laid out, each with its place in pixels."""
    ax.figure.figure.draw_without_rendering()
    left, right = ax.get_xlim()
    days = [one for one in ax.get_xticklabels() if left <= one.get_position()[0] <= right]
    ticks = [*days, *ax.get_yticklabels(), ax.xaxis.label, ax.yaxis.label]
    shown = [*ax.texts, ax._left_title, *(ticks if ax.axison else [])]
    shown += [text for legend in legends(ax) for text in legend.get_texts()]
    return [(one.get_text(), one.get_window_extent()) for one in shown if one.get_text()]


def kept_apart(box, other) -> bool:
    return box.x1 <= other.x0 or other.x1 <= box.x0 or box.y1 <= other.y0 or other.y1 <= box.y0


def assert_readable(ax: Axes) -> None:
    found, figure = drawn(ax), ax.figure.figure
    for text, box in found:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.width and box.y1 <= figure.bbox.height, text
    for (one, box), (two, other) in combinations(found, 2):
        assert kept_apart(box, other), (one, two)


@ALL_CASES
@ALL_CHARTS
@pytest.mark.sampled(11)
def test_no_text_touches_another_or_leaves_the_picture_and_it_has_an_alternative_text(
    cases: dict[str, Operated], name: str, plot
) -> None:
    ax = plot(cases[name])
    assert_readable(ax)
    alt = ax.get_label()
    assert alt.startswith(title(ax)) and len(alt) < 6_000 and alt.isprintable()


@pytest.mark.parametrize("name", ["one", "daily"])
@ALL_CHARTS
def test_it_is_readable_in_axes_of_the_callers_too(cases: dict[str, Operated], name: str, plot) -> None:
    left, right = Figure(figsize=(14, 5)).subplots(1, 2)
    right.set_axis_off()
    assert plot(cases[name], left) is left
    assert_readable(left)


@pytest.mark.parametrize("high", [2.4, 4])
def test_in_low_axes_of_the_callers_there_are_fewer_rows_and_it_is_said(cases: dict[str, Operated], high) -> None:
    for plot in (plot_breaches, plot_calendar):
        ax = Figure(figsize=(10, high)).subplots()
        rows = len(plot(cases["thirty"], ax).get_yticks())
        assert 1 <= rows < len(plot(cases["thirty"]).get_yticks())
        assert_readable(ax)
    assert title(plot_breaches(cases["thirty"], Figure(figsize=(10, high)).subplots())).startswith("The ")


@ALL_CHARTS
@pytest.mark.sampled(0)  # by day a whole notebook is run again, whose pictures must be the same: for a nightly run
@ALL_CASES
def test_it_is_the_same_picture_each_time(cases: dict[str, Operated], name: str, plot) -> None:
    one, two = plot(cases[name]), plot(cases[name])
    assert png(one) == png(two)


def test_names_are_shown_as_they_are_and_controls_by_their_codes(cases: dict[str, Operated]) -> None:
    ax = plot_calendar(cases["hostile"])
    assert {one[:14] for one in labels(ax)} == {r"<b>$x$\u202eww", "$\\alpha$"}
    shown = " ".join(labels(plot_breaches(cases["hostile"])))
    assert "\u202e" not in shown and "…" in shown and "$a$^b_{" in shown
    assert not any(one.get_parse_math() for one in [*ax.get_yticklabels(), *ax.texts])


def test_days_on_the_axis_are_the_first_of_months_or_even_steps() -> None:
    def written(first: str, last: str) -> list[str]:
        shown = [snapshot(day, key("a", "2009-01-01")) for day in (first, last)]
        ax = plot_over_time(operated(verdict(shown, first, last)))
        ax.figure.figure.draw_without_rendering()
        return [one.get_text() for one in ax.get_xticklabels()]

    assert written("01-01", "12-31") == [
        f"2026-{month:02d}-01" for month in (1, 3, 5, 7, 9, 11)
    ] + ["2027-01-01"]  # fmt: skip
    assert written("04-10", "08-31") == [f"2026-{month:02d}-01" for month in (5, 6, 7, 8, 9)]
    assert written("06-01", "06-03") == [f"2026-06-{day:02d}" for day in (1, 2, 3, 4)]
    years = written("2010-01-01", "12-31")
    assert len(years) <= 7 and all(one.endswith("-01-01") for one in years)


def test_time_passes_from_left_to_right_within_the_period_alone(cases: dict[str, Operated]) -> None:
    for plot in (plot_over_time, plot_breaches):
        left, right = plot(cases["one"]).get_xlim()
        assert right - left == pytest.approx(365)
