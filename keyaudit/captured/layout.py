"""The files of a capture folder by their names: ``accounts.json`` and, for each account, its report, the facts
about it, and the documents beside it (``documents``)."""

from __future__ import annotations

#: what was asked for, and which accounts there are
ACCOUNTS_FILE = "accounts.json"
#: for an account: how its report was obtained, and the digest of every document beside it
CAPTURE_FILE = "capture.json"
REPORT_FILE = "credential-report.csv"
#: states by which AWS itself says that an account of an organization is closed, suspended or not yet active. An
#: account whose closure is pending is none of these: its keys may still work
INACTIVE_STATES = frozenset({"CLOSED", "PENDING_ACTIVATION", "SUSPENDED"})
