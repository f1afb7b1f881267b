"""Policies: every key loads, every error names file, line and key, and nothing loosens but an exemption.

The example is that of DESIGN.md ("Policy"), word for word.
"""

from __future__ import annotations

import hashlib
from datetime import date

import pytest
from conftest import AS_OF, FRESH, report, write

import keyaudit
from keyaudit import InputError, PolicyError, load_policy

EXAMPLE = """\
title = "Access key standard"
version = "2026.1"
approved_by = "CISO"             # who set the period, from when: shown in every report, with the file's hash
effective = 2026-01-01
max_access_key_age = 90          # days
warn_before = 14                 # days before the deadline a key is listed as due soon
max_credential_usage_age = 45
max_active_keys = 1
max_report_age_hours = 24        # AWS serves a report for 4 hours: less than 4 is refused
age_comparison = "elapsed"       # or "whole_days"
controls = ["rotation", "unused", "active-keys", "root-key"]
references = ["CIS AWS Foundations 3.0", "ISMS-P 2023"]

[[override]]                     # may only tighten; first match wins
users = ["svc-*"]
accounts = ["123456789012"]
max_access_key_age = 30

[[exemption]]                    # the only way to loosen
id = "EXC-2026-004"
users = ["legacy-etl"]
accounts = ["123456789012"]      # never matches a report whose account is unknown
controls = ["rotation"]
max_access_key_age = 365         # optional: exempt up to this age, NON_COMPLIANT beyond
reason = "vendor appliance cannot reload keys; replaced in Q1"
approved_by = "CISO"
expires = 2026-12-31             # required; from then on the finding stands again
"""
EXEMPTION = """
[[exemption]]
id = "E1"
users = ["alice"]
controls = ["rotation"]
reason = "r"
approved_by = "CISO"
expires = 2026-12-31
"""
LIMITS = "max_access_key_age = 90\nmax_credential_usage_age = 45\nmax_active_keys = 1\n"


def test_every_key_of_the_example_loads(tmp_path):
    policy = load_policy(write(tmp_path, "standard.toml", EXAMPLE))
    assert (policy.title, policy.version, policy.approved_by) == ("Access key standard", "2026.1", "CISO")
    assert policy.effective == date(2026, 1, 1)
    assert (policy.max_access_key_age, policy.max_credential_usage_age, policy.max_active_keys) == (90, 45, 1)
    assert (policy.warn_before, policy.max_report_age_hours, policy.age_comparison) == (14, 24, "elapsed")
    assert policy.controls == ["rotation", "unused", "active-keys", "root-key"]
    assert policy.references == ["CIS AWS Foundations 3.0", "ISMS-P 2023"]
    (override,) = policy.override
    assert (override.users, override.accounts, override.max_access_key_age) == (["svc-*"], ["123456789012"], 30)
    assert (override.max_credential_usage_age, override.max_active_keys) == (None, None)
    (exemption,) = policy.exemption
    assert (exemption.id, exemption.users, exemption.accounts) == ("EXC-2026-004", ["legacy-etl"], ["123456789012"])
    assert (exemption.controls, exemption.max_access_key_age) == (["rotation"], 365)
    assert exemption.reason == "vendor appliance cannot reload keys; replaced in Q1"
    assert (exemption.approved_by, exemption.expires) == ("CISO", date(2026, 12, 31))


def test_origin_and_hash_of_the_file_are_kept(tmp_path):
    policy = load_policy(write(tmp_path, "standard.toml", EXAMPLE))
    assert policy.name == "standard.toml"
    assert policy.content == EXAMPLE.encode()
    assert policy.sha256 == hashlib.sha256(EXAMPLE.encode()).hexdigest()
    assert policy.given is True


