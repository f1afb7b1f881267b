"""The documents that a capture can hold of an account beside its credential report, one row each.

A further document takes a row here, the taker and the reader that the row names, and its sentences in
``data/texts``. Its option, its permissions, its file and digest in captures, its copy in evidence, and what a gap
in it means follow from the row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Grant:
    """One statement: actions that are allowed on a resource. ``{partition}`` and such are filled in later."""

    sid: str
    actions: tuple[str, ...]
    resource: str = "*"

    def statement(self, **names: str) -> dict[str, Any]:
        return {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": self.resource.format(**names),
        }


@dataclass(frozen=True)
class Document:
    """``name``: the option that asks for it, and the field of ``asked`` in ``capture.json`` that says so; ``file``:
    its file; ``digest``: the field of ``capture.json`` with the SHA-256 of that file.

    ``taker``: the function that takes it, as ``module:function``. It is given a ``capture.target.Taking`` and
    returns what the file holds; it raises CallFailedError if the document could not be had, and the sentence
    ``unknown`` says so, and why. ``reader``: the function that reads it strictly, given the JSON, the account and
    the rules. It raises ValueError and the like if the document is not as a capture writes it; the sentence ``odd``
    says so, also of a document that was asked for and is missing. Both make the account INSUFFICIENT_DATA.
    ``grants``: the permissions that taking it needs; ``help``: the help of its option.

    ``compared``: this is the document that every capture holds, begun with its ``mode``, and that is read together
    with the report (``reconcile``). ``remarks``: the function that has something to say about the document at once,
    to whoever captures.
    """

    name: str
    file: str
    digest: str
    taker: str
    reader: str
    grants: tuple[Grant, ...]
    odd: str
    unknown: str = ""
    help: str = ""
    remarks: str = ""
    compared: bool = False


def function(name: str) -> Callable[..., Any]:
    """The function that a row names, imported when it is needed."""
    module, _, found = name.partition(":")
    made: Callable[..., Any] = getattr(import_module(module), found)
    return made


INVENTORY = Document(
    name="inventory",
    file="inventory.json",
    digest="inventory_sha256",
    taker="keyaudit.capture.inventory:take_inventory",
    reader="keyaudit.captured.inventory:read_inventory",
    grants=(
        Grant("AccountTotals", ("iam:GetAccountSummary",)),
        Grant("UserNames", ("iam:ListUsers",)),
        # the only one that can be limited to users; ``*`` stands for slashes too (IAM User Guide, JSON policy
        # elements: Resource), so users with a path are included
        Grant("AccessKeyIds", ("iam:ListAccessKeys",), "arn:{partition}:iam::{account}:user/*"),
    ),
    odd="reconcile.odd",
    compared=True,
)
ROTATION = Document(
    name="rotation",
    file="rotation.json",
    digest="rotation_sha256",
    taker="keyaudit.capture.rotations:take_rotations",
    reader="keyaudit.captured.rotations:read_rotations",
    grants=(
        Grant("RotatedSecrets", ("secretsmanager:ListSecrets",)),
        # no value is ever read
        Grant(
            "SecretDates",
            ("secretsmanager:DescribeSecret", "secretsmanager:ListSecretVersionIds"),
            "arn:{partition}:secretsmanager:*:{account}:secret:*",
        ),
        Grant(
            "RotationFunctions",
            ("lambda:GetFunctionConfiguration",),
            "arn:{partition}:lambda:*:{account}:function:*",
        ),
        Grant("RotationLogs", ("logs:FilterLogEvents",), "arn:{partition}:logs:*:{account}:log-group:*"),
        Grant(
            "RotatedUsers",
            ("iam:GetAccessKeyLastUsed", "iam:ListAccessKeys", "iam:ListAttachedUserPolicies"),
            "arn:{partition}:iam::{account}:user/*",
        ),
    ),
    odd="reconcile.odd_rotation",
    unknown="capture.unknown.rotations",
    help="Also read which keys are under automatic rotation.",
    remarks="keyaudit.capture.rotations:older_functions",
)
#: the documents, in the order in which they are taken
DOCUMENTS = (INVENTORY, ROTATION)


def optional() -> tuple[Document, ...]:
    """The documents that are taken only if they are asked for."""
    return tuple(one for one in DOCUMENTS if not one.compared)
