"""What the headline claims, by its facts: of each control no more than was concluded of it. And the first lines."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from conftest import ACCOUNT, AS_OF, FRESH, OLD, OTHER, capture, csv_of, examples, report, write
from generated import accounts, policies, toml
from hypothesis import given
from hypothesis import strategies as st

import keyaudit
from keyaudit.policy import load_policy
from keyaudit.present import as_text
from keyaudit.present.claims import Accounts, Claim, Headline, Keys, Setter, headline_of
from keyaudit.present.headline import after, before, in_accounts, sentences
from keyaudit.schema import COMPLIANT, CONTROLS, EXEMPT, INSUFFICIENT_DATA, NON_COMPLIANT, ROTATION, worst

CASES = Path(__file__).parents[1] / "data" / "cases" / "bottom_line"
AT = "2026-11-23T08:00:00Z"
THIRD = "777788889999"


def case(source: str, policy: str) -> keyaudit.Audit:
    return keyaudit.audit(CASES / source, CASES / policy, AT)


# --- cases from the field -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "policy", "said"),
    [
        (
            "old-used.json",
            "rot-not-counted.toml",
            "COMPLIANT: what counts is met: Unused keys. Rotation does not count towards the conclusion: the only active "
            "access key in 1 account was not rotated within its limit (the policy sets 90 days).",
        ),
        (
            "old-used.json",
            "only_root_key_counts.toml",
            "COMPLIANT: what counts is met: Root user keys. Rotation does not count towards the conclusion: the only "
            "active access key in 1 account was not rotated within its limit (the policy sets 90 days).",
        ),
        (
            "old-used.json",
            "no_period_and_not_counted.toml",
            "COMPLIANT: what counts is met: Root user keys. Rotation does not count towards the conclusion: no rotation "
            "period is defined, so that the only active access key in 1 account cannot be shown to be rotated in time.",
        ),
        (
            "old-and-idle.json",
            "rot-not-counted.toml",
            "NON_COMPLIANT: 1 control fails: Unused keys. Rotation does not count towards the conclusion: none of 2 "
            "active access keys in 1 account was rotated within its limit (the policy sets 90 days).",
        ),
        (
            "exempt-and-idle.json",
            "exempt.toml",
            "NON_COMPLIANT: 1 control fails: Unused keys. All 2 active access keys in 1 account were rotated in time, or "
            "exempt with approval (1); the policy sets 90 days.",
        ),
    ],
)
def test_cases_from_the_field(source, policy, said):
    judged = case(source, policy)
    assert keyaudit.headline(judged) == said
    assert said in repr(keyaudit.bottom_line(judged))
    assert as_text(judged).startswith(said)


def test_the_facts_of_a_policy_that_does_not_count_rotation():
    facts = headline_of(case("old-used.json", "rot-not-counted.toml"))
    assert (facts.conclusion, facts.rotation, facts.rotation_counts) == (COMPLIANT, Claim.OVERDUE, False)
    assert facts.keys == Keys(active=1, overdue=1, exempt=0, in_time=0, unknown=0, unjudged=0)
    assert (facts.failing, facts.undecided, facts.met) == ((), (), ("unused",))


def test_the_terminal_says_what_does_not_count():
    line = next(
        line
        for line in as_text(case("old-used.json", "rot-not-counted.toml")).splitlines()
        if "Rotation " in line[:12]
    )
    assert "NON_COMPLIANT  does not count" in line


# --- any population, any policy -----------------------------------------------------------------------------------


@st.composite
def populations(draw: st.DrawFn) -> dict[str, list[dict[str, str]] | None]:
    """Up to three accounts, some of which were not read (None), or hold a report that is none."""
    found = {ACCOUNT: draw(accounts())}
    for label in draw(st.sampled_from([(), (OTHER,), (OTHER, THIRD)])):
        rows = draw(st.none() | accounts())
        found[label] = rows and [one | {"arn": one["arn"].replace(ACCOUNT, label)} for one in rows]
    return found


def judged(folder, population, terms, given_=True, keep=None) -> keyaudit.Audit:
    reports = {f"a{label}": csv_of(rows) if rows else "" for label, rows in population.items()}
    folder = Path(tempfile.mkdtemp(dir=folder))
    source = capture(folder / "capture", list(population), **{name: text for name, text in reports.items() if text})
    terms = dict(terms) if given_ else {}
    policy = write(folder, "policy.toml", toml(terms)) if given_ else ""
    return keyaudit.audit(source, policy, AS_OF, keep=keep)


def kinds(a: keyaudit.Audit) -> Counter[str]:
    """Rotation findings of active keys, counted from the findings themselves."""
    found = a.findings
    return Counter(found[(found["control"] == ROTATION) & (found["status"] == "Active")]["compliance_type"])


#: what must hold of the findings of active keys, and of the conclusion on rotation, where this is claimed
HOLDS = {
    Claim.NO_PERIOD: lambda a, of: a.policy.max_access_key_age is None and a.conclusions[ROTATION] == NON_COMPLIANT,
    Claim.OVERDUE: lambda a, of: of[NON_COMPLIANT] > 0 and a.conclusions[ROTATION] == NON_COMPLIANT,
    Claim.UNDECIDED: lambda a, of: of[NON_COMPLIANT] == 0 and a.conclusions[ROTATION] == INSUFFICIENT_DATA,
    Claim.NO_KEYS: lambda a, of: of.total() == 0 and a.conclusions[ROTATION] == COMPLIANT,
    Claim.IN_TIME: lambda a, of: set(of) == {COMPLIANT} and a.conclusions[ROTATION] == COMPLIANT,
    Claim.EXCUSED: lambda a, of: set(of) == {COMPLIANT, EXEMPT} and a.conclusions[ROTATION] == COMPLIANT,
    Claim.ALL_EXEMPT: lambda a, of: set(of) == {EXEMPT} and a.conclusions[ROTATION] == COMPLIANT,
}


@given(population=populations(), terms=policies(), is_given=st.sampled_from([True, True, True, False]))
@examples(200)
def test_each_claim_of_the_headline_agrees_with_conclusions_and_findings(tmp_path, population, terms, is_given):
    a = judged(tmp_path, population, terms, is_given)
    facts, of = headline_of(a), kinds(a)
    assert HOLDS[facts.rotation](a, of)
    # each account's own conclusion on rotation, from which charts speak, makes this one
    assert worst({one.rotation for one in a.provenance}) == a.conclusions[ROTATION]
    no_period = a.policy.max_access_key_age is None
    assert facts.keys == Keys(
        active=of.total(),
        overdue=0 if no_period else of[NON_COMPLIANT],
        exempt=of[EXEMPT],
        in_time=of[COMPLIANT],
        unknown=of[INSUFFICIENT_DATA],
        unjudged=of[NON_COMPLIANT] if no_period else 0,
    )
    assert facts.accounts.total == len(population)
    assert facts.accounts.read == sum(bool(rows) for rows in population.values())
    late = a.findings[(a.findings["compliance_type"] == NON_COMPLIANT) & (a.findings["status"] == "Active")]
    late = late[late["control"] == ROTATION]
    assert facts.accounts.overdue == (0 if no_period else late["account_id"].nunique())
    counted = [c for c in CONTROLS if c in a.policy.controls and c in a.conclusions]
    told = {NON_COMPLIANT: facts.failing, INSUFFICIENT_DATA: facts.undecided, COMPLIANT: facts.met}
    assert told == {kind: tuple(c for c in counted if c != ROTATION and a.conclusions[c] == kind) for kind in told}
    assert facts.rotation_counts == (ROTATION in a.policy.controls)
    assert facts.exempt == (a.findings["compliance_type"] == EXEMPT).sum()


@given(population=populations(), terms=policies(), is_given=st.sampled_from([True, True, True, False]))
@examples(100)
def test_the_conclusion_follows_from_what_is_claimed_and_the_terminal_claims_the_same(
    tmp_path, population, terms, is_given
):
    facts = headline_of(judged(tmp_path, population, terms, is_given))
    assert facts == headline_of(judged(tmp_path, population, terms, is_given, keep=1))
    rotation = facts.rotation if facts.rotation_counts else None
    fails = bool(facts.failing) or rotation in (Claim.NO_PERIOD, Claim.OVERDUE)
    open_ = bool(facts.undecided) or rotation is Claim.UNDECIDED or not (facts.met or rotation)
    assert facts.conclusion == (NON_COMPLIANT if fails else INSUFFICIENT_DATA if open_ else COMPLIANT)


#: grammar that no number may break
WRONG = re.compile(
    r"\bNone days|\ball 1\b|\bAll 1\b|\b1 of 1\b|\bnone of [01]\b|\b0 (?:active|of)|\b1 \w+s\b(?<!access)|\bno account\b|[{}]"
    r"|\b(?:[02-9]|\d\d+) (?:account|key|finding|control|day|hour)\b|  |\.\.|: \.|\(\)"
)
SMALL = st.integers(0, 3)


@given(
    numbers=st.tuples(SMALL, SMALL, SMALL, SMALL),
    claim=st.sampled_from(Claim),
    counts=st.booleans(),
    limit_by=st.sampled_from(Setter),
    others=st.tuples(*[st.sampled_from(["failing", "undecided", "met", ""]) for _ in CONTROLS[1:]]),
    read=st.tuples(SMALL, SMALL, SMALL),
    limit=st.sampled_from([1, 2, 90]),
    extra=SMALL,
)
@examples(1500)
def test_the_sentences_of_any_facts_are_grammatical(numbers, claim, counts, limit_by, others, read, limit, extra):
    overdue, exempt, in_time, unknown = numbers
    incomplete, complete, unread = read
    if claim is not Claim.OVERDUE or not overdue:
        overdue = 0
    if claim is Claim.OVERDUE and not overdue:
        claim = Claim.UNDECIDED
    if claim in (Claim.IN_TIME, Claim.EXCUSED, Claim.ALL_EXEMPT):
        unknown = 0
        exempt, in_time = (
            (0 if claim is Claim.IN_TIME else exempt + 1),
            (0 if claim is Claim.ALL_EXEMPT else in_time + 1),
        )
    if claim in (Claim.NO_KEYS, Claim.NO_PERIOD):
        exempt = in_time = unknown = 0
    unjudged = numbers[0] if claim is Claim.NO_PERIOD else 0
    keys = Keys(overdue + exempt + in_time + unknown + unjudged, overdue, exempt, in_time, unknown, unjudged)
    of = {
        kind: tuple(c for c, one in zip(CONTROLS[1:], others, strict=True) if one == kind)
        for kind in ("failing", "undecided", "met")
    }
    fails = bool(of["failing"]) or (counts and claim in (Claim.NO_PERIOD, Claim.OVERDUE))
    is_open = bool(of["undecided"]) or (counts and claim is Claim.UNDECIDED) or not (counts or of["met"])
    conclusion = NON_COMPLIANT if fails else INSUFFICIENT_DATA if is_open else COMPLIANT
    overdue_in = min(keys.overdue, extra + 1, incomplete + complete)
    found = Accounts(incomplete + complete + unread, incomplete + complete, incomplete, overdue=overdue_in)
    if not found.read and (conclusion != INSUFFICIENT_DATA or keys.active):
        found = Accounts(1, 1)
    facts = Headline(
        conclusion, claim, counts, keys, found, limit, limit_by, "cis", **of, exempt=keys.exempt + extra
    )
    said = sentences(facts)
    assert not WRONG.search(said), said
    assert said.startswith(f"{conclusion}: ") and said.endswith(".")
    assert ("the policy sets" in said) <= (limit_by is Setter.POLICY), said
    assert ("rotated in time" in said) <= (claim in (Claim.IN_TIME, Claim.EXCUSED, Claim.NO_PERIOD)), said
    assert ("does not count" in said) == (not counts), said


# --- who sets the period ------------------------------------------------------------------------------------------


def test_what_a_preset_sets_is_never_called_the_policys(judge, tmp_path):
    text = report(("alice", OLD), ("bob", FRESH))
    own = write(tmp_path, "own.toml", 'title = "own"\nmax_access_key_age = 90\n')
    copy = write(tmp_path, "policy.toml", load_policy("cis").content)
    said = {policy: keyaudit.headline(judge(text, policy)) for policy in ("", "cis", copy, own)}
    assert said[""].endswith("(no policy was given; the preset cis sets 90 days).")
    assert said["cis"].endswith("(the preset cis sets 90 days).")
    assert said[copy] == said["cis"]  # as the notebook of evidence has it
    assert said[own].endswith("(the policy sets 90 days).")
    judged_by = {policy: keyaudit.scope(judge(text, policy)).paragraphs[0] for policy in said}
    limits = "CIS AWS Foundations Benchmark limits (version 3.0)"
    assert judged_by[""].endswith(f"by the preset cis, {limits}, for no policy was given.")
    assert judged_by["cis"].endswith(f"by the preset cis, {limits}.") and judged_by[copy] == judged_by["cis"]
    assert judged_by[own].endswith("by the policy own (version unversioned).")
    assert "\nPreset: CIS AWS" in as_text(judge(text, "")) and "\nPolicy: own" in as_text(judge(text, own))


# --- the first lines ----------------------------------------------------------------------------------------------


def first_lines(a: keyaudit.Audit) -> str:
    """What page and terminal both say around the headline."""
    lines = [*before(a), keyaudit.headline(a), *after(a)]
    assert list(keyaudit.bottom_line(a).paragraphs) == lines
    assert as_text(a).startswith("\n".join(lines))
    return "\n".join(lines)


def test_a_policy_that_was_not_given_is_in_the_first_lines(judge):
    a = judge(report(("alice", FRESH)), "")
    assert (
        "No policy was given: the preset cis stands in, but the organisation's own period was not shown."
        in first_lines(a)
    )
    assert "Missing" not in repr(keyaudit.bottom_line(a))  # said once


def test_a_policy_that_was_not_in_force_is_in_the_first_lines_and_not_among_the_notes(judge, policy):
    a = judge(report(("alice", FRESH)), policy("max_access_key_age = 90\neffective = 2026-11-24"))
    line = "The policy was not in force at the instant of judgement: it is effective from 2026-11-24."
    assert line in first_lines(a)
    assert a.notes  # for machines
    assert "effective" not in repr(keyaudit.problems(a))
    assert "effective" not in first_lines(judge(report(("alice", FRESH)), policy("effective = 2026-11-23")))


@pytest.mark.parametrize(("hours", "is_said"), [(24, False), (168, False), (169, True), (1000, True)])
def test_reports_of_more_than_a_week_are_in_the_first_lines(judge, policy, hours, is_said):
    a = judge(report(("alice", FRESH)), policy(f"max_access_key_age = 90\nmax_report_age_hours = {hours}"))
    assert (f"The policy accepts reports of up to {hours:,} hours" in first_lines(a)) == is_said


def test_accounts_that_were_not_read_and_those_with_gaps_are_in_the_first_lines(tmp_path):
    lines = report(("bob", FRESH), account=OTHER).splitlines()
    extra = ["additional_credentials_info", *[""] * (len(lines) - 2), "1 more key"]
    gap = "\n".join(f"{line},{cell}" for line, cell in zip(lines, extra, strict=True))
    source = capture(
        tmp_path / "c", [ACCOUNT, OTHER, THIRD], a111122223333=report(("alice", OLD)), a444455556666=gap
    )
    a = keyaudit.audit(source, "cis", AS_OF)
    said = first_lines(a)
    assert f"1 of 3 expected accounts was not read: {THIRD}." in said
    assert f"Of 1 of 3 expected accounts evidence is missing or cannot be relied on: {OTHER}." in said
    assert (
        "1 of 2 active access keys was not rotated within its limit (the preset cis sets 90 days), "
        "in 1 of 2 accounts (1 of the 2 incomplete; 1 more was not read)."
    ) in said
    assert headline_of(a).accounts == Accounts(3, 2, 1, overdue=1)


def test_without_a_policy_no_account_is_called_incomplete(tmp_path):
    source = capture(
        tmp_path / "c",
        [ACCOUNT, OTHER],
        a111122223333=report(("alice", OLD)),
        a444455556666=report(("bob", OLD), account=OTHER),
    )
    assert headline_of(keyaudit.audit(source, "", AS_OF)).accounts == Accounts(2, 2, 0, overdue=2)


def test_a_list_of_accounts_that_could_not_be_had_is_no_account(tmp_path):
    source = capture(tmp_path / "c", [ACCOUNT], a111122223333=report(("alice", OLD)))
    facts = json.loads((source / "accounts.json").read_text())
    write(source, "accounts.json", json.dumps(facts | {"problems": ["which accounts there are is unknown"]}))
    a = keyaudit.audit(source, "cis", AS_OF)
    assert "Which accounts the organization has is not known" in first_lines(a)
    assert headline_of(a).accounts == Accounts(1, 1, 0, all_known=False, overdue=1)
    assert "in 1 account was not" in keyaudit.headline(a)
    assert len(a.accounts) == 1


@pytest.mark.parametrize(
    ("found", "where"),
    [
        (Accounts(10, 10, overdue=4), "in 4 of 10 accounts"),
        (Accounts(10, 10, overdue=1), "in 1 of 10 accounts"),
        (Accounts(10, 10, overdue=10), "in each of 10 accounts"),
        (Accounts(10, 8, 1, overdue=4), "in 4 of 8 accounts (1 of the 8 incomplete; 2 more were not read)"),
        (Accounts(10, 8, overdue=8), "in each of 8 accounts (2 more were not read)"),
        (Accounts(10, 1, overdue=1), "in 1 account (9 more were not read)"),
    ],
)
def test_overdue_keys_are_said_to_be_in_the_accounts_that_have_them(found, where):
    keys = Keys(168, overdue=10, exempt=0, in_time=158, unknown=0, unjudged=0)
    facts = Headline(NON_COMPLIANT, Claim.OVERDUE, True, keys, found, 90, Setter.POLICY, "", (), (), (), 0)
    assert sentences(facts) == (
        "NON_COMPLIANT: 10 of 168 active access keys were not rotated within their limit "
        f"(the policy sets 90 days), {where}."
    )


def test_no_active_key_in_several_accounts_is_none_in_any_of_them():
    facts = Headline(
        COMPLIANT, Claim.NO_KEYS, True, Keys(0, 0, 0, 0, 0, 0), Accounts(3, 3), 90, Setter.POLICY, "", (), (), (), 0
    )
    assert sentences(facts).startswith(
        "COMPLIANT: there is no active access key in any of 3 accounts, so that none "
    )


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Accounts(1, 1), "1 account"),
        (Accounts(3, 3), "3 accounts"),
        (Accounts(1, 0), "1 account, which was not read"),
        (Accounts(3, 0), "3 accounts, none of which was read"),
        (Accounts(3, 1), "1 account (2 more were not read)"),
        (Accounts(40, 40, 8), "40 accounts (8 of the 40 incomplete)"),
        (Accounts(40, 32, 1), "32 accounts (1 of the 32 incomplete; 8 more were not read)"),
        (Accounts(1, 1, 1), "1 account (incomplete)"),
        (Accounts(2, 2, 2), "2 accounts (all 2 incomplete)"),
        (Accounts(2, 1, 1), "1 account (incomplete; 1 more was not read)"),
        (Accounts(2000, 2000), "2,000 accounts"),
    ],
)
def test_how_many_accounts_reads_right(found, said):
    assert in_accounts(found) == said


def test_only_accounts_that_fail_are_called_not_compliant_on_the_terminal(tmp_path):
    source = capture(
        tmp_path / "c",
        [ACCOUNT, OTHER, THIRD],
        a111122223333=report(("alice", OLD)),
        a444455556666=report(("bob", FRESH), account=OTHER),
    )
    lines = as_text(keyaudit.audit(source, "cis", AS_OF)).splitlines()
    at = lines.index("3 accounts: 1 NON_COMPLIANT, 1 not read, 1 COMPLIANT; worst first:")
    assert [line.split("  ")[:3] for line in lines[at + 1 : at + 3]] == [
        [ACCOUNT, "NON_COMPLIANT", "1 overdue key"],
        [THIRD, "not read"],
    ]


def test_no_list_of_accounts_is_announced_where_all_are_compliant(tmp_path):
    reports = {f"a{one}": report(("alice", FRESH), account=one) for one in (ACCOUNT, OTHER)}
    lines = as_text(keyaudit.audit(capture(tmp_path / "c", [ACCOUNT, OTHER], **reports), "cis", AS_OF)).splitlines()
    assert "2 accounts: 2 COMPLIANT." in lines
    assert not any("worst first" in line for line in lines)


def test_a_policy_that_sets_no_limit_for_what_counts_concludes_nothing(judge, policy):
    a = judge(report(("alice", FRESH)), policy('controls = ["unused"]'))
    assert keyaudit.headline(a).startswith(
        "INSUFFICIENT_DATA: no limit is set for any control that counts, so that nothing was concluded. "
        "Rotation does not count towards the conclusion: no rotation period is defined"
    )
    assert "Unused keys\tnone\tnot assessed\tcounts\t–" in repr(keyaudit.controls(a))


def test_no_active_key_is_said_so(judge):
    assert keyaudit.headline(judge(report(("alice",)), "cis")) == (
        "COMPLIANT: there is no active access key in 1 account, so that none can be overdue. "
        "Also met: Unused keys, Active keys per user, Root user keys."
    )


def test_a_limit_of_one_day_reads_right(judge, policy):
    a = judge(report(("alice", FRESH)), policy("max_access_key_age = 1"))
    assert "(the policy sets 1 day)" in keyaudit.headline(a)
    assert "more than 1 day has elapsed" in keyaudit.scope(a).paragraphs[1]


def test_the_effective_date_itself_is_in_force(judge, policy):
    a = judge(report(("alice", FRESH)), policy(f"max_access_key_age = 90\neffective = {date(2026, 11, 23)}"))
    assert len(after(a)) == 2  # the instant and the assurance


def test_the_assurance_is_in_the_first_lines_with_the_newest_date_of_a_file_of_unknown_age(judge):
    said = first_lines(judge(report(("alice", FRESH)), "cis"))
    assert (
        "Assurance, the weakest of five grades: a file as supplied, of unknown age; the newest date in it is 2026-11-20T00:00:00Z."
        in said
    )
    assert (
        "Assurance, the fourth of five grades: a file as supplied, with the time at which it was generated."
        in first_lines(case("old-used.json", "exempt.toml"))
    )
