"""The sentences of reports, kept apart from the logic: ``say("rotation.over", days=204)``.

Texts are data (``data/texts/<language>.toml``); code emits ids and facts. A text with a ``one`` and an
``other`` form is chosen by its ``n``. Which language is spoken is chosen in one place, ``spoken``.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache, reduce
from typing import Any

from keyaudit.resources import data, names

ENGLISH = "en"
#: what this process speaks; processes that it starts are told
_now = ENGLISH


def languages() -> list[str]:
    """The languages that there are texts of."""
    return names("texts", ".toml")


def language() -> str:
    """The language that this process speaks."""
    return _now


def speak(chosen: str) -> None:
    """Choose the language of this process; KeyError for one that there are no texts of."""
    global _now
    if chosen not in languages():
        raise KeyError(f"no data/texts/{chosen}.toml")
    _now = chosen


@contextmanager
def spoken(chosen: str) -> Iterator[None]:
    """Speak a language for as long as the block takes."""
    before = _now
    speak(chosen)
    try:
        yield
    finally:
        speak(before)


#: a line at which a table begins, and the first part of its name
_TABLE = re.compile(r'^\["?([\w-]+)"?(?:\.[^\]\n]*)?\]$', re.MULTILINE)


@cache
def _parts(language: str) -> dict[str, str]:
    """The file of a language in parts, by the first part of the names of their tables; "" for what is in none. To
    read it whole takes longer than to judge most reports, and no command says all of it."""
    text = data("texts", f"{language}.toml").read_text(encoding="utf-8")
    heads = [*_TABLE.finditer(text)]
    ends = [*(head.start() for head in heads[1:]), len(text)]
    parts = {"": text[: heads[0].start()] if heads else text}
    for head, end in zip(heads, ends, strict=False):
        parts[head[1]] = parts.get(head[1], "") + text[head.start() : end]
    return parts


@cache
def _part(language: str, name: str) -> dict[str, Any]:
    return tomllib.loads(_parts(language).get(name, ""))


@cache
def template(key: str, language: str) -> Any:
    """The text, or table of texts, at a dotted key; KeyError names the key."""
    path = key.split(".")
    found: Any = _part(language, path[0] if path[0] in _parts(language) else "")
    for part in path:
        if not isinstance(found, dict) or part not in found:
            raise KeyError(f"no text {key!r} in data/texts/{language}.toml")
        found = found[part]
    return found


def say(key: str, **facts: Any) -> str:
    """The sentence at ``key`` with its facts filled in; ``n`` chooses between singular and plural."""
    text = template(key, _now)
    if isinstance(text, dict):
        text = text["one" if facts.get("n") == 1 else "other"]
    return str(text).format(**facts)


def listed(kind: str, parts: Iterable[str]) -> str:
    """Clauses or sentences as one text, each joined to those before it as the language joins that ``kind`` (texts
    under ``list``); empty where there is none."""
    first, *others = [*parts] or [""]
    return reduce(lambda before, more: say(f"list.{kind}", first=before, more=more), others, first)


#: what stands for a slash, a plus or an equals sign in URLs and in JSON
_ESCAPED = r"%2[fFbB]|%3[dD]|\\\\?/|\\\\?u002[fFbB]"
_LETTER = rf"(?:[A-Za-z0-9/+]|{_ESCAPED})"
#: secret access keys as AWS makes them (40 letters, digits, slashes and plus signs) and the parts of session
#: tokens; an equals sign may stand before them, as in NAME=SECRET, and after them, where base64 ends
_SECRET = re.compile(
    rf"(?<![A-Za-z0-9/+\\%])(?:{_LETTER}{{40}}|{_LETTER}{{200,}})(?:=|%3[dD]){{0,2}}(?![A-Za-z0-9/+\\%])"
)
#: what a secret is looked for in: few texts have a run of letters of such a length, and that is seen at a glance
_RUN = re.compile(r"[A-Za-z0-9/+%\\]+")
_NAMES = r"""secret[_-]?(?:access[_-]?)?key | session[_-]?token | security[_-]?token | x-amz-signature | password
    | passwd | private[_-]?key"""
#: each of these names has one of these in it, in whatever case
_HINTS = ("secret", "token", "signature", "passw", "private")
#: names whose values are secret, whatever the values look like: NAME=, NAME:, "NAME":. A value that is such a name
#: itself is not secret, as in secretkey=AWS_SECRET_ACCESS_KEY
_NAMED = re.compile(
    rf"""(?ix)
    ( (?: {_NAMES} ) (?:["'\\]|%22)* \s* (?:[:=]|%3[ad]) \s* (?:["'\\]|%22)* )
    ( (?! [a-z_-]* (?: {_NAMES} ) (?![^\s"'\\&;,.}}]) ) [^\s"'\\&;,}}]{{8,}} )
    """
)
#: a text with a secret has as many letters at least, but for a URL: passwd=, and the value
SHORTEST = 15
#: somebody's password in a URL
_USERINFO = re.compile(r"(?<=://)([^\s/:@]*):([^\s/@]+)(?=@)")


def looks_secret(text: str) -> bool:
    """Whether a secret access key, a session token or a password may be in it."""
    return masked(text) != text


def masked(text: str) -> str:
    """The text without what looks like a secret, in whatever way it is written: NAME=SECRET, JSON, a URL."""
    if len(text) < SHORTEST and "://" not in text:
        return text
    # the catalogue is read only if there is a secret: a message about a broken installation must not need it
    if "://" in text:
        text = _USERINFO.sub(lambda found: f"{found[1]}:{say('secret')}", text)
    if not text.isascii() or any(map(text.lower().__contains__, _HINTS)):
        text = _NAMED.sub(lambda found: found[1] + say("secret"), text)
    if any(map(_may_be_secret, _RUN.findall(text))):
        text = _SECRET.sub(lambda found: say("secret") if _is_secret(found[0]) else found[0], text)
    return text


def all_masked(told: Any) -> Any:
    """The same for every text in a value that JSON has, names included; a text may be secret by its name alone."""
    if isinstance(told, str):
        return masked(told)
    if isinstance(told, dict):
        return {masked(str(name)): _named_masked(f"{name}=", value) for name, value in told.items()}
    return list(map(all_masked, told)) if isinstance(told, list) else told


def _named_masked(name: str, told: Any) -> Any:
    if isinstance(told, str) and (text := masked(name + told)).startswith(name):
        return text.removeprefix(name)
    return all_masked(told)


def _may_be_secret(run: str) -> bool:
    size = len(run)
    return size >= 40 and (size == 40 or size >= 200 or "%" in run or "\\" in run)


def _is_secret(text: str) -> bool:
    plain = re.sub(r"%2f|\\+/|\\+u002f", "/", text, flags=re.IGNORECASE)
    is_mixed = all(re.search(kind, plain) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    is_path = plain.startswith("/") and plain.count("/") >= 3
    return is_mixed and not is_path


def short_id(key_id: str) -> str:
    """The last four characters, by which a person knows a key."""
    return f"****{key_id[-4:]}"


#: characters that count as printable but show nothing
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(code) for code in range(0xFE00, 0xFE10)
}


def visible(text: str) -> str:
    """A name for people, on paper or on a terminal. Characters that cannot be seen, that break the line, or that
    change the writing direction or the terminal's colours are shown by their codes. All text from outside goes
    through this one door."""
    if text.isprintable() and _BLANK.isdisjoint(text):
        return text
    return "".join(
        c if c.isprintable() and c not in _BLANK else c.encode("unicode_escape").decode("ascii") for c in text
    )


def shell_word(word: str) -> str:
    """A word of a command line, quoted for a shell; zsh reads ``=ls`` as the path of a command."""
    quoted = shlex.quote(word)
    return f"'{word}'" if quoted == word and word.startswith("=") else quoted


def shell_line(words: Iterable[str]) -> str:
    """A command line that can be pasted into a shell. Empty if a word of it cannot be shown as it is: on a terminal
    it might do anything, and by its codes it would be another word."""
    found = [*words]
    return " ".join(map(shell_word, found)) if all(visible(word) == word for word in found) else ""


#: a control sequence of a terminal, whose last letter must not be taken for the beginning of a secret
_SEQUENCE = re.compile(r"(\x1b\[[0-?]*[ -/]*[@-~])")


def line(text: str) -> str:
    """One line for people, ours with text from outside in it, without a secret, an invisible character or a second
    line."""
    # masked before, because invisible characters become letters, and after, because they may have split a secret
    parts = _SEQUENCE.split(text)
    return masked(visible("".join(map(masked, parts))))


def utc(moment: Any) -> str:
    """An instant as everyone prints it: ISO 8601, whole seconds, UTC; empty where there is none."""
    if moment is None or moment != moment:
        return ""
    # not strftime: a deadline may lie beyond the year 9999
    date = f"{moment.year:04}-{moment.month:02}-{moment.day:02}"
    return f"{date}T{moment.hour:02}:{moment.minute:02}:{moment.second:02}Z"
