"""What is deployed: the users of a stack, and the settings that hold for all of them (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from keyaudit.rotation.naming import (
    EMAIL,
    FIELD,
    KEY_ID,
    KMS_ARN,
    MANY,
    PATH,
    SECRET_ARN,
    SECRET_NAME,
    USER,
    check,
    name_in,
    secret_name,
    short_hash,
    stack_name,
)
from keyaudit.rotation.periods import Periods
from keyaudit.schema import InputError
from keyaudit.texts import visible

#: the fields of a secret's value that may have other names
FIELDS = ("username", "accesskey", "secretkey")
SELF = "self"
#: in the template of one user
ALONE = {"S": "Secret", "P": "InvokeToRotate", "R": "Schedule"}


@dataclass(frozen=True)
class Member:
    """A user, whose path in IAM is ``path``, and who gets a new key every ``every`` days. ``secret``: the ARN of an
    existing secret, used instead of a new one; ``name``: the secret's name, if a new secret would get another."""

    user: str
    every: int
    path: str = "/"
    owner: str = ""
    secret: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        """InputError for what AWS would refuse, or what could mean more than it seems to."""
        check("--user", self.user, USER, "a user's name: 1 to 64 letters, digits or _+=,.@-")
        check("--path", self.path, PATH, "a user's path, as / or /division/")
        if "$" in self.path or "*" in self.path or "?" in self.path:
            raise InputError(
                f"--path {visible(self.path)}: signs that stand for others; give the path of this user"
            )
        whole = "the whole ARN of a secret, with the six characters that Secrets Manager puts at its end"
        check("--secret-arn", self.secret, f"({SECRET_ARN})?", whole)
        name = name_in(self.secret) if self.secret else self.name or secret_name(self.user)
        check("secret", name, SECRET_NAME, "the name of a secret")
        object.__setattr__(self, "name", name)


@dataclass(frozen=True)
class Deployment:
    """A stack of one user, or of many. ``master``: the ARN of the secret whose key signs the calls to IAM, ``self``
    for the user's own key, empty for the function's role; ``kms_key``: the ARN of the customer-managed key of the
    secrets, if any; ``adopted``: the ids of the keys from before, which the secrets replace; ``notify``: a mail
    address; ``fields``: field of the value -> its name there, if that differs."""

    members: tuple[Member, ...]
    periods: Periods
    is_many: bool = False
    master: str = ""
    kms_key: str = ""
    adopted: tuple[str, ...] = ()
    notify: str = ""
    deactivates_in_use: bool = False
    fields: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """InputError as for a member, and if two users would share what must belong to one."""
        if self.master != SELF:
            check("--master-arn", self.master, f"({SECRET_ARN})?", "the whole ARN of a secret")
        check("--kms-key-arn", self.kms_key, f"({KMS_ARN})?", "the ARN of a key in KMS")
        check("--notify", self.notify, f"({EMAIL})?", "a mail address")
        for key_id in self.adopted:
            check("--adopt", key_id, KEY_ID, "an access key id")
        _check_fields(self.fields)
        if not self.is_many:
            (_,) = self.members
        elif self.master:
            raise InputError("--master-arn: not in a stack of many users; such a user keeps a stack of its own")
        for one in self.members if self.is_many else ():
            if one.name != secret_name(one.user):
                raise InputError(
                    f"secret {one.name}: not named as those of a stack of many users, {secret_name(one.user)}; "
                    "its user keeps a stack of its own"
                )
        named = {
            "user": [one.user for one in self.members],
            "secret": [one.name for one in self.members],
            "resource": [self.resource("S", one) for one in self.members],
        }
        for what, values in named.items():
            if twice := sorted({value for value in values if values.count(value) > 1}):
                raise InputError(f"{what} {visible(twice[0])}: of two users; give one of them a stack of its own")
        for one in self.members:
            replace(self.periods, every=one.every).check()

    @property
    def only(self) -> Member:
        """The member of a stack of one user."""
        (found,) = self.members
        return found

    @property
    def stack(self) -> str:
        """The name of the stack that keyaudit deploys."""
        return MANY if self.is_many else stack_name(self.only.user)

    @property
    def users(self) -> dict[str, str]:
        """Name of the secret -> user: the only thing that binds the two."""
        return {one.name: one.user for one in self.members}

    def resource(self, kind: str, member: Member) -> str:
        """The name of a member's secret (S), permission (P) or schedule (R) in the template: among many members as
        short as possible, because the template's size decides how many there can be."""
        return f"{kind}{short_hash(member.user, 6)}" if self.is_many else ALONE[kind]

    def first_value(self, member: Member) -> dict[str, str]:
        """What a new secret holds until the first rotation: the user to whom it belongs, and who signs."""
        value = {self.fields.get("username", "username"): member.user}
        if self.master:
            value["masterarn"] = member.name if self.master == SELF else self.master
        return value


def read_fields(text: str) -> dict[str, str]:
    """``--fields accesskey=AWS_ACCESS_KEY_ID,secretkey=...``; InputError for anything else."""
    found: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        ours, sign, theirs = part.partition("=")
        if not sign or ours in found:
            raise InputError(
                f"--fields {visible(text[:80])}: not FIELD=NAME,FIELD=NAME with each of {', '.join(FIELDS)} once"
            )
        found[ours] = theirs
    _check_fields(found)
    return found


def _check_fields(fields: dict[str, str]) -> None:
    for ours, theirs in fields.items():
        if ours not in FIELDS:
            raise InputError(f"--fields {visible(ours[:80])}: no such field; there are {', '.join(FIELDS)}")
        check("--fields", theirs, FIELD, "the name of a field: 1 to 64 letters, digits or _.-")
    names = [fields.get(name, name) for name in FIELDS]
    if len(set(names)) < len(names) or "masterarn" in names:
        raise InputError(f"--fields: {', '.join(names)} are not three names of different fields")


def spread(periods: Periods, members: tuple[Member, ...], new: tuple[Member, ...]) -> tuple[Member, ...]:
    """The new members, each with the days between its rotations, so that the users of one owner rotate on different
    days. Each takes the value that is used least among its owner's users and, of these, the longest."""
    values, placed = days_between(periods), list(members)
    for one in new:
        used = [other.every for other in placed if other.owner == one.owner]
        placed.append(replace(one, every=min(values, key=lambda days: (used.count(days), -days))))
    return tuple(placed[len(members) :])


def days_between(periods: Periods) -> list[int]:
    """The values of ``every`` that are no longer than asked for and keep all that must hold; longest first."""
    found = []
    for days in range(periods.every, 0, -1):
        try:
            replace(periods, every=days).check()
        except InputError:
            break
        found.append(days)
    return found


def fits(periods: Periods, member: Member) -> bool:
    """Whether a member's days between rotations are still among the allowed values."""
    return member.every in days_between(periods)
