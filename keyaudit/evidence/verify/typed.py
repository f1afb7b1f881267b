"""The fields of a manifest that nothing else proves: each must be there, and as keyaudit writes it.

What follows from the evidence is derived again (``judged``); these say when it was made, by what, in which
chain. Only libraries may be unknown: then what they decide is compared by its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from keyaudit.credentials import parse_instant
from keyaudit.evidence.contents import ORDER
from keyaudit.texts import utc

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
#: fields that keyaudit writes only where there is something to say, or that may be unknown
_OPTIONAL = frozenset({"schedule", "libraries", "insecure_cluster", "period"})


def _is_instant(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and utc(parse_instant(value)) == value


def _is_day(value: Any) -> bool:
    return isinstance(value, str) and f"{date.fromisoformat(value)}" == value


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and bool(_DIGEST.fullmatch(value))


def _is_name(value: Any) -> bool:
    """The last part of a path, or the name of a preset."""
    return isinstance(value, str) and value not in ("", ".", "..") and "/" not in value and "\0" not in value


def _has(value: Any, **fields: Callable[[Any], bool]) -> bool:
    """Whether it has these fields and no others, each in its form."""
    return (
        isinstance(value, dict) and value.keys() == fields.keys() and all(fields[one](value[one]) for one in value)
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_flag(value: Any) -> bool:
    return type(value) is bool


_FORMS: dict[str, Callable[[Any], bool]] = {
    "name": _is_name,
    "started_at": _is_instant,
    "sealed_at": _is_instant,
    "previous": lambda value: value is None or _is_digest(value),
    "compared": lambda value: value is None or _has(value, name=_is_name, sha256=_is_digest),
    "insecure_cluster": lambda value: value is True,
    "period": lambda value: _has(value, **{"from": _is_day, "to": _is_day}),
    "schedule": lambda value: _has(value, every=_is_text, period=_is_text, asked=_is_digest),
    "policy": lambda value: _has(value, name=_is_name, given=_is_flag, sha256=_is_digest),
    "notebook": lambda value: _has(value, name=_is_name, sha256=_is_digest, ours=_is_flag),
    "sources": lambda value: isinstance(value, list) and all(map(_is_text, value)),
    "tool": lambda value: _has(value, keyaudit=_is_text, python=_is_text, system=_is_text),
}


def odd_fields(manifest: Mapping[str, Any]) -> list[str]:
    """The fields of a manifest of this version that are missing, in another form, or none of keyaudit's."""
    absent = [name for name in ORDER if name not in manifest and name not in _OPTIONAL]
    odd = [name for name, is_right in _FORMS.items() if name in manifest and not is_right(manifest[name])]
    return [*absent, *odd, *sorted(manifest.keys() - set(ORDER))]