@pytest.mark.parametrize(
    ("preset", "age", "idle"),
    [("cis", 90, 45), ("skshieldus", 60, 30)],  # DOMAIN.md, references
)
def test_presets_by_name_are_policies_like_any_other(preset, age, idle):
    policy = load_policy(preset)
    assert (policy.max_access_key_age, policy.max_credential_usage_age, policy.max_active_keys) == (age, idle, 1)
    assert policy.given is True and preset in policy.name
    assert policy.controls == ["rotation", "unused", "active-keys", "root-key"]


def test_no_policy_is_the_cis_preset_as_not_given():
    policy = load_policy("")
    assert policy.given is False
    assert policy.content == load_policy("cis").content


@pytest.mark.parametrize("name", ["CIS", "cis.toml", "nowhere.toml", "iso27001"])
def test_what_is_neither_a_file_nor_a_preset_is_refused_naming_the_presets(name):
    with pytest.raises(PolicyError) as refused:
        load_policy(name)
    assert name in str(refused.value) and "cis, skshieldus" in str(refused.value)


def test_a_folder_is_no_policy(tmp_path):
    with pytest.raises(PolicyError) as refused:
        load_policy(tmp_path)
    assert str(tmp_path) in str(refused.value)


def test_defaults_of_what_a_policy_leaves_out(policy):
    found = load_policy(policy())
    assert (found.max_access_key_age, found.max_credential_usage_age, found.max_active_keys) == (None, None, None)
    assert (found.warn_before, found.max_report_age_hours, found.age_comparison) == (14, 24, "elapsed")
    assert found.controls == ["rotation", "unused", "active-keys", "root-key"]
    assert (found.override, found.exemption, found.references) == ([], [], [])


