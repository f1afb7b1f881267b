"""Who owns a key, and how much the key can do: user tags and administrators, from
``GetAccountAuthorizationDetails``.

An administrator is a user who may do everything (CIS's "full *:* administrative privileges") by a policy of the
user or of one of its groups. Conditions, boundaries and service control policies, which may narrow that, are not
considered.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from keyaudit.aws.calls import Calls

FILTER = ["User", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]


def find_owners(calls: Calls, iam: Any, tag: str) -> dict[str, dict[str, Any]]:
    """User name -> ``owner`` (the tag's value, or None) and ``administrator``."""
    pages = calls.pages(iam, "get_account_authorization_details", "UserDetailList", Filter=FILTER)
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
        tags = {str(one.get("Key")): str(one.get("Value")) for one in user.get("Tags", [])}
        owners[str(user["UserName"])] = {
            "owner": tags.get(tag),
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
