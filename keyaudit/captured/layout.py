"""The files of a capture folder by their names: ``accounts.json``, and those of CAPTURED_FILES of each account."""

from __future__ import annotations

#: what was asked for, and which accounts there are
ACCOUNTS_FILE = "accounts.json"
#: of an account: how its report was had, and the digest of every document beside it
CAPTURE_FILE = "capture.json"
REPORT_FILE = "credential-report.csv"
INVENTORY_FILE = "inventory.json"
ROTATION_FILE = "rotation.json"
#: what a capture holds of an account, and evidence takes over byte for byte
CAPTURED_FILES = (CAPTURE_FILE, REPORT_FILE, INVENTORY_FILE, ROTATION_FILE)
#: the documents beside the report, and where capture.json has the digest of each
BESIDE = {INVENTORY_FILE: "inventory_sha256", ROTATION_FILE: "rotation_sha256"}
#: of an account of an organization: AWS itself says that it is closed, suspended or not yet active. One whose
#: closure is pending is none of these: its keys may still work
INACTIVE_STATES = frozenset({"CLOSED", "PENDING_ACTIVATION", "SUSPENDED"})
