"""Keys + policy + as_of -> findings (pure).

``limits``    which limit and which exemption applies to which key
``controls``  the controls, one small function each, in one registry
``exempt``    exemptions applied to what a control says
``judge``     some accounts at once: controls, gaps and exemptions -> compact findings
``rotated``   a secret under rotation -> its verdict;  ``rotated_grace`` whether a second key is in the grace of a
              rotation (``rotated_grace_1`` by rules 1), by what its log proves (``rotated_proof``)
``describe``  compact findings -> findings with their stable id and annotation
"""

from keyaudit.assess.controls import Accounts
from keyaudit.assess.describe import describe, worst_first
from keyaudit.assess.judge import Judgement, control_rows, judge, judged_keys, oldest_days
from keyaudit.assess.limits import exemption_status

__all__ = [
    "Accounts",
    "Judgement",
    "control_rows",
    "describe",
    "exemption_status",
    "judge",
    "judged_keys",
    "oldest_days",
    "worst_first",
]
