"""Cases of a period, each with its answer worked out by hand. Days are UTC; a limit of n days is passed n days after
the key was made, to the second. "proved" and "possible" are days beyond the limit within the period."""

from __future__ import annotations

import pytest
from conftest import ACCOUNT, OTHER
from years import at, bounds, days, due_of, exempt, key, of, snapshot, terms, verdict

from keyaudit.model.over_period import (
    BREACH,
    DOUBTFUL,
    FAILED,
    INCOMPLETE,
    LATE,
    LONG_GAP,
    MISSING,
    NO_LIMIT_SET,
    NO_POLICY,
    NOTHING,
    POSSIBLE,
    UNDATED,
    UNREAD,
    UNREAD_ACCOUNT,
    UNSEEN_KEY,
    VANISHED,
    PeriodVerdict,
)
from keyaudit.period import SeenAccount
from keyaudit.policy import load_policy
from keyaudit.present.period_tables import accounts_table
from keyaudit.schema import COMPLIANT, INSUFFICIENT_DATA, NON_COMPLIANT

MONTHS = tuple(f"{month:02}-01" for month in range(1, 13))


def monthly(*keys, of_policy=lambda day: terms(), months=MONTHS, **more):
    """A snapshot at the beginning of each month that shows the same keys."""
    return [snapshot(day, *keys, policy=of_policy(day), **more) for day in months]


# --- one key --------------------------------------------------------------------------------------------------
def test_a_key_that_is_rotated_in_time_is_no_breach():
    # | seen 01-01, 02-01 | made 2025-12-15, due 03-15 | gone on 03-01: the new key was made on 02-20 |
    old, new = key("alice", "2025-12-15"), key("alice", "02-20")
    found = verdict([snapshot("01-01", old), snapshot("02-01", old), snapshot("03-01", new)], last="03-01")
    assert (found.conclusion, found.reasons) == (COMPLIANT, ())
    assert found.concluded == (at("01-01"), at("03-01"))
    # 02-20 less 2025-12-15: 31 - 15 + 31 + 20 days
    assert [(one.user, days(one.age)) for one in found.replacements] == [("alice", 67)]
    assert found.figures.deviation_rate == 0


def test_a_breach_is_measured_between_the_snapshots_that_show_it():
    # | made 2025-12-01, due 03-01 | active on 03-08, 03-15; gone on 03-22 |
    # proved 03-01..03-15 = 14 (active on 03-01 too, in time), possible up to 03-22 = 21
    old = key("alice", "2025-12-01", owner="ops")
    shown = [snapshot(day, old) for day in ("02-22", "03-01", "03-08", "03-15")]
    found = verdict([*shown, snapshot("03-22"), snapshot("03-29")], "02-22", "03-29")
    one = of(found, "alice")
    assert (found.conclusion, found.reasons) == (NON_COMPLIANT, (BREACH,))
    assert bounds(one) == (14, 21)
    assert (one.begun, one.remedied, one.is_open) == (at("03-01"), (at("03-15"), at("03-22")), False)
    assert one.proofs == ("03-08", "03-15")
    assert (one.owner, one.limit, one.due, one.ended) == ("ops", 90, at("03-01"), at("03-22"))
    assert [days(x) for x in one.remedy] == [14, 21]
    assert found.figures.median == found.figures.slowest == one.remedy


def test_one_snapshot_proves_a_breach_that_nothing_measures():
    # | made 2025-12-01, due 03-01 | switched off on 03-01, active on 03-08, switched off on 03-15 |: 0 to 14
    on, off = key("alice", "2025-12-01"), key("alice", "2025-12-01", on=False)
    found = verdict([snapshot("03-01", off), snapshot("03-08", on), snapshot("03-15", off)], "03-01", "03-15")
    assert found.reasons == (BREACH,)
    assert bounds(of(found, "alice")) == (0, 14)


