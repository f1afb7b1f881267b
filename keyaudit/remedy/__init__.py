"""What a capture tells of keys under automatic rotation (pure): read strictly, and judged by IAM's dates.

``evidence``  ``rotation.json`` -> RotatedSecret
``proof``     RotatedSecret + as_of -> what its function's log proves of a key
``grace``     RotatedSecret + policy + as_of -> whether a second key is in the grace of a rotation (``grace_1``: by
              rules 1, as evidence of earlier versions was judged)
``judge``     RotatedSecret + policy + as_of -> RotationVerdict
"""

from keyaudit.remedy.evidence import read_rotations
from keyaudit.remedy.grace import graces
from keyaudit.remedy.judge import verdict

__all__ = ["graces", "read_rotations", "verdict"]
