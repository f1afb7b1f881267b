"""The list of controls is one (schema.THE_CONTROLS): policies, functions, texts and the explorer follow from it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from keyaudit.assess import controls
from keyaudit.assess.judge import judge
from keyaudit.assess.rows import Rows, choose
from keyaudit.credentials.arrays import columns_of
from keyaudit.policy import Exemption, Override, Policy, load_policy
from keyaudit.schema import (
    COMPLIANT,
    CONTROLS,
    KEY_COLUMNS,
    LIMIT_OF,
    LIMITED_CONTROLS,
    NON_COMPLIANT,
    THE_CONTROLS,
)
from keyaudit.texts import ENGLISH, template


def test_each_control_has_its_function_and_no_other_is_judged() -> None:
    assert tuple(controls.REGISTRY) == CONTROLS == ("rotation", "unused", "active-keys", "root-key")


def test_each_limit_is_a_field_of_policies_and_overrides_and_no_other_is() -> None:
    scope = {"users", "accounts"}
    assert set(Override.model_fields) - scope == set(LIMIT_OF.values())
    assert set(LIMIT_OF.values()) <= set(Policy.model_fields)
    assert tuple(one.id for one in THE_CONTROLS if one.limit) == LIMITED_CONTROLS
    assert Policy.model_fields["controls"].default == list(CONTROLS)


@pytest.mark.parametrize("one", [one for one in THE_CONTROLS if one.limit], ids=lambda one: one.id)
def test_a_limit_is_what_the_list_says(one) -> None:
    terms = {"title": "t", one.limit: one.least}
    assert Policy.model_validate(terms).limit(one.id) == one.least
    for wrong in (one.least - 1, one.most + 1, str(one.least)):
        with pytest.raises(ValueError, match=one.limit):
            Policy.model_validate(terms | {one.limit: wrong})


@pytest.mark.parametrize("one", THE_CONTROLS, ids=lambda one: one.id)
def test_each_control_has_its_texts(one) -> None:
    assert all(template(key, ENGLISH) for key in (f"control.{one.id}", f"limit.{one.id}", one.id))
    fields = {"id": "E", "users": ["u"], "reason": "r", "approved_by": "a", "expires": date(2030, 1, 1)}
    assert Exemption.model_validate(fields | {"controls": [one.id]}).controls == [one.id]


def test_a_control_may_look_at_users(monkeypatch: pytest.MonkeyPatch) -> None:
    users = pd.DataFrame({"user": ["alice"], "mfa_active": [False]})

    def by_users(accounts: controls.Accounts) -> Rows:
        missing = ~accounts.users()["mfa_active"].to_numpy(bool)
        rows = np.flatnonzero(np.isin(accounts.keys["user"], accounts.users()["user"][missing]))
        return Rows(rows, choose([], (NON_COMPLIANT, "active"), len(rows)))

    monkeypatch.setitem(controls.REGISTRY, "root-key", by_users)
    keys = pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in KEY_COLUMNS.items()})
    keys = pd.concat([keys, pd.DataFrame({"user": ["alice", "bob"], "status": "Active", "is_root": False})])
    keys = columns_of(keys.astype(KEY_COLUMNS))
    now = datetime(2026, 11, 23, tzinfo=UTC)
    place = np.zeros(2, int)
    found = judge(
        controls.Accounts(
            ["123456789012"], keys, place, load_policy("cis"), now, place[:1] > 0, users=lambda: users
        ),
        [[]],
    )
    assert +found.tallies[0]["root-key"] == {NON_COMPLIANT: 1}
    assert COMPLIANT not in +found.tallies[0]["root-key"]
