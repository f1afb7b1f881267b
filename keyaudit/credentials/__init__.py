"""Bytes of a credential report -> frames (pure). Three steps, each refusing what it cannot be sure of:

``unwrap``  the forms people save a report in -> CSV text
``table``   CSV text -> columns of strings, every row with exactly as many fields as the header
``frames``  columns of strings -> the typed ``users`` and ``keys``
"""

from keyaudit.credentials.frames import Parsed, parse, users_frame
from keyaudit.credentials.unwrap import Unwrapped, parse_instant, peek_account, unwrap

__all__ = ["Parsed", "Unwrapped", "parse", "parse_instant", "peek_account", "unwrap", "users_frame"]