def test_a_breach_that_no_snapshot_shows_is_possible_and_not_proved():
    # | made 2025-12-01, due 03-01 | active on 02-26, gone on 03-05 |: 03-01..03-05 = 4
    found = verdict([snapshot("02-26", key("alice", "2025-12-01")), snapshot("03-05")], "02-26", "03-05")
    assert (found.conclusion, found.reasons) == (INSUFFICIENT_DATA, (POSSIBLE,))
    assert bounds(of(found, "alice")) == (0, 4)
    assert (found.figures.breaches, found.figures.possible) == (0, 1)


def test_a_key_that_is_switched_off_on_every_snapshot_day_shows_nothing():
    # | made 2025-01-01 | inactive whenever somebody looks |: nothing is seen of what it does in between
    found = verdict(monthly(key("alice", "2025-01-01", on=False)))
    assert found.conclusion == COMPLIANT
    assert bounds(of(found, "alice")) == (0, 0)
    assert (found.figures.keys, found.figures.inactive) == (0, 1)
    # the longest time in which nobody looked: 31 days
    assert days(found.coverage.longest.gap[1] - found.coverage.longest.gap[0]) == 31


def test_a_key_that_was_made_and_switched_off_between_two_snapshots_was_active_in_between():
    # | limit 10 | made 01-05, due 01-15 | no key on 01-01, inactive on 02-01 |: possible 01-15..02-01 = 17
    shown = [
        snapshot("01-01", policy=terms(10)),
        snapshot("02-01", key("alice", "01-05", on=False), policy=terms(10)),
    ]
    found = verdict(shown, last="02-01")
    assert bounds(of(found, "alice")) == (0, 17)
    assert found.reasons == (LONG_GAP, POSSIBLE)


def test_an_open_breach_is_censored():
    # | made 2025-12-01, due 03-01 | active up to the last snapshot, 04-01 |: 31, and nobody knows how long still
    old = key("alice", "2025-12-01")
    found = verdict([snapshot(day, old) for day in ("01-01", "02-01", "03-01", "04-01")], last="06-30")
    one = of(found, "alice")
    assert bounds(one) == (31, 31)
    assert one.is_open
    assert [one.remedied, days(one.remedy[0]), one.remedy[1]] == [None, 31, None]
    assert found.concluded == (at("01-01"), at("04-01"))


def test_leap_day():
    # | made 2027-11-30, limit 90 | 2028 has a 29th of February: due 02-28, and not 03-01 |
    old = key("alice", "2027-11-30")
    found = verdict(
        [snapshot(day, old) for day in ("2028-02-28", "2028-02-29", "2028-03-01")], "2028-02-28", "2028-03-01"
    )
    assert of(found, "alice").due == at("2028-02-28")
    # 02-28..03-01 = 2
    assert bounds(of(found, "alice")) == (2, 2)
    assert of(found, "alice").proofs == ("02-29", "03-01")  # exactly 90 days old on 02-28: in time


def test_whole_days_end_one_day_later():
    # | made 2025-12-01 06:00, limit 90 whole days | beyond it from 91 days on: 03-02 06:00 |
    policy = terms(90, 'age_comparison = "whole_days"\n')
    shown = [snapshot(day, key("alice", "2025-12-01 06:00"), policy=policy) for day in ("03-01", "03-02", "03-03")]
    found = verdict(shown, "03-01", "03-03")
    assert bounds(of(found, "alice")) == (0.75, 0.75)
    assert of(found, "alice").proofs == ("03-03",)


def test_snapshots_at_irregular_times():
    # | made 2025-12-01 12:34:56, due 03-01 12:34:56 | active 03-01 05:00, 03-01 23:00, 03-09 01:00; gone 03-09 02:00 |
    old = key("alice", at("2025-12-01").replace(hour=12, minute=34, second=56))
    shown = [snapshot(moment, old) for moment in ("03-01 05:00", "03-01 23:00", "03-09 01:00")]
    one = of(verdict([*shown, snapshot("03-09 02:00")], "03-01", "03-09"), "alice")
    least, most = one.breach_days
    due = at("03-01").replace(hour=12, minute=34, second=56)
    assert (least, most) == (at("03-09 01:00") - due, at("03-09 02:00") - due)
    assert one.proofs == ("03-01 23:00", "03-09 01:00")


