"""The judgement, rule by rule, on literal reports.

Rules are from DOMAIN.md ("The age rule") and DESIGN.md ("How conclusions are drawn").
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import permutations

import pandas as pd
import pytest
from conftest import (
    ACCOUNT,
    CUT,
    FRESH,
    HEADER,
    NO_KEY,
    OLD,
    OTHER,
    ROOT,
    csv_of,
    report,
    row,
    said,
    verdicts,
)

import keyaudit
from keyaudit import InputError

LIMITS = "max_access_key_age = 90\nmax_credential_usage_age = 45\nmax_active_keys = 1\n"
USED = "2026-11-20T00:00:00Z"


def exemption(users='["alice"]', controls='["rotation"]', expires="2026-12-31", more="", identifier="E1") -> str:
    return (
        f'[[exemption]]\nid = "{identifier}"\nusers = {users}\ncontrols = {controls}\nreason = "r"\n'
        f'approved_by = "CISO"\nexpires = {expires}\n{more}\n'
    )


def one_key(audit, control: str = "rotation") -> str:
    (kind,) = verdicts(audit, control).values()
    return kind


# --- rotation: age at the boundary ----------------------------------------------------------------------------
#: last rotated -> verdict of elapsed, of whole days, under 90 days at 2026-11-23T00:00:00Z (DOMAIN.md, first table)
BOUNDARY = {
    "2026-08-25T00:00:01Z": ("COMPLIANT", "COMPLIANT"),
    "2026-08-25T00:00:00Z": ("COMPLIANT", "COMPLIANT"),
    "2026-08-24T23:59:59.999999Z": ("NON_COMPLIANT", "COMPLIANT"),
    "2026-08-24T23:59:59Z": ("NON_COMPLIANT", "COMPLIANT"),
    "2026-08-24T01:00:00Z": ("NON_COMPLIANT", "COMPLIANT"),
    "2026-08-24T00:00:01Z": ("NON_COMPLIANT", "COMPLIANT"),
    "2026-08-24T00:00:00Z": ("NON_COMPLIANT", "NON_COMPLIANT"),
    "2026-08-23T23:59:59Z": ("NON_COMPLIANT", "NON_COMPLIANT"),
}


def test_age_of_exactly_90_days_is_compliant_cis_1_14(judge):
    """CIS: "every 90 days or less"."""
    assert one_key(judge(report(("alice", f"true 2026-08-25T00:00:00Z {USED}")))) == "COMPLIANT"


def test_age_of_90_days_and_a_second_is_non_compliant_cis_1_14(judge):
    assert one_key(judge(report(("alice", f"true 2026-08-24T23:59:59Z {USED}")))) == "NON_COMPLIANT"


@pytest.mark.parametrize("rotated", BOUNDARY)
@pytest.mark.parametrize("comparison", ["elapsed", "whole_days"])
def test_the_two_comparisons_of_the_policy_around_90_days(judge, policy, rotated, comparison):
    audit = judge(report(("alice", f"true {rotated} {USED}")), policy(f'{LIMITS}age_comparison = "{comparison}"'))
    assert one_key(audit) == BOUNDARY[rotated][comparison == "whole_days"]


@pytest.mark.parametrize("slot", [1, 2])
def test_either_slot_is_judged(judge, slot):
    keys = (OLD, NO_KEY) if slot == 1 else (NO_KEY, OLD)
    assert verdicts(judge(report(("alice", *keys))), "rotation") == {("alice", slot): "NON_COMPLIANT"}


def test_age_due_and_days_over_are_stated(judge):
    found = judge(report(("alice", f"true 2026-08-20T12:00:00Z {USED}"))).findings.iloc[0]
    assert (found["age_days"], found["days_over"], found["limit"]) == (94, 4, 90)
    assert found["due"].isoformat() == "2026-11-18T12:00:00+00:00"
    assert (found["account_id"], found["status"]) == (ACCOUNT, "Active")


def test_the_offset_of_as_of_does_not_matter(judge):
    text = report(("alice", f"true 2026-08-24T23:59:59Z {USED}"))
    east = datetime(2026, 11, 23, 9, tzinfo=timezone(timedelta(hours=9)))
    for as_of in ("2026-11-23T09:00:00+09:00", "2026-11-22T19:00:00-05:00", east):
        audit = judge(text, as_of=as_of)
        assert audit.as_of == datetime(2026, 11, 23, tzinfo=UTC)
        assert one_key(audit) == "NON_COMPLIANT"


def test_an_inactive_key_is_listed_and_not_judged_by_age(judge):
    audit = judge(report(("alice", "false 2020-01-01T00:00:00Z N/A", FRESH)))
    assert verdicts(audit, "rotation") == {("alice", 1): "NOT_APPLICABLE", ("alice", 2): "COMPLIANT"}
    assert verdicts(audit, "unused") == {("alice", 2): "COMPLIANT"}
    assert audit.conclusion == "COMPLIANT"


def test_a_root_key_is_judged_for_age_like_a_user_s_and_for_existing(judge):
    audit = judge(report(("alice", FRESH), root=(OLD,)))
    assert verdicts(audit, "rotation")[ROOT, 1] == "NON_COMPLIANT"
    assert verdicts(audit, "root-key") == {(ROOT, 1): "NON_COMPLIANT"}


def test_an_undated_active_key_is_unknown_and_warned_of(judge):
    audit = judge(report(("alice", f"true N/A {USED}"), ("bob", FRESH)))
    assert verdicts(audit, "rotation") == {("alice", 1): "INSUFFICIENT_DATA", ("bob", 1): "COMPLIANT"}
    assert audit.conclusion == "INSUFFICIENT_DATA"
    assert "alice" in audit.warnings[0]


def test_a_date_after_as_of_is_unknown_and_warned_of(judge):
    audit = judge(report(("alice", "true 2026-11-23T00:00:01Z N/A")))
    assert verdicts(audit, "rotation")["alice", 1] == "INSUFFICIENT_DATA"
    assert verdicts(audit, "unused")["alice", 1] == "INSUFFICIENT_DATA"
    assert "after the instant of judgement" in audit.warnings[0]


def test_a_date_exactly_at_as_of_is_age_nought(judge):
    audit = judge(report(("alice", "true 2026-11-23T00:00:00Z N/A")))
    assert audit.conclusion == "COMPLIANT" and audit.findings["age_days"].max() == 0


# --- evidence that the report was made after as_of: keys deleted in between are not in it -----------------------
LATER = "2026-11-23T00:00:01Z"
AFTER = {
    "an active key": row("alice", f"true {LATER} N/A"),
    "an inactive key": row("alice", f"false {LATER} N/A"),
    "a use": row("alice", f"true 2026-11-01T00:00:00Z {LATER}"),
    "a use of an inactive key": row("alice", f"false 2026-11-01T00:00:00Z {LATER}"),
    "a user": row("alice", user_creation_time=LATER),
    "a sign-in": row("alice", password_enabled="true", password_last_used=LATER),
    "a password": row("alice", password_enabled="true", password_last_changed=LATER),
    "a certificate": row("alice", cert_1_active="true", cert_1_last_rotated=LATER),
}


@pytest.mark.parametrize("of", AFTER)
def test_a_report_that_knows_of_something_after_as_of_is_insufficient_for_every_control(judge, of):
    audit = judge(csv_of([row(ROOT), AFTER[of]]))
    assert set(audit.conclusions.values()) == {"INSUFFICIENT_DATA"}


def test_the_expiry_of_a_password_lies_in_the_future_and_proves_nothing(judge):
    audit = judge(csv_of([row(ROOT), row("alice", FRESH, password_next_rotation="2027-01-01T00:00:00Z")]))
    assert audit.conclusion == "COMPLIANT"


# --- no period, no policy -------------------------------------------------------------------------------------
@pytest.mark.parametrize("keys", [(OLD,), (FRESH,), (NO_KEY,)])
def test_no_period_defined_is_non_compliant_whatever_the_ages_even_without_keys(judge, policy, keys):
    audit = judge(report(("alice", *keys)), policy())
    assert audit.conclusions["rotation"] == audit.conclusion == "NON_COMPLIANT"
    assert "no rotation period is defined: the policy has no max_access_key_age" in list(
        audit.findings["annotation"]
    )


def test_no_period_defined_cannot_be_exempted(judge, policy):
    audit = judge(report(("alice", OLD)), policy(exemption(users='["*"]')))
    assert set(verdicts(audit, "rotation").values()) == {"NON_COMPLIANT"}


def test_no_policy_given_is_at_best_insufficient_data_and_says_so(judge):
    audit = judge(report(("alice", FRESH)), policy="")
    assert verdicts(audit, "rotation")["alice", 1] == "COMPLIANT"
    assert audit.conclusion == "INSUFFICIENT_DATA"
    assert audit.conclusions["rotation"] == audit.conclusions["unused"] == "INSUFFICIENT_DATA"
    assert "no policy was given" in said(audit) and audit.policy.given is False


def test_no_policy_given_is_non_compliant_where_a_key_is_over_90_days(judge):
    assert judge(report(("alice", OLD)), policy="").conclusion == "NON_COMPLIANT"


def test_a_control_without_its_limit_is_not_assessed_and_the_report_says_so(judge, policy):
    audit = judge(report(("alice", "true 2026-11-01T00:00:00Z N/A", FRESH)), policy("max_access_key_age = 90"))
    assert list(audit.conclusions) == ["rotation", "root-key"]
    assert [note for note in audit.notes if "not assessed" in note] == [
        "unused was not assessed: the policy sets no limit for it",
        "active-keys was not assessed: the policy sets no limit for it",
    ]
    assert audit.conclusion == "COMPLIANT"


def test_only_the_controls_that_the_policy_names_count(judge, policy):
    audit = judge(report(("alice", FRESH), root=(FRESH,)), policy(LIMITS + 'controls = ["rotation"]'))
    assert audit.conclusions["root-key"] == "NON_COMPLIANT"
    assert audit.conclusion == "COMPLIANT"


def test_where_no_control_that_counts_was_assessed_nothing_is_concluded(judge, policy):
    audit = judge(report(("alice", FRESH)), policy('max_access_key_age = 90\ncontrols = ["unused"]'))
    assert audit.conclusion == "INSUFFICIENT_DATA"


def test_a_policy_that_is_not_yet_in_force_is_noted(judge, policy):
    audit = judge(report(("alice", FRESH)), policy(LIMITS + "effective = 2026-11-24"))
    assert "the policy is effective from 2026-11-24, after the instant of judgement" in audit.notes


# --- unused ---------------------------------------------------------------------------------------------------
IDLE = {
    # last rotated, last used -> verdict under 45 days (CIS 1.12: "for 45 days or more")
    "exactly 45 days": ("2026-08-25T00:00:00Z", "2026-10-09T00:00:00Z", "NON_COMPLIANT"),
    "a second less": ("2026-08-25T00:00:00Z", "2026-10-09T00:00:01Z", "COMPLIANT"),
    "never used, made 45 days ago": ("2026-10-09T00:00:00Z", "N/A", "NON_COMPLIANT"),
    "never used, made a second later": ("2026-10-09T00:00:01Z", "N/A", "COMPLIANT"),
    "used before it was rotated": ("2026-10-09T00:00:01Z", "2026-01-01T00:00:00Z", "COMPLIANT"),
    "used before it was rotated long ago": ("2026-10-09T00:00:00Z", "2026-01-01T00:00:00Z", "NON_COMPLIANT"),
    "no answer, old": ("2026-10-09T00:00:00Z", "no_information", "INSUFFICIENT_DATA"),
    "no answer, young": ("2026-10-09T00:00:01Z", "no_information", "COMPLIANT"),
    "undated, used": ("N/A", "2026-11-20T00:00:00Z", "COMPLIANT"),
    "undated, unused": ("N/A", "2026-10-09T00:00:00Z", "NON_COMPLIANT"),
    "neither": ("N/A", "N/A", "INSUFFICIENT_DATA"),
    "used after as_of": ("2026-11-01T00:00:00Z", "2026-11-23T00:00:01Z", "INSUFFICIENT_DATA"),
}


@pytest.mark.parametrize("of", IDLE)
def test_idle_time_counts_from_the_last_use_else_from_the_rotation_cis_1_12(judge, of):
    rotated, used, expected = IDLE[of]
    assert verdicts(judge(report(("alice", f"true {rotated} {used}"))), "unused")["alice", 1] == expected


def test_region_and_service_n_a_prove_no_non_use(judge):
    """Global services leave them N/A (DOMAIN)."""
    text = csv_of([row(ROOT), row("alice", FRESH, access_key_1_last_used_region="N/A")])
    assert verdicts(judge(text), "unused") == {("alice", 1): "COMPLIANT"}


def test_without_last_used_columns_use_is_not_known(judge):
    columns = [name for name in HEADER if "last_used" not in name]
    audit = judge(csv_of([row(ROOT), row("alice", FRESH)], columns))
    assert audit.conclusions["unused"] == "INSUFFICIENT_DATA"
    assert audit.conclusions["rotation"] == "COMPLIANT"


def test_without_last_used_columns_a_young_key_is_still_not_judged_clean_as_a_whole(judge):
    columns = [name for name in HEADER if name != "access_key_2_last_used_date"]
    assert judge(csv_of([row(ROOT), row("alice", FRESH)], columns)).conclusion == "INSUFFICIENT_DATA"


# --- active keys, root key ------------------------------------------------------------------------------------
def test_two_active_keys_are_one_too_many_cis_1_13(judge):
    audit = judge(
        report(("alice", FRESH, FRESH), ("bob", FRESH), ("carol", FRESH, "false 2026-01-01T00:00:00Z N/A"))
    )
    assert verdicts(audit, "active-keys") == {
        ("alice", None): "NON_COMPLIANT",
        ("bob", None): "COMPLIANT",
        ("carol", None): "COMPLIANT",
    }


def test_an_iam_user_called_like_root_is_counted_apart_from_the_root(judge):
    rows = [row(ROOT, FRESH) | {"user": "root"}, row("root", FRESH)]
    audit = judge(csv_of(rows))
    found = audit.findings[audit.findings["control"] == "active-keys"]
    assert sorted(found["compliance_type"]) == ["COMPLIANT", "COMPLIANT"]
    assert audit.findings["finding_id"].is_unique
    assert len(audit.findings[audit.findings["control"] == "root-key"]) == 1


@pytest.mark.parametrize(
    "key", [FRESH, "true N/A N/A", "false 2020-01-01T00:00:00Z N/A", "false no_information N/A"]
)
def test_a_root_key_is_a_finding_active_or_not_cis_1_4(judge, key):
    audit = judge(report(("alice", FRESH), root=(NO_KEY, key)))
    assert verdicts(audit, "root-key") == {(ROOT, 2): "NON_COMPLIANT"}
    assert audit.conclusion == "NON_COMPLIANT"


def test_no_root_key_is_one_compliant_row(judge):
    assert verdicts(judge(report(("alice", FRESH))), "root-key") == {(ROOT, None): "COMPLIANT"}


def test_an_account_without_keys_is_compliant(judge):
    audit = judge(report(("alice",)))
    assert audit.conclusion == "COMPLIANT" and len(audit.keys) == 0


# --- overrides ------------------------------------------------------------------------------------------------
def test_of_all_overrides_that_match_the_strictest_applies_limit_by_limit(judge, policy):
    overrides = [
        '[[override]]\nusers = ["svc-a*"]\nmax_credential_usage_age = 3\n',
        '[[override]]\nusers = ["svc-*"]\nmax_access_key_age = 10\nmax_credential_usage_age = 30\n',
        '[[override]]\nusers = ["*"]\nmax_access_key_age = 60\n',
    ]
    text = report(("svc-a1", FRESH), ("svc-b1", FRESH), ("bob", FRESH))
    for order in permutations(overrides):
        audit = judge(text, policy(LIMITS + "".join(order)))
        assert verdicts(audit, "rotation") == {
            ("svc-a1", 1): "NON_COMPLIANT",
            ("svc-b1", 1): "NON_COMPLIANT",
            ("bob", 1): "COMPLIANT",
        }
        assert verdicts(audit, "unused") == {
            ("svc-a1", 1): "NON_COMPLIANT",
            ("svc-b1", 1): "COMPLIANT",
            ("bob", 1): "COMPLIANT",
        }
        limits = dict(zip(audit.keys["user"], audit.keys["limit"], strict=True))
        assert limits == {"svc-a1": 10, "svc-b1": 10, "bob": 60}


def test_an_override_for_an_account_applies_to_that_account_alone(judge, policy):
    terms = policy(f'{LIMITS}[[override]]\naccounts = ["{ACCOUNT}"]\nmax_access_key_age = 10')
    assert one_key(judge(report(("alice", FRESH)), terms)) == "NON_COMPLIANT"
    assert one_key(judge(report(("alice", FRESH), account=OTHER), terms)) == "COMPLIANT"


def test_an_override_of_no_keys_at_all(judge, policy):
    terms = policy(LIMITS + '[[override]]\nusers = ["alice"]\nmax_active_keys = 0')
    audit = judge(report(("alice", FRESH), ("bob", FRESH)), terms)
    assert verdicts(audit, "active-keys") == {("alice", None): "NON_COMPLIANT", ("bob", None): "COMPLIANT"}


def test_patterns_are_case_sensitive_and_whole(judge, policy):
    terms = policy(LIMITS + '[[override]]\nusers = ["svc-?"]\nmax_access_key_age = 10')
    audit = judge(report(("svc-1", FRESH), ("svc-12", FRESH), ("SVC-1", FRESH), ("a-svc-1", FRESH)), terms)
    assert [user for (user, _), kind in verdicts(audit, "rotation").items() if kind == "NON_COMPLIANT"] == ["svc-1"]


def test_an_override_for_accounts_leaves_an_unknown_account_unknown(judge, policy):
    terms = policy(f'{LIMITS}[[override]]\naccounts = ["{ACCOUNT}"]\nmax_access_key_age = 10')
    audit = judge(report(("alice", FRESH), columns=CUT), terms)
    assert audit.conclusions["rotation"] == "INSUFFICIENT_DATA"
    assert audit.conclusions["unused"] == "COMPLIANT"


# --- exemptions -----------------------------------------------------------------------------------------------
TWO_OLD = report(("alice", OLD), ("bob", OLD))


def test_an_exemption_in_force_exempts_its_user_and_no_other(judge, policy):
    audit = judge(TWO_OLD, policy(LIMITS + exemption()))
    assert verdicts(audit, "rotation") == {("alice", 1): "EXEMPT", ("bob", 1): "NON_COMPLIANT"}
    assert audit.conclusion == "NON_COMPLIANT"
    assert audit.counts == {"NON_COMPLIANT": 1, "EXEMPT": 1}


def test_an_account_whose_failures_are_all_exempt_is_compliant_with_the_number_stated(judge, policy):
    audit = judge(report(("alice", OLD)), policy(LIMITS + exemption()))
    assert audit.conclusion == "COMPLIANT" and audit.counts == {"EXEMPT": 1}
    exempt = audit.findings[audit.findings["compliance_type"] == "EXEMPT"].iloc[0]
    assert exempt["exemption_id"] == "E1" and (exempt["age_days"], exempt["days_over"]) == (267, 177)


@pytest.mark.parametrize(
    ("expires", "kind"),
    [("2026-11-22", "NON_COMPLIANT"), ("2026-11-23", "NON_COMPLIANT"), ("2026-11-24", "EXEMPT")],
)
def test_from_the_day_of_expiry_on_the_finding_stands_again(judge, policy, expires, kind):
    assert one_key(judge(report(("alice", OLD)), policy(LIMITS + exemption(expires=expires)))) == kind


def test_an_exemption_is_in_force_to_the_last_second_of_the_day_before(judge, policy):
    terms = policy(LIMITS + exemption(expires="2026-11-23"))
    assert one_key(judge(report(("alice", OLD)), terms, "2026-11-22T23:59:59.999999Z")) == "EXEMPT"
    assert one_key(judge(report(("alice", OLD)), terms, "2026-11-23T00:00:00Z")) == "NON_COMPLIANT"
    assert one_key(judge(report(("alice", OLD)), terms, "2026-11-23T08:59:59+09:00")) == "EXEMPT"


@pytest.mark.parametrize(
    ("rotated", "elapsed", "whole_days"),
    [
        ("2026-05-07T00:00:00Z", "EXEMPT", "EXEMPT"),  # exactly 200 days
        ("2026-05-06T23:59:59Z", "NON_COMPLIANT", "EXEMPT"),
        ("2026-05-06T00:00:00Z", "NON_COMPLIANT", "NON_COMPLIANT"),
    ],
)
def test_an_exemption_with_an_upper_limit_ends_there_compared_as_ages_are(
    judge, policy, rotated, elapsed, whole_days
):
    text = report(("alice", f"true {rotated} {USED}"))
    for comparison, kind in (("elapsed", elapsed), ("whole_days", whole_days)):
        terms = policy(f'{LIMITS}age_comparison = "{comparison}"\n{exemption(more="max_access_key_age = 200")}')
        assert one_key(judge(text, terms)) == kind


def test_the_upper_limit_of_an_exemption_is_an_age_and_bounds_rotation_alone(judge, policy):
    terms = policy(LIMITS + exemption(controls='["rotation", "unused"]', more="max_access_key_age = 200"))
    audit = judge(report(("alice", "true 2026-03-01T00:00:00Z N/A"), ("bob", FRESH)), terms)
    found = [verdicts(audit, control)["alice", 1] for control in ("rotation", "unused")]
    assert found == ["NON_COMPLIANT", "EXEMPT"]


def test_a_later_exemption_applies_where_an_earlier_one_has_ended(judge, policy):
    terms = policy(
        LIMITS
        + exemption(expires="2026-11-01", identifier="expired")
        + exemption(more="max_access_key_age = 100", identifier="too low")
        + exemption(more="max_access_key_age = 300", identifier="this one")
    )
    audit = judge(report(("alice", OLD)), terms)
    assert one_key(audit) == "EXEMPT"
    assert set(audit.findings["exemption_id"].dropna()) == {"this one"}


def test_an_exemption_is_for_its_controls_alone(judge, policy):
    text = report(("alice", "true 2026-03-01T00:00:00Z N/A", OLD))
    audit = judge(text, policy(LIMITS + exemption(controls='["unused"]')))
    assert verdicts(audit, "rotation") == {("alice", 1): "NON_COMPLIANT", ("alice", 2): "NON_COMPLIANT"}
    assert verdicts(audit, "unused") == {("alice", 1): "EXEMPT", ("alice", 2): "COMPLIANT"}
    assert verdicts(audit, "active-keys") == {("alice", None): "NON_COMPLIANT"}


def test_an_exemption_for_an_account_never_matches_another_or_an_unknown_one(judge, policy):
    terms = policy(LIMITS + exemption(more=f'accounts = ["{ACCOUNT}"]'))
    assert one_key(judge(report(("alice", OLD)), terms)) == "EXEMPT"
    assert one_key(judge(report(("alice", OLD), account=OTHER), terms)) == "NON_COMPLIANT"
    assert one_key(judge(report(("alice", OLD), columns=CUT), terms)) == "NON_COMPLIANT"


def test_an_exemption_never_covers_what_is_not_known(judge, policy):
    everything = exemption(users='["*"]', controls='["rotation", "unused", "active-keys", "root-key"]')
    audit = judge(report(("alice", "true N/A N/A"), root=None), policy(LIMITS + everything))
    assert audit.conclusions["rotation"] == audit.conclusions["root-key"] == "INSUFFICIENT_DATA"


# --- as_of and staleness --------------------------------------------------------------------------------------
def wrapped(generated: str | None, *users: tuple[str, ...]) -> str:
    content = base64.b64encode(report(*users).encode()).decode()
    return json.dumps({"Content": content, "GeneratedTime": generated})


def test_an_instant_that_is_given_is_used_and_stated(judge):
    audit = judge(wrapped("2026-11-22T12:00:00Z", ("alice", FRESH)))
    assert (audit.as_of, audit.as_of_source) == (datetime(2026, 11, 23, tzinfo=UTC), "given")


def test_without_one_the_generated_time_is_used(judge):
    audit = judge(wrapped("2026-11-22T21:00:00+09:00", ("alice", FRESH)), as_of="")
    assert (audit.as_of, audit.as_of_source) == (datetime(2026, 11, 22, 12, tzinfo=UTC), "generated_time")


def test_the_latest_generated_time_of_several_is_used(tmp_path):
    for name, when, account in (("a", "2026-11-22T12:00:00Z", ACCOUNT), ("b", "2026-11-22T18:00:00Z", OTHER)):
        content = base64.b64encode(report(("alice", FRESH), account=account).encode()).decode()
        (tmp_path / f"{name}.json").write_text(json.dumps({"Content": content, "GeneratedTime": when}))
    assert keyaudit.audit(tmp_path, "cis").as_of == datetime(2026, 11, 22, 18, tzinfo=UTC)


def test_where_a_report_carries_none_the_moment_of_reading_is_used_and_said(judge):
    before = datetime.now(UTC)
    audit = judge(report(("alice", "true 2020-01-01T00:00:00Z 2020-01-01T00:00:00Z")), as_of="")
    assert before <= audit.as_of <= datetime.now(UTC) and audit.as_of_source == "received_time"
    assert audit.as_of.utcoffset() == timedelta(0)
    assert "does not tell when it was generated: whether it is stale could not be judged" in said(audit)


@pytest.mark.parametrize(
    "as_of",
    [
        "2026-11-23",
        "2026-11-23T17:00:00",
        "now",
        "1795000000",
        datetime(2026, 11, 23),  # noqa: DTZ001
        date(2026, 11, 23),
        5,
        True,
        [],
        b"x",
    ],
)
def test_an_instant_without_a_zone_is_refused(judge, as_of):
    with pytest.raises(InputError, match="as_of") as refused:
        judge(report(("alice", FRESH)), as_of=as_of)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("as_of", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00Z"])
def test_an_instant_at_the_ends_of_the_calendar_is_refused_or_judged_and_never_a_crash(judge, as_of):
    try:
        audit = judge(report(("alice", FRESH)), as_of=as_of)
    except InputError as refused:
        assert "as_of" in str(refused)
    else:
        assert audit.conclusion != "COMPLIANT"


@pytest.mark.parametrize("generated", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", 253402300799, -62135596800])
def test_a_generated_time_at_the_ends_of_the_calendar_is_refused_or_judged_and_never_a_crash(judge, generated):
    try:
        audit = judge(wrapped(generated, ("alice", FRESH)), as_of="")
    except InputError as refused:
        assert "GeneratedTime" in str(refused)
    else:
        assert audit.conclusion != "COMPLIANT"


@pytest.mark.parametrize(
    ("generated", "kind"),
    [
        ("2026-11-23T00:00:00Z", "COMPLIANT"),
        ("2026-11-22T00:00:00Z", "COMPLIANT"),  # exactly 24 hours
        ("2026-11-21T23:59:59Z", "INSUFFICIENT_DATA"),
        ("2026-11-23T00:00:01Z", "INSUFFICIENT_DATA"),  # after as_of
    ],
)
def test_a_report_is_stale_after_24_hours_and_void_if_generated_after_as_of(judge, generated, kind):
    audit = judge(wrapped(generated, ("alice", FRESH)))
    assert set(audit.conclusions.values()) == {kind} and audit.conclusion == kind


def test_the_policy_sets_how_old_a_report_may_be(judge, policy):
    text = wrapped("2026-11-22T19:59:59Z", ("alice", FRESH))
    assert judge(text, policy(LIMITS + "max_report_age_hours = 4")).conclusion == "INSUFFICIENT_DATA"
    assert judge(text, policy(LIMITS + "max_report_age_hours = 5")).conclusion == "COMPLIANT"


def test_without_as_of_a_report_that_was_old_when_it_was_read_is_stale(judge):
    audit = judge(wrapped("2026-01-23T00:00:00Z", ("alice", "true 2026-01-01T00:00:00Z N/A")), as_of="")
    assert audit.as_of_source == "generated_time"
    assert audit.conclusion == "INSUFFICIENT_DATA" and "stale" in said(audit)


def test_a_stale_report_does_not_hide_a_failure(judge):
    assert judge(wrapped("2026-11-01T00:00:00Z", ("alice", OLD))).conclusion == "NON_COMPLIANT"


# --- conclusions ----------------------------------------------------------------------------------------------
def test_conclusions_are_the_worst_of_each_control_and_over_all(judge):
    audit = judge(report(("alice", "true N/A 2026-11-20T00:00:00Z"), ("bob", FRESH, FRESH)))
    assert audit.conclusions == {
        "rotation": "INSUFFICIENT_DATA",
        "unused": "COMPLIANT",
        "active-keys": "NON_COMPLIANT",
        "root-key": "COMPLIANT",
    }
    assert audit.conclusion == "NON_COMPLIANT"


def test_every_existing_key_has_one_rotation_row(judge):
    audit = judge(report(("alice", OLD, "false 2020-01-01T00:00:00Z N/A"), ("bob", "true N/A N/A"), root=(FRESH,)))
    assert set(verdicts(audit, "rotation")) == {("alice", 1), ("alice", 2), ("bob", 1), (ROOT, 1)}
    assert sum(audit.counts.values()) == len(audit.keys) == 4


def test_findings_are_listed_worst_first(judge):
    users = ("fresh", FRESH), ("older", "true 2020-01-01T00:00:00Z N/A"), ("old", OLD), ("what", "true N/A N/A")
    audit = judge(report(*users))
    found = audit.findings[audit.findings["control"] == "rotation"]
    assert list(found["user"]) == ["older", "old", "what", "fresh"]


def test_keys_due_within_the_warning_period_are_counted(judge, policy):
    users = [
        (f"u{days}", f"true 2026-{month}T00:00:00Z {USED}")
        for days, month in ((0, "08-25"), (14, "09-08"), (15, "09-09"))
    ]
    assert judge(report(*users), policy(LIMITS + "warn_before = 14")).due_soon == 2


# --- finding ids ----------------------------------------------------------------------------------------------
def ids(audit) -> set[str]:
    assert audit.findings["finding_id"].is_unique
    return set(audit.findings["finding_id"])


def test_a_finding_keeps_its_id_from_run_to_run_whatever_its_verdict(judge):
    text = report(("alice", FRESH), ("bob", OLD, "false 2020-01-01T00:00:00Z N/A"))
    first = judge(text)
    later = judge(text, "skshieldus", "2026-12-18T00:00:00Z", name="other-name.csv")
    cells = report(("bob", OLD, "false 2020-01-01T00:00:00Z N/A"), ("alice", FRESH))
    assert ids(first) == ids(later) == ids(judge(cells))


def test_an_old_style_offset_does_not_change_the_id(judge):
    text = report(("alice", FRESH))
    assert ids(judge(text)) == ids(judge(text.replace("00Z", "00+00:00")))


def test_a_slot_that_is_used_again_is_another_key(judge):
    first = judge(report(("alice", FRESH)))
    again = judge(report(("alice", "true 2026-11-02T00:00:00Z 2026-11-20T00:00:00Z")))
    changed = ids(first) ^ ids(again)
    kept = first.findings[first.findings["finding_id"].isin(ids(again))]
    assert len(changed) == 4 and set(kept["control"]) == {"active-keys", "root-key"}


def test_a_user_who_was_made_again_the_other_slot_and_the_same_name_elsewhere_are_other_keys(judge):
    base = ids(judge(csv_of([row(ROOT), row("alice", FRESH)])))
    again = judge(csv_of([row(ROOT), row("alice", FRESH, user_creation_time="2021-01-01T00:00:00Z")]))
    slot = judge(csv_of([row(ROOT), row("alice", NO_KEY, FRESH)]))
    elsewhere = judge(report(("alice", FRESH), account=OTHER))
    assert len(base & ids(again)) == 1  # the row of the root user
    assert len(base & ids(slot)) == 2  # and that of the user as a whole
    assert base & ids(elsewhere) == set()


# --- annotations read as sentences ----------------------------------------------------------------------------
ANNOTATIONS = {
    # (key 1, control) -> annotation
    (f"true 2026-11-22T00:00:00Z {USED}", "rotation"): "active for 1 day, within the limit of 90",
    (f"true 2026-08-25T00:00:00Z {USED}", "rotation"): "active for 90 days, within the limit of 90",
    (f"true 2026-08-24T12:00:00Z {USED}", "rotation"): (
        "active for more than 90 days, less than a day over the limit of 90"
    ),
    (f"true 2026-08-24T00:00:00Z {USED}", "rotation"): "active for 91 days, 1 over the limit of 90",
    (OLD, "rotation"): "active for 267 days, 177 over the limit of 90",
    ("false 2020-01-01T00:00:00Z N/A", "rotation"): "inactive: not judged by age",
    (
        f"true N/A {USED}",
        "rotation",
    ): "active, but the report gives no date of its last rotation: its age is unknown",
    ("true 2026-12-01T00:00:00Z N/A", "rotation"): (
        "active, but last rotated after the instant of judgement: its age is unknown"
    ),
    ("true 2026-08-25T00:00:00Z 2026-11-22T00:00:00Z", "unused"): "last used 1 day ago, within the limit of 45",
    (FRESH, "unused"): "last used 3 days ago, within the limit of 45",
    ("true 2026-08-25T00:00:00Z 2026-10-01T00:00:00Z", "unused"): (
        "last used 53 days ago; 45 days or more count as unused"
    ),
    ("true 2026-11-22T00:00:00Z N/A", "unused"): "never used since it was made 1 day ago, within the limit of 45",
    ("true 2026-08-25T00:00:00Z N/A", "unused"): (
        "never used since it was made 90 days ago; 45 days or more count as unused"
    ),
    ("true 2026-08-25T00:00:00Z no_information", "unused"): (
        "the report does not say when it was last used, and it is old enough to be unused"
    ),
    ("true N/A N/A", "unused"): "neither its last use nor its making has a date: its idle time is unknown",
    ("true 2026-12-01T00:00:00Z N/A", "unused"): (
        "made or used after the instant of judgement: its idle time is unknown"
    ),
    (FRESH, "active-keys"): "1 active key, within the limit of 1",
}


@pytest.mark.parametrize(("key", "control"), ANNOTATIONS)
def test_the_reason_of_each_verdict_reads_as_a_sentence(judge, key, control):
    found = judge(report(("alice", key))).findings
    found = found[(found["control"] == control) & (found["user"] == "alice")]
    assert list(found["annotation"]) == [ANNOTATIONS[key, control]]


def annotations(audit, control: str) -> list[str]:
    return list(audit.findings.loc[audit.findings["control"] == control, "annotation"])


def test_the_other_reasons_read_as_sentences_too(judge, policy):
    assert annotations(judge(report(("alice", FRESH, FRESH))), "active-keys") == [
        "2 active keys, over the limit of 1"
    ]
    none = policy(LIMITS.replace("keys = 1", "keys = 0"))
    assert annotations(judge(report(("alice", FRESH)), none), "active-keys") == [
        "1 active key, over the limit of 0"
    ]
    assert annotations(judge(report()), "root-key") == ["the root user has no access key"]
    assert annotations(judge(report(root=(FRESH,))), "root-key") == ["the root user has an active access key"]
    inactive = "false 2020-01-01T00:00:00Z N/A"
    assert annotations(judge(report(root=(inactive,))), "root-key") == [
        "the root user has an access key, though inactive"
    ]
    assert annotations(judge(report(("alice", OLD)), policy(LIMITS + exemption())), "rotation") == [
        "active for 267 days, 177 over the limit of 90; exempt by E1 until 2026-12-31"
    ]
    assert "no rotation period is defined; active for 22 days" in annotations(
        judge(report(("alice", FRESH)), policy()), "rotation"
    )


def test_a_limit_of_one_day_reads_well(judge, policy):
    terms = policy("max_access_key_age = 1\nmax_credential_usage_age = 1")
    text = report(("alice", "true 2026-11-21T12:00:00Z 2026-11-21T23:00:00Z"), ("new", NO_KEY))
    made = "2026-11-22T12:00:00Z"  # the report is of today
    audit = judge(text.replace("user/new,2020-01-01T00:00:00Z", f"user/new,{made}"), terms)
    assert annotations(audit, "rotation") == ["active for more than 1 day, less than a day over the limit of 1"]
    (text,) = annotations(audit, "unused")
    assert text.startswith("last used 1 day ago") and "0 over" not in text


def test_an_annotation_states_no_age_that_is_not_known(judge, policy):
    for key in ("true N/A N/A", "true 2026-12-01T00:00:00Z N/A"):
        found = annotations(judge(report(("alice", key)), policy()), "rotation")
        assert not [text for text in found if "0 days" in text], found


def test_an_annotation_never_claims_a_last_use_that_the_report_does_not_show(judge):
    """Idle since it was rotated 53 days ago; it was last used in January."""
    audit = judge(report(("alice", "true 2026-10-01T00:00:00Z 2026-01-01T00:00:00Z")))
    assert not [text for text in annotations(audit, "unused") if "last used 53 days ago" in text]
    assert any("not used since it was last rotated 53 days ago" in text for text in annotations(audit, "unused"))


def test_an_annotation_never_claims_that_a_key_was_never_used_where_the_report_does_not_know(judge):
    (text,) = annotations(judge(report(("alice", "true 2026-11-01T00:00:00Z no_information"))), "unused")
    assert "never used" not in text


# --- frames ---------------------------------------------------------------------------------------------------
def test_the_frames_have_the_columns_and_types_that_design_names(judge):
    audit = judge(report(("alice", OLD)))
    names = (
        "finding_id control account_id user arn key_slot access_key_id status last_rotated age_days due days_over "
        "limit compliance_type annotation exemption_id owner administrator account_name last_used_date "
        "last_used_service purpose"
    )
    assert " ".join(audit.findings.columns) == names
    first = ["account_id", "user", "arn", "user_creation_time", "is_root", "key_slot", "status", "last_rotated"]
    assert list(audit.keys.columns[:8]) == first
    assert str(audit.keys["last_rotated"].dtype) == str(audit.findings["due"].dtype) == "datetime64[us, UTC]"
    assert audit.users["user_creation_time"].dt.tz is UTC


def test_an_audit_of_nothing_has_frames_of_the_same_types(judge):
    full, empty = judge(report(("alice", OLD), root=(OLD,))), judge(report())
    pd.testing.assert_series_equal(empty.findings.dtypes, full.findings.dtypes)
    pd.testing.assert_series_equal(empty.keys.dtypes, full.keys.dtypes)
    assert len(empty.keys) == 0
