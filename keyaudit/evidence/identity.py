"""Whose evidence a folder holds: its manifest says so, and never its name, which anybody may change."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keyaudit.captured.layout import ACCOUNTS_FILE
from keyaudit.evidence.contents import RAW, Manifest, RunFacts
from keyaudit.files import read_plain
from keyaudit.model.folders import Identity

ORGANIZATION, SAMPLE = "organization", "sample"
_LABEL = re.compile(r"[0-9]{12}|unknown-[0-9]+", re.ASCII)
_ORGANIZATION = re.compile(
    r"arn:aws[a-z-]*:organizations::[0-9]{12}:account/(o-[a-z0-9]{10,32})/[0-9]{12}", re.ASCII
)
_CALLER = re.compile(r"arn:aws[a-z-]*:[a-z]+::([0-9]{12}):.*", re.ASCII)


def organization_of(facts: Mapping[str, Any]) -> str | None:
    """The organization that was captured, by accounts.json: its id, as ListAccounts has it in its ARNs, or else the
    caller's account; None if one account was captured, or files were read."""
    listed = facts.get("listed")
    for account in listed if isinstance(listed, list) else []:
        arn = account.get("Arn") if isinstance(account, dict) else None
        if found := _ORGANIZATION.fullmatch(str(arn)):
            return found[1]
    asked = facts.get("asked")
    if not isinstance(asked, dict) or asked.get("what") not in ("organization", "accounts"):
        return None
    found = _CALLER.fullmatch(str(facts.get("caller")))
    return found[1] if found else None


def label_of(accounts: list[str] | tuple[str, ...], is_sample: bool) -> str:
    """What a folder's name says about whose evidence it holds. A label from JSON is never trusted in a path."""
    if is_sample:
        return SAMPLE
    return accounts[0] if len(accounts) == 1 and _LABEL.fullmatch(accounts[0]) else ORGANIZATION


def identity_of(folder: Path, manifest: Manifest | RunFacts) -> Identity:
    """The identity of evidence. If the manifest is too old to name the organization, it is read from the raw
    evidence. KeyError, TypeError or ValueError if this is not a manifest."""
    accounts = tuple(map(str, manifest["accounts"]["expected"]))
    is_sample = manifest["sample"] is True
    is_named = "organization" in manifest
    organization = manifest["organization"] if is_named else _former(folder) if len(accounts) != 1 else None
    label = label_of(accounts, is_sample)
    whose = label if is_sample or not organization else str(organization)
    return Identity(str(manifest["notebook"]["name"]), whose, label, accounts, is_named)


def _former(folder: Path) -> str | None:
    try:
        facts = json.loads(read_plain(folder / RAW / ACCOUNTS_FILE))
        return organization_of(facts) if isinstance(facts, dict) else None
    except (OSError, ValueError, RecursionError):
        return None


def is_renamed(folder: Path, manifest: Manifest) -> str:
    """The name under which a folder was sealed, if it has another name by now; otherwise empty."""
    if "name" in manifest:
        told = str(manifest["name"])
        return "" if folder.resolve().name == told else told
    who = identity_of(folder, manifest)
    told = f"{str(manifest['as_of']).replace(':', '')}-{who.notebook}-{who.label}"
    return "" if re.fullmatch(re.escape(told) + r"(-[0-9]{1,6})?", folder.resolve().name) else told