def test_only_what_lies_in_the_period_counts_and_its_neighbours_bound_it():
    # | made 2025-06-01, due 2025-08-30 | active 2025-12-20 and 01-10; gone 02-05 | January |
    # proved 01-01..01-10 = 9; possible: all of January = 31, since the snapshot after it is on 02-05
    old = key("alice", "2025-06-01")
    shown = [snapshot("2025-11-01", old), snapshot("2025-12-20", old), snapshot("01-10", old)]
    found = verdict([*shown, snapshot("02-05"), snapshot("03-05")], last="01-31", due=due_of("01-01", "01-31", 31))
    one = of(found, "alice")
    assert bounds(one) == (9, 31)
    assert one.proofs == ("01-10",)
    # what comes before and after is known: 2025-08-30 to 01-10 at the least, to 02-05 at the most
    assert (one.begun, one.remedied) == (at("2025-08-30"), (at("01-10"), at("02-05")))
    assert found.snapshots == ("12-20", "01-10", "02-05")
    assert found.concluded == (at("01-01"), at("02-01"))


# --- policies ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("before", "after"), [(90, 180), (180, 90)])
def test_a_policy_that_changed_in_mid_year_counts_by_the_stricter_of_two_snapshots(before, after):
    # | made 03-01: 90 days on 05-30, 180 days on 08-28 | seen on the first of each month | changed by 07-01 |
    # 90 -> 180: beyond 90 from 05-30 to 07-01 = 32; in time until 08-28; from then to 09-01 = 4, gone by 10-01: 34
    # 180 -> 90: between 06-01 and 07-01 the stricter holds: 06-01 to 09-01 = 92, to 10-01 = 122; before: in time
    old = key("alice", "03-01")
    shown = monthly(old, of_policy=lambda day: terms(before if day < "07" else after), months=MONTHS[2:9])
    one = of(verdict([*shown, snapshot("10-01", policy=terms(after))], "03-01", "10-01"), "alice")
    assert bounds(one) == {90: (36, 66), 180: (92, 122)}[before]
    assert one.begun == {90: at("05-30"), 180: at("06-01")}[before]
    assert "06-01" in one.proofs if before == 90 else one.proofs[0] == "07-01"


def test_a_policy_that_is_given_judges_everything_and_the_verdict_says_as_if():
    # | made 2025-10-01 | 90 days on 2025-12-30, 120 days on 01-29 | seen on 01-01, 02-01 | sealed with 120 |
    shown = [snapshot(day, key("alice", "2025-10-01"), policy=terms(120)) for day in ("01-01", "02-01")]
    sealed, given = verdict(shown, last="02-01"), verdict(shown, last="02-01", policy=terms(90))
    assert (bounds(of(sealed, "alice")), sealed.is_as_if) == ((3, 3), False)
    assert (bounds(of(given, "alice")), given.is_as_if) == ((31, 31), True)
    assert list(given.policies.values()) == [2]


def test_two_policies_in_one_week():
    # | made 2025-12-08: 30 days on 01-07, 90 days on 03-08 | Monday 01-05 by 90, Wednesday 01-07 12:00 by 30,
    # Friday 01-09 by 90, gone on 01-12 |: stricter from Monday to Friday, so 01-07 to 01-09 = 2, and Wednesday proves
    # it; after Friday's evidence 90 days hold again, so no more is possible
    old = key("alice", "2025-12-08")
    shown = [snapshot(day, old, policy=terms(n)) for day, n in (("01-05", 90), ("01-07 12:00", 30), ("01-09", 90))]
    found = verdict([*shown, snapshot("01-12")], "01-05", "01-18", due=due_of("01-05", "01-12"))
    assert bounds(of(found, "alice")) == (2, 2)
    assert of(found, "alice").proofs == ("01-07 12:00",)
    assert of(found, "alice").remedied == (at("01-09"), at("01-09"))


