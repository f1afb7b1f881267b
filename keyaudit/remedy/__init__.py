"""What a capture tells of keys under automatic rotation (pure): read strictly, and judged by IAM's dates.

``evidence``  ``rotation.json`` -> RotatedSecret
``judge``     RotatedSecret + limit + as_of -> Verdict;  which second key is in the grace of a rotation
"""

from keyaudit.remedy.evidence import Line, RotatedKey, RotatedSecret, read_rotations
from keyaudit.remedy.judge import Verdict, graces, verdict

__all__ = ["Line", "RotatedKey", "RotatedSecret", "Verdict", "graces", "read_rotations", "verdict"]
