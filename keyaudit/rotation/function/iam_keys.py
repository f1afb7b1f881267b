"""The user's keys in IAM: what they are, whose they are, and taking them away."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

import boto3
from botocore.config import Config

from keyaudit.rotation.function.basics import CURRENT, SKEW, Key, RotationError, last4, parsed, stamp
from keyaudit.rotation.function.secret import Secret


class Keys(Secret):
    """The keys of the user, and what the secret knows of each."""

    def iam(self, current: dict[str, Any], config: Config) -> Any:
        """A client whose calls the master's key signs, or the function's role."""
        if not current.get("masterarn"):
            return boto3.client("iam", config=config)
        master = parsed(self.fetch(SecretId=current["masterarn"], VersionStage=CURRENT)) or {}
        names = self.fields if os.environ["KEYAUDIT_MASTER"] == "self" else {n: n for n in self.fields}
        if not (master.get(names["accesskey"]) and master.get(names["secretkey"])):
            raise RotationError("the secret of masterarn holds no key to sign with; put a first one in it")
        return boto3.client("iam", **self.signing(master, names), config=config)

    def signing(self, value: dict[str, Any], names: dict[str, str] | None = None) -> dict[str, Any]:
        names = names or self.fields
        pair = {"accesskey": "aws_access_key_id", "secretkey": "aws_secret_access_key"}
        return {parameter: value[names[name]] for name, parameter in pair.items()} | {"aws_session_token": None}

    def keys(self, iam: Any) -> list[Key]:
        try:
            pages = list(iam.get_paginator("list_access_keys").paginate(UserName=self.user))
        except iam.exceptions.NoSuchEntityException:
            raise RotationError(
                f"IAM has no user {self.user} any more: take its rotation away (keyaudit rotation remove)"
            ) from None
        return [key for page in pages for key in page["AccessKeyMetadata"]]

    def last_use(self, iam: Any, key: Key) -> dict[str, Any]:
        found = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
        at, service = found.get("LastUsedDate"), found.get("ServiceName", "N/A")
        if at is None:
            return {"at": None, "said": "never used"}
        return {"at": at, "said": f"last used {stamp(at)} in {found.get('Region')} by {service}"}

    def is_known(self, key: Key) -> bool:
        """Whether anybody could have the key from the secret: a value that has its id anywhere is enough."""
        return self.is_own(key) or any(key["AccessKeyId"] in (self.text(one) or "") for one in self.since(key))

    def is_own(self, key: Key) -> bool:
        """Whether the secret holds the key as its own, ever held it so, as far as is remembered, or was deployed to
        replace it. A key that is only mentioned, in a note, is not."""
        key_id = key["AccessKeyId"]
        remembered = {*self.words("current"), *self.records("replaced", 1), *self.words("stored")[:1]}
        if key_id in remembered or key_id in os.environ.get("KEYAUDIT_ADOPTED", "").split():
            return True
        values = [self.value(one) or {} for one in self.since(key)]
        return any(key_id in (self.key_id(value), value.get("accesskey")) for value in values)

    def since(self, key: Key) -> list[str]:
        """The versions that can have the key: a value never changes, so older ones cannot, and need not be read."""
        return [one["VersionId"] for one in self.versions() if one["CreatedDate"] >= key["CreateDate"] - SKEW]

    def is_relied_on(self, key_id: str) -> bool:
        """Whether AWSCURRENT or AWSPENDING has the key at this very moment."""
        self.refresh()
        return key_id in self.labelled()

    def name(self, key_id: str) -> None:
        """An active key of nobody, said once."""
        self.log("nobody's key", key_id)
        if key_id not in self.words("named"):
            self.notify(
                f"{last4(key_id)} is an active key that is not the secret's, or that its value names in another "
                "place: it is left alone, nobody rotates it, and while it is there no new key can be made. "
                "Find out who uses it"
            )
            self.note(named=" ".join([*self.words("named"), key_id][-4:]))

    def update(self, iam: Any, key_id: str, status: str) -> None:
        iam.update_access_key(UserName=self.user, AccessKeyId=key_id, Status=status)

    def deactivate(self, iam: Any, key_id: str, why: str) -> None:
        if self.is_relied_on(key_id):
            return self.log("already current", key_id)
        # noted and said before it is done: whoever brings it back, although the function died here, is listened to
        self.keep("inactive", key_id, self.now, self.now)
        self.told_inactive(key_id, f"{why}. It is deactivated now")
        self.update(iam, key_id, "Inactive")
        self.log("deactivated", key_id)
        if self.is_relied_on(key_id):  # a person went back to it in this very moment
            self.update(iam, key_id, "Active")
            self.log("active again", key_id)
            self.notify(f"{last4(key_id)} is active again: AWSCURRENT went back to it")
        return None

    def delete(self, iam: Any, key_id: str, outcome: str) -> bool:
        listed = {key["AccessKeyId"]: key["Status"] for key in self.keys(iam)}
        if self.is_relied_on(key_id) or listed.get(key_id) == "Active":
            return False
        with suppress(iam.exceptions.NoSuchEntityException):
            iam.delete_access_key(UserName=self.user, AccessKeyId=key_id)
        self.log(outcome, key_id)
        return True
