"""The sentences of reports, kept apart from the logic: ``say("rotation.over", days=204)``.

Texts are data (``data/texts/<language>.toml``); code emits ids and facts. A text with a ``one`` and an
``other`` form is chosen by its ``n``.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from typing import Any

from keyaudit.resources import data

LANGUAGE = "en"


@cache
def catalogue(language: str = LANGUAGE) -> dict[str, Any]:
    """All texts of a language as nested tables."""
    return tomllib.loads(data("texts", f"{language}.toml").read_text(encoding="utf-8"))


@cache
def template(key: str) -> Any:
    """The text, or table of texts, at a dotted key; KeyError names the key."""
    found: Any = catalogue()
    for part in key.split("."):
        if not isinstance(found, dict) or part not in found:
            raise KeyError(f"no text {key!r} in data/texts/{LANGUAGE}.toml")
        found = found[part]
    return found


def say(key: str, **facts: Any) -> str:
    """The sentence at ``key`` with its facts filled in; ``n`` chooses between singular and plural."""
    text = template(key)
    if isinstance(text, dict):
        text = text["one" if facts.get("n") == 1 else "other"]
    return str(text).format(**facts)


#: as AWS makes secret access keys, 40 letters, digits, slashes and plus signs, and the parts of session tokens
_SECRET = re.compile(r"(?<![A-Za-z0-9/+=])(?:[A-Za-z0-9/+=]{40}|[A-Za-z0-9/+=]{200,})(?![A-Za-z0-9/+=])")


def looks_secret(text: str) -> bool:
    """Whether a secret access key or a session token may be in it."""
    return any(_is_secret(found[0]) for found in _SECRET.finditer(text))


def masked(text: str) -> str:
    """The text without what looks like a secret."""
    return _SECRET.sub(lambda found: say("secret") if _is_secret(found[0]) else found[0], text)


def _is_secret(text: str) -> bool:
    is_mixed = all(re.search(kind, text) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    is_path = text.startswith("/") and text.count("/") >= 3
    return is_mixed and not is_path


def visible(text: str) -> str:
    """A name for people, on paper or a terminal: what cannot be seen, or turns the writing direction or the
    terminal's colours, is shown by its code."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def utc(moment: Any) -> str:
    """An instant as everyone prints it: ISO 8601, whole seconds, UTC; empty where there is none."""
    if moment is None or moment != moment:
        return ""
    # not strftime: a deadline may lie beyond the year 9999
    date = f"{moment.year:04}-{moment.month:02}-{moment.day:02}"
    return f"{date}T{moment.hour:02}:{moment.minute:02}:{moment.second:02}Z"
