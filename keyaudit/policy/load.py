"""A TOML file or preset -> Policy; every error names file, line, key, what was found and expected."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path

from pydantic import ValidationError

from keyaudit import resources
from keyaudit.files import reason_of
from keyaudit.policy.terms import PRESET, Exemption, Misplaced, Override, Policy
from keyaudit.schema import PolicyError

DEFAULT_PRESET = "cis"


def load_policy(policy: str | Path = "") -> Policy:
    """The policy in a file, or the preset of that name (``cis``); empty: the default preset, counted as not given.

    PolicyError names file, line and key.
    """
    text = str(policy)
    preset = text or DEFAULT_PRESET
    if preset in resources.names("policies", ".toml"):
        content = resources.data("policies", f"{preset}.toml").read_bytes()
        return parse_policy(content, f"{PRESET}{preset}", given=bool(text))
    try:
        content = Path(policy).read_bytes()
    except (OSError, ValueError) as error:
        presets = ", ".join(resources.names("policies", ".toml"))
        reason = (
            "no such file"
            if not isinstance(error, OSError) or isinstance(error, FileNotFoundError)
            else reason_of(error)
        )
        raise PolicyError(f"policy {text}: {reason}; name a TOML file or a preset ({presets})") from None
    return parse_policy(content, Path(policy).name)


def parse_policy(content: bytes, name: str, given: bool = True) -> Policy:
    """The policy in TOML bytes; PolicyError names file, line and key, and what was expected."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PolicyError(f"policy {name}, line {line}: not UTF-8; save the file as UTF-8") from None
    try:
        policy = Policy.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"policy {name}: not valid TOML: {error}") from None
    except ValidationError as error:
        raise PolicyError(_explain(error, text, name)) from None
    except (ValueError, RecursionError):  # a number of thousands of digits, or tables without end
        raise PolicyError(f"policy {name}: not valid TOML: a number or nesting without end") from None
    policy._name, policy._content, policy._given = name, content, given
    return policy


def _explain(error: ValidationError, text: str, name: str) -> str:
    """The first fault in one line: file, line, key, what was found and expected."""
    fault = error.errors(include_url=False)[0]
    cause = fault.get("ctx", {}).get("error")
    location = cause.location if isinstance(cause, Misplaced) else fault["loc"]
    keys = [part for part in location if isinstance(part, str)]
    message = str(cause) if isinstance(cause, Misplaced) else fault["msg"]
    if fault["type"] == "extra_forbidden":
        table = keys[0] if len(keys) > 1 else ""
        owner = Override if table == "override" else Exemption if table == "exemption" else Policy
        near = difflib.get_close_matches(keys[-1], list(owner.model_fields), n=1, cutoff=0.5)
        message = "unknown key" + (f"; nearest: {near[0]}" if near else "")
    elif fault["type"] == "missing":
        message = "this key is required"
    elif not isinstance(cause, Misplaced) and len(repr(fault["input"])) <= 40:
        message = f"{message}; found {fault['input']!r}"
    return f"policy {name}, line {_line_of(location, text)}, {'.'.join(keys) or 'policy'}: {message}"


def _line_of(location: tuple[str | int, ...], text: str) -> int:
    """The line of a key, or of the table that lacks it (tomllib gives no positions)."""
    table = str(location[0]) if location and location[0] in ("override", "exemption") else ""
    wanted = int(location[1]) if table and len(location) > 1 else -1
    key = str(location[2] if table and len(location) > 2 else location[0] if location else "")
    lines = list(enumerate(text.splitlines(), 1))
    count, inside, start = -1, not table, 0
    for number, line in lines:
        if header := re.match(r"\s*\[+\s*([\w-]+)\s*\]+", line):
            count += header[1] == table
            inside = bool(table) and header[1] == table and count == wanted
            start = number if inside else start
        elif inside and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return number
    if start:
        return start
    # an array of inline tables: the first place where the key stands after the array's own name
    opened = next((number for number, line in lines if re.match(rf"\s*{re.escape(table or key)}\s*=", line)), 1)
    return next((n for n, line in lines if n >= opened and re.search(rf"\b{re.escape(key)}\s*=", line)), opened)
