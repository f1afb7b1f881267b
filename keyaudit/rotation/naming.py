"""The names of users, secrets, stacks and resources, and which names AWS accepts (pure)."""

from __future__ import annotations

import hashlib
import re

from keyaudit.schema import InputError
from keyaudit.texts import visible

#: IAM API Reference, CreateUser, UserName and Path; CreateAccessKey, AccessKeyId
USER = r"[\w+=,.@-]{1,64}"
PATH = r"/([!-\x7e]{1,510}/)?"
KEY_ID = r"\w{16,128}"
ACCOUNT = r"[0-9]{12}"
PARTITION = r"arn:aws[a-z-]*"
SECRET_NAME = r"[\w/+=.@-]{1,512}"
#: a whole ARN, with the six characters that Secrets Manager puts at its end: IAM policies match nothing less
SECRET_ARN = rf"{PARTITION}:secretsmanager:[a-z0-9-]+:{ACCOUNT}:secret:({SECRET_NAME})-[A-Za-z0-9]{{6}}"
KMS_ARN = rf"{PARTITION}:kms:[a-z0-9-]+:{ACCOUNT}:key/[\w-]{{1,128}}"
EMAIL = r"[^\s@\"'\\<>{}]{1,64}@[\w.-]{1,255}"
BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
#: a field's name in the value of a secret
FIELD = r"[\w.-]{1,64}"
PREFIX = "keyaudit-rotation-"
#: the stack of many users; no user's own stack has this name
MANY = "keyaudit-rotations"
LONGEST_NAME = 128


def check(option: str, value: str, pattern: str, wanted: str) -> None:
    """InputError, which names the option, unless the whole value matches this pattern."""
    if not re.fullmatch(pattern, value, re.ASCII):
        raise InputError(f"{option} {visible(value[:80])}: not {wanted}")


def stack_name(user: str) -> str:
    """The name of a user's own stack. A name that had to be changed ends with a hash, so that no two users share
    it."""
    plain = re.sub(r"[^A-Za-z0-9-]", "-", user)
    if plain != user:
        plain = f"{plain}-{short_hash(user)}"
    return f"{PREFIX}{plain}"[:LONGEST_NAME]


def secret_name(user: str) -> str:
    """The name of a user's secret: Secrets Manager takes no comma. A name that had to be changed gets a hash after
    a slash, which no user's name has: ``a,b`` and ``a_b`` are two secrets."""
    plain = former_secret_name(user)
    return plain if "," not in user else f"{plain}/{short_hash(user)}"


def former_secret_name(user: str) -> str:
    """The name that the first version gave it, which more than one user may share."""
    return f"keyaudit/{user.replace(',', '_')}"


def name_in(arn: str) -> str:
    """The secret's name, from its whole ARN."""
    found = re.fullmatch(SECRET_ARN, arn, re.ASCII)
    if not found:
        raise InputError(f"{visible(arn[:80])}: not the whole ARN of a secret")
    return found[1]


def short_hash(user: str, length: int = 8) -> str:
    return hashlib.sha256(user.encode()).hexdigest()[:length]