def test_an_exemption_that_expires_within_a_breach():
    # | made 2025-11-01, due 01-30 | exempt until 04-01 | active on the first of each month to 05-01, gone on 06-01 |
    # 01-30..04-01 = 61 days exempt; beyond it 04-01..05-01 = 30, possibly to 06-01 = 61
    policy = terms(90, exempt("alice", "2026-04-01"))
    shown = monthly(key("alice", "2025-11-01"), of_policy=lambda _: policy, months=MONTHS[:5])
    found = verdict([*shown, snapshot("06-01", policy=policy)], last="06-01")
    one = of(found, "alice")
    assert bounds(one) == (30, 61)
    assert sum(days(end - start) for start, end in one.exempt) == 61
    assert (one.begun, one.proofs[0]) == (at("04-01"), "04-01")  # void from the start of its expiry day on
    assert [days(x) for x in one.remedy] == [30, 61]


def test_an_exemption_ends_with_its_own_upper_limit():
    # | made 2025-11-01, due 01-30 | exempt up to 120 days, 03-01 | active to 04-01 |: 03-01..04-01 = 31
    policy = terms(90, exempt("alice", "2027-01-01", cap=120))
    found = verdict(
        monthly(key("alice", "2025-11-01"), of_policy=lambda _: policy, months=MONTHS[:4]), last="04-01"
    )
    assert bounds(of(found, "alice")) == (31, 31)


def test_an_exemption_counts_from_the_first_evidence_that_carries_it():
    # | made 2025-11-01, due 01-30 | the exemption is in the evidence of 03-01 and after |: 01-30..03-01 = 30 stand
    late = terms(90, exempt("alice", "2027-01-01"))
    shown = monthly(
        key("alice", "2025-11-01"), of_policy=lambda day: late if day >= "03" else terms(), months=MONTHS[:4]
    )
    found = verdict(shown, last="04-01")
    assert found.conclusion == NON_COMPLIANT
    assert bounds(of(found, "alice")) == (30, 30)
    assert of(found, "alice").proofs == ("02-01",)


def test_keys_that_were_exempt_throughout_are_no_breach():
    policy = terms(90, exempt("alice", "2027-01-01"))
    found = verdict(monthly(key("alice", "2025-11-01"), of_policy=lambda _: policy))
    assert (found.conclusion, found.figures.exempt) == (COMPLIANT, 1)
    # 01-30 to 12-01
    assert [days(x) for x in found.figures.exempt_days] == [305, 305]


def test_a_policy_without_a_limit_fails_as_it_does_in_a_report():
    found = verdict(
        monthly(
            key("alice", "06-01"), of_policy=lambda day: terms(None if day == "07-01" else 90), months=MONTHS[5:9]
        ),
        "06-01",
        "09-01",
    )
    assert (found.conclusion, found.reasons) == (NON_COMPLIANT, (BREACH, NO_LIMIT_SET, LONG_GAP))
    # no age is allowed between 06-01 and 08-01
    assert bounds(of(found, "alice")) == (61 + 2, 61 + 2)
    assert verdict([snapshot("01-01", policy=terms(None))], last="01-01").reasons == (NO_LIMIT_SET,)


def test_without_a_policy_of_its_own_nothing_is_compliant():
    found = verdict(monthly(of_policy=lambda _: load_policy(""), conclusion=INSUFFICIENT_DATA))
    assert (found.conclusion, found.reasons) == (INSUFFICIENT_DATA, (NO_POLICY, INCOMPLETE))


# --- which key is which -----------------------------------------------------------------------------------------
def test_a_renamed_user_is_followed_where_the_ids_of_keys_tell():
    # | made 2025-12-01, due 03-01 | alice until 02-01, alicia from 03-01 on, gone on 05-01 |: 31 to 61
    one, two = (key(name, "2025-12-01", key_id="AKIAEXAMPLE1") for name in ("alice", "alicia"))
    shown = [*monthly(one, months=MONTHS[:2]), *monthly(two, months=MONTHS[2:4]), snapshot("05-01")]
    found = verdict(shown, last="05-01")
    (only,) = found.keys
    assert (only.users, only.user, bounds(only)) == (("alice", "alicia"), "alicia", (31, 61))
    assert found.coverage.hidden == ()


