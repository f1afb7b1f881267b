"""One word, one number: overdue, in time, exempt, unused, due soon are the same everywhere on a page, on the terminal,
in the index and in a notice. And tables: rows as long as their headings, worst first, and where the others are."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from conftest import ACCOUNT, AS_OF, FRESH, NO_KEY, OLD, OTHER, capture, csv_of, examples, report, row, write
from generated import accounts, policies, toml
from hypothesis import given
from hypothesis import strategies as st

import keyaudit
from keyaudit import charts, present
from keyaudit.charts.facts.accounts import accounts_of
from keyaudit.explore import show
from keyaudit.explore.selection import Selection
from keyaudit.explore.view import Explorer
from keyaudit.policy import load_policy
from keyaudit.present import as_text, overdue_known
from keyaudit.present.claims import Claim, headline_of
from keyaudit.present.table import MOST_ACCOUNTS, Table, table
from keyaudit.texts import ENGLISH, template

NUMBER = r"(\d[\d,]*|None|none|All|all|[Tt]he only)"
OF_KEYS = rf"{NUMBER}(?: of (\d[\d,]*)| (\d[\d,]*))? active (?:access )?keys?"


def two_accounts(folder: Path, first: list[dict[str, str]], second: list[dict[str, str]], terms: dict, keep=None):
    """Two accounts, judged by a policy, each example in a folder of its own."""
    folder = Path(tempfile.mkdtemp(dir=folder))
    second = [one | {"arn": one["arn"].replace(ACCOUNT, OTHER)} for one in second]
    reports = {f"a{label}": csv_of(rows) for label, rows in ((ACCOUNT, first), (OTHER, second)) if rows}
    source = capture(folder / "capture", [name[1:] for name in reports], **reports)
    return keyaudit.audit(source, write(folder, "policy.toml", toml(terms)), AS_OF, keep=keep)


def charts_of(a: keyaudit.Audit) -> list[str]:
    """Alternative texts, which begin with the titles and hold the subtitles; and the texts that were drawn."""
    axes = [
        getattr(charts, f"plot_{name}")(a.keys, a.policy, a.as_of)
        for name in ("ages", "share", "deadlines", "idle")
    ]
    axes.append(charts.plot_accounts(a.accounts, a.policy, a.as_of))
    return drawn_by(axes)


def drawn_by(axes: list) -> list[str]:
    drawn = [text.get_text().replace("\n", " ") for ax in axes for text in ax.texts]
    legends = [one for ax in axes for one in [ax.get_legend(), *ax.artists] if hasattr(one, "get_texts")]
    return [
        *(ax.get_label() for ax in axes),
        *drawn,
        *(text.get_text() for one in legends for text in one.get_texts()),
    ]


class Truth:
    """The numbers, counted from findings alone."""

    def __init__(self, a: keyaudit.Audit) -> None:
        keys = a.findings[a.findings["status"] == "Active"]
        rotation, unused = (keys[keys["control"] == control] for control in ("rotation", "unused"))
        of = Counter(rotation["compliance_type"])
        idle = Counter(unused["compliance_type"])
        near = rotation["due"] <= a.as_of + pd.Timedelta(days=a.policy.warn_before)
        self.active, self.overdue, self.in_time = of.total(), of["NON_COMPLIANT"], of["COMPLIANT"]
        self.exempt, self.unknown = of["EXEMPT"], of["INSUFFICIENT_DATA"]
        self.due_soon = int((near & (rotation["compliance_type"] == "COMPLIANT")).sum())
        self.unused, self.unused_exempt = idle["NON_COMPLIANT"], idle["EXEMPT"]


def number(word: str, active: int) -> int:
    if word.lower() == "none":
        return 0
    return active if word.lower() in ("all", "the only") else int(word.replace(",", ""))


#: what is said of active keys -> which of the numbers it must be
SAYINGS = (
    (rf"{OF_KEYS} (?:is|are) overdue", "overdue"),
    (rf"{OF_KEYS}[^.:;]* (?:was|were) not rotated within", "overdue"),
    (rf"{OF_KEYS} \([\d.]+%\) (?:is|are) in time", "in_time"),
    (rf"{OF_KEYS} (?:is|are) in time", "in_time"),
    (rf"{OF_KEYS} (?:is|are) unused \([^)]*\)(?!, and exempt)", "unused"),
    (r"\b(\d[\d,]*) (?:more )?(?:is |are )?over (?:its|their) limits? \(exempt\)", "exempt"),
    (r"\b(\d[\d,]*) (?:more )?(?:is|are) unused \(exempt\)", "unused_exempt"),
    (r"\b(\d[\d,]*) falls? due within", "due_soon"),
    (r"due soon: (\d[\d,]*) within", "due_soon"),
    (r"\b(\d[\d,]*) of these due soon", "due_soon"),
    (r"^(\d[\d,]*) overdue$", "overdue"),
    (r"^(\d[\d,]*) in time$", "in_time"),
    (r"\bIn the bars: (\d[\d,]*) in time", "in_time"),
    (r"\bOverdue: (\d[\d,]*)\.", "overdue"),
    (r"The only account has (\d[\d,]*) overdue keys?", "overdue"),
    (r"\bnone of (\d[\d,]*) active access keys[^.:;]* was rotated within", "overdue"),
    (r"\ball (\d[\d,]*) active access keys[^.:;]* were rotated in time (?!,)", "in_time"),
    (r"\bor exempt with approval \((\d[\d,]*)\)", "exempt"),
    (r"\b(\d[\d,]*) active keys? of unknown age(?! or)", "unknown"),
)  # fmt: skip


def contradictions(texts: list[str], truth: Truth) -> list[str]:
    """Every number said in words of which another number is true."""
    found = []
    for text in texts:
        for saying, name in SAYINGS:
            for match in re.finditer(saying, text):
                told = [match[1], *(total for total in match.groups()[1:] if total)]
                if number(told[0], truth.active) != getattr(truth, name):
                    found.append(f"{name} is {getattr(truth, name)}: {match[0]}")
                if told[1:] and number(told[1], 0) != truth.active:
                    found.append(f"{truth.active} keys are active: {match[0]}")
    return found


@given(first=accounts(), second=accounts(), terms=policies(), warn=st.sampled_from([0, 7, 14, 60]))
@examples(30)
def test_titles_alternative_texts_headline_and_terminal_say_the_same_numbers(tmp_path, first, second, terms, warn):
    a = two_accounts(
        tmp_path, first or [row("zoe", FRESH)], second, {"max_access_key_age": 90, **terms, "warn_before": warn}
    )
    truth = Truth(a)
    if not warn:
        truth.due_soon = None  # with no warning the chart of deadlines tells of all weeks
    texts = [*charts_of(a), keyaudit.headline(a), *as_text(a).splitlines()]
    assert contradictions([t for t in texts if truth.due_soon is not None or "due" not in t], truth) == []


# --- accounts -----------------------------------------------------------------------------------------------------
#: what the chart of accounts may say where rotation is decided for all, and where it is not
DECIDED = re.compile(
    r"(?:All|None of|\d+ of) \d+ accounts (?:has|have) (?:overdue keys|an active key)"
    r"|The only account has (?:no|\d+) (?:overdue|active) keys?"
)
OPEN = re.compile(r"known to have overdue keys|was not read|was read|evidence on rotation is insufficient")


def accounts_contradict(a: keyaudit.Audit) -> str:
    """The title of the chart of accounts, where it claims something else of rotation than the headline; or else of
    the number of accounts whose other controls fail or are open."""
    title = charts.plot_accounts(a.accounts, a.policy, a.as_of).get_title(loc="left").replace("\n", " ")
    rotation = headline_of(a).rotation
    if rotation is Claim.NO_PERIOD:
        return "" if title.startswith("No rotation period is defined") else title
    if rotation is not Claim.OVERDUE and bool(OPEN.search(title)) != (rotation is Claim.UNDECIDED):
        return title
    if rotation is not Claim.UNDECIDED and not DECIDED.match(title):
        return title
    others = {control: kind for control, kind in a.conclusions.items() if control in a.policy.controls}
    others.pop("rotation", None)
    fails = "NON_COMPLIANT" in others.values()
    return "" if fails or not re.search("another control fails|fails? another control", title) else title


@given(first=accounts(), second=accounts(), terms=policies())
@examples(80)
def test_the_chart_of_accounts_claims_of_rotation_what_the_headline_does_in_the_order_of_the_table(
    tmp_path, first, second, terms
):
    a = two_accounts(tmp_path, first or [row("zoe", FRESH)], second, terms)
    assert accounts_contradict(a) == ""
    drawn = [one.label for one in accounts_of(a.accounts, a.policy, a.as_of).rows]
    assert [one[0] for one in keyaudit.accounts(a).rows] == drawn


@pytest.mark.parametrize(
    ("users", "root", "terms", "title"),
    [
        # rotation is decided, and the root user is not known
        ([("a", FRESH)], None, "", "The only account has no overdue keys, but another control is undecided"),
        # no limit is set for what counts
        ([("a", FRESH)], (), 'controls = ["unused"]', "The only account has no overdue keys, but another control is undecided"),
        # rotation is not decided, and does not count
        ([("a", "true N/A N/A")], (), 'controls = ["root-key"]', "The only account is not known to have overdue keys: the evidence on rotation is insufficient"),
        ([("a", FRESH)], (), 'controls = ["root-key"]', "The only account has no overdue keys"),
    ],
)  # fmt: skip
def test_what_counts_does_not_decide_what_is_said_of_overdue_keys(judge, policy, users, root, terms, title):
    a = judge(report(*users, root=root), policy(f"max_access_key_age = 90\n{terms}"))
    assert accounts_contradict(a) == ""
    assert charts.plot_accounts(a.accounts, a.policy, a.as_of).get_title(loc="left").replace("\n", " ") == title


# --- what if ------------------------------------------------------------------------------------------------------
@given(
    first=accounts(),
    second=accounts(),
    terms=policies(),
    control=st.sampled_from(["rotation", "unused"]),
    limit=st.integers(1, 400),
)
@examples(40)
def test_a_limit_that_is_asked_about_gives_no_number_that_reads_like_a_finding(
    tmp_path, first, second, terms, control, limit
):
    terms = {"max_access_key_age": 90, "max_credential_usage_age": 45, **terms}
    a = two_accounts(tmp_path, first or [row("zoe", FRESH)], second, terms)
    ax = show.chart(Explorer(a).view(Selection(control, limit)))
    truth = Truth(a)
    assert contradictions(drawn_by([ax]), truth) == []
    is_asked = truth.active and limit != a.policy.limit(control) and not ax.get_label().startswith("Empty")
    unsaid = "The age of the only|Whether the only" if control == "unused" else "The age of the only"
    if is_asked and not re.search(unsaid, ax.get_label()):
        assert "would " in ax.get_title(loc="left")


EXEMPT = """max_access_key_age = 90
max_credential_usage_age = 45
[[exemption]]
id = "E"
users = ["legacy-*"]
controls = ["rotation", "unused"]
reason = "r"
approved_by = "CISO"
expires = 2027-01-01
"""
SOON, IDLE = "true 2026-08-30T00:00:00Z 2026-11-20T00:00:00Z", "true 2026-03-01T00:00:00Z 2026-03-02T00:00:00Z"


def test_each_of_these_sayings_is_said_somewhere_and_is_right(judge, policy):
    """A saying that nobody says any more would check nothing."""
    undated = "true N/A 2026-11-20T00:00:00Z"
    people = (
        [("a", OLD), ("b", IDLE), ("c", FRESH), ("d", SOON), ("legacy-a", OLD), ("legacy-b", IDLE), ("e", undated)],
        [("a", FRESH), ("legacy-a", IDLE)],
        [("a", FRESH), ("b", FRESH)],
        [("a", OLD), ("b", OLD)],
    )
    met = set()
    for users in people:
        a = judge(report(*users), policy(EXEMPT))
        texts = [*charts_of(a), keyaudit.headline(a), *as_text(a).splitlines()]
        assert contradictions(texts, Truth(a)) == []
        met |= {saying for saying, _ in SAYINGS for text in texts if re.search(saying, text)}
    assert met == {saying for saying, _ in SAYINGS}


@given(first=accounts(), second=accounts(), terms=policies())
@examples(60)
def test_tables_index_and_accounts_say_the_same_numbers(tmp_path, first, second, terms):
    a = two_accounts(tmp_path, first or [row("zoe", FRESH)], second, {"max_access_key_age": 90, **terms})
    truth, kinds = Truth(a), ("active", "overdue", "exempt", "unknown", "in_time", "due_soon")
    said = keyaudit.accounts(a)
    sums = [sum(int(one[2 + place].replace(",", "")) for one in said.rows) for place in range(len(kinds))]
    assert sums == [getattr(truth, kind) for kind in kinds]
    controls = {one[0]: one for one in keyaudit.controls(a).rows}
    at = keyaudit.controls(a).columns.index("Failing")
    assert int(controls["Rotation"][at]) == truth.overdue
    assert int(controls["Rotation"][at + 2 : at + 4][0]) == truth.exempt
    assert int(controls["Rotation"][at + 3]) == truth.in_time
    assert keyaudit.due_soon(a).total == truth.due_soon == a.due_soon
    late = keyaudit.offenders(a)
    over = late.columns.index("Days over")
    assert sum(one[over] != "–" for one in late.rows) == min(truth.overdue, len(late.rows))
    assert overdue_known(a) in ({truth.overdue} if truth.overdue else {0, None})
    assert sum(one.overdue for one in a.provenance) == truth.overdue
    assert (overdue_known(a) is None) == (a.conclusions["rotation"] == "INSUFFICIENT_DATA" and not truth.overdue)


def test_where_the_curve_crosses_the_deadline_is_the_tables_number_with_overrides_and_exemptions():
    a = keyaudit.audit()
    ax = charts.plot_share(a.keys, a.policy, a.as_of)
    (point,) = [line for line in ax.lines if line.get_gid() == "share-in-time"]
    assert point.get_ydata()[0] == 19 / 28
    assert a.counts["COMPLIANT"] == 19


# --- tables -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cells", [["a"] * 2, ["a"] * 4, []])
def test_a_row_of_another_length_than_the_headings_is_refused(cells):
    with pytest.raises(ValueError, match=r"table 'more_than_one': \d cells under 3 headings"):
        table("more_than_one", [["1", "2", "3"], cells])
    with pytest.raises(ValueError, match="cells under 1 headings"):
        Table("t", ("one",), (("a", "b"),))


def test_every_table_that_may_be_cut_says_where_the_others_are():
    whole = {"rotated", "rotation_schedules", "rotation_keys", "exemptions", "references", "policy", "series"}
    whole |= {"explore_user", "explore_user_says", "sample", "sample_amiss"}
    tables = {
        name: one for name, one in template("table", ENGLISH).items() if isinstance(one, dict) and "columns" in one
    }
    assert {name for name, one in tables.items() if not one.get("where")} == whole


def test_a_cut_table_says_how_many_are_left_out_and_where_they_are(judge):
    keys = repr(keyaudit.offenders(judge(report(*((f"u{n:02}", OLD) for n in range(21))))))
    assert "Showing 20 of 21; the other 1 is in findings.csv." in keys
    keys = repr(keyaudit.offenders(judge(report(*((f"u{n:02}", OLD) for n in range(45))))))
    assert "Showing 20 of 45; the other 25 are in findings.csv." in keys


def many_accounts(folder: Path, number: int) -> keyaudit.Audit:
    """Accounts of which the last has 15 overdue keys, and those before it fail another control."""
    ids = [f"{100_000_000_000 + n}" for n in range(number)]
    root = (FRESH, NO_KEY)
    reports = {f"a{one}": report(("alice", FRESH), root=root, account=one) for one in ids[:-1]}
    reports[f"a{ids[-1]}"] = report(*((f"u{n}", OLD) for n in range(15)), account=ids[-1])
    return keyaudit.audit(capture(folder / "many", ids, **reports), "cis", AS_OF)


def test_accounts_are_worst_first_and_all_listed_up_to_200(tmp_path):
    a = many_accounts(tmp_path, 25)
    said = keyaudit.accounts(a)
    assert len(said.rows) == 25
    assert said.rows[0][:4] == ("100000000024", "NON_COMPLIANT", "15", "15")
    assert as_text(a).partition("worst first:\n")[2].startswith("100000000024  NON_COMPLIANT  15 overdue keys")


def test_beyond_200_accounts_the_table_says_how_many_are_left_out(tmp_path):
    said = keyaudit.accounts(many_accounts(tmp_path, 203))
    assert len(said.rows) == MOST_ACCOUNTS == 200
    assert "Showing 200 of 203; the other 3 are in summary.json, and their keys in findings.csv." in repr(said)
    assert said.rows[0][0] == "100000000202"


def test_an_expired_exemption_says_how_many_findings_stand_again(judge, policy):
    exemption = "[[exemption]]\nid = '{}'\nusers = ['{}']\ncontrols = ['rotation']\nreason = 'r'\napproved_by = 'CISO'\n{}expires = {}\n"
    terms = "max_access_key_age = 90\n" + "".join(
        exemption.format(*one)
        for one in (
            ("IN-FORCE", "a?", "", "2027-01-01"),
            ("EXPIRED-ONE", "b1", "", "2026-01-01"),
            ("EXPIRED-TWO", "b*", "", "2026-01-01"),
            ("EXPIRED-CAPPED", "c*", "max_access_key_age = 91\n", "2026-01-01"),
            ("EXPIRED-NONE", "nobody", "", "2026-01-01"),
            ("EXPIRED-AND-COVERED", "a1", "", "2026-01-01"),
        )
    )
    a = judge(report(("a1", OLD), ("b1", OLD), ("b2", OLD), ("b3", FRESH), ("c1", OLD)), policy(terms))
    told = {one[0]: one[1:3] for one in keyaudit.exemptions(a).rows}
    assert told == {
        "IN-FORCE": ("in use", "1"),
        "EXPIRED-ONE": ("expired: the finding stands again", "1"),
        "EXPIRED-TWO": ("expired: the finding stands again", "1"),  # b1 is counted once
        "EXPIRED-CAPPED": (
            "expired: there is no finding that the exemption would cover",
            "0",
        ),  # older than it ever allowed
        "EXPIRED-NONE": ("expired: there is no finding that the exemption would cover", "0"),
        "EXPIRED-AND-COVERED": ("expired: there is no finding that the exemption would cover", "0"),
    }
    assert a.counts["NON_COMPLIANT"] == 3


# --- captions, exemptions and who sets the limits ------------------------------------------------------------------
def page_of(a: keyaudit.Audit) -> list[str]:
    """Every text of the workbook, of the terminal and of the explorer."""
    names = ("scope", "bottom_line", "controls", "accounts", "provenance", "offenders", "due_soon", "unused")
    names += ("more_than_one", "root", "inactive", "exemptions", "problems", "boundary", "references")
    tables = [repr(getattr(keyaudit, name)(a)) for name in (*names, "policy_in_force")]
    views = [Explorer(a).view(Selection(limit=limit)) for limit in (-1, 1, 60)]
    told = [repr(one(view)) for view in views for one in (show.words, show.counts, show.keys_table)]
    return [*tables, *told, *charts_of(a), as_text(a)]


#: of one there is one
MANY_OF_ONE = re.compile(
    r"(?<![\d.,:*-])1 (?:(?:active|access|whole) )*(?:days|keys|accounts|findings|hours|users)\b.{0,40}"
)
ONES = st.sampled_from([{}, {"max_access_key_age": 1}, {"max_credential_usage_age": 1}, {"warn_before": 1}])


@given(first=accounts(), second=accounts(), terms=policies(), ones=ONES, is_cited=st.booleans())
@examples(50)
def test_of_one_there_is_one_on_every_line(tmp_path, first, second, terms, ones, is_cited):
    terms = {**terms, **ones, "override": [], **({"references": ["CIS AWS Foundations 3.0"]} if is_cited else {})}
    a = two_accounts(tmp_path, first or [row("zoe", FRESH)], second, terms)
    assert [found[0] for text in page_of(a) for found in MANY_OF_ONE.finditer(text)] == []


def test_a_limit_of_one_day_is_one_day_in_annotations_captions_and_references(judge, policy):
    terms = "max_access_key_age = 1\nmax_credential_usage_age = 1\nwarn_before = 1\nreferences = ['AWS FSBP']"
    a = judge(report(("a", OLD), ("b", "true 2026-08-01T00:00:00Z 2026-08-02T00:00:00Z")), policy(terms))
    whys = [one[-1] for one in keyaudit.unused(a, is_brief=False).rows if one[0] in "ab"]
    assert [why.partition("; ")[2] for why in whys] == ["1 day or more counts as unused"] * 2
    assert keyaudit.due_soon(a).caption == "Keys in time whose deadline is within 1 day, soonest first"
    assert keyaudit.references(a).rows[0][-1] == "the policy's 1 day is within the 90 that this reference allows"
    many = judge(report(("a", "true 2026-03-01T00:00:00Z N/A")), policy("max_credential_usage_age = 45"))
    assert keyaudit.unused(many, is_brief=False).rows[0][-1].endswith("; 45 days or more count as unused")


@given(first=accounts(), second=accounts(), terms=policies())
@examples(60)
def test_no_caption_claims_more_than_its_table_holds(tmp_path, first, second, terms):
    a = two_accounts(tmp_path, first or [row("zoe", FRESH)], second, terms)
    for control, made in (("rotation", "offenders"), ("unused", "unused"), ("active-keys", "more_than_one")):
        said = getattr(keyaudit, made)(a)
        if control not in a.conclusions:
            assert repr(said) == f"{said.caption}: Not assessed: no limit is set."
            continue
        found = a.findings[(a.findings["control"] == control)]["compliance_type"]
        if "not exempt" not in said.caption:
            assert said.total >= found.isin(["NON_COMPLIANT", "EXEMPT"]).sum()
        assert said.total >= (found == "NON_COMPLIANT").sum()


def failing_of(a: keyaudit.Audit, one) -> pd.DataFrame:
    """The failing findings, exempt or not, that an exemption names."""
    found = a.findings[a.findings["compliance_type"].isin(["NON_COMPLIANT", "EXEMPT"]) & a.findings["user"].notna()]
    named = [
        row.control in one.controls
        and one.has_account(row.account_id)
        and one.covers(row.user, row.user == "<root_account>")
        for row in found.itertuples()
    ]
    return found[pd.Series(named, index=found.index, dtype=bool)]


@given(first=accounts(), second=accounts(), terms=policies())
@examples(150)
def test_an_exemption_that_matches_nothing_is_the_only_one_that_is_said_to(tmp_path, first, second, terms):
    a = two_accounts(tmp_path, first or [row("zoe", FRESH)], second, terms)
    said = {one[0]: one[1] for one in keyaudit.exemptions(a).rows}
    for one in a.policy.exemption:
        matching = failing_of(a, one)
        if not said[one.id].startswith("expired"):
            assert ("no finding matches" in said[one.id]) == matching.empty, said[one.id]
            assert ("in use" in said[one.id]) == bool((matching["exemption_id"] == one.id).any())
        fails = (matching["compliance_type"] == "NON_COMPLIANT") & (matching["control"] == "rotation")
        if one.max_access_key_age and a.policy.max_access_key_age and not said[one.id].startswith("expired"):
            assert (" its cap of " in said[one.id]) == bool(fails.any()), said[one.id]


def test_an_exemption_that_is_not_used_says_why(judge, policy):
    exemption = "[[exemption]]\nid = '{}'\nusers = ['{}']\ncontrols = ['rotation']\nreason = 'r'\napproved_by = 'CISO'\n{}expires = 2027-01-01\n"
    cap, text = (
        "max_access_key_age = 91\n",
        report(("a1", OLD), ("b1", OLD), ("b2", OLD), ("c1", OLD), ("d", FRESH)),
    )
    terms = "".join(
        exemption.format(*one)
        for one in (
            ("PAST", "a1", cap),
            ("PAST-TWO", "b?", cap),
            ("IN-USE", "c1", ""),
            ("COVERED", "c*", ""),
            ("NOTHING", "d", ""),
        )
    )
    told = {
        one[0]: one[1:3]
        for one in keyaudit.exemptions(judge(text, policy(f"max_access_key_age = 90\n{terms}"))).rows
    }
    assert told == {
        "PAST": ("not used: the key that the exemption names is older than its cap of 91 days and fails", "0"),
        "PAST-TWO": (
            "not used: the 2 keys that the exemption names are older than its cap of 91 days and fail",
            "0",
        ),
        "IN-USE": ("in use", "1"),
        "COVERED": ("not used: another exemption covers what this one names", "0"),
        "NOTHING": ("not used: no finding matches", "0"),
    }
    some = exemption.format("SOME", "*", "max_access_key_age = 100\n")
    mixed = report(("a1", OLD), ("b1", "true 2026-08-20T00:00:00Z 2026-11-20T00:00:00Z"))
    (one,) = keyaudit.exemptions(judge(mixed, policy(f"max_access_key_age = 90\n{some}"))).rows
    assert one[1:3] == ("in use; 1 more key is older than the exemption's cap of 100 days and fails", "1")
    a = judge(text, policy(exemption.format("NO-PERIOD", "a1", "")))
    assert keyaudit.exemptions(a).rows[0][1] == "not used: no exemption stands in for a rotation period"


POLICYS = re.compile(
    r"\b[Tt]he policy(?:'s| sets| in force| that was| allows| cites| CIS)[^.\n]*|^Policy: .*", re.MULTILINE
)


def test_nothing_that_a_preset_sets_is_called_the_policys_anywhere(judge, tmp_path):
    text = report(("alice", OLD), ("bob", FRESH, FRESH))
    copy = write(tmp_path, "policy.toml", load_policy("cis").content)
    for preset in ("", "cis", "skshieldus", copy):
        assert [found[0] for one in page_of(judge(text, preset)) for found in POLICYS.finditer(one)] == []
    own = write(tmp_path, "own.toml", 'title = "own"\nmax_access_key_age = 90\nreferences = ["AWS FSBP"]\n')
    assert len({found[0] for one in page_of(judge(text, own)) for found in POLICYS.finditer(one)}) >= 5


def test_the_terms_are_headed_by_what_they_are(judge, policy):
    text = report(("alice", FRESH))
    said = {
        "": "The preset that was applied, for no policy was given",
        "cis": "The preset that was applied",
        policy("max_access_key_age = 90"): "The policy that was applied",
        policy(
            "max_access_key_age = 90\neffective = 2026-11-24"
        ): "The policy that was applied, though it was not in force",
    }
    assert {given_: keyaudit.policy_in_force(judge(text, given_)).caption for given_ in said} == said


def test_a_report_says_that_service_specific_credentials_are_not_in_it():
    assert any("Service-specific credentials" in item for item in present.limits_of_audit().items)
