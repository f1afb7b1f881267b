"""The vocabulary of keyaudit: columns, compliance types, controls and errors. Imports nothing of ours.

Frames (pandas), one canonical meaning each; times are tz-aware UTC (``datetime64[us, UTC]``), strings stay
strings, a missing value is ``NA``/``NaT``:

``users``     one row a principal: AWS's own columns, typed, plus ``account_id`` and ``generated_time``.
              Columns that no control judges are typed where they can be read and null where not.
``keys``      one row an existing access key (KEY_COLUMNS). In an ``Audit`` each key also carries what was
              judged of it (JUDGED_COLUMNS).
``findings``  one row a (control, key, user or account) (FINDING_COLUMNS). Rows without a user speak of the
              whole account: missing evidence stands here too, so that no list of findings looks clean
              where something was not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

# --- what is numbered: the rules by which evidence was judged, its format, and deployed functions -----------------
#: raised where other conclusions are drawn from the same evidence; those of a lower number are drawn as they were
RULES = 3
FORMAT = 1
#: of the function that is deployed (KEYAUDIT_VERSION); one without a version is of version 1
FUNCTION_VERSION = 2

# --- compliance types: AWS Config's four, and ours for an approved exception -------------------------
COMPLIANT = "COMPLIANT"
NON_COMPLIANT = "NON_COMPLIANT"
NOT_APPLICABLE = "NOT_APPLICABLE"
INSUFFICIENT_DATA = "INSUFFICIENT_DATA"
EXEMPT = "EXEMPT"

#: worst first: the order in which findings are listed
COMPLIANCE_TYPES = (NON_COMPLIANT, INSUFFICIENT_DATA, EXEMPT, COMPLIANT, NOT_APPLICABLE)

#: an account that was not read is INSUFFICIENT_DATA too, and told apart where accounts are listed
UNREAD = "UNREAD"
#: of accounts, worst first: what fails is listed before what was not seen
ACCOUNT_VERDICTS = (NON_COMPLIANT, UNREAD, INSUFFICIENT_DATA, COMPLIANT)

# --- controls ------------------------------------------------------------------------------------------
ROTATION = "rotation"
UNUSED = "unused"
ACTIVE_KEYS = "active-keys"
ROOT_KEY = "root-key"
DAYS, NUMBER = "days", "number"


@dataclass(frozen=True)
class Control:
    """``id``: of a control, of its function (``assess.controls``) with underscores, and of its texts (``control``,
    ``limit``, and a section of its own). ``limit``: the policy's field for its limit, a number of ``unit`` from
    ``least`` to ``most``; empty where it needs none. ``always``: assessed where the policy sets no limit too, since
    that is itself a finding; one that needs no limit always is."""

    id: str
    limit: str = ""
    unit: str = ""
    least: int = 0
    most: int = 0
    always: bool = False


#: the only list of the controls, in the order in which they are told; every other one follows from it
THE_CONTROLS = (
    Control(ROTATION, "max_access_key_age", DAYS, 1, 36_500, always=True),
    Control(UNUSED, "max_credential_usage_age", DAYS, 1, 36_500),
    Control(ACTIVE_KEYS, "max_active_keys", NUMBER, 0, 2),
    Control(ROOT_KEY, always=True),
)
CONTROLS = tuple(one.id for one in THE_CONTROLS)
#: controls whose limit comes from the policy, and the field that it is in
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
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "cert_1_last_rotated",
    "cert_2_last_rotated",
)

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
    "owner": "str",  # a tag of the user, where a capture asked for it
    "administrator": "boolean",
}
#: what an Audit adds to each key: whole days since rotation and since last use, the limit that applies,
#: the deadline, and the compliance type of its rotation finding; the limit of idle days, and the compliance type of
#: its finding of unused keys (null where that control is not assessed)
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
}
ACTIVE = "Active"
INACTIVE = "Inactive"

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
#: the surest first: compared with the live account by this run; compared, by the word of a capture that was
#: supplied; read from AWS, not compared; a file as supplied, with its time; a file as supplied, of unknown age
GRADES = (COMPARED, COMPARED_SUPPLIED, READ, DATED, SUPPLIED)
#: where nothing was read at all
NOTHING_READ = "nothing_read"


@dataclass(frozen=True)
class Problem:
    """Evidence missing or not to be relied on: it makes these controls of the account INSUFFICIENT_DATA.
    ``of_policy``: what is missing is the policy, or a part of it, and not evidence."""

    account_id: str
    controls: tuple[str, ...]
    message: str
    of_policy: bool = False


@dataclass(frozen=True)
class CredentialReport:
    """One report as received. ``account_id`` is null where the report has no ARNs; ``problems`` say why it
    could not be read, or not all of it (a capture that was denied something), in sentences."""

    account_id: str | None
    generated_time: datetime | None
    received_time: datetime
    content: bytes
    source: str
    problems: tuple[str, ...] = ()


class KeyAuditError(Exception):
    """Base of every error that a user can mend. The message is one line: thing, place, remedy."""


class InputError(KeyAuditError):
    """A source, an option or a parameter cannot be used (exit code 2)."""


class NewerError(InputError):
    """Evidence that a later version of keyaudit made, in a way that this one does not know (exit code 2)."""


class PolicyError(KeyAuditError):
    """The policy file cannot be used (exit code 2)."""


class EvidenceError(KeyAuditError):
    """No evidence could be made, though the input was right (exit code 4). ``kept``: the folder that was left for
    diagnosis, if there is one."""

    def __init__(self, message: str, kept: str = "") -> None:
        super().__init__(message)
        self.kept = kept


def worst(compliance_types: set[str]) -> str:
    """The conclusion over some findings: NON_COMPLIANT if any is, else INSUFFICIENT_DATA if any is or if
    nothing was judged at all, else COMPLIANT (an exemption is stated beside it, never hidden)."""
    if NON_COMPLIANT in compliance_types:
        return NON_COMPLIANT
    if INSUFFICIENT_DATA in compliance_types or not compliance_types:
        return INSUFFICIENT_DATA
    return COMPLIANT
