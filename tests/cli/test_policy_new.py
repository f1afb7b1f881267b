"""``keyaudit policy new``: a policy that promises nothing before somebody fills it in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import FRESH, report, write
from evidence_helpers import keyaudit, refused

from keyaudit.policy import Policy, load_policy
from keyaudit.policy.terms import Exemption, Override


def new(folder: Path, *names: str) -> Path:
    done = keyaudit("policy", "new", *names, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.decode().strip()


def test_as_it_is_it_sets_no_period_names_nobody_and_lets_nobody_off(tmp_path: Path) -> None:
    found = load_policy(str(new(tmp_path)))
    assert (found.max_access_key_age, found.approved_by, found.effective) == (None, None, None)
    assert found.override == found.exemption == []
    write(tmp_path, "report.csv", report(("alice", FRESH)))
    done = keyaudit("check", "report.csv", "--policy", "policy.toml", cwd=tmp_path)
    assert done.returncode == 1 and b"no rotation period is defined" in done.stdout


def test_every_setting_is_there_to_be_filled_in(tmp_path: Path) -> None:
    """Each line that is a setting behind a # is one, once the # is gone."""
    path = new(tmp_path, "ours.toml")
    path.write_text(re.sub(r"^# (?=\[\[|\w+ = )", "", path.read_text(), flags=re.MULTILINE))
    found = load_policy(str(path))
    left_out = {"age_comparison"}  # counts in another way than AWS Config does; few want it
    assert found.model_fields_set == set(Policy.model_fields) - left_out
    (exemption,), (override,) = found.exemption, found.override
    assert set(Exemption.model_fields) - exemption.model_fields_set == {"max_access_key_age"}
    assert set(Override.model_fields) - override.model_fields_set == {"max_credential_usage_age", "max_active_keys"}


def test_it_says_what_to_do_next(tmp_path: Path) -> None:
    said = keyaudit("policy", "new", cwd=tmp_path).stderr.decode()
    assert "max_access_key_age, approved_by and effective" in said
    assert "keyaudit check SOURCE --policy policy.toml" in said


@pytest.mark.parametrize(("name", "said"), [("kept.toml", "is there already"), ("none/x.toml", "No such file")])
def test_what_is_there_is_left_as_it_is(tmp_path: Path, name: str, said: str) -> None:
    write(tmp_path, "kept.toml", "kept")
    assert said in refused(keyaudit("policy", "new", name, cwd=tmp_path), 2)
    assert (tmp_path / "kept.toml").read_text() == "kept"


@pytest.mark.parametrize("preset", ["cis", "skshieldus"])
def test_a_preset_approves_nothing(preset: str) -> None:
    assert load_policy(preset).approved_by is None
