"""Keys + policy + as_of -> findings (pure).

``limits``    which limit and which exemption applies to which key
``controls``  the four controls, one small function each, in one registry
``judge``     one account: controls, gaps and exemptions -> compact findings
``describe``  compact findings -> findings with their stable id and annotation
"""

from keyaudit.assess.controls import Account
from keyaudit.assess.describe import describe, worst_first
from keyaudit.assess.judge import Judgement, control_rows, judge, judged_keys, oldest_days
from keyaudit.assess.limits import ExemptionUse, exemption_status

__all__ = [
    "Account",
    "ExemptionUse",
    "Judgement",
    "control_rows",
    "describe",
    "exemption_status",
    "judge",
    "judged_keys",
    "oldest_days",
    "worst_first",
]
