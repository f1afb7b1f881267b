"""Who owns a key, what it is for, and how much it can do: user tags and administrators, from
``GetAccountAuthorizationDetails``, which is asked once.

An administrator is a user who may do everything (CIS's "full *:* administrative privileges") by a policy of the
user or of one of its groups. Conditions, boundaries and service control policies, which may narrow that, are not
considered.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from keyaudit.captured.purposes import purpose_of
from keyaudit.texts import say

if TYPE_CHECKING:
    from keyaudit.capture.options import Options
    from keyaudit.capture.target import Taking

#: without owners, no policy needs to be read
USERS = ["User"]
FILTER = ["User", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]


def tagged(options: Options) -> tuple[str, ...]:
    """What is asked for and told by tags: fields of the inventory."""
    asked = {"owners": bool(options.owner_tag), "purposes": options.purpose}
    return tuple(name for name, is_asked in asked.items() if is_asked)


def read_tags(taking: Taking) -> None:
    """Put ``owners`` and ``purposes`` into the inventory that was begun, as far as they are asked for.
    CallFailedError if AWS does not tell."""
    options, inventory = taking.options, taking.begun
    asked = FILTER if options.owner_tag else USERS
    pages = taking.calls.pages(taking.iam, "get_account_authorization_details", "UserDetailList", Filter=asked)
    found: dict[str, Any] = {"owners": _owners(pages, options.owner_tag)} if options.owner_tag else {}
    if options.purpose:
        users = {str(user["UserName"]): user for page in pages for user in page["UserDetailList"]}
        listed = inventory.get("access_keys", {})
        if unlisted := users.keys() - listed.keys():
            taking.problem(say("capture.unknown.some_purposes", n=len(unlisted)))
        told = {user: _purposes(users[user], listed[user]) for user in listed if user in users}
        found["purposes"] = {user: purposes for user, purposes in told.items() if purposes}
    # in one assignment: somebody who gave up waiting may be writing the inventory at this moment
    inventory |= found


def _tags(user: dict[str, Any]) -> dict[str, str]:
    return {str(one.get("Key")): str(one.get("Value")) for one in user.get("Tags", [])}


def _purposes(user: dict[str, Any], keys: list[dict[str, Any]]) -> dict[str, str]:
    """Key id -> what it is said to be for; of all tags of a user, those that are named by its own keys."""
    tags = _tags(user)
    own = [str(one.get("AccessKeyId")) for one in keys]
    told = {key_id: purpose_of(tags[key_id]) for key_id in own if key_id in tags}
    return {key_id: purpose for key_id, purpose in told.items() if purpose}


def _owners(pages: list[dict[str, Any]], tag: str) -> dict[str, dict[str, Any]]:
    """User name -> ``owner`` (the tag's value, or None) and ``administrator``."""
    full = {
        policy["Arn"]
        for page in pages
        for policy in page.get("Policies", [])
        if any(
            version.get("IsDefaultVersion") and _allows_everything(version.get("Document"))
            for version in policy.get("PolicyVersionList", [])
        )
    }
    groups = {
        group["GroupName"]
        for page in pages
        for group in page.get("GroupDetailList", [])
        if _is_full(group, "GroupPolicyList", full)
    }
    owners = {}
    for user in (user for page in pages for user in page["UserDetailList"]):
        owners[str(user["UserName"])] = {
            "owner": _tags(user).get(tag),
            "administrator": _is_full(user, "UserPolicyList", full)
            or not groups.isdisjoint(user.get("GroupList", [])),
        }
    return owners


def _is_full(principal: dict[str, Any], inline: str, full: set[str]) -> bool:
    attached = {str(policy.get("PolicyArn")) for policy in principal.get("AttachedManagedPolicies", [])}
    # AWS's own policy needs no document: its name says what it allows
    named = any(arn.endswith(":aws:policy/AdministratorAccess") for arn in attached)
    own = (policy.get("PolicyDocument") for policy in principal.get(inline, []))
    return named or bool(attached & full) or any(map(_allows_everything, own))


def _allows_everything(document: Any) -> bool:
    if isinstance(document, str):
        try:
            document = json.loads(unquote(document))
        except ValueError:
            return False
    statements = document.get("Statement", []) if isinstance(document, dict) else []
    return any(
        one.get("Effect") == "Allow"
        and {"*", "*:*"} & set(_listed(one.get("Action")))
        and "*" in _listed(one.get("Resource"))
        for one in _listed(statements)
        if isinstance(one, dict)
    )


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [value]
