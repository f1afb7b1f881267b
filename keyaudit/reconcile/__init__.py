"""A report against what the live account says of itself (pure): is it complete and accurate?

Judged is the worse of the two, and every difference that is not explained makes the account INSUFFICIENT_DATA.
The inventory is raw evidence, so that the comparison is made again by whoever verifies it.
"""

from keyaudit.reconcile.compare import Reconciled, reconcile

__all__ = ["Reconciled", "reconcile"]
