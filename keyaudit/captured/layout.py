"""The files of a capture folder by their names: ``accounts.json``, and of each account its report, what is told of
it, and the documents beside it (``documents``)."""

from __future__ import annotations

#: what was asked for, and which accounts there are
ACCOUNTS_FILE = "accounts.json"
#: of an account: how its report was had, and the digest of every document beside it
CAPTURE_FILE = "capture.json"
REPORT_FILE = "credential-report.csv"
#: of an account of an organization: AWS itself says that it is closed, suspended or not yet active. One whose
#: closure is pending is none of these: its keys may still work
INACTIVE_STATES = frozenset({"CLOSED", "PENDING_ACTIVATION", "SUSPENDED"})
