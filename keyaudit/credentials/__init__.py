"""Bytes of a credential report -> frames (pure). Three steps, each refusing what it cannot be sure of:

``unwrap``   the forms people save a report in -> CSV text (``answers``: of AWS and its CLI; ``records``: rows as
             JSON)
``columns``  CSV text -> columns of strings, every row with exactly as many fields as the header
``frames``   columns of strings -> the typed ``users``, and ``keys`` as arrays (``arrays``), which a frame is made
             of for many accounts at once
"""

from keyaudit.credentials.answers import ANSWERS
from keyaudit.credentials.frames import Parsed, Principals, parse, users_frame
from keyaudit.credentials.refusals import refused
from keyaudit.credentials.times import parse_instant
from keyaudit.credentials.unwrap import Unwrapped, peek_account, unwrap

__all__ = [
    "ANSWERS",
    "Parsed",
    "Principals",
    "Unwrapped",
    "parse",
    "parse_instant",
    "peek_account",
    "refused",
    "unwrap",
    "users_frame",
]