def test_the_limit_of_a_renamed_user_is_that_of_its_name_at_the_time():
    # | made 01-01 | alice has 90 days; svc-a, so named by 03-01, has 30 |: from 02-01, between whose snapshots the
    # stricter holds, to 04-01 = 59
    policy = terms(90, '[[override]]\nusers = ["svc-*"]\nmax_access_key_age = 30\n')
    one, two = (key(name, "01-01", key_id="AKIAEXAMPLE1") for name in ("alice", "svc-a"))
    shown = [snapshot(day, one, policy=policy, conclusion=COMPLIANT) for day in ("01-01", "02-01")]
    shown += [snapshot(day, two, policy=policy, conclusion=NON_COMPLIANT) for day in ("03-01", "04-01")]
    assert bounds(of(verdict(shown, last="04-01"), "alice")) == (59, 59)


def test_a_renamed_user_without_ids_is_a_key_that_must_have_been_there_and_its_former_name_is_said():
    shown = [snapshot("01-01", key("alice", "2025-12-01")), snapshot("02-01", key("alicia", "2025-12-01"))]
    (hidden,) = verdict(shown, last="02-01").coverage.hidden
    assert (hidden.kind, hidden.user, hidden.once, hidden.absent, hidden.seen) == (
        LATE,
        "alicia",
        "alice",
        ("01-01",),
        "02-01",
    )


def test_an_id_that_is_known_only_once_joins():
    told = [key("alice", "2025-12-15", key_id=key_id) for key_id in (None, "AKIAEXAMPLE1", None)]
    found = verdict([snapshot(day, one) for day, one in zip(MONTHS, told, strict=False)], last="03-01")
    assert [one.key_id for one in found.keys] == ["AKIAEXAMPLE1"]


def test_a_user_that_was_deleted_and_made_again_is_another():
    # | alice of 2024, key 2025-12-01 | alice of 02-10, key 02-10 |: no replacement, two keys
    old, new = key("alice", "2025-12-01", born=at("2024-01-01")), key("alice", "02-10", born=at("02-10"))
    found = verdict([snapshot("02-01", old), snapshot("03-01", new)], "02-01", "03-01")
    assert (len(found.keys), found.replacements) == (2, ())
    # even if the second of the key's making is the same
    again = key("alice", "2025-12-01", born=at("2024-01-02"))
    assert len(verdict([snapshot("02-01", old), snapshot("03-01", again)], "02-01", "03-01").keys) == 2


def test_two_keys_of_one_second_are_two():
    both = key("alice", "2025-12-15", slot=1), key("alice", "2025-12-15", on=False, slot=2)
    found = verdict([snapshot("01-01", *both), snapshot("02-01", *reversed(both))], last="02-01")
    assert sorted(
        days(one.active[0][0][1] - one.active[0][0][0]) if one.active[0] else 0 for one in found.keys
    ) == [0, 31]


def test_two_accounts_that_share_user_names_are_apart():
    # | alice of one account in time, alice of the other made 2025-10-01, due 2025-12-30 |: 01-01..02-01 = 31
    keys = key("alice", "2025-12-15"), key("alice", "2025-10-01", account=OTHER)
    found = verdict(monthly(*keys, months=MONTHS[:2], accounts=(ACCOUNT, OTHER)), last="02-01")
    assert [(one.account, bounds(one)) for one in found.keys] == [(OTHER, (31, 31)), (ACCOUNT, (0, 0))]
    assert found.figures.deviation_rate == 0.5


