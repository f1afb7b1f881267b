"""A report against what the live account says about itself (pure): is the report complete and accurate?

The worse of the two is judged, and every difference that is not explained makes the account INSUFFICIENT_DATA. The
inventory is raw evidence, so whoever verifies the evidence makes the comparison again.
"""

from keyaudit.reconcile.compare import Reconciled, reconcile

__all__ = ["Reconciled", "reconcile"]
