"""The vocabulary of keyaudit: columns, compliance types, controls and errors. Imports nothing of ours.

Frames (pandas) have one canonical meaning each. Times are tz-aware UTC (``datetime64[us, UTC]``), strings stay
strings, and a missing value is ``NA`` or ``NaT``:

``users``     one row per principal: AWS's own columns, typed, plus ``account_id`` and ``generated_time``.
              Columns that no control judges are typed where they can be read and null where not.
``keys``      one row per existing access key (KEY_COLUMNS). In an ``Audit`` each key also carries what was
              judged of it (JUDGED_COLUMNS).
``findings``  one row per control and key, user or account (FINDING_COLUMNS). Rows without a user speak of the
              whole account: missing evidence stands here too, so that no list of findings looks clean
              where something was not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

# --- what is numbered: the rules by which evidence was judged, its format, and deployed functions -----------------
#: raised when other conclusions are drawn from the same evidence; evidence of older rules is judged by those
RULES = 3
FORMAT = 1
#: the version of the function that is deployed (KEYAUDIT_VERSION); a function without a version has version 1
FUNCTION_VERSION = 2

# --- compliance types: AWS Config's four, and ours for an approved exception -------------------------
COMPLIANT = "COMPLIANT"
NON_COMPLIANT = "NON_COMPLIANT"
NOT_APPLICABLE = "NOT_APPLICABLE"
INSUFFICIENT_DATA = "INSUFFICIENT_DATA"
EXEMPT = "EXEMPT"

#: worst first: the order in which findings are listed
COMPLIANCE_TYPES = (NON_COMPLIANT, INSUFFICIENT_DATA, EXEMPT, COMPLIANT, NOT_APPLICABLE)

#: an account that was not read is INSUFFICIENT_DATA too, but has a state of its own where accounts are listed
UNREAD = "UNREAD"
#: the states of accounts, worst first: what fails is listed before what was not seen
ACCOUNT_VERDICTS = (NON_COMPLIANT, UNREAD, INSUFFICIENT_DATA, COMPLIANT)

# --- controls ------------------------------------------------------------------------------------------
ROTATION = "rotation"
UNUSED = "unused"
ACTIVE_KEYS = "active-keys"
ROOT_KEY = "root-key"
DAYS, NUMBER = "days", "number"


@dataclass(frozen=True)
class Control:
    """``id`` names a control, its function in ``assess.controls`` (with underscores), and its texts (in
    ``control``, in ``limit``, and a section of its own). ``limit`` is the policy's field for its limit, a number of
    ``unit`` from ``least`` to ``most``; empty if the control needs none. ``always``: the control is assessed even
    if the policy sets no limit, because that is itself a finding; a control that needs no limit always is."""

    id: str
    limit: str = ""
    unit: str = ""
    least: int = 0
    most: int = 0
    always: bool = False


#: the only list of the controls, in the order in which they are shown; every other list follows from it
THE_CONTROLS = (
    Control(ROTATION, "max_access_key_age", DAYS, 1, 36_500, always=True),
    Control(UNUSED, "max_credential_usage_age", DAYS, 1, 36_500),
    Control(ACTIVE_KEYS, "max_active_keys", NUMBER, 0, 2),
    Control(ROOT_KEY, always=True),
)
CONTROLS = tuple(one.id for one in THE_CONTROLS)
#: controls whose limit comes from the policy, and the policy's field for it
LIMIT_OF = {one.id: one.limit for one in THE_CONTROLS if one.limit}
LIMITED_CONTROLS = tuple(LIMIT_OF)

# --- the credential report -------------------------------------------------------------------------------
ROOT_USER = "<root_account>"
SLOTS = (1, 2)
REPORT_COLUMNS = (
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "mfa_active",
    *(
        f"access_key_{slot}_{field}"
        for slot in SLOTS
        for field in ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")
    ),
    "cert_1_active",
    "cert_1_last_rotated",
    "cert_2_active",
    "cert_2_last_rotated",
)
#: documented by AWS for principals with more than two keys or certificates; absent from most reports
EXTRA_COLUMN = "additional_credentials_info"
#: without these the question cannot be asked at all
REQUIRED_COLUMNS = (
    "user",
    *(f"access_key_{slot}_{field}" for slot in SLOTS for field in ("active", "last_rotated")),
)
UNJUDGED_BOOLEANS = ("password_enabled", "mfa_active", "cert_1_active", "cert_2_active")
UNJUDGED_TIMES = (
    "password_last_used", "password_last_changed", "password_next_rotation",
    "cert_1_last_rotated", "cert_2_last_rotated",
)  # fmt: skip

# --- frames ----------------------------------------------------------------------------------------------
TIME = "datetime64[us, UTC]"
KEY_COLUMNS = {
    "account_id": "str",
    "user": "str",
    "arn": "str",
    "user_creation_time": TIME,
    "is_root": "bool",
    "key_slot": "Int64",
    "status": "str",
    "last_rotated": TIME,
    "last_used_date": TIME,
    "last_used_region": "str",
    "last_used_service": "str",
    "access_key_id": "str",
    "generated_time": TIME,
    "last_used_unknown": "bool",  # the report has no answer (no such column, or no_information)
    "owner": "str",  # a tag of the user, if a capture asked for it
    "administrator": "boolean",
    "purpose": "str",  # what the console says that it is for, if a capture asked for it
}
#: what an Audit adds to each key: whole days since rotation and since last use, the limit that applies,
#: the deadline, and the compliance type of its rotation finding; then the limit of idle days, and the compliance
#: type of its finding under ``unused`` (null if that control is not assessed)
JUDGED_COLUMNS = {
    "age_days": "Int64",
    "idle_days": "Int64",
    "limit": "Int64",
    "due": TIME,
    "compliance_type": "str",
    "idle_limit": "Int64",
    "unused_type": "str",
}
FINDING_COLUMNS = {
    "finding_id": "str",
    "control": "str",
    "account_id": "str",
    "user": "str",
    "arn": "str",
    "key_slot": "Int64",
    "access_key_id": "str",
    "status": "str",
    "last_rotated": TIME,
    "age_days": "Int64",
    "due": TIME,
    "days_over": "Int64",
    "limit": "Int64",
    "compliance_type": "str",
    "annotation": "str",
    "exemption_id": "str",
    "owner": "str",
    "administrator": "boolean",
    "account_name": "str",  # the organization's name for it, if the organization's list was captured
    "last_used_date": TIME,  # of the key, where a report or the account tells
    "last_used_service": "str",
    "purpose": "str",
}
ACTIVE, INACTIVE = "Active", "Inactive"

# --- where as_of came from ---------------------------------------------------------------------------------
GIVEN = "given"
GENERATED_TIME = "generated_time"
RECEIVED_TIME = "received_time"

# --- how sure it is that a population is the account's own, and today's --------------------------------------
COMPARED = "compared"
COMPARED_SUPPLIED = "compared_supplied"
READ = "read"
DATED = "dated"
SUPPLIED = "supplied"
#: the surest first: compared with the live account by this run; compared, by the word of a supplied capture; read
#: from AWS, not compared; a file as supplied, with its time; a file as supplied, of unknown age
GRADES = (COMPARED, COMPARED_SUPPLIED, READ, DATED, SUPPLIED)
#: the grade if nothing was read at all
NOTHING_READ = "nothing_read"


@dataclass(frozen=True)
class Problem:
    """Evidence that is missing or cannot be relied on. It makes these controls of the account INSUFFICIENT_DATA.
    ``of_policy``: what is missing is the policy, or a part of it, and not evidence; ``is_usual``: as of a gap."""

    account_id: str
    controls: tuple[str, ...]
    message: str
    of_policy: bool = False
    is_usual: bool = False


@dataclass(frozen=True)
class CredentialReport:
    """One report as received. ``account_id`` is None if the report has no ARNs. ``problems`` are sentences that say
    why the report could not be read, or not all of it (because a capture was denied something)."""

    account_id: str | None
    generated_time: datetime | None
    received_time: datetime
    content: bytes
    source: str
    problems: tuple[str, ...] = ()


class KeyAuditError(Exception):
    """Base of every error that a user can correct. The message is one line: thing, place, remedy."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows of it in a notebook: where it was raised in our code tells the user nothing."""
        return [f"{type(self).__name__}: {self}"]


class InputError(KeyAuditError):
    """A source, an option or a parameter cannot be used (exit code 2)."""


class NewerError(InputError):
    """Evidence was made by a later version of keyaudit, in a way that this version does not know (exit code 2)."""


class PolicyError(KeyAuditError):
    """The policy file cannot be used (exit code 2)."""


class EvidenceError(KeyAuditError):
    """No evidence could be made, although the input was right (exit code 4). ``kept``: a folder for diagnosis."""

    def __init__(self, message: str, kept: str = "") -> None:
        super().__init__(message)
        self.kept = kept


def worst(compliance_types: set[str]) -> str:
    """The conclusion over some findings: NON_COMPLIANT if any is; else INSUFFICIENT_DATA if any is, or nothing was
    judged at all; else COMPLIANT (an exemption is stated beside it, never hidden)."""
    if NON_COMPLIANT in compliance_types:
        return NON_COMPLIANT
    if INSUFFICIENT_DATA in compliance_types or not compliance_types:
        return INSUFFICIENT_DATA
    return COMPLIANT
