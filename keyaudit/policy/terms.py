"""The terms of a policy, validated; unknown keys are refused.

Parameter names follow AWS Config (``max_access_key_age``, ``max_credential_usage_age``). Limits may be
tightened by overrides and loosened only by exemptions, which name who approved them and when they end.
"""

from __future__ import annotations

import difflib
import fnmatch
import hashlib
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator
from pydantic.fields import FieldInfo

from keyaudit import resources
from keyaudit.schema import ACTIVE_KEYS, CONTROLS, GRADES, LIMIT_OF, ROOT_USER, ROTATION, THE_CONTROLS, UNUSED
from keyaudit.texts import say

#: before the name of a preset, where a file has its own name
PRESET = "preset "
Patterns = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]
AccountIds = Annotated[list[Annotated[str, Field(pattern=r"^[0-9]{12}$")]], Field(min_length=1)]
Text = Annotated[str, Field(min_length=1, max_length=500)]
if TYPE_CHECKING:
    ControlId = str
    Grade = str
else:
    ControlId, Grade = Literal[CONTROLS], Literal[GRADES]
_OF = {one.id: one for one in THE_CONTROLS}


def _limit_of(control: str) -> FieldInfo:
    """What the limit of a control may be, both in the policy and in its overrides."""
    found: FieldInfo = Field(strict=True, ge=_OF[control].least, le=_OF[control].most)
    return found


Age = Annotated[int, _limit_of(ROTATION)]
Idle = Annotated[int, _limit_of(UNUSED)]
Number = Annotated[int, _limit_of(ACTIVE_KEYS)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _matches(pattern: str, user: str) -> bool:
    # brackets stand for themselves: only * and ? are wildcards
    return fnmatch.fnmatchcase(user, pattern.replace("[", "[[]"))


class _Scope(_Strict):
    """Users by name pattern (``*``, ``?``; case-sensitive) and accounts by id; left out means all."""

    users: Patterns | None = None
    accounts: AccountIds | None = None

    def has_user(self, user: str) -> bool:
        return self.users is None or any(_matches(pattern, user) for pattern in self.users)

    def has_account(self, account_id: str) -> bool:
        """Whether it names this account; False for an unknown account if accounts are named."""
        return self.accounts is None or account_id in self.accounts


class Override(_Scope):
    """Tighter limits for some users or accounts; of all that match, the strictest applies, limit by limit."""

    max_access_key_age: Age | None = None
    max_credential_usage_age: Idle | None = None
    max_active_keys: Number | None = None


class Exemption(_Scope):
    """An approved exception: the only way to loosen. From ``expires`` on (00:00 UTC) the finding stands
    again; with ``max_access_key_age`` a rotation finding is exempt up to that age only. Its patterns mean IAM
    users; the root user is exempt by its own name alone."""

    id: Annotated[str, Field(min_length=1, max_length=64)]
    users: Patterns
    controls: Annotated[list[ControlId], Field(min_length=1)]
    max_access_key_age: Age | None = None
    reason: Text
    approved_by: Text
    expires: date

    def covers(self, user: str, is_root: bool) -> bool:
        """Whether it names this user: nobody who writes ``*`` means the root user."""
        return ROOT_USER in self.users if is_root else self.has_user(user)


class Policy(_Strict):
    """A rotation policy as read from TOML; ``name``, ``content``, ``sha256`` and ``given`` tell its origin.

    ``given`` is false if nobody gave a policy and the default preset stands in: the organisation's own period was
    then not shown, and the best conclusion is INSUFFICIENT_DATA.
    """

    title: Text
    version: Text = "unversioned"
    approved_by: Text | None = None
    effective: date | None = None
    max_access_key_age: Age | None = None
    warn_before: Annotated[int, Field(strict=True, ge=0, le=3650)] = 14
    max_credential_usage_age: Idle | None = None
    max_active_keys: Number | None = None
    max_report_age_hours: Annotated[int, Field(strict=True, ge=4, le=24 * 3650)] = 24
    age_comparison: Literal["elapsed", "whole_days"] = "elapsed"
    controls: Annotated[list[ControlId], Field(min_length=1)] = list(CONTROLS)
    min_assurance: Grade | None = None
    references: list[str] = []
    override: list[Override] = []
    exemption: list[Exemption] = []

    _name: str = PrivateAttr(default="")
    _content: bytes = PrivateAttr(default=b"")
    _given: bool = PrivateAttr(default=True)

    @property
    def name(self) -> str:
        """The name of its file, or ``preset cis``; in data the same in every language."""
        return self._name

    @property
    def label(self) -> str:
        """The name for people."""
        return label_of(self._name)

    @property
    def content(self) -> bytes:
        return self._content

    @property
    def given(self) -> bool:
        return self._given

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self._content).hexdigest()

    def limit(self, control: str) -> int | None:
        """The policy's own limit for a control; None if it sets none (or, for root-key, needs none)."""
        value: int | None = getattr(self, LIMIT_OF[control]) if control in LIMIT_OF else None
        return value

    def assessed(self, control: str) -> bool:
        """Whether the control can be assessed. Rotation always can, because to set no period is itself a
        finding."""
        return _OF[control].always or self.limit(control) is not None

    @model_validator(mode="after")
    def _tighten_only(self) -> Policy:
        for number, override in enumerate(self.override):
            limits = {key: getattr(override, key) for key in LIMIT_OF.values()}
            set_limits = {key: value for key, value in limits.items() if value is not None}
            if not set_limits or (override.users is None and override.accounts is None):
                raise _at(("override", number), "needs users or accounts, and a limit to tighten for them")
            for key, value in set_limits.items():
                base = getattr(self, key)
                if base is None:
                    raise _at(("override", number, key), f"tightens nothing: the policy sets no {key}")
                if value > base:
                    raise _at(
                        ("override", number, key),
                        f"{value} is looser than the policy's {base}: an override may only tighten; "
                        "use an exemption, with its approval and expiry",
                    )
        return self

    @model_validator(mode="after")
    def _names_are_known(self) -> Policy:
        for number, exemption in enumerate(self.exemption):
            if exemption.max_access_key_age is not None and ROTATION not in exemption.controls:
                message = "limits the age of a rotation finding, but the exemption does not cover rotation"
                raise _at(("exemption", number, "max_access_key_age"), message)
        ids = [exemption.id for exemption in self.exemption]
        for number, identifier in enumerate(ids):
            if identifier in ids[:number]:
                raise _at(("exemption", number, "id"), f"{identifier!r} is used twice")
        for reference in self.references:
            if reference not in resources.references():
                near = difflib.get_close_matches(reference, resources.references(), n=1, cutoff=0.4)
                nearest = f"; nearest: {near[0]!r}" if near else ""
                raise _at(("references",), f"unknown reference {reference!r}{nearest}")
        return self


def label_of(name: str) -> str:
    """The name of a policy for people."""
    return say("policy.preset", preset=name.removeprefix(PRESET)) if name.startswith(PRESET) else name


class Misplaced(ValueError):
    def __init__(self, location: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.location = location


def _at(location: tuple[str | int, ...], message: str) -> Misplaced:
    return Misplaced(location, message)
