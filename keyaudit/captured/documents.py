"""The documents that a capture can hold of an account beside its credential report, a row each.

A further one is a row here, the taker and the reader that the row names, and its sentences in ``data/texts``: its
option, its permissions, its file and digest in captures, its copy in evidence, and what a gap in it means follow.
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
    """``name``: the option that asks for it, and the field of ``asked`` in ``capture.json`` that says so; ``file``;
    ``digest``: the field of ``capture.json`` with the SHA-256 of the file.

    ``taker``: who takes it, as ``module:function``, which is given a ``capture.target.Taking`` and returns what
    the file holds. CallFailedError where it could not be had: ``unknown`` is the sentence that says so, and why.
    ``reader``: who reads it strictly, given the JSON, the account and the rules. ValueError and its like where it
    is not as a capture writes it; ``odd`` is the sentence for that, and for one that was asked for and is missing.
    Both make the account INSUFFICIENT_DATA. ``grants``: what taking it needs; ``help``: of its option.

    ``compared``: the one that every capture holds, begun with its ``mode``, and that is read together with the
    report (``reconcile``). ``remarks``: who has something to say of it at once, to whoever captures.
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
    """What a row names, imported when it is needed."""
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
        # the one that knows users; ``*`` stands for slashes too (IAM User Guide, JSON policy elements: Resource),
        # so users with a path are in it
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
    help="Read which keys are under automatic rotation too.",
    remarks="keyaudit.capture.rotations:older_functions",
)
#: in the order in which they are taken
DOCUMENTS = (INVENTORY, ROTATION)


def optional() -> tuple[Document, ...]:
    """Those that are taken only where they are asked for."""
    return tuple(one for one in DOCUMENTS if not one.compared)
