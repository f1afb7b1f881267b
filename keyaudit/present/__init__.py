"""Frames -> sentences and tables for people (pure). Every function takes the Audit, and returns something
that a notebook shows by itself: ``ka.bottom_line(a)``."""

from keyaudit.present.account_names import named
from keyaudit.present.answer import figures, worst
from keyaudit.present.basis import (
    accounts,
    limits_of_audit,
    policy_in_force,
    problems,
    provenance,
    references,
    scope,
)
from keyaudit.present.claims import Accounts
from keyaudit.present.completeness import completeness, differences, skipped
from keyaudit.present.findings import (
    boundary,
    due_soon,
    exemptions,
    inactive,
    more_than_one,
    offenders,
    root,
    unused,
)
from keyaudit.present.headline import first_lines, headline, in_accounts
from keyaudit.present.last_time import since
from keyaudit.present.rotation import (
    changes,
    outdated_functions,
    rotated,
    rotation_keys,
    rotation_log,
    rotation_schedules,
)
from keyaudit.present.table import Prose, Table
from keyaudit.present.terminal import as_text
from keyaudit.present.verdict import (
    bottom_line,
    controls,
    findings_digest,
    incomplete_known,
    overdue_known,
    rule,
)

__all__ = [
    "Accounts",
    "Prose",
    "Table",
    "accounts",
    "as_text",
    "bottom_line",
    "boundary",
    "called",
    "changes",
    "completeness",
    "controls",
    "differences",
    "due_soon",
    "exemptions",
    "figures",
    "findings_digest",
    "first_lines",
    "headline",
    "in_accounts",
    "inactive",
    "incomplete_known",
    "limits_of_audit",
    "more_than_one",
    "named",
    "offenders",
    "outdated_functions",
    "overdue_known",
    "policy_in_force",
    "problems",
    "provenance",
    "references",
    "root",
    "rotated",
    "rotation_keys",
    "rotation_log",
    "rotation_schedules",
    "rule",
    "scope",
    "since",
    "skipped",
    "unused",
    "worst",
]
