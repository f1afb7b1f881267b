"""A template that was deployed -> what it deployed: read from its metadata or, for the first version, which has
none, from our own regular text (pure)."""

from __future__ import annotations

import json
import re
from typing import Any

from keyaudit.captured import strict
from keyaudit.rotation.deployment import SELF, Deployment, Member
from keyaudit.rotation.periods import Periods
from keyaudit.rotation.template import ABOUT
from keyaudit.schema import InputError

FIRST = "1"
_TEXT = r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'"""
_PROPERTIES = "Name|Description|KmsKeyId|SecretString|Default"


def is_ours(description: str) -> bool:
    """Whether a stack's description is one that we write."""
    return description.startswith(ABOUT)


def whose(description: str) -> str:
    """The user of a stack of one user, whatever the stack is called."""
    return description.removeprefix(ABOUT)


def deployed(template: str) -> Deployment:
    """What was asked for when this was deployed. InputError if the template is not as keyaudit writes it."""
    try:
        found = _metadata(template)
        return _from_metadata(found, template) if found else _from_text(template)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(
            "its template is not as keyaudit writes it: it was changed by hand, or by a newer keyaudit"
        ) from None


def version_of(template: str) -> str:
    """The version of the function in a template."""
    found = re.search(r'^ *KEYAUDIT_VERSION: "(\d{1,6})"$', template, re.MULTILINE)
    return found[1] if found else FIRST


def secrets_in(template: str) -> dict[str, dict[str, str]]:
    """The secrets of a template by their names in it, with their properties: resources, or parameters for secrets
    that existed before (``Default``). Between two templates that agree in this, no value replaces a key."""
    found = {}
    for block in re.finditer(r"^( +)(\w+):\n((?:\1 .*\n)+)", template, re.MULTILINE):
        if re.search(r"^ +Type: (AWS::SecretsManager::Secret|String)$", block[3], re.MULTILINE):
            values = re.findall(rf"[ {{,]({_PROPERTIES}): ({_TEXT}|[\w/+=.@-]+)", block[3])
            found[block[2]] = {name: _plain(text) for name, text in values}
    return found


def changed_secrets(before: str, after: str) -> list[str]:
    """The names of the secrets that a deployment would change, or would no longer know although they stay."""
    old, new = secrets_in(before), secrets_in(after)
    return [name for name in old if name in new and old[name] != new[name]]


def _metadata(template: str) -> dict[str, Any]:
    start = re.search(r"^ keyaudit:\n +(?={)", template, re.MULTILINE)
    if not start:
        return {}
    found, _ = json.JSONDecoder().raw_decode(template, start.end())
    strict.must(isinstance(found, dict))
    return dict(found)


def _from_metadata(found: dict[str, Any], template: str) -> Deployment:
    strict.text(found.pop("version"))
    periods = Periods(**{name: strict.count(days) for name, days in found.pop("periods").items()})
    owners, is_many = found.pop("owners"), strict.flag(found.pop("many"))
    paths, secrets, names = (found.pop(name, {}) for name in ("paths", "secrets", "names"))
    members = {
        user: Member(
            user, strict.count(every), paths.get(user, "/"), owner, secrets.get(user, ""), names.get(user, "")
        )
        for owner, users in owners.items()
        for user, every in users.items()
    }
    # in the order of the template, which a later template keeps
    order = list(json.loads(_setting(template, "USERS")).values())
    strict.must(sorted(order) == sorted(members) and (is_many or len(members) == 1))
    adopted = tuple(_setting(template, "ADOPTED", '""').split())
    return Deployment(tuple(members[user] for user in order), periods, is_many, adopted=adopted, **found)


def _from_text(template: str) -> Deployment:
    """A stack of the first version."""
    (secret,) = secrets_in(template).values()
    user, arn = _setting(template, "USER"), secret.get("Default", "")
    value = json.loads(secret.get("SecretString", "{}"))
    master = str(value.get("masterarn", "")) or _resource(template, "Master")
    if "\n  SelfManagement:\n" in template:
        master = SELF
    grace, retention, quiet, age = (
        int(_setting(template, name)) for name in ("GRACE", "RETENTION", "QUIET", "MAX_AGE")
    )
    every = re.search(r"^ *AutomaticallyAfterDays: (\d+)$", template, re.MULTILINE)
    strict.must(every is not None)
    days = int(every[1]) if every else 0
    notify = re.search(rf"^ *Endpoint: ({_TEXT})$", template, re.MULTILINE)
    whose = re.search(rf':user(/[^"]*?){re.escape(user)}"$', template, re.MULTILINE)
    path = whose[1] if whose else "/"
    adopted = tuple(_setting(template, "ADOPTED", '""').split())
    return Deployment(
        (Member(user, days, path, "", arn, secret.get("Name", "")),),
        Periods(days, grace, retention, quiet, age),
        adopted=adopted,
        master=master,
        kms_key=secret.get("KmsKeyId", "") or _resource(template, "EncryptionKey"),
        notify=_plain(notify[1]) if notify else "",
        deactivates_in_use=_setting(template, "DEACTIVATE_IN_USE") == "yes",
    )


def _setting(template: str, name: str, default: str = "") -> str:
    found = re.search(rf"^ *KEYAUDIT_{name}: ({_TEXT})$", template, re.MULTILINE)
    return _plain(found[1] if found else default)


def _resource(template: str, sid: str) -> str:
    """The resource of a statement with one action; empty if there is no such statement."""
    found = re.search(rf"^ *- Sid: {sid}\n(?: .*\n){{3}} *Resource: ({_TEXT})$", template, re.MULTILINE)
    return _plain(found[1]) if found else ""


def _plain(text: str) -> str:
    """A string of YAML as ``template`` writes it."""
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    return str(json.loads(text)) if text.startswith('"') else text