# --- completeness -----------------------------------------------------------------------------------------------
def test_an_account_that_joins_in_june_is_judged_from_then_on():
    # | OTHER expected from 06-01 on | its key made 01-10, due 04-10 |: before 05-01 it was no account of theirs;
    # possible from then, proved 06-01..07-01 = 30, possible 05-01..07-01 = 61
    keys = key("alice", "06-01"), key("bob", "01-10", account=OTHER)
    shown = [*monthly(months=MONTHS[:5]), *monthly(*keys, months=MONTHS[5:7], accounts=(ACCOUNT, OTHER))]
    found = verdict(shown, last="07-01")
    assert bounds(of(found, "bob")) == (30, 61)
    assert [(one.account, one.joined, one.left) for one in found.coverage.accounts] == [
        (ACCOUNT, None, None),
        (OTHER, (at("05-01"), at("06-01")), None),
    ]
    assert found.coverage.hidden == found.coverage.unread == ()  # it was not there to be read


def test_an_account_that_leaves_is_judged_up_to_then():
    keys = [key("bob", "2025-12-15", account=OTHER)]
    shown = [*monthly(*keys, months=MONTHS[:3], accounts=(ACCOUNT, OTHER)), *monthly(months=MONTHS[3:6])]
    found = verdict(shown, last="06-01")
    # due 03-15: possible up to 04-01, when it was gone = 17
    assert bounds(of(found, "bob")) == (0, 17)
    assert found.coverage.accounts[1].left == (at("03-01"), at("04-01"))


def test_a_key_that_must_have_been_there_is_named():
    # | made 01-10 | not in the evidence of 02-01, in that of 03-01 |
    found = verdict([snapshot("01-01"), snapshot("02-01"), snapshot("03-01", key("alice", "01-10"))], last="03-01")
    (hidden,) = found.coverage.hidden
    assert (hidden.kind, hidden.absent, hidden.seen, hidden.once) == (LATE, ("02-01",), "03-01", "")
    assert (found.conclusion, found.reasons) == (INSUFFICIENT_DATA, (UNSEEN_KEY,))


@pytest.mark.parametrize(
    ("made", "is_hidden"), [("01-31 19:59", True), ("01-31 20:00", True), ("01-31 20:01", False)]
)
def test_four_hours_of_report_cache_are_allowed(made, is_hidden):
    accounts = (SeenAccount(ACCOUNT, generated=at("02-01")),)
    first = snapshot("02-01 03:00", accounts=accounts)
    found = verdict([first, snapshot("03-01", key("alice", made))], "02-01", "03-01")
    assert bool(found.coverage.hidden) == is_hidden


def test_a_key_that_is_gone_and_there_again_is_named_and_may_have_been_active():
    # | made 2025-12-01, due 03-01 | active 03-01, not shown 04-01, active 05-01 |: 0 proved between, 61 possible
    old = key("alice", "2025-12-01")
    found = verdict([snapshot("03-01", old), snapshot("04-01"), snapshot("05-01", old)], "03-01", "05-01")
    (hidden,) = found.coverage.hidden
    assert (hidden.kind, hidden.absent, hidden.seen) == (VANISHED, ("04-01",), "05-01")
    assert bounds(of(found, "alice")) == (0, 61)
    assert found.reasons == (BREACH, UNSEEN_KEY)


@pytest.mark.parametrize(
    "state", [SeenAccount(OTHER, is_read=False, is_whole=False), SeenAccount(OTHER, is_whole=False)]
)
def test_an_account_that_no_evidence_of_a_period_read_whole_is_named(state):
    read, unread = (ACCOUNT, OTHER), (ACCOUNT, state)
    week = [snapshot("01-05", accounts=unread), snapshot("01-07", accounts=read)]
    due = due_of("01-05", "01-12")
    assert verdict([*week, snapshot("01-12", accounts=read)], "01-05", "01-18", due).conclusion == COMPLIANT
    found = verdict([*week, snapshot("01-12", accounts=unread, conclusion=COMPLIANT)], "01-05", "01-18", due)
    assert [(one.period, one.account, one.kind) for one in found.coverage.unread] == [
        ("01-12", OTHER, DOUBTFUL if state.is_read else UNREAD)
    ]
    assert (found.conclusion, found.reasons) == (INSUFFICIENT_DATA, (UNREAD_ACCOUNT,))