# what the file says below its title (line 1) -> line, key, words
ERRORS = {
    "an unknown key": ("max_acces_key_age = 90", 2, "max_acces_key_age", "nearest: max_access_key_age"),
    "an unknown key like nothing": ("zzz = 90", 2, "zzz", "unknown key"),
    "a limit in words": ('max_access_key_age = "90"', 2, "max_access_key_age", "'90'"),
    "a limit with a fraction": ("max_access_key_age = 90.0", 2, "max_access_key_age", "90.0"),
    "a limit that is a switch": ("max_access_key_age = true", 2, "max_access_key_age", "True"),
    "a limit of nothing": ("max_access_key_age = 0", 2, "max_access_key_age", "0"),
    "a limit below nothing": ("max_access_key_age = -1", 2, "max_access_key_age", "-1"),
    "an infinite limit": ("max_access_key_age = inf", 2, "max_access_key_age", "inf"),
    "a limit beyond a century": ("max_access_key_age = 36501", 2, "max_access_key_age", "36501"),
    "idle days below one": ("\nmax_credential_usage_age = 0", 3, "max_credential_usage_age", "0"),
    "more keys than a user can have": ("max_active_keys = 3", 2, "max_active_keys", "3"),
    "fewer than no keys": ("max_active_keys = -1", 2, "max_active_keys", "-1"),
    "a warning in the past": ("warn_before = -1", 2, "warn_before", "-1"),
    "a report younger than AWS serves": ("max_report_age_hours = 3", 2, "max_report_age_hours", "3"),
    "another comparison": ('age_comparison = "rounded"', 2, "age_comparison", "'rounded'"),
    "no control": ("controls = []", 2, "controls", ""),
    "an unknown control": ('controls = ["rotaton"]', 2, "controls", "rotation"),
    "controls in one string": ('controls = "rotation"', 2, "controls", "list"),
    "a day in words": ('effective = "2026-01-01"', 2, "effective", "date"),
    "a title of nothing": ('version = ""', 2, "version", ""),
    "an unknown reference": (
        'references = ["CIS AWS Foundation 3.0"]',
        2,
        "references",
        "nearest: 'CIS AWS Foundations 3.0'",
    ),
    "an override that loosens": (
        LIMITS + '[[override]]\nusers = ["a"]\nmax_access_key_age = 91',
        7,
        "override.max_access_key_age",
        "91",
    ),
    "an override that loosens keys": (
        LIMITS + '[[override]]\nusers = ["a"]\nmax_active_keys = 2',
        7,
        "override.max_active_keys",
        "tighten",
    ),
    "an override that loosens idle time": (
        LIMITS + '[[override]]\nusers = ["a"]\nmax_credential_usage_age = 90',
        7,
        "override.max_credential_usage_age",
        "an exemption",
    ),
    "the second override": (
        LIMITS + '[[override]]\nusers = ["a"]\nmax_access_key_age = 9\n\n[[override]]\nusers = ["b"]\n'
        "max_access_key_age = 100",
        11,
        "override.max_access_key_age",
        "100",
    ),
    "an override of no limit": (
        '[[override]]\nusers = ["a"]\nmax_access_key_age = 9',
        4,
        "override",
        "tightens nothing",
    ),
    "an override for everybody": (
        LIMITS + "[[override]]\nmax_access_key_age = 9",
        5,
        "override",
        "users or accounts",
    ),
    "an override that sets nothing": (LIMITS + '[[override]]\nusers = ["a"]', 5, "override", "a limit"),
    "an override for nobody": (
        LIMITS + "[[override]]\nusers = []\nmax_access_key_age = 9",
        6,
        "override.users",
        "",
    ),
    "an override for another's id": (
        LIMITS + '[[override]]\naccounts = ["12345"]\nmax_access_key_age = 9',
        6,
        "override.accounts",
        "",
    ),
    "an account id that is a number": (
        LIMITS + "[[override]]\naccounts = [123456789012]\nmax_access_key_age = 9",
        6,
        "override.accounts",
        "string",
    ),
    "an account id of other digits": (
        LIMITS + '[[override]]\naccounts = ["１１１１２２２２３３３３"]\nmax_access_key_age = 9',
        6,
        "override.accounts",
        "",
    ),
    "an unknown key of an override": (
        LIMITS + '[[override]]\nuser = ["a"]\nmax_access_key_age = 9',
        6,
        "override.user",
        "nearest: users",
    ),
    "an override that exempts": (
        LIMITS + '[[override]]\nusers = ["a"]\nmax_access_key_age = 9\nreason = "r"',
        8,
        "override.reason",
        "unknown",
    ),
    "an exemption without expiry": (
        EXEMPTION.replace("expires = 2026-12-31\n", ""),
        3,
        "exemption.expires",
        "required",
    ),
    "an exemption that expires in words": (
        EXEMPTION.replace("2026-12-31", '"2026-12-31"'),
        9,
        "exemption.expires",
        "date",
    ),
    "an exemption that expires at an hour": (
        EXEMPTION.replace("2026-12-31", "2026-12-31T12:00:00Z"),
        9,
        "exemption.expires",
        "date",
    ),
    "an exemption without approval": (
        EXEMPTION.replace('approved_by = "CISO"\n', ""),
        3,
        "exemption.approved_by",
        "required",
    ),
    "an exemption without a reason": (EXEMPTION.replace('reason = "r"\n', ""), 3, "exemption.reason", "required"),
    "an exemption of an empty reason": (EXEMPTION.replace('"r"', '""'), 7, "exemption.reason", ""),
    "an exemption without users": (EXEMPTION.replace('users = ["alice"]\n', ""), 3, "exemption.users", "required"),
    "an exemption without controls": (
        EXEMPTION.replace('controls = ["rotation"]\n', ""),
        3,
        "exemption.controls",
        "required",
    ),
    "an exemption without an id": (EXEMPTION.replace('id = "E1"\n', ""), 3, "exemption.id", "required"),
    "an exemption from an unknown control": (
        EXEMPTION.replace("rotation", "rotaton"),
        6,
        "exemption.controls",
        "rotation",
    ),
    "two exemptions of one id": (EXEMPTION + EXEMPTION, 12, "exemption.id", "'E1' is used twice"),
    "the second exemption": (
        EXEMPTION + EXEMPTION.replace("E1", "E2").replace('"r"', "5"),
        15,
        "exemption.reason",
        "5",
    ),
    "an unknown key of an exemption": (EXEMPTION + 'until = "x"', 10, "exemption.until", "unknown key"),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_names_file_line_key_and_what_was_found(policy, kind):
    text, line, key, words = ERRORS[kind]
    path = policy(text)
    with pytest.raises(PolicyError) as refused:
        load_policy(path)
    message = str(refused.value)
    assert "\n" not in message and len(message) < 400
    assert path.name in message and f"line {line}" in message and key in message
    assert words in message


def test_a_policy_has_a_title(policy):
    with pytest.raises(PolicyError, match=r"line 1, title: this key is required"):
        load_policy(policy("max_access_key_age = 90", title=""))


NO_TOML = {
    "a quote that does not close": b'title = "x',
    "a key twice": b'title = "x"\ntitle = "y"',
    "YAML": b"title: x",
    "JSON": b'{"title": "x"}',
    "not UTF-8": 'title = "é"'.encode("latin-1"),
    "UTF-16": 'title = "x"'.encode("utf-16"),
    "no such day": b'title = "x"\neffective = 2026-02-30',
    "a number of 5,000 digits": b'title = "x"\nmax_access_key_age = ' + b"9" * 5000,
    "deep": b'title = "x"\na = ' + b"[" * 100_000,
}


@pytest.mark.parametrize("kind", NO_TOML)
def test_what_is_no_toml_is_refused_in_one_line_that_names_the_file(tmp_path, kind):
    with pytest.raises(PolicyError) as refused:
        load_policy(write(tmp_path, "p.toml", NO_TOML[kind]))
    assert "p.toml" in str(refused.value) and "\n" not in str(refused.value)


def test_the_line_of_a_key_in_an_inline_table_is_that_key_s(policy):
    path = policy('max_access_key_age = 90\noverride = [{users = ["a"], max_access_key_age = 91}]')
    with pytest.raises(PolicyError, match="line 3"):
        load_policy(path)


def test_windows_files_load(tmp_path):
    marked = b"\xef\xbb\xbf" + EXAMPLE.replace("\n", "\r\n").encode()
    assert load_policy(write(tmp_path, "p.toml", marked)).max_access_key_age == 90


def test_an_override_may_repeat_the_policy_s_limit(policy):
    assert load_policy(policy(LIMITS + '[[override]]\nusers = ["a"]\nmax_access_key_age = 90')).override


def test_every_reference_of_the_domain_can_be_cited(policy):
    names = [
        *(f"CIS AWS Foundations 1.{minor}" for minor in (2, 3, 4, 5)),
        *(f"CIS AWS Foundations {version}" for version in ("2.0", "3.0", "4.0.1", "5.0", "6.0", "7.0")),
        "AWS FSBP",
        "AWS Config managed rules",
        "NIST 800-53r5",
        "PCI DSS 4.0.1",
        "SOC 2",
        "ISMS-P 2023",
        "K-ISMS AWS conformance pack",
        "SK쉴더스 클라우드 보안 가이드",
        "FedRAMP",
        "NIST CSF",
        "ISO 27001:2022",
        "전자금융감독규정",
    ]
    text = "references = [" + ", ".join(f'"{name}"' for name in names) + "]"
    assert load_policy(policy(text)).references == names


@pytest.mark.parametrize("terms", [5, None, ["cis"], {"max_access_key_age": 90}, b"cis"])
def test_a_policy_that_is_no_path_is_refused(tmp_path, terms):
    with pytest.raises(InputError, match="policy"):
        keyaudit.audit(write(tmp_path, "report.csv", report(("bob", FRESH))), terms, AS_OF)


def test_a_policy_can_be_passed_on_as_it_was_read(tmp_path):
    terms = load_policy("skshieldus")
    audit = keyaudit.audit(write(tmp_path, "report.csv", report(("bob", FRESH))), terms, AS_OF)
    assert audit.policy is terms and audit.conclusion == "COMPLIANT"
