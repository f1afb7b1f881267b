"""A judgement, complete: what check, notebooks, evidence and verify share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from keyaudit.model.population import Skipped
from keyaudit.model.provenance import Difference, Provenance
from keyaudit.model.rotated import RotationVerdict
from keyaudit.schema import GRADES, NOTHING_READ, ROTATION, Problem

if TYPE_CHECKING:
    import pandas as pd

    from keyaudit.policy import Exemption, Policy


@dataclass(frozen=True)
class ExemptionUse:
    """What came of an exemption. ``state``: ``in_use``; ``some_past_cap`` if it is in use but also names keys that
    are older than its cap; ``expired``; or why it is not in use: ``past_cap``, ``covered`` by another exemption,
    ``no_period`` to be exempt from, ``unused`` if nothing matches. ``number``: of findings that it exempts or, if
    it has expired, that stand again. ``past_cap``: of keys that it names and that are past its cap."""

    exemption: Exemption
    state: str
    number: int
    past_cap: int


@dataclass(frozen=True)
class Audit:
    """A judgement, complete: frames (see ``schema``), conclusions, and everything that they rest on.

    ``conclusions`` has one entry for each control that was assessed; ``conclusion`` is the worst of those that the
    policy counts. ``tallies`` count findings by control and compliance type, ``due_soon`` the compliant keys whose
    deadline is within the policy's ``warn_before``. ``exemptions`` are the policy's, each with what came of it.
    ``differences`` are those between reports and live accounts, each with its account. ``rotations`` are the
    verdicts on secrets under rotation, if a capture asked for them. ``skipped`` are accounts of the organization
    that are not active, and therefore not expected. ``assurance`` is the lowest grade of any account that was read
    (schema.GRADES); ``newest_date`` is the newest date in a file of unknown age, of several files the earliest. If
    only the worst findings were asked for, ``users`` and ``keys`` are empty and ``findings`` is cut, but
    conclusions, tallies and provenance are complete. ``users_of`` makes the frame ``users``.
    """

    users_of: Callable[[], pd.DataFrame]
    keys: pd.DataFrame
    findings: pd.DataFrame
    conclusions: dict[str, str]
    conclusion: str
    tallies: dict[str, dict[str, int]]
    due_soon: int
    exemptions: tuple[ExemptionUse, ...]
    policy: Policy
    as_of: datetime
    as_of_source: str
    provenance: tuple[Provenance, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    differences: tuple[tuple[str, Difference], ...]
    rotations: tuple[RotationVerdict, ...]
    skipped: tuple[Skipped, ...]
    is_sample: bool

    @cached_property
    def users(self) -> pd.DataFrame:
        """One row per principal, with AWS's columns (see ``schema``); made when somebody looks at it."""
        return self.users_of()

    @property
    def assurance(self) -> str:
        grades = {one.assurance for one in self.provenance} - {NOTHING_READ}
        return max(grades, key=GRADES.index, default=NOTHING_READ)

    @property
    def newest_date(self) -> datetime | None:
        return min((one.newest_date for one in self.provenance if one.newest_date), default=None)

    @property
    def accounts(self) -> pd.DataFrame:
        """One row per account: ``account_id, account_name, conclusion, rotation, read, users, keys, active,
        failing, exempt, unknown, due_soon, oldest_days``. ``rotation`` is what was concluded for that control,
        whether it counts or not. Active keys are counted as over their limit, over it and exempt, of unknown age,
        and in time but due soon."""
        from keyaudit.model.accounts_frame import accounts_frame

        return accounts_frame(self.provenance, self.keys)

    @property
    def counts(self) -> dict[str, int]:
        """Rotation findings by compliance type."""
        return self.tallies[ROTATION]