def test_between_snapshots_that_did_not_read_an_account_its_keys_are_bounded_by_those_that_did():
    # | made 2025-12-01, due 03-01 | account read on 03-01 and 05-01, not on 04-01; gone on 05-01 |: possible 61
    old, gap = key("alice", "2025-12-01"), (SeenAccount(ACCOUNT, is_read=False, is_whole=False),)
    found = verdict([snapshot("03-01", old), snapshot("04-01", accounts=gap), snapshot("05-01")], "03-01", "05-01")
    assert bounds(of(found, "alice")) == (0, 61)
    assert found.coverage.hidden == ()


def test_a_gap_that_is_longer_than_the_tightest_limit_can_hide_a_whole_breach():
    # | limit 90, but 30 for svc-* | looked at on 01-01, 01-31 and 03-03 |: 30 days hide nothing, 31 do
    policy = terms(90, '[[override]]\nusers = ["svc-*"]\nmax_access_key_age = 30\n')
    shown = [snapshot(day, policy=policy) for day in ("01-01", "01-31", "03-03")]
    assert verdict(shown[:2], last="01-31").conclusion == COMPLIANT
    found = verdict(shown, last="03-03")
    assert (found.conclusion, found.reasons) == (INSUFFICIENT_DATA, (LONG_GAP,))
    (account,) = found.coverage.accounts
    assert (account.gap, account.allowed, account.hides) == ((at("01-31"), at("03-03")), 30, True)


def test_time_in_which_an_account_was_not_expected_between_two_looks_at_it_can_hide_a_whole_breach():
    # | OTHER is expected on 01-01 and again later; in between a key of it may come, be late, and go unseen |
    def away(*left_out: str, until: str) -> PeriodVerdict:
        both = [snapshot(day, accounts=(ACCOUNT, OTHER)) for day in ("01-01", until)]
        return verdict([*both, *(snapshot(day) for day in left_out)], last=until)

    assert away("02-01", "03-01", until="04-01").conclusion == COMPLIANT
    found = away("02-01", "03-01", "04-01", until="05-01")
    assert (found.conclusion, found.reasons) == (INSUFFICIENT_DATA, (LONG_GAP,))
    told = {one.account: (one.gap, one.hides) for one in found.coverage.accounts}
    assert told[OTHER] == ((at("01-01"), at("05-01")), True) and not told[ACCOUNT][1]
    for each, when in (
        (found, "between 2026-02-01T00:00:00Z and 2026-04-01T00:00:00Z"),
        (away("02-01", until="03-01"), "2026-02-01T00:00:00Z"),
    ):
        shown = accounts_table([each])
        told = {row[0]: row[shown.columns.index("Not expected")] for row in shown.rows}
        assert told == {OTHER: when, ACCOUNT: "–"}


def test_what_was_due_and_is_not_there_is_incomplete():
    shown = [snapshot(day) for day in ("01-05", "01-12", "01-19")]
    due = due_of("01-05", "01-19")
    assert verdict(shown, "01-05", "01-25", due).conclusion == COMPLIANT
    # said to be present, and no evidence is there
    found = verdict([shown[0], shown[2]], "01-05", "01-25", due)
    assert [one.state for one in found.coverage.periods] == ["present", "missing", "present"]
    assert (found.conclusion, found.reasons) == (INSUFFICIENT_DATA, (INCOMPLETE,))
    for state in (MISSING, FAILED, "broken", "inconclusive"):
        wrong = [*due[:1], *due_of("01-12", "01-12", state=state), *due[2:]]
        found = verdict(
            [shown[0], snapshot("01-12", conclusion=INSUFFICIENT_DATA), shown[2]], "01-05", "01-25", wrong
        )
        assert (found.coverage.periods[1].state, found.reasons) == (state, (INCOMPLETE,))
    # one conclusive run makes a period present
    again = [*shown, snapshot("01-13", conclusion=INSUFFICIENT_DATA)]
    assert verdict(again, "01-05", "01-25", due).conclusion == COMPLIANT


