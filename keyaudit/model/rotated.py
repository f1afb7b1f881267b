"""A secret under rotation: what a capture saw of it, its user's keys and its function, and the verdict on it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from keyaudit.schema import FUNCTION_VERSION
from keyaudit.texts import short_id

#: a schedule that names its days
RATE = re.compile(r"rate\((\d{1,4}) days?\)", re.ASCII)


@dataclass(frozen=True)
class Version:
    """A version of a secret that has stages, or had stages."""

    version_id: str
    stages: tuple[str, ...]
    created: datetime


@dataclass(frozen=True)
class RotatedKey:
    """An access key as IAM describes it; ``last_used`` None: never."""

    key_id: str
    is_active: bool
    created: datetime
    last_used: datetime | None
    used_by: str

    @property
    def last4(self) -> str:
        """As the function writes it in its log."""
        return short_id(self.key_id)


@dataclass(frozen=True)
class Line:
    """A line that the function logged; ``at`` is the time that the log service gives it, ``said`` its further
    words."""

    at: datetime
    key: str | None
    step: str
    token: str | None
    outcome: str
    said: str


@dataclass(frozen=True)
class RotatedSecret:
    """A secret under rotation, its user, and everything that was seen of both. Numbers are days. ``every`` is None
    if the schedule names no days; ``schedule`` shows it. ``has_function``: whether the function exists;
    ``function`` is its name, ``version`` its version, ``grace`` and ``retention`` are as deployed. ``keys`` None:
    the user no longer exists. ``other_lines``: the number of lines in the log that are not the function's own."""

    account_id: str
    name: str
    region: str
    user: str
    is_enabled: bool
    has_function: bool
    function: str
    version: int
    schedule: str
    every: int | None
    grace: float | None
    retention: float | None
    adopted: tuple[str, ...]
    last_rotated: datetime | None
    next_rotation: datetime | None
    versions: tuple[Version, ...]
    keys: tuple[RotatedKey, ...] | None
    lines: tuple[Line, ...]
    other_lines: int
    leftovers: tuple[str, ...]

    def staged(self, stage: str) -> Version | None:
        """The version that has a stage."""
        return next((one for one in self.versions if stage in one.stages), None)

    @property
    def is_older(self) -> bool:
        """Whether the version of its function is older than the one that keyaudit deploys today."""
        return self.has_function and self.version < FUNCTION_VERSION

    @property
    def steady(self) -> int | None:
        """The days between two rotations, if the schedule names them. For a cron expression, Secrets Manager tells
        the days that it amounted to last time, and the next number may be different."""
        return None if self.schedule and not RATE.fullmatch(self.schedule) else self.every

    @property
    def active(self) -> list[RotatedKey]:
        """The user's active keys, newest first."""
        return sorted((one for one in self.keys or () if one.is_active), key=lambda one: one.created, reverse=True)


@dataclass(frozen=True)
class RotationVerdict:
    """The verdict on one secret, with what its function had logged by the instant: whether its user's keys are
    rotated within the policy, and why. ``made``: when IAM made the newest active key; ``age_days``: the age of that
    key, None if it was made after the instant; ``remarks``: what else is odd."""

    secret: RotatedSecret
    limit: int | None
    made: datetime | None
    age_days: int | None
    compliance_type: str
    annotation: str
    remarks: tuple[str, ...]