def test_what_no_calendar_names_is_missing():
    shown = [snapshot(day) for day in ("01-05", "01-12", "01-19")]
    found = verdict(shown, "01-01", "01-25", due_of("01-12", "01-19"))
    assert next((one.name, one.state) for one in found.coverage.periods) == ("2026-01-01..2026-01-12", MISSING)
    assert verdict(shown, "01-05", "01-25", due=()).reasons == (INCOMPLETE,)


def test_nothing_is_never_clean():
    assert verdict([]).conclusion == INSUFFICIENT_DATA
    assert verdict([]).reasons[0] == NOTHING
    assert verdict([]).concluded is None
    outside = [snapshot("2025-12-28"), snapshot("2027-01-04")]
    assert verdict(outside, due=due_of("01-01", "12-31")).reasons[:2] == (NOTHING, INCOMPLETE)
    unread = snapshot("01-01", accounts=(SeenAccount(ACCOUNT, False, False),))
    assert NOTHING in verdict([unread], last="01-01").reasons


@pytest.mark.parametrize("made", [None, "02-01"])
def test_an_active_key_without_a_date_that_can_be_is_undated(made):
    found = verdict([snapshot("01-01", key("alice", made), conclusion=COMPLIANT)], last="01-01")
    assert (found.conclusion, found.reasons) == (INSUFFICIENT_DATA, (UNDATED,))
    assert found.coverage.undated == ((ACCOUNT, "alice", "01-01"),)


def test_of_evidence_that_was_sealed_late_the_instant_that_it_judges_counts():
    # | judged 03-01, sealed 12-30 | made 2025-12-15, due 03-15 |: in time on 03-01, whenever it was sealed
    old = key("alice", "2025-12-15")
    shown = [snapshot("02-01", old), snapshot("03-01", old, sealed="12-30"), snapshot("03-14")]
    assert verdict(shown, "02-01", "03-14").conclusion == COMPLIANT
    assert verdict(shown, "02-01", "03-14").snapshots == ("02-01", "03-01", "03-14")


def test_the_instant_of_a_sighting_is_that_of_its_report():
    # | made 2025-12-01, due 03-01 | active in the report of 03-08 22:00, judged on 03-09 01:00; gone on 03-15 |
    accounts = (SeenAccount(ACCOUNT, generated=at("03-08 22:00")),)
    old = key("alice", "2025-12-01")
    shown = [snapshot("03-01", old), snapshot("03-09 01:00", old, accounts=accounts), snapshot("03-15")]
    one = of(verdict(shown, "03-01", "03-15"), "alice")
    assert one.breach_days == (at("03-08 22:00") - at("03-01"), at("03-15") - at("03-01"))


# --- numbers ----------------------------------------------------------------------------------------------------
def test_the_numbers_of_a_year():
    # three keys, made 2025-12-01, due 03-01: gone on 03-11, on 04-01, and never; looked at on each day
    users = {"a": "03-11", "b": "04-01", "c": "12-31"}
    shown = []
    for number in range(60):
        day = at("02-20") + number * (at("02-21") - at("02-20"))
        shown.append(snapshot(day, *(key(user, "2025-12-01") for user, end in users.items() if day < at(end))))
    figures = verdict(shown, "02-20", "04-20").figures
    # beyond: a 9 to 10, b 30 to 31, c 03-01..04-20 = 50
    assert [days(x) for x in figures.breach_days] == [89, 91]
    assert [days(x) for x in figures.active_days] == [18 + 39 + 59, 19 + 40 + 59]
    assert (figures.keys, figures.breaches, figures.open, figures.deviation_rate) == (3, 3, 1, 1)
    # of three, the second: b. Of nine in ten, the third: c, which nobody saw remedied
    assert [days(x) for x in figures.median] == [30, 31]
    assert (days(figures.slowest[0]), figures.slowest[1]) == (50, None)
